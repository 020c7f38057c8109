//! Rules of orders.

use serde_json::{Value, json};

use super::{
    super::{catalogue::ORDER, catalogue::WRONG_STATE, clock, refusal::Refusal, store::Document},
    Flow,
    services::OPENID,
    text,
};

pub(crate) fn begin(flow: &mut Flow<'_>, order: &mut Document) -> Result<(), Refusal> {
    if is_over(flow, order) {
        return Err(Refusal::param("body", "/time_expire", "is over already"));
    }
    Ok(())
}

/// An order whose time is over is closed; that is found out when somebody looks.
pub(crate) fn expire(flow: &mut Flow<'_>, order: &mut Document) -> Result<(), Refusal> {
    if order.state == "NOTPAY" && is_over(flow, order) {
        order.body["trade_state"] = json!("CLOSED");
        order.body["trade_state_desc"] = json!("订单已关闭");
        flow.save(&ORDER, order)?;
    }
    Ok(())
}

fn is_over(flow: &Flow<'_>, order: &Document) -> bool {
    text(&order.body, "time_expire").and_then(clock::unix).is_some_and(|expire| expire <= flow.now)
}

pub(crate) fn payer(flow: &mut Flow<'_>, order: &mut Document) -> Result<(), Refusal> {
    alone(flow, order)?;
    let who = if order.body.get("sp_mchid").is_some() { "sp_openid" } else { "openid" };
    if !order.body.get("payer").is_some_and(Value::is_object) {
        order.body["payer"] = json!({ who: OPENID });
    }
    frozen(flow, order)
}

/// What is to be shared waits, and so do the parts of a combined order, each by itself.
pub(crate) fn frozen(_: &mut Flow<'_>, order: &mut Document) -> Result<(), Refusal> {
    if order.body.pointer("/settle_info/profit_sharing") == Some(&json!(true)) {
        order.body["unsplit_amount"] = order.body["amount"]["total"].clone();
    }
    Ok(())
}

/// A part of a combined order is paid and closed with it.
pub(crate) fn alone(_: &mut Flow<'_>, order: &mut Document) -> Result<(), Refusal> {
    match text(&order.body, "combined") {
        Some(number) => Err(WRONG_STATE.refusal(&format!("it is part of the combined order {number}"))),
        None => Ok(()),
    }
}
