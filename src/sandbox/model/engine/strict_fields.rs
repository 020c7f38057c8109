//! Refuses what the platform refuses in every body: null, a number of the path once more, undocumented fields.

use serde_json::Value;

use super::{
    call::Call,
    schema::{Action, Assignment, FieldValue, Fields},
};
use crate::sandbox::http::error_response::ErrorResponse;

/// Before all other checks, which would call the field missing.
pub(super) fn check_null(call: &Call<'_>) -> Result<(), ErrorResponse> {
    match find(call.body, "", &|_, value| value.is_null()) {
        Some(field) => wrong(&field, "is null: leave out a field that has no value"),
        None => Ok(()),
    }
}

fn wrong(field: &str, issue: &str) -> Result<(), ErrorResponse> {
    Err(ErrorResponse::param_error("body", field, issue))
}

pub(super) fn check(call: &Call<'_>, action: &Action) -> Result<(), ErrorResponse> {
    if matches!(action, Action::Handler(_)) {
        return Ok(());
    }
    let of_path = |name: &str| !call.var(name).is_empty();
    if let Some(name) = call.body.as_object().and_then(|fields| fields.keys().find(|name| of_path(name))) {
        return wrong(&format!("/{name}"), "is part of the path, and no documented field of the body");
    }
    if let Action::Create(resource_type, assignments, ..) = action {
        let undefined = |at: &str, _: &Value| !is_documented(at, resource_type.accepted, assignments);
        if let Some(field) = find(call.body, "", &undefined) {
            return wrong(
                &field,
                "请求中含有未在API文档中定义的参数: not a documented field of this request",
            );
        }
    }
    Ok(())
}

/// The pointer of the first value for which this is true. `is_wrong` gets `*` for the index of an element.
fn find(value: &Value, pattern: &str, is_wrong: &dyn Fn(&str, &Value) -> bool) -> Option<String> {
    if !pattern.is_empty() && is_wrong(pattern, value) {
        return Some(String::new());
    }
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let inner = find(value, &format!("{pattern}/{name}"), is_wrong)?;
            Some(format!("/{name}{inner}"))
        }),
        Value::Array(list) => list.iter().enumerate().find_map(|(index, value)| {
            let inner = find(value, &format!("{pattern}/*"), is_wrong)?;
            Some(format!("/{index}{inner}"))
        }),
        _ => None,
    }
}

/// Whether a field is documented, or contains a documented one.
fn is_documented(pattern: &str, accepted: Fields, assignments: &[Assignment]) -> bool {
    let from_request = assignments.iter().filter_map(|assignment| match assignment.value {
        FieldValue::FromRequest(field) => Some(field),
        _ => None,
    });
    accepted.iter().copied().chain(from_request).any(|field| {
        let element = pattern.strip_prefix(field).is_some_and(|rest| rest == "/*");
        let inside = field.strip_prefix(pattern).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        element || inside
    })
}
