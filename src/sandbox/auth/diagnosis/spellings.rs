use serde::Serialize;
use serde_json::{Value, ser::PrettyFormatter};

/// The same JSON as the libraries of several languages write it.
pub(super) fn spellings(value: &Value) -> Vec<String> {
    let compact = value.to_string();
    let ascii = ascii(&compact);
    let mut all = vec![compact.replace('/', "\\/"), ascii.replace('/', "\\/"), spaced(&ascii)];
    all.push(spaced(&compact));
    // Go keeps these out of HTML.
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

/// Without a character beyond ASCII.
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

/// With a space after each comma and colon that is not within a text.
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
    fn texts_are_left_alone_where_spaces_are_added() {
        assert_eq!(spaced(r#"{"a:,":[1,"\",:"]}"#), r#"{"a:,": [1, "\",:"]}"#);
        assert_eq!(spaced(r#"["\\",1]"#), r#"["\\", 1]"#);
    }

    #[test]
    fn beyond_the_first_plane_there_are_two_escapes() {
        assert_eq!(ascii("\"茶😀\""), r#""\u8336\ud83d\ude00""#);
    }
}
