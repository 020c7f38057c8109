//! The rules of profit sharing.

use serde_json::{Value, json};

use super::{PROFIT_SHARE, RECEIVER, SHARE_RETURN};
use crate::sandbox::{
    http::{clock::beijing_time, error_response::ErrorResponse},
    model::{
        engine::{
            Session, cents,
            error_code::{ErrorCode, NOT_FOUND},
            fields::put,
            text,
        },
        products::orders::ORDER,
    },
    store::documents::Document,
};

const NOT_SHARED: ErrorCode = ErrorCode::new(400, "INVALID_REQUEST", "非分账订单不支持分账");
const NOT_ENOUGH: ErrorCode = ErrorCode::new(403, "NOT_ENOUGH", "可用金额不足");

/// What a receiver needs depends on its type and relation (PROTOCOL, What integrators ran into).
pub(crate) fn check_receiver(_: &mut Session<'_>, receiver: &mut Document) -> Result<(), ErrorResponse> {
    let needs = [
        ("type", "MERCHANT_ID", "name", "required for a merchant: its full name, encrypted"),
        ("type", "PERSONAL_SUB_OPENID", "sub_appid", "required for an openid of the sub-merchant's app"),
        ("relation_type", "CUSTOM", "custom_relation", "required for the relation CUSTOM"),
    ];
    for (field, value, needed, issue) in needs {
        if text(&receiver.body, field) == Some(value)
            && text(&receiver.body, needed).is_none_or(str::is_empty)
        {
            return Err(ErrorResponse::param_error("body", &format!("/{needed}"), issue));
        }
    }
    Ok(())
}

/// Deducts the shares from the frozen amount of the order. `unfreeze_unsplit` gives the rest to the merchant.
pub(crate) fn deduct_shares(session: &mut Session<'_>, share: &mut Document) -> Result<(), ErrorResponse> {
    let transaction = text(&share.body, "transaction_id").unwrap_or_default();
    let order = session.documents.by_platform_id(ORDER.name, session.scope, transaction)?;
    let mut order = order.ok_or_else(|| NOT_FOUND.response(&format!("there is no order {transaction}")))?;
    let Some(frozen) = order.body.get("unsplit_amount").and_then(Value::as_i64) else {
        return Err(
            NOT_SHARED.response(&format!("order {} has no settle_info.profit_sharing", order.merchant_no))
        );
    };
    let mut receivers = share.body["receivers"].as_array().cloned().unwrap_or_default();
    for (index, receiver) in receivers.iter().enumerate() {
        let account = text(receiver, "account").unwrap_or_default();
        let known = session.documents.by_merchant_no(RECEIVER.name, session.scope, account)?;
        if known.is_none_or(|known| known.body["type"] != receiver["type"]) {
            let field = format!("/receivers/{index}/account");
            return Err(ErrorResponse::param_error("body", &field, "is not a receiver of this type"));
        }
    }
    let total = receivers.iter().fold(0_i64, |sum, receiver| sum.saturating_add(cents(receiver, "/amount")));
    if total > frozen {
        let issue = format!("{total} requested, but only {frozen} available");
        return Err(NOT_ENOUGH.field_response("/receivers", &issue));
    }
    let mut remaining = frozen - total;
    if share.body["unfreeze_unsplit"] == json!(true) && remaining > 0 {
        receivers.push(json!({
            "type": "MERCHANT_ID",
            "account": payee(session),
            "amount": remaining,
            "description": "解冻给分账方",
        }));
        remaining = 0;
    }
    for receiver in &mut receivers {
        // The platform checks the name, and no response has it.
        receiver.as_object_mut().and_then(|fields| fields.shift_remove("name"));
        put(receiver, "/result", json!("PENDING"));
        put(receiver, "/detail_id", json!(session.dated_number("3601", 28)?));
        put(receiver, "/create_time", json!(beijing_time(session.now)));
    }
    share.body["receivers"] = Value::Array(receivers);
    share.body["total"] = json!(frozen - remaining);
    // What leaves the payee's account.
    share.body["shared"] = json!(total);
    order.body["unsplit_amount"] = json!(remaining);
    session.save(&ORDER, &mut order)
}

pub(crate) fn finish(session: &mut Session<'_>, share: &mut Document) -> Result<(), ErrorResponse> {
    for receiver in share.body["receivers"].as_array_mut().into_iter().flatten() {
        put(receiver, "/result", json!("SUCCESS"));
        put(receiver, "/finish_time", json!(beijing_time(session.now)));
    }
    Ok(())
}

/// Who has the order's money: the sub-merchant, or the merchant.
fn payee<'a>(session: &'a Session<'_>) -> &'a str {
    if session.scope.is_empty() { &session.engine.identity.mchid } else { session.scope }
}

/// A receiver cannot return more than it received.
pub(crate) fn check_return(
    session: &mut Session<'_>,
    share_return: &mut Document,
) -> Result<(), ErrorResponse> {
    let given = |name| text(&share_return.body, name).unwrap_or_default();
    let (order_id, out_order_no, account) = (given("order_id"), given("out_order_no"), given("return_mchid"));
    let share = match order_id {
        "" => session.documents.by_merchant_no(PROFIT_SHARE.name, session.scope, out_order_no)?,
        order_id => session.documents.by_platform_id(PROFIT_SHARE.name, session.scope, order_id)?,
    };
    let share = share
        .ok_or_else(|| NOT_FOUND.response(&format!("there is no profit share {order_id}{out_order_no}")))?;
    let amounts = |list: &[Value], field: &str| -> i64 {
        list.iter().filter(|one| one[field] == account).map(|one| cents(one, "/amount")).sum()
    };
    let received = amounts(share.body["receivers"].as_array().map_or(&[], Vec::as_slice), "account");
    // What was unfrozen for the payee is no share that it could return.
    if received == 0 || account == payee(session) {
        return Err(ErrorResponse::param_error(
            "body",
            "/return_mchid",
            "received nothing of this profit share",
        ));
    }
    let id = share.platform_id.clone().unwrap_or_default();
    let earlier: Vec<Value> =
        session.documents.children(SHARE_RETURN.name, &id)?.into_iter().map(|earlier| earlier.body).collect();
    let remaining = received - amounts(&earlier, "return_mchid");
    if cents(&share_return.body, "/amount") > remaining {
        let issue = format!("{remaining} of {received} can still be returned");
        return Err(NOT_ENOUGH.field_response("/amount", &issue));
    }
    share_return.settled_at = Some(session.now);
    share_return.body["order_id"] = json!(id);
    share_return.body["out_order_no"] = json!(share.merchant_no);
    Ok(())
}
