//! The parameters that a request must have.

use serde_json::Value;

use super::call::Call;
use crate::sandbox::http::{clock, error_response::ErrorResponse};

/// In cents. Sums of amounts cannot overflow an `i64`.
const MAX_AMOUNT: i64 = 100_000_000_000;

/// A parameter of a request. Fields are JSON pointers into the body, or names of the query.
pub(crate) enum Param {
    /// A string of at most this many characters.
    Text(&'static str, usize),
    /// As `Text`, but optional.
    Optional(&'static str, usize),
    /// A number of the merchant's, with a minimum and maximum length, of the characters `0-9A-Za-z_-|*@`.
    MerchantNo(&'static str, usize, usize),
    /// A number of the merchant's of letters and digits only, with a minimum and maximum length.
    Alphanumeric(&'static str, usize, usize),
    /// `true` or `false`.
    Boolean(&'static str),
    /// A positive amount in cents.
    Amount(&'static str),
    /// An amount in cents, or 0.
    AmountOrZero(&'static str),
    /// `CNY`, if it is present.
    Currency(&'static str),
    /// An `http` or `https` URL of at most 255 characters, without a query.
    Url(&'static str),
    /// As `Url`, but optional.
    OptionalUrl(&'static str),
    /// A time in RFC 3339, if it is present.
    OptionalTime(&'static str),
    /// The number of the merchant who signed the request.
    Mchid(&'static str),
    OneOf(&'static str, &'static [&'static str]),
    /// An array with a minimum and maximum length, and the parameters of each element.
    List(&'static str, usize, usize, &'static [Param]),
    /// At least one of two strings.
    Either(&'static str, &'static str),
    Query(&'static str),
    /// The number of the merchant who signed the request.
    QueryMchid(&'static str),
    All(&'static [Param]),
    /// Only for the merchant's own form of the path.
    Direct(&'static [Param]),
    /// Only for the service provider's form of the path.
    Partner(&'static [Param]),
}

impl Param {
    pub(crate) fn check(&self, call: &Call<'_>) -> Result<(), ErrorResponse> {
        match *self {
            Param::Query(name) if call.query(name).is_empty() => Err(missing("query", name)),
            Param::Query(_) => Ok(()),
            Param::QueryMchid(name) => match call.query(name) {
                "" => Err(missing("query", name)),
                mchid => check_mchid(call, "query", name, mchid),
            },
            Param::All(params) => params.iter().try_for_each(|param| param.check(call)),
            Param::Direct(params) if !call.partner => params.iter().try_for_each(|param| param.check(call)),
            Param::Partner(params) if call.partner => params.iter().try_for_each(|param| param.check(call)),
            Param::Direct(_) | Param::Partner(_) => Ok(()),
            _ => self.check_body(call, "", call.body),
        }
    }

    /// Checks the body, or the element of it at the pointer `at`.
    fn check_body(&self, call: &Call<'_>, at: &str, value: &Value) -> Result<(), ErrorResponse> {
        let wrong = |field: &str, issue: &str| {
            Err(ErrorResponse::param_error("body", &format!("{at}{field}"), issue))
        };
        let absent = |field: &str| Err(missing("body", &format!("{at}{field}")));
        let get = |field: &str| value.pointer(field).filter(|value| !value.is_null());
        match *self {
            Param::Text(field, max) => match get(field) {
                Some(Value::String(text)) if text.is_empty() => absent(field),
                Some(Value::String(text)) if text.chars().count() > max => {
                    wrong(field, &format!("longer than {max} characters"))
                }
                Some(Value::String(_)) => Ok(()),
                None => absent(field),
                Some(_) => wrong(field, "expected a string"),
            },
            Param::Optional(field, _) | Param::OptionalUrl(field)
                if get(field).is_none_or(|text| text == "") =>
            {
                Ok(())
            }
            Param::Optional(field, max) => Param::Text(field, max).check_body(call, at, value),
            Param::OptionalUrl(field) => Param::Url(field).check_body(call, at, value),
            Param::MerchantNo(field, min, max) => {
                Param::Text(field, max).check_body(call, at, value)?;
                let text = get(field).and_then(Value::as_str).unwrap_or("");
                let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-|*@".contains(&byte);
                if text.len() < min {
                    wrong(field, &format!("shorter than {min} characters"))
                } else if !text.bytes().all(is_allowed) {
                    wrong(field, "expected letters, digits and _-|* only")
                } else {
                    Ok(())
                }
            }
            Param::Alphanumeric(field, min, max) => {
                Param::MerchantNo(field, min, max).check_body(call, at, value)?;
                let text = get(field).and_then(Value::as_str).unwrap_or("");
                match text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                    true => Ok(()),
                    false => wrong(field, "expected letters and digits only"),
                }
            }
            Param::Boolean(field) => match get(field) {
                None => absent(field),
                Some(Value::Bool(_)) => Ok(()),
                Some(_) => wrong(field, "expected true or false"),
            },
            Param::Amount(field) => match get(field) {
                None => absent(field),
                Some(value) if value.as_i64().is_some_and(|cents| (1..=MAX_AMOUNT).contains(&cents)) => {
                    Ok(())
                }
                Some(value) if value.as_i64().is_some_and(|cents| cents > MAX_AMOUNT) => {
                    wrong(field, &format!("more than {MAX_AMOUNT}"))
                }
                Some(_) => wrong(field, "expected a positive integer"),
            },
            Param::AmountOrZero(field) => match get(field) {
                None => absent(field),
                Some(value) if value.as_i64().is_some_and(|cents| (0..=MAX_AMOUNT).contains(&cents)) => {
                    Ok(())
                }
                Some(_) => wrong(field, &format!("expected an integer from 0 to {MAX_AMOUNT}")),
            },
            Param::Currency(field) => match get(field) {
                Some(value) if value != "CNY" => wrong(field, "expected CNY"),
                _ => Ok(()),
            },
            Param::Url(field) => {
                Param::Text(field, 255).check_body(call, at, value)?;
                let text = get(field).and_then(Value::as_str).unwrap_or("");
                match url::Url::parse(text) {
                    Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                        wrong(field, "expected an https:// or http:// URL")
                    }
                    Ok(url) if url.query().is_some() => wrong(field, "expected a URL without a query"),
                    Ok(_) => Ok(()),
                    Err(_) => wrong(field, "expected a URL"),
                }
            }
            Param::OptionalTime(field) => match get(field) {
                Some(value) if value.as_str().and_then(clock::parse_rfc3339).is_none() => {
                    wrong(field, "expected a time such as 2018-06-08T10:34:56+08:00")
                }
                _ => Ok(()),
            },
            Param::Mchid(field) => {
                Param::Text(field, 32).check_body(call, at, value)?;
                check_mchid(
                    call,
                    "body",
                    &format!("{at}{field}"),
                    get(field).and_then(Value::as_str).unwrap_or(""),
                )
            }
            Param::OneOf(field, values) => {
                Param::Text(field, 64).check_body(call, at, value)?;
                let text = get(field).and_then(Value::as_str).unwrap_or("");
                if values.contains(&text) {
                    return Ok(());
                }
                wrong(field, &format!("expected one of {}", values.join(", ")))
            }
            Param::List(field, min, max, params) => match get(field) {
                None if min == 0 => Ok(()),
                None => absent(field),
                Some(Value::Array(list)) if (min..=max).contains(&list.len()) => {
                    list.iter().enumerate().try_for_each(|(index, element)| {
                        let at = format!("{at}{field}/{index}");
                        params.iter().try_for_each(|param| param.check_body(call, &at, element))
                    })
                }
                Some(_) => wrong(field, &format!("expected an array of {min} to {max} elements")),
            },
            Param::Either(first, second) => {
                let (first_result, second_result) = (
                    Param::Text(first, 128).check_body(call, at, value),
                    Param::Text(second, 128).check_body(call, at, value),
                );
                match (first_result, second_result) {
                    (Ok(()), _) | (_, Ok(())) => Ok(()),
                    (Err(error), _) if get(second).is_none() => Err(error),
                    (_, error) => error,
                }
            }
            Param::All(params) => params.iter().try_for_each(|param| param.check_body(call, at, value)),
            _ => Ok(()),
        }
    }
}

fn check_mchid(call: &Call<'_>, location: &str, field: &str, mchid: &str) -> Result<(), ErrorResponse> {
    let signer = &call.engine.identity.mchid;
    if mchid == signer {
        return Ok(());
    }
    Err(ErrorResponse::param_error(
        location,
        field,
        &format!("{mchid} is not the merchant {signer} who signed the request"),
    ))
}

fn missing(location: &str, field: &str) -> ErrorResponse {
    ErrorResponse::param_error(location, field, "required, but missing or empty")
}
