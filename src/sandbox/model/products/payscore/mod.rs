//! Service orders of payscore: created, confirmed by the user, completed by the merchant, paid.

use super::{
    Act::{Create, Move, Query},
    By, CHANGED, Code, Fields, Fill, GET, Kind, Need, Notice, POST, Place, Row, Set, Step, keep, set,
};
use crate::sandbox::{catalogue::no_rule, flow::services};

const WRONG: Code = Code::new(400, "INVALID_ORDER_STATE", "单据状态错误");
const DONE: Code = Code::new(400, "ORDER_DONE", "单据已完成");
const REVOKED: Code = Code::new(400, "ORDER_CANCELED", "单据已取消");

/// `phase` tells the two halves of the platform's `DOING` apart; it is not answered.
pub(crate) static SERVICE: Kind = Kind {
    name: "service order",
    number: "out_order_no",
    own: "query_id",
    parent: "",
    state: "phase",
    amount: "/total_amount",
    new: &[
        set("/phase", Fill::Text("CREATED")),
        set("/state", Fill::Text("CREATED")),
        set("/mchid", Fill::Mchid),
        set("/order_id", Fill::Number("1500", 28)),
        set("/package", Fill::Code("DJIOSQPYWDxsjdldeu", 60)),
        set("/query_id", Fill::Code("", 48)),
    ],
    same: &[
        "/appid",
        "/service_id",
        "/service_introduction",
        "/risk_fund",
        "/time_range",
        "/openid",
        "/notify_url",
    ],
    used: CHANGED,
    over: &[("DONE", DONE), ("REVOKED", REVOKED)],
    unknown: Code::new(404, "ORDER_NOT_EXIST", "订单不存在"),
    ties: &["service_id", "appid"],
    begin: no_rule,
    load: no_rule,
};

const fn notice(event_type: &'static str, summary: &'static str) -> Option<Notice> {
    Some(Notice { event_type, original_type: "payscore", summary, fields: SHOWN })
}

const fn step(from: &'static [&'static str], to: &'static str, sets: &'static [Set]) -> Step {
    Step {
        from,
        to,
        sets,
        refuses: &[("DONE", DONE), ("REVOKED", REVOKED)],
        wrong: WRONG,
        again: false,
        settles: false,
        rule: no_rule,
        event: None,
    }
}

/// The user confirms.
pub(crate) static CONFIRM: Step = Step {
    event: notice("PAYSCORE.USER_CONFIRM", "用户确认成功"),
    ..step(
        &["CREATED"],
        "USER_CONFIRM",
        &[
            set("/state", Fill::Text("DOING")),
            set("/state_description", Fill::Text("USER_CONFIRM")),
            keep("/openid", Fill::Text(services::OPENID)),
        ],
    )
};

/// The user's money came in.
pub(crate) static SERVICE_PAID: Step = Step {
    settles: true,
    event: notice("PAYSCORE.USER_PAID", "用户支付成功"),
    ..step(
        &["MCH_COMPLETE"],
        "DONE",
        &[
            set("/state", Fill::Text("DONE")),
            set("/state_description", Fill::Nothing),
            set("/collection/state", Fill::Text("USER_PAID")),
            set("/collection/paying_amount", Fill::Cents(0)),
            set("/collection/paid_amount", Fill::Copy("/total_amount")),
            set("/collection/paid_time", Fill::Now),
            set("/collection/transaction_id", Fill::Number("4200", 28)),
        ],
    )
};

static CANCEL: Step = Step {
    again: true,
    ..step(
        &["CREATED", "USER_CONFIRM"],
        "REVOKED",
        &[
            set("/state", Fill::Text("REVOKED")),
            set("/state_description", Fill::Nothing),
            set("/reason", Fill::Given("/reason")),
        ],
    )
};

const CHARGES: &[Set] = &[
    set("/state_description", Fill::Text("MCH_COMPLETE")),
    set("/post_payments", Fill::Given("/post_payments")),
    set("/post_discounts", Fill::Given("/post_discounts")),
    set("/total_amount", Fill::Given("/total_amount")),
    set("/time_range/end_time", Fill::Given("/time_range/end_time")),
    set("/need_collection", Fill::Yes),
    set("/collection/state", Fill::Text("USER_PAYING")),
    set("/collection/total_amount", Fill::Given("/total_amount")),
    set("/collection/paying_amount", Fill::Given("/total_amount")),
    set("/collection/paid_amount", Fill::Cents(0)),
];

static COMPLETE: Step = Step { rule: services::charge, ..step(&["USER_CONFIRM"], "MCH_COMPLETE", CHARGES) };

static MODIFY: Step = Step { rule: services::charge, ..step(&["MCH_COMPLETE"], "MCH_COMPLETE", CHARGES) };

/// The merchant asks for the money again; here it comes at once.
static COLLECT: Step = step(&["MCH_COMPLETE"], "MCH_COMPLETE", &[]);

/// The merchant says that it was paid in another way.
static SYNC: Step = step(
    &["MCH_COMPLETE"],
    "DONE",
    &[
        set("/state", Fill::Text("DONE")),
        set("/state_description", Fill::Nothing),
        set("/collection/state", Fill::Text("USER_PAID")),
        set("/collection/paying_amount", Fill::Cents(0)),
        set("/collection/paid_amount", Fill::Copy("/total_amount")),
        set("/collection/paid_time", Fill::Given("/detail/paid_time")),
    ],
);

const SHOWN: Fields = &[
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

const MADE: Fields = &[
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

const BRIEF: Fields = &["appid", "sub_appid", "mchid", "sub_mchid", "out_order_no", "service_id", "order_id"];

const BY_NUMBER: By = By::Number(Place::Var("out_order_no"));

const PARTIES: Need = Need::All(&[
    Need::Text("/service_id", 32),
    Need::Text("/appid", 32),
    Need::Partner(&[Need::Text("/sub_mchid", 32)]),
]);

const PAYMENTS: Need = Need::All(&[
    Need::CentsOrNone("/total_amount"),
    Need::List("/post_payments", 1, 100, &[Need::CentsOrNone("/amount"), Need::May("/name", 20)]),
    Need::List("/post_discounts", 0, 30, &[Need::CentsOrNone("/amount"), Need::May("/name", 20)]),
]);

pub(super) const ROWS: &[Row] = &[
    Row {
        method: POST,
        template: "v3/payscore/serviceorder",
        partner: Some("v3/payscore/partner/serviceorder"),
        needs: &[
            PARTIES,
            Need::Number("/out_order_no", 1, 32),
            Need::Text("/service_introduction", 20),
            Need::Text("/time_range/start_time", 14),
            Need::Text("/risk_fund/name", 64),
            Need::Cents("/risk_fund/amount"),
            Need::Url("/notify_url"),
            Need::May("/openid", 128),
            Need::May("/attach", 256),
        ],
        act: Create(&SERVICE, &[], None, MADE),
    },
    Row {
        method: GET,
        template: "v3/payscore/serviceorder",
        partner: Some("v3/payscore/partner/serviceorder"),
        needs: &[
            Need::Query("service_id"),
            Need::Direct(&[Need::Query("appid")]),
            Need::Partner(&[Need::Query("sub_mchid")]),
        ],
        act: Query(
            &SERVICE,
            By::Any(&[By::Number(Place::Query("out_order_no")), By::Own(Place::Query("query_id"))]),
            SHOWN,
        ),
    },
    Row {
        method: POST,
        template: "v3/payscore/serviceorder/{out_order_no}/cancel",
        partner: Some("v3/payscore/partner/serviceorder/{out_order_no}/cancel"),
        needs: &[PARTIES, Need::Text("/reason", 50)],
        act: Move(&SERVICE, BY_NUMBER, &CANCEL, None, BRIEF),
    },
    Row {
        method: POST,
        template: "v3/payscore/serviceorder/{out_order_no}/complete",
        partner: Some("v3/payscore/partner/serviceorder/{out_order_no}/complete"),
        needs: &[PARTIES, PAYMENTS],
        act: Move(&SERVICE, BY_NUMBER, &COMPLETE, None, SHOWN),
    },
    Row {
        method: POST,
        template: "v3/payscore/serviceorder/{out_order_no}/modify",
        partner: Some("v3/payscore/partner/serviceorder/{out_order_no}/modify"),
        needs: &[PARTIES, PAYMENTS, Need::Text("/reason", 50)],
        act: Move(&SERVICE, BY_NUMBER, &MODIFY, None, SHOWN),
    },
    Row {
        method: POST,
        template: "v3/payscore/serviceorder/{out_order_no}/pay",
        partner: Some("v3/payscore/partner/serviceorder/{out_order_no}/pay"),
        needs: &[PARTIES],
        act: Move(&SERVICE, BY_NUMBER, &COLLECT, Some(&SERVICE_PAID), BRIEF),
    },
    Row {
        method: POST,
        template: "v3/payscore/serviceorder/{out_order_no}/sync",
        partner: Some("v3/payscore/partner/serviceorder/{out_order_no}/sync"),
        needs: &[PARTIES, Need::OneOf("/type", &["Order_Paid"]), Need::Text("/detail/paid_time", 14)],
        act: Move(&SERVICE, BY_NUMBER, &SYNC, None, SHOWN),
    },
];
