//! Changes of a body as a whole, undone: it was put into something, or converted.

use std::io::Read as _;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::{GBK, UTF_16BE, UTF_16LE, WINDOWS_1252};
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use serde_json::Value;

use super::MAX_BODY;

/// A change in words, and the body before it.
type Undone = (&'static str, Vec<u8>);

/// Each change that may have been made, and the body before it.
pub(super) fn changes(body: &[u8]) -> Vec<Undone> {
    let mut all: Vec<Undone> = Vec::new();
    let mut add = |what: &'static str, before: Option<Vec<u8>>| {
        all.extend(before.filter(|before| before != body && !before.is_empty()).map(|before| (what, before)));
    };
    add("a byte order mark (BOM) was put in front", body.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec));
    add("the headers were saved in front of it", without_head(body));
    add("the chunk sizes of HTTP were saved with it", without_chunks(body));
    add("it was saved compressed (gzip)", decompressed(body));
    add("it was converted from UTF-8 to UTF-16", from_utf16(body));
    let Ok(text) = std::str::from_utf8(body) else {
        let decoded = GBK.decode_without_bom_handling_and_without_replacement(body);
        add("it was converted from UTF-8 to GBK", decoded.map(|text| text.into_owned().into_bytes()));
        return all;
    };
    of_text(text, &mut add);
    all
}

fn of_text(text: &str, add: &mut impl FnMut(&'static str, Option<Vec<u8>>)) {
    let trimmed = text.trim();
    let replaced = |from: &str, to: &str| text.contains(from).then(|| text.replace(from, to).into_bytes());
    add("it was read as Latin-1, and written as UTF-8", latin1(text));
    let (gbk, _, failed) = GBK.encode(text);
    add("it was read as GBK, and written as UTF-8", (!failed).then(|| gbk.into_owned()));
    add("every + became a space, as in a form", replaced(" ", "+"));
    add("it was encoded in Base64", from_base64(trimmed));
    add("it was written in hex", from_hex(trimmed));
    let string = serde_json::from_str::<String>(trimmed).ok();
    add("it was quoted as a JSON string", string.map(String::into_bytes));
    let doubled = trimmed.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let doubled = doubled.filter(|inner| inner.contains("\"\""));
    add("its quotes were doubled, as in CSV", doubled.map(|inner| inner.replace("\"\"", "\"").into_bytes()));
    let bytes = trimmed.strip_prefix("b'").and_then(|rest| rest.strip_suffix('\''));
    add("it was printed as Python's bytes", bytes.map(|inner| escapes(inner, true)));
    let dictionary = trimmed.starts_with("{'").then(|| text.replace('\'', "\"").into_bytes());
    add("it was printed as a dictionary of Python", dictionary);
    add("it was escaped as \\xHH, as a log does", text.contains("\\x").then(|| escapes(text, false)));
    add("its quotes were escaped with a backslash", replaced("\\\"", "\""));
    add(
        "its quotes became typographic ones, as in a chat",
        text.contains(['“', '”']).then(|| text.replace(['“', '”'], "\"").into_bytes()),
    );
    let html = ["&quot;", "&#34;", "&#034;", "&#x22;"].iter().any(|entity| text.contains(entity));
    add("its quotes were escaped as &quot;, as in HTML", html.then(|| without_entities(text)));
    let percent = trimmed.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%7b"));
    // A form that has no name for it ends it with `=`.
    let name = trimmed.strip_suffix('=').unwrap_or(trimmed);
    add("it was percent-encoded", percent.then(|| url_decoded(name)).flatten());
    let field =
        trimmed.split_once('=').filter(|(name, _)| !name.is_empty() && !name.contains(['{', '"', ' ', '%']));
    add("it was sent on as a form field", field.and_then(|(_, value)| url_decoded(value)));
    // One of several; a value that was not encoded may have `&` in it, as above.
    let mut fields = trimmed.split('&').filter_map(|field| field.split_once('='));
    let another = fields.find_map(|(_, value)| url_decoded(value)).filter(|_| !trimmed.starts_with('{'));
    add("it was sent on as a form field", another);
    add("it was sent on as a part of a form", from_multipart(text));
    add("its line ends became CR LF", replaced("\r\n", "\n"));
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned();
    add("its characters were decomposed (Unicode NFD)", Some(composed.into_bytes()));
    let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(text).into_owned();
    add("its characters were composed (Unicode NFC)", Some(decomposed.into_bytes()));
    for (what, before) in inside(trimmed) {
        add(what, Some(before));
    }
}

/// What a JSON object holds that may be the body.
fn inside(text: &str) -> Vec<Undone> {
    let Ok(Value::Object(object)) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let mut all = Vec::new();
    // The body became the name of a form's only field, up to its first `=`.
    if let Some((name, Value::String(rest))) = object.iter().next().filter(|_| object.len() == 1)
        && name.starts_with('{')
    {
        let whole = if rest.is_empty() { name.clone() } else { format!("{name}={rest}") };
        all.push(("it was parsed as a form", whole.into_bytes()));
    }
    for value in object.values() {
        let before = match value {
            Value::String(text) if text.trim_start().starts_with('{') => text.clone().into_bytes(),
            Value::String(text) => match from_base64(text) {
                Some(before) if before.starts_with(b"{") => before,
                _ => continue,
            },
            Value::Object(inner) if inner.contains_key("event_type") => value.to_string().into_bytes(),
            _ => continue,
        };
        all.push(("it is a member of another JSON object", before));
    }
    all
}

/// The part of a multipart form that is an object.
fn from_multipart(text: &str) -> Option<Vec<u8>> {
    // `--` and the boundary.
    let begin = text.lines().next().filter(|line| line.starts_with("--"))?;
    let mut parts = text.split(begin);
    parts.find_map(|part| {
        let (_, content) = part.split_once("\r\n\r\n").or_else(|| part.split_once("\n\n"))?;
        let content = content.strip_suffix("\r\n").or_else(|| content.strip_suffix('\n'))?;
        content.starts_with('{').then(|| content.as_bytes().to_vec())
    })
}

/// Without the first line and the headers of HTTP.
fn without_head(body: &[u8]) -> Option<Vec<u8>> {
    let first = body.split(|byte| *byte == b'\n').next()?;
    let first = std::str::from_utf8(first).ok()?.trim_end();
    if !first.starts_with("HTTP/") && !first.contains(" HTTP/") {
        return None;
    }
    let after =
        |end: &[u8]| body.windows(end.len()).position(|window| window == end).map(|at| at + end.len());
    let start = after(b"\r\n\r\n").or_else(|| after(b"\n\n"))?;
    body.get(start..).map(<[u8]>::to_vec)
}

/// The chunks of `Transfer-Encoding: chunked`, joined.
fn without_chunks(body: &[u8]) -> Option<Vec<u8>> {
    let (mut rest, mut whole) = (body, Vec::new());
    loop {
        let end = rest.iter().take(18).position(|byte| *byte == b'\n')?;
        let size = std::str::from_utf8(rest.get(..end)?).ok()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        rest = rest.get(end + 1..)?;
        if size == 0 {
            return Some(whole);
        }
        whole.extend(rest.get(..size)?);
        rest = rest.get(size..)?;
        rest = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n"))?;
    }
}

fn decompressed(body: &[u8]) -> Option<Vec<u8>> {
    if !body.starts_with(b"\x1f\x8b") {
        return None;
    }
    let mut plain = Vec::new();
    let limit = u64::try_from(MAX_BODY).unwrap_or(u64::MAX);
    flate2::read::GzDecoder::new(body).take(limit).read_to_end(&mut plain).ok()?;
    Some(plain)
}

/// With a byte order mark, or without one: JSON begins with an ASCII character.
fn from_utf16(body: &[u8]) -> Option<Vec<u8>> {
    let (encoding, bytes) = match body {
        [0xff, 0xfe, rest @ ..] => (UTF_16LE, rest),
        [0xfe, 0xff, rest @ ..] => (UTF_16BE, rest),
        [1..=255, 0, ..] => (UTF_16LE, body),
        [0, 1..=255, ..] => (UTF_16BE, body),
        _ => return None,
    };
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
    Some(text.into_owned().into_bytes())
}

/// The bytes of a text whose characters are all below U+0100.
fn latin1(text: &str) -> Option<Vec<u8>> {
    if text.is_ascii() {
        return None;
    }
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    // Windows' Latin-1 has other characters in a part of it.
    bytes.or_else(|| {
        let (bytes, _, failed) = WINDOWS_1252.encode(text);
        (!failed).then(|| bytes.into_owned())
    })
}

/// Base64 of either alphabet, with or without padding and line breaks.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    const ENGINE: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
    let compact = |c: char| match c {
        '-' => Some('+'),
        '_' => Some('/'),
        c if c.is_ascii_whitespace() => None,
        c => Some(c),
    };
    ENGINE.decode(text.chars().filter_map(compact).collect::<String>()).ok()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_prefix("0x").unwrap_or(text);
    if text.len() % 2 == 1 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    text.as_bytes().chunks(2).map(pair).collect()
}

/// `\x22` as nginx and Apache write it into a log; and the other escapes of Python's bytes.
fn escapes(text: &str, python: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.strip_prefix(b"x").filter(|_| *first == b'\\').and_then(|tail| tail.get(..2));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let (byte, length) = match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => (byte, 4),
            None => match rest {
                [b'\\', escaped @ (b'\\' | b'\'' | b'"'), ..] if python => (*escaped, 2),
                [b'\\', b'n', ..] if python => (b'\n', 2),
                [b'\\', b'r', ..] if python => (b'\r', 2),
                [b'\\', b't', ..] if python => (b'\t', 2),
                _ => (*first, 1),
            },
        };
        bytes.push(byte);
        rest = rest.get(length..).unwrap_or_default();
    }
    bytes
}

fn without_entities(text: &str) -> Vec<u8> {
    let entities = [
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#034;", "\""),
        ("&#x22;", "\""),
        ("&#39;", "'"),
        ("&#x2F;", "/"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    entities
        .iter()
        .fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
        .into_bytes()
}

fn url_decoded(value: &str) -> Option<Vec<u8>> {
    let decoded = url::form_urlencoded::parse(format!("x={}", value.replace('&', "%26")).as_bytes())
        .next()?
        .1
        .into_owned();
    decoded.trim_start().starts_with('{').then(|| decoded.into_bytes())
}
