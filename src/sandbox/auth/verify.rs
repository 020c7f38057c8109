//! Verifies requests as the platform does: the same checks in the same order, on the bytes as received.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::header;
use rsa::{Pkcs1v15Sign, PublicKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    authorization::Authorization,
    diagnosis::{self, Diagnosis, Keys, MessageParts},
    nonces::{Nonce, Nonces},
    unsigned_paths,
};
use crate::sandbox::{
    http::{clock::SkewedClock, error_response::ErrorResponse, multipart, request::IncomingRequest},
    keys::{folder::is_digits, identity::Identity, key_pair::same_serial, keyring::Keyring},
};

/// In seconds. A difference of exactly this much is accepted.
const MAX_CLOCK_SKEW: i64 = 300;

/// The characters of the expected message that an error contains.
const MAX_SHOWN: usize = 1024;

pub(crate) struct Verifier {
    identity: Arc<Identity>,
    clock: Arc<SkewedClock>,
    keyring: Arc<Keyring>,
    nonces: Mutex<Nonces>,
}

/// The result of the check of a request's signature alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureVerdict {
    /// It is the merchant's signature of this request.
    Valid,
    /// The request has no `Authorization` header.
    NotSigned,
    /// It does not match, or the header is malformed or names another merchant or key.
    Invalid,
    /// The body was too large, or did not arrive in time.
    NotChecked,
}

impl SignatureVerdict {
    pub(crate) const ALL: [SignatureVerdict; 4] = [
        SignatureVerdict::Valid,
        SignatureVerdict::NotSigned,
        SignatureVerdict::Invalid,
        SignatureVerdict::NotChecked,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            SignatureVerdict::Valid => "valid",
            SignatureVerdict::NotSigned => "not_signed",
            SignatureVerdict::Invalid => "invalid",
            SignatureVerdict::NotChecked => "not_checked",
        }
    }
}

/// Who made a request, before its other checks: only the merchant's own requests get faults.
pub(crate) struct Inspection {
    authorization: Result<Authorization, ErrorResponse>,
    message: Result<Vec<u8>, ErrorResponse>,
    pub(crate) signature: SignatureVerdict,
}

impl Inspection {
    /// The message that the signature should cover. Empty if the request does not determine it.
    pub(crate) fn into_message(self) -> Vec<u8> {
        self.message.unwrap_or_default()
    }
}

/// A failed check.
#[derive(Clone)]
pub(crate) struct Rejection {
    pub(crate) error: ErrorResponse,
    /// For a signature that does not match.
    pub(crate) diagnosis: Option<Box<Diagnosis>>,
}

impl From<ErrorResponse> for Rejection {
    fn from(error: ErrorResponse) -> Rejection {
        Rejection { error, diagnosis: None }
    }
}

impl Verifier {
    pub(crate) fn new(identity: Arc<Identity>, clock: Arc<SkewedClock>, keyring: Arc<Keyring>) -> Verifier {
        Verifier { identity, clock, keyring, nonces: Mutex::new(Nonces::new()) }
    }

    /// Checks the signature, and nothing else.
    pub(crate) fn inspect(&self, request: &IncomingRequest) -> Inspection {
        let authorization = authorization(request);
        let message = match &authorization {
            Ok(authorization) => signed_body(request).map(|body| message(request, authorization, body)),
            Err(error) => Err(error.clone()),
        };
        let signature = match (&authorization, &message) {
            _ if !request.headers.contains_key(header::AUTHORIZATION) => SignatureVerdict::NotSigned,
            (Ok(authorization), Ok(message))
                if self.check_merchant(authorization).is_ok() && self.is_signed(authorization, message) =>
            {
                SignatureVerdict::Valid
            }
            _ => SignatureVerdict::Invalid,
        };
        Inspection { authorization, message, signature }
    }

    /// All checks, in the platform's order. Returns the parsed JSON body (of an upload, the `meta` part).
    pub(crate) fn verify(
        &self,
        request: &IncomingRequest,
        inspection: &Inspection,
    ) -> Result<Value, Rejection> {
        // These downloads are on a third party's host, so a client must not send it the `Authorization` header.
        if inspection.signature == SignatureVerdict::NotSigned
            && unsigned_paths::needs_no_authorization(request)
        {
            return self.content(request);
        }
        let authorization = inspection.authorization.as_ref().map_err(Clone::clone)?;
        if let Some(name) = ["accept", "user-agent"]
            .into_iter()
            .find(|name| request.headers.get(*name).is_none_or(|value| value.is_empty()))
        {
            let error = ErrorResponse::param_error("header", name, "Http头缺少Accept或User-Agent: required");
            return Err(error.into());
        }
        self.check_merchant(authorization)?;
        let nonce = self.check_freshness(authorization)?;
        let message = inspection.message.as_ref().map_err(Clone::clone)?;
        if inspection.signature != SignatureVerdict::Valid {
            return Err(self.explain(request, authorization, message)?);
        }
        // Last, so that a forged request cannot use up the nonce of a genuine one.
        if !self.nonces().insert(nonce) {
            return Err(replayed().into());
        }
        self.content(request)
    }

    fn nonces(&self) -> MutexGuard<'_, Nonces> {
        // A panic elsewhere must not stop the sandbox: no change is ever half-written.
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_merchant(&self, authorization: &Authorization) -> Result<(), ErrorResponse> {
        let identity = &self.identity;
        if authorization.mchid != identity.mchid {
            let message = format!("mchid {:.64}: unknown merchant", authorization.mchid);
            return Err(ErrorResponse::sign_error("mchid", "unknown mchid", message));
        }
        if !same_serial(&authorization.serial, &identity.merchant.serial) {
            let whose = match self.keyring.find(&authorization.serial) {
                Some(_) => " is a key of the platform",
                None => "",
            };
            let message = format!(
                "serial_no {:.64}{whose}: the merchant's certificate has {}",
                authorization.serial, identity.merchant.serial
            );
            return Err(ErrorResponse::sign_error("serial_no", "unknown serial_no", message));
        }
        Ok(())
    }

    /// Returns the nonce.
    fn check_freshness(&self, authorization: &Authorization) -> Result<Nonce, ErrorResponse> {
        let now = self.clock.now();
        let timestamp = Some(authorization.timestamp.as_str())
            .filter(|text| is_digits(text))
            .and_then(|text| text.parse::<i64>().ok())
            .ok_or_else(|| {
                let message = format!("timestamp {:.64}: expected Unix seconds", authorization.timestamp);
                ErrorResponse::sign_error("timestamp", "malformed", message)
            })?;
        let is_near = |timestamp: i64| timestamp.abs_diff(now) <= MAX_CLOCK_SKEW.unsigned_abs();
        if !is_near(timestamp) {
            let why = if is_near(timestamp / 1000) {
                "it is in milliseconds, expected seconds".to_owned()
            } else {
                format!("more than {MAX_CLOCK_SKEW} seconds from {now}")
            };
            let message = format!("timestamp {timestamp}: {why}");
            return Err(ErrorResponse::sign_error("timestamp", "expired", message));
        }
        let nonce = Nonce::parse(&authorization.nonce).ok_or_else(|| {
            let message =
                format!("nonce_str {:.64}: expected 1 to 64 printable ASCII characters", authorization.nonce);
            ErrorResponse::sign_error("nonce_str", "malformed", message)
        })?;
        if self.nonces().contains(nonce) { Err(replayed()) } else { Ok(nonce) }
    }

    fn is_signed(&self, authorization: &Authorization, message: &[u8]) -> bool {
        let signature = STANDARD.decode(&authorization.signature).ok();
        signature.is_some_and(|signature| matches(&self.identity.merchant.public_key, message, &signature))
    }

    /// The error for a signature that does not match.
    fn explain(
        &self,
        request: &IncomingRequest,
        authorization: &Authorization,
        message: &[u8],
    ) -> Result<Rejection, ErrorResponse> {
        let parts = MessageParts {
            method: request.method.as_str(),
            target: &request.target,
            timestamp: &authorization.timestamp,
            nonce: &authorization.nonce,
            body: signed_body(request)?,
            host: request.header("host").unwrap_or(""),
            raw_body: &request.body,
        };
        let merchant = &self.identity.merchant.public_key;
        let keys = Keys { merchant, platform: &self.keyring.now().public_halves() };
        let diagnosis = diagnosis::diagnose(&keys, &parts, &authorization.signature);
        let all = String::from_utf8_lossy(message);
        let shown: String = all.chars().take(MAX_SHOWN).collect();
        let why = diagnosis.english();
        let mut error = ErrorResponse::sign_error(
            "signature",
            "sign not match",
            format!("错误的签名，验签失败: the signature does not match the message: {why}\n{shown}"),
        );
        error.detail["sign_information"] = json!({
            "method": request.method.as_str(),
            "url": request.target,
            "truncated_sign_message": shown,
            "sign_message_length": message.len(),
        });
        error.detail["diagnosis"] = diagnosis.to_json();
        Ok(Rejection { error, diagnosis: Some(Box::new(diagnosis)) })
    }

    /// The checks after authentication: the body must be JSON (of an upload, its `meta` part), and the key that the
    /// request names must exist.
    fn content(&self, request: &IncomingRequest) -> Result<Value, Rejection> {
        let text = match request.media_type().as_str() {
            "application/json" if !request.body.is_empty() => &request.body[..],
            "multipart/form-data" => signed_body(request)?,
            _ => b"null",
        };
        let json = serde_json::from_slice(text).map_err(|e| {
            let bom = text.starts_with(b"\xef\xbb\xbf");
            let why = if bom { "it begins with a byte order mark (BOM)".to_owned() } else { e.to_string() };
            ErrorResponse::param_error("body", "/", &format!("expected JSON ({why})"))
        })?;
        let name = "Wechatpay-Serial";
        if request.headers.contains_key(name) {
            let once = "must occur once, in visible ASCII";
            let serial =
                request.header(name).ok_or_else(|| ErrorResponse::param_error("header", name, once))?;
            // Some SDKs send their own serial, or an empty one, with a request in which nothing is encrypted.
            let ignored = serial.is_empty() || same_serial(serial, &self.identity.merchant.serial);
            let keys = self.keyring.now();
            if !ignored && keys.find(serial).is_none() {
                let issue = keys.not_in_service(serial);
                return Err(ErrorResponse::param_error("header", name, &issue).into());
            }
        }
        Ok(json)
    }
}

fn authorization(request: &IncomingRequest) -> Result<Authorization, ErrorResponse> {
    let malformed = |why: &str| {
        ErrorResponse::sign_error(
            "authorization",
            "malformed",
            format!("Http头Authorization值格式错误: {why}"),
        )
    };
    if !request.headers.contains_key(header::AUTHORIZATION) {
        return Err(ErrorResponse::sign_error("authorization", "missing", "Http头缺少Authorization"));
    }
    let value = request
        .header(header::AUTHORIZATION.as_str())
        .ok_or_else(|| malformed("it must occur once, in visible ASCII"))?;
    Authorization::parse(value).map_err(|why| malformed(&why))
}

fn replayed() -> ErrorResponse {
    ErrorResponse::sign_error("nonce_str", "replayed", "nonce_str was used before")
}

/// The signature of an upload covers its `meta` part, any other signature the body.
fn signed_body(request: &IncomingRequest) -> Result<&[u8], ErrorResponse> {
    if request.media_type() != "multipart/form-data" {
        return Ok(&request.body);
    }
    let content_type = request.header("content-type").unwrap_or("");
    multipart::meta(content_type, &request.body)
        .map_err(|why| ErrorResponse::param_error("body", "/meta", &why))
}

/// The five lines of the signed message.
fn message(request: &IncomingRequest, authorization: &Authorization, body: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(body.len() + request.target.len() + 64);
    for line in [
        request.method.as_str().as_bytes(),
        request.target.as_bytes(),
        authorization.timestamp.as_bytes(),
        authorization.nonce.as_bytes(),
        body,
    ] {
        message.extend_from_slice(line);
        message.push(b'\n');
    }
    message
}

fn matches(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    let padding = Pkcs1v15Sign::new::<Sha256>();
    key.verify(padding, &Sha256::digest(message), signature).is_ok()
}
