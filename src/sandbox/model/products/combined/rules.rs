//! The rules of combined orders. Their parts are ordinary orders and are refunded one by one.

use serde_json::{Value, json};

use super::COMBINED;
use crate::sandbox::{
    http::error_response::ErrorResponse,
    model::{
        engine::{Session, cents, describe, fields::put, schema::Transition, select, text},
        products::{
            DEFAULT_OPENID,
            orders::{self, CLOSE_PART, ORDER, ORDER_NO_USED, PAY_PART},
        },
    },
    store::documents::Document,
};

/// Creates the parts.
pub(crate) fn create_parts(session: &mut Session<'_>, combined: &mut Document) -> Result<(), ErrorResponse> {
    orders::rules::check_new(session, combined)?;
    let mut total = 0_i64;
    for (index, part) in parts(combined).into_iter().enumerate() {
        total = total.saturating_add(cents(&part, "/amount/total_amount"));
        let mut body =
            select(&part, &["mchid", "sub_mchid", "out_trade_no", "attach", "description", "settle_info"]);
        body["appid"] = combined.body["combine_appid"].clone();
        body["amount"] = json!({
            "total": part["amount"]["total_amount"],
            "currency": part["amount"]["currency"],
        });
        body["time_expire"] = combined.body["time_expire"].clone();
        let mut order = session.new_document(&ORDER, body, &[])?;
        order.body["trade_type"] = combined.body["trade_type"].clone();
        order.scope = scope(session, &part);
        if let Some(existing) =
            session.documents.by_merchant_no(ORDER.name, &order.scope, &order.merchant_no)?
        {
            let field = format!("/sub_orders/{index}/out_trade_no");
            let named = ErrorResponse::param_error("body", &field, "used by another order");
            let error = ORDER_NO_USED.response(&describe(&ORDER, &existing));
            return Err(ErrorResponse { detail: named.detail, ..error });
        }
        order.body["combined"] = json!(combined.merchant_no);
        session.save(&ORDER, &mut order)?;
    }
    combined.body["total"] = json!(total);
    Ok(())
}

/// Updates the parts, and the state that follows from them.
pub(crate) fn refresh(session: &mut Session<'_>, combined: &mut Document) -> Result<(), ErrorResponse> {
    let before = combined.body.clone();
    let mut current = Vec::new();
    for mut part in parts(combined) {
        if let Some(mut order) = order(session, &part)? {
            orders::rules::expire(session, &mut order)?;
            let changes = select(
                &order.body,
                &[
                    "trade_type",
                    "trade_state",
                    "trade_state_desc",
                    "bank_type",
                    "success_time",
                    "transaction_id",
                ],
            );
            if let (Some(part), Value::Object(changes)) = (part.as_object_mut(), changes) {
                part.extend(changes);
            }
            if order.settled_at.is_some() {
                put(&mut part, "/amount/payer_amount", order.body["amount"]["payer_total"].clone());
                put(&mut part, "/amount/payer_currency", order.body["amount"]["payer_currency"].clone());
            }
        }
        current.push(part);
    }
    if combined.state == "NOTPAY" && current.iter().any(|part| part["trade_state"] == "CLOSED") {
        combined.body["trade_state"] = json!("CLOSED");
    }
    combined.body["sub_orders"] = Value::Array(current);
    // Loading alone does not change the time of the last change.
    if combined.body == before { Ok(()) } else { session.save(&COMBINED, combined) }
}

pub(crate) fn pay_parts(session: &mut Session<'_>, combined: &mut Document) -> Result<(), ErrorResponse> {
    if text(&combined.body["combine_payer_info"], "openid").is_none() {
        combined.body["combine_payer_info"] = json!({ "openid": DEFAULT_OPENID });
    }
    transition_parts(session, combined, &PAY_PART)
}

pub(crate) fn close_parts(session: &mut Session<'_>, combined: &mut Document) -> Result<(), ErrorResponse> {
    let all = parts(combined);
    let requested = session.request_body["sub_orders"].as_array().cloned().unwrap_or_default();
    for (index, part) in requested.iter().enumerate() {
        if let Some(name) = difference(part, &all) {
            let field = format!("/sub_orders/{index}/{name}");
            return Err(ErrorResponse::param_error(
                "body",
                &field,
                "not that of a part of this combined order",
            ));
        }
    }
    if requested.len() != all.len() || !all.iter().all(|part| difference(part, &requested).is_none()) {
        return Err(ErrorResponse::param_error(
            "body",
            "/sub_orders",
            "must contain all parts of the combined order, each once",
        ));
    }
    transition_parts(session, combined, &CLOSE_PART)
}

/// The fields that identify a part. Merchants number their orders apart, so the number alone does not.
const IDENTITY: [&str; 3] = ["out_trade_no", "mchid", "sub_mchid"];

/// The first of these fields in which all parts of the list differ from this one; `None` if one is the same.
fn difference(part: &Value, list: &[Value]) -> Option<&'static str> {
    let mut same: Vec<&Value> = list.iter().collect();
    IDENTITY.into_iter().find(|name| {
        same.retain(|other| other.get(name) == part.get(name));
        same.is_empty()
    })
}

fn transition_parts(
    session: &mut Session<'_>,
    combined: &mut Document,
    transition: &Transition,
) -> Result<(), ErrorResponse> {
    for part in parts(combined) {
        if let Some(mut order) = order(session, &part)? {
            session.transition(&ORDER, &mut order, transition)?;
        }
    }
    combined.state = text(&combined.body, "trade_state").unwrap_or_default().into();
    refresh(session, combined)
}

pub(crate) fn parts(combined: &Document) -> Vec<Value> {
    combined.body["sub_orders"].as_array().cloned().unwrap_or_default()
}

/// The order of a part.
pub(crate) fn order(session: &Session<'_>, part: &Value) -> Result<Option<Document>, ErrorResponse> {
    let number = text(part, "out_trade_no").unwrap_or_default();
    session.documents.by_merchant_no(ORDER.name, &scope(session, part), number)
}

/// A part can belong to a sub-merchant or to another merchant.
fn scope(session: &Session<'_>, part: &Value) -> String {
    let mchid = text(part, "mchid").filter(|mchid| *mchid != session.engine.identity.mchid);
    text(part, "sub_mchid").or(mchid).unwrap_or_default().into()
}
