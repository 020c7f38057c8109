//! The control endpoint `/_sandbox/…`: controls the sandbox from outside its process. It is unsigned, so only programs of
//! this machine may use it.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::guard;
use crate::error::Excerpt;
use crate::sandbox::{
    faults::rule::FaultRule,
    http::{business_clock, clock, error_response::ErrorResponse, sandbox_error::SandboxError},
    keys::{keyring::Rotation, mode::SigningMode},
    model::{engine::holds::Hold, passing_time, payer_actions},
    server::{admin_hook::AdminRequest, platform::Platform},
    store::{seen_request::SeenRequest, sent_notification::SentNotification},
};

const PREFIX: &str = "/_sandbox/";

/// The largest body, in bytes.
pub(crate) const MAX_BODY: usize = 16 << 10;

/// The length of a list without `?limit=`, and its maximum.
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 1_000;

/// An error of the control endpoint or the page.
pub(crate) struct AdminError {
    status: StatusCode,
    code: &'static str,
    pub(crate) message: String,
}

impl AdminError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: String) -> AdminError {
        AdminError { status, code, message }
    }
}

/// A rule as JSON, with the names of [`FaultRule`]'s methods.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleRequest {
    fault: String,
    nth: Option<u64>,
    share: Option<f64>,
    path: Option<String>,
    times: Option<u64>,
    on: Option<String>,
}

/// An action of the payer (see [`payer_actions`]) on the resource with this number of the merchant's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PayerRequest {
    #[serde(rename = "do")]
    action: String,
    number: String,
}

/// The method of [`Sandbox`](crate::sandbox::Sandbox) with the same name; `publish` is `add_certificate` or
/// `add_public_key`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeyRequest {
    Mode(SigningMode),
    Publish(Rotation),
    Rotate(Rotation),
    SignWith(String),
    Retire(String),
}

/// A notification to send once more, by its id; or a documented event to send to an address.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NotificationRequest {
    send_again: Option<String>,
    event: Option<String>,
    to: Option<String>,
    #[serde(default)]
    overrides: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockRequest {
    skew: Option<i64>,
    /// Such as `1d` or `90m`.
    advance: Option<String>,
}

/// Which steps wait for a trigger: the fields that are present change.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldRequest {
    refunds: Option<bool>,
    code_payments: Option<bool>,
}

pub(crate) fn is_control(target: &str) -> bool {
    target.starts_with(PREFIX)
}

pub(crate) fn handle(platform: &Platform, request: &AdminRequest) -> Response<Bytes> {
    let result = guard::check(request, &platform.allow_hosts).and_then(|()| route(platform, request));
    let (status, body) = result.unwrap_or_else(|AdminError { status, code, message }| {
        (status, json!({ "code": code, "message": message }))
    });
    let body = if body.is_null() { Bytes::new() } else { format!("{body}\n").into() };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn route(platform: &Platform, request: &AdminRequest) -> Result<(StatusCode, Value), AdminError> {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let (name, method) = (path.strip_prefix(PREFIX).unwrap_or(""), request.method.as_str());
    match (name, method) {
        ("faults", "GET") => Ok((StatusCode::OK, platform.faults.lock().to_json())),
        ("faults", "POST") => {
            let rule = fault_rule(parse(request)?)?;
            let mut faults = platform.faults.lock();
            faults.add(rule).map_err(|e| bad_request(e.to_string()))?;
            Ok((StatusCode::CREATED, faults.to_json()))
        }
        ("faults", "DELETE") => {
            platform.faults.lock().clear();
            Ok((StatusCode::NO_CONTENT, Value::Null))
        }
        ("requests", "GET") => {
            let newest = platform.requests.newest(limit(query)?);
            Ok((
                StatusCode::OK,
                json!({
                    "requests": newest.iter().map(SeenRequest::to_json).collect::<Vec<_>>(),
                    "dropped": platform.requests.dropped(),
                }),
            ))
        }
        ("notifications", "GET") => {
            let newest = platform.outbox.log.newest(limit(query)?);
            let list: Vec<Value> = newest.iter().map(SentNotification::to_json).collect();
            Ok((StatusCode::OK, json!({ "notifications": list, "dropped": platform.outbox.log.dropped() })))
        }
        ("notifications", "POST") => {
            let NotificationRequest { send_again, event, to, overrides } = parse(request)?;
            match (send_again, event, to) {
                (Some(id), None, None) if overrides.is_null() => {
                    platform.outbox.send_again(&id).map_err(|why| bad_request(why.into()))?;
                    Ok((StatusCode::ACCEPTED, Value::Null))
                }
                (None, Some(event), Some(to)) => {
                    let event = platform.documented_event(&to, &event, &overrides);
                    let event = event.map_err(|error| bad_request(error.to_string()))?;
                    let id = platform.outbox.send_explicit(event);
                    Ok((StatusCode::ACCEPTED, json!({ "id": id })))
                }
                _ => Err(bad_request("expected `send_again`, or `event` and `to` (and `overrides`)".into())),
            }
        }
        ("clock", "GET") => Ok((StatusCode::OK, clock_json(platform))),
        ("clock", "POST") => {
            let ClockRequest { skew, advance } = parse(request)?;
            if skew.is_none() && advance.is_none() {
                return Err(bad_request("expected `advance`, such as \"1d\", or `skew`, in seconds".into()));
            }
            if let Some(period) = advance {
                advance_clock(platform, &period)?;
            }
            if let Some(skew) = skew {
                platform.clock.set_skew(skew);
            }
            Ok((StatusCode::OK, clock_json(platform)))
        }
        ("holds", "GET") => Ok((StatusCode::OK, holds_json(platform))),
        ("holds", "POST") => {
            let HoldRequest { refunds, code_payments } = parse(request)?;
            for (hold, active) in [(Hold::Refunds, refunds), (Hold::CodePayments, code_payments)] {
                if let Some(active) = active {
                    platform.engine.holds.set(hold, active);
                }
            }
            Ok((StatusCode::OK, holds_json(platform)))
        }
        ("payer", "POST") => {
            let PayerRequest { action, number } = parse(request)?;
            let changed = platform
                .perform(|engine| payer_actions::perform_by_name(engine, &action, &number))
                .map_err(AdminError::from)?;
            Ok((StatusCode::OK, changed))
        }
        ("keys", "GET") => Ok((StatusCode::OK, platform.keyring.to_json())),
        ("keys", "POST") => {
            let keyring = &platform.keyring;
            let added = match parse::<KeyRequest>(request)? {
                KeyRequest::Mode(mode) => keyring.set_mode(mode).map(|()| None),
                KeyRequest::Publish(kind) => keyring.publish(kind).map(|key| Some(key.serial().to_owned())),
                KeyRequest::Rotate(kind) => keyring.rotate(kind).map(Some),
                KeyRequest::SignWith(serial) => keyring.sign_with(&serial).map(|()| None),
                KeyRequest::Retire(serial) => keyring.retire(&serial).map(|()| None),
            };
            let added = added.map_err(|e| bad_request(e.to_string()))?;
            let mut keys = keyring.to_json();
            if let Some(serial) = added {
                keys["added"] = json!(serial);
            }
            Ok((StatusCode::OK, keys))
        }
        ("faults" | "requests" | "notifications" | "clock" | "holds" | "keys" | "payer", _) => {
            let message = format!("{method} is not allowed for {path}");
            Err(AdminError::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message))
        }
        _ => {
            let existing = "available are faults, requests, notifications, payer, holds, keys and clock";
            let message = format!("there is nothing at {path}; {existing}");
            Err(AdminError::new(StatusCode::NOT_FOUND, "RESOURCE_NOT_EXISTS", message))
        }
    }
}

impl From<ErrorResponse> for AdminError {
    fn from(error: ErrorResponse) -> AdminError {
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
        AdminError::new(status, error.code, error.message)
    }
}

pub(crate) fn bad_request(why: String) -> AdminError {
    AdminError::new(StatusCode::BAD_REQUEST, "PARAM_ERROR", why)
}

fn parse<'a, T: Deserialize<'a>>(request: &'a AdminRequest) -> Result<T, AdminError> {
    let body = request.body.as_deref().ok_or_else(|| {
        let message = format!("the body has more than {MAX_BODY} bytes");
        AdminError::new(StatusCode::PAYLOAD_TOO_LARGE, "PARAM_ERROR", message)
    })?;
    // serde would accept an array with the values in the right order.
    if !body.is_empty() && !body.trim_ascii_start().starts_with(b"{") {
        return Err(bad_request("invalid body: expected a JSON object".into()));
    }
    serde_json::from_slice(body).map_err(|e| bad_request(format!("invalid body: {e}")))
}

/// The rule in its text form, which has all the checks.
fn fault_rule(given: RuleRequest) -> Result<FaultRule, AdminError> {
    let conditions = [
        ("nth", given.nth.map(|n| n.to_string())),
        ("share", given.share.map(|share| share.to_string())),
        ("path", given.path),
        ("times", given.times.map(|times| times.to_string())),
        ("on", given.on),
    ];
    let conditions = conditions.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?)));
    let words: Vec<String> = std::iter::once(given.fault).chain(conditions).collect();
    if let Some(word) = words.iter().find(|word| word.contains(char::is_whitespace)) {
        return Err(bad_request(format!("expected values without blanks, found {}", Excerpt(word))));
    }
    words.join(" ").parse().map_err(|e: SandboxError| bad_request(e.to_string()))
}

fn limit(query: &str) -> Result<usize, AdminError> {
    let given = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "limit");
    let Some((_, text)) = given else { return Ok(DEFAULT_LIMIT) };
    let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| {
        bad_request(format!("`limit` must be an integer from 1 to {MAX_LIMIT}, found {text:?}"))
    })
}

fn clock_json(platform: &Platform) -> Value {
    let business = &platform.business_clock;
    json!({
        "now": platform.clock.now(),
        "skew": platform.clock.skew(),
        "business_time": clock::beijing_time(business.now()),
        "advanced": business.advanced(),
    })
}

/// Advances the business time by a period such as `1d`.
pub(crate) fn advance_clock(platform: &Platform, period: &str) -> Result<(), AdminError> {
    let seconds = business_clock::parse_period(period.trim()).ok_or_else(|| {
        bad_request(format!("expected a period such as 1d, 12h, 30m or 1d12h, found {period:?}"))
    })?;
    let advanced = platform.perform(|engine| passing_time::advance(engine, seconds));
    advanced.map_err(AdminError::from)
}

fn holds_json(platform: &Platform) -> Value {
    let holds = Hold::ALL.map(|hold| (hold.name().to_owned(), json!(platform.engine.holds.get(hold))));
    Value::Object(holds.into_iter().collect())
}
