//! The caller's changes to a resource: members that are merged (RFC 7396), and JSON pointers (RFC 6901).

use serde_json::{Map, Value};

use crate::catalogue::{Field, FieldType, Fields, check};
use crate::error::Excerpt;

/// Applies the members of an object, in their order.
pub(super) fn apply(resource: &mut Value, fields: Fields, overrides: &Value) -> Result<(), String> {
    let members = match overrides {
        Value::Null => return Ok(()),
        Value::Object(members) => members,
        _ => return Err("the overrides are not an object".into()),
    };
    for (name, value) in members {
        if name.is_empty() {
            return Err("an override has no name: expected that of a member, or a JSON pointer".into());
        }
        if !name.starts_with('/') {
            merge(resource, &Value::Object(Map::from_iter([(name.clone(), value.clone())])));
            continue;
        }
        let tokens = tokens(name)?;
        let tokens: Vec<_> = tokens.iter().map(String::as_str).collect();
        set(resource, Place::Object(fields), &tokens, value)
            .map_err(|problem| format!("{}: {problem}", Excerpt(name)))?;
    }
    Ok(())
}

/// A JSON merge patch.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(object) = target.as_object_mut() else { return };
    for (name, value) in members {
        match value {
            Value::Null => drop(object.remove(name)),
            value => merge(object.entry(name.as_str()).or_insert(Value::Null), value),
        }
    }
}

fn tokens(pointer: &str) -> Result<Vec<String>, String> {
    let unescaped = |token: &str| {
        let escapes = token.matches('~').count();
        let known = token.matches("~0").count() + token.matches("~1").count();
        (escapes == known).then(|| token.replace("~1", "/").replace("~0", "~"))
    };
    let tokens: Option<Vec<_>> = pointer.split('/').skip(1).map(unescaped).collect();
    tokens.ok_or_else(|| {
        format!("{} is not a JSON pointer: `~` is written `~0`, and `/` in a name `~1`", Excerpt(pointer))
    })
}

/// What the documents say about a place in the resource.
#[derive(Clone, Copy)]
enum Place {
    Object(Fields),
    /// A list of these.
    List(Field),
    Other,
}

impl Place {
    fn of(field: Field) -> Place {
        if field.is_list() { Place::List(field) } else { Place::element(field) }
    }

    fn element(field: Field) -> Place {
        match field.field_type() {
            FieldType::Object => Place::Object(field.fields()),
            _ => Place::Other,
        }
    }

    /// What stands at a place that the resource does not have yet.
    fn empty(self) -> Value {
        match self {
            Place::Object(_) => Value::Object(Map::new()),
            Place::List(_) => Value::Array(Vec::new()),
            Place::Other => Value::Null,
        }
    }
}

/// Sets the value at the tokens of a pointer; null removes it.
fn set(at: &mut Value, place: Place, tokens: &[&str], value: &Value) -> Result<(), String> {
    let Some((token, rest)) = tokens.split_first() else {
        *at = value.clone();
        return Ok(());
    };
    match at {
        Value::Object(object) => {
            let fields = if let Place::Object(fields) = place { Some(fields) } else { None };
            let field = fields.and_then(|fields| fields.get(token));
            // An object whose members no document lists takes all.
            let is_open = fields.is_none_or(|fields| fields.is_empty());
            if field.is_none() && !is_open && !object.contains_key(*token) {
                let near = fields.and_then(|fields| check::near(fields, token));
                return Err(unknown(token, near));
            }
            let place = field.map_or(Place::Other, Place::of);
            if rest.is_empty() && value.is_null() {
                object.remove(*token);
                return Ok(());
            }
            set(object.entry(*token).or_insert_with(|| place.empty()), place, rest, value)
        }
        Value::Array(list) => {
            let place = if let Place::List(field) = place { Place::element(field) } else { Place::Other };
            let length = list.len();
            let is_index =
                *token == "0" || (!token.starts_with('0') && token.bytes().all(|byte| byte.is_ascii_digit()));
            let index =
                if *token == "-" { Some(length) } else { is_index.then(|| token.parse().ok()).flatten() };
            let Some(index) = index.filter(|index| *index <= length) else {
                return Err(format!("expected an index up to {length}, or `-`, found {}", Excerpt(token)));
            };
            if rest.is_empty() && value.is_null() {
                if index < length {
                    list.remove(index);
                }
                return Ok(());
            }
            if index == length {
                let mut element = place.empty();
                set(&mut element, place, rest, value)?;
                list.push(element);
                return Ok(());
            }
            list.get_mut(index).map_or(Ok(()), |element| set(element, place, rest, value))
        }
        _ => Err(format!("there is no {}: its parent is neither an object nor a list", Excerpt(token))),
    }
}

fn unknown(token: &str, near: Option<&str>) -> String {
    let token = Excerpt(token);
    match near {
        Some(near) => format!("did you mean `{near}`? No document has the field {token} there"),
        None => format!(
            "no document has the field {token} there (a member that is merged, without a `/`, may have any name)"
        ),
    }
}
