//! Orders: JSAPI, app, H5 and native, the merchant's and the service provider's.

use super::{
    Act::{self, Create, Move, Query},
    By, Code, Fields, Fill, GET, Kind, Need, Notice, POST, Place, Row, Rule, Set, Step, WRONG_STATE, keep,
    no_rule, set,
};
use crate::sandbox::flow::orders;

pub(crate) const PAID: Code = Code::new(400, "ORDERPAID", "订单已支付");
pub(crate) const CLOSED: Code = Code::new(400, "ORDER_CLOSED", "订单已关闭");
pub(crate) const USED: Code = Code::new(403, "OUT_TRADE_NO_USED", "商户订单号重复");
pub(crate) const NO_ORDER: Code = Code::new(404, "ORDER_NOT_EXIST", "订单不存在");

pub(crate) static ORDER: Kind = Kind {
    name: "order",
    number: "out_trade_no",
    own: "transaction_id",
    parent: "",
    state: "trade_state",
    amount: "/amount/total",
    new: &[
        set("/trade_state", Fill::Text("NOTPAY")),
        set("/trade_state_desc", Fill::Text("订单未支付")),
        keep("/amount/currency", Fill::Text("CNY")),
    ],
    same: &[
        "/appid",
        "/sp_appid",
        "/sub_appid",
        "/amount/total",
        "/amount/currency",
        "/trade_type",
        "/description",
        "/payer",
        "/attach",
        "/notify_url",
    ],
    used: USED,
    over: &[("SUCCESS", PAID), ("REFUND", PAID), ("CLOSED", CLOSED)],
    unknown: NO_ORDER,
    ties: &[],
    begin: orders::begin,
    load: orders::expire,
};

/// The payer pays. Nothing but the payer's side does this: `Sandbox::pay`, or the page.
pub(crate) static PAY: Step = pay(orders::payer);

/// An order that is part of a combined one.
pub(crate) static PAY_PART: Step = pay(orders::frozen);

static CLOSE: Step = close(orders::alone);

pub(crate) static CLOSE_PART: Step = close(no_rule);

const PAYMENT: &[Set] = &[
    set("/trade_state_desc", Fill::Text("支付成功")),
    set("/transaction_id", Fill::Number("4200", 28)),
    set("/bank_type", Fill::Text("OTHERS")),
    set("/success_time", Fill::Now),
    set("/amount/payer_total", Fill::Copy("/amount/total")),
    set("/amount/payer_currency", Fill::Copy("/amount/currency")),
];

const CLOSING: &[Set] = &[set("/trade_state_desc", Fill::Text("订单已关闭"))];

const fn pay(rule: Rule) -> Step {
    Step {
        from: &["NOTPAY"],
        to: "SUCCESS",
        sets: PAYMENT,
        refuses: &[("SUCCESS", PAID), ("REFUND", PAID), ("CLOSED", CLOSED)],
        wrong: WRONG_STATE,
        again: false,
        settles: true,
        rule,
        event: Some(Notice {
            event_type: "TRANSACTION.SUCCESS",
            original_type: "transaction",
            summary: "支付成功",
            fields: SHOWN,
        }),
    }
}

const fn close(rule: Rule) -> Step {
    Step {
        from: &["NOTPAY"],
        to: "CLOSED",
        sets: CLOSING,
        refuses: &[("SUCCESS", PAID), ("REFUND", PAID)],
        wrong: WRONG_STATE,
        again: true,
        settles: false,
        rule,
        event: None,
    }
}

const SHOWN: Fields = &[
    "appid",
    "mchid",
    "sp_appid",
    "sp_mchid",
    "sub_appid",
    "sub_mchid",
    "out_trade_no",
    "transaction_id",
    "trade_type",
    "trade_state",
    "trade_state_desc",
    "bank_type",
    "attach",
    "success_time",
    "payer",
    "amount",
    "scene_info",
];

const WANTED: Need = Need::All(&[
    Need::Direct(&[Need::Text("/appid", 32), Need::Mchid("/mchid")]),
    Need::Partner(&[
        Need::Text("/sp_appid", 32),
        Need::Mchid("/sp_mchid"),
        Need::May("/sub_appid", 32),
        Need::Text("/sub_mchid", 32),
    ]),
    Need::Text("/description", 127),
    Need::Number("/out_trade_no", 6, 32),
    Need::Time("/time_expire"),
    Need::May("/attach", 128),
    Need::Url("/notify_url"),
    Need::Cents("/amount/total"),
    Need::Currency("/amount/currency"),
]);

const PREPAID: Set = set("/prepay_id", Fill::Code("wx", 34));

const fn prepay(sets: &'static [Set], answer: Fields) -> Act {
    Create(&ORDER, sets, None, answer)
}

const ASKED_BY: Need = Need::All(&[
    Need::Direct(&[Need::QueryMchid("mchid")]),
    Need::Partner(&[Need::QueryMchid("sp_mchid"), Need::Query("sub_mchid")]),
]);

pub(super) const ROWS: &[Row] = &[
    Row {
        method: POST,
        template: "v3/pay/transactions/jsapi",
        partner: Some("v3/pay/partner/transactions/jsapi"),
        needs: &[
            WANTED,
            Need::Direct(&[Need::Text("/payer/openid", 128)]),
            Need::Partner(&[Need::Either("/payer/sp_openid", "/payer/sub_openid")]),
        ],
        act: prepay(&[set("/trade_type", Fill::Text("JSAPI")), PREPAID], &["prepay_id"]),
    },
    Row {
        method: POST,
        template: "v3/pay/transactions/app",
        partner: Some("v3/pay/partner/transactions/app"),
        needs: &[WANTED],
        act: prepay(&[set("/trade_type", Fill::Text("APP")), PREPAID], &["prepay_id"]),
    },
    Row {
        method: POST,
        template: "v3/pay/transactions/h5",
        partner: Some("v3/pay/partner/transactions/h5"),
        needs: &[
            WANTED,
            Need::Text("/scene_info/payer_client_ip", 45),
            Need::Text("/scene_info/h5_info/type", 32),
        ],
        act: prepay(
            &[
                set("/trade_type", Fill::Text("MWEB")),
                set(
                    "/h5_url",
                    Fill::Code("https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx", 34),
                ),
            ],
            &["h5_url"],
        ),
    },
    Row {
        method: POST,
        template: "v3/pay/transactions/native",
        partner: Some("v3/pay/partner/transactions/native"),
        needs: &[WANTED],
        act: prepay(
            &[
                set("/trade_type", Fill::Text("NATIVE")),
                set("/code_url", Fill::Code("weixin://wxpay/bizpayurl?pr=", 9)),
            ],
            &["code_url"],
        ),
    },
    Row {
        method: GET,
        template: "v3/pay/transactions/id/{transaction_id}",
        partner: Some("v3/pay/partner/transactions/id/{transaction_id}"),
        needs: &[ASKED_BY],
        act: Query(&ORDER, By::Own(Place::Var("transaction_id")), SHOWN),
    },
    Row {
        method: GET,
        template: "v3/pay/transactions/out-trade-no/{out_trade_no}",
        partner: Some("v3/pay/partner/transactions/out-trade-no/{out_trade_no}"),
        needs: &[ASKED_BY],
        act: Query(&ORDER, By::Number(Place::Var("out_trade_no")), SHOWN),
    },
    Row {
        method: POST,
        template: "v3/pay/transactions/out-trade-no/{out_trade_no}/close",
        partner: Some("v3/pay/partner/transactions/out-trade-no/{out_trade_no}/close"),
        needs: &[
            Need::Direct(&[Need::Mchid("/mchid")]),
            Need::Partner(&[Need::Mchid("/sp_mchid"), Need::Text("/sub_mchid", 32)]),
        ],
        act: Move(&ORDER, By::Number(Place::Var("out_trade_no")), &CLOSE, None, &[]),
    },
];
