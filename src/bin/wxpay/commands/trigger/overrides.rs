//! The changes to the resource: members of an object, and JSON pointers.

use serde_json::{Map, Value};
use wechatpay_chain::catalogue::{Catalogue, Field as Documented, FieldType, Fields};

use crate::commands::call::{Field, Item};
use crate::failure::{Failure, usage_error};
use crate::input;
use crate::text::Excerpt;

/// As the sandbox takes them: a name that begins with `/` is a pointer. The fields come after the members.
pub(super) fn build(event: &str, data: Option<&str>, set: &[String]) -> Result<Value, Failure> {
    let mut overrides = match data {
        None => Map::new(),
        Some(data) => match input::parse_json("-d", &input::read("-d", data)?)? {
            Value::Object(members) => members,
            _ => return Err(usage_error("-d: expected a JSON object")),
        },
    };
    let fields = Catalogue::notification(event).map(|known| known.resource());
    for item in set {
        let field = match Item::parse(item)? {
            Item::Field(field) => field,
            Item::Query(name, _) => {
                let failure = usage_error(format!("--set {}: a resource has no query", Excerpt(&name)));
                return Err(failure.with_hint("POINTER=TEXT is a text, POINTER:=JSON any other value"));
            }
        };
        let pointer = field.pointer();
        let value = value(field, fields)?;
        // Of one that is set twice, the last counts.
        overrides.remove(&pointer);
        overrides.insert(pointer, value);
    }
    Ok(Value::Object(overrides))
}

/// A text as the documented type; JSON as it is.
fn value(field: Field, fields: Option<Fields>) -> Result<Value, Failure> {
    let documented = fields.and_then(|fields| documented(fields, field.tokens()));
    let (true, Some((documented, is_list))) = (field.is_text(), documented) else {
        return Ok(field.into_value());
    };
    let pointer = field.pointer();
    let value = field.into_value();
    let text = value.as_str().unwrap_or_default();
    let wrong = |expected: &str| {
        let failure =
            usage_error(format!("--set {}: expected {expected}, found {}", Excerpt(&pointer), Excerpt(text)));
        Err(failure.with_hint("POINTER:=JSON sets any value"))
    };
    match documented.field_type() {
        _ if is_list => wrong("a list"),
        FieldType::Object => wrong("an object"),
        FieldType::Integer | FieldType::Number => match serde_json::from_str::<Value>(text) {
            Ok(number @ Value::Number(_)) => Ok(number),
            _ => wrong("a number"),
        },
        FieldType::Boolean => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => wrong("true or false"),
        },
        _ => Ok(value),
    }
}

/// The documented field at the tokens of a pointer, and whether they name a list, not an element of it.
fn documented(mut fields: Fields, tokens: &[String]) -> Option<(Documented, bool)> {
    let mut tokens = tokens.iter().peekable();
    loop {
        let field = fields.get(tokens.next()?)?;
        let mut is_list = field.is_list();
        if is_list && tokens.next().is_some() {
            is_list = false;
        }
        if tokens.peek().is_none() {
            return Some((field, is_list));
        }
        fields = field.fields();
    }
}
