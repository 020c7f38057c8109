//! Profit sharing (分账): receivers, shares of an order, returned shares.

pub(crate) mod rules;

use http::Method;

use crate::sandbox::model::{
    engine::{
        error_code::{CHANGED, NOT_FOUND},
        rules::Rule,
        schema::{Action, Endpoint, FieldValue, Location, Lookup, ResourceType, Transition, no_rule, set},
    },
    products::orders::ORDER,
};

pub(crate) static RECEIVER: ResourceType = ResourceType {
    name: "receiver",
    merchant_no: "account",
    platform_id: "",
    parent_id: "",
    state: "state",
    amount: "",
    initial: &[set("/state", FieldValue::Text("ADDED"))],
    idempotency_fields: &["/type", "/name", "/relation_type", "/custom_relation"],
    conflict: CHANGED,
    terminal_states: &[],
    not_found: NOT_FOUND,
    must_match: &["type"],
    on_create: rules::check_receiver,
    on_load: no_rule,
};

pub(crate) static PROFIT_SHARE: ResourceType = ResourceType {
    name: "share",
    merchant_no: "out_order_no",
    platform_id: "order_id",
    parent_id: "transaction_id",
    state: "state",
    amount: "/total",
    initial: &[
        set("/state", FieldValue::Text("PROCESSING")),
        set("/order_id", FieldValue::DatedNumber("3000", 28)),
    ],
    idempotency_fields: &["/transaction_id", "/receivers", "/unfreeze_unsplit"],
    conflict: CHANGED,
    terminal_states: &[],
    not_found: NOT_FOUND,
    must_match: &["transaction_id"],
    on_create: rules::deduct_shares,
    on_load: no_rule,
};

static FINISH: Transition =
    Transition { settles: true, rule: rules::finish, ..Transition::new(&["PROCESSING"], "FINISHED", &[]) };

pub(crate) static SHARE_RETURN: ResourceType = ResourceType {
    name: "return",
    merchant_no: "out_return_no",
    platform_id: "return_id",
    parent_id: "order_id",
    state: "result",
    amount: "/amount",
    initial: &[
        set("/result", FieldValue::Text("SUCCESS")),
        set("/return_id", FieldValue::DatedNumber("3008", 28)),
        set("/create_time", FieldValue::Now),
        set("/finish_time", FieldValue::Now),
    ],
    idempotency_fields: &["/order_id", "/out_order_no", "/return_mchid", "/amount"],
    conflict: CHANGED,
    terminal_states: &[],
    not_found: NOT_FOUND,
    must_match: &["out_order_no"],
    on_create: rules::check_return,
    on_load: no_rule,
};

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(
        Method::POST,
        "v3/profitsharing/receivers/add",
        &[Rule::OneOf(&["/type", "/relation_type"])],
        Action::Create(&RECEIVER, &[], None),
    ),
    Endpoint::new(
        Method::POST,
        "v3/profitsharing/receivers/delete",
        &[Rule::OneOf(&["/type"])],
        Action::Delete(&RECEIVER, Lookup::MerchantNo(Location::Body("/account"))),
    ),
    Endpoint::new(
        Method::POST,
        "v3/profitsharing/orders",
        &[
            Rule::Needs(&[
                "/appid",
                "/receivers",
                "/receivers/*/type",
                "/receivers/*/account",
                "/receivers/*/amount",
                "/receivers/*/description",
            ]),
            Rule::OneOf(&["/receivers/*/type"]),
        ],
        Action::Create(&PROFIT_SHARE, &[], Some(&FINISH)),
    ),
    Endpoint::new(
        Method::POST,
        "v3/profitsharing/orders/unfreeze",
        &[],
        Action::Create(
            &PROFIT_SHARE,
            &[set("/unfreeze_unsplit", FieldValue::True), set("/receivers", FieldValue::Null)],
            Some(&FINISH),
        ),
    ),
    Endpoint::new(
        Method::GET,
        "v3/profitsharing/orders/{out_order_no}",
        &[],
        Action::Query(&PROFIT_SHARE, Lookup::MerchantNo(Location::Path("out_order_no"))),
    ),
    Endpoint::new(
        Method::GET,
        "v3/profitsharing/transactions/{transaction_id}/amounts",
        &[],
        Action::Query(&ORDER, Lookup::PlatformIdInAnyScope(Location::Path("transaction_id"))),
    ),
    Endpoint::new(
        Method::POST,
        "v3/profitsharing/return-orders",
        &[],
        Action::Create(&SHARE_RETURN, &[], None),
    ),
    Endpoint::new(
        Method::GET,
        "v3/profitsharing/return-orders/{out_return_no}",
        &[],
        Action::Query(&SHARE_RETURN, Lookup::MerchantNo(Location::Path("out_return_no"))),
    ),
];
