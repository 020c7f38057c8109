//! The reasons of the JSON parser, in our words: its own text quotes what it read.
//!
//! The program includes this file for its own messages, so it imports nothing else.

/// Where a JSON text is wrong, and what was expected there; never what was found.
pub(crate) fn json_reason(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Io => "it cannot be read".to_owned(),
        Category::Eof => "it ends too early".to_owned(),
        Category::Syntax => "it is not JSON there".to_owned(),
        Category::Data => expected(&error.to_string()),
    };
    match (error.line(), error.column()) {
        // A value that was parsed before has no place any more.
        (0, _) => what,
        (line, column) => format!("line {line}, column {column}: {what}"),
    }
}

/// The part of the parser's message that comes from the expected type, not from the text.
fn expected(message: &str) -> String {
    let name = |start: &str| message.strip_prefix(start).and_then(|rest| rest.split('`').next());
    if let Some(name) = name("missing field `") {
        return format!("missing field `{name}`");
    }
    if let Some(name) = name("duplicate field `") {
        return format!("duplicate field `{name}`");
    }
    let place = message.rfind(" at line ").unwrap_or(message.len());
    let known = message[..place].rsplit_once(", expected ").map(|(_, expected)| expected);
    match known {
        // The list of the known names ends the message.
        Some(names) if message.starts_with("unknown field ") => {
            format!("a field is unknown; expected {names}")
        }
        Some(expected) => format!("expected {expected}"),
        None => "its value does not fit".to_owned(),
    }
}
