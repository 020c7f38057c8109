//! Code payments (付款码支付): the merchant scans the code that the user shows. The response has the result, there is no
//! notification, and the merchant can reverse the order.

use http::Method;
use serde_json::json;

use super::{BY_NUMBER, CLOSED, ORDER, PAID, pay, rules};
use crate::sandbox::{
    http::error_response::ErrorResponse,
    model::engine::{
        Session, cents, describe,
        error_code::{ErrorCode, NOT_FOUND, WRONG_STATE},
        holds::Hold,
        rules::Rule,
        schema::{Action, Assignment, Endpoint, FieldValue, ResourceType, Transition, no_rule, set},
        text,
    },
    store::documents::Document,
};

const CODE_INVALID: ErrorCode = ErrorCode::new(400, "AUTH_CODE_INVALID", "付款码无效");
const TOO_LATE: ErrorCode = ErrorCode::new(400, "REVERSE_EXPIRE", "订单无法撤销");

/// An order can be reversed for this long after its payment, in seconds: seven days.
const REVERSIBLE: i64 = 7 * 86_400;

/// The money of a paid order that was reversed goes back to the payer: an entry of the bills, and no refund of the
/// merchant's.
pub(crate) static REVERSAL: ResourceType = ResourceType {
    name: "reversal",
    merchant_no: "out_trade_no",
    platform_id: "refund_id",
    parent_id: "transaction_id",
    state: "status",
    amount: "/amount/refund",
    initial: &[
        set("/status", FieldValue::Text("SUCCESS")),
        set("/refund_id", FieldValue::DatedNumber("50", 28)),
        set("/create_time", FieldValue::Now),
        set("/success_time", FieldValue::Now),
        set("/channel", FieldValue::Text("ORIGINAL")),
    ],
    idempotency_fields: &[],
    conflict: WRONG_STATE,
    terminal_states: &[],
    not_found: NOT_FOUND,
    must_match: &[],
    on_create: no_rule,
    on_load: no_rule,
};

/// At once, unless the user is asked for a password.
static PAY_BY_CODE: Transition =
    Transition { hold: Some(Hold::CodePayments), at_once: true, notification: None, ..pay(rules::set_payer) };

/// The user does not enter the password, or has no money.
pub(crate) static FAIL_PAYMENT: Transition = Transition {
    errors: &[("SUCCESS", PAID), ("REFUND", PAID), ("REVOKED", CLOSED)],
    ..Transition::new(&["USERPAYING"], "PAYERROR", &[set("/trade_state_desc", FieldValue::Text("支付失败"))])
};

static REVERSE: Transition = Transition {
    errors: &[("CLOSED", CLOSED)],
    done: &["REVOKED"],
    rule: reverse,
    ..Transition::new(
        &["NOTPAY", "USERPAYING", "PAYERROR", "SUCCESS"],
        "REVOKED",
        &[set("/trade_state_desc", FieldValue::Text("已撤销"))],
    )
};

const CODE_FIELDS: &[Assignment] = &[
    set("/trade_type", FieldValue::Text("MICROPAY")),
    set("/trade_state", FieldValue::Text("USERPAYING")),
    set("/trade_state_desc", FieldValue::Text("需要用户输入支付密码")),
    set("/auth_code", FieldValue::FromRequest("/payer/auth_code")),
];

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::both(
        Method::POST,
        "v3/pay/transactions/codepay",
        &[Rule::Needs(&["/amount/total", "/payer/auth_code", "/scene_info/store_info"])],
        Action::Create(&ORDER, CODE_FIELDS, Some(&PAY_BY_CODE)),
    ),
    Endpoint::both(
        Method::POST,
        "v3/pay/transactions/out-trade-no/{out_trade_no}/reverse",
        &[],
        Action::Transition(&ORDER, BY_NUMBER, &REVERSE, None),
    ),
];

/// A code has 18 digits, begins with 10 to 15, and pays one order.
pub(super) fn check_code(session: &Session<'_>, order: &Document) -> Result<(), ErrorResponse> {
    let Some(code) = text(&order.body, "auth_code") else { return Ok(()) };
    let begins = code.get(..2).and_then(|start| start.parse().ok());
    let is_code = code.len() == 18 && code.bytes().all(|byte| byte.is_ascii_digit());
    if !is_code || !begins.is_some_and(|start: u8| (10..=15).contains(&start)) {
        let issue = "expected the 18 digits of a payment code, which begin with 10 to 15";
        return Err(CODE_INVALID.field_response("/payer/auth_code", issue));
    }
    match session.documents.children(ORDER.name, code)?.first() {
        Some(other) => {
            let issue = format!("was used for order {}: a code pays once", other.merchant_no);
            Err(CODE_INVALID.field_response("/payer/auth_code", &issue))
        }
        None => Ok(()),
    }
}

/// Gives the money back if the order was paid.
fn reverse(session: &mut Session<'_>, order: &mut Document) -> Result<(), ErrorResponse> {
    if text(&order.body, "auth_code").is_none() {
        let reason = format!("{}: only a code payment can be reversed", describe(&ORDER, order));
        return Err(WRONG_STATE.response(&reason));
    }
    let Some(paid_at) = order.settled_at else { return Ok(()) };
    if session.now - paid_at > REVERSIBLE {
        return Err(TOO_LATE.response("it was paid more than seven days ago"));
    }
    let total = cents(&order.body, "/amount/total");
    if order.body.get("unsplit_amount").is_some_and(|left| *left != json!(total)) {
        return Err(WRONG_STATE.response("a part of its amount was shared or unfrozen"));
    }
    if order.body.get("unsplit_amount").is_some() {
        order.body["unsplit_amount"] = json!(0);
    }
    let body = json!({
        "out_trade_no": order.merchant_no,
        "out_refund_no": order.merchant_no,
        "transaction_id": order.body["transaction_id"],
        "amount": { "refund": total },
    });
    let mut reversal = session.new_document(&REVERSAL, body, &[])?;
    reversal.scope.clone_from(&order.scope);
    reversal.settled_at = Some(session.now);
    session.save(&REVERSAL, &mut reversal)
}
