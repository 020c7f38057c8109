//! Queries: PHP's arrays, percent-encoded.

use std::borrow::Cow;

use serde_json::Value;

use super::{MAX_LENGTH, decode, encode, is_hex, is_pchar, scalar};
use crate::error::kind_of;

/// As deep as a JSON text can be.
const MAX_DEPTH: usize = 128;

/// Appends a query value to `query`: strings as they are, arrays as `a[0]=`, null left out, space as `%20`.
///
/// # Errors
/// The type of `value`, if it is neither an object nor a string, or what is wrong with it.
pub(crate) fn append_query(query: &mut String, value: &Value) -> Result<(), &'static str> {
    match value {
        Value::Null => {}
        Value::Object(map) => {
            for (key, value) in map {
                append_pair(query, &mut encode(key).to_string(), value, 0)?;
            }
        }
        Value::String(raw) => {
            separate(query);
            append_raw(query, raw);
        }
        other => return Err(kind_of(other)),
    }
    Ok(())
}

/// `query` with other values: `change` is given each name, decoded, and its value, `None` if that is not UTF-8. A pair for
/// which it returns `None` stays byte for byte.
pub(crate) fn map_query<E>(
    query: &str,
    mut change: impl FnMut(&str, Option<&str>) -> Result<Option<String>, E>,
) -> Result<String, E> {
    let mut mapped = String::with_capacity(query.len());
    for (at, pair) in query.split('&').enumerate() {
        if at > 0 {
            mapped.push('&');
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match change(&decode(name).unwrap_or(Cow::Borrowed(name)), decode(value).as_deref())? {
            Some(value) => {
                mapped.push_str(name);
                mapped.push('=');
                mapped.extend(encode(&value));
            }
            None => mapped.push_str(pair),
        }
    }
    Ok(mapped)
}

fn append_pair(
    query: &mut String,
    key: &mut String,
    value: &Value,
    depth: usize,
) -> Result<(), &'static str> {
    if depth > MAX_DEPTH {
        return Err("an object that is nested too deep");
    }
    let mut nested = |query: &mut String, index: &str, value: &Value| {
        let length = key.len();
        key.push_str("%5B");
        key.extend(encode(index));
        key.push_str("%5D");
        let result = append_pair(query, key, value, depth + 1);
        key.truncate(length);
        result
    };
    match value {
        Value::Null => {}
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                nested(query, &at.to_string(), item)?;
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                nested(query, name, item)?;
            }
        }
        leaf => {
            if query.len() + key.len() > MAX_LENGTH {
                return Err("an object that is too long for a URL");
            }
            separate(query);
            query.push_str(key);
            query.push('=');
            query.extend(encode(&scalar(leaf)));
        }
    }
    Ok(())
}

fn separate(query: &mut String) {
    if !query.is_empty() {
        query.push('&');
    }
}

/// A query given as text keeps its legal characters; the others are encoded, as in Guzzle.
fn append_raw(query: &mut String, raw: &str) {
    let bytes = raw.as_bytes();
    for (at, character) in raw.char_indices() {
        let legal = match character {
            '%' => is_hex(bytes.get(at + 1)) && is_hex(bytes.get(at + 2)),
            '/' | '?' => true,
            _ => character.is_ascii() && is_pchar(character as u8),
        };
        if legal {
            query.push(character);
        } else {
            query.extend(encode(character.encode_utf8(&mut [0; 4])));
        }
    }
}
