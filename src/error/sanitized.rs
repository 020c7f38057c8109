//! The text of others in messages: what may be shown of it, on one line and without a key.
//!
//! The program includes this file and `key_text.rs` for its own messages, so they import nothing else.

use std::fmt;
use std::fmt::Write as _;

use super::key_text::{MAX_JUDGED, key_ranges, may_be_key};

/// The most that is shown of a text from the network, in characters.
const MAX_CHARS: usize = 2_000;

/// The most that is shown of a caller's text, in characters.
const MAX_EXCERPT: usize = 64;

/// Of a long path, the end is shown too: it names the file.
const EXCERPT_HEAD: usize = 20;

/// Text from the network in a message: control characters are escaped, so that it cannot pose as another line or steer a
/// terminal, and a long text is cut.
pub(crate) struct Sanitized<'a>(pub(crate) &'a str);

impl fmt::Display for Sanitized<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_escaped(f, self.0.chars().take(MAX_CHARS))?;
        if self.0.chars().nth(MAX_CHARS).is_some() { f.write_str("…") } else { Ok(()) }
    }
}

/// A caller's text in a message: one line of at most 64 characters, in backquotes. A text that may be a key is not shown
/// at all.
pub(crate) struct Excerpt<'a>(pub(crate) &'a str);

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.0.chars().count();
        if self.0.contains(['\r', '\n']) || may_be_key(self.0) {
            return write!(f, "a text of {length} characters, not shown because it may be a key");
        }
        f.write_char('`')?;
        if length <= MAX_EXCERPT {
            write_escaped(f, self.0.chars())?;
        } else if self.0.contains(['/', '\\']) {
            write_escaped(f, self.0.chars().take(EXCERPT_HEAD))?;
            f.write_char('…')?;
            write_escaped(f, self.0.chars().skip(length - (MAX_EXCERPT - EXCERPT_HEAD - 1)))?;
        } else {
            write_escaped(f, self.0.chars().take(MAX_EXCERPT - 1))?;
            f.write_char('…')?;
        }
        f.write_char('`')
    }
}

impl fmt::Debug for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A whole message of ours, whatever was put into it: the last guard before `Display` and `Debug`. It shows no control
/// character, and nothing that may be a key.
pub(crate) struct Message<'a>(pub(crate) &'a str);

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.char_indices().nth(MAX_JUDGED).map_or(self.0.len(), |(at, _)| at);
        let judged = &self.0[..end];
        let (mut at, mut left) = (0, MAX_CHARS);
        let whole = judged.len()..judged.len();
        for key in key_ranges(judged).into_iter().chain([whole]) {
            let piece = &judged[at..key.start];
            let shown = piece.char_indices().nth(left).map_or(piece, |(end, _)| &piece[..end]);
            write!(f, "{}", Sanitized(shown))?;
            if shown.len() < piece.len() {
                return f.write_char('…');
            }
            left -= shown.chars().count();
            at = key.end;
            if !key.is_empty() {
                f.write_char('…')?;
            }
        }
        if end < self.0.len() { f.write_char('…') } else { Ok(()) }
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

fn write_escaped(f: &mut fmt::Formatter<'_>, text: impl Iterator<Item = char>) -> fmt::Result {
    for character in text {
        match is_unprintable(character) {
            true => write!(f, "{}", character.escape_default())?,
            false => f.write_char(character)?,
        }
    }
    Ok(())
}

/// Controls (C0, DEL, C1), line separators, and the invisible characters that change the order or the look of others.
/// Joiners (U+200C, U+200D) are part of words and emoji.
pub(crate) fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}
