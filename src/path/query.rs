//! Queries: PHP's arrays, percent-encoded.

use std::borrow::Cow;

use serde_json::Value;

use super::{MAX_LENGTH, decode, encode, is_hex, is_pchar, scalar};
use crate::error::kind_of;

/// As deep as a JSON text can be.
const MAX_DEPTH: usize = 128;

/// Parameters as text, and those that were given but have no value.
#[derive(Default)]
pub(crate) struct Query {
    pub(crate) text: String,
    /// Their names, encoded and separated by `&`; no more of them than fit into a URL.
    left_out: String,
}

impl Query {
    /// Appends a value: strings as they are, arrays as `a[0]=`, null left out, space as `%20`.
    ///
    /// # Errors
    /// The type of `value`, if it is neither an object nor a string, or what is wrong with it.
    pub(crate) fn append(&mut self, value: &Value) -> Result<(), &'static str> {
        match value {
            Value::Null => {}
            Value::Object(map) => {
                for (key, value) in map {
                    self.append_pair(&mut encode(key).to_string(), value, 0)?;
                }
            }
            Value::String(raw) => {
                separate(&mut self.text);
                append_raw(&mut self.text, raw);
            }
            other => return Err(kind_of(other)),
        }
        Ok(())
    }

    fn append_pair(&mut self, key: &mut String, value: &Value, depth: usize) -> Result<(), &'static str> {
        if depth > MAX_DEPTH {
            return Err("an object that is nested too deep");
        }
        let mut nested = |index: &str, value: &Value| {
            let length = key.len();
            key.push_str("%5B");
            key.extend(encode(index));
            key.push_str("%5D");
            let result = self.append_pair(key, value, depth + 1);
            key.truncate(length);
            result
        };
        match value {
            Value::Array(items) if !items.is_empty() => {
                for (at, item) in items.iter().enumerate() {
                    nested(&at.to_string(), item)?;
                }
            }
            Value::Object(map) if !map.is_empty() => {
                for (name, item) in map {
                    nested(name, item)?;
                }
            }
            Value::Null | Value::Array(_) | Value::Object(_) => {
                if self.left_out.len() + key.len() < MAX_LENGTH {
                    separate(&mut self.left_out);
                    self.left_out.push_str(key);
                }
            }
            leaf => {
                if self.text.len() + key.len() > MAX_LENGTH {
                    return Err("an object that is too long for a URL");
                }
                separate(&mut self.text);
                self.text.push_str(key);
                self.text.push('=');
                self.text.extend(encode(&scalar(leaf)));
            }
        }
        Ok(())
    }

    /// The decoded names of the parameters that were given as null or as an empty list, and so are not in the text.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.left_out.split('&').filter(|name| !name.is_empty()).filter_map(decode)
    }
}

fn separate(query: &mut String) {
    if !query.is_empty() {
        query.push('&');
    }
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
