//! Orders (JSAPI, app, H5, native, payment code), for merchants and service providers.

pub(crate) mod code;
pub(crate) mod rules;

use http::Method;

use crate::sandbox::model::engine::{
    error_code::{ErrorCode, WRONG_STATE},
    rules::Rule,
    schema::{
        Action, Assignment, Check, Endpoint, FieldValue, Location, Lookup, NotificationType, ResourceType,
        Transition, no_rule, set, set_if_missing,
    },
};

pub(crate) const PAID: ErrorCode = ErrorCode::new(400, "ORDERPAID", "订单已支付");
pub(crate) const CLOSED: ErrorCode = ErrorCode::new(400, "ORDER_CLOSED", "订单已关闭");
pub(crate) const ORDER_NO_USED: ErrorCode = ErrorCode::new(403, "OUT_TRADE_NO_USED", "商户订单号重复");
pub(crate) const ORDER_NOT_FOUND: ErrorCode = ErrorCode::new(404, "ORDER_NOT_EXIST", "订单不存在");

pub(crate) static ORDER: ResourceType = ResourceType {
    name: "order",
    merchant_no: "out_trade_no",
    platform_id: "transaction_id",
    parent_id: "auth_code",
    state: "trade_state",
    amount: "/amount/total",
    initial: &[
        set_if_missing("/trade_state", FieldValue::Text("NOTPAY")),
        set_if_missing("/trade_state_desc", FieldValue::Text("订单未支付")),
        set_if_missing("/amount/currency", FieldValue::Text("CNY")),
    ],
    idempotency_fields: &[
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
        "/auth_code",
    ],
    conflict: ORDER_NO_USED,
    terminal_states: &[
        ("SUCCESS", PAID),
        ("REFUND", PAID),
        ("CLOSED", CLOSED),
        ("REVOKED", CLOSED),
        ("PAYERROR", WRONG_STATE),
    ],
    not_found: ORDER_NOT_FOUND,
    must_match: &[],
    on_create: rules::check_new,
    on_load: rules::expire,
};

/// Only the simulated payer pays: `Sandbox::pay` or the page.
pub(crate) static PAY: Transition = pay(rules::set_payer);

/// A part of a combined order.
pub(crate) static PAY_PART: Transition = pay(rules::freeze_for_sharing);

static CLOSE: Transition = close(rules::reject_part);

pub(crate) static CLOSE_PART: Transition = close(no_rule);

const PAYMENT_FIELDS: &[Assignment] = &[
    set("/trade_state_desc", FieldValue::Text("支付成功")),
    set("/transaction_id", FieldValue::DatedNumber("4200", 28)),
    set("/bank_type", FieldValue::Text("OTHERS")),
    set("/success_time", FieldValue::Now),
    set("/amount/payer_total", FieldValue::CopyOf("/amount/total")),
    set("/amount/payer_currency", FieldValue::CopyOf("/amount/currency")),
];

const CLOSE_FIELDS: &[Assignment] = &[set("/trade_state_desc", FieldValue::Text("订单已关闭"))];

pub(crate) const fn pay(rule: Check) -> Transition {
    Transition {
        errors: &[("SUCCESS", PAID), ("REFUND", PAID), ("CLOSED", CLOSED), ("REVOKED", CLOSED)],
        settles: true,
        rule,
        notification: Some(NotificationType {
            event_type: "TRANSACTION.SUCCESS",
            original_type: "transaction",
            summary: "支付成功",
        }),
        ..Transition::new(&["NOTPAY", "USERPAYING"], "SUCCESS", PAYMENT_FIELDS)
    }
}

const fn close(rule: Check) -> Transition {
    Transition {
        errors: &[("SUCCESS", PAID), ("REFUND", PAID)],
        done: &["CLOSED"],
        rule,
        ..Transition::new(&["NOTPAY"], "CLOSED", CLOSE_FIELDS)
    }
}

pub(super) const BY_NUMBER: Lookup = Lookup::MerchantNo(Location::Path("out_trade_no"));

pub(crate) const PREPAY_ID: Assignment = set("/prepay_id", FieldValue::RandomText("wx", 34));

pub(crate) const H5_URL: Assignment = set(
    "/h5_url",
    FieldValue::RandomText("https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx", 34),
);

pub(crate) const CODE_URL: Assignment =
    set("/code_url", FieldValue::RandomText("weixin://wxpay/bizpayurl?pr=", 9));

const fn prepay(assignments: &'static [Assignment]) -> Action {
    Action::Create(&ORDER, assignments, None)
}

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::both(
        Method::POST,
        "v3/pay/transactions/jsapi",
        &[Rule::Needs(&["/amount/total", "/payer/openid"])],
        prepay(&[set("/trade_type", FieldValue::Text("JSAPI")), PREPAY_ID]),
    ),
    Endpoint::both(
        Method::POST,
        "v3/pay/transactions/app",
        &[Rule::Needs(&["/amount/total"])],
        prepay(&[set("/trade_type", FieldValue::Text("APP")), PREPAY_ID]),
    ),
    Endpoint::both(
        Method::POST,
        "v3/pay/transactions/h5",
        &[Rule::Needs(&["/amount/total", "/scene_info/payer_client_ip", "/scene_info/h5_info/type"])],
        prepay(&[set("/trade_type", FieldValue::Text("MWEB")), H5_URL]),
    ),
    Endpoint::both(
        Method::POST,
        "v3/pay/transactions/native",
        &[Rule::Needs(&["/amount/total"])],
        prepay(&[set("/trade_type", FieldValue::Text("NATIVE")), CODE_URL]),
    ),
    Endpoint::both(
        Method::GET,
        "v3/pay/transactions/id/{transaction_id}",
        &[],
        Action::Query(&ORDER, Lookup::PlatformId(Location::Path("transaction_id"))),
    ),
    Endpoint::both(
        Method::GET,
        "v3/pay/transactions/out-trade-no/{out_trade_no}",
        &[],
        Action::Query(&ORDER, BY_NUMBER),
    ),
    Endpoint::both(
        Method::POST,
        "v3/pay/transactions/out-trade-no/{out_trade_no}/close",
        &[],
        Action::Transition(&ORDER, BY_NUMBER, &CLOSE, None),
    ),
];
