//! The actions of the payer or user, which no request of the merchant can do: paying, confirming, accepting.

use serde_json::Value;

use super::{
    engine::{
        Engine, IDEMPOTENCY_VALUES,
        schema::{ResourceType, Transition},
    },
    products::{
        combined::{COMBINED, PAY_COMBINED},
        orders::{ORDER, PAY},
        payscore::{
            CONFIRM_SERVICE, PAY_SERVICE, SERVICE_ORDER,
            permissions::{OPEN_PERMISSION, PERMISSION},
        },
        refunds::{REFUND, SETTLE_REFUND},
        transfers::{ACCEPT_TRANSFER, TRANSFER},
    },
};
use crate::error::Excerpt;
use crate::sandbox::{
    http::{clock, error_response::ErrorResponse},
    store::{
        documents::{Document, Documents},
        event::QueuedEvent,
        payer_log::PayerStep,
    },
};

pub(crate) struct PayerAction {
    pub(crate) name: &'static str,
    pub(crate) resource_type: &'static ResourceType,
    transition: &'static Transition,
}

/// The changed resource, and the events that the caller must send.
type Outcome = Result<(Value, Vec<QueuedEvent>), ErrorResponse>;

pub(crate) static PAY_ORDER: PayerAction =
    PayerAction { name: "pay", resource_type: &ORDER, transition: &PAY };
static PAY_COMBINED_ORDER: PayerAction =
    PayerAction { name: "pay-combined", resource_type: &COMBINED, transition: &PAY_COMBINED };
pub(crate) static SETTLE: PayerAction =
    PayerAction { name: "settle-refund", resource_type: &REFUND, transition: &SETTLE_REFUND };
pub(crate) static CONFIRM_SERVICE_ORDER: PayerAction =
    PayerAction { name: "confirm-service", resource_type: &SERVICE_ORDER, transition: &CONFIRM_SERVICE };
pub(crate) static PAY_SERVICE_ORDER: PayerAction =
    PayerAction { name: "pay-service", resource_type: &SERVICE_ORDER, transition: &PAY_SERVICE };
pub(crate) static OPEN: PayerAction =
    PayerAction { name: "open-permission", resource_type: &PERMISSION, transition: &OPEN_PERMISSION };
pub(crate) static ACCEPT: PayerAction =
    PayerAction { name: "accept-transfer", resource_type: &TRANSFER, transition: &ACCEPT_TRANSFER };

fn actions() -> [&'static PayerAction; 7] {
    [&PAY_ORDER, &PAY_COMBINED_ORDER, &SETTLE, &CONFIRM_SERVICE_ORDER, &PAY_SERVICE_ORDER, &OPEN, &ACCEPT]
}

/// The action that the state of a resource allows.
pub(crate) fn allowed_action(resource_type: &str, state: &str) -> Option<&'static PayerAction> {
    actions()
        .into_iter()
        .find(|action| action.resource_type.name == resource_type && action.transition.from.contains(&state))
}

/// Pays an order or a combined order. In any scope: the newest.
pub(crate) fn pay(engine: &Engine, out_trade_no: &str) -> Outcome {
    let combined =
        engine.access(|session| session.documents.newest_by_merchant_no(COMBINED.name, out_trade_no))?;
    let action = if combined.is_some() { &PAY_COMBINED_ORDER } else { &PAY_ORDER };
    perform_on_newest(engine, action, out_trade_no)
}

/// The action with this name, on the resource of one scope.
pub(crate) fn perform_in_scope(engine: &Engine, name: &str, scope: &str, merchant_no: &str) -> Outcome {
    let action = actions().into_iter().find(|action| action.name == name);
    let action =
        action.ok_or_else(|| ErrorResponse::param_error("body", "part", "is not an action of the payer"))?;
    perform(engine, action, merchant_no, |documents| {
        documents.by_merchant_no(action.resource_type.name, scope, merchant_no)
    })
}

/// The action with this name. In any scope: on the newest resource.
pub(crate) fn perform_by_name(engine: &Engine, name: &str, merchant_no: &str) -> Outcome {
    let action = actions().into_iter().find(|action| action.name == name);
    let action = action.ok_or_else(|| {
        let names = actions().map(|action| action.name).join(", ");
        ErrorResponse::param_error("body", "do", &format!("expected one of {names}"))
    })?;
    perform_on_newest(engine, action, merchant_no)
}

/// In any scope: on the newest resource.
pub(crate) fn perform_on_newest(engine: &Engine, action: &PayerAction, merchant_no: &str) -> Outcome {
    perform(engine, action, merchant_no, |documents| {
        documents.newest_by_merchant_no(action.resource_type.name, merchant_no)
    })
}

fn perform(
    engine: &Engine,
    action: &PayerAction,
    merchant_no: &str,
    find: impl FnOnce(&Documents<'_>) -> Result<Option<Document>, ErrorResponse>,
) -> Outcome {
    let resource_type = action.resource_type;
    let mut seq = 0;
    let at = clock::system_time();
    let outcome = engine.execute("", &Value::Null, |session| {
        let not_found = || {
            resource_type.not_found.response(&format!(
                "there is no {} {}",
                resource_type.name,
                Excerpt(merchant_no)
            ))
        };
        let mut document = find(session.documents)?.ok_or_else(not_found)?;
        (resource_type.on_load)(session, &mut document)?;
        session.transition(resource_type, &mut document, action.transition)?;
        seq = document.seq;
        let mut body = document.body;
        if let Some(fields) = body.as_object_mut() {
            fields.shift_remove(IDEMPOTENCY_VALUES);
        }
        Ok(body)
    })?;
    engine.payer_log.push(PayerStep { at, action: action.name, seq });
    Ok(outcome)
}
