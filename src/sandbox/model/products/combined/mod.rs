//! Combined orders: several orders that are paid together.

pub(crate) mod rules;

use http::Method;

use crate::sandbox::model::{
    engine::{
        rules::Rule,
        schema::{
            Action, Assignment, Endpoint, FieldValue, Location, Lookup, NotificationType, ResourceType,
            Transition, set,
        },
    },
    products::orders::{CLOSED, CODE_URL, H5_URL, ORDER_NO_USED, ORDER_NOT_FOUND, PAID, PREPAY_ID},
};

pub(crate) static COMBINED: ResourceType = ResourceType {
    name: "combined order",
    merchant_no: "combine_out_trade_no",
    platform_id: "",
    parent_id: "",
    state: "trade_state",
    amount: "/total",
    initial: &[
        set("/trade_state", FieldValue::Text("NOTPAY")),
        set("/combine_transaction_id", FieldValue::DatedNumber("4200", 28)),
    ],
    idempotency_fields: &["/combine_appid", "/trade_type", "/sub_orders", "/notify_url"],
    conflict: ORDER_NO_USED,
    terminal_states: &[("SUCCESS", PAID), ("CLOSED", CLOSED)],
    not_found: ORDER_NOT_FOUND,
    must_match: &["combine_appid"],
    on_create: rules::create_parts,
    on_load: rules::refresh,
};

pub(crate) static PAY_COMBINED: Transition = Transition {
    errors: &[("SUCCESS", PAID), ("CLOSED", CLOSED)],
    rule: rules::pay_parts,
    notification: Some(NotificationType {
        event_type: "TRANSACTION.SUCCESS",
        original_type: "transaction",
        summary: "支付成功",
    }),
    ..Transition::new(&["NOTPAY"], "SUCCESS", &[])
};

/// A repeat is checked like the first request: the parts it names are closed already.
static CLOSE_COMBINED: Transition = Transition {
    errors: &[("SUCCESS", PAID)],
    rule: rules::close_parts,
    ..Transition::new(&["NOTPAY", "CLOSED"], "CLOSED", &[])
};

const BY_NUMBER: Lookup = Lookup::MerchantNo(Location::Path("combine_out_trade_no"));

/// What each part needs.
const PARTS: Rule = Rule::Needs(&[
    "/sub_orders/*/mchid",
    "/sub_orders/*/out_trade_no",
    "/sub_orders/*/description",
    "/sub_orders/*/attach",
    "/sub_orders/*/amount/total_amount",
    "/sub_orders/*/amount/currency",
]);

const fn prepay(assignments: &'static [Assignment]) -> Action {
    Action::Create(&COMBINED, assignments, None)
}

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(
        Method::POST,
        "v3/combine-transactions/jsapi",
        &[PARTS, Rule::Needs(&["/combine_payer_info/openid"])],
        prepay(&[set("/trade_type", FieldValue::Text("JSAPI")), PREPAY_ID]),
    ),
    Endpoint::new(
        Method::POST,
        "v3/combine-transactions/app",
        &[PARTS],
        prepay(&[set("/trade_type", FieldValue::Text("APP")), PREPAY_ID]),
    ),
    Endpoint::new(
        Method::POST,
        "v3/combine-transactions/h5",
        &[PARTS, Rule::Needs(&["/scene_info/payer_client_ip", "/scene_info/h5_info/type"])],
        prepay(&[set("/trade_type", FieldValue::Text("MWEB")), H5_URL]),
    ),
    Endpoint::new(
        Method::POST,
        "v3/combine-transactions/native",
        &[PARTS],
        prepay(&[set("/trade_type", FieldValue::Text("NATIVE")), CODE_URL]),
    ),
    Endpoint::new(
        Method::GET,
        "v3/combine-transactions/out-trade-no/{combine_out_trade_no}",
        &[],
        Action::Query(&COMBINED, BY_NUMBER),
    ),
    Endpoint::new(
        Method::POST,
        "v3/combine-transactions/out-trade-no/{combine_out_trade_no}/close",
        &[PARTS],
        Action::Transition(&COMBINED, BY_NUMBER, &CLOSE_COMBINED, None),
    ),
];
