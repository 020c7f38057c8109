//! Orders (JSAPI, app, H5, native, payment code), for merchants and service providers.

pub(crate) mod code;
pub(crate) mod rules;

use http::Method;

use crate::sandbox::model::{
    engine::{
        error_code::{ErrorCode, WRONG_STATE},
        params::Param,
        schema::{
            Action, Assignment, Endpoint, FieldValue, Fields, Location, Lookup, NotificationType,
            ResourceType, Rule, Transition, no_rule, set, set_if_missing,
        },
    },
    products::request_fields,
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
    personal: &[],
    accepted: request_fields::ORDER,
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

pub(crate) const fn pay(rule: Rule) -> Transition {
    Transition {
        from: &["NOTPAY", "USERPAYING"],
        to: "SUCCESS",
        set: PAYMENT_FIELDS,
        errors: &[("SUCCESS", PAID), ("REFUND", PAID), ("CLOSED", CLOSED), ("REVOKED", CLOSED)],
        default_error: WRONG_STATE,
        done: &[],
        same: &[],
        settles: true,
        hold: None,
        at_once: false,
        rule,
        notification: Some(NotificationType {
            event_type: "TRANSACTION.SUCCESS",
            original_type: "transaction",
            summary: "支付成功",
            fields: QUERY_FIELDS,
        }),
    }
}

const fn close(rule: Rule) -> Transition {
    Transition {
        from: &["NOTPAY"],
        to: "CLOSED",
        set: CLOSE_FIELDS,
        errors: &[("SUCCESS", PAID), ("REFUND", PAID)],
        default_error: WRONG_STATE,
        done: &["CLOSED"],
        same: &[],
        settles: false,
        hold: None,
        at_once: false,
        rule,
        notification: None,
    }
}

const QUERY_FIELDS: Fields = &[
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

/// What orders of all kinds have.
const COMMON_PARAMS: Param = Param::All(&[
    Param::Direct(&[Param::Text("/appid", 32), Param::Mchid("/mchid")]),
    Param::Partner(&[
        Param::Optional("/sp_appid", 32),
        Param::Mchid("/sp_mchid"),
        Param::Optional("/sub_appid", 32),
        Param::Text("/sub_mchid", 32),
    ]),
    Param::Text("/description", 127),
    Param::MerchantNo("/out_trade_no", 6, 32),
    Param::Optional("/attach", 128),
    Param::Amount("/amount/total"),
    Param::Currency("/amount/currency"),
]);

const ORDER_PARAMS: Param = Param::All(&[
    COMMON_PARAMS,
    Param::Partner(&[Param::Text("/sp_appid", 32)]),
    Param::OptionalTime("/time_expire"),
    Param::Url("/notify_url"),
]);

pub(crate) const PREPAY_ID: Assignment = set("/prepay_id", FieldValue::RandomText("wx", 34));

pub(crate) const H5_URL: Assignment = set(
    "/h5_url",
    FieldValue::RandomText("https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx", 34),
);

pub(crate) const CODE_URL: Assignment =
    set("/code_url", FieldValue::RandomText("weixin://wxpay/bizpayurl?pr=", 9));

const fn prepay(assignments: &'static [Assignment], fields: Fields) -> Action {
    Action::Create(&ORDER, assignments, None, fields)
}

const QUERY_PARAMS: Param = Param::All(&[
    Param::Direct(&[Param::QueryMchid("mchid")]),
    Param::Partner(&[Param::QueryMchid("sp_mchid"), Param::Query("sub_mchid")]),
]);

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        template: "v3/pay/transactions/jsapi",
        partner_template: Some("v3/pay/partner/transactions/jsapi"),
        params: &[
            ORDER_PARAMS,
            Param::Direct(&[Param::Text("/payer/openid", 128)]),
            Param::Partner(&[Param::Either("/payer/sp_openid", "/payer/sub_openid")]),
        ],
        action: prepay(&[set("/trade_type", FieldValue::Text("JSAPI")), PREPAY_ID], &["prepay_id"]),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/pay/transactions/app",
        partner_template: Some("v3/pay/partner/transactions/app"),
        params: &[ORDER_PARAMS],
        action: prepay(&[set("/trade_type", FieldValue::Text("APP")), PREPAY_ID], &["prepay_id"]),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/pay/transactions/h5",
        partner_template: Some("v3/pay/partner/transactions/h5"),
        params: &[
            ORDER_PARAMS,
            Param::Text("/scene_info/payer_client_ip", 45),
            Param::Text("/scene_info/h5_info/type", 32),
        ],
        action: prepay(&[set("/trade_type", FieldValue::Text("MWEB")), H5_URL], &["h5_url"]),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/pay/transactions/native",
        partner_template: Some("v3/pay/partner/transactions/native"),
        params: &[ORDER_PARAMS],
        action: prepay(&[set("/trade_type", FieldValue::Text("NATIVE")), CODE_URL], &["code_url"]),
    },
    Endpoint {
        method: Method::GET,
        template: "v3/pay/transactions/id/{transaction_id}",
        partner_template: Some("v3/pay/partner/transactions/id/{transaction_id}"),
        params: &[QUERY_PARAMS],
        action: Action::Query(&ORDER, Lookup::PlatformId(Location::Path("transaction_id")), QUERY_FIELDS),
    },
    Endpoint {
        method: Method::GET,
        template: "v3/pay/transactions/out-trade-no/{out_trade_no}",
        partner_template: Some("v3/pay/partner/transactions/out-trade-no/{out_trade_no}"),
        params: &[QUERY_PARAMS],
        action: Action::Query(&ORDER, Lookup::MerchantNo(Location::Path("out_trade_no")), QUERY_FIELDS),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/pay/transactions/out-trade-no/{out_trade_no}/close",
        partner_template: Some("v3/pay/partner/transactions/out-trade-no/{out_trade_no}/close"),
        params: &[
            Param::Direct(&[Param::Mchid("/mchid")]),
            Param::Partner(&[Param::Mchid("/sp_mchid"), Param::Text("/sub_mchid", 32)]),
        ],
        action: Action::Transition(
            &ORDER,
            Lookup::MerchantNo(Location::Path("out_trade_no")),
            &CLOSE,
            None,
            &[],
        ),
    },
];
