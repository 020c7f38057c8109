//! PayScore (支付分) service orders: created, confirmed by the user, completed by the merchant, paid.

pub(crate) mod permissions;
pub(crate) mod rules;

use http::Method;

use crate::sandbox::model::{
    engine::{
        error_code::{CHANGED, ErrorCode},
        rules::Rule,
        schema::{
            Action, Assignment, Endpoint, FieldValue, Location, Lookup, NotificationType, ResourceType,
            Transition, no_rule, set, set_if_missing,
        },
    },
    products::DEFAULT_OPENID,
};

const WRONG_ORDER_STATE: ErrorCode = ErrorCode::new(400, "INVALID_ORDER_STATE", "单据状态错误");
const DONE: ErrorCode = ErrorCode::new(400, "ORDER_DONE", "单据已完成");
const REVOKED: ErrorCode = ErrorCode::new(400, "ORDER_CANCELED", "单据已取消");

/// `phase` is internal. It distinguishes the two halves of the platform's state `DOING`.
pub(crate) static SERVICE_ORDER: ResourceType = ResourceType {
    name: "service order",
    merchant_no: "out_order_no",
    platform_id: "query_id",
    parent_id: "",
    state: "phase",
    amount: "/total_amount",
    initial: &[
        set("/phase", FieldValue::Text("CREATED")),
        set("/state", FieldValue::Text("CREATED")),
        set("/mchid", FieldValue::Mchid),
        set("/order_id", FieldValue::DatedNumber("1500", 28)),
        set("/package", FieldValue::RandomText("DJIOSQPYWDxsjdldeu", 60)),
        set("/query_id", FieldValue::RandomText("", 48)),
    ],
    idempotency_fields: &[
        "/appid",
        "/service_id",
        "/service_introduction",
        "/risk_fund",
        "/time_range",
        "/openid",
        "/notify_url",
    ],
    conflict: CHANGED,
    terminal_states: &[("DONE", DONE), ("REVOKED", REVOKED)],
    not_found: ErrorCode::new(404, "ORDER_NOT_EXIST", "订单不存在"),
    must_match: &["service_id", "appid"],
    on_create: no_rule,
    on_load: no_rule,
};

const fn notification(event_type: &'static str, summary: &'static str) -> Option<NotificationType> {
    Some(NotificationType { event_type, original_type: "payscore", summary })
}

const fn transition(
    from: &'static [&'static str],
    to: &'static str,
    set: &'static [Assignment],
) -> Transition {
    Transition {
        errors: &[("DONE", DONE), ("REVOKED", REVOKED)],
        default_error: WRONG_ORDER_STATE,
        ..Transition::new(from, to, set)
    }
}

/// The user confirms.
pub(crate) static CONFIRM_SERVICE: Transition = Transition {
    notification: notification("PAYSCORE.USER_CONFIRM", "用户确认成功"),
    ..transition(
        &["CREATED"],
        "USER_CONFIRM",
        &[
            set("/state", FieldValue::Text("DOING")),
            set("/state_description", FieldValue::Text("USER_CONFIRM")),
            set_if_missing("/openid", FieldValue::Text(DEFAULT_OPENID)),
        ],
    )
};

/// The user has paid.
pub(crate) static PAY_SERVICE: Transition = Transition {
    settles: true,
    notification: notification("PAYSCORE.USER_PAID", "用户支付成功"),
    ..transition(
        &["MCH_COMPLETE"],
        "DONE",
        &[
            set("/state", FieldValue::Text("DONE")),
            set("/state_description", FieldValue::Null),
            set("/collection/state", FieldValue::Text("USER_PAID")),
            set("/collection/paying_amount", FieldValue::Cents(0)),
            set("/collection/paid_amount", FieldValue::CopyOf("/total_amount")),
            set("/collection/paid_time", FieldValue::Now),
            set("/collection/transaction_id", FieldValue::DatedNumber("4200", 28)),
        ],
    )
};

static CANCEL: Transition = Transition {
    done: &["REVOKED"],
    ..transition(
        &["CREATED", "USER_CONFIRM"],
        "REVOKED",
        &[
            set("/state", FieldValue::Text("REVOKED")),
            set("/state_description", FieldValue::Null),
            set("/reason", FieldValue::FromRequest("/reason")),
        ],
    )
};

const CHARGE_FIELDS: &[Assignment] = &[
    set("/state_description", FieldValue::Text("MCH_COMPLETE")),
    set("/post_payments", FieldValue::FromRequest("/post_payments")),
    // Without discounts there are none, whatever the order was created with.
    set("/post_discounts", FieldValue::Null),
    set("/post_discounts", FieldValue::FromRequest("/post_discounts")),
    set("/total_amount", FieldValue::FromRequest("/total_amount")),
    // Only a change has one.
    set("/reason", FieldValue::FromRequest("/reason")),
    set("/time_range/end_time", FieldValue::FromRequest("/time_range/end_time")),
    set("/need_collection", FieldValue::True),
    set("/collection/state", FieldValue::Text("USER_PAYING")),
    set("/collection/total_amount", FieldValue::FromRequest("/total_amount")),
    set("/collection/paying_amount", FieldValue::FromRequest("/total_amount")),
    set("/collection/paid_amount", FieldValue::Cents(0)),
];

static COMPLETE: Transition = Transition {
    done: &["MCH_COMPLETE", "DONE"],
    same: &["/total_amount", "/post_payments", "/post_discounts"],
    rule: rules::check_total,
    ..transition(&["USER_CONFIRM"], "MCH_COMPLETE", CHARGE_FIELDS)
};

/// Without an amount it is done.
static MODIFY: Transition = Transition {
    done: &["DONE"],
    same: &["/reason", "/total_amount", "/post_payments", "/post_discounts"],
    rule: rules::check_total,
    ..transition(&["MCH_COMPLETE"], "MCH_COMPLETE", CHARGE_FIELDS)
};

/// The merchant requests the payment again; here it succeeds at once.
static COLLECT: Transition =
    Transition { done: &["DONE"], ..transition(&["MCH_COMPLETE"], "MCH_COMPLETE", &[]) };

/// The merchant reports a payment through another channel.
static SYNC: Transition = Transition {
    done: &["DONE"],
    same: &["/detail/paid_time"],
    ..transition(
        &["MCH_COMPLETE"],
        "DONE",
        &[
            set("/state", FieldValue::Text("DONE")),
            set("/state_description", FieldValue::Null),
            set("/collection/state", FieldValue::Text("USER_PAID")),
            set("/collection/paying_amount", FieldValue::Cents(0)),
            set("/collection/paid_amount", FieldValue::CopyOf("/total_amount")),
            set("/collection/paid_time", FieldValue::FromRequest("/detail/paid_time")),
            set("/detail/paid_time", FieldValue::FromRequest("/detail/paid_time")),
        ],
    )
};

const BY_NUMBER: Lookup = Lookup::MerchantNo(Location::Path("out_order_no"));

/// What a charge needs.
const CHARGE: &[Rule] = &[Rule::Needs(&["/post_payments/*/amount", "/post_discounts/*/amount"])];

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::both(
        Method::POST,
        "v3/payscore/serviceorder",
        &[Rule::Needs(&["/time_range/start_time", "/risk_fund/name", "/risk_fund/amount"])],
        Action::Create(&SERVICE_ORDER, &[], None),
    ),
    Endpoint::both(
        Method::GET,
        "v3/payscore/serviceorder",
        &[],
        Action::Query(
            &SERVICE_ORDER,
            Lookup::FirstOf(&[
                Lookup::MerchantNo(Location::Query("out_order_no")),
                Lookup::PlatformId(Location::Query("query_id")),
            ]),
        ),
    ),
    Endpoint::both(
        Method::POST,
        "v3/payscore/serviceorder/{out_order_no}/cancel",
        &[],
        Action::Transition(&SERVICE_ORDER, BY_NUMBER, &CANCEL, None),
    ),
    Endpoint::both(
        Method::POST,
        "v3/payscore/serviceorder/{out_order_no}/complete",
        CHARGE,
        Action::Transition(&SERVICE_ORDER, BY_NUMBER, &COMPLETE, None),
    ),
    Endpoint::both(
        Method::POST,
        "v3/payscore/serviceorder/{out_order_no}/modify",
        CHARGE,
        Action::Transition(&SERVICE_ORDER, BY_NUMBER, &MODIFY, None),
    ),
    Endpoint::both(
        Method::POST,
        "v3/payscore/serviceorder/{out_order_no}/pay",
        &[],
        Action::Transition(&SERVICE_ORDER, BY_NUMBER, &COLLECT, Some(&PAY_SERVICE)),
    ),
    Endpoint::both(
        Method::POST,
        "v3/payscore/serviceorder/{out_order_no}/sync",
        &[Rule::OneOf(&["/type"]), Rule::Needs(&["/detail/paid_time"])],
        Action::Transition(&SERVICE_ORDER, BY_NUMBER, &SYNC, None),
    ),
];
