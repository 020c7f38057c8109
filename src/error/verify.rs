//! Responses and notifications that could not be authenticated.

use std::fmt;

use super::{Excerpt, Message, RequestId, Sanitized};

/// What could not be authenticated; it words the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifySubject {
    /// The response to a call.
    Response,
    /// A notification: [`WeChatPay::notification`](crate::WeChatPay::notification).
    Notification,
    /// Either of them: [`WeChatPay::verify`](crate::WeChatPay::verify) cannot know which.
    Message,
}

impl fmt::Display for VerifySubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            VerifySubject::Response => "response",
            VerifySubject::Notification => "notification",
            VerifySubject::Message => "message",
        })
    }
}

/// What the platform key under the serial says about a signature that does not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignedBy {
    /// This key made it, for another message.
    ThisKey,
    /// Another key than this bare public key, which the caller configured under the ID.
    NotThisPublicKey,
    /// Another key than that of this certificate, which has the serial in itself.
    NotThisCertificate,
    /// It is not a whole signature.
    Damaged,
}

/// A response or a notification that could not be authenticated as the platform's.
///
/// An error response that could not be verified often says why: its code and message are kept as claims. Show them to a
/// person; do not act on them, for anyone could have made them up.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct VerifyError {
    /// The check that failed.
    pub reason: VerifyReason,
    /// What was checked.
    pub subject: VerifySubject,
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
    /// For a signature that does not match.
    pub(crate) signed_by: Option<SignedBy>,
}

impl VerifyError {
    /// Of a signature that does not match ([`VerifyReason::BadSignature`]): whether the key that this client has under
    /// the serial made it. `Some(true)`: the key is right, and the body, the timestamp or the nonce was changed.
    /// `Some(false)`: another key made it, so the configured one is wrong, or the message is forged. `None` if it is not
    /// a whole signature, and for every other reason.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # let (headers, body) = sandbox.notification("TRANSACTION.SUCCESS", "transaction", &serde_json::json!({}))?;
    /// use wechatpay_chain::Error;
    ///
    /// let respelt = serde_json::to_vec_pretty(&serde_json::from_slice::<serde_json::Value>(&body)?)?;
    /// let Err(Error::Verify(error)) = wx.verify(&headers, &respelt) else { panic!() };
    /// assert_eq!(error.key_made_signature(), Some(true)); // the key is right: pass the body as it was received
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn key_made_signature(&self) -> Option<bool> {
        match self.signed_by? {
            SignedBy::ThisKey => Some(true),
            SignedBy::NotThisPublicKey | SignedBy::NotThisCertificate => Some(false),
            SignedBy::Damaged => None,
        }
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = self.subject;
        match (&self.reason, self.signed_by) {
            (VerifyReason::BadSignature { serial }, Some(signed_by)) => {
                write!(f, "the signature does not match under the platform key {}: ", Excerpt(serial))?;
                match signed_by {
                    SignedBy::ThisKey => write!(
                        f,
                        "this key made it for another message, so the {subject} was changed, or has the headers of \
                         another one"
                    )?,
                    SignedBy::NotThisPublicKey => write!(
                        f,
                        "another key made it, so the public key that is configured under this ID is the wrong one, or the \
                         {subject} was forged"
                    )?,
                    SignedBy::NotThisCertificate => {
                        write!(f, "another key made it, so the {subject} was changed or forged")?;
                    }
                    SignedBy::Damaged => {
                        write!(f, "it is not a whole signature, so the {subject} was changed or forged")?;
                    }
                }
            }
            (reason, _) => reason.about(subject, f)?,
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
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyReason {
    /// One of the four `Wechatpay-*` headers is missing.
    MissingHeader {
        /// The missing header.
        header: &'static str,
    },
    /// One of the four headers came twice, so two readers could see two values.
    DuplicateHeader {
        /// The repeated header.
        header: &'static str,
    },
    /// A header's value is malformed.
    MalformedHeader {
        /// The header.
        header: &'static str,
        /// The expected form.
        expected: &'static str,
    },
    /// A signature probe (`WECHATPAY/SIGNTEST/…`): the platform tests whether this client verifies signatures.
    /// It is not an attack, and must not be trusted either.
    SignatureProbe,
    /// The response is too old or from the future, or the local clock is wrong.
    ClockSkew {
        /// The response's timestamp, Unix seconds.
        timestamp: u64,
        /// The local clock, Unix seconds.
        now: u64,
    },
    /// The platform signed with a key that this client does not have.
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
    BadSignature {
        /// The key that the response names.
        serial: String,
    },
    /// APIv2: the response is not XML, so nothing in it can have been signed.
    MalformedXml {
        /// What is wrong with it: "it …".
        reason: String,
    },
    /// APIv2: the XML has no `sign`.
    MissingSign,
    /// APIv2: the `sign` does not match the other fields under the secret.
    BadSign {
        /// The element that no signature can cover, because it is repeated or has elements of its own.
        element: Option<String>,
    },
    /// A file does not have the signed or expected digest.
    BadDigest {
        /// The digest's name.
        algorithm: &'static str,
        /// The signed or expected digest, hex.
        expected: String,
        /// The digest of the received content, hex.
        actual: String,
    },
}

impl VerifyReason {
    fn about(&self, subject: VerifySubject, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VerifyReason::MissingHeader { header } => write!(f, "the {subject} has no `{header}` header"),
            VerifyReason::DuplicateHeader { header } => {
                write!(f, "the {subject} has more than one `{header}` header")
            }
            VerifyReason::MalformedHeader { header, expected } => {
                write!(f, "the {subject}'s `{header}` header is not {expected}")
            }
            VerifyReason::SignatureProbe => write!(
                f,
                "the {subject} carries a signature probe of the platform (WECHATPAY/SIGNTEST/), which must be refused"
            ),
            VerifyReason::ClockSkew { timestamp, now } => write!(
                f,
                "the {subject}'s timestamp {timestamp} and the local clock {now} differ by more than 300 s: the local \
                 clock is wrong, or an old {subject} was replayed"
            ),
            VerifyReason::UnknownSerial { serial, known, refresh } => {
                write!(f, "no platform key has the serial {}; known: {}", Excerpt(serial), Message(known))?;
                refresh.iter().try_for_each(|why| write!(f, "; {}", Message(why)))
            }
            VerifyReason::BadSignature { serial } => write!(
                f,
                "the signature does not match under the platform key {}: the {subject} was changed or forged",
                Excerpt(serial)
            ),
            VerifyReason::MalformedXml { reason } => {
                write!(f, "the {subject} is not XML of APIv2: {}", Message(reason))
            }
            VerifyReason::MissingSign => write!(f, "the {subject} has no `sign`: it was changed or forged"),
            VerifyReason::BadSign { element: Some(name) } => write!(
                f,
                "the {subject} has {} more than once, or with elements inside, which no signature covers: it was changed or \
                 forged",
                Excerpt(name)
            ),
            VerifyReason::BadSign { element: None } => write!(
                f,
                "the `sign` does not match: the APIv2 key of this client is not the merchant's, or the {subject} was \
                 changed or forged"
            ),
            VerifyReason::BadDigest { algorithm, expected, actual } => {
                write!(f, "the file's {algorithm} is {actual}, expected {expected}")
            }
        }
    }
}

/// As in an error about a [`VerifySubject::Message`].
impl fmt::Display for VerifyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.about(VerifySubject::Message, f)
    }
}

impl std::error::Error for VerifyReason {}
