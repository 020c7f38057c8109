//! The record of a request: what came, what was sent back, and why.

#[cfg(test)]
mod tests;

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::request_hint::RequestHint;
use crate::error::Message;
use crate::sandbox::{
    auth::{diagnosis::Diagnosis, verify::SignatureVerdict},
    faults::fault::Fault,
    http::{clock, error_response::ErrorResponse, secret_headers::is_secret},
};

/// The bytes of a response's body that are kept.
pub(crate) const MAX_RESPONSE_BODY: usize = 64 << 10;

/// The bytes of a body or a signed message that the JSON contains.
const MAX_SHOWN: usize = 4 << 10;

/// The characters of a scripted error's code and message, and of a target in a line.
const MAX_CODE: usize = 64;
const MAX_TEXT: usize = 500;

/// A received request, the result of its checks, and the response to it.
///
/// [`Display`](fmt::Display) is one line for a log or a terminal, without control characters and keys:
/// `#1 POST /v3/security/echo 200 accepted, 2 ms`.
#[derive(Clone)]
#[non_exhaustive]
pub struct SeenRequest {
    /// Counts the requests from 1.
    pub number: u64,
    /// The time of its arrival, by the machine's clock.
    pub at: SystemTime,
    /// From its arrival until the response was ready to be sent, a [`Delay`](Fault::Delay) included; zero while
    /// [`Sent::Pending`].
    pub duration: Duration,
    /// The HTTP method.
    pub method: String,
    /// Path and query exactly as on the request line, including the path of the base URL.
    pub target: String,
    /// All headers. `Authorization`, `Proxy-Authorization` and `Cookie` are marked as sensitive, so that `Debug` does not show
    /// them.
    pub headers: HeaderMap,
    /// The raw body; empty if it was too large. Of a request before the last start, which a
    /// [state file](crate::sandbox::SandboxBuilder::state) keeps, at most the first 64 KiB.
    pub body: Bytes,
    /// The length of the body, in bytes; 0 if it was too large.
    pub body_length: usize,
    /// The message that the signature should cover. Empty if the request does not determine it: the
    /// `Authorization` header or the `meta` part of an upload is missing or malformed. At most 64 KiB, as for `body`.
    pub signed_message: Bytes,
    /// The result of the check of the signature alone. A request with a valid one can still be refused, for its
    /// timestamp for example.
    pub signature: SignatureVerdict,
    /// Whether the path is modelled, scripted, or neither.
    pub endpoint: EndpointKind,
    /// The faults that hit this request.
    pub faults: Vec<Fault>,
    /// The result as the client saw it.
    pub verdict: Verdict,
    /// The response, with the changes that faults made.
    pub response: RecordedResponse,
    pub(crate) signed_message_length: usize,
    /// Whether all checks passed, whatever became of the response.
    pub(crate) passed: bool,
    /// What differs from the documents.
    pub(crate) hints: Vec<RequestHint>,
    /// For a signature that does not match.
    pub(crate) diagnosis: Option<Box<Diagnosis>>,
}

/// The result of a request as the client saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// All checks passed, and the client got the right response, whole.
    Accepted,
    /// The response is an error: of the checks, of a modelled endpoint, or of a script.
    Refused {
        /// The HTTP status of the error.
        status: u16,
        /// Such as `SIGN_ERROR`; empty if a scripted error has none.
        code: String,
        /// The message of the error.
        message: String,
    },
    /// The client did not get the right response whole: a fault replaced it, damaged it or cut it, a script left out its signature or replaced a part of it, or the client closed the connection.
    Disturbed,
}

/// What handles requests to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointKind {
    /// The sandbox's own model.
    Modelled,
    /// A scripted response.
    Scripted,
    /// A documented endpoint without a flow: the request is checked, and the response has the documented shape.
    Shaped,
    /// None of these: the path is unknown to the sandbox, and a success proves nothing but the signature.
    NotModelled,
}

/// A response as it was sent.
#[derive(Clone)]
#[non_exhaustive]
pub struct RecordedResponse {
    /// The HTTP status.
    pub status: u16,
    /// All headers but those of the connection.
    pub headers: HeaderMap,
    /// The first 64 KiB of the body.
    pub body: Bytes,
    /// The length of the whole body, in bytes.
    pub body_length: usize,
    /// How much of it was sent.
    pub sent: Sent,
}

/// How much of a response was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sent {
    /// Nothing yet.
    Pending,
    /// All of it.
    Whole,
    /// The head and half of the body: [`Fault::CutBody`].
    Cut,
    /// Nothing: [`Fault::CutConnection`].
    Nothing,
    /// Nothing, because the client had closed the connection.
    ClientLeft,
}

impl SeenRequest {
    /// Whether the request passed all checks, up to those of a modelled endpoint. Faults and scripts make no
    /// difference: a request that got 429 by [`Fault::RateLimited`] passed.
    pub fn passed(&self) -> bool {
        self.passed
    }

    /// Why the signature does not match, in one sentence.
    pub fn diagnosis(&self) -> Option<String> {
        self.diagnosis.as_ref().map(|diagnosis| diagnosis.english())
    }

    /// What the documents have otherwise: of a refused request, the reason, and of any request what the platform may
    /// refuse. [`strict`](crate::sandbox::SandboxBuilder::strict) refuses all of it.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use serde_json::json;
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// let body = json!({ "stock_creator_mchid": sandbox.mchid(), "out_request_no": "R1" });
    /// sandbox.client()?["v3/marketing/favour/stocks"].post_sync(body)?;
    /// let hints = sandbox.requests()[0].hints();
    /// assert!(hints[0].starts_with("no document has this path; did you mean GET `v3/marketing/favor/stocks`"), "{hints:?}");
    /// # Ok(()) }
    /// ```
    pub fn hints(&self) -> Vec<String> {
        self.hints.iter().map(|hint| hint.english.clone()).collect()
    }

    /// For the limit of the log.
    pub(super) fn size(&self) -> usize {
        let texts =
            self.body.len() + self.signed_message.len() + self.target.len() + self.response.body.len();
        texts
            + size(&self.headers)
            + size(&self.response.headers)
            + self.hints.iter().map(RequestHint::size).sum::<usize>()
    }

    /// Without `Authorization`, which contains the signature.
    pub(crate) fn to_json(&self) -> Value {
        let at = clock::unix_seconds(self.at);
        let hint = |hint: &RequestHint| json!({ "location": hint.location, "field": hint.field, "message": hint.english });
        let hints: Vec<Value> = self.hints.iter().map(hint).collect();
        let faults: Vec<String> = self.faults.iter().map(ToString::to_string).collect();
        let message = &self.signed_message[..self.signed_message.len().min(MAX_SHOWN)];
        let mut request = body_json(&self.body, self.body_length);
        request["headers"] = headers_json(&self.headers);
        json!({
            "number": self.number,
            "at": at,
            "duration_ms": self.duration.as_micros() as f64 / 1000.0,
            "method": self.method,
            "target": self.target,
            "verdict": self.verdict.to_json(),
            "signature": self.signature.name(),
            "diagnosis": self.diagnosis.as_ref().map(|diagnosis| diagnosis.to_json()),
            "endpoint": self.endpoint.name(),
            "faults": faults,
            "hints": hints,
            "signed_message": String::from_utf8_lossy(message),
            "signed_message_length": self.signed_message_length,
            "request": request,
            "response": self.response.to_json(),
        })
    }
}

impl RecordedResponse {
    /// `body` is the whole body.
    pub(crate) fn new(status: StatusCode, headers: HeaderMap, body: &Bytes) -> RecordedResponse {
        // A copy: a slice would keep the whole body in memory.
        let kept = match body.len() {
            0..=MAX_RESPONSE_BODY => body.clone(),
            _ => Bytes::copy_from_slice(&body[..MAX_RESPONSE_BODY]),
        };
        RecordedResponse {
            status: status.as_u16(),
            headers,
            body: kept,
            body_length: body.len(),
            sent: Sent::Pending,
        }
    }

    /// The `Request-ID`. `None` if a fault removed it.
    pub fn request_id(&self) -> Option<&str> {
        self.headers.get("request-id")?.to_str().ok()
    }

    fn to_json(&self) -> Value {
        let mut json = body_json(&self.body, self.body_length);
        json["status"] = self.status.into();
        json["request_id"] = self.request_id().into();
        json["headers"] = headers_json(&self.headers);
        json["sent"] = self.sent.name().into();
        json
    }
}

impl Verdict {
    pub(crate) fn of_error(error: &ErrorResponse) -> Verdict {
        Verdict::Refused { status: error.status, code: error.code.into(), message: error.message.clone() }
    }

    /// Of an error that is not the platform's own, such as a script's.
    pub(crate) fn of_error_body(status: StatusCode, body: &[u8]) -> Verdict {
        let json: Value =
            serde_json::from_slice(&body[..body.len().min(MAX_RESPONSE_BODY)]).unwrap_or_default();
        let text = |name: &str, max| json[name].as_str().unwrap_or("").chars().take(max).collect();
        Verdict::Refused {
            status: status.as_u16(),
            code: text("code", MAX_CODE),
            message: text("message", MAX_TEXT),
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Verdict::Accepted => json!({ "accepted": true }),
            Verdict::Refused { status, code, message } => {
                json!({ "accepted": false, "status": status, "code": code, "message": message })
            }
            Verdict::Disturbed => json!({ "accepted": false, "disturbed": true }),
        }
    }
}

impl EndpointKind {
    pub(super) const ALL: [EndpointKind; 4] =
        [EndpointKind::Modelled, EndpointKind::Scripted, EndpointKind::Shaped, EndpointKind::NotModelled];

    pub(crate) fn name(self) -> &'static str {
        match self {
            EndpointKind::Modelled => "modelled",
            EndpointKind::Scripted => "scripted",
            EndpointKind::Shaped => "shaped",
            EndpointKind::NotModelled => "not_modelled",
        }
    }
}

impl Sent {
    pub(super) const ALL: [Sent; 5] =
        [Sent::Pending, Sent::Whole, Sent::Cut, Sent::Nothing, Sent::ClientLeft];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Sent::Pending => "pending",
            Sent::Whole => "whole",
            Sent::Cut => "cut",
            Sent::Nothing => "nothing",
            Sent::ClientLeft => "client_left",
        }
    }
}

impl fmt::Display for SeenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target: String = self.target.chars().take(MAX_TEXT).collect();
        let cut = if target.len() < self.target.len() { "…" } else { "" };
        let response = match self.response.sent {
            Sent::Pending => "(pending)".to_owned(),
            Sent::Whole => self.response.status.to_string(),
            Sent::Cut => format!("{} (cut)", self.response.status),
            Sent::Nothing => "(connection cut)".to_owned(),
            Sent::ClientLeft => "(the client closed the connection)".to_owned(),
        };
        let (verdict, reason) = match &self.verdict {
            Verdict::Accepted => ("accepted", String::new()),
            Verdict::Disturbed => ("disturbed", String::new()),
            Verdict::Refused { code, message, .. } => {
                // The other lines of the message repeat the signed message.
                let message = || message.lines().next().unwrap_or("").to_owned();
                (if code.is_empty() { "refused" } else { code }, self.diagnosis().unwrap_or_else(message))
            }
        };
        let mut line = format!("#{} {} {target}{cut} {response} {verdict}", self.number, self.method);
        line += match self.endpoint {
            EndpointKind::NotModelled => ", not modelled",
            EndpointKind::Shaped => ", shaped",
            EndpointKind::Modelled | EndpointKind::Scripted => "",
        };
        for fault in &self.faults {
            line += &format!(", fault {fault}");
        }
        line += &format!(", {} ms", self.duration.as_millis());
        if !reason.is_empty() {
            line += &format!(": {reason}");
        } else if let Some(hint) = self.hints.first() {
            let more = self.hints.len() - 1;
            line += &format!("; hint: {}", hint.english);
            line += &if more > 0 { format!(" (and {more} more)") } else { String::new() };
        }
        write!(f, "{}", Message(&line))
    }
}

impl fmt::Debug for SeenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeenRequest")
            .field("number", &self.number)
            .field("at", &self.at)
            .field("method", &self.method)
            .field("target", &self.target)
            .field("headers", &self.headers)
            .field("body", &format_args!("{} bytes", self.body_length))
            .field("signature", &self.signature)
            .field("endpoint", &self.endpoint)
            .field("faults", &self.faults)
            .field("verdict", &self.verdict)
            .field("response", &self.response)
            .finish_non_exhaustive()
    }
}

/// Without the headers, which contain a signature.
impl fmt::Debug for RecordedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedResponse")
            .field("status", &self.status)
            .field("request_id", &self.request_id())
            .field("body", &format_args!("{} bytes", self.body_length))
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

fn headers_json(headers: &HeaderMap) -> Value {
    let mut json = Map::new();
    for name in headers.keys().filter(|name| !is_secret(name)) {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        json.insert(name.to_string(), values.join(", ").into());
    }
    json.into()
}

/// The beginning of a body. `null` if it is not text.
fn body_json(kept: &[u8], length: usize) -> Value {
    let shown = &kept[..kept.len().min(MAX_SHOWN)];
    let text = match std::str::from_utf8(shown) {
        Ok(text) => Some(text),
        // The cut is inside a character.
        Err(error) if error.error_len().is_none() && shown.len() < length => {
            std::str::from_utf8(&shown[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    };
    json!({ "body": text, "body_length": length, "body_cut": text.is_none_or(|text| text.len() < length) })
}
