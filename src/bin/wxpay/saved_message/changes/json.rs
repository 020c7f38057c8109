//! JSON that was parsed and serialised again, and blanks at the ends.

use serde_json::{Map, Value};

// The sandbox's own code, which is not public: both undo the same respellings.
#[path = "../../../../sandbox/auth/diagnosis/spellings.rs"]
mod spellings;

use spellings::spellings;

pub(super) const REORDERED: &str = "the JSON was parsed and serialised again, with its keys in another order";

/// The members of a notification in the platform's order (PROTOCOL, Notifications).
const ENVELOPE: [&str; 6] = ["id", "create_time", "resource_type", "event_type", "summary", "resource"];
const RESOURCE: [&str; 5] = ["original_type", "algorithm", "ciphertext", "associated_data", "nonce"];

/// Objects of more members have too many orders.
const MAX_MEMBERS: usize = 6;

/// Blanks at the ends, and JSON that was parsed and serialised again.
pub(super) fn respelt(body: &[u8], verifies: &impl Fn(&[u8]) -> bool) -> Option<String> {
    if let Some(change) = at_the_ends(body, verifies) {
        return Some(change.to_owned());
    }
    let value: Value = serde_json::from_slice(body.trim_ascii()).ok()?;
    let spelt = |value: &Value| spellings(value).iter().any(|text| verifies(text.as_bytes()));
    if spelt(&value) {
        return Some(format!("the JSON was parsed and serialised again{}", spelling_of(body)));
    }
    let mut alphabetic = value.clone();
    alphabetic.sort_all_objects();
    if spelt(&alphabetic) || spelt(&in_order(&value, &ENVELOPE, &RESOURCE)) {
        return Some(REORDERED.to_owned());
    }
    let without_null = without_null(&value);
    let nulls = without_null != value;
    (nulls && spelt(&without_null))
        .then(|| "the JSON was parsed and serialised again, with null in its missing fields".to_owned())
}

/// The ends of the body: what was added there, or removed.
fn at_the_ends(body: &[u8], verifies: &impl Fn(&[u8]) -> bool) -> Option<&'static str> {
    let with_line_break = body.ends_with(b"\n");
    let without_line_feed = body.strip_suffix(b"\n").unwrap_or(body);
    let without_zeros = body.len() - body.iter().rev().take_while(|byte| **byte == 0).count();
    for (kept, line_break, blank) in [
        (body.trim_ascii_end(), "a line break was added at the end", "a blank was added at the end"),
        (without_line_feed, "a line break was added at the end", ""),
        (body.trim_ascii_start(), "blanks were added in front", "a blank was added in front"),
        (body.trim_ascii(), "blanks were added at both ends", "blanks were added at both ends"),
        (body.get(..without_zeros)?, "", "zero bytes were added at the end"),
    ] {
        if kept != body && verifies(kept) {
            return Some(if with_line_break { line_break } else { blank });
        }
    }
    [&b"\n"[..], b"\r\n"]
        .iter()
        .any(|ending| verifies(&[body, ending].concat()))
        .then_some("the line break at its end was removed")
}

/// Whether some order of the members makes it the signed body: of the object's own and, for each of them, the usual ones
/// of its `resource`.
pub(super) fn reordered(body: &[u8], verifies: &impl Fn(&[u8]) -> bool) -> bool {
    let Ok(value @ Value::Object(_)) = serde_json::from_slice::<Value>(body.trim_ascii()) else {
        return false;
    };
    let names = |value: &Value| -> Vec<String> {
        value.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
    };
    let (outer, inner) = (names(&value), value.get("resource").map(names).unwrap_or_default());
    let (outer, inner) = (texts(&outer), texts(&inner));
    let signed =
        |outer: &[&str], inner: &[&str]| verifies(in_order(&value, outer, inner).to_string().as_bytes());
    let alphabetic = |names: &[&'_ str]| -> Vec<String> {
        let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        names.sort_unstable();
        names
    };
    let (outer_sorted, inner_sorted) = (alphabetic(&outer), alphabetic(&inner));
    let (outer_sorted, inner_sorted) = (texts(&outer_sorted), texts(&inner_sorted));
    let mut usual: Vec<&[&str]> = vec![&RESOURCE, &inner, &inner_sorted];
    usual.dedup();
    if outer.len() <= MAX_MEMBERS
        && permutation(&mut outer.clone(), 0, &|outer| usual.iter().any(|inner| signed(outer, inner)))
    {
        return true;
    }
    let mut usual: Vec<&[&str]> = vec![&ENVELOPE, &outer, &outer_sorted];
    usual.dedup();
    (2..=MAX_MEMBERS - 1).contains(&inner.len())
        && permutation(&mut inner.clone(), 0, &|inner| usual.iter().any(|outer| signed(outer, inner)))
}

fn texts(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// What shows in a body that is not the signed one.
pub(super) fn visible(body: &[u8]) -> Option<String> {
    let Ok(text) = std::str::from_utf8(body) else {
        return Some("it is not UTF-8".to_owned());
    };
    if text.contains('\u{fffd}') {
        return Some("some characters became U+FFFD, as in a conversion from another encoding".to_owned());
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) if has_question_marks(&value) => {
            Some("its Chinese characters became ?, as in a conversion to another encoding".to_owned())
        }
        Ok(value) if value.get("ciphertext").is_some() && value.get("nonce").is_some() => {
            Some("it is only the `resource` of a notification".to_owned())
        }
        Ok(_) => None,
        Err(error) if error.is_eof() => {
            Some(format!("it was cut: its JSON does not end within {} bytes", body.len()))
        }
        Err(_) if text.trim_start().starts_with('{') => Some("it is not valid JSON any more".to_owned()),
        Err(_) => Some("it is not JSON".to_owned()),
    }
}

/// Whether one of the texts has nothing but question marks.
fn has_question_marks(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() > 1 && text.bytes().all(|byte| byte == b'?'),
        Value::Array(list) => list.iter().any(has_question_marks),
        Value::Object(object) => object.values().any(has_question_marks),
        _ => false,
    }
}

/// What shows in the received text that it is another spelling.
fn spelling_of(body: &[u8]) -> &'static str {
    let has = |part: &[u8]| body.windows(part.len()).any(|window| window == part);
    match () {
        () if has(b"\n") => ", over several lines",
        () if has(b"\\u") => ", with \\u escapes",
        () if has(b"\\/") => ", with escaped slashes",
        () if has(b"\": ") || has(b"\", ") => ", with spaces",
        () => "",
    }
}

fn without_null(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name.clone(), without_null(value))).collect())
        }
        other => other.clone(),
    }
}

/// An object with its members in this order, and those of its resource in the other one.
fn in_order(value: &Value, outer: &[&str], inner: &[&str]) -> Value {
    let ordered = |object: &Map<String, Value>, order: &[&str]| {
        let known = order.iter().filter_map(|name| Some(((*name).to_owned(), object.get(*name)?.clone())));
        let others = object.iter().filter(|(name, _)| !order.contains(&name.as_str()));
        known.chain(others.map(|(name, value)| (name.clone(), value.clone()))).collect::<Map<_, _>>()
    };
    let Some(object) = value.as_object() else { return value.clone() };
    let mut object = ordered(object, outer);
    if let Some(Value::Object(resource)) = object.get_mut("resource") {
        *resource = ordered(resource, inner);
    }
    Value::Object(object)
}

/// Whether `found` holds for some order of the names from `from` on.
fn permutation<'n>(names: &mut Vec<&'n str>, from: usize, found: &impl Fn(&[&'n str]) -> bool) -> bool {
    if from == names.len() {
        return found(names);
    }
    for at in from..names.len() {
        names.swap(from, at);
        if permutation(names, from + 1, found) {
            return true;
        }
        names.swap(from, at);
    }
    false
}
