//! The changes of the message that a common mistake makes.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};
use url::form_urlencoded;

use super::{
    convert,
    message::{Change, MessageParts, split},
    mistake::Mistake,
    spellings::spellings,
    targets,
};

/// Larger bodies are not serialised in other forms.
const MAX_JSON: usize = 256 << 10;

/// In seconds: the client read its clock twice.
const NEAR: RangeInclusive<i64> = -3..=3;

/// The part of the message that a mistake changes.
pub(super) enum Part {
    Method(String),
    /// The third and the fourth line.
    Stamp(String, String),
    Path(String),
    /// With its question mark.
    Query(String),
    /// Path and query.
    Target(String),
    Body(Vec<u8>),
    /// Between the lines, and after the last one.
    LineEnds(&'static str, &'static str),
    WithoutBodyLine,
    /// The whole message.
    Converted(fn(&[u8]) -> Vec<u8>),
}

impl Part {
    /// A bit for each part that it changes: two changes go together if they have none in common.
    pub(super) fn bits(&self) -> u8 {
        match self {
            Part::Method(_) => 0b1,
            Part::Stamp(..) => 0b10,
            Part::Path(_) => 0b100,
            Part::Query(_) => 0b1000,
            Part::Target(_) => 0b1100,
            Part::Body(_) => 0b1_0000,
            Part::LineEnds(..) => 0b10_0000,
            Part::WithoutBodyLine => 0b11_0000,
            Part::Converted(_) => 0b100_0000,
        }
    }
}

/// The methods of the platform.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Bodies of requests that have none.
const EMPTY_AS_JSON: [&str; 4] = ["{}", "null", "[]", "\"\""];

const LINE_ENDS: [(Mistake, &str, &str); 9] = [
    (Mistake::NoFinalNewline, "\n", ""),
    (Mistake::NewlinesAtTheEnd, "\n", "\n\n"),
    (Mistake::CrLf, "\r\n", "\r\n"),
    (Mistake::CrLf, "\r\n", ""),
    (Mistake::LiteralLineFeeds, "\\n", "\\n"),
    (Mistake::LiteralLineFeeds, "\\n", ""),
    (Mistake::LiteralLineFeeds, "\\n", "\n"),
    (Mistake::LiteralLineFeeds, "\\r\\n", "\\r\\n"),
    (Mistake::NoLineFeeds, "", ""),
];

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Of each mistake alone. The most common and the shortest first: the search has a limit.
pub(super) fn changes(parts: &MessageParts<'_>) -> Vec<Change> {
    let mut all = Vec::new();
    let mut add = |mistake, part| all.push(Change { mistake, part });
    for (mistake, between, last) in LINE_ENDS {
        add(mistake, Part::LineEnds(between, last));
    }
    if parts.body.is_empty() {
        add(Mistake::NoEmptyBodyLine, Part::WithoutBodyLine);
    } else {
        add(Mistake::NoBody, Part::Body(Vec::new()));
    }
    add(Mistake::LowerCaseMethod, Part::Method(parts.method.to_ascii_lowercase()));
    for method in METHODS.into_iter().filter(|method| *method != parts.method) {
        add(Mistake::OtherMethod, Part::Method(method.into()));
    }
    let stamp = |timestamp: &str, nonce: &str| Part::Stamp(timestamp.into(), nonce.into());
    add(Mistake::NonceBeforeTimestamp, stamp(parts.nonce, parts.timestamp));
    for nonce in [parts.nonce.to_ascii_lowercase(), parts.nonce.to_ascii_uppercase()] {
        if nonce != parts.nonce {
            add(Mistake::NonceCase, stamp(parts.timestamp, &nonce));
        }
    }
    if let Ok(time) = parts.timestamp.parse::<i64>() {
        for off in NEAR.filter(|off| *off != 0) {
            add(Mistake::WrongTimestamp, stamp(&time.saturating_add(off).to_string(), parts.nonce));
        }
        add(Mistake::Milliseconds, stamp(&format!("{time}000"), parts.nonce));
    }
    targets::add(parts, &mut add);
    for function in convert::of_charset(parts) {
        add(function.0, Part::Converted(function.1));
    }
    for function in convert::HASHES {
        add(Mistake::HashedTwice, Part::Converted(function));
    }
    for (mistake, body) in bodies(parts) {
        add(mistake, Part::Body(body));
    }
    all
}

/// Mistakes with many possible values: they are not combined with others.
pub(super) fn rare_changes(parts: &MessageParts<'_>) -> Vec<Change> {
    let time = parts.timestamp.parse::<i64>().unwrap_or_default();
    let milliseconds = (1..1000).map(|rest| Change {
        mistake: Mistake::Milliseconds,
        part: Part::Stamp(format!("{time}{rest:03}"), parts.nonce.into()),
    });
    let orders = targets::orders(parts.target)
        .into_iter()
        .map(|query| Change { mistake: Mistake::QueryOrder, part: Part::Query(query) });
    orders.chain(milliseconds).collect()
}

fn bodies(parts: &MessageParts<'_>) -> Vec<(Mistake, Vec<u8>)> {
    let body = parts.body;
    let mut all = Vec::new();
    if parts.raw_body != body {
        all.push((Mistake::WholeUploadBody, parts.raw_body.to_vec()));
    }
    match body.strip_prefix(BOM) {
        Some(bare) => all.push((Mistake::ByteOrderMark, bare.to_vec())),
        None => all.push((Mistake::ByteOrderMark, [BOM, body].concat())),
    }
    if body.is_empty() {
        all.extend(EMPTY_AS_JSON.map(|text| (Mistake::EmptyBodyAsJson, text.into())));
        all.extend(
            query_bodies(parts.target).into_iter().map(|text| (Mistake::QueryAsBody, text.into_bytes())),
        );
        return all;
    }
    for end in ["\n", "\r\n"] {
        all.push((Mistake::NewlineAfterBody, [body, end.as_bytes()].concat()));
    }
    if body.trim_ascii() != body {
        all.push((Mistake::NewlineAfterBody, body.trim_ascii().to_vec()));
        all.push((Mistake::NewlineAfterBody, body.trim_ascii_end().to_vec()));
    }
    let json = (body.len() <= MAX_JSON).then(|| serde_json::from_slice::<Value>(body).ok()).flatten();
    let Some(value) = json else { return all };
    let mut spelled = |mistake, value: &Value| {
        all.extend(spellings(value).into_iter().map(|text| (mistake, text.into_bytes())));
    };
    spelled(Mistake::ReserializedJson, &value);
    let mut sorted = value.clone();
    sorted.sort_all_objects();
    spelled(Mistake::ReserializedJson, &sorted);
    for mut without_nulls in [value.clone(), sorted] {
        if drop_nulls(&mut without_nulls) {
            spelled(Mistake::NullsLeftOut, &without_nulls);
        }
    }
    all.extend(form(&value).map(|text| (Mistake::FormBody, text.into_bytes())));
    all
}

/// The query as JSON, and as it is.
fn query_bodies(target: &str) -> Vec<String> {
    let (_, query) = split(target);
    let Some(query) = query.strip_prefix('?').filter(|query| !query.is_empty()) else { return Vec::new() };
    let pairs = form_urlencoded::parse(query.as_bytes());
    let object: Map<String, Value> =
        pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect();
    let mut all = spellings(&Value::Object(object));
    all.push(query.into());
    all
}

/// An object of texts and numbers as a form.
fn form(value: &Value) -> Option<String> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in value.as_object()? {
        match value {
            Value::String(text) => form.append_pair(name, text),
            Value::Number(_) | Value::Bool(_) => form.append_pair(name, &value.to_string()),
            _ => return None,
        };
    }
    Some(form.finish())
}

/// Removes members that are null, at any depth; whether there were any.
fn drop_nulls(value: &mut Value) -> bool {
    match value {
        Value::Object(map) => {
            let before = map.len();
            map.retain(|_, value| !value.is_null());
            let dropped = map.len() < before;
            map.values_mut().fold(dropped, |dropped, value| drop_nulls(value) || dropped)
        }
        Value::Array(list) => list.iter_mut().filter_map(|value| drop_nulls(value).then_some(())).count() > 0,
        _ => false,
    }
}
