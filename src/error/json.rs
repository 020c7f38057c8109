//! The reasons of the JSON parser, in our words: its own text quotes what it read.
//!
//! The program includes this file for its own messages, so it imports nothing else.

/// Where a JSON text is wrong, and what was expected there; never what was found.
pub(crate) fn json_reason(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Io => "it cannot be read".to_owned(),
        Category::Eof => "it ends too early".to_owned(),
        Category::Syntax => syntax(&error.to_string()).to_owned(),
        Category::Data => expected(&error.to_string()),
    };
    match (error.line(), error.column()) {
        // A value that was parsed before has no place any more.
        (0, _) => what,
        (line, column) => format!("line {line}, column {column}: {what}"),
    }
}

/// The mistakes that people make most.
fn syntax(message: &str) -> &'static str {
    const KNOWN: [(&str, &str); 7] = [
        ("trailing characters", "trailing characters after the value"),
        ("trailing comma", "a comma before a closing bracket"),
        ("expected `:`", "expected `:` after a name"),
        ("expected `,`", "expected `,` or a closing bracket"),
        ("key must be a string", "expected a name in double quotes"),
        ("recursion limit", "it is nested too deeply"),
        ("control character", "a string has a line break or another control character; write it as `\\n`"),
    ];
    KNOWN.iter().find(|(start, _)| message.starts_with(start)).map_or("expected JSON", |(_, what)| what)
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
            // A word is shown. Anything else may be a value, or a key, in the wrong place.
            let word = name("unknown field `")
                .filter(|name| name.len() <= 24 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            match word {
                Some(word) => format!("unknown field `{word}`; expected {names}"),
                None => format!("a field is unknown; expected {names}"),
            }
        }
        Some(expected) if message.starts_with("invalid type") => format!("invalid type: expected {expected}"),
        Some(expected) => format!("expected {expected}"),
        None => "its value does not fit".to_owned(),
    }
}
