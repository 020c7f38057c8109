//! Combined orders: several orders that are paid together.

pub(crate) mod rules;

use http::Method;

use crate::sandbox::model::{
    engine::{
        error_code::WRONG_STATE,
        params::Param,
        schema::{
            Action, Assignment, Endpoint, FieldValue, Fields, Location, Lookup, NotificationType,
            ResourceType, Transition, set,
        },
    },
    products::{
        orders::{CLOSED, CODE_URL, H5_URL, ORDER_NO_USED, ORDER_NOT_FOUND, PAID, PREPAY_ID},
        request_fields,
    },
};

pub(crate) static COMBINED: ResourceType = ResourceType {
    name: "combined order",
    merchant_no: "combine_out_trade_no",
    platform_id: "",
    parent_id: "",
    state: "trade_state",
    amount: "/total",
    initial: &[set("/trade_state", FieldValue::Text("NOTPAY"))],
    idempotency_fields: &["/combine_appid", "/trade_type", "/sub_orders", "/notify_url"],
    conflict: ORDER_NO_USED,
    terminal_states: &[("SUCCESS", PAID), ("CLOSED", CLOSED)],
    not_found: ORDER_NOT_FOUND,
    must_match: &["combine_appid"],
    personal: &[],
    accepted: request_fields::COMBINED,
    on_create: rules::create_parts,
    on_load: rules::refresh,
};

pub(crate) static PAY_COMBINED: Transition = Transition {
    from: &["NOTPAY"],
    to: "SUCCESS",
    set: &[],
    errors: &[("SUCCESS", PAID), ("CLOSED", CLOSED)],
    default_error: WRONG_STATE,
    done: &[],
    same: &[],
    settles: false,
    hold: None,
    at_once: false,
    rule: rules::pay_parts,
    notification: Some(NotificationType {
        event_type: "TRANSACTION.SUCCESS",
        original_type: "transaction",
        summary: "支付成功",
        fields: QUERY_FIELDS,
    }),
};

/// A repeat is checked like the first request: the parts it names are closed already.
static CLOSE_COMBINED: Transition = Transition {
    from: &["NOTPAY", "CLOSED"],
    to: "CLOSED",
    set: &[],
    errors: &[("SUCCESS", PAID)],
    default_error: WRONG_STATE,
    done: &[],
    same: &[],
    settles: false,
    hold: None,
    at_once: false,
    rule: rules::close_parts,
    notification: None,
};

const QUERY_FIELDS: Fields = &[
    "combine_appid",
    "combine_mchid",
    "combine_out_trade_no",
    "scene_info",
    "combine_payer_info",
    "sub_orders",
];

const ORDER_PARAMS: Param = Param::All(&[
    Param::Text("/combine_appid", 32),
    Param::Mchid("/combine_mchid"),
    Param::MerchantNo("/combine_out_trade_no", 2, 32),
    Param::OptionalTime("/time_expire"),
    Param::Url("/notify_url"),
    Param::List(
        "/sub_orders",
        1,
        50,
        &[
            Param::Text("/mchid", 32),
            Param::Optional("/sub_mchid", 32),
            Param::MerchantNo("/out_trade_no", 6, 32),
            Param::Text("/description", 127),
            Param::Text("/attach", 128),
            Param::Amount("/amount/total_amount"),
            Param::Text("/amount/currency", 8),
            Param::Currency("/amount/currency"),
        ],
    ),
]);

const fn prepay(assignments: &'static [Assignment], fields: Fields) -> Action {
    Action::Create(&COMBINED, assignments, None, fields)
}

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        template: "v3/combine-transactions/jsapi",
        partner_template: None,
        params: &[ORDER_PARAMS, Param::Text("/combine_payer_info/openid", 128)],
        action: prepay(&[set("/trade_type", FieldValue::Text("JSAPI")), PREPAY_ID], &["prepay_id"]),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/combine-transactions/app",
        partner_template: None,
        params: &[ORDER_PARAMS],
        action: prepay(&[set("/trade_type", FieldValue::Text("APP")), PREPAY_ID], &["prepay_id"]),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/combine-transactions/h5",
        partner_template: None,
        params: &[
            ORDER_PARAMS,
            Param::Text("/scene_info/payer_client_ip", 45),
            Param::Text("/scene_info/h5_info/type", 32),
        ],
        action: prepay(&[set("/trade_type", FieldValue::Text("MWEB")), H5_URL], &["h5_url"]),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/combine-transactions/native",
        partner_template: None,
        params: &[ORDER_PARAMS],
        action: prepay(&[set("/trade_type", FieldValue::Text("NATIVE")), CODE_URL], &["code_url"]),
    },
    Endpoint {
        method: Method::GET,
        template: "v3/combine-transactions/out-trade-no/{combine_out_trade_no}",
        partner_template: None,
        params: &[],
        action: Action::Query(
            &COMBINED,
            Lookup::MerchantNo(Location::Path("combine_out_trade_no")),
            QUERY_FIELDS,
        ),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/combine-transactions/out-trade-no/{combine_out_trade_no}/close",
        partner_template: None,
        params: &[
            Param::Text("/combine_appid", 32),
            Param::List(
                "/sub_orders",
                1,
                50,
                &[Param::Text("/mchid", 32), Param::MerchantNo("/out_trade_no", 6, 32)],
            ),
        ],
        action: Action::Transition(
            &COMBINED,
            Lookup::MerchantNo(Location::Path("combine_out_trade_no")),
            &CLOSE_COMBINED,
            None,
            &[],
        ),
    },
];
