//! The documented values that fit an event: the refund of `REFUND.CLOSED` is `CLOSED`.

use serde_json::{Map, Value, json};

use crate::catalogue::{Field, FieldType, Fields};

/// Words of an event, and the words of a value that say the same.
const SAME: &[(&str, &[&str])] = &[
    ("FINISHED", &["SUCCESS"]),
    ("CONFIRMED", &["TAKING"]),
    ("SIGN", &["EFFECTIVE"]),
    ("PAID", &["SUCCESS"]),
    ("FAILED", &["FAIL"]),
    ("RECEIVED", &["SUCCESS"]),
];

/// Words of two that have as many letters in common at their beginning are forms of one word: `SIGN`, `SIGNED`.
const STEM: usize = 4;

/// An object with the values that the event's last part names; other fields are left to the shape.
pub(super) fn values(event: &str, fields: Fields) -> Value {
    let last = event.rsplit('.').next().unwrap_or(event);
    object(&last.split('_').collect::<Vec<_>>(), fields)
}

fn object(words: &[&str], fields: Fields) -> Value {
    let mut object = Map::new();
    for field in fields.iter() {
        let value = match field.field_type() {
            FieldType::Object => {
                Some(self::object(words, field.fields())).filter(|inner| inner != &json!({}))
            }
            FieldType::String => value(words, field).map(Value::from),
            _ => None,
        };
        if let Some(value) = value {
            object.insert(field.name().to_owned(), if field.is_list() { json!([value]) } else { value });
        }
    }
    object.into()
}

/// The value with the most of the event's words, the first of equal ones.
fn value(words: &[&str], field: Field) -> Option<&'static str> {
    let fits = |value: &&'static str| {
        let parts: Vec<_> = value.split('_').collect();
        let exact = words.iter().filter(|word| parts.contains(word)).count();
        let alike = words.iter().filter(|word| parts.iter().any(|part| is_same(word, part))).count();
        (alike, exact)
    };
    let mut best: Option<(&'static str, (usize, usize))> = None;
    for value in field.values() {
        let fit = fits(&value);
        if fit.0 > 0 && best.is_none_or(|(_, other)| fit > other) {
            best = Some((value, fit));
        }
    }
    best.map(|(value, _)| value)
}

fn is_same(word: &str, part: &str) -> bool {
    let common = word.bytes().zip(part.bytes()).take_while(|(a, b)| a == b).count();
    let is_form = common >= STEM && (common == word.len() || common == part.len() || common > STEM);
    is_form || SAME.iter().any(|(known, same)| *known == word && same.contains(&part))
}
