//! Transfers to users, who confirm them.

use super::{
    Act::{Create, Move, Query},
    By, CHANGED, Code, Fields, Fill, GET, Kind, Need, Notice, POST, Place, Row, Set, Step, WRONG_STATE, set,
};
use crate::sandbox::catalogue::no_rule;

pub(crate) static TRANSFER: Kind = Kind {
    name: "transfer",
    number: "out_bill_no",
    own: "transfer_bill_no",
    parent: "",
    state: "state",
    amount: "/transfer_amount",
    new: &[
        set("/state", Fill::Text("WAIT_USER_CONFIRM")),
        set("/transfer_bill_no", Fill::Number("13300", 31)),
        set("/mch_id", Fill::Mchid),
        set("/create_time", Fill::Now),
        set("/update_time", Fill::Now),
        set("/package_info", Fill::Code("ABBQO+", 60)),
    ],
    same: &["/appid", "/openid", "/transfer_amount", "/transfer_scene_id", "/transfer_remark", "/notify_url"],
    used: Code::new(400, "ALREADY_EXISTS", CHANGED.message),
    over: &[],
    unknown: Code::new(404, "NOT_FOUND", "记录不存在"),
    ties: &[],
    begin: no_rule,
    load: no_rule,
};

const FINISHED: Option<Notice> = Some(Notice {
    event_type: "MCHTRANSFER.BILL.FINISHED",
    original_type: "mch_payment",
    summary: "商家转账单据终态通知",
    fields: &[
        "mch_id",
        "out_bill_no",
        "transfer_bill_no",
        "state",
        "transfer_amount",
        "openid",
        "fail_reason",
        "create_time",
        "update_time",
    ],
});

const fn step(from: &'static [&'static str], to: &'static str, sets: &'static [Set]) -> Step {
    Step {
        from,
        to,
        sets,
        refuses: &[],
        wrong: WRONG_STATE,
        again: false,
        settles: false,
        rule: no_rule,
        event: None,
    }
}

const UPDATED: &[Set] = &[set("/update_time", Fill::Now)];

/// The user takes the money.
pub(crate) static ACCEPT: Step =
    Step { settles: true, event: FINISHED, ..step(&["WAIT_USER_CONFIRM"], "SUCCESS", UPDATED) };

static CANCEL: Step = step(&["WAIT_USER_CONFIRM"], "CANCELING", UPDATED);

static CANCELLED: Step = Step { event: FINISHED, ..step(&["CANCELING"], "CANCELLED", UPDATED) };

const SHOWN: Fields = &[
    "mch_id",
    "out_bill_no",
    "transfer_bill_no",
    "appid",
    "state",
    "transfer_amount",
    "transfer_remark",
    "fail_reason",
    "openid",
    "user_name",
    "create_time",
    "update_time",
];

pub(super) const ROWS: &[Row] = &[
    Row {
        method: POST,
        template: "v3/fund-app/mch-transfer/transfer-bills",
        partner: None,
        needs: &[
            Need::Text("/appid", 32),
            Need::Number("/out_bill_no", 1, 32),
            Need::Text("/transfer_scene_id", 36),
            Need::Text("/openid", 64),
            Need::May("/user_name", 1024),
            Need::Cents("/transfer_amount"),
            Need::Text("/transfer_remark", 32),
            Need::MayUrl("/notify_url"),
        ],
        act: Create(
            &TRANSFER,
            &[],
            None,
            &["out_bill_no", "transfer_bill_no", "create_time", "state", "package_info"],
        ),
    },
    Row {
        method: GET,
        template: "v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}",
        partner: None,
        needs: &[],
        act: Query(&TRANSFER, By::Number(Place::Var("out_bill_no")), SHOWN),
    },
    Row {
        method: GET,
        template: "v3/fund-app/mch-transfer/transfer-bills/transfer-bill-no/{transfer_bill_no}",
        partner: None,
        needs: &[],
        act: Query(&TRANSFER, By::Own(Place::Var("transfer_bill_no")), SHOWN),
    },
    Row {
        method: POST,
        template: "v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}/cancel",
        partner: None,
        needs: &[],
        act: Move(
            &TRANSFER,
            By::Number(Place::Var("out_bill_no")),
            &CANCEL,
            Some(&CANCELLED),
            &["out_bill_no", "transfer_bill_no", "state", "update_time"],
        ),
    },
];
