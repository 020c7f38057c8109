//! The actions of the payer or user, which no request of the merchant can do: paying, confirming, accepting.

use serde_json::Value;

use super::{
    engine::{
        Engine, IDEMPOTENCY_VALUES,
        schema::{ResourceType, Transition},
    },
    products::{
        combined::{COMBINED, PAY_COMBINED},
        orders::{ORDER, PAY, code::FAIL_PAYMENT},
        payscore::{
            CONFIRM_SERVICE, PAY_SERVICE, SERVICE_ORDER,
            permissions::{OPEN_PERMISSION, PERMISSION},
        },
        refunds::{CLOSE_REFUND, FAIL_REFUND, REFUND, SETTLE_REFUND},
        transfers::{ACCEPT_TRANSFER, FAIL_TRANSFER, TRANSFER},
    },
};
use crate::error::Excerpt;
use crate::sandbox::{
    http::{clock, error_response::ErrorResponse},
    store::{documents::Document, event::QueuedEvent, payer_log::PayerStep, records},
};

pub(crate) struct PayerAction {
    pub(crate) name: &'static str,
    /// For the page, in English and Chinese.
    pub(crate) label: [&'static str; 2],
    pub(crate) resource_type: &'static ResourceType,
    transition: &'static Transition,
}

/// The changed resource, and the events that the caller must send.
type Outcome = Result<(Value, Vec<QueuedEvent>), ErrorResponse>;

pub(crate) static PAY_ORDER: PayerAction = action("pay", &ORDER, &PAY, ["Pay", "付款"]);
pub(crate) static FAIL_ORDER: PayerAction =
    action("fail-payment", &ORDER, &FAIL_PAYMENT, ["Payment fails", "付款失败"]);
pub(crate) static PAY_COMBINED_ORDER: PayerAction =
    action("pay-combined", &COMBINED, &PAY_COMBINED, ["Pay", "付款"]);
pub(crate) static SETTLE: PayerAction =
    action("settle-refund", &REFUND, &SETTLE_REFUND, ["Settle refund", "退款到账"]);
pub(crate) static FAIL: PayerAction =
    action("fail-refund", &REFUND, &FAIL_REFUND, ["Refund fails", "退款异常"]);
pub(crate) static CLOSE: PayerAction =
    action("close-refund", &REFUND, &CLOSE_REFUND, ["Close refund", "退款关闭"]);
pub(crate) static CONFIRM_SERVICE_ORDER: PayerAction =
    action("confirm-service", &SERVICE_ORDER, &CONFIRM_SERVICE, ["Confirm order", "确认订单"]);
pub(crate) static PAY_SERVICE_ORDER: PayerAction =
    action("pay-service", &SERVICE_ORDER, &PAY_SERVICE, ["Pay", "付款"]);
pub(crate) static OPEN: PayerAction =
    action("open-permission", &PERMISSION, &OPEN_PERMISSION, ["Authorize", "授权"]);
pub(crate) static ACCEPT: PayerAction =
    action("accept-transfer", &TRANSFER, &ACCEPT_TRANSFER, ["Accept transfer", "确认收款"]);
pub(crate) static REJECT: PayerAction =
    action("fail-transfer", &TRANSFER, &FAIL_TRANSFER, ["Transfer fails", "转账失败"]);

const fn action(
    name: &'static str,
    resource_type: &'static ResourceType,
    transition: &'static Transition,
    label: [&'static str; 2],
) -> PayerAction {
    PayerAction { name, label, resource_type, transition }
}

/// For a state that allows several, the usual one comes first.
static ACTIONS: [&PayerAction; 11] = [
    &PAY_ORDER,
    &FAIL_ORDER,
    &PAY_COMBINED_ORDER,
    &SETTLE,
    &FAIL,
    &CLOSE,
    &CONFIRM_SERVICE_ORDER,
    &PAY_SERVICE_ORDER,
    &OPEN,
    &ACCEPT,
    &REJECT,
];

/// The actions that the state of a resource allows.
pub(crate) fn allowed_actions(
    resource_type: &str,
    state: &str,
) -> impl Iterator<Item = &'static PayerAction> {
    ACTIONS.into_iter().filter(move |action| {
        action.resource_type.name == resource_type && action.transition.from.contains(&state)
    })
}

/// Pays an order or a combined order. In any scope: the newest.
pub(crate) fn pay(engine: &Engine, out_trade_no: &str) -> Outcome {
    perform(engine, &[&PAY_ORDER, &PAY_COMBINED_ORDER], out_trade_no, None)
}

/// The action with this name, on the resource of one scope.
pub(crate) fn perform_in_scope(engine: &Engine, name: &str, scope: &str, merchant_no: &str) -> Outcome {
    perform(engine, &[named(name, "part")?], merchant_no, Some(scope))
}

/// The action with this name. In any scope: on the newest resource. `pay` is for orders of both kinds, as [`pay`].
pub(crate) fn perform_by_name(engine: &Engine, name: &str, merchant_no: &str) -> Outcome {
    match named(name, "do")? {
        action if action.name == PAY_ORDER.name => pay(engine, merchant_no),
        action => perform_on_newest(engine, action, merchant_no),
    }
}

/// In any scope: on the newest resource.
pub(crate) fn perform_on_newest(engine: &Engine, action: &PayerAction, merchant_no: &str) -> Outcome {
    perform(engine, &[action], merchant_no, None)
}

/// `field` is that of the request.
fn named(name: &str, field: &str) -> Result<&'static PayerAction, ErrorResponse> {
    ACTIONS.into_iter().find(|action| action.name == name).ok_or_else(|| {
        let names = ACTIONS.map(|action| action.name).join(", ");
        ErrorResponse::param_error("body", field, &format!("expected one of {names}"))
    })
}

/// Performs the action of the newest resource with this number in this scope; without a scope, in any.
fn perform(engine: &Engine, actions: &[&PayerAction], merchant_no: &str, scope: Option<&str>) -> Outcome {
    let mut step = PayerStep { at: clock::system_time(), action: String::new(), seq: 0 };
    let outcome = engine.execute("", &Value::Null, |session| {
        let mut newest: Option<(&PayerAction, Document)> = None;
        for action in actions {
            let name = action.resource_type.name;
            let found = match scope {
                Some(scope) => session.documents.by_merchant_no(name, scope, merchant_no)?,
                None => session.documents.newest_by_merchant_no(name, merchant_no)?,
            };
            let is_newer = |found: &Document| newest.as_ref().is_none_or(|(_, other)| other.seq < found.seq);
            if let Some(found) = found.filter(is_newer) {
                newest = Some((action, found));
            }
        }
        let not_found = || {
            let resource_type = actions.first().map_or(&ORDER, |action| action.resource_type);
            resource_type.not_found.response(&format!(
                "there is no {} {}",
                resource_type.name,
                Excerpt(merchant_no)
            ))
        };
        let (action, mut document) = newest.ok_or_else(not_found)?;
        let resource_type = action.resource_type;
        step.action = action.name.into();
        (resource_type.on_load)(session, &mut document)?;
        session.transition(resource_type, &mut document, action.transition)?;
        step.seq = document.seq;
        records::save_step(session.documents, &step)?;
        let mut body = document.body;
        if let Some(fields) = body.as_object_mut() {
            fields.shift_remove(IDEMPOTENCY_VALUES);
        }
        Ok(body)
    })?;
    engine.payer_log.push(step);
    Ok(outcome)
}
