//! Rules of payscore.

use serde_json::{Value, json};

use super::{
    super::{catalogue::PERMISSION, refusal::Refusal, store::Document},
    Flow, cents, text,
};

/// The user, unless the request names one.
pub(crate) const OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";

/// The total must be what the parts come to. With nothing to pay, the order is done.
pub(crate) fn charge(_: &mut Flow<'_>, service: &mut Document) -> Result<(), Refusal> {
    let sum = |name: &str| -> i64 {
        let list = service.body.get(name).and_then(Value::as_array);
        list.map_or(0, |list| list.iter().fold(0, |sum, item| sum.saturating_add(cents(item, "/amount"))))
    };
    let due = sum("post_payments").saturating_sub(sum("post_discounts"));
    let total = cents(&service.body, "/total_amount");
    if total != due {
        let issue = format!("post_payments less post_discounts are {due}");
        return Err(Refusal::param("body", "/total_amount", &issue));
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

/// A user has one permission for a service: an older one is found by its code only.
pub(crate) fn only_permission(flow: &mut Flow<'_>, permission: &mut Document) -> Result<(), Refusal> {
    let user = text(&permission.body, PERMISSION.own).unwrap_or_default();
    if let Some(mut old) = flow.documents.owned(PERMISSION.name, &permission.scope, user)? {
        old.body[PERMISSION.own] = Value::Null;
        flow.save(&PERMISSION, &mut old)?;
    }
    Ok(())
}
