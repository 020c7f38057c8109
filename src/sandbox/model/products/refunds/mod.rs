//! Refunds of orders, whole or in parts.

use super::{
    Act::{Create, Query},
    By, CHANGED, Fields, Fill, GET, Kind, NOT_FOUND, Need, Notice, POST, Place, Row, Step, WRONG_STATE, keep,
    set,
};
use crate::sandbox::{catalogue::no_rule, flow::refunds};

pub(crate) static REFUND: Kind = Kind {
    name: "refund",
    number: "out_refund_no",
    own: "refund_id",
    parent: "transaction_id",
    state: "status",
    amount: "/amount/refund",
    new: &[
        set("/status", Fill::Text("PROCESSING")),
        set("/refund_status", Fill::Text("PROCESSING")),
        set("/refund_id", Fill::Number("50", 28)),
        set("/create_time", Fill::Now),
        set("/channel", Fill::Text("ORIGINAL")),
        set("/user_received_account", Fill::Text("支付用户零钱")),
        keep("/funds_account", Fill::Text("AVAILABLE")),
        set("/mchid", Fill::Mchid),
        set("/amount/payer_total", Fill::Copy("/amount/total")),
        set("/amount/payer_refund", Fill::Copy("/amount/refund")),
        set("/amount/settlement_refund", Fill::Copy("/amount/refund")),
        set("/amount/settlement_total", Fill::Copy("/amount/total")),
        set("/amount/discount_refund", Fill::Cents(0)),
    ],
    same: &[
        "/transaction_id",
        "/out_trade_no",
        "/sub_mchid",
        "/amount/refund",
        "/amount/total",
        "/amount/currency",
        "/notify_url",
    ],
    used: CHANGED,
    over: &[],
    unknown: NOT_FOUND,
    ties: &[],
    begin: refunds::begin,
    load: no_rule,
};

/// The money is back with the payer.
pub(crate) static SETTLE: Step = Step {
    from: &["PROCESSING"],
    to: "SUCCESS",
    sets: &[set("/refund_status", Fill::Text("SUCCESS")), set("/success_time", Fill::Now)],
    refuses: &[],
    wrong: WRONG_STATE,
    again: false,
    settles: true,
    rule: no_rule,
    event: Some(Notice {
        event_type: "REFUND.SUCCESS",
        original_type: "refund",
        summary: "退款成功",
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
    }),
};

const SHOWN: Fields = &[
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

pub(super) const ROWS: &[Row] = &[
    Row {
        method: POST,
        template: "v3/refund/domestic/refunds",
        partner: None,
        needs: &[
            Need::Either("/out_trade_no", "/transaction_id"),
            Need::Number("/out_refund_no", 1, 64),
            Need::May("/sub_mchid", 32),
            Need::May("/reason", 80),
            Need::MayUrl("/notify_url"),
            Need::Cents("/amount/refund"),
            Need::Cents("/amount/total"),
            Need::Text("/amount/currency", 16),
            Need::Currency("/amount/currency"),
        ],
        act: Create(&REFUND, &[], Some(&SETTLE), SHOWN),
    },
    Row {
        method: GET,
        template: "v3/refund/domestic/refunds/{out_refund_no}",
        partner: None,
        needs: &[],
        act: Query(&REFUND, By::Number(Place::Var("out_refund_no")), SHOWN),
    },
];
