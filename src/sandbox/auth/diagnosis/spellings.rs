//! One JSON value, serialised as the libraries of several languages do.

use serde::Serialize;
use serde_json::{Value, ser::PrettyFormatter};

pub(crate) fn spellings(value: &Value) -> Vec<String> {
    let compact = value.to_string();
    let ascii = ascii(&compact);
    let mut all = vec![compact.replace('/', "\\/"), ascii.replace('/', "\\/"), spaced(&ascii)];
    all.push(spaced(&compact));
    // Go escapes these for HTML.
    all.push(compact.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026"));
    for indent in ["  ", "    ", "\t"] {
        let mut text = Vec::new();
        let formatter = PrettyFormatter::with_indent(indent.as_bytes());
        let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
        if value.serialize(&mut serializer).is_ok() {
            all.extend(String::from_utf8(text));
        }
    }
    all.extend([compact, ascii]);
    all
}

/// Escapes all characters outside ASCII.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

/// Adds a space after each comma and colon outside strings.
fn spaced(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let (mut quoted, mut escaped) = (false, false);
    for character in json.chars() {
        text.push(character);
        if !quoted && matches!(character, ',' | ':') {
            text.push(' ');
        }
        quoted ^= character == '"' && !escaped;
        escaped = quoted && character == '\\' && !escaped;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_get_no_extra_spaces() {
        assert_eq!(spaced(r#"{"a:,":[1,"\",:"]}"#), r#"{"a:,": [1, "\",:"]}"#);
        assert_eq!(spaced(r#"["\\",1]"#), r#"["\\", 1]"#);
    }

    #[test]
    fn characters_beyond_the_bmp_get_two_escapes() {
        assert_eq!(ascii("\"茶😀\""), r#""\u8336\ud83d\ude00""#);
    }
}
