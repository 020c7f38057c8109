//! The same verification for a response that is streamed: its headers before the body, its signature after it.

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use http::{HeaderMap, Method};

use super::{
    ResponseView, SignatureHeaders, signature_headers, statement_digest, unsigned, verify_signature,
};
use crate::crypto::digest::hex;
use crate::error::VerifyReason;
use crate::v3::platform::PlatformKeys;

/// Verifies the bytes of a successful response as they arrive.
pub(crate) enum StreamVerifier {
    /// The platform does not sign this response, and it has no signature.
    Unsigned,
    /// The header with the digest was signed, and is verified.
    Statement { expected: String, sha1: Context },
    /// The three lines so far. `now` is the time at which the head arrived.
    Signed { message: Context, now: u64 },
}

impl StreamVerifier {
    /// Checks the head of a successful response whose body is still to come. With `digest_is_signed`, it needs no
    /// signature of its own; one that is there is verified.
    pub(crate) fn new(
        head: &ResponseView<'_>,
        digest_is_signed: bool,
        keys: &PlatformKeys,
    ) -> Result<StreamVerifier, VerifyReason> {
        if digest_is_signed && !unsigned::has_signature(head.headers) {
            return Ok(StreamVerifier::Unsigned);
        }
        if *head.method == Method::GET {
            if unsigned::goes_unsigned(head) {
                return Ok(StreamVerifier::Unsigned);
            }
            if let Some(expected) = statement_digest(head)? {
                let signed = format!("{{\"sha1\":\"{expected}\"}}");
                verify_signature(head.headers, signed.as_bytes(), head.now, keys)?;
                let (expected, sha1) = (expected.to_owned(), Context::new(&SHA1_FOR_LEGACY_USE_ONLY));
                return Ok(StreamVerifier::Statement { expected, sha1 });
            }
        }
        let SignatureHeaders { timestamp, nonce, .. } = signature_headers(head.headers, head.now, keys)?;
        let mut message = Context::new(&SHA256);
        for part in super::message(timestamp, nonce, b"").iter().take(4) {
            message.update(part);
        }
        Ok(StreamVerifier::Signed { message, now: head.now })
    }

    /// Takes the next bytes, as received.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            StreamVerifier::Unsigned => {}
            StreamVerifier::Statement { sha1: context, .. }
            | StreamVerifier::Signed { message: context, .. } => {
                context.update(bytes);
            }
        }
    }

    /// Whether the response was signed; an error if it was and the signature or the digest does not match.
    pub(crate) fn finish(self, headers: &HeaderMap, keys: &PlatformKeys) -> Result<bool, VerifyReason> {
        match self {
            StreamVerifier::Unsigned => Ok(false),
            StreamVerifier::Statement { expected, sha1 } => {
                let actual = hex(sha1.finish().as_ref());
                match actual.eq_ignore_ascii_case(&expected) {
                    true => Ok(true),
                    false => Err(VerifyReason::BadDigest { algorithm: "SHA-1", expected, actual }),
                }
            }
            StreamVerifier::Signed { mut message, now } => {
                message.update(b"\n");
                // The time of the head counts: a download may take longer than a response may be old.
                let SignatureHeaders { serial, signature, key, .. } = signature_headers(headers, now, keys)?;
                match key.verifies_digest(message, signature.as_bytes()) {
                    true => Ok(true),
                    false => Err(VerifyReason::BadSignature { serial: serial.to_owned() }),
                }
            }
        }
    }
}
