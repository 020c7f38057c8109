//! The checks of a request, in the platform's order, on the bytes that arrived.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Method, header};
use rsa::{Pkcs1v15Sign, RsaPublicKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    authorization::Authorization,
    diagnosis::{self, Parts},
    folder::is_digits,
    multipart, nonces,
    platform::Platform,
    refusal::Refusal,
    unsigned,
};

/// A difference of exactly this many seconds still passes.
const WINDOW: i64 = 300;

/// How much of the expected message an error shows.
const SHOWN: usize = 1024;

/// A request as it came off the wire.
pub(super) struct Arrived {
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// What the signature was expected to be over (empty: nothing to tell), and the parsed body or the refusal.
pub(super) struct Checked {
    pub(super) signed_message: Vec<u8>,
    pub(super) outcome: Result<Value, Refusal>,
}

impl Arrived {
    /// The media type of the body, lower-case, without its parameters.
    fn media_type(&self) -> String {
        media_type(&self.headers)
    }

    /// A header that may stand there once. `None` also when it is not plain text.
    pub(super) fn single(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.get_all(name).iter();
        let first = all.next()?.to_str().ok()?;
        all.next().is_none().then_some(first)
    }
}

pub(super) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    value.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

pub(super) fn check(platform: &Platform, request: &Arrived) -> Checked {
    // The host of these downloads belongs to somebody else, who is shown no Authorization.
    if !request.headers.contains_key(header::AUTHORIZATION) && unsigned::is_open(request) {
        return Checked { signed_message: Vec::new(), outcome: content(platform, request) };
    }
    let authorization = match authorization(request) {
        Ok(authorization) => authorization,
        Err(refusal) => return Checked { signed_message: Vec::new(), outcome: Err(refusal) },
    };
    let signed_message = signed_body(request).map(|body| message(request, &authorization, body));
    let outcome = credentials(platform, &authorization)
        .and_then(|nonce| {
            let message = signed_message.as_ref().map_err(Clone::clone)?;
            signature(platform, request, &authorization, message)?;
            // Only now: a forged request must not use up the nonce of a true one.
            if platform.nonces().insert(nonce) { Ok(()) } else { Err(replayed()) }
        })
        .and_then(|()| content(platform, request));
    Checked { signed_message: signed_message.unwrap_or_default(), outcome }
}

fn authorization(request: &Arrived) -> Result<Authorization, Refusal> {
    let malformed = |why: &str| {
        Refusal::sign("authorization", "malformed", format!("Http头Authorization值格式错误: {why}"))
    };
    if !request.headers.contains_key(header::AUTHORIZATION) {
        return Err(Refusal::sign("authorization", "missing", "Http头缺少Authorization"));
    }
    let value = request
        .single(header::AUTHORIZATION.as_str())
        .ok_or_else(|| malformed("it must stand there once, in visible ASCII"))?;
    Authorization::parse(value).map_err(|why| malformed(&why))
}

/// All that can be refused before the costly part. Gives back the nonce.
fn credentials(platform: &Platform, authorization: &Authorization) -> Result<[u8; nonces::LENGTH], Refusal> {
    let identity = &platform.identity;
    if authorization.mchid != identity.mchid {
        let message = format!("mchid {}: there is no such merchant here", authorization.mchid);
        return Err(Refusal::sign("mchid", "unknown mchid", message));
    }
    if authorization.serial != identity.merchant.serial {
        let message = format!(
            "serial_no {}: the merchant's certificate has {}",
            authorization.serial, identity.merchant.serial
        );
        return Err(Refusal::sign("serial_no", "unknown serial_no", message));
    }
    let now = platform.clock.now();
    let timestamp = Some(authorization.timestamp.as_str())
        .filter(|text| is_digits(text))
        .and_then(|text| text.parse::<i64>().ok())
        .ok_or_else(|| {
            let message = format!("timestamp {}: expected Unix seconds", authorization.timestamp);
            Refusal::sign("timestamp", "malformed", message)
        })?;
    if timestamp.abs_diff(now) > WINDOW.unsigned_abs() {
        let message = format!("timestamp {timestamp}: more than {WINDOW} seconds from {now}");
        return Err(Refusal::sign("timestamp", "expired", message));
    }
    let nonce = <[u8; nonces::LENGTH]>::try_from(authorization.nonce.as_bytes())
        .ok()
        .filter(|nonce| nonce.iter().all(u8::is_ascii_alphanumeric))
        .ok_or_else(|| {
            let message = format!("nonce_str {}: expected 32 characters of 0-9A-Za-z", authorization.nonce);
            Refusal::sign("nonce_str", "malformed", message)
        })?;
    if platform.nonces().contains(&nonce) { Err(replayed()) } else { Ok(nonce) }
}

fn replayed() -> Refusal {
    Refusal::sign("nonce_str", "replayed", "this nonce_str was used before")
}

/// An upload signs the text of its `meta` part, everything else its body.
fn signed_body(request: &Arrived) -> Result<&[u8], Refusal> {
    if request.media_type() != "multipart/form-data" {
        return Ok(&request.body);
    }
    let content_type = request.single("content-type").unwrap_or("");
    multipart::meta(content_type, &request.body).map_err(|why| Refusal::param("body", "/meta", &why))
}

/// The five lines.
fn message(request: &Arrived, authorization: &Authorization, body: &[u8]) -> Vec<u8> {
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

fn signature(
    platform: &Platform,
    request: &Arrived,
    authorization: &Authorization,
    message: &[u8],
) -> Result<(), Refusal> {
    let key = &platform.identity.merchant.verifier;
    let signature = STANDARD.decode(&authorization.signature).ok();
    if signature.is_some_and(|signature| verify(key, message, &signature)) {
        return Ok(());
    }
    let parts = Parts {
        method: request.method.as_str(),
        target: &request.target,
        timestamp: &authorization.timestamp,
        nonce: &authorization.nonce,
        body: signed_body(request)?,
        host: request.single("host").unwrap_or(""),
        sent: &request.body,
    };
    let diagnosis = diagnosis::diagnose(key, &parts, &authorization.signature);
    let all = String::from_utf8_lossy(message);
    let shown: String = all.chars().take(SHOWN).collect();
    let why = diagnosis.english();
    let mut refusal = Refusal::sign(
        "signature",
        "sign not match",
        format!("错误的签名，验签失败: the signature does not fit the message: {why}\n{shown}"),
    );
    refusal.detail["sign_information"] = json!({
        "method": request.method.as_str(),
        "url": request.target,
        "truncated_sign_message": shown,
        "sign_message_length": message.len(),
    });
    refusal.detail["diagnosis"] = diagnosis.to_json();
    refusal.diagnosis = Some(Box::new(diagnosis));
    Err(refusal)
}

fn verify(key: &RsaPublicKey, message: &[u8], signature: &[u8]) -> bool {
    let padding = Pkcs1v15Sign::new::<Sha256>();
    key.verify(padding, &Sha256::digest(message), signature).is_ok()
}

/// What is checked once the sender is known: the JSON (an upload's is its `meta`), and the key asked for.
fn content(platform: &Platform, request: &Arrived) -> Result<Value, Refusal> {
    let text = match request.media_type().as_str() {
        "application/json" if !request.body.is_empty() => &request.body[..],
        "multipart/form-data" => signed_body(request)?,
        _ => b"null",
    };
    let json = serde_json::from_slice(text)
        .map_err(|e| Refusal::param("body", "/", &format!("expected JSON ({e})")))?;
    let name = "Wechatpay-Serial";
    if request.headers.contains_key(name) {
        let wanted = request.single(name).unwrap_or("");
        if platform.keyring().find(wanted).is_none() {
            return Err(Refusal::param("header", name, &format!("`{wanted}` is no key of the platform")));
        }
    }
    Ok(json)
}
