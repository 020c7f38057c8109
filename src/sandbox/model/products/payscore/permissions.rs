//! PayScore (支付分) permissions: requested by the merchant, given by the user, terminated by either.

use http::Method;
use serde_json::Value;

use crate::sandbox::{
    http::error_response::ErrorResponse,
    model::{
        engine::{
            Session,
            error_code::{CHANGED, NOT_FOUND, WRONG_STATE},
            schema::{
                Action, Endpoint, FieldValue, Location, Lookup, NotificationType, ResourceType, Transition,
                no_rule, set, set_if_missing,
            },
            text,
        },
        products::DEFAULT_OPENID,
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
    on_create: no_rule,
    on_load: no_rule,
};

const fn notification(event_type: &'static str, summary: &'static str) -> Option<NotificationType> {
    Some(NotificationType { event_type, original_type: "payscore", summary })
}

/// The user gives the permission.
pub(crate) static OPEN_PERMISSION: Transition = Transition {
    rule: replace_older,
    notification: notification("PAYSCORE.USER_OPEN_SERVICE", "用户开启服务"),
    ..Transition::new(
        &["UNAVAILABLE"],
        "AVAILABLE",
        &[
            set_if_missing("/openid", FieldValue::Text(DEFAULT_OPENID)),
            set("/user", FieldValue::Pair("/service_id", "/openid")),
            set("/authorization_success_time", FieldValue::Now),
            set("/openorclose_time", FieldValue::Now),
            set("/user_service_status", FieldValue::Text("USER_OPEN_SERVICE")),
        ],
    )
};

static TERMINATE: Transition = Transition {
    done: &["UNBINDUSER"],
    notification: notification("PAYSCORE.USER_CLOSE_SERVICE", "用户关闭服务"),
    ..Transition::new(
        &["AVAILABLE"],
        "UNBINDUSER",
        &[
            set("/cancel_authorization_time", FieldValue::Now),
            set("/openorclose_time", FieldValue::Now),
            set("/user_service_status", FieldValue::Text("USER_CLOSE_SERVICE")),
            set("/reason", FieldValue::FromRequest("/reason")),
        ],
    )
};

const BY_CODE: Lookup = Lookup::MerchantNo(Location::Path("authorization_code"));

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::both(Method::POST, "v3/payscore/permissions", &[], Action::Create(&PERMISSION, &[], None)),
    Endpoint::both(
        Method::GET,
        "v3/payscore/permissions/authorization-code/{authorization_code}",
        &[],
        Action::Query(&PERMISSION, BY_CODE),
    ),
    Endpoint::both(
        Method::POST,
        "v3/payscore/permissions/authorization-code/{authorization_code}/terminate",
        &[],
        Action::Transition(&PERMISSION, BY_CODE, &TERMINATE, None),
    ),
    Endpoint::new(
        Method::GET,
        "v3/payscore/permissions/openid/{openid}",
        &[],
        Action::Query(&PERMISSION, Lookup::Pair(Location::Query("service_id"), Location::Path("openid"))),
    ),
    Endpoint::new(
        Method::POST,
        "v3/payscore/permissions/openid/{openid}/terminate",
        &[],
        Action::Transition(
            &PERMISSION,
            Lookup::Pair(Location::Body("/service_id"), Location::Path("openid")),
            &TERMINATE,
            None,
        ),
    ),
    Endpoint::new(
        Method::GET,
        "v3/payscore/partner/permissions/search",
        &[],
        Action::Query(
            &PERMISSION,
            Lookup::FirstOf(&[
                Lookup::Pair(Location::Query("service_id"), Location::Query("openid")),
                Lookup::Pair(Location::Query("service_id"), Location::Query("sub_openid")),
            ]),
        ),
    ),
    // Terminating a permission that does not exist succeeds.
    Endpoint::new(
        Method::POST,
        "v3/payscore/partner/permissions/terminate",
        &[],
        Action::Transition(
            &PERMISSION,
            Lookup::Optional(&[
                Lookup::Pair(Location::Body("/service_id"), Location::Body("/openid")),
                Lookup::Pair(Location::Body("/service_id"), Location::Body("/sub_openid")),
            ]),
            &TERMINATE,
            None,
        ),
    ),
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
