//! How a body was changed after it was signed: usual changes are undone, until the signature is valid.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

// The sandbox's own code, which is not public: both undo the same respellings.
#[path = "../../../sandbox/auth/diagnosis/spellings.rs"]
mod spellings;

use spellings::spellings;

/// Longer bodies are not searched: each attempt hashes the body.
const MAX_BODY: usize = 256 << 10;

/// The members of a notification in the platform's order (PROTOCOL, Notifications).
const ENVELOPE: [&str; 6] = ["id", "create_time", "resource_type", "event_type", "summary", "resource"];
const RESOURCE: [&str; 5] = ["original_type", "algorithm", "ciphertext", "associated_data", "nonce"];

/// What was done to the body, worded as a hint; `verifies` says whether a body is the signed one.
pub(super) fn find(body: &[u8], verifies: impl Fn(&[u8]) -> bool) -> Option<String> {
    if body.is_empty() {
        return Some(if verifies(b"{}") {
            "save the body as it is received: the signed body is `{}`, this one is empty".to_owned()
        } else {
            "save the body as it is received: this one is empty (0 bytes)".to_owned()
        });
    }
    if body.len() > MAX_BODY {
        return None;
    }
    let forms = unwrapped(body);
    for (what, form) in &forms {
        let found = |more: &str| {
            let what = match (what.is_empty(), more.is_empty()) {
                (true, _) => more.to_owned(),
                (false, true) => (*what).to_owned(),
                (false, false) => format!("{what}, and {more}"),
            };
            format!("use the body byte for byte as received: {what}; without that, the signature is valid")
        };
        if !what.is_empty() && verifies(form) {
            return Some(found(""));
        }
        if let Some(change) = respelt(form, &verifies) {
            return Some(found(&change));
        }
    }
    // The signature is not valid either way, but this is certainly not what the platform sends.
    let (what, _) =
        forms.iter().find(|(what, form)| !what.is_empty() && is_object(form) && !is_object(body))?;
    Some(format!("use the body byte for byte as received: {what}"))
}

fn is_object(text: &[u8]) -> bool {
    serde_json::from_slice::<Value>(text).is_ok_and(|value| value.is_object())
}

type Form = (&'static str, Vec<u8>);

/// The body itself, and what it contains if it was wrapped or converted as a whole.
fn unwrapped(body: &[u8]) -> Vec<Form> {
    let mut forms: Vec<Form> = vec![("", body.to_vec())];
    let mut add = |what: &'static str, form: Option<Vec<u8>>| {
        forms.extend(form.filter(|form| form != body).map(|form| (what, form)))
    };
    add("a byte order mark (BOM) was put in front", body.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec));
    let Ok(text) = std::str::from_utf8(body) else {
        let decoded = encoding_rs::GBK.decode_without_bom_handling_and_without_replacement(body);
        add("it was converted from UTF-8 to GBK", decoded.map(|text| text.into_owned().into_bytes()));
        let utf16 = match body {
            [0xff, 0xfe, rest @ ..] => Some(encoding_rs::UTF_16LE.decode(rest).0),
            [0xfe, 0xff, rest @ ..] => Some(encoding_rs::UTF_16BE.decode(rest).0),
            _ => None,
        };
        add("it was converted from UTF-8 to UTF-16", utf16.map(|text| text.into_owned().into_bytes()));
        return forms;
    };
    let trimmed = text.trim();
    add("it was read as Latin-1, and written as UTF-8", latin1(text));
    let (gbk, _, failed) = encoding_rs::GBK.encode(text);
    add("it was read as GBK, and written as UTF-8", (!failed).then(|| gbk.into_owned()));
    add(
        "every + became a space, as in a form",
        text.contains(' ').then(|| text.replace(' ', "+").into_bytes()),
    );
    add("it was encoded in Base64", STANDARD.decode(trimmed).ok());
    add(
        "it was quoted as a JSON string",
        serde_json::from_str::<String>(trimmed).ok().map(String::into_bytes),
    );
    add("it was escaped as \\xHH, as a log does", hex_escapes(text));
    add(
        "its quotes were escaped with a backslash",
        text.contains("\\\"").then(|| text.replace("\\\"", "\"").into_bytes()),
    );
    add("its quotes were escaped as &quot;, as in HTML", text.contains("&quot;").then(|| html(text)));
    let decoded = |value: &str| url_decoded(value);
    add("it was percent-encoded", text.starts_with("%7B").then(|| decoded(trimmed)).flatten());
    let field =
        trimmed.split_once('=').filter(|(name, _)| !name.is_empty() && !name.contains(['{', '"', ' ']));
    add("it was sent on as a form field", field.and_then(|(_, value)| decoded(value)));
    add("its line ends became CR LF", text.contains("\r\n").then(|| text.replace("\r\n", "\n").into_bytes()));
    forms
}

/// The bytes of a text whose characters are all below U+0100.
fn latin1(text: &str) -> Option<Vec<u8>> {
    if text.is_ascii() {
        return None;
    }
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    // Windows' Latin-1 has other characters in a part of it.
    bytes.or_else(|| {
        let (bytes, _, failed) = encoding_rs::WINDOWS_1252.encode(text);
        (!failed).then(|| bytes.into_owned())
    })
}

/// `\x22` as nginx and Apache write it into a log.
fn hex_escapes(text: &str) -> Option<Vec<u8>> {
    if !text.contains("\\x") {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.strip_prefix(b"x").filter(|_| *first == b'\\').and_then(|tail| tail.get(..2));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[3..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    Some(bytes)
}

fn html(text: &str) -> Vec<u8> {
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").into_bytes()
}

fn url_decoded(value: &str) -> Option<Vec<u8>> {
    let decoded = url::form_urlencoded::parse(format!("x={}", value.replace('&', "%26")).as_bytes())
        .next()?
        .1
        .into_owned();
    decoded.trim_start().starts_with('{').then(|| decoded.into_bytes())
}

/// Blanks at the ends, and JSON that was parsed and serialised again.
fn respelt(body: &[u8], verifies: &impl Fn(&[u8]) -> bool) -> Option<String> {
    let trimmed = body.trim_ascii();
    let without_line_feed = body.strip_suffix(b"\n").unwrap_or(body);
    for (kept, place) in [
        (body.trim_ascii_end(), "at the end"),
        (without_line_feed, "at the end"),
        (body.trim_ascii_start(), "in front"),
        (trimmed, "at both ends"),
    ] {
        if kept != body && verifies(kept) {
            return Some(match body.ends_with(b"\n") {
                true => format!("a line break was added {place}"),
                false => format!("a blank was added {place}"),
            });
        }
    }
    for ending in [&b"\n"[..], b"\r\n"] {
        if verifies(&[body, ending].concat()) {
            return Some("the line break at its end was removed".to_owned());
        }
    }
    let value: Value = serde_json::from_slice(trimmed).ok()?;
    let spelt = |value: &Value| spellings(value).iter().any(|text| verifies(text.as_bytes()));
    if spelt(&value) {
        return Some(format!("the JSON was parsed and serialised again{}", spelling_of(body)));
    }
    let sorted = "the JSON was parsed and serialised again, with its keys in another order";
    let mut alphabetic = value.clone();
    alphabetic.sort_all_objects();
    if spelt(&alphabetic) || spelt(&in_order(&value, &ENVELOPE)) {
        return Some(sorted.to_owned());
    }
    let compact = |order: &[&str]| verifies(in_order(&value, order).to_string().as_bytes());
    permutation(&mut ENVELOPE.to_vec(), 0, &compact).then(|| sorted.to_owned())
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

/// A notification with its members in this order, and those of its resource in the platform's.
fn in_order(value: &Value, order: &[&str]) -> Value {
    let ordered = |object: &Map<String, Value>, order: &[&str]| {
        let known = order.iter().filter_map(|name| Some(((*name).to_owned(), object.get(*name)?.clone())));
        let others = object.iter().filter(|(name, _)| !order.contains(&name.as_str()));
        known.chain(others.map(|(name, value)| (name.clone(), value.clone()))).collect::<Map<_, _>>()
    };
    let Some(object) = value.as_object() else { return value.clone() };
    let mut object = ordered(object, order);
    if let Some(Value::Object(resource)) = object.get_mut("resource") {
        *resource = ordered(resource, &RESOURCE);
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
