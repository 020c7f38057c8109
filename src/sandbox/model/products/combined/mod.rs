//! Combined orders: several orders, paid at once.

use super::{
    Act::{self, Create, Move, Query},
    By, Fields, Fill, GET, Kind, Need, Notice, POST, Place, Row, Set, Step, WRONG_STATE,
    payments::{CLOSED, NO_ORDER, PAID, USED},
    set,
};
use crate::sandbox::flow::combined;

pub(crate) static COMBINED: Kind = Kind {
    name: "combined order",
    number: "combine_out_trade_no",
    own: "",
    parent: "",
    state: "trade_state",
    amount: "/total",
    new: &[set("/trade_state", Fill::Text("NOTPAY"))],
    same: &["/combine_appid", "/trade_type", "/sub_orders", "/notify_url"],
    used: USED,
    over: &[("SUCCESS", PAID), ("CLOSED", CLOSED)],
    unknown: NO_ORDER,
    ties: &["combine_appid"],
    begin: combined::begin,
    load: combined::load,
};

pub(crate) static PAY_COMBINED: Step = Step {
    from: &["NOTPAY"],
    to: "SUCCESS",
    sets: &[],
    refuses: &[("SUCCESS", PAID), ("CLOSED", CLOSED)],
    wrong: WRONG_STATE,
    again: false,
    settles: false,
    rule: combined::pay,
    event: Some(Notice {
        event_type: "TRANSACTION.SUCCESS",
        original_type: "transaction",
        summary: "支付成功",
        fields: SHOWN,
    }),
};

static CLOSE_COMBINED: Step = Step {
    from: &["NOTPAY"],
    to: "CLOSED",
    sets: &[],
    refuses: &[("SUCCESS", PAID)],
    wrong: WRONG_STATE,
    again: true,
    settles: false,
    rule: combined::close,
    event: None,
};

const SHOWN: Fields = &[
    "combine_appid",
    "combine_mchid",
    "combine_out_trade_no",
    "scene_info",
    "combine_payer_info",
    "sub_orders",
];

const WANTED: Need = Need::All(&[
    Need::Text("/combine_appid", 32),
    Need::Mchid("/combine_mchid"),
    Need::Number("/combine_out_trade_no", 2, 32),
    Need::Time("/time_expire"),
    Need::Url("/notify_url"),
    Need::List(
        "/sub_orders",
        1,
        50,
        &[
            Need::Text("/mchid", 32),
            Need::May("/sub_mchid", 32),
            Need::Number("/out_trade_no", 6, 32),
            Need::Text("/description", 127),
            Need::Text("/attach", 128),
            Need::Cents("/amount/total_amount"),
            Need::Text("/amount/currency", 8),
            Need::Currency("/amount/currency"),
        ],
    ),
]);

const PREPAID: Set = set("/prepay_id", Fill::Code("wx", 34));

const fn prepay(sets: &'static [Set], answer: Fields) -> Act {
    Create(&COMBINED, sets, None, answer)
}

pub(super) const ROWS: &[Row] = &[
    Row {
        method: POST,
        template: "v3/combine-transactions/jsapi",
        partner: None,
        needs: &[WANTED, Need::Text("/combine_payer_info/openid", 128)],
        act: prepay(&[set("/trade_type", Fill::Text("JSAPI")), PREPAID], &["prepay_id"]),
    },
    Row {
        method: POST,
        template: "v3/combine-transactions/app",
        partner: None,
        needs: &[WANTED],
        act: prepay(&[set("/trade_type", Fill::Text("APP")), PREPAID], &["prepay_id"]),
    },
    Row {
        method: POST,
        template: "v3/combine-transactions/h5",
        partner: None,
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
        template: "v3/combine-transactions/native",
        partner: None,
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
        template: "v3/combine-transactions/out-trade-no/{combine_out_trade_no}",
        partner: None,
        needs: &[],
        act: Query(&COMBINED, By::Number(Place::Var("combine_out_trade_no")), SHOWN),
    },
    Row {
        method: POST,
        template: "v3/combine-transactions/out-trade-no/{combine_out_trade_no}/close",
        partner: None,
        needs: &[
            Need::Text("/combine_appid", 32),
            Need::List(
                "/sub_orders",
                1,
                50,
                &[Need::Text("/mchid", 32), Need::Number("/out_trade_no", 6, 32)],
            ),
        ],
        act: Move(&COMBINED, By::Number(Place::Var("combine_out_trade_no")), &CLOSE_COMBINED, None, &[]),
    },
];
