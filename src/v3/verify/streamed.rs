//! The same checks for an answer that is not kept: the headers before its body, the signature behind it.

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use http::{HeaderMap, Method};

use super::{Answer, Claim, claim, is_unsigned, signature, statement_digest};
use crate::crypto::digest::hex;
use crate::error::VerifyReason;
use crate::v3::platform::PlatformKeys;

/// What the bytes of a successful answer are held against.
pub(crate) enum Streamed {
    /// Nothing: the platform does not sign it.
    Unsigned,
    /// The digest whose header was signed, and is verified.
    Statement { expected: String, sha1: Context },
    /// The three lines so far; the timestamp is that of a clock that was right when the head came.
    Signed { message: Context, now: u64 },
}

/// Checks the head of a successful answer; its body is still to come.
pub(crate) fn begin(answer: &Answer<'_>, keys: &PlatformKeys) -> Result<Streamed, VerifyReason> {
    if *answer.method == Method::GET {
        if is_unsigned(answer.path) {
            return Ok(Streamed::Unsigned);
        }
        if let Some(expected) = statement_digest(answer)? {
            let signed = format!("{{\"sha1\":\"{expected}\"}}");
            signature(answer.headers, signed.as_bytes(), answer.now, keys)?;
            let (expected, sha1) = (expected.to_owned(), Context::new(&SHA1_FOR_LEGACY_USE_ONLY));
            return Ok(Streamed::Statement { expected, sha1 });
        }
    }
    let Claim { timestamp, nonce, .. } = claim(answer.headers, answer.now, keys)?;
    let mut message = Context::new(&SHA256);
    for part in super::message(timestamp, nonce, b"").iter().take(4) {
        message.update(part);
    }
    Ok(Streamed::Signed { message, now: answer.now })
}

impl Streamed {
    /// Takes the next bytes, as received.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Streamed::Unsigned => {}
            Streamed::Statement { sha1: context, .. } | Streamed::Signed { message: context, .. } => {
                context.update(bytes);
            }
        }
    }

    /// Whether the answer was signed; an error when it was, and the signature does not hold.
    pub(crate) fn finish(self, headers: &HeaderMap, keys: &PlatformKeys) -> Result<bool, VerifyReason> {
        match self {
            Streamed::Unsigned => Ok(false),
            Streamed::Statement { expected, sha1 } => {
                let actual = hex(sha1.finish().as_ref());
                match actual.eq_ignore_ascii_case(&expected) {
                    true => Ok(true),
                    false => Err(VerifyReason::BadDigest { algorithm: "SHA-1", expected, actual }),
                }
            }
            Streamed::Signed { mut message, now } => {
                message.update(b"\n");
                // The head's own time counts: a download may take longer than an answer may be old.
                let Claim { serial, signature, key, .. } = claim(headers, now, keys)?;
                match key.verifies_digest(message, signature.as_bytes()) {
                    true => Ok(true),
                    false => Err(VerifyReason::BadSignature { serial: serial.to_owned() }),
                }
            }
        }
    }
}
