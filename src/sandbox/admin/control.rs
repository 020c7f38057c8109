//! `/_sandbox/…`: the sandbox from outside its process. Unsigned, so for this machine's own programs only.

use std::{net::SocketAddr, time::UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Fault, FaultRule, Rotation, SeenRequest, Verdict, platform::Platform};

const PREFIX: &str = "/_sandbox/";

/// Of a request's body, in bytes.
pub(super) const LARGEST: usize = 16 << 10;

/// Of a list, unless `?limit=` says otherwise, and at the most.
const LISTED: usize = 100;
const MOST_LISTED: usize = 1_000;

/// Of a message that was to be signed, in bytes.
const SHOWN: usize = 4 << 10;

pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    /// `None`: too large to be read.
    pub(super) body: Option<Bytes>,
}

pub(super) struct Refused(pub(super) StatusCode, pub(super) String);

type Answered = Result<(StatusCode, Value), Refused>;

/// A rule as JSON, with the names of [`FaultRule`]'s methods.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) fault: String,
    pub(super) nth: Option<u64>,
    pub(super) share: Option<f64>,
    pub(super) path: Option<String>,
    pub(super) times: Option<u64>,
    pub(super) on: Option<String>,
}

/// What the payer, or the user, does, as `payer.rs` names it; and the merchant's number of the thing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payer {
    #[serde(rename = "do")]
    part: String,
    number: String,
}

/// One of [`Sandbox`](super::Sandbox)'s methods of the same names.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Keys {
    Rotate(Rotation),
    SignWith(String),
    Retire(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Skew {
    skew: i64,
}

pub(super) fn is_control(target: &str) -> bool {
    target.starts_with(PREFIX)
}

pub(super) fn answer(platform: &Platform, own: Option<SocketAddr>, asked: &Asked) -> Response<Bytes> {
    let answered = admit(own, &asked.headers).and_then(|()| route(platform, asked));
    let (status, body) = answered.unwrap_or_else(|Refused(status, message)| {
        let code = if status == StatusCode::FORBIDDEN { "FORBIDDEN" } else { "PARAM_ERROR" };
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

/// Keeps out what a web page elsewhere could make a browser on this machine send: its own name for this address
/// shows in `Host` (DNS rebinding), its origin in `Origin` (cross-site requests).
pub(super) fn admit(own: Option<SocketAddr>, headers: &HeaderMap) -> Result<(), Refused> {
    let forbidden = |why: String| Refused(StatusCode::FORBIDDEN, why);
    let own = own
        .filter(|address| address.ip().is_loopback())
        .ok_or_else(|| forbidden("only connections over the loopback interface are answered".into()))?;
    let names = [own.to_string(), format!("localhost:{}", own.port())];
    let single = |name| {
        let mut all = headers.get_all(name).iter();
        let first = all.next().and_then(|value| value.to_str().ok()).unwrap_or("");
        if all.next().is_none() { first } else { "" }
    };
    let host = single(header::HOST);
    if !names.iter().any(|name| name.eq_ignore_ascii_case(host)) {
        return Err(forbidden(format!("the Host is {host:?}; expected {} or {}", names[0], names[1])));
    }
    let origin = single(header::ORIGIN);
    let same = names.iter().any(|name| origin == format!("http://{name}"));
    if headers.contains_key(header::ORIGIN) && !same {
        return Err(forbidden(format!("a page of {origin:?} may not do this")));
    }
    Ok(())
}

fn route(platform: &Platform, asked: &Asked) -> Answered {
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    let (name, method) = (path.strip_prefix(PREFIX).unwrap_or(""), asked.method.as_str());
    match (name, method) {
        ("faults", "GET") => Ok((StatusCode::OK, platform.faults().list())),
        ("faults", "POST") => {
            let rule = rule(parse(asked)?)?;
            let mut faults = platform.faults();
            faults.add(rule).map_err(|e| bad(e.to_string()))?;
            Ok((StatusCode::CREATED, faults.list()))
        }
        ("faults", "DELETE") => {
            platform.faults().clear();
            Ok((StatusCode::NO_CONTENT, Value::Null))
        }
        ("requests", "GET") => {
            let newest = platform.seen().newest(limit(query)?);
            Ok((StatusCode::OK, json!({ "requests": newest.iter().map(request).collect::<Vec<_>>() })))
        }
        ("notifications", "GET") => {
            let newest = platform.deliveries.sent.newest(limit(query)?);
            let list: Vec<Value> = newest.iter().map(super::SentNotification::to_json).collect();
            Ok((StatusCode::OK, json!({ "notifications": list })))
        }
        ("clock", "GET") => Ok((StatusCode::OK, clock(platform))),
        ("clock", "POST") => {
            platform.clock.set_skew(parse::<Skew>(asked)?.skew);
            Ok((StatusCode::OK, clock(platform)))
        }
        ("payer", "POST") => {
            let Payer { part, number } = parse(asked)?;
            let played = platform.play_newest(&part, &number).map_err(|refusal| {
                let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
                Refused(status, format!("{}: {}", refusal.code, refusal.message))
            })?;
            Ok((StatusCode::OK, played))
        }
        ("keys", "GET") => Ok((StatusCode::OK, platform.keyring().list())),
        ("keys", "POST") => {
            let changed = match parse::<Keys>(asked)? {
                Keys::Rotate(rotation) => platform.rotate(rotation).map(|_| ()),
                Keys::SignWith(serial) => platform.sign_with(&serial),
                Keys::Retire(serial) => platform.retire(&serial),
            };
            changed.map_err(|e| bad(e.to_string()))?;
            Ok((StatusCode::OK, platform.keyring().list()))
        }
        ("faults" | "requests" | "notifications" | "clock" | "keys" | "payer", _) => {
            Err(Refused(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not for {path}")))
        }
        _ => {
            let there = "there are faults, requests, notifications, payer, keys and clock";
            Err(Refused(StatusCode::NOT_FOUND, format!("there is nothing at {path}; {there}")))
        }
    }
}

pub(super) fn bad(why: String) -> Refused {
    Refused(StatusCode::BAD_REQUEST, why)
}

fn parse<'a, T: Deserialize<'a>>(asked: &'a Asked) -> Result<T, Refused> {
    let body = asked.body.as_deref().ok_or_else(|| {
        Refused(StatusCode::PAYLOAD_TOO_LARGE, format!("the body has more than {LARGEST} bytes"))
    })?;
    // A list with the values in the right order would be taken for the object.
    if !body.is_empty() && !body.trim_ascii_start().starts_with(b"{") {
        return Err(bad("the body cannot be used: expected a JSON object".into()));
    }
    serde_json::from_slice(body).map_err(|e| bad(format!("the body cannot be used: {e}")))
}

pub(super) fn rule(given: Rule) -> Result<FaultRule, Refused> {
    let fault: Fault = given.fault.parse().map_err(|e: super::SandboxError| bad(e.to_string()))?;
    let mut rule = FaultRule::new(fault);
    if let Some(n) = given.nth {
        rule = rule.nth(n);
    }
    if let Some(share) = given.share {
        rule = rule.share(share);
    }
    if let Some(path) = given.path {
        rule = rule.path(path);
    }
    if let Some(times) = given.times {
        rule = rule.times(times);
    }
    match given.on.as_deref() {
        None | Some("requests") => Ok(rule),
        Some("notifications") => Ok(rule.notifications()),
        Some(other) => Err(bad(format!("`on` is requests or notifications, not {other:?}"))),
    }
}

fn limit(query: &str) -> Result<usize, Refused> {
    let given = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "limit");
    let Some((_, text)) = given else { return Ok(LISTED) };
    let limit = text.parse().ok().filter(|limit| (1..=MOST_LISTED).contains(limit));
    limit.ok_or_else(|| bad(format!("`limit` is a whole number from 1 to {MOST_LISTED}, not {text:?}")))
}

/// Without the headers, which hold the signature, and without the body, which the message holds.
fn request(seen: &SeenRequest) -> Value {
    let shown = &seen.signed_message[..seen.signed_message.len().min(SHOWN)];
    let verdict = match &seen.verdict {
        Verdict::Accepted => json!({ "accepted": true }),
        Verdict::Refused { status, code, message } => {
            json!({ "accepted": false, "status": status, "code": code, "message": message })
        }
    };
    let at = seen.at.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    json!({
        "at": at,
        "method": seen.method,
        "target": seen.target,
        "verdict": verdict,
        "signed_message": String::from_utf8_lossy(shown),
        "signed_message_length": seen.signed_message.len(),
        "diagnosis": seen.diagnosis.as_ref().map(|diagnosis| diagnosis.to_json()),
    })
}

fn clock(platform: &Platform) -> Value {
    json!({ "now": platform.clock.now(), "skew": platform.clock.skew() })
}
