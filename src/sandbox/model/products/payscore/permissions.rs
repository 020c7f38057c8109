//! PayScore (支付分) permissions: requested by the merchant, given by the user, terminated by either.

use http::Method;
use serde_json::Value;

use crate::sandbox::{
    http::error_response::ErrorResponse,
    model::{
        engine::{
            Session,
            error_code::{CHANGED, NOT_FOUND, WRONG_STATE},
            params::Param,
            schema::{
                Action, Endpoint, FieldValue, Fields, Location, Lookup, NotificationType, ResourceType,
                Transition, no_rule, set, set_if_missing,
            },
            text,
        },
        products::{DEFAULT_OPENID, request_fields},
    },
    store::documents::Document,
};

/// `user` (service and openid) finds the current permission of a user. A newer permission takes it over.
pub(crate) static PERMISSION: ResourceType = ResourceType {
    name: "permission",
    merchant_no: "authorization_code",
    platform_id: "user",
    parent_id: "",
    state: "authorization_state",
    amount: "",
    initial: &[
        set("/authorization_state", FieldValue::Text("UNAVAILABLE")),
        set("/apply_permissions_token", FieldValue::RandomText("", 64)),
        set("/mchid", FieldValue::Mchid),
    ],
    idempotency_fields: &["/appid", "/service_id"],
    conflict: CHANGED,
    terminal_states: &[("AVAILABLE", WRONG_STATE), ("UNBINDUSER", WRONG_STATE)],
    not_found: NOT_FOUND,
    must_match: &["service_id", "appid"],
    personal: &[],
    accepted: request_fields::PERMISSION,
    on_create: no_rule,
    on_load: no_rule,
};

/// The user gives the permission.
pub(crate) static OPEN_PERMISSION: Transition = Transition {
    from: &["UNAVAILABLE"],
    to: "AVAILABLE",
    set: &[
        set_if_missing("/openid", FieldValue::Text(DEFAULT_OPENID)),
        set("/user", FieldValue::Pair("/service_id", "/openid")),
        set("/authorization_success_time", FieldValue::Now),
        set("/openorclose_time", FieldValue::Now),
        set("/user_service_status", FieldValue::Text("USER_OPEN_SERVICE")),
    ],
    errors: &[],
    default_error: WRONG_STATE,
    done: &[],
    same: &[],
    settles: false,
    hold: None,
    at_once: false,
    rule: replace_older,
    notification: Some(NotificationType {
        event_type: "PAYSCORE.USER_OPEN_SERVICE",
        original_type: "payscore",
        summary: "用户开启服务",
        fields: NOTIFICATION_FIELDS,
    }),
};

static TERMINATE: Transition = Transition {
    from: &["AVAILABLE"],
    to: "UNBINDUSER",
    set: &[
        set("/cancel_authorization_time", FieldValue::Now),
        set("/openorclose_time", FieldValue::Now),
        set("/user_service_status", FieldValue::Text("USER_CLOSE_SERVICE")),
        set("/reason", FieldValue::FromRequest("/reason")),
    ],
    errors: &[],
    default_error: WRONG_STATE,
    done: &["UNBINDUSER"],
    same: &[],
    settles: false,
    hold: None,
    at_once: false,
    rule: no_rule,
    notification: Some(NotificationType {
        event_type: "PAYSCORE.USER_CLOSE_SERVICE",
        original_type: "payscore",
        summary: "用户关闭服务",
        fields: NOTIFICATION_FIELDS,
    }),
};

const NOTIFICATION_FIELDS: Fields = &[
    "appid",
    "mchid",
    "sub_mchid",
    "openid",
    "service_id",
    "authorization_code",
    "user_service_status",
    "openorclose_time",
];

const QUERY_FIELDS: Fields = &[
    "service_id",
    "appid",
    "sub_appid",
    "mchid",
    "sub_mchid",
    "openid",
    "sub_openid",
    "authorization_code",
    "authorization_state",
    "notify_url",
    "authorization_success_time",
    "cancel_authorization_time",
];

const QUERY_PARAMS: &[Param] = &[Param::Query("service_id"), Param::Partner(&[Param::Query("sub_mchid")])];

const TERMINATE_PARAMS: &[Param] = &[
    Param::Text("/service_id", 32),
    Param::Text("/reason", 30),
    Param::Partner(&[Param::Text("/sub_mchid", 32)]),
];

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        template: "v3/payscore/permissions",
        partner_template: Some("v3/payscore/partner/permissions"),
        params: &[
            Param::Text("/service_id", 32),
            Param::Text("/appid", 32),
            Param::Partner(&[Param::Text("/sub_mchid", 32)]),
            Param::MerchantNo("/authorization_code", 1, 32),
            Param::OptionalUrl("/notify_url"),
        ],
        action: Action::Create(&PERMISSION, &[], None, &["apply_permissions_token"]),
    },
    Endpoint {
        method: Method::GET,
        template: "v3/payscore/permissions/authorization-code/{authorization_code}",
        partner_template: Some("v3/payscore/partner/permissions/authorization-code/{authorization_code}"),
        params: QUERY_PARAMS,
        action: Action::Query(
            &PERMISSION,
            Lookup::MerchantNo(Location::Path("authorization_code")),
            QUERY_FIELDS,
        ),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/payscore/permissions/authorization-code/{authorization_code}/terminate",
        partner_template: Some(
            "v3/payscore/partner/permissions/authorization-code/{authorization_code}/terminate",
        ),
        params: TERMINATE_PARAMS,
        action: Action::Transition(
            &PERMISSION,
            Lookup::MerchantNo(Location::Path("authorization_code")),
            &TERMINATE,
            None,
            &[],
        ),
    },
    Endpoint {
        method: Method::GET,
        template: "v3/payscore/permissions/openid/{openid}",
        partner_template: None,
        params: &[Param::Query("service_id"), Param::Query("appid")],
        action: Action::Query(
            &PERMISSION,
            Lookup::Pair(Location::Query("service_id"), Location::Path("openid")),
            QUERY_FIELDS,
        ),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/payscore/permissions/openid/{openid}/terminate",
        partner_template: None,
        params: &[Param::Text("/service_id", 32), Param::Text("/appid", 32), Param::Text("/reason", 30)],
        action: Action::Transition(
            &PERMISSION,
            Lookup::Pair(Location::Body("/service_id"), Location::Path("openid")),
            &TERMINATE,
            None,
            &[],
        ),
    },
    Endpoint {
        method: Method::GET,
        template: "v3/payscore/partner/permissions/search",
        partner_template: None,
        params: &[Param::Query("service_id"), Param::Query("appid"), Param::Query("sub_mchid")],
        action: Action::Query(
            &PERMISSION,
            Lookup::FirstOf(&[
                Lookup::Pair(Location::Query("service_id"), Location::Query("openid")),
                Lookup::Pair(Location::Query("service_id"), Location::Query("sub_openid")),
            ]),
            QUERY_FIELDS,
        ),
    },
    // Terminating a permission that does not exist succeeds.
    Endpoint {
        method: Method::POST,
        template: "v3/payscore/partner/permissions/terminate",
        partner_template: None,
        params: &[
            Param::Text("/service_id", 32),
            Param::Text("/appid", 32),
            Param::Text("/sub_mchid", 32),
            Param::Text("/reason", 30),
        ],
        action: Action::Transition(
            &PERMISSION,
            Lookup::Optional(&[
                Lookup::MerchantNo(Location::Body("/authorization_code")),
                Lookup::Pair(Location::Body("/service_id"), Location::Body("/openid")),
                Lookup::Pair(Location::Body("/service_id"), Location::Body("/sub_openid")),
            ]),
            &TERMINATE,
            None,
            &[],
        ),
    },
];

/// A user has one current permission for a service. An older one can be found only by its code.
fn replace_older(session: &mut Session<'_>, permission: &mut Document) -> Result<(), ErrorResponse> {
    let user = text(&permission.body, PERMISSION.platform_id).unwrap_or_default();
    let older = session.documents.by_platform_id(PERMISSION.name, &permission.scope, user)?;
    if let Some(mut older) = older {
        older.body[PERMISSION.platform_id] = Value::Null;
        session.save(&PERMISSION, &mut older)?;
    }
    Ok(())
}
