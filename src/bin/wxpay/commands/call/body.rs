//! The request body: JSON from `--data`, with the fields from the arguments set in it.

use serde_json::{Map, Value};

use super::fields::Field;
use crate::failure::Failure;
use crate::input;

pub(super) enum Body {
    Empty,
    /// JSON text, to be sent unchanged.
    Text(Vec<u8>),
    Value(Value),
}

impl Body {
    /// The JSON. Its text was checked when the body was built.
    pub(super) fn into_value(self) -> Value {
        match self {
            Body::Empty => Value::Null,
            Body::Text(text) => serde_json::from_slice(&text).unwrap_or_default(),
            Body::Value(value) => value,
        }
    }

    /// `encrypt`: pointers to fields that are to be encrypted, and names of query parameters, which leave the body alone.
    pub(super) fn build(data: Option<&str>, fields: Vec<Field>, encrypt: &[String]) -> Result<Body, Failure> {
        let text = data.map(|value| input::read("-d", value)).transpose()?;
        let value = text.as_ref().map(|text| input::parse_json("-d", text)).transpose()?;
        let changes = encrypt.iter().any(|pointer| pointer.starts_with('/')) && text.is_some();
        let unchanged = fields.is_empty() && !changes;
        // Serialized again only if it changes, so that numbers keep the digits they were written with.
        match (text, value) {
            (Some(text), _) if unchanged => Ok(Body::Text(text)),
            (_, None) if unchanged => Ok(Body::Empty),
            (_, value) => {
                let mut value = value.unwrap_or_default();
                for field in fields {
                    field.set(&mut value)?;
                }
                Ok(Body::Value(match value {
                    Value::Null => Value::Object(Map::new()),
                    value => value,
                }))
            }
        }
    }
}
