//! Placeholders (`{{…}}`) in the strings of a script.

use serde_json::Value;

/// The source of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlaceholderSource<'a> {
    /// `var.NAME`: a variable of the template.
    Var(&'a str),
    /// `query.NAME`
    Query(&'a str),
    /// `body`, or `body.` and a JSON pointer.
    Body(&'a str),
}

impl PlaceholderSource<'_> {
    fn parse(name: &str) -> Result<PlaceholderSource<'_>, String> {
        match name.trim().split_once('.') {
            None if name.trim() == "body" => Ok(PlaceholderSource::Body("")),
            Some(("var", name)) if !name.is_empty() => Ok(PlaceholderSource::Var(name)),
            Some(("query", name)) if !name.is_empty() => Ok(PlaceholderSource::Query(name)),
            Some(("body", pointer)) if pointer.starts_with('/') => Ok(PlaceholderSource::Body(pointer)),
            _ => Err(format!(
                "unknown placeholder `{name}`: expected var.NAME, query.NAME, body or body./JSON/POINTER"
            )),
        }
    }
}

/// Replaces the placeholders. A placeholder that is the whole text keeps the type of its value.
pub(crate) fn fill(
    text: &str,
    value: &dyn Fn(PlaceholderSource<'_>) -> Result<Value, String>,
) -> Result<Value, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after_open)) = rest.split_once("{{") {
        let (name, after) =
            after_open.split_once("}}").ok_or_else(|| format!("`{{{{` without `}}}}` in {text:?}"))?;
        let value = value(PlaceholderSource::parse(name)?)?;
        if before.is_empty() && after.is_empty() && rest.len() == text.len() {
            return Ok(value);
        }
        filled.push_str(before);
        filled.push_str(&plain(&value));
        rest = after;
    }
    filled.push_str(rest);
    Ok(Value::String(filled))
}

/// A value within a text: `Null` is empty, strings have no quotes, all else is JSON.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled(text: &str) -> Result<Value, String> {
        let body = json!({ "amount": { "total": 100 }, "list": [1, "a"], "text": "x" });
        fill(text, &|source| {
            Ok(match source {
                PlaceholderSource::Var(name) => json!(format!("<{name}>")),
                PlaceholderSource::Query(_) => Value::Null,
                PlaceholderSource::Body(pointer) => body.pointer(pointer).cloned().unwrap_or(Value::Null),
            })
        })
    }

    #[test]
    fn a_placeholder_alone_keeps_the_type() {
        assert_eq!(filled("{{body./amount/total}}").unwrap(), json!(100));
        assert_eq!(filled("{{ body./amount }}").unwrap(), json!({ "total": 100 }));
        assert_eq!(filled("{{query.none}}").unwrap(), Value::Null);
        assert_eq!(filled("{{body}}").unwrap()["text"], "x");
        assert_eq!(filled("{{var.a}}{{var.b}}").unwrap(), "<a><b>");
        assert_eq!(
            filled("{{body./amount/total}} 分, {{body./list}}{{query.none}}").unwrap(),
            "100 分, [1,\"a\"]"
        );
        assert_eq!(filled("{}, } }}").unwrap(), "{}, } }}");
        assert_eq!(filled("").unwrap(), "");
    }

    #[test]
    fn invalid_placeholders() {
        for text in ["{{", "a {{var.x}", "{{}}", "{{var.}}", "{{vra.x}}", "{{body.x}}", "{{header.x}}"] {
            assert!(filled(text).is_err(), "{text}");
        }
    }
}
