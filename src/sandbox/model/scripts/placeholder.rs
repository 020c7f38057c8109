//! `{{…}}` in the texts of a script.

use serde_json::Value;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source<'a> {
    /// `var.NAME`: the template's.
    Var(&'a str),
    /// `query.NAME`
    Query(&'a str),
    /// `body`, or `body.` and a JSON pointer.
    Body(&'a str),
}

impl Source<'_> {
    fn parse(name: &str) -> Result<Source<'_>, String> {
        match name.trim().split_once('.') {
            None if name.trim() == "body" => Ok(Source::Body("")),
            Some(("var", name)) if !name.is_empty() => Ok(Source::Var(name)),
            Some(("query", name)) if !name.is_empty() => Ok(Source::Query(name)),
            Some(("body", pointer)) if pointer.starts_with('/') => Ok(Source::Body(pointer)),
            _ => Err(format!("`{name}` is none of var.NAME, query.NAME, body and body./JSON/POINTER")),
        }
    }
}

/// The text with its placeholders replaced. One that is the whole text gives its value with its type.
pub(super) fn fill(text: &str, value: &dyn Fn(Source<'_>) -> Result<Value, String>) -> Result<Value, String> {
    let mut filled = String::new();
    let mut left = text;
    while let Some((before, rest)) = left.split_once("{{") {
        let (name, after) = rest
            .split_once("}}")
            .ok_or_else(|| format!("there is a `{{{{` without its `}}}}` in {text:?}"))?;
        let value = value(Source::parse(name)?)?;
        if before.is_empty() && after.is_empty() && left.len() == text.len() {
            return Ok(value);
        }
        filled.push_str(before);
        filled.push_str(&plain(&value));
        left = after;
    }
    filled.push_str(left);
    Ok(Value::String(filled))
}

/// A value within a text: nothing for `Null`, a text without its quotes, the rest as JSON.
pub(super) fn plain(value: &Value) -> String {
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
                Source::Var(name) => json!(format!("<{name}>")),
                Source::Query(_) => Value::Null,
                Source::Body(pointer) => body.pointer(pointer).cloned().unwrap_or(Value::Null),
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
    fn what_is_no_placeholder_is_told() {
        for text in ["{{", "a {{var.x}", "{{}}", "{{var.}}", "{{vra.x}}", "{{body.x}}", "{{header.x}}"] {
            assert!(filled(text).is_err(), "{text}");
        }
    }
}
