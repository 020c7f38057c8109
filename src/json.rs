//! JSON of the platform. Half of a character in it costs that character, never the whole text.
//!
//! A text that was cut between the halves of an emoji is sent as `"\ud83d"` (or with half of its bytes). Strict parsers
//! refuse the whole document for it. Here U+FFFD replaces the half, as browsers and Node do, and a byte order mark is
//! skipped. All other broken JSON is refused.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::Error;
use serde_json::error::Category;

/// Parses JSON; U+FFFD replaces half characters. The depth is limited to 128, as in serde_json.
pub(crate) fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    match serde_json::from_slice(bytes) {
        Err(error) if error.classify() != Category::Data || std::str::from_utf8(bytes).is_err() => {
            match repaired(bytes) {
                Some(repaired) => serde_json::from_slice(&repaired),
                None => Err(error),
            }
        }
        result => result,
    }
}

/// Whether [`from_slice`] can parse `bytes`; keeps nothing of them in memory.
pub(crate) fn check(bytes: &[u8]) -> Result<(), Error> {
    from_slice::<Checked>(bytes).map(|_| ())
}

/// `bytes` with U+FFFD instead of half characters, without a byte order mark; `None` if there are none.
pub(crate) fn repaired(bytes: &[u8]) -> Option<Vec<u8>> {
    let without_mark = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = String::from_utf8_lossy(without_mark);
    let halves = half_escapes(text.as_bytes());
    if halves.is_empty() && matches!(text, Cow::Borrowed(_)) && without_mark.len() == bytes.len() {
        return None;
    }
    let mut repaired = text.into_owned().into_bytes();
    for at in halves {
        if let Some(escape) = repaired.get_mut(at..at + ESCAPE) {
            escape.copy_from_slice(br"\uFFFD");
        }
    }
    Some(repaired)
}

/// The length of `\uXXXX`.
const ESCAPE: usize = 6;

/// Where the escapes of single surrogates are: a backslash occurs in strings only, or the text is broken anyway.
fn half_escapes(text: &[u8]) -> Vec<usize> {
    let (mut halves, mut at) = (Vec::new(), 0);
    while let Some(skipped) = text.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\\')) {
        at += skipped;
        at += match surrogate(text, at) {
            Some(Surrogate::High) if surrogate(text, at + ESCAPE) == Some(Surrogate::Low) => 2 * ESCAPE,
            Some(_) => {
                halves.push(at);
                ESCAPE
            }
            // The backslash and the character that it escapes, which may be a backslash.
            None => 2,
        };
    }
    halves
}

#[derive(PartialEq, Eq)]
enum Surrogate {
    High,
    Low,
}

/// The surrogate whose escape begins at `at`.
fn surrogate(text: &[u8], at: usize) -> Option<Surrogate> {
    let digits = text.get(at..at + ESCAPE)?.strip_prefix(br"\u")?;
    let digits = std::str::from_utf8(digits).ok()?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xD800..=0xDBFF => Some(Surrogate::High),
        0xDC00..=0xDFFF => Some(Surrogate::Low),
        _ => None,
    }
}

/// Any JSON value, parsed completely and dropped. (serde's `IgnoredAny` checks neither depth nor escapes.)
struct Checked;

impl<'de> Deserialize<'de> for Checked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Checked, D::Error> {
        deserializer.deserialize_any(CheckedVisitor)
    }
}

struct CheckedVisitor;

impl<'de> Visitor<'de> for CheckedVisitor {
    type Value = Checked;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Checked, E> {
        Ok(Checked)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Checked, A::Error> {
        while items.next_element::<Checked>()?.is_some() {}
        Ok(Checked)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Checked, A::Error> {
        while fields.next_entry::<Checked, Checked>()?.is_some() {}
        Ok(Checked)
    }
}

#[cfg(test)]
mod tests;
