//! Rules of profit sharing.

use serde_json::{Value, json};

use super::{
    super::{
        catalogue::{Code, NOT_FOUND, ORDER, RECEIVER, RETURN, SHARE},
        clock::beijing,
        refusal::Refusal,
        store::Document,
    },
    Flow, cents,
    fill::put,
    text,
};

const NOT_SHARED: Code = Code::new(400, "INVALID_REQUEST", "非分账订单不支持分账");
const NOT_ENOUGH: Code = Code::new(403, "NOT_ENOUGH", "可用金额不足");

/// Takes the shares from what the order still holds. Without receivers, all that is left goes to the merchant.
pub(crate) fn begin(flow: &mut Flow<'_>, share: &mut Document) -> Result<(), Refusal> {
    let transaction = text(&share.body, "transaction_id").unwrap_or_default();
    let order = flow.documents.owned(ORDER.name, flow.scope, transaction)?;
    let mut order = order.ok_or_else(|| NOT_FOUND.refusal(&format!("there is no order {transaction}")))?;
    let Some(held) = order.body.get("unsplit_amount").and_then(Value::as_i64) else {
        return Err(NOT_SHARED.refusal(&format!("order {} has no settle_info.profit_sharing", order.number)));
    };
    let mut receivers = share.body["receivers"].as_array().cloned().unwrap_or_default();
    for (index, receiver) in receivers.iter().enumerate() {
        let account = text(receiver, "account").unwrap_or_default();
        let known = flow.documents.numbered(RECEIVER.name, flow.scope, account)?;
        if known.is_none_or(|known| known.body["type"] != receiver["type"]) {
            let field = format!("/receivers/{index}/account");
            return Err(Refusal::param("body", &field, "was not added as a receiver of this type"));
        }
    }
    let total = receivers.iter().fold(0_i64, |sum, receiver| sum.saturating_add(cents(receiver, "/amount")));
    if total > held {
        let named = Refusal::param("body", "/receivers", &format!("{total} wanted, {held} left"));
        return Err(Refusal { detail: named.detail, ..NOT_ENOUGH.refusal(&named.message) });
    }
    let mut left = held - total;
    if share.body["unfreeze_unsplit"] == json!(true) && left > 0 {
        receivers.push(json!({
            "type": "MERCHANT_ID",
            "account": flow.platform.identity.mchid,
            "amount": left,
            "description": "解冻给分账方",
        }));
        left = 0;
    }
    for receiver in &mut receivers {
        put(receiver, "/result", json!("PENDING"));
        put(receiver, "/detail_id", json!(flow.number("3601", 28)?));
        put(receiver, "/create_time", json!(beijing(flow.now)));
    }
    share.body["receivers"] = Value::Array(receivers);
    share.body["total"] = json!(held - left);
    order.body["unsplit_amount"] = json!(left);
    flow.save(&ORDER, &mut order)
}

pub(crate) fn finish(flow: &mut Flow<'_>, share: &mut Document) -> Result<(), Refusal> {
    for receiver in share.body["receivers"].as_array_mut().into_iter().flatten() {
        put(receiver, "/result", json!("SUCCESS"));
        put(receiver, "/finish_time", json!(beijing(flow.now)));
    }
    Ok(())
}

/// A receiver gives back no more than it got.
pub(crate) fn give_back(flow: &mut Flow<'_>, back: &mut Document) -> Result<(), Refusal> {
    let given = |name| text(&back.body, name).unwrap_or_default();
    let (own, number, account) = (given("order_id"), given("out_order_no"), given("return_mchid"));
    let share = match own {
        "" => flow.documents.numbered(SHARE.name, flow.scope, number)?,
        own => flow.documents.owned(SHARE.name, flow.scope, own)?,
    };
    let share = share.ok_or_else(|| NOT_FOUND.refusal(&format!("there is no share {own}{number}")))?;
    let amounts = |list: &[Value], field: &str| -> i64 {
        list.iter().filter(|one| one[field] == account).map(|one| cents(one, "/amount")).sum()
    };
    let got = amounts(share.body["receivers"].as_array().map_or(&[], Vec::as_slice), "account");
    if got == 0 {
        return Err(Refusal::param("body", "/return_mchid", "got nothing of this share"));
    }
    let id = share.own.clone().unwrap_or_default();
    let earlier: Vec<Value> =
        flow.documents.children(RETURN.name, &id)?.into_iter().map(|earlier| earlier.body).collect();
    let left = got - amounts(&earlier, "return_mchid");
    if cents(&back.body, "/amount") > left {
        let named = Refusal::param("body", "/amount", &format!("{left} of {got} are left"));
        return Err(Refusal { detail: named.detail, ..NOT_ENOUGH.refusal(&named.message) });
    }
    back.body["order_id"] = json!(id);
    back.body["out_order_no"] = json!(share.number);
    Ok(())
}
