//! PayScore (支付分) service orders: created, confirmed by the user, completed by the merchant, paid.

pub(crate) mod permissions;
pub(crate) mod rules;

use http::Method;

use crate::sandbox::model::{
    engine::{
        error_code::{CHANGED, ErrorCode},
        params::Param,
        schema::{
            Action, Assignment, Endpoint, FieldValue, Fields, Location, Lookup, NotificationType,
            ResourceType, Transition, no_rule, set, set_if_missing,
        },
    },
    products::{DEFAULT_OPENID, request_fields},
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
    personal: &[],
    accepted: request_fields::SERVICE_ORDER,
    on_create: no_rule,
    on_load: no_rule,
};

const fn notification(event_type: &'static str, summary: &'static str) -> Option<NotificationType> {
    Some(NotificationType { event_type, original_type: "payscore", summary, fields: QUERY_FIELDS })
}

const fn transition(
    from: &'static [&'static str],
    to: &'static str,
    set: &'static [Assignment],
) -> Transition {
    Transition {
        from,
        to,
        set,
        errors: &[("DONE", DONE), ("REVOKED", REVOKED)],
        default_error: WRONG_ORDER_STATE,
        done: &[],
        same: &[],
        settles: false,
        hold: None,
        at_once: false,
        rule: no_rule,
        notification: None,
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

const QUERY_FIELDS: Fields = &[
    "appid",
    "sub_appid",
    "mchid",
    "sub_mchid",
    "out_order_no",
    "service_id",
    "openid",
    "sub_openid",
    "service_introduction",
    "state",
    "state_description",
    "total_amount",
    "post_payments",
    "post_discounts",
    "risk_fund",
    "time_range",
    "location",
    "attach",
    "notify_url",
    "order_id",
    "need_collection",
    "collection",
];

const CREATE_FIELDS: Fields = &[
    "appid",
    "sub_appid",
    "mchid",
    "sub_mchid",
    "out_order_no",
    "service_id",
    "service_introduction",
    "state",
    "post_payments",
    "post_discounts",
    "risk_fund",
    "time_range",
    "location",
    "attach",
    "notify_url",
    "order_id",
    "package",
];

const SHORT_FIELDS: Fields =
    &["appid", "sub_appid", "mchid", "sub_mchid", "out_order_no", "service_id", "order_id"];

const BY_MERCHANT_NO: Lookup = Lookup::MerchantNo(Location::Path("out_order_no"));

const PARTY_PARAMS: Param = Param::All(&[Param::Partner(&[Param::Text("/sub_mchid", 32)])]);

/// Of the requests for an existing order. A service provider names no appid in them.
const ORDER_PARAMS: Param = Param::All(&[
    PARTY_PARAMS,
    Param::Direct(&[Param::Text("/service_id", 32), Param::Text("/appid", 32)]),
    Param::Partner(&[Param::Optional("/service_id", 32), Param::Optional("/appid", 32)]),
]);

const CHARGE_PARAMS: Param = Param::All(&[
    Param::AmountOrZero("/total_amount"),
    Param::List("/post_payments", 1, 100, &[Param::AmountOrZero("/amount"), Param::Optional("/name", 20)]),
    Param::List("/post_discounts", 0, 30, &[Param::AmountOrZero("/amount"), Param::Optional("/name", 20)]),
    Param::Optional("/time_range/end_time", 14),
]);

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        template: "v3/payscore/serviceorder",
        partner_template: Some("v3/payscore/partner/serviceorder"),
        params: &[
            PARTY_PARAMS,
            Param::Text("/service_id", 32),
            Param::Text("/appid", 32),
            Param::MerchantNo("/out_order_no", 1, 32),
            Param::Text("/service_introduction", 20),
            Param::Text("/time_range/start_time", 14),
            Param::Text("/risk_fund/name", 64),
            Param::Amount("/risk_fund/amount"),
            Param::Url("/notify_url"),
            Param::Optional("/openid", 128),
            Param::Optional("/attach", 256),
        ],
        action: Action::Create(&SERVICE_ORDER, &[], None, CREATE_FIELDS),
    },
    Endpoint {
        method: Method::GET,
        template: "v3/payscore/serviceorder",
        partner_template: Some("v3/payscore/partner/serviceorder"),
        params: &[
            Param::Query("service_id"),
            Param::Direct(&[Param::Query("appid")]),
            Param::Partner(&[Param::Query("sub_mchid")]),
        ],
        action: Action::Query(
            &SERVICE_ORDER,
            Lookup::FirstOf(&[
                Lookup::MerchantNo(Location::Query("out_order_no")),
                Lookup::PlatformId(Location::Query("query_id")),
            ]),
            QUERY_FIELDS,
        ),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/payscore/serviceorder/{out_order_no}/cancel",
        partner_template: Some("v3/payscore/partner/serviceorder/{out_order_no}/cancel"),
        params: &[ORDER_PARAMS, Param::Text("/reason", 50)],
        action: Action::Transition(&SERVICE_ORDER, BY_MERCHANT_NO, &CANCEL, None, SHORT_FIELDS),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/payscore/serviceorder/{out_order_no}/complete",
        partner_template: Some("v3/payscore/partner/serviceorder/{out_order_no}/complete"),
        params: &[ORDER_PARAMS, CHARGE_PARAMS],
        action: Action::Transition(&SERVICE_ORDER, BY_MERCHANT_NO, &COMPLETE, None, QUERY_FIELDS),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/payscore/serviceorder/{out_order_no}/modify",
        partner_template: Some("v3/payscore/partner/serviceorder/{out_order_no}/modify"),
        params: &[ORDER_PARAMS, CHARGE_PARAMS, Param::Text("/reason", 50)],
        action: Action::Transition(&SERVICE_ORDER, BY_MERCHANT_NO, &MODIFY, None, QUERY_FIELDS),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/payscore/serviceorder/{out_order_no}/pay",
        partner_template: Some("v3/payscore/partner/serviceorder/{out_order_no}/pay"),
        params: &[PARTY_PARAMS, Param::Optional("/service_id", 32), Param::Optional("/appid", 32)],
        action: Action::Transition(
            &SERVICE_ORDER,
            BY_MERCHANT_NO,
            &COLLECT,
            Some(&PAY_SERVICE),
            SHORT_FIELDS,
        ),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/payscore/serviceorder/{out_order_no}/sync",
        partner_template: Some("v3/payscore/partner/serviceorder/{out_order_no}/sync"),
        params: &[ORDER_PARAMS, Param::OneOf("/type", &["Order_Paid"]), Param::Text("/detail/paid_time", 14)],
        action: Action::Transition(&SERVICE_ORDER, BY_MERCHANT_NO, &SYNC, None, QUERY_FIELDS),
    },
];
