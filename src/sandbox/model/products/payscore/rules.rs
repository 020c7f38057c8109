//! The rules of PayScore.

use serde_json::{Value, json};

use crate::sandbox::{
    http::error_response::ErrorResponse,
    model::engine::{Session, cents},
    store::documents::Document,
};

/// The total must be the sum of the parts, and within the agreed risk. An order without an amount is done.
pub(crate) fn check_total(_: &mut Session<'_>, service: &mut Document) -> Result<(), ErrorResponse> {
    let sum = |name: &str| -> i64 {
        let list = service.body.get(name).and_then(Value::as_array);
        list.map_or(0, |list| list.iter().fold(0, |sum, item| sum.saturating_add(cents(item, "/amount"))))
    };
    let due = sum("post_payments").saturating_sub(sum("post_discounts"));
    let total = cents(&service.body, "/total_amount");
    if total != due {
        let issue = format!("post_payments minus post_discounts is {due}");
        return Err(ErrorResponse::param_error("body", "/total_amount", &issue));
    }
    let risk = cents(&service.body, "/risk_fund/amount");
    if total > risk {
        let issue = format!("more than the amount of risk_fund, {risk}");
        return Err(ErrorResponse::param_error("body", "/total_amount", &issue));
    }
    if total == 0 {
        for (name, value) in [("phase", "DONE"), ("state", "DONE")] {
            service.body[name] = json!(value);
        }
        service.body["need_collection"] = json!(false);
        service.body["state_description"] = Value::Null;
        service.body["collection"] = Value::Null;
    }
    Ok(())
}
