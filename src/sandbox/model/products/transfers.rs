//! Transfers to users, who accept them.

use http::Method;

use crate::sandbox::{
    http::{clock::parse_rfc3339, error_response::ErrorResponse},
    model::engine::{
        Session, cents,
        error_code::{CHANGED, ErrorCode},
        rules::Rule,
        schema::{
            Action, Assignment, Endpoint, FieldValue, Location, Lookup, NotificationType, ResourceType,
            Transition, set,
        },
        text,
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
});

const UPDATE_TIME: &[Assignment] = &[set("/update_time", FieldValue::Now)];

/// The user accepts the money.
pub(crate) static ACCEPT_TRANSFER: Transition = Transition {
    settles: true,
    notification: FINISHED,
    ..Transition::new(&[WAITING], "SUCCESS", UPDATE_TIME)
};

/// The user's account cannot receive the money.
pub(crate) static FAIL_TRANSFER: Transition = Transition {
    notification: FINISHED,
    ..Transition::new(
        &[WAITING],
        "FAIL",
        &[set("/update_time", FieldValue::Now), set("/fail_reason", FieldValue::Text("ACCOUNT_FROZEN"))],
    )
};

static LAPSE: Transition = Transition {
    notification: FINISHED,
    ..Transition::new(
        &[WAITING],
        "FAIL",
        &[set("/update_time", FieldValue::Now), set("/fail_reason", FieldValue::Text("OVERDUE_CLOSE"))],
    )
};

static CANCEL: Transition =
    Transition { done: &["CANCELING", "CANCELLED"], ..Transition::new(&[WAITING], "CANCELING", UPDATE_TIME) };

static CANCELLED: Transition =
    Transition { notification: FINISHED, ..Transition::new(&["CANCELING"], "CANCELLED", UPDATE_TIME) };

const BY_NUMBER: Lookup = Lookup::MerchantNo(Location::Path("out_bill_no"));

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(
        Method::POST,
        "v3/fund-app/mch-transfer/transfer-bills",
        &[Rule::Needs(&[
            "/transfer_scene_report_infos/*/info_type",
            "/transfer_scene_report_infos/*/info_content",
        ])],
        Action::Create(&TRANSFER, &[], None),
    ),
    Endpoint::new(
        Method::GET,
        "v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}",
        &[],
        Action::Query(&TRANSFER, BY_NUMBER),
    ),
    Endpoint::new(
        Method::GET,
        "v3/fund-app/mch-transfer/transfer-bills/transfer-bill-no/{transfer_bill_no}",
        &[],
        Action::Query(&TRANSFER, Lookup::PlatformId(Location::Path("transfer_bill_no"))),
    ),
    Endpoint::new(
        Method::POST,
        "v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}/cancel",
        &[],
        Action::Transition(&TRANSFER, BY_NUMBER, &CANCEL, Some(&CANCELLED)),
    ),
];
