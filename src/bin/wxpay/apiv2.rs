//! What commands need to know of APIv2, the older interface: which calls are its, and what they cannot do.

use serde_json::{Number, Value};
use wechatpay_chain::ApiError;

/// Why `--sandbox` cannot be used.
pub(crate) const NO_SANDBOX: &str = "the sandbox speaks APIv3 only";

/// Why `--check` cannot be used.
pub(crate) const NO_CHECK: &str = "--check compares calls of APIv3 only";

/// What to write instead of an [`inexact_number`].
pub(crate) const WRITE_AS_TEXT: &str = "write it as a text: all values of APIv2 are texts";

/// Codes with which the platform leaves open whether the call is carried out: the page of each says to query it.
const UNDECIDED: [&str; 5] = ["SYSTEMERROR", "SYSTEM_ERROR", "BANKERROR", "USERPAYING", "PROCESSING"];

/// Whether a call of this path is one of APIv2, as the library decides it.
pub(crate) fn is_path(path: &str) -> bool {
    let first = path.trim_start_matches('/').split(['/', '?']).next();
    first.is_some_and(|first| first.eq_ignore_ascii_case("v2"))
}

/// Whether an error is a refusal in the XML of APIv2. Some are never signed.
pub(crate) fn is_refusal(error: &ApiError) -> bool {
    error.detail["return_code"].is_string()
}

/// Whether such a refusal leaves open whether the call is carried out. Its HTTP status is 200.
pub(crate) fn is_undecided(error: &ApiError) -> bool {
    is_refusal(error) && UNDECIDED.contains(&error.code.as_str())
}

/// A number among the values that may not have the digits any more that it was written with: one that is no integer, or too
/// long for one.
pub(crate) fn inexact_number(value: &Value) -> Option<&Number> {
    match value {
        Value::Number(number) if number.is_f64() => Some(number),
        Value::Array(list) => list.iter().find_map(inexact_number),
        Value::Object(fields) => fields.values().find_map(inexact_number),
        _ => None,
    }
}

/// Whether a saved message is one of APIv2: all of APIv3 are JSON.
pub(crate) fn is_message(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    body.starts_with(b"<xml") || body.starts_with(b"<?xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_known_by_its_first_segment() {
        for path in ["v2/pay/unifiedorder", "/v2/pay/orderquery", "V2/x", "v2?x=1", "v2"] {
            assert!(is_path(path), "{path}");
        }
        for path in ["v3/v2/x", "v22/x", "v3/merchant-service/complaints-v2", "https://example.com/v2/x", ""]
        {
            assert!(!is_path(path), "{path}");
        }
    }
}
