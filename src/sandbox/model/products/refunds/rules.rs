//! Rules of refunds.

use serde_json::json;

use super::{
    super::{
        catalogue::{Code, NOT_FOUND, ORDER, REFUND},
        refusal::Refusal,
        store::Document,
    },
    Flow, cents, described, orders, text,
};

const UNPAID: Code = Code::new(400, "INVALID_REQUEST", "订单未支付，不能退款");
const NOT_ENOUGH: Code = Code::new(403, "NOT_ENOUGH", "可退金额不足");

/// Checks it against the order, which is one with a refund from now on.
pub(crate) fn begin(flow: &mut Flow<'_>, refund: &mut Document) -> Result<(), Refusal> {
    let mut order = order(flow, refund)?;
    orders::expire(flow, &mut order)?;
    let Some(transaction) = text(&order.body, "transaction_id").map(String::from) else {
        return Err(UNPAID.refusal(&described(&ORDER, &order)));
    };
    let (total, wanted) = (cents(&order.body, "/amount/total"), cents(&refund.body, "/amount/refund"));
    if cents(&refund.body, "/amount/total") != total {
        return Err(Refusal::param("body", "/amount/total", &format!("the order's total is {total}")));
    }
    if refund.body["amount"]["currency"] != order.body["amount"]["currency"] {
        let issue = format!("the order's currency is {}", order.body["amount"]["currency"]);
        return Err(Refusal::param("body", "/amount/currency", &issue));
    }
    if wanted > total {
        return Err(Refusal::param("body", "/amount/refund", "more than the order's total"));
    }
    let others = flow.documents.children(REFUND.name, &transaction)?;
    let counts = |refund: &&Document| !matches!(refund.state.as_str(), "CLOSED" | "ABNORMAL");
    let gone: i64 = others.iter().filter(counts).map(|refund| cents(&refund.body, "/amount/refund")).sum();
    if wanted > total - gone {
        let named =
            Refusal::param("body", "/amount/refund", &format!("{} of {total} are left", total - gone));
        return Err(Refusal { detail: named.detail, ..NOT_ENOUGH.refusal(&named.message) });
    }
    refund.body["transaction_id"] = json!(transaction);
    refund.body["out_trade_no"] = json!(order.number);
    if let Some(provider) = order.body.get("sp_mchid") {
        refund.body["sp_mchid"] = provider.clone();
    }
    order.body["trade_state"] = json!("REFUND");
    order.body["trade_state_desc"] = json!("转入退款");
    if order.body.get("unsplit_amount").is_some() {
        order.body["unsplit_amount"] = json!((cents(&order.body, "/unsplit_amount") - wanted).max(0));
    }
    flow.save(&ORDER, &mut order)
}

fn order(flow: &Flow<'_>, refund: &Document) -> Result<Document, Refusal> {
    let given = |name| text(&refund.body, name).filter(|text| !text.is_empty());
    let (transaction, number) = (given("transaction_id"), given("out_trade_no"));
    let found = match (transaction, number) {
        (Some(transaction), _) => flow.documents.owned(ORDER.name, flow.scope, transaction)?,
        (None, number) => flow.documents.numbered(ORDER.name, flow.scope, number.unwrap_or_default())?,
    };
    let name = transaction.or(number).unwrap_or_default();
    let order = found.ok_or_else(|| NOT_FOUND.refusal(&format!("there is no order {name}")))?;
    if number.is_some_and(|number| number != order.number) {
        let issue = format!("the order of this transaction_id is {}", order.number);
        return Err(Refusal::param("body", "/out_trade_no", &issue));
    }
    Ok(order)
}
