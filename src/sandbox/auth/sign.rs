//! Signs responses and notifications, adds the platform's headers, and applies the faults of the signature.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

use super::unsigned_paths;
use crate::sandbox::{
    faults::fault::Fault,
    http::{
        clock::{self, SkewedClock},
        request::IncomingRequest,
        response::ReadyResponse,
    },
    keys::{
        key_pair::PrivateKey,
        keyring::{Keyring, SigningKey},
        random,
    },
};

/// The smallest age in seconds that a verifier must reject.
const TOO_OLD: i64 = 301;

/// Python's `wechatpayv3` refuses a message without it.
const SIGNATURE_TYPE: &str = "WECHATPAY2-SHA256-RSA2048";

/// The headers that belong to a signature.
const SIGNATURE_HEADERS: [&str; 5] = [
    "wechatpay-timestamp",
    "wechatpay-nonce",
    "wechatpay-serial",
    "wechatpay-signature",
    "wechatpay-signature-type",
];

const PROBE_PREFIX: &str = "WECHATPAY/SIGNTEST/";

pub(crate) struct ResponseSigner {
    clock: Arc<SkewedClock>,
    keyring: Arc<Keyring>,
    /// Whether error responses carry a signature.
    sign_errors: bool,
}

/// A response to send.
pub(crate) struct SignedResponse {
    pub(crate) response: Response<Bytes>,
    /// The faults that found nothing to damage.
    pub(crate) missed: Vec<Fault>,
    /// Whether a script has omitted the signature, or replaced a part of it.
    pub(crate) forged: bool,
}

/// The properties of a request on which the signature of its response depends.
pub(crate) struct SigningContext {
    key: SigningKey,
    unsigned: bool,
    statement: bool,
    head: bool,
}

impl ResponseSigner {
    pub(crate) fn new(clock: Arc<SkewedClock>, keyring: Arc<Keyring>, sign_errors: bool) -> ResponseSigner {
        ResponseSigner { clock, keyring, sign_errors }
    }

    pub(crate) fn context(&self, request: &IncomingRequest) -> SigningContext {
        let serial = request.header("wechatpay-serial");
        SigningContext {
            key: match unsigned_paths::is_certificate_list(request) {
                true => self.keyring.list_signer(serial),
                false => self.keyring.signer(serial),
            },
            unsigned: unsigned_paths::is_unsigned(request),
            statement: unsigned_paths::is_statement(request),
            head: request.method == Method::HEAD,
        }
    }

    pub(crate) fn sign_response(
        &self,
        response: ReadyResponse,
        context: &SigningContext,
        faults: &[Fault],
    ) -> SignedResponse {
        let bad_gateway = faults.contains(&Fault::HtmlBadGateway);
        let mut response = if bad_gateway { ReadyResponse::bad_gateway() } else { response };
        if context.head {
            response.body = Bytes::new();
        }
        let signed = self.must_sign(&response, context);
        let Some(mut headers) = self.headers(&response, context, signed, faults) else {
            // No entropy, or the key failed to sign: an error is better than an unsigned response.
            let response = assemble(ReadyResponse::internal_error(), HeaderMap::new());
            return SignedResponse { response, missed: faults.to_vec(), forged: false };
        };
        if signed && faults.contains(&Fault::WrongBody) && !context.head {
            change_body(&mut response);
        }
        let success = response.status.is_success();
        let forged = match signed {
            true => response.headers.keys().any(|name| SIGNATURE_HEADERS.contains(&name.as_str())),
            false => !response.signed && success && !context.unsigned,
        };
        // Scripted headers replace those of the sandbox.
        headers.extend(std::mem::take(&mut response.headers));
        let is_missed = |fault: &&Fault| match fault {
            Fault::MissingHeader(name) => !headers.contains_key(name.as_str()),
            Fault::WrongBody => !signed || context.head,
            fault => fault.breaks_signature() && !signed,
        };
        let missed = faults.iter().filter(is_missed).cloned().collect();
        remove_missing(&mut headers, faults);
        SignedResponse { response: assemble(response, headers), missed, forged }
    }

    /// The headers of a notification. `None` if a random number or the signature could not be made.
    pub(crate) fn sign_notification(&self, body: &[u8], faults: &[Fault]) -> Option<HeaderMap> {
        let response =
            ReadyResponse { body: Bytes::copy_from_slice(body), ..ReadyResponse::internal_error() };
        let key = self.keyring.signer(None);
        let context = SigningContext { key, unsigned: false, statement: false, head: false };
        let mut headers = self.headers(&response, &context, true, faults)?;
        remove_missing(&mut headers, faults);
        Some(headers)
    }

    fn must_sign(&self, response: &ReadyResponse, context: &SigningContext) -> bool {
        let error = response.status.is_client_error() || response.status.is_server_error();
        let success = response.status.is_success();
        response.signed && (self.sign_errors || !error) && !(context.unsigned && success)
    }

    /// The platform's headers. `None` if a random number or the signature could not be made.
    fn headers(
        &self,
        response: &ReadyResponse,
        context: &SigningContext,
        signed: bool,
        faults: &[Fault],
    ) -> Option<HeaderMap> {
        let now = self.clock.now();
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: &str| {
            let value = HeaderValue::from_str(value).ok()?;
            headers.insert(HeaderName::from_bytes(name.as_bytes()).ok()?, value);
            Some(())
        };
        put("Date", &clock::http_date(now))?;
        put("Request-ID", &random::alphanumeric(40).ok()?.to_ascii_uppercase())?;
        if !signed {
            return Some(headers);
        }

        let key = &context.key;
        let serial = key.serial();
        let timestamp = if faults.contains(&Fault::OldTimestamp) { now.saturating_sub(TOO_OLD) } else { now };
        let timestamp = timestamp.to_string();
        let nonce = random::alphanumeric(32).ok()?;
        let digest = response.headers.get(unsigned_paths::STATEMENT_SHA1).filter(|_| context.statement);
        let body = match digest {
            Some(sha1) => [br#"{"sha1":""#, sha1.as_bytes(), br#""}"#].concat(),
            None => response.body.to_vec(),
        };
        let lines = [timestamp.as_bytes(), nonce.as_bytes(), &body];
        put("Wechatpay-Timestamp", &timestamp)?;
        put("Wechatpay-Nonce", &nonce)?;
        put(
            "Wechatpay-Serial",
            &if faults.contains(&Fault::UnknownSerial) { unknown_serial(serial) } else { serial.into() },
        )?;
        put("Wechatpay-Signature", &signature(key.private_key(), &lines, faults)?)?;
        put("Wechatpay-Signature-Type", SIGNATURE_TYPE)?;
        Some(headers)
    }
}

fn remove_missing(headers: &mut HeaderMap, faults: &[Fault]) {
    for fault in faults {
        if let Fault::MissingHeader(name) = fault {
            headers.remove(name.as_str());
        }
    }
}

/// Signs the three lines, or something else if a fault says so.
fn signature(key: &PrivateKey, lines: &[&[u8]], faults: &[Fault]) -> Option<String> {
    let mut message = lines.join(&b'\n');
    message.push(b'\n');
    if faults.contains(&Fault::BadSignature) {
        message.extend_from_slice(b"and a line that was never sent\n");
    }
    let signature = STANDARD.encode(key.sign(&message).ok()?);
    if faults.contains(&Fault::SignatureProbe) {
        // As long as a real signature and valid Base64: only the prefix identifies the probe.
        return Some(format!("{PROBE_PREFIX}{}", signature.get(PROBE_PREFIX.len()..)?));
    }
    Some(signature)
}

/// A serial of the same form that no key has: every digit but the first is changed.
fn unknown_serial(serial: &str) -> String {
    let prefix = if serial.starts_with("PUB_KEY_ID_") { "PUB_KEY_ID_".len() } else { 1 };
    let (kept, digits) = serial.split_at(prefix.min(serial.len()));
    let changed = digits.chars().map(|digit| match digit {
        '0' => '1',
        _ => '0',
    });
    kept.chars().chain(changed).collect()
}

/// [`Fault::WrongBody`]
fn change_body(response: &mut ReadyResponse) {
    if response.body.is_empty() {
        response.body = Bytes::from_static(b"{}");
        if matches!(response.status.as_u16(), 204 | 205 | 304) {
            response.status = StatusCode::OK;
        }
    } else {
        response.body = [&response.body[..], b" "].concat().into();
    }
}

fn assemble(ready: ReadyResponse, headers: HeaderMap) -> Response<Bytes> {
    let mut response = Response::new(ready.body);
    *response.status_mut() = ready.status;
    *response.headers_mut() = headers;
    response
}
