//! Profit sharing (分账): receivers, shares of an order, returned shares.

pub(crate) mod rules;

use http::Method;

use crate::sandbox::model::{
    engine::{
        error_code::{CHANGED, NOT_FOUND, WRONG_STATE},
        params::Param,
        schema::{
            Action, Endpoint, FieldValue, Fields, Location, Lookup, ResourceType, Transition, no_rule, set,
        },
    },
    products::{orders::ORDER, request_fields},
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
    personal: &["name"],
    accepted: request_fields::RECEIVER,
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
    personal: &[],
    accepted: request_fields::PROFIT_SHARE,
    on_create: rules::deduct_shares,
    on_load: no_rule,
};

static FINISH: Transition = Transition {
    from: &["PROCESSING"],
    to: "FINISHED",
    set: &[],
    errors: &[],
    default_error: WRONG_STATE,
    done: &[],
    same: &[],
    settles: true,
    hold: None,
    at_once: false,
    rule: rules::finish,
    notification: None,
};

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
    personal: &[],
    accepted: request_fields::SHARE_RETURN,
    on_create: rules::check_return,
    on_load: no_rule,
};

const SHARE_FIELDS: Fields =
    &["sub_mchid", "transaction_id", "out_order_no", "order_id", "state", "receivers"];

const RETURN_FIELDS: Fields = &[
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

const RECEIVER_TYPES: &[&str] = &["MERCHANT_ID", "PERSONAL_OPENID", "PERSONAL_SUB_OPENID"];

const RELATION_TYPES: &[&str] = &[
    "SERVICE_PROVIDER",
    "STORE",
    "STAFF",
    "STORE_OWNER",
    "PARTNER",
    "HEADQUARTER",
    "BRAND",
    "DISTRIBUTOR",
    "USER",
    "SUPPLIER",
    "CUSTOM",
];

const ACCOUNT_PARAMS: Param = Param::All(&[
    Param::Text("/appid", 32),
    Param::OneOf("/type", RECEIVER_TYPES),
    Param::Text("/account", 64),
]);

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        template: "v3/profitsharing/receivers/add",
        partner_template: None,
        params: &[
            ACCOUNT_PARAMS,
            Param::OneOf("/relation_type", RELATION_TYPES),
            Param::Optional("/custom_relation", 10),
        ],
        action: Action::Create(
            &RECEIVER,
            &[],
            None,
            &["sub_mchid", "type", "account", "name", "relation_type", "custom_relation"],
        ),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/profitsharing/receivers/delete",
        partner_template: None,
        params: &[ACCOUNT_PARAMS],
        action: Action::Delete(
            &RECEIVER,
            Lookup::MerchantNo(Location::Body("/account")),
            &["sub_mchid", "type", "account"],
        ),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/profitsharing/orders",
        partner_template: None,
        params: &[
            Param::Text("/appid", 32),
            Param::Text("/transaction_id", 32),
            Param::MerchantNo("/out_order_no", 1, 64),
            Param::Boolean("/unfreeze_unsplit"),
            Param::List(
                "/receivers",
                1,
                50,
                &[
                    Param::OneOf("/type", RECEIVER_TYPES),
                    Param::Text("/account", 64),
                    Param::Amount("/amount"),
                    Param::Text("/description", 80),
                ],
            ),
        ],
        action: Action::Create(&PROFIT_SHARE, &[], Some(&FINISH), SHARE_FIELDS),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/profitsharing/orders/unfreeze",
        partner_template: None,
        params: &[
            Param::Text("/transaction_id", 32),
            Param::MerchantNo("/out_order_no", 1, 64),
            Param::Text("/description", 80),
        ],
        action: Action::Create(
            &PROFIT_SHARE,
            &[set("/unfreeze_unsplit", FieldValue::True), set("/receivers", FieldValue::Null)],
            Some(&FINISH),
            SHARE_FIELDS,
        ),
    },
    Endpoint {
        method: Method::GET,
        template: "v3/profitsharing/orders/{out_order_no}",
        partner_template: None,
        params: &[Param::Query("transaction_id")],
        action: Action::Query(
            &PROFIT_SHARE,
            Lookup::MerchantNo(Location::Path("out_order_no")),
            SHARE_FIELDS,
        ),
    },
    Endpoint {
        method: Method::GET,
        template: "v3/profitsharing/transactions/{transaction_id}/amounts",
        partner_template: None,
        params: &[],
        action: Action::Query(
            &ORDER,
            Lookup::PlatformIdInAnyScope(Location::Path("transaction_id")),
            &["transaction_id", "unsplit_amount"],
        ),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/profitsharing/return-orders",
        partner_template: None,
        params: &[
            Param::Either("/order_id", "/out_order_no"),
            Param::MerchantNo("/out_return_no", 1, 64),
            Param::Text("/return_mchid", 32),
            Param::Amount("/amount"),
            Param::Text("/description", 80),
        ],
        action: Action::Create(&SHARE_RETURN, &[], None, RETURN_FIELDS),
    },
    Endpoint {
        method: Method::GET,
        template: "v3/profitsharing/return-orders/{out_return_no}",
        partner_template: None,
        params: &[Param::Query("out_order_no")],
        action: Action::Query(
            &SHARE_RETURN,
            Lookup::MerchantNo(Location::Path("out_return_no")),
            RETURN_FIELDS,
        ),
    },
];
