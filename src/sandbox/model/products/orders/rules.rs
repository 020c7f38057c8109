//! The rules of orders.

use serde_json::{Value, json};

use super::{ORDER, code};
use crate::sandbox::{
    http::{clock::parse_rfc3339, error_response::ErrorResponse},
    model::{
        engine::{Session, error_code::WRONG_STATE, text},
        products::DEFAULT_OPENID,
    },
    store::documents::Document,
};

/// Checks a new order, or combined order.
pub(crate) fn check_new(session: &mut Session<'_>, order: &mut Document) -> Result<(), ErrorResponse> {
    forget_identity(order);
    if is_expired(session, order) {
        return Err(ErrorResponse::param_error("body", "/time_expire", "is in the past"));
    }
    code::check_code(session, order)
}

/// Who must pay (`identity`) is only for the platform to check: no query returns it.
fn forget_identity(order: &mut Document) {
    let Some(fields) = order.body.as_object_mut() else { return };
    for name in ["payer", "combine_payer_info"] {
        let Some(payer) = fields.get_mut(name).and_then(Value::as_object_mut) else { continue };
        payer.shift_remove("identity");
        if payer.is_empty() {
            fields.shift_remove(name);
        }
    }
}

/// Closes an order whose time has expired. This happens when it is loaded.
pub(crate) fn expire(session: &mut Session<'_>, order: &mut Document) -> Result<(), ErrorResponse> {
    if order.state == "NOTPAY" && is_expired(session, order) {
        order.body["trade_state"] = json!("CLOSED");
        order.body["trade_state_desc"] = json!("订单已关闭");
        session.save(&ORDER, order)?;
    }
    Ok(())
}

fn is_expired(session: &Session<'_>, order: &Document) -> bool {
    text(&order.body, "time_expire").and_then(parse_rfc3339).is_some_and(|expire| expire <= session.now)
}

pub(crate) fn set_payer(session: &mut Session<'_>, order: &mut Document) -> Result<(), ErrorResponse> {
    reject_part(session, order)?;
    let is_known = |name: &&str| order.body.pointer(&format!("/payer/{name}")).is_some_and(Value::is_string);
    if !["openid", "sp_openid", "sub_openid"].iter().any(is_known) {
        let openid = if order.body.get("sp_mchid").is_some() { "sp_openid" } else { "openid" };
        order.body["payer"] = json!({ openid: DEFAULT_OPENID });
    }
    freeze_for_sharing(session, order)
}

/// Freezes the amount of an order that is marked for profit sharing.
pub(crate) fn freeze_for_sharing(_: &mut Session<'_>, order: &mut Document) -> Result<(), ErrorResponse> {
    if order.body.pointer("/settle_info/profit_sharing") == Some(&json!(true)) {
        order.body["unsplit_amount"] = order.body["amount"]["total"].clone();
    }
    Ok(())
}

/// A part of a combined order can only be paid and closed together with it.
pub(crate) fn reject_part(_: &mut Session<'_>, order: &mut Document) -> Result<(), ErrorResponse> {
    match text(&order.body, "combined") {
        Some(number) => Err(WRONG_STATE.response(&format!("it is part of the combined order {number}"))),
        None => Ok(()),
    }
}
