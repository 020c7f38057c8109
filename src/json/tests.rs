//! Half characters, judged by a decoder of UTF-16 that is written here from RFC 8259, section 7.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::error::json_reason;

fn parse(text: &str) -> Result<Value, Error> {
    from_slice(text.as_bytes())
}

#[test]
fn a_half_character_costs_only_itself() {
    for (text, expected) in [
        (r#"{"a":"\ud83d","b":1}"#, json!({"a": "\u{fffd}", "b": 1})),
        (r#"{"a":"x\uD83Dy"}"#, json!({"a": "x\u{fffd}y"})),
        (r#"["\uD83D\uD83D"]"#, json!(["\u{fffd}\u{fffd}"])),
        (r#"["\uD83D\uD83D\uDE00"]"#, json!(["\u{fffd}😀"])),
        (r#"["\uDE00\uD83D"]"#, json!(["\u{fffd}\u{fffd}"])),
        (r#"["\uD83D\n"]"#, json!(["\u{fffd}\n"])),
        (r#"["\uD83D\\uDE00"]"#, json!(["\u{fffd}\\uDE00"])),
        (r#"["\\ud83d"]"#, json!(["\\ud83d"])),
        (r#"["\\\ud83d"]"#, json!(["\\\u{fffd}"])),
        (
            r#"{"\ud83d":{"k\udc00":[{"x":"\udbff"}]}}"#,
            json!({"\u{fffd}": {"k\u{fffd}": [{"x": "\u{fffd}"}]}}),
        ),
        (r#""\ud83d""#, json!("\u{fffd}")),
        (r#"["\ud83d\ude00 whole"]"#, json!(["😀 whole"])),
        ("\u{feff}{\"a\":1}", json!({"a": 1})), // RFC 8259, section 8.1: a parser may ignore the mark
    ] {
        assert_eq!(parse(text).unwrap(), expected, "{text}");
        check(text.as_bytes()).unwrap();
    }
    // Half of the bytes of a character: of an emoji (cut), of a surrogate written as UTF-8 (Java's), of GBK.
    for bytes in [&b"[\"a\xF0\x9F\"]"[..], b"[\"a\xED\xA0\xBD\"]", b"[\"a\xB2\xE8\"]"] {
        let value: Value = from_slice(bytes).unwrap();
        assert!(value[0].as_str().unwrap().starts_with("a\u{fffd}"), "{value}");
        check(bytes).unwrap();
    }
}

#[test]
fn a_type_of_ones_own_gets_the_same() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Complaint {
        detail: String,
        #[serde(default)]
        id: u8,
    }
    let complaint: Complaint = from_slice(br#"{"detail":"\ud83d!","id":7,"more":"\udfff"}"#).unwrap();
    assert_eq!(complaint, Complaint { detail: "\u{fffd}!".to_owned(), id: 7 });
    let error = from_slice::<Complaint>(br#"{"detail":"\ud83d!","id":"SECRET"}"#).unwrap_err();
    assert_eq!(json_reason(&error), "line 1, column 33: invalid type: expected u8");
    let error = from_slice::<Complaint>(br#"{"id":7,"more":"\ud83d"}"#).unwrap_err();
    assert_eq!(json_reason(&error), "line 1, column 24: missing field `detail`");
    // Only the type's own words: a value that looks like the end of the message does not get into it.
    let error = serde_json::from_value::<u8>(json!("a, expected SECRET")).unwrap_err();
    assert_eq!(json_reason(&error), "invalid type: expected u8");
}

#[test]
fn other_broken_json_is_refused() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for text in [
        "",
        " ",
        r#"{"a":"\ud83d"#,
        r#"{"a":"\ud83"}"#,
        r#"{"a":"\ud83d",}"#,
        r#"{"a":\ud83d}"#,
        r#"{"a":"\x41"}"#,
        r#"{"a":1}{"#,
        r#"{"a":1} x"#,
        "{'a':1}",
        "{\"a\":\"line\nbreak\"}",
        "NaN",
        "[1,]",
        "[01]",
        "<html>",
        "\u{feff}{}x",
        "\u{feff}",
        "\u{feff}\u{feff}{}",
        &deep(100_000),
    ] {
        assert!(parse(text).is_err(), "{text:.40}");
        assert!(check(text.as_bytes()).is_err(), "{text:.40}");
    }
    assert!(parse(&deep(100)).is_ok() && check(deep(100).as_bytes()).is_ok());
    assert_eq!(json_reason(&parse("{\"a\":").unwrap_err()), "line 1, column 5: it ends too early");
    assert_eq!(json_reason(&parse(&deep(200)).unwrap_err()), "line 1, column 128: it is nested too deeply");
    assert_eq!(json_reason(&parse("{\"a\" 1}").unwrap_err()), "line 1, column 6: expected `:` after a name");
}

/// One escape or character of a string, and the UTF-16 units that it stands for.
fn piece() -> impl Strategy<Value = (String, Vec<u16>)> {
    let unit = |unit: u16| (format!("\\u{unit:04x}"), vec![unit]);
    prop_oneof![
        (0xD800u16..=0xDFFF).prop_map(unit),
        any::<u16>().prop_map(unit),
        Just((r"\\".to_owned(), vec![u16::from(b'\\')])),
        Just((r"\\u".to_owned(), vec![u16::from(b'\\'), u16::from(b'u')])),
        Just(("d83d".to_owned(), "d83d".encode_utf16().collect())),
        Just((r#"\""#.to_owned(), vec![u16::from(b'"')])),
        Just(("😀".to_owned(), "😀".encode_utf16().collect())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn strings_decode_as_utf16_does(pieces in proptest::collection::vec(piece(), 0..12)) {
        let text: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
        // A surrogate escape and a character of the text never form a pair: only two escapes do.
        let mut expected = String::new();
        let mut units = Vec::new();
        let mut flush = |units: &mut Vec<u16>| {
            let decoded = char::decode_utf16(units.drain(..));
            expected.extend(decoded.map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
        };
        for (text, of_piece) in &pieces {
            if !text.starts_with("\\u") {
                flush(&mut units);
            }
            units.extend(of_piece);
        }
        flush(&mut units);
        let document = format!("{{\"{text}\":[\"{text}\"]}}");
        let value = parse(&document).unwrap();
        prop_assert_eq!(&value, &json!({&expected: [&expected]}), "{}", document);
        prop_assert!(check(document.as_bytes()).is_ok());
    }

    #[test]
    fn what_is_checked_can_be_parsed(bytes in proptest::collection::vec(prop_oneof![
        Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b'"'), Just(b':'), Just(b','), Just(b'\\'), Just(b'u'),
        Just(b'd'), Just(b'8'), Just(b'1'), Just(b'e'), Just(b'-'), Just(b' '), any::<u8>(),
    ], 0..24)) {
        prop_assert_eq!(check(&bytes).is_ok(), from_slice::<Value>(&bytes).is_ok());
    }
}
