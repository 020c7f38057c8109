//! Transfers to users, who accept them.

use http::Method;

use crate::sandbox::{
    http::{clock::parse_rfc3339, error_response::ErrorResponse},
    model::{
        engine::{
            Session, cents,
            error_code::{CHANGED, ErrorCode, WRONG_STATE},
            params::Param,
            schema::{
                Action, Assignment, Endpoint, FieldValue, Fields, Location, Lookup, NotificationType,
                ResourceType, Transition, no_rule, set,
            },
            text,
        },
        products::request_fields,
    },
    store::documents::Document,
};

pub(crate) static TRANSFER: ResourceType = ResourceType {
    name: "transfer",
    merchant_no: "out_bill_no",
    platform_id: "transfer_bill_no",
    parent_id: "",
    state: "state",
    amount: "/transfer_amount",
    initial: &[
        set("/state", FieldValue::Text(WAITING)),
        set("/transfer_bill_no", FieldValue::DatedNumber("13300", 31)),
        set("/mch_id", FieldValue::Mchid),
        set("/create_time", FieldValue::Now),
        set("/update_time", FieldValue::Now),
        set("/package_info", FieldValue::RandomText("ABBQO+", 60)),
    ],
    idempotency_fields: &[
        "/appid",
        "/openid",
        "/transfer_amount",
        "/transfer_scene_id",
        "/transfer_remark",
        "/notify_url",
        "/user_name",
    ],
    conflict: ErrorCode::new(400, "ALREADY_EXISTS", CHANGED.message),
    terminal_states: &[],
    not_found: ErrorCode::new(404, "NOT_FOUND", "记录不存在"),
    must_match: &[],
    personal: &["user_name"],
    accepted: request_fields::TRANSFER,
    on_create: check_name,
    on_load: lapse,
};

/// The state of a transfer that the user has not accepted yet.
pub(crate) const WAITING: &str = "WAIT_USER_CONFIRM";

/// The user has a day to accept, in seconds.
pub(crate) const LAPSES_AFTER: i64 = 86_400;

/// Ends a transfer that the user did not accept in time.
fn lapse(session: &mut Session<'_>, transfer: &mut Document) -> Result<(), ErrorResponse> {
    let created = text(&transfer.body, "create_time").and_then(parse_rfc3339);
    if transfer.state == WAITING && created.is_some_and(|created| created + LAPSES_AFTER <= session.now) {
        session.transition(&TRANSFER, transfer, &LAPSE)?;
    }
    Ok(())
}

/// The name of the user is needed from this amount on, in cents (PROTOCOL, What integrators ran into).
const NAME_NEEDED_FROM: i64 = 200_000;

fn check_name(_: &mut Session<'_>, transfer: &mut Document) -> Result<(), ErrorResponse> {
    if cents(&transfer.body, "/transfer_amount") >= NAME_NEEDED_FROM
        && text(&transfer.body, "user_name").is_none_or(str::is_empty)
    {
        let issue = "required for 2,000 yuan and more: the user's name, encrypted";
        return Err(ErrorResponse::param_error("body", "/user_name", issue));
    }
    Ok(())
}

const FINISHED: Option<NotificationType> = Some(NotificationType {
    event_type: "MCHTRANSFER.BILL.FINISHED",
    original_type: "mch_payment",
    summary: "商家转账单据终态通知",
    fields: &[
        "mch_id",
        "out_bill_no",
        "transfer_bill_no",
        "state",
        "transfer_amount",
        "openid",
        "fail_reason",
        "create_time",
        "update_time",
    ],
});

const fn transition(
    from: &'static [&'static str],
    to: &'static str,
    set: &'static [Assignment],
) -> Transition {
    Transition {
        from,
        to,
        set,
        errors: &[],
        default_error: WRONG_STATE,
        done: &[],
        same: &[],
        settles: false,
        hold: None,
        at_once: false,
        rule: no_rule,
        notification: None,
    }
}

const UPDATE_TIME: &[Assignment] = &[set("/update_time", FieldValue::Now)];

/// The user accepts the money.
pub(crate) static ACCEPT_TRANSFER: Transition =
    Transition { settles: true, notification: FINISHED, ..transition(&[WAITING], "SUCCESS", UPDATE_TIME) };

/// The user's account cannot receive the money.
pub(crate) static FAIL_TRANSFER: Transition = Transition {
    notification: FINISHED,
    ..transition(
        &[WAITING],
        "FAIL",
        &[set("/update_time", FieldValue::Now), set("/fail_reason", FieldValue::Text("ACCOUNT_FROZEN"))],
    )
};

static LAPSE: Transition = Transition {
    notification: FINISHED,
    ..transition(
        &[WAITING],
        "FAIL",
        &[set("/update_time", FieldValue::Now), set("/fail_reason", FieldValue::Text("OVERDUE_CLOSE"))],
    )
};

static CANCEL: Transition =
    Transition { done: &["CANCELING", "CANCELLED"], ..transition(&[WAITING], "CANCELING", UPDATE_TIME) };

static CANCELLED: Transition =
    Transition { notification: FINISHED, ..transition(&["CANCELING"], "CANCELLED", UPDATE_TIME) };

const QUERY_FIELDS: Fields = &[
    "mch_id",
    "out_bill_no",
    "transfer_bill_no",
    "appid",
    "state",
    "transfer_amount",
    "transfer_remark",
    "fail_reason",
    "openid",
    "user_name",
    "create_time",
    "update_time",
];

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        template: "v3/fund-app/mch-transfer/transfer-bills",
        partner_template: None,
        params: &[
            Param::Text("/appid", 32),
            Param::Alphanumeric("/out_bill_no", 1, 32),
            Param::Text("/transfer_scene_id", 36),
            Param::Text("/openid", 64),
            Param::Amount("/transfer_amount"),
            Param::List(
                "/transfer_scene_report_infos",
                1,
                10,
                &[Param::Text("/info_type", 15), Param::Text("/info_content", 32)],
            ),
            Param::Text("/transfer_remark", 32),
            Param::OptionalUrl("/notify_url"),
        ],
        action: Action::Create(
            &TRANSFER,
            &[],
            None,
            &["out_bill_no", "transfer_bill_no", "create_time", "state", "package_info"],
        ),
    },
    Endpoint {
        method: Method::GET,
        template: "v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}",
        partner_template: None,
        params: &[],
        action: Action::Query(&TRANSFER, Lookup::MerchantNo(Location::Path("out_bill_no")), QUERY_FIELDS),
    },
    Endpoint {
        method: Method::GET,
        template: "v3/fund-app/mch-transfer/transfer-bills/transfer-bill-no/{transfer_bill_no}",
        partner_template: None,
        params: &[],
        action: Action::Query(
            &TRANSFER,
            Lookup::PlatformId(Location::Path("transfer_bill_no")),
            QUERY_FIELDS,
        ),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}/cancel",
        partner_template: None,
        params: &[],
        action: Action::Transition(
            &TRANSFER,
            Lookup::MerchantNo(Location::Path("out_bill_no")),
            &CANCEL,
            Some(&CANCELLED),
            &["out_bill_no", "transfer_bill_no", "state", "update_time"],
        ),
    },
];
