//! Sets the fields of a document.

use aws_lc_rs::error::Unspecified;
use serde_json::{Value, json};

use super::{
    Session,
    schema::{Assignment, FieldValue},
};
use crate::sandbox::{
    http::{clock::beijing_time, error_response::ErrorResponse},
    keys::random,
};

impl Session<'_> {
    pub(crate) fn assign(&self, body: &mut Value, assignments: &[Assignment]) -> Result<(), ErrorResponse> {
        for assignment in assignments {
            let present = body.pointer(assignment.field).is_some_and(|value| !value.is_null());
            if assignment.only_if_missing && present {
                continue;
            }
            let value = match assignment.value {
                FieldValue::Text(text) => json!(text),
                FieldValue::Cents(cents) => json!(cents),
                FieldValue::True => json!(true),
                FieldValue::Null => Value::Null,
                FieldValue::Now => json!(beijing_time(self.now)),
                FieldValue::DatedNumber(prefix, digits) => json!(self.dated_number(prefix, digits)?),
                FieldValue::RandomText(prefix, length) => {
                    json!(format!("{prefix}{}", random::alphanumeric(length).map_err(no_random_numbers)?))
                }
                FieldValue::CopyOf(field) => body.pointer(field).cloned().unwrap_or(Value::Null),
                FieldValue::FromRequest(field) => match self.request_body.pointer(field) {
                    Some(value) => value.clone(),
                    None => continue,
                },
                FieldValue::Pair(first, second) => {
                    let text = |field| body.pointer(field).and_then(Value::as_str).unwrap_or("");
                    json!(pair(text(first), text(second)))
                }
                FieldValue::Mchid => json!(self.engine.identity.mchid),
            };
            put(body, assignment.field, value);
        }
        Ok(())
    }

    /// Such as `4200`, `20261121` and random digits: unique and readable.
    pub(crate) fn dated_number(&self, prefix: &str, digits: usize) -> Result<String, ErrorResponse> {
        let date: String = beijing_time(self.now).chars().take(10).filter(char::is_ascii_digit).collect();
        let random = digits.saturating_sub(prefix.len() + date.len());
        let random = random::digits(random).map_err(no_random_numbers)?;
        Ok(format!("{prefix}{date}{random}"))
    }
}

pub(crate) fn pair(first: &str, second: &str) -> String {
    format!("{first} {second}")
}

/// Sets the value at a pointer. Creates the objects on the way.
pub(crate) fn put(body: &mut Value, pointer: &str, value: Value) {
    let mut at = body;
    for name in pointer.split('/').skip(1) {
        if !at.is_object() {
            *at = json!({});
        }
        at = &mut at[name];
    }
    *at = value;
}

pub(crate) fn no_random_numbers(_: Unspecified) -> ErrorResponse {
    ErrorResponse::internal("the sandbox has no random numbers")
}
