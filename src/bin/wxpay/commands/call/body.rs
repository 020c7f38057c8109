//! The request body: JSON from `--data`, with the fields from the arguments set in it.

use serde_json::{Map, Value};

use super::args::BodyArgs;
use crate::failure::{Failure, usage_error};
use crate::input;
use crate::text::Excerpt;

pub(super) enum Body {
    Empty,
    /// JSON text, to be sent unchanged.
    Text(Vec<u8>),
    Value(Value),
}

impl Body {
    /// `encrypt`: pointers to fields that are to be encrypted, and names of query parameters, which leave the body alone.
    pub(super) fn build(args: &BodyArgs, encrypt: &[String]) -> Result<Body, Failure> {
        let text = args.data.as_deref().map(|value| input::read("-d", value)).transpose()?;
        let value = text.as_ref().map(|text| input::parse_json("-d", text)).transpose()?;
        let changes = encrypt.iter().any(|pointer| pointer.starts_with('/')) && text.is_some();
        let unchanged = args.fields.is_empty() && !changes;
        // Serialized again only if it changes, so that numbers keep the digits they were written with.
        match (text, value) {
            (Some(text), _) if unchanged => Ok(Body::Text(text)),
            (_, None) if unchanged => Ok(Body::Empty),
            (_, value) => {
                let mut value = value.unwrap_or_else(|| Value::Object(Map::new()));
                for field in &args.fields {
                    set_field(&mut value, field)?;
                }
                Ok(Body::Value(value))
            }
        }
    }
}

fn set_field(body: &mut Value, field: &str) -> Result<(), Failure> {
    let Some((name, text)) = field.split_once('=') else {
        return Err(usage_error(format!("expected NAME=TEXT or NAME:=JSON, found {}", Excerpt(field))));
    };
    let (name, value) = match name.strip_suffix(':') {
        Some(name) => (name, input::parse_json(&format!("field {}", Excerpt(name)), text.as_bytes())?),
        None => (name, Value::String(text.to_owned())),
    };
    match name.strip_prefix('/') {
        _ if name.is_empty() => Err(usage_error(format!("the field {} has no name", Excerpt(field)))),
        // Dots in a name are literal.
        None => set_at(body, &[name.to_owned()], value),
        Some(pointer) => {
            let tokens: Vec<_> =
                pointer.split('/').map(|token| token.replace("~1", "/").replace("~0", "~")).collect();
            set_at(body, &tokens, value)
        }
    }
    .map_err(|failure| match failure {
        Failure::Usage(reason) => usage_error(format!("field {}: {reason}", Excerpt(name))),
        other => other,
    })
}

/// Sets the value at a JSON pointer. Missing parents are created: an array for the tokens `0` and `-`, which is the
/// element after the last, else an object.
fn set_at(at: &mut Value, tokens: &[String], value: Value) -> Result<(), Failure> {
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
        Value::Object(map) => set_at(map.entry(token.as_str()).or_insert(Value::Null), rest, value),
        Value::Array(list) => {
            let length = list.len();
            let index = if token == "-" { Some(length) } else { token.parse().ok() };
            match index.filter(|index| *index <= length) {
                Some(index) if index == length => {
                    let mut item = Value::Null;
                    set_at(&mut item, rest, value)?;
                    list.push(item);
                    Ok(())
                }
                Some(index) => list.get_mut(index).map_or(Ok(()), |item| set_at(item, rest, value)),
                None => Err(usage_error(format!(
                    "expected an array index up to {length} or `-`, found {}",
                    Excerpt(token)
                ))),
            }
        }
        _ => Err(usage_error(format!("cannot set {}: its parent is not an object or array", Excerpt(token)))),
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
    fn invalid_fields_are_refused() {
        for (field, part) in [
            ("name", "NAME=TEXT"),
            ("=x", "has no name"),
            (":=1", "has no name"),
            ("n:={", "expected JSON"),
            ("/list/7=x", "array index up to 1"),
            ("/text/x=1", "its parent is not an object"),
        ] {
            let error = body(&["/list/-=1", "text=t", field]).unwrap_err();
            assert!(error.contains(part), "{field}: {error}");
        }
    }
}
