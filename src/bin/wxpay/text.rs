//! The text of others in messages: files, arguments, the reasons of parsers. One line, without control characters and
//! without anything that may be a key.

use std::fmt;
use std::path::Path;

// The library's own code, which is not public. There must not be a second one that shows what the first one hides.
#[path = "../../error/json.rs"]
mod json;
#[path = "../../error/key_text.rs"]
mod key_text;
#[path = "../../error/sanitized.rs"]
mod sanitized;

pub(crate) use json::json_reason;
pub(crate) use sanitized::{Excerpt, Message};

/// A path in a message.
pub(crate) struct ShownPath<'a>(pub(crate) &'a Path);

impl fmt::Display for ShownPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Excerpt(&self.0.display().to_string()))
    }
}

/// A message of several lines that quotes arguments, if one of them must not be shown as it is: it has a character that
/// a terminal would obey, or may be a key.
pub(crate) fn without_arguments(message: &str, arguments: impl Iterator<Item = String>) -> Option<String> {
    let mut guarded = None::<String>;
    for argument in arguments {
        // `--name=value`, `name=value`: the value alone may be quoted.
        let value = argument.split_once('=').map_or("", |(_, value)| value);
        for quoted in [argument.as_str(), value] {
            let hidden = quoted.chars().any(sanitized::is_unprintable) || key_text::may_be_key(quoted);
            if hidden {
                let text = guarded.get_or_insert_with(|| message.to_owned());
                *text = text.replace(quoted, &Excerpt(quoted).to_string());
            }
        }
    }
    guarded.map(|text| lines(&text))
}

/// A message of several lines, each one guarded.
pub(crate) fn lines(text: &str) -> String {
    let lines: Vec<_> = text.trim_end().split('\n').map(|line| Message(line).to_string()).collect();
    lines.join("\n")
}

/// JSON whose strings have no character that a terminal would obey.
pub(crate) fn escaped_json(json: &serde_json::Value) -> String {
    let mut escaped = String::new();
    for character in json.to_string().chars() {
        match sanitized::is_unprintable(character) {
            true => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            }
            false => escaped.push(character),
        }
    }
    escaped
}
