//! Responses and notifications that could not be authenticated.

use std::fmt;

use super::{Excerpt, Message, RequestId, Sanitized};

/// A response or a notification that could not be authenticated as the platform's.
///
/// An error response that could not be verified often says why: its code and message are kept as claims. Show them to a
/// person; do not act on them, for anyone could have made them up.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct VerifyError {
    /// The check that failed.
    pub reason: VerifyReason,
    /// The HTTP status of the response; `None` for a notification.
    pub status: Option<u16>,
    /// The `Request-ID` header.
    pub request_id: Option<String>,
    /// **Not verified.** The `code` that an error response claims, such as `PARAM_ERROR`; at most 64 characters, without
    /// control characters.
    pub claimed_code: Option<String>,
    /// **Not verified.** The `message` that an error response claims; at most 500 characters, without control
    /// characters.
    pub claimed_message: Option<String>,
    /// The signature does not match under a bare public key that the caller configured.
    pub(crate) key_may_be_wrong: bool,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reason)?;
        if self.key_may_be_wrong {
            f.write_str(", or the public key that is configured under this ID is the wrong one")?;
        }
        let (code, message) = (self.claimed_code.as_deref(), self.claimed_message.as_deref());
        if let Some(status) = self.status.filter(|status| !(200..300).contains(status)) {
            write!(f, "; the response itself, which is not verified, says {status}")?;
            if let Some(code) = code {
                write!(f, " {}", Sanitized(code))?;
            }
            if let Some(message) = message {
                write!(f, ": {}", Sanitized(message))?;
            }
        }
        write!(f, "{}", RequestId(self.request_id.as_deref()))
    }
}

impl std::error::Error for VerifyError {}

/// The check that a response or a notification failed, in the order of the checks.
///
/// [Porting from Node](crate::guide::porting_from_node) maps Node's `EV3_RES_*` codes, and PHP's constants of the same
/// names, to these values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyReason {
    /// One of the four `Wechatpay-*` headers is missing.
    #[error("the response has no `{header}` header")]
    MissingHeader {
        /// The missing header.
        header: &'static str,
    },
    /// One of the four headers came twice, so two readers could see two values.
    #[error("the response has more than one `{header}` header")]
    DuplicateHeader {
        /// The repeated header.
        header: &'static str,
    },
    /// A header's value is malformed.
    #[error("the response's `{header}` header is not {expected}")]
    MalformedHeader {
        /// The header.
        header: &'static str,
        /// The expected form.
        expected: &'static str,
    },
    /// A signature probe (`WECHATPAY/SIGNTEST/…`): the platform tests whether this client verifies signatures.
    /// It is not an attack, and must not be trusted either.
    #[error(
        "the response carries a signature probe of the platform (WECHATPAY/SIGNTEST/), which must be refused"
    )]
    SignatureProbe,
    /// The response is too old or from the future, or the local clock is wrong.
    #[error(
        "the response's timestamp {timestamp} and the local clock {now} differ by more than 300 s: \
         the local clock is wrong, or an old response was replayed"
    )]
    ClockSkew {
        /// The response's timestamp, Unix seconds.
        timestamp: u64,
        /// The local clock, Unix seconds.
        now: u64,
    },
    /// The platform signed with a key that this client does not have.
    #[error(
        "no platform key has the serial {}; known: {}{}{}",
        Excerpt(serial),
        Message(known),
        if refresh.is_some() { "; " } else { "" },
        Message(refresh.as_deref().unwrap_or_default())
    )]
    UnknownSerial {
        /// The response's `Wechatpay-Serial`.
        serial: String,
        /// The known serials.
        known: String,
        /// With automatic certificates: why there is no newer one. The download failed; or the next one is held back,
        /// and until when.
        refresh: Option<String>,
    },
    /// The signature does not match the timestamp, the nonce and the body.
    #[error(
        "the signature does not match under the platform key {}: the response was changed or forged",
        Excerpt(serial)
    )]
    BadSignature {
        /// The key that the response names.
        serial: String,
    },
    /// A file does not have the signed or expected digest.
    #[error("the file's {algorithm} is {actual}, expected {expected}")]
    BadDigest {
        /// The digest's name.
        algorithm: &'static str,
        /// The signed or expected digest, hex.
        expected: String,
        /// The digest of the received content, hex.
        actual: String,
    },
}
