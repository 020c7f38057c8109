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

/// The result of all checks.
pub(crate) struct Verification {
    /// The message that the signature should cover. Empty if the request does not determine it.
    pub(crate) signed_message: Vec<u8>,
    /// The parsed JSON body (of an upload, the `meta` part).
    pub(crate) outcome: Result<Value, Rejection>,
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

    pub(crate) fn verify(&self, request: &IncomingRequest) -> Verification {
        // These downloads are on a third party's host, so a client must not send it the `Authorization` header.
        if !request.headers.contains_key(header::AUTHORIZATION)
            && unsigned_paths::needs_no_authorization(request)
        {
            return Verification { signed_message: Vec::new(), outcome: self.content(request) };
        }
        let authorization = match authorization(request) {
            Ok(authorization) => authorization,
            Err(error) => {
                return Verification { signed_message: Vec::new(), outcome: Err(error.into()) };
            }
        };
        if let Some(name) =
            ["accept", "user-agent"].into_iter().find(|name| !request.headers.contains_key(*name))
        {
            let error = ErrorResponse::param_error("header", name, "Http头缺少Accept或User-Agent: required");
            return Verification { signed_message: Vec::new(), outcome: Err(error.into()) };
        }
        let signed_message = signed_body(request).map(|body| message(request, &authorization, body));
        let outcome = self
            .check_credentials(&authorization)
            .map_err(Rejection::from)
            .and_then(|nonce| {
                let message = signed_message.as_ref().map_err(Clone::clone)?;
                self.check_signature(request, &authorization, message)?;
                // Last, so that a forged request cannot use up the nonce of a genuine one.
                if self.nonces().insert(nonce) { Ok(()) } else { Err(replayed().into()) }
            })
            .and_then(|()| self.content(request));
        Verification { signed_message: signed_message.unwrap_or_default(), outcome }
    }

    fn nonces(&self) -> MutexGuard<'_, Nonces> {
        // A panic elsewhere must not stop the sandbox: no change is ever half-written.
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The checks that need no RSA operation. Returns the nonce.
    fn check_credentials(&self, authorization: &Authorization) -> Result<Nonce, ErrorResponse> {
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

    fn check_signature(
        &self,
        request: &IncomingRequest,
        authorization: &Authorization,
        message: &[u8],
    ) -> Result<(), Rejection> {
        let merchant = &self.identity.merchant.public_key;
        let signature = STANDARD.decode(&authorization.signature).ok();
        if signature.is_some_and(|signature| matches(merchant, message, &signature)) {
            return Ok(());
        }
        let parts = MessageParts {
            method: request.method.as_str(),
            target: &request.target,
            timestamp: &authorization.timestamp,
            nonce: &authorization.nonce,
            body: signed_body(request)?,
            host: request.header("host").unwrap_or(""),
            raw_body: &request.body,
        };
        let keys = Keys { merchant, platform: &self.keyring.public_keys() };
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
        Err(Rejection { error, diagnosis: Some(Box::new(diagnosis)) })
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
            if !ignored && self.keyring.find(serial).is_none() {
                let issue = format!("the platform has no key `{serial:.64}`");
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
