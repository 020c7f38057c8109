//! Permissions of payscore: asked for by the merchant, opened by the user, ended by either.

use super::{
    Act::{Create, Move, Query},
    By, CHANGED, Fields, Fill, GET, Kind, NOT_FOUND, Need, Notice, POST, Place, Row, Step, WRONG_STATE, keep,
    set,
};
use crate::sandbox::{catalogue::no_rule, flow::services};

/// `user` (service and openid) is how a permission is found by its user: a later one of the same user takes it over.
pub(crate) static PERMISSION: Kind = Kind {
    name: "permission",
    number: "authorization_code",
    own: "user",
    parent: "",
    state: "authorization_state",
    amount: "",
    new: &[
        set("/authorization_state", Fill::Text("UNAVAILABLE")),
        set("/apply_permissions_token", Fill::Code("", 64)),
        set("/mchid", Fill::Mchid),
    ],
    same: &["/appid", "/service_id"],
    used: CHANGED,
    over: &[("AVAILABLE", WRONG_STATE), ("UNBINDUSER", WRONG_STATE)],
    unknown: NOT_FOUND,
    ties: &["service_id", "appid"],
    begin: no_rule,
    load: no_rule,
};

/// The user gives the permission.
pub(crate) static OPEN: Step = Step {
    from: &["UNAVAILABLE"],
    to: "AVAILABLE",
    sets: &[
        keep("/openid", Fill::Text(services::OPENID)),
        set("/user", Fill::Pair("/service_id", "/openid")),
        set("/authorization_success_time", Fill::Now),
        set("/openorclose_time", Fill::Now),
        set("/user_service_status", Fill::Text("USER_OPEN_SERVICE")),
    ],
    refuses: &[],
    wrong: WRONG_STATE,
    again: false,
    settles: false,
    rule: services::only_permission,
    event: Some(Notice {
        event_type: "PAYSCORE.USER_OPEN_SERVICE",
        original_type: "payscore",
        summary: "用户开启服务",
        fields: TOLD,
    }),
};

static TERMINATE: Step = Step {
    from: &["AVAILABLE"],
    to: "UNBINDUSER",
    sets: &[
        set("/cancel_authorization_time", Fill::Now),
        set("/openorclose_time", Fill::Now),
        set("/user_service_status", Fill::Text("USER_CLOSE_SERVICE")),
        set("/reason", Fill::Given("/reason")),
    ],
    refuses: &[],
    wrong: WRONG_STATE,
    again: true,
    settles: false,
    rule: no_rule,
    event: Some(Notice {
        event_type: "PAYSCORE.USER_CLOSE_SERVICE",
        original_type: "payscore",
        summary: "用户关闭服务",
        fields: TOLD,
    }),
};

const TOLD: Fields = &[
    "appid",
    "mchid",
    "sub_mchid",
    "openid",
    "service_id",
    "authorization_code",
    "user_service_status",
    "openorclose_time",
];

const SHOWN: Fields = &[
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

const SERVICE_QUERY: &[Need] = &[Need::Query("service_id"), Need::Partner(&[Need::Query("sub_mchid")])];

const ENDING: &[Need] = &[
    Need::Text("/service_id", 32),
    Need::Text("/reason", 30),
    Need::Partner(&[Need::Text("/sub_mchid", 32)]),
];

pub(super) const ROWS: &[Row] = &[
    Row {
        method: POST,
        template: "v3/payscore/permissions",
        partner: Some("v3/payscore/partner/permissions"),
        needs: &[
            Need::Text("/service_id", 32),
            Need::Text("/appid", 32),
            Need::Partner(&[Need::Text("/sub_mchid", 32)]),
            Need::Number("/authorization_code", 1, 32),
            Need::MayUrl("/notify_url"),
        ],
        act: Create(&PERMISSION, &[], None, &["apply_permissions_token"]),
    },
    Row {
        method: GET,
        template: "v3/payscore/permissions/authorization-code/{authorization_code}",
        partner: Some("v3/payscore/partner/permissions/authorization-code/{authorization_code}"),
        needs: SERVICE_QUERY,
        act: Query(&PERMISSION, By::Number(Place::Var("authorization_code")), SHOWN),
    },
    Row {
        method: POST,
        template: "v3/payscore/permissions/authorization-code/{authorization_code}/terminate",
        partner: Some("v3/payscore/partner/permissions/authorization-code/{authorization_code}/terminate"),
        needs: ENDING,
        act: Move(&PERMISSION, By::Number(Place::Var("authorization_code")), &TERMINATE, None, &[]),
    },
    Row {
        method: GET,
        template: "v3/payscore/permissions/openid/{openid}",
        partner: None,
        needs: &[Need::Query("service_id"), Need::Query("appid")],
        act: Query(&PERMISSION, By::Pair(Place::Query("service_id"), Place::Var("openid")), SHOWN),
    },
    Row {
        method: POST,
        template: "v3/payscore/permissions/openid/{openid}/terminate",
        partner: None,
        needs: &[Need::Text("/service_id", 32), Need::Text("/appid", 32), Need::Text("/reason", 30)],
        act: Move(
            &PERMISSION,
            By::Pair(Place::Body("/service_id"), Place::Var("openid")),
            &TERMINATE,
            None,
            &[],
        ),
    },
    Row {
        method: GET,
        template: "v3/payscore/partner/permissions/search",
        partner: None,
        needs: &[Need::Query("service_id"), Need::Query("appid"), Need::Query("sub_mchid")],
        act: Query(
            &PERMISSION,
            By::Any(&[
                By::Pair(Place::Query("service_id"), Place::Query("openid")),
                By::Pair(Place::Query("service_id"), Place::Query("sub_openid")),
            ]),
            SHOWN,
        ),
    },
    // Ending what a user does not have is done at once: a merchant calls this to be sure.
    Row {
        method: POST,
        template: "v3/payscore/partner/permissions/terminate",
        partner: None,
        needs: &[
            Need::Text("/service_id", 32),
            Need::Text("/appid", 32),
            Need::Text("/sub_mchid", 32),
            Need::Text("/reason", 30),
        ],
        act: Move(
            &PERMISSION,
            By::May(&[
                By::Number(Place::Body("/authorization_code")),
                By::Pair(Place::Body("/service_id"), Place::Body("/openid")),
                By::Pair(Place::Body("/service_id"), Place::Body("/sub_openid")),
            ]),
            &TERMINATE,
            None,
            &[],
        ),
    },
];
