//! The rules of refunds.

use serde_json::json;

use super::REFUND;
use crate::sandbox::{
    http::error_response::ErrorResponse,
    model::{
        engine::{
            Session, cents, describe,
            error_code::{ErrorCode, NOT_FOUND},
            text,
        },
        products::orders::{self, ORDER},
    },
    store::documents::Document,
};

const UNPAID: ErrorCode = ErrorCode::new(400, "INVALID_REQUEST", "订单未支付，不能退款");
const NOT_ENOUGH: ErrorCode = ErrorCode::new(403, "NOT_ENOUGH", "可退金额不足");

/// Checks the refund against its order, and marks the order as refunded.
pub(crate) fn check_and_deduct(
    session: &mut Session<'_>,
    refund: &mut Document,
) -> Result<(), ErrorResponse> {
    let mut order = order(session, refund)?;
    orders::rules::expire(session, &mut order)?;
    let paid = text(&order.body, "transaction_id").filter(|_| order.state != "REVOKED");
    let Some(transaction) = paid.map(String::from) else {
        return Err(UNPAID.response(&describe(&ORDER, &order)));
    };
    let (total, amount) = (cents(&order.body, "/amount/total"), cents(&refund.body, "/amount/refund"));
    if cents(&refund.body, "/amount/total") != total {
        return Err(ErrorResponse::param_error(
            "body",
            "/amount/total",
            &format!("the order's total is {total}"),
        ));
    }
    if refund.body["amount"]["currency"] != order.body["amount"]["currency"] {
        let issue = format!("the order's currency is {}", order.body["amount"]["currency"]);
        return Err(ErrorResponse::param_error("body", "/amount/currency", &issue));
    }
    if amount > total {
        return Err(ErrorResponse::param_error("body", "/amount/refund", "more than the order's total"));
    }
    let others = session.documents.children(REFUND.name, &transaction)?;
    let refunded: i64 =
        others.iter().filter(is_effective).map(|refund| cents(&refund.body, "/amount/refund")).sum();
    if amount > total - refunded {
        let issue = format!("{} of {total} can still be refunded", total - refunded);
        return Err(NOT_ENOUGH.field_response("/amount/refund", &issue));
    }
    refund.body["transaction_id"] = json!(transaction);
    refund.body["out_trade_no"] = json!(order.merchant_no);
    if let Some(provider) = order.body.get("sp_mchid") {
        refund.body["sp_mchid"] = provider.clone();
    }
    order.body["trade_state"] = json!("REFUND");
    order.body["trade_state_desc"] = json!("转入退款");
    if order.body.get("unsplit_amount").is_some() {
        // What is not frozen any more comes from the merchant's balance.
        let frozen = cents(&order.body, "/unsplit_amount").min(amount);
        order.body["unsplit_amount"] = json!(cents(&order.body, "/unsplit_amount") - frozen);
        refund.body["from_frozen"] = json!(frozen);
    }
    session.save(&ORDER, &mut order)
}

/// A closed refund does not count. An abnormal one does: it can still be paid to another account.
fn is_effective(refund: &&Document) -> bool {
    refund.state != "CLOSED"
}

/// The payer's other bank card must be named.
pub(crate) fn check_card(session: &mut Session<'_>, refund: &mut Document) -> Result<(), ErrorResponse> {
    let missing = |name: &&&str| text(session.request_body, name).is_none_or(str::is_empty);
    match ["bank_type", "bank_account", "real_name"].iter().find(missing) {
        Some(name) if text(&refund.body, "type") == Some("USER_BANK_CARD") => {
            let issue = "required for USER_BANK_CARD, but missing or empty";
            Err(ErrorResponse::param_error("body", &format!("/{name}"), issue))
        }
        _ => Ok(()),
    }
}

/// Undoes the deduction of a refund that is closed.
pub(crate) fn give_back(session: &mut Session<'_>, refund: &mut Document) -> Result<(), ErrorResponse> {
    let transaction = refund.parent_id.clone().unwrap_or_default();
    let Some(mut order) = session.documents.by_platform_id(ORDER.name, &refund.scope, &transaction)? else {
        return Ok(());
    };
    let others = session.documents.children(REFUND.name, &transaction)?;
    if !others.iter().filter(is_effective).any(|other| other.seq != refund.seq) {
        order.body["trade_state"] = json!("SUCCESS");
        order.body["trade_state_desc"] = json!("支付成功");
    }
    if order.body.get("unsplit_amount").is_some() {
        let frozen = cents(&refund.body, "/from_frozen");
        order.body["unsplit_amount"] = json!(cents(&order.body, "/unsplit_amount") + frozen);
    }
    session.save(&ORDER, &mut order)
}

fn order(session: &Session<'_>, refund: &Document) -> Result<Document, ErrorResponse> {
    let given = |name| text(&refund.body, name).filter(|text| !text.is_empty());
    let (transaction, number) = (given("transaction_id"), given("out_trade_no"));
    let found = match (transaction, number) {
        (Some(transaction), _) => session.documents.by_platform_id(ORDER.name, session.scope, transaction)?,
        (None, number) => {
            session.documents.by_merchant_no(ORDER.name, session.scope, number.unwrap_or_default())?
        }
    };
    let name = transaction.or(number).unwrap_or_default();
    let order = found.ok_or_else(|| NOT_FOUND.response(&format!("there is no order {name}")))?;
    if number.is_some_and(|number| number != order.merchant_no) {
        let issue = format!("the order of this transaction_id is {}", order.merchant_no);
        return Err(ErrorResponse::param_error("body", "/out_trade_no", &issue));
    }
    Ok(order)
}
