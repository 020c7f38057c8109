//! The template of a call, as spans, errors and `Debug` show it.

use std::borrow::Cow;

use super::Message;
use super::key_text::may_be_key;

/// A shorter path cannot hold a key.
const MAX_PLAIN: usize = 64;

/// The part of a path or a whole URL that may be shown: up to its query, without user name and password. The rest holds
/// values: tokens, telephone numbers. **Every output takes the template from here.**
pub(crate) fn shown_template(text: &str) -> Cow<'_, str> {
    let path = &text[..query_start(text)];
    // A path that can be requested has no blanks. A key in groups has, and its groups alone look like words.
    if !path.bytes().all(|byte| byte.is_ascii_graphic()) && may_be_key(path) {
        return Cow::Borrowed("…");
    }
    let Some((scheme, rest)) = path.split_once("://") else {
        return match path.len() {
            ..=MAX_PLAIN => Cow::Borrowed(path),
            _ => Cow::Owned(Message(path).to_string()),
        };
    };
    // The last `@`: a password may contain others.
    let rest = rest.rfind('@').map_or(rest, |at| &rest[at + 1..]);
    Cow::Owned(Message(&format!("{scheme}://{rest}")).to_string())
}

/// The place of the first `?` or `#` outside the braces of a variable, in which `?` and `#` are operators.
fn query_start(text: &str) -> usize {
    let last_brace = text.rfind('}').unwrap_or(0);
    let mut inside = false;
    let found = text.bytes().enumerate().find(|(at, byte)| {
        match byte {
            b'{' => inside = *at < last_brace,
            b'}' => inside = false,
            _ => {}
        }
        matches!(byte, b'?' | b'#') && !inside
    });
    found.map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_shown_without_values() {
        for (text, shown) in [
            ("v3/x/{id}", "v3/x/{id}"),
            ("v3/x/{id}/y?token=secret", "v3/x/{id}/y"),
            ("v3/x{?token,phone}", "v3/x{?token,phone}"),
            ("v3/x{?token}&phone=secret", "v3/x{?token}&phone=secret"),
            ("v3/x#secret", "v3/x"),
            ("v3/{x?token=secret", "v3/{x"),
            ("v3/{x}{y?token=secret", "v3/{x}{y"),
            ("https://host/v3/x?token=secret", "https://host/v3/x"),
            ("HTTPS://me:secret@host:1/x/{id}#secret", "HTTPS://host:1/x/{id}"),
            ("https://me:sec@ret/@host/x", "https://host/x"),
            ("https://secret@host?a@b", "https://host"),
            ("https://host/{+path}?{x}", "https://host/{+path}"),
            ("", ""),
            ("?token=secret", ""),
        ] {
            assert_eq!(shown_template(text), shown, "{text}");
        }
    }
}
