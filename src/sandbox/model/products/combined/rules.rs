//! Rules of combined orders: their parts are orders like any other, and are refunded one by one.

use serde_json::{Value, json};

use super::{
    super::{
        catalogue::{CLOSE_PART, COMBINED, ORDER, PAY_PART, Step, USED},
        refusal::Refusal,
        store::Document,
    },
    Flow, cents, described,
    fill::put,
    orders, pick,
    services::OPENID,
    text,
};

/// Makes the parts.
pub(crate) fn begin(flow: &mut Flow<'_>, combined: &mut Document) -> Result<(), Refusal> {
    orders::begin(flow, combined)?;
    let mut total = 0_i64;
    for (index, part) in parts(combined).into_iter().enumerate() {
        total = total.saturating_add(cents(&part, "/amount/total_amount"));
        let mut body =
            pick(&part, &["mchid", "sub_mchid", "out_trade_no", "attach", "description", "settle_info"]);
        body["appid"] = combined.body["combine_appid"].clone();
        body["amount"] = json!({
            "total": part["amount"]["total_amount"],
            "currency": part["amount"]["currency"],
        });
        for name in ["trade_type", "time_expire"] {
            body[name] = combined.body[name].clone();
        }
        let mut order = flow.fresh(&ORDER, body, &[])?;
        order.scope = scope(flow, &part);
        if let Some(old) = flow.documents.numbered(ORDER.name, &order.scope, &order.number)? {
            let field = format!("/sub_orders/{index}/out_trade_no");
            let named = Refusal::param("body", &field, "used by another order");
            return Err(Refusal { detail: named.detail, ..USED.refusal(&described(&ORDER, &old)) });
        }
        order.body["combined"] = json!(combined.number);
        flow.save(&ORDER, &mut order)?;
    }
    combined.body["total"] = json!(total);
    Ok(())
}

/// Its parts as they are now, and its own state with them.
pub(crate) fn load(flow: &mut Flow<'_>, combined: &mut Document) -> Result<(), Refusal> {
    let before = combined.body.clone();
    let mut now = Vec::new();
    for mut part in parts(combined) {
        if let Some(mut order) = order(flow, &part)? {
            orders::expire(flow, &mut order)?;
            let news = pick(
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
            if let (Some(part), Value::Object(news)) = (part.as_object_mut(), news) {
                part.extend(news);
            }
            if order.settled.is_some() {
                put(&mut part, "/amount/payer_amount", order.body["amount"]["payer_total"].clone());
                put(&mut part, "/amount/payer_currency", order.body["amount"]["payer_currency"].clone());
            }
        }
        now.push(part);
    }
    if combined.state == "NOTPAY" && now.iter().any(|part| part["trade_state"] == "CLOSED") {
        combined.body["trade_state"] = json!("CLOSED");
    }
    combined.body["sub_orders"] = Value::Array(now);
    // A look changes nothing by itself.
    if combined.body == before { Ok(()) } else { flow.save(&COMBINED, combined) }
}

pub(crate) fn pay(flow: &mut Flow<'_>, combined: &mut Document) -> Result<(), Refusal> {
    if text(&combined.body["combine_payer_info"], "openid").is_none() {
        combined.body["combine_payer_info"] = json!({ "openid": OPENID });
    }
    each(flow, combined, &PAY_PART)
}

pub(crate) fn close(flow: &mut Flow<'_>, combined: &mut Document) -> Result<(), Refusal> {
    let all = parts(combined);
    let asked = flow.given["sub_orders"].as_array().cloned().unwrap_or_default();
    let is_in =
        |list: &[Value], part: &Value| list.iter().any(|other| other["out_trade_no"] == part["out_trade_no"]);
    if let Some(index) = asked.iter().position(|part| !is_in(&all, part)) {
        let field = format!("/sub_orders/{index}/out_trade_no");
        return Err(Refusal::param("body", &field, "no part of this combined order"));
    }
    if !all.iter().all(|part| is_in(&asked, part)) {
        return Err(Refusal::param("body", "/sub_orders", "expected every part of the combined order"));
    }
    each(flow, combined, &CLOSE_PART)
}

fn each(flow: &mut Flow<'_>, combined: &mut Document, step: &Step) -> Result<(), Refusal> {
    for part in parts(combined) {
        if let Some(mut order) = order(flow, &part)? {
            flow.step(&ORDER, &mut order, step)?;
        }
    }
    combined.state = text(&combined.body, "trade_state").unwrap_or_default().into();
    load(flow, combined)
}

fn parts(combined: &Document) -> Vec<Value> {
    combined.body["sub_orders"].as_array().cloned().unwrap_or_default()
}

fn order(flow: &Flow<'_>, part: &Value) -> Result<Option<Document>, Refusal> {
    let number = text(part, "out_trade_no").unwrap_or_default();
    flow.documents.numbered(ORDER.name, &scope(flow, part), number)
}

/// A part may belong to a sub-merchant, or to another merchant.
fn scope(flow: &Flow<'_>, part: &Value) -> String {
    let mchid = text(part, "mchid").filter(|mchid| *mchid != flow.platform.identity.mchid);
    text(part, "sub_mchid").or(mchid).unwrap_or_default().into()
}
