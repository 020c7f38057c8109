//! Full and partial refunds of orders.

pub(crate) mod rules;

use http::Method;

use crate::sandbox::model::{
    engine::{
        error_code::{CHANGED, NOT_FOUND, WRONG_STATE},
        holds::Hold,
        params::Param,
        schema::{
            Action, Endpoint, FieldValue, Fields, Location, Lookup, NotificationType, ResourceType,
            Transition, no_rule, set, set_if_missing,
        },
    },
    products::request_fields,
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
    personal: &[],
    accepted: request_fields::REFUND,
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
    Transition {
        from: &["PROCESSING"],
        to,
        set: &[],
        errors: &[],
        default_error: WRONG_STATE,
        done: &[],
        same: &[],
        settles: false,
        hold: None,
        at_once: false,
        rule: no_rule,
        notification,
    }
}

const fn notification(event_type: &'static str, summary: &'static str) -> Option<NotificationType> {
    Some(NotificationType {
        event_type,
        original_type: "refund",
        summary,
        fields: &[
            "mchid",
            "sp_mchid",
            "sub_mchid",
            "transaction_id",
            "out_trade_no",
            "refund_id",
            "out_refund_no",
            "refund_status",
            "success_time",
            "user_received_account",
            "amount",
        ],
    })
}

const QUERY_FIELDS: Fields = &[
    "refund_id",
    "out_refund_no",
    "transaction_id",
    "out_trade_no",
    "channel",
    "user_received_account",
    "success_time",
    "create_time",
    "status",
    "funds_account",
    "amount",
];

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        template: "v3/refund/domestic/refunds",
        partner_template: None,
        params: &[
            Param::Either("/out_trade_no", "/transaction_id"),
            Param::MerchantNo("/out_refund_no", 1, 64),
            Param::Optional("/sub_mchid", 32),
            Param::Optional("/reason", 80),
            Param::OptionalUrl("/notify_url"),
            Param::Amount("/amount/refund"),
            Param::Amount("/amount/total"),
            Param::Text("/amount/currency", 16),
            Param::Currency("/amount/currency"),
        ],
        action: Action::Create(&REFUND, &[], Some(&SETTLE_REFUND), QUERY_FIELDS),
    },
    Endpoint {
        method: Method::GET,
        template: "v3/refund/domestic/refunds/{out_refund_no}",
        partner_template: None,
        params: &[],
        action: Action::Query(&REFUND, Lookup::MerchantNo(Location::Path("out_refund_no")), QUERY_FIELDS),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund",
        partner_template: None,
        params: &[
            Param::MerchantNo("/out_refund_no", 1, 64),
            Param::OneOf("/type", &["USER_BANK_CARD", "MERCHANT_BANK_CARD"]),
            Param::Optional("/bank_type", 32),
        ],
        action: Action::Transition(
            &REFUND,
            Lookup::PlatformId(Location::Path("refund_id")),
            &REFUND_ELSEWHERE,
            Some(&SETTLE_REFUND),
            QUERY_FIELDS,
        ),
    },
];
