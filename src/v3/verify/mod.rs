//! Whether a response comes from the platform: the four headers, the clock window, the key, the signature.

use http::{HeaderMap, Method};

use super::platform::PlatformKeys;
use crate::crypto::digest;
use crate::crypto::rsa::PublicKey;
use crate::error::VerifyReason;

mod failure;
mod streamed;
mod unsigned;

pub(crate) use failure::{claimed, failure};
pub(crate) use streamed::StreamVerifier;

pub(crate) const SERIAL: &str = "Wechatpay-Serial";
const TIMESTAMP: &str = "Wechatpay-Timestamp";
const NONCE: &str = "Wechatpay-Nonce";
const SIGNATURE: &str = "Wechatpay-Signature";
const STATEMENT_SHA1: &str = "Wechatpay-Statement-Sha1";

/// The most that a response's timestamp may differ from the clock; 300 s itself is accepted.
const WINDOW_SECONDS: u64 = 300;

/// The platform sends such signatures to test whether clients verify them.
const PROBE: &[u8] = b"WECHATPAY/SIGNTEST/";

/// The parts of a response that are verified.
pub(crate) struct ResponseView<'a> {
    pub(crate) method: &'a Method,
    /// The path without the base URL's path and without the leading slash.
    pub(crate) path: &'a str,
    pub(crate) success: bool,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    pub(crate) now: u64,
}

/// Verifies a response. `Ok(false)`: it needs no signature and has none.
pub(crate) fn response(response: &ResponseView<'_>, keys: &PlatformKeys) -> Result<bool, VerifyReason> {
    // Errors are verified if they are signed (PROTOCOL, Response); the caller marks the others.
    if !response.success && !response.headers.contains_key(SIGNATURE) {
        return Ok(false);
    }
    if response.success && *response.method == Method::GET {
        if unsigned::goes_unsigned(response) {
            return Ok(false);
        }
        if let Some(sha1) = statement_digest(response)? {
            let signed = format!("{{\"sha1\":\"{sha1}\"}}");
            verify_signature(response.headers, signed.as_bytes(), response.now, keys)?;
            let actual = digest::sha1_hex(response.body);
            return match actual.eq_ignore_ascii_case(sha1) {
                true => Ok(true),
                false => {
                    Err(VerifyReason::BadDigest { algorithm: "SHA-1", expected: sha1.to_owned(), actual })
                }
            };
        }
    }
    verify_signature(response.headers, response.body, response.now, keys)?;
    Ok(true)
}

/// Verifies the signature in the four headers over `body` (PROTOCOL, Response).
pub(crate) fn verify_signature(
    headers: &HeaderMap,
    body: &[u8],
    now: u64,
    keys: &PlatformKeys,
) -> Result<(), VerifyReason> {
    let SignatureHeaders { timestamp, nonce, serial, signature, key } =
        signature_headers(headers, now, keys)?;
    if !key.verifies(&message(timestamp, nonce, body), signature.as_bytes()) {
        return Err(VerifyReason::BadSignature { serial: serial.to_owned() });
    }
    Ok(())
}

/// The four headers, and the key that they name: all that can be checked before the body arrives.
struct SignatureHeaders<'a> {
    timestamp: &'a str,
    nonce: &'a str,
    serial: &'a str,
    signature: &'a str,
    key: &'a PublicKey,
}

fn signature_headers<'a>(
    headers: &'a HeaderMap,
    now: u64,
    keys: &'a PlatformKeys,
) -> Result<SignatureHeaders<'a>, VerifyReason> {
    let [nonce, serial, signature, timestamp] = [
        single(headers, NONCE)?,
        single(headers, SERIAL)?,
        single(headers, SIGNATURE)?,
        single(headers, TIMESTAMP)?,
    ];
    if signature.as_bytes().starts_with(PROBE) {
        return Err(VerifyReason::SignatureProbe);
    }
    let plain = !timestamp.is_empty() && timestamp.bytes().all(|b| b.is_ascii_digit());
    let seconds: u64 = timestamp
        .parse()
        .ok()
        .filter(|_| plain)
        .ok_or(VerifyReason::MalformedHeader { header: TIMESTAMP, expected: "a plain number of seconds" })?;
    if seconds.abs_diff(now) > WINDOW_SECONDS {
        return Err(VerifyReason::ClockSkew { timestamp: seconds, now });
    }
    let Some(key) = keys.find(serial) else {
        let (serial, known) = (serial.to_owned(), keys.known());
        return Err(VerifyReason::UnknownSerial { serial, known, refresh: None });
    };
    Ok(SignatureHeaders { timestamp, nonce, serial, signature, key: &key.key })
}

/// The message that a response's signature covers, in parts: three lines, each ended by a line feed.
fn message<'a>(timestamp: &'a str, nonce: &'a str, body: &'a [u8]) -> [&'a [u8]; 6] {
    [timestamp.as_bytes(), b"\n", nonce.as_bytes(), b"\n", body, b"\n"]
}

fn single<'a>(headers: &'a HeaderMap, header: &'static str) -> Result<&'a str, VerifyReason> {
    let mut values = headers.get_all(header).iter();
    let value = values.next().ok_or(VerifyReason::MissingHeader { header })?;
    if values.next().is_some() {
        return Err(VerifyReason::DuplicateHeader { header });
    }
    value.to_str().map_err(|_| VerifyReason::MalformedHeader { header, expected: "plain ASCII" })
}

fn statement_digest<'a>(response: &ResponseView<'a>) -> Result<Option<&'a str>, VerifyReason> {
    if !unsigned::is_statement(response.path) || !response.headers.contains_key(STATEMENT_SHA1) {
        return Ok(None);
    }
    let sha1 = single(response.headers, STATEMENT_SHA1)?;
    match digest::is_sha1_hex(sha1) {
        true => Ok(Some(sha1)),
        false => Err(VerifyReason::MalformedHeader { header: STATEMENT_SHA1, expected: "40 hex digits" }),
    }
}

#[cfg(test)]
mod tests;
