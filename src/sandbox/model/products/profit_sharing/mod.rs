//! Profit sharing: receivers, shares of an order, and what comes back of them.

use super::{
    Act::{Create, Query, Remove},
    By, CHANGED, Fields, Fill, GET, Kind, NOT_FOUND, Need, POST, Place, Row, Step, WRONG_STATE,
    payments::ORDER,
    set,
};
use crate::sandbox::{catalogue::no_rule, flow::shares};

pub(crate) static RECEIVER: Kind = Kind {
    name: "receiver",
    number: "account",
    own: "",
    parent: "",
    state: "state",
    amount: "",
    new: &[set("/state", Fill::Text("ADDED"))],
    same: &["/type"],
    used: CHANGED,
    over: &[],
    unknown: NOT_FOUND,
    ties: &["type"],
    begin: no_rule,
    load: no_rule,
};

pub(crate) static SHARE: Kind = Kind {
    name: "share",
    number: "out_order_no",
    own: "order_id",
    parent: "transaction_id",
    state: "state",
    amount: "/total",
    new: &[set("/state", Fill::Text("PROCESSING")), set("/order_id", Fill::Number("3000", 28))],
    same: &["/transaction_id", "/receivers", "/unfreeze_unsplit"],
    used: CHANGED,
    over: &[],
    unknown: NOT_FOUND,
    ties: &["transaction_id"],
    begin: shares::begin,
    load: no_rule,
};

static FINISH: Step = Step {
    from: &["PROCESSING"],
    to: "FINISHED",
    sets: &[],
    refuses: &[],
    wrong: WRONG_STATE,
    again: false,
    settles: true,
    rule: shares::finish,
    event: None,
};

pub(crate) static RETURN: Kind = Kind {
    name: "return",
    number: "out_return_no",
    own: "return_id",
    parent: "order_id",
    state: "result",
    amount: "/amount",
    new: &[
        set("/result", Fill::Text("SUCCESS")),
        set("/return_id", Fill::Number("3008", 28)),
        set("/create_time", Fill::Now),
        set("/finish_time", Fill::Now),
    ],
    same: &["/order_id", "/out_order_no", "/return_mchid", "/amount"],
    used: CHANGED,
    over: &[],
    unknown: NOT_FOUND,
    ties: &["out_order_no"],
    begin: shares::give_back,
    load: no_rule,
};

const SHARED: Fields = &["sub_mchid", "transaction_id", "out_order_no", "order_id", "state", "receivers"];

const RETURNED: Fields = &[
    "sub_mchid",
    "order_id",
    "out_order_no",
    "out_return_no",
    "return_id",
    "return_mchid",
    "amount",
    "description",
    "result",
    "create_time",
    "finish_time",
];

const TYPES: &[&str] = &["MERCHANT_ID", "PERSONAL_OPENID", "PERSONAL_SUB_OPENID"];

const ACCOUNT: Need =
    Need::All(&[Need::Text("/appid", 32), Need::OneOf("/type", TYPES), Need::Text("/account", 64)]);

pub(super) const ROWS: &[Row] = &[
    Row {
        method: POST,
        template: "v3/profitsharing/receivers/add",
        partner: None,
        needs: &[ACCOUNT, Need::Text("/relation_type", 32), Need::May("/name", 10240)],
        act: Create(
            &RECEIVER,
            &[],
            None,
            &["sub_mchid", "type", "account", "name", "relation_type", "custom_relation"],
        ),
    },
    Row {
        method: POST,
        template: "v3/profitsharing/receivers/delete",
        partner: None,
        needs: &[ACCOUNT],
        act: Remove(&RECEIVER, By::Number(Place::Body("/account")), &["sub_mchid", "type", "account"]),
    },
    Row {
        method: POST,
        template: "v3/profitsharing/orders",
        partner: None,
        needs: &[
            Need::Text("/appid", 32),
            Need::Text("/transaction_id", 32),
            Need::Number("/out_order_no", 1, 64),
            Need::List(
                "/receivers",
                1,
                50,
                &[
                    Need::OneOf("/type", TYPES),
                    Need::Text("/account", 64),
                    Need::Cents("/amount"),
                    Need::Text("/description", 80),
                ],
            ),
        ],
        act: Create(&SHARE, &[], Some(&FINISH), SHARED),
    },
    Row {
        method: POST,
        template: "v3/profitsharing/orders/unfreeze",
        partner: None,
        needs: &[
            Need::Text("/transaction_id", 32),
            Need::Number("/out_order_no", 1, 64),
            Need::Text("/description", 80),
        ],
        act: Create(
            &SHARE,
            &[set("/unfreeze_unsplit", Fill::Yes), set("/receivers", Fill::Nothing)],
            Some(&FINISH),
            SHARED,
        ),
    },
    Row {
        method: GET,
        template: "v3/profitsharing/orders/{out_order_no}",
        partner: None,
        needs: &[Need::Query("transaction_id")],
        act: Query(&SHARE, By::Number(Place::Var("out_order_no")), SHARED),
    },
    Row {
        method: GET,
        template: "v3/profitsharing/transactions/{transaction_id}/amounts",
        partner: None,
        needs: &[],
        act: Query(&ORDER, By::Anyones(Place::Var("transaction_id")), &["transaction_id", "unsplit_amount"]),
    },
    Row {
        method: POST,
        template: "v3/profitsharing/return-orders",
        partner: None,
        needs: &[
            Need::Either("/order_id", "/out_order_no"),
            Need::Number("/out_return_no", 1, 64),
            Need::Text("/return_mchid", 32),
            Need::Cents("/amount"),
            Need::Text("/description", 80),
        ],
        act: Create(&RETURN, &[], None, RETURNED),
    },
    Row {
        method: GET,
        template: "v3/profitsharing/return-orders/{out_return_no}",
        partner: None,
        needs: &[Need::Query("out_order_no")],
        act: Query(&RETURN, By::Number(Place::Var("out_return_no")), RETURNED),
    },
];
