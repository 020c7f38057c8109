//! The text of others in messages: files, arguments, the reasons of parsers. One line, without control characters and
//! without anything that may be a key.

use std::borrow::Cow;
use std::path::Path;
use std::{fmt, io};

use crate::files;

// The library's own code, which is not public. There must not be a second one that shows what the first one hides.
#[path = "../../error/json.rs"]
mod json;
#[path = "../../error/key_text.rs"]
mod key_text;
#[path = "../../error/sanitized.rs"]
mod sanitized;
#[path = "../../error/template.rs"]
mod template;

pub(crate) use json::json_reason;
pub(crate) use sanitized::{Excerpt, Message, Sanitized};
pub(crate) use template::shown_template;

/// A path in a message.
pub(crate) struct ShownPath<'a>(pub(crate) &'a Path);

impl fmt::Display for ShownPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Excerpt(&self.0.display().to_string()))
    }
}

/// The reason of a failed operation of the operating system, after the name of its file.
pub(crate) fn io_text(error: &io::Error) -> String {
    if let Some(reason) = files::known_reason(error) {
        return reason.to_owned();
    }
    // Libraries add the path to an error of the operating system.
    let inner = error.get_ref().and_then(|wrapper| wrapper.source()).and_then(|cause| cause.downcast_ref());
    if let Some(inner) = inner {
        return io_text(inner);
    }
    let text = error.to_string();
    match without_number(&text) {
        reason if reason.len() < text.len() => format!("the operating system reports: {reason}"),
        _ => text,
    }
}

/// The text of an error of the operating system, without its number.
pub(crate) fn without_number(text: &str) -> &str {
    text.split_once(" (os error ").map_or(text, |(reason, _)| reason)
}

/// [`io_text`] for a file that cannot be created.
pub(crate) fn creation_text(error: &io::Error) -> String {
    match files::known_reason(error) {
        Some(_) => files::creation_reason(error).to_owned(),
        None => io_text(error),
    }
}

/// The arguments as they may be shown, if one of them must not be shown as it is: it has a character that a terminal
/// would obey, or may be a key.
pub(crate) fn guarded(arguments: impl Iterator<Item = String>) -> Option<Vec<String>> {
    let mut changed = false;
    let mut guard = |text: &str| {
        if !text.chars().any(sanitized::is_unprintable) && !key_text::may_be_key(text) {
            return text.to_owned();
        }
        changed = true;
        Excerpt(text).to_string()
    };
    let arguments = arguments.map(|argument| match argument.split_once('=') {
        // The name of an option must stay.
        Some((name, value)) if name.starts_with("--") => format!("{}={}", guard(name), guard(value)),
        _ => guard(&argument),
    });
    let arguments: Vec<_> = arguments.collect();
    changed.then_some(arguments)
}

/// A message of several lines, each one guarded.
pub(crate) fn lines(text: &str) -> String {
    let lines: Vec<_> = text.trim_end().split('\n').map(|line| Message(line).to_string()).collect();
    lines.join("\n")
}

/// JSON whose strings have no character that a terminal would obey.
pub(crate) fn escaped_json(json: &serde_json::Value) -> String {
    escaped(&json.to_string()).into_owned()
}

/// The same for JSON text, which may be indented and coloured. Its strings have no raw line break and no raw ESC.
pub(crate) fn escaped(json: &str) -> Cow<'_, str> {
    let is_bad = |c: char| sanitized::is_unprintable(c) && !matches!(c, '\n' | '\u{1b}');
    if !json.contains(is_bad) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for character in json.chars() {
        match is_bad(character) {
            true => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            }
            false => escaped.push(character),
        }
    }
    Cow::Owned(escaped)
}
