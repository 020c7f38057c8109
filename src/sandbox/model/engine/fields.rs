//! The values of new fields.

use aws_lc_rs::error::Unspecified;
use serde_json::{Value, json};

use super::{
    super::{
        catalogue::{Fill, Set},
        clock::beijing,
        random,
        refusal::Refusal,
    },
    Flow,
};

impl Flow<'_> {
    pub(super) fn fill(&self, body: &mut Value, sets: &[Set]) -> Result<(), Refusal> {
        for set in sets {
            if set.keep && body.pointer(set.field).is_some_and(|value| !value.is_null()) {
                continue;
            }
            let value = match set.fill {
                Fill::Text(text) => json!(text),
                Fill::Cents(cents) => json!(cents),
                Fill::Yes => json!(true),
                Fill::Now => json!(beijing(self.now)),
                Fill::Number(prefix, digits) => json!(self.number(prefix, digits)?),
                Fill::Code(prefix, length) => {
                    json!(format!("{prefix}{}", random::alphanumeric(length).map_err(broken)?))
                }
                Fill::Copy(field) => body.pointer(field).cloned().unwrap_or(Value::Null),
                Fill::Given(field) => match self.given.pointer(field) {
                    Some(value) => value.clone(),
                    None => continue,
                },
                Fill::Pair(one, other) => {
                    let text = |field| body.pointer(field).and_then(Value::as_str).unwrap_or("");
                    json!(pair(text(one), text(other)))
                }
                Fill::Mchid => json!(self.platform.identity.mchid),
                Fill::Nothing => Value::Null,
            };
            put(body, set.field, value);
        }
        Ok(())
    }

    /// Such as `4200` `20261121` and random digits: unique enough, and to be told apart by eye.
    pub(super) fn number(&self, prefix: &str, digits: usize) -> Result<String, Refusal> {
        let day: String = beijing(self.now).chars().take(10).filter(char::is_ascii_digit).collect();
        let random = random::digits(digits.saturating_sub(prefix.len() + day.len())).map_err(broken)?;
        Ok(format!("{prefix}{day}{random}"))
    }
}

pub(super) fn pair(one: &str, other: &str) -> String {
    format!("{one} {other}")
}

/// Sets the value at a pointer, and makes the objects on the way.
pub(super) fn put(body: &mut Value, pointer: &str, value: Value) {
    let mut at = body;
    for name in pointer.split('/').skip(1) {
        if !at.is_object() {
            *at = json!({});
        }
        at = &mut at[name];
    }
    *at = value;
}

pub(super) fn broken(_: Unspecified) -> Refusal {
    Refusal::new(500, "SYSTEM_ERROR", "the sandbox has no random numbers")
}
