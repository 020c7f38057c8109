//! What a flow wants of a request beyond what documents say: forms of values that depend on a field's name, and fields
//! below the top level without which nothing could go on.

use serde_json::Value;

use super::{
    call::Call,
    validation::{body_fields, each_value},
};
use crate::catalogue::{Field, Fields, Operation};
use crate::sandbox::http::{clock, error_response::ErrorResponse};

/// In cents. Sums of amounts cannot overflow an `i64`.
const MAX_AMOUNT: i64 = 100_000_000_000;

/// Numbers of the merchant's own: letters, digits and a few signs.
const NUMBERS: [&str; 6] = [
    "out_trade_no",
    "combine_out_trade_no",
    "out_refund_no",
    "out_order_no",
    "out_return_no",
    "authorization_code",
];

/// A rule of one endpoint. Pointers are those of the body; `*` stands for every element of a list.
pub(crate) enum Rule {
    /// These are needed, where the form of the request has them; of a list, one element at least.
    Needs(&'static [&'static str]),
    /// These have one of the documented values.
    OneOf(&'static [&'static str]),
}

pub(super) fn check(call: &Call<'_>, operation: Operation, rules: &[Rule]) -> Result<(), ErrorResponse> {
    for field in operation.query().iter() {
        check_merchant(call, "query", field.name(), call.query(field.name()))?;
    }
    for rule in rules {
        let (Rule::Needs(pointers) | Rule::OneOf(pointers)) = rule;
        for pointer in *pointers {
            follow(rule, operation.body(), call.body, pointer, "")?;
        }
    }
    let mut result = Ok(());
    each_value(body_fields(operation), call.body, "", &mut |field, pointer, value| {
        if result.is_ok() {
            result = check_value(call, field, pointer, value);
        }
    });
    result
}

/// Follows a pointer of a rule through the documented fields; a form of the request without the field has no such rule.
fn follow(rule: &Rule, fields: Fields, object: &Value, rest: &str, at: &str) -> Result<(), ErrorResponse> {
    let mut names = rest.trim_start_matches('/').splitn(2, '/');
    let Some(field) = names.next().and_then(|name| fields.get(name)) else { return Ok(()) };
    let (below, at) = (names.next(), format!("{at}/{}", field.name()));
    let value = object.get(field.name()).filter(|value| !value.is_null() && **value != "");
    match (value, below) {
        (None, Some(_)) if field.is_list() => Ok(()),
        (None, below) if matches!(rule, Rule::Needs(_)) => {
            let below = below.map(|below| format!("/{below}")).unwrap_or_default();
            Err(missing("body", &format!("{at}{below}")))
        }
        (None, _) => Ok(()),
        (Some(Value::Array(list)), Some(below)) => {
            if list.is_empty() && field.is_required() {
                return Err(ErrorResponse::param_error("body", &at, "expected one element at least"));
            }
            let below = below.trim_start_matches("*/");
            list.iter().enumerate().try_for_each(|(index, element)| {
                follow(rule, field.fields(), element, below, &format!("{at}/{index}"))
            })
        }
        (Some(value), Some(below)) => follow(rule, field.fields(), value, below, &at),
        (Some(value), None) if matches!(rule, Rule::OneOf(_)) => one_of(field, &at, value),
        (Some(_), None) => Ok(()),
    }
}

fn one_of(field: Field, pointer: &str, value: &Value) -> Result<(), ErrorResponse> {
    if field.values().any(|known| value == known) {
        return Ok(());
    }
    let known: Vec<_> = field.values().collect();
    Err(ErrorResponse::param_error("body", pointer, &format!("expected one of {}", known.join(", "))))
}

fn check_value(call: &Call<'_>, field: Field, pointer: &str, value: &Value) -> Result<(), ErrorResponse> {
    let wrong = |issue: &str| Err(ErrorResponse::param_error("body", pointer, issue));
    if value.is_f64() {
        return wrong("expected an integer");
    }
    if value.as_f64().is_some_and(|number| number > MAX_AMOUNT as f64) {
        return wrong(&format!("more than {MAX_AMOUNT}"));
    }
    let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { return Ok(()) };
    match field.name() {
        name if pointer.matches('/').count() == 1 && MERCHANTS.contains(&name) => {
            check_merchant(call, "body", pointer, text)
        }
        "notify_url" => match url::Url::parse(text) {
            Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                wrong("expected an https:// or http:// URL")
            }
            Ok(url) if url.query().is_some() => wrong("expected a URL without a query"),
            Ok(_) => Ok(()),
            Err(_) => wrong("expected a URL"),
        },
        "currency" if text != "CNY" => wrong("expected CNY"),
        "out_bill_no" if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            wrong("expected letters and digits only")
        }
        name if NUMBERS.contains(&name) => {
            let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-|*@".contains(&byte);
            if text.bytes().all(is_allowed) {
                Ok(())
            } else {
                wrong("expected letters, digits and _-|* only")
            }
        }
        _ if field.format() == Some("rfc3339") && clock::parse_rfc3339(text).is_none() => {
            wrong("expected a time such as 2018-06-08T10:34:56+08:00")
        }
        _ => Ok(()),
    }
}

/// Fields with the number of the merchant who signed the request.
const MERCHANTS: [&str; 3] = ["mchid", "sp_mchid", "combine_mchid"];

fn check_merchant(call: &Call<'_>, location: &str, field: &str, mchid: &str) -> Result<(), ErrorResponse> {
    let signer = &call.engine.identity.mchid;
    if mchid.is_empty() || mchid == signer || !MERCHANTS.contains(&field.trim_start_matches('/')) {
        return Ok(());
    }
    let issue = format!("{mchid} is not the merchant {signer} who signed the request");
    Err(ErrorResponse::param_error(location, field, &issue))
}

fn missing(location: &str, field: &str) -> ErrorResponse {
    ErrorResponse::param_error(location, field, "此字段为必填项: required, but missing or empty")
}
