//! Foreign text in messages.

use std::fmt;

/// Foreign text in a message: control characters escaped, so that it cannot pose as another line, and not too long.
pub(crate) struct Sanitized<'a>(pub(crate) &'a str);

impl fmt::Display for Sanitized<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX_CHARS: usize = 2_000;
        for character in self.0.chars().take(MAX_CHARS) {
            match character.is_control() {
                true => write!(f, "{}", character.escape_default())?,
                false => fmt::Write::write_char(f, character)?,
            }
        }
        if self.0.chars().nth(MAX_CHARS).is_some() { f.write_str("…") } else { Ok(()) }
    }
}

/// The `Request-ID` of a response, in brackets after a message.
pub(crate) struct RequestId<'a>(pub(crate) Option<&'a str>);

impl fmt::Display for RequestId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(id) => write!(f, " (Request-ID {})", Sanitized(id)),
            None => Ok(()),
        }
    }
}

/// A caller's text in a message: one line of at most 64 characters; a text that may be a key is not shown at all.
pub(crate) struct Excerpt<'a>(pub(crate) &'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX_CHARS: usize = 64;
        let length = self.0.chars().count();
        if self.0.contains("-----BEGIN") || self.0.contains(['\r', '\n']) {
            return write!(f, "a text of {length} characters, not shown because it may be a key");
        }
        let cut = self.0.char_indices().nth(MAX_CHARS).map_or(self.0, |(at, _)| &self.0[..at]);
        write!(f, "`{}{}`", Sanitized(cut), if length > MAX_CHARS { "…" } else { "" })
    }
}
