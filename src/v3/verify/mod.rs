//! Whether an answer comes from the platform: the four headers, the clock window, the key, the signature.

use http::{HeaderMap, Method};

use crate::crypto::digest;
use crate::crypto::rsa::PublicKey;
use crate::error::VerifyReason;
use crate::v3::platform::PlatformKeys;

mod streamed;

pub(crate) use streamed::{Streamed, begin};

pub(crate) const SERIAL: &str = "Wechatpay-Serial";
const TIMESTAMP: &str = "Wechatpay-Timestamp";
const NONCE: &str = "Wechatpay-Nonce";
const SIGNATURE: &str = "Wechatpay-Signature";
const STATEMENT_SHA1: &str = "Wechatpay-Statement-Sha1";

/// An answer whose timestamp differs from the clock by more than this is refused; 300 s itself is accepted.
const WINDOW_SECONDS: u64 = 300;

/// The platform tries with such signatures whether they are checked.
const PROBE: &[u8] = b"WECHATPAY/SIGNTEST/";

/// **The paths whose successful GET answers the platform does not sign** (PROTOCOL, Response). Everything else is
/// verified. A `*` stands for one segment; the last column names a value of it that *is* signed.
/// Compared case-insensitively, without the base URL's prefix.
const UNSIGNED: &[(&str, Option<&str>)] = &[
    ("v3/billdownload/file", None),
    ("v3/merchant-service/images/*", Some("upload")),
    ("v3/global/merchant-service/images/*", Some("upload")),
    ("v3/transferdownload/elecvoucherfile", None),
    ("v3/transferdownload/signfile", None),
    ("v3/new-tax-control-fapiao/download", None),
];

/// The paths of the platform's other base URLs, which may stand in the chain just as well.
const PREFIXES: &[&str] = &["hk/", "global/"];

/// The overseas statements: the signature covers `{"sha1":"…"}`, the header's value, and that the file.
const STATEMENTS: &[&str] = &["hk/v3/statements", "v3/statements", "v3/global/statements"];

/// What is looked at of an answer.
pub(crate) struct Answer<'a> {
    pub(crate) method: &'a Method,
    /// The path without the base URL's prefix and without the slash in front.
    pub(crate) path: &'a str,
    pub(crate) success: bool,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    pub(crate) now: u64,
}

/// Checks an answer. `Ok(false)` is an answer that needs no signature and has none.
pub(crate) fn answer(answer: &Answer<'_>, keys: &PlatformKeys) -> Result<bool, VerifyReason> {
    // Errors are checked when they are signed (PROTOCOL, Response); the caller marks them otherwise.
    if !answer.success && !answer.headers.contains_key(SIGNATURE) {
        return Ok(false);
    }
    if answer.success && *answer.method == Method::GET {
        if is_unsigned(answer.path) {
            return Ok(false);
        }
        if let Some(sha1) = statement_digest(answer)? {
            let signed = format!("{{\"sha1\":\"{sha1}\"}}");
            signature(answer.headers, signed.as_bytes(), answer.now, keys)?;
            let actual = digest::sha1_hex(answer.body);
            return match actual.eq_ignore_ascii_case(sha1) {
                true => Ok(true),
                false => {
                    Err(VerifyReason::BadDigest { algorithm: "SHA-1", expected: sha1.to_owned(), actual })
                }
            };
        }
    }
    signature(answer.headers, answer.body, answer.now, keys)?;
    Ok(true)
}

/// Checks the four headers over `body`: three lines, each ended by a line feed (PROTOCOL, Response).
pub(crate) fn signature(
    headers: &HeaderMap,
    body: &[u8],
    now: u64,
    keys: &PlatformKeys,
) -> Result<(), VerifyReason> {
    let Claim { timestamp, nonce, serial, signature, key } = claim(headers, now, keys)?;
    if !key.verifies(&message(timestamp, nonce, body), signature.as_bytes()) {
        return Err(VerifyReason::BadSignature { serial: serial.to_owned() });
    }
    Ok(())
}

/// What the four headers say, and the key that they name: all that can be checked before the body is there.
struct Claim<'a> {
    timestamp: &'a str,
    nonce: &'a str,
    serial: &'a str,
    signature: &'a str,
    key: &'a PublicKey,
}

fn claim<'a>(headers: &'a HeaderMap, now: u64, keys: &'a PlatformKeys) -> Result<Claim<'a>, VerifyReason> {
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
    Ok(Claim { timestamp, nonce, serial, signature, key: &key.key })
}

/// The message that an answer's signature covers, in parts: three lines, the last one ended too.
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

fn is_unsigned(path: &str) -> bool {
    let bare = PREFIXES.iter().find_map(|prefix| strip_prefix(path, prefix)).unwrap_or(path);
    [path, bare].into_iter().any(in_table)
}

fn in_table(path: &str) -> bool {
    UNSIGNED.iter().any(|(pattern, signed)| match pattern.strip_suffix('*') {
        None => path.eq_ignore_ascii_case(pattern),
        Some(prefix) => strip_prefix(path, prefix).is_some_and(|tail| {
            !tail.is_empty() && !tail.contains('/') && !signed.is_some_and(|s| tail.eq_ignore_ascii_case(s))
        }),
    })
}

fn strip_prefix<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    let (head, tail) = path.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

fn statement_digest<'a>(answer: &Answer<'a>) -> Result<Option<&'a str>, VerifyReason> {
    let is_statement = STATEMENTS.iter().any(|path| answer.path.eq_ignore_ascii_case(path));
    if !is_statement || !answer.headers.contains_key(STATEMENT_SHA1) {
        return Ok(None);
    }
    let sha1 = single(answer.headers, STATEMENT_SHA1)?;
    let hex = sha1.len() == 40 && sha1.bytes().all(|b| b.is_ascii_hexdigit());
    match hex {
        true => Ok(Some(sha1)),
        false => Err(VerifyReason::MalformedHeader { header: STATEMENT_SHA1, expected: "40 hex digits" }),
    }
}

#[cfg(test)]
mod tests;
