//! The part of a request that may become state: its documented fields.

use serde_json::{Map, Value};

use super::schema::Fields;

/// The documented fields of a value at this pointer of a request's body; `None` if there are none.
pub(crate) fn accepted(value: &Value, at: &str, fields: Fields) -> Option<Value> {
    if fields.contains(&at) {
        return Some(value.clone());
    }
    let has_fields = at.is_empty()
        || fields.iter().any(|field| field.strip_prefix(at).is_some_and(|rest| rest.starts_with('/')));
    match value {
        Value::Object(members) if has_fields => {
            let kept = members.iter().filter_map(|(name, value)| {
                Some((name.clone(), accepted(value, &format!("{at}/{name}"), fields)?))
            });
            Some(Value::Object(kept.collect::<Map<_, _>>()))
        }
        Value::Array(list) if has_fields => {
            let at = format!("{at}/*");
            Some(Value::Array(list.iter().filter_map(|value| accepted(value, &at, fields)).collect()))
        }
        _ => None,
    }
}

/// As [`accepted`], for a field that a transition takes: a plain value needs no documentation.
pub(super) fn field(body: &Value, pointer: &str, fields: Fields) -> Option<Value> {
    let value = body.pointer(pointer)?;
    if value.is_object() || value.is_array() { accepted(value, pointer, fields) } else { Some(value.clone()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FIELDS: Fields = &["/a", "/b/c", "/list/*/x", "/list/*/y/z"];

    #[test]
    fn only_documented_fields_are_kept() {
        let body = json!({
            "a": {"any": 1}, "b": {"c": null, "d": 1}, "e": 1, "a/b": 2,
            "list": [{"x": 1, "w": 2}, 7, {"y": {"z": 3, "x": 4}}, {}], "": 5,
        });
        let kept = json!({
            "a": {"any": 1}, "b": {"c": null}, "list": [{"x": 1}, {"y": {"z": 3}}, {}],
        });
        assert_eq!(accepted(&body, "", FIELDS), Some(kept));
        assert_eq!(accepted(&json!([1]), "", FIELDS), Some(json!([])));
        assert_eq!(accepted(&json!({"b": 5, "list": {"x": 1}}), "", FIELDS), Some(json!({"list": {}})));
    }

    #[test]
    fn a_transition_takes_plain_values_and_documented_parts() {
        let body = json!({"reason": "r", "list": [{"x": 1, "w": 2}], "other": {"o": 1}});
        assert_eq!(field(&body, "/reason", FIELDS), Some(json!("r")));
        assert_eq!(field(&body, "/list", FIELDS), Some(json!([{"x": 1}])));
        assert_eq!((field(&body, "/other", FIELDS), field(&body, "/none", FIELDS)), (None, None));
    }
}
