//! Full and partial refunds of orders.

pub(crate) mod rules;

use http::Method;

use crate::sandbox::model::engine::{
    error_code::{CHANGED, NOT_FOUND},
    holds::Hold,
    rules::Rule,
    schema::{
        Action, Endpoint, FieldValue, Location, Lookup, NotificationType, ResourceType, Transition, no_rule,
        set, set_if_missing,
    },
};

pub(crate) static REFUND: ResourceType = ResourceType {
    name: "refund",
    merchant_no: "out_refund_no",
    platform_id: "refund_id",
    parent_id: "transaction_id",
    state: "status",
    amount: "/amount/refund",
    initial: &[
        set("/status", FieldValue::Text("PROCESSING")),
        set("/refund_status", FieldValue::Text("PROCESSING")),
        set("/refund_id", FieldValue::DatedNumber("50", 28)),
        set("/create_time", FieldValue::Now),
        set("/channel", FieldValue::Text("ORIGINAL")),
        set("/user_received_account", FieldValue::Text("支付用户零钱")),
        set_if_missing("/funds_account", FieldValue::Text("AVAILABLE")),
        set("/mchid", FieldValue::Mchid),
        set("/amount/payer_total", FieldValue::CopyOf("/amount/total")),
        set("/amount/payer_refund", FieldValue::CopyOf("/amount/refund")),
        set("/amount/settlement_refund", FieldValue::CopyOf("/amount/refund")),
        set("/amount/settlement_total", FieldValue::CopyOf("/amount/total")),
        set("/amount/discount_refund", FieldValue::Cents(0)),
    ],
    idempotency_fields: &[
        "/transaction_id",
        "/out_trade_no",
        "/sub_mchid",
        "/amount/refund",
        "/amount/total",
        "/amount/currency",
        "/notify_url",
    ],
    conflict: CHANGED,
    terminal_states: &[],
    not_found: NOT_FOUND,
    must_match: &["out_refund_no"],
    on_create: rules::check_and_deduct,
    on_load: no_rule,
};

/// The payer has the money back.
pub(crate) static SETTLE_REFUND: Transition = Transition {
    set: &[set("/refund_status", FieldValue::Text("SUCCESS")), set("/success_time", FieldValue::Now)],
    settles: true,
    hold: Some(Hold::Refunds),
    ..end("SUCCESS", notification("REFUND.SUCCESS", "退款成功"))
};

/// The payer's bank card is cancelled or frozen, for example. The amount stays deducted: the merchant can refund it to
/// another account.
pub(crate) static FAIL_REFUND: Transition = Transition {
    set: &[set("/refund_status", FieldValue::Text("ABNORMAL"))],
    ..end("ABNORMAL", notification("REFUND.ABNORMAL", "退款异常"))
};

/// The merchant has the money back.
pub(crate) static CLOSE_REFUND: Transition = Transition {
    set: &[set("/refund_status", FieldValue::Text("CLOSED"))],
    rule: rules::give_back,
    ..end("CLOSED", notification("REFUND.CLOSED", "退款关闭"))
};

/// The merchant has an abnormal refund paid to another account (发起异常退款).
static REFUND_ELSEWHERE: Transition = Transition {
    from: &["ABNORMAL"],
    to: "PROCESSING",
    set: &[
        set("/refund_status", FieldValue::Text("PROCESSING")),
        set("/channel", FieldValue::Text("OTHER_BANKCARD")),
        set("/type", FieldValue::FromRequest("/type")),
    ],
    done: &["PROCESSING", "SUCCESS"],
    same: &["/type"],
    rule: rules::check_card,
    ..end("", None)
};

const fn end(to: &'static str, notification: Option<NotificationType>) -> Transition {
    Transition { notification, ..Transition::new(&["PROCESSING"], to, &[]) }
}

const fn notification(event_type: &'static str, summary: &'static str) -> Option<NotificationType> {
    Some(NotificationType { event_type, original_type: "refund", summary })
}

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(
        Method::POST,
        "v3/refund/domestic/refunds",
        &[Rule::Needs(&["/amount/refund", "/amount/total", "/amount/currency"])],
        Action::Create(&REFUND, &[], Some(&SETTLE_REFUND)),
    ),
    Endpoint::new(
        Method::GET,
        "v3/refund/domestic/refunds/{out_refund_no}",
        &[],
        Action::Query(&REFUND, Lookup::MerchantNo(Location::Path("out_refund_no"))),
    ),
    Endpoint::new(
        Method::POST,
        "v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund",
        &[Rule::OneOf(&["/type"])],
        Action::Transition(
            &REFUND,
            Lookup::PlatformId(Location::Path("refund_id")),
            &REFUND_ELSEWHERE,
            Some(&SETTLE_REFUND),
        ),
    ),
];
