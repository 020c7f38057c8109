//! The body of a call: JSON from an argument, a file or stdin, and fields on top of it.

use std::io::Read as _;

use serde_json::{Map, Value};

use crate::cli as args;
use crate::exit::{Failure, usage};

/// What goes into a request.
pub(crate) enum Body {
    None,
    /// JSON text, to be sent as it is.
    Text(Vec<u8>),
    Value(Value),
}

impl Body {
    pub(crate) fn build(body: &args::Body) -> Result<Body, Failure> {
        let text = body.data.as_deref().map(|source| read("-d", source)).transpose()?;
        let value = text.as_ref().map(|text| parse("-d", text)).transpose()?;
        // Written anew only where it changes: the text may hold numbers that no other program writes the same way.
        match (text, value) {
            (Some(text), _) if body.fields.is_empty() && body.encrypt.is_empty() => Ok(Body::Text(text)),
            (_, None) if body.fields.is_empty() && body.encrypt.is_empty() => Ok(Body::None),
            (_, value) => {
                let mut value = value.unwrap_or_else(|| Value::Object(Map::new()));
                for field in &body.fields {
                    set_field(&mut value, field)?;
                }
                Ok(Body::Value(value))
            }
        }
    }
}

/// What an argument stands for: itself, `@FILE`, or `-` for stdin.
pub(crate) fn read(option: &str, source: &str) -> Result<Vec<u8>, Failure> {
    match (source, source.strip_prefix('@')) {
        ("-", _) => stdin(option),
        (_, Some("")) => Err(usage(format!("{option}: `@` is followed by a file's name"))),
        (_, Some(file)) => {
            std::fs::read(file).map_err(|e| usage(format!("{option}: the file `{file}` cannot be read: {e}")))
        }
        (text, None) => Ok(text.as_bytes().to_vec()),
    }
}

pub(crate) fn stdin(what: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    match std::io::stdin().lock().read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(e) => Err(usage(format!("{what}: stdin cannot be read: {e}"))),
    }
}

pub(crate) fn parse(option: &str, text: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(text).map_err(|e| usage(format!("{option}: expected JSON: {e}")))
}

fn set_field(body: &mut Value, field: &str) -> Result<(), Failure> {
    let Some((name, text)) = field.split_once('=') else {
        return Err(usage(format!("the field `{field}` is none: expected NAME=TEXT or NAME:=JSON")));
    };
    let (name, value) = match name.strip_suffix(':') {
        Some(name) => (name, parse(&format!("the field `{name}`"), text.as_bytes())?),
        None => (name, Value::String(text.to_owned())),
    };
    match name.strip_prefix('/') {
        _ if name.is_empty() => Err(usage(format!("the field `{field}` has no name"))),
        // A name is taken whole, dots and all.
        None => put(body, &[name.to_owned()], value),
        Some(pointer) => {
            let tokens: Vec<_> =
                pointer.split('/').map(|token| token.replace("~1", "/").replace("~0", "~")).collect();
            put(body, &tokens, value)
        }
    }
    .map_err(|failure| match failure {
        Failure::Usage(why) => usage(format!("the field `{name}`: {why}")),
        other => other,
    })
}

/// Sets the value that a JSON pointer leads to, and makes what is missing on the way: an array where its first element
/// (`0`) or its next one (`-`) is meant, else an object.
fn put(at: &mut Value, tokens: &[String], value: Value) -> Result<(), Failure> {
    let Some((token, rest)) = tokens.split_first() else {
        *at = value;
        return Ok(());
    };
    if at.is_null() {
        *at = match token.as_str() {
            "0" | "-" => Value::Array(Vec::new()),
            _ => Value::Object(Map::new()),
        };
    }
    match at {
        Value::Object(map) => put(map.entry(token.as_str()).or_insert(Value::Null), rest, value),
        Value::Array(list) => {
            let length = list.len();
            let index = if token == "-" { Some(length) } else { token.parse().ok() };
            match index.filter(|index| *index <= length) {
                Some(index) if index == length => {
                    let mut item = Value::Null;
                    put(&mut item, rest, value)?;
                    list.push(item);
                    Ok(())
                }
                Some(index) => list.get_mut(index).map_or(Ok(()), |item| put(item, rest, value)),
                None => Err(usage(format!("`{token}` is no place in an array of {length}"))),
            }
        }
        _ => Err(usage(format!("there is no room for `{token}` in a text, a number or a boolean"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(fields: &[&str]) -> Result<Value, String> {
        let mut value = json!({});
        for field in fields {
            set_field(&mut value, field).map_err(|failure| failure.to_string())?;
        }
        Ok(value)
    }

    #[test]
    fn fields_are_texts_json_and_pointers() {
        let fields = [
            "name=a=b:=c.d",
            "total:=1",
            "a.b=dots",
            "/amount/total:=100",
            "/amount/currency=CNY",
            "/list/0/id=first",
            "/list/-=last",
            "/list/0/id=changed",
            "/a~1b=slash",
            "empty=",
        ];
        let expected = json!({
            "name": "a=b:=c.d", "total": 1, "a.b": "dots", "amount": {"total": 100, "currency": "CNY"},
            "list": [{"id": "changed"}, "last"], "a/b": "slash", "empty": "",
        });
        assert_eq!(body(&fields), Ok(expected));
    }

    #[test]
    fn what_is_no_field_is_refused() {
        for (field, part) in [
            ("name", "NAME=TEXT"),
            ("=x", "has no name"),
            (":=1", "has no name"),
            ("n:={", "expected JSON"),
            ("/list/7=x", "no place in an array of 1"),
            ("/text/x=1", "no room"),
        ] {
            let error = body(&["/list/-=1", "text=t", field]).unwrap_err();
            assert!(error.contains(part), "{field}: {error}");
        }
    }
}
