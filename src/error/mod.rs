//! Every way a call can fail, grouped by what the caller does next.

use std::fmt;

use serde_json::Value;

mod path;

pub use path::PathError;

/// What went wrong, grouped by what the caller does next.
///
/// | variant | what to do |
/// |---|---|
/// | [`Config`](Error::Config) | mend the configuration, or the option that the message names |
/// | [`Path`](Error::Path) | mend the path, or a value in it |
/// | [`Key`](Error::Key) | mend the key that the message names |
/// | [`Transport`](Error::Transport) | try again; ask [`TransportError::maybe_sent`] first when money moves |
/// | [`Api`](Error::Api) | the platform said no: look at [`ApiError::code`] |
/// | [`Verify`](Error::Verify) | the answer did not prove that it came from the platform: trust nothing in it |
/// | [`Decrypt`](Error::Decrypt) | a ciphertext does not open with the key at hand |
/// | [`Decode`](Error::Decode) | the answer is genuine, but not of the shape that was asked for |
///
/// An `Error` is at most 32 bytes large, and its text never holds a key, a secret or a signature.
///
/// ```
/// use wechatpay_chain::{Error, WeChatPay};
/// let refused = WeChatPay::builder().build().unwrap_err();
/// assert!(matches!(refused, Error::Config(_)));
/// assert_eq!(refused.to_string(), "`mchid` is missing: the merchant number is required");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client, or one request, is configured wrongly. Nothing was sent.
    #[error(transparent)]
    Config(Box<ConfigError>),
    /// The path, or a value in it, cannot be sent as it stands. Nothing was sent.
    #[error(transparent)]
    Path(Box<PathError>),
    /// A key does not load, or cannot do what it is asked to. Nothing was sent.
    #[error(transparent)]
    Key(Box<KeyError>),
    /// The exchange broke: no connection, a timeout, a cut answer.
    #[error(transparent)]
    Transport(Box<TransportError>),
    /// The platform answered with an error.
    #[error(transparent)]
    Api(Box<ApiError>),
    /// The answer is not proved to come from the platform.
    #[error(transparent)]
    Verify(Box<VerifyError>),
    /// A ciphertext does not open.
    #[error("{0}")]
    Decrypt(Box<str>),
    /// A genuine answer is not of the shape that was asked for.
    #[error(transparent)]
    Decode(Box<DecodeError>),
}

impl Error {
    /// The platform's `Request-ID` of the answer that this error came from: quote it to WeChat Pay's support.
    ///
    /// ```
    /// # let error = wechatpay_chain::WeChatPay::builder().build().unwrap_err();
    /// assert_eq!(error.request_id(), None); // nothing was sent
    /// ```
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Error::Api(e) => e.request_id.as_deref(),
            Error::Verify(e) => e.request_id.as_deref(),
            Error::Decode(e) => e.request_id.as_deref(),
            Error::Transport(e) => e.request_id.as_deref(),
            _ => None,
        }
    }

    /// The HTTP status of the answer that this error came from.
    pub fn status(&self) -> Option<u16> {
        match self {
            Error::Api(e) => Some(e.status),
            Error::Verify(e) => e.status,
            _ => None,
        }
    }

    /// The platform's code, as `PARAM_ERROR`; `None` for what is not the platform's own error.
    pub fn code(&self) -> Option<&str> {
        match self {
            Error::Api(e) if !e.code.is_empty() => Some(&e.code),
            _ => None,
        }
    }

    pub(crate) fn config(field: impl Into<String>, reason: impl Into<String>) -> Error {
        Error::Config(Box::new(ConfigError { field: field.into(), reason: reason.into() }))
    }
}

impl From<PathError> for Error {
    fn from(e: PathError) -> Self {
        Error::Path(Box::new(e))
    }
}

impl From<KeyError> for Error {
    fn from(e: KeyError) -> Self {
        Error::Key(Box::new(e))
    }
}

/// What is wrong in the configuration of the client or of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    pub(crate) field: String,
    pub(crate) reason: String,
}

impl ConfigError {
    /// The field that is wrong, by its name in PHP's arrays: `mchid`, `privateKey`, `certs`, `options.query` …
    pub fn field(&self) -> &str {
        &self.field
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", Shown(&self.field), Shown(&self.reason))
    }
}

impl std::error::Error for ConfigError {}

/// Why a key is refused.
#[derive(Debug, thiserror::Error)]
#[error("{name}: expected {expected}, found {found}")]
#[non_exhaustive]
pub struct KeyError {
    /// Which key: `privateKey`, `certs["PUB_KEY_ID_…"]` …
    pub name: String,
    /// The forms that would have been accepted.
    pub expected: &'static str,
    /// What was found instead; never the key itself.
    pub found: String,
    /// The error underneath: the file that cannot be read, the DER that does not parse.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The exchange broke before a whole answer was there.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}{}{}", Shown(call), Context(request_id.as_deref()), if *maybe_sent { "; the platform may have received the request" } else { "; nothing was sent" })]
pub struct TransportError {
    pub(crate) call: String,
    pub(crate) what: String,
    pub(crate) request_id: Option<String>,
    pub(crate) maybe_sent: bool,
    /// The connection could not be made, or broke; not a slow answer, one too large, or a signer without an answer.
    pub(crate) broken: bool,
    pub(crate) source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl TransportError {
    /// Whether the platform may have received, and carried out, the request.
    ///
    /// `false` means that it certainly has not: no connection was made. After `true`, ask for the order's or
    /// the refund's state, or repeat the call with the same numbers; never with new ones (PROTOCOL, Errors and retry).
    pub fn maybe_sent(&self) -> bool {
        self.maybe_sent
    }
}

/// The platform's own error answer.
///
/// ```
/// # use wechatpay_chain::Error;
/// fn closed(error: &Error) -> bool {
///     matches!(error, Error::Api(e) if e.code == "ORDER_CLOSED")
/// }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct ApiError {
    /// The HTTP status. A redirect (3xx) is an error too: this client follows none.
    pub status: u16,
    /// The platform's code, as `PARAM_ERROR`; empty when the body is not the platform's JSON (a gateway's HTML, say).
    pub code: String,
    /// The platform's text; for any other body, what came instead.
    pub message: String,
    /// The platform's `detail`, or [`Value::Null`].
    pub detail: Value,
    /// The `Request-ID` header.
    pub request_id: Option<String>,
    /// Whether the answer carried a signature, which then held. Without one, a proxy could have made it up.
    pub verified: bool,
    /// What the `Retry-After` header asks for, if it is there in seconds.
    pub retry_after: Option<std::time::Duration>,
    /// The body as received.
    pub body: bytes::Bytes,
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if !self.code.is_empty() {
            write!(f, " {}", Shown(&self.code))?;
        }
        write!(f, ": {}", Shown(&self.message))?;
        write_context(f, self.request_id.as_deref())?;
        if !self.verified {
            f.write_str(" (unsigned)")?;
        }
        Ok(())
    }
}

impl std::error::Error for ApiError {}

/// Without the body, which may be large, and hold what an error should not show.
impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("status", &self.status)
            .field("code", &self.code)
            .field("message", &Shown(&self.message).to_string())
            .field("request_id", &self.request_id)
            .field("verified", &self.verified)
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Foreign text in a message: control characters escaped, so that it cannot pose as another line, and not too long.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 2_000;
        for character in self.0.chars().take(MOST) {
            match character.is_control() {
                true => write!(f, "{}", character.escape_default())?,
                false => fmt::Write::write_char(f, character)?,
            }
        }
        if self.0.chars().nth(MOST).is_some() { f.write_str("…") } else { Ok(()) }
    }
}

/// An answer, or a notification, that is not proved to come from the platform.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}{}", Context(request_id.as_deref()))]
#[non_exhaustive]
pub struct VerifyError {
    /// Which check failed.
    pub reason: VerifyReason,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// The `Request-ID` header.
    pub request_id: Option<String>,
}

/// Which check an answer failed, in the order in which they are made.
///
/// Node's `EV3_RES_*` codes and PHP's constants of the same names are mapped in `docs/porting-from-node.md`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyReason {
    /// One of the four `Wechatpay-*` headers is not there.
    #[error("the answer has no `{header}` header")]
    MissingHeader {
        /// The header that is missing.
        header: &'static str,
    },
    /// One of the four headers came twice, so that two readers could read two things.
    #[error("the answer has more than one `{header}` header")]
    DuplicateHeader {
        /// The header that came twice.
        header: &'static str,
    },
    /// A header's value cannot be read.
    #[error("the answer's `{header}` header is not {expected}")]
    MalformedHeader {
        /// The header.
        header: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A signature probe (`WECHATPAY/SIGNTEST/…`): the platform itself checks whether its signatures are checked.
    /// No attack, and nothing to be trusted either.
    #[error(
        "the answer carries a signature probe of the platform (WECHATPAY/SIGNTEST/), which must not verify"
    )]
    SignatureProbe,
    /// The answer is too old, comes from the future, or one of the two clocks is wrong.
    #[error(
        "the answer's timestamp {timestamp} and the local clock {now} differ by more than 300 s: \
         an old answer sent again, or a wrong local clock"
    )]
    ClockSkew {
        /// The answer's timestamp, Unix seconds.
        timestamp: u64,
        /// The local clock, Unix seconds.
        now: u64,
    },
    /// The platform signed with a key that this client was not given.
    #[error(
        "no platform key has the serial `{serial}`; known: {known}{}{}",
        if refresh.is_some() { "; newer certificates could not be fetched: " } else { "" },
        refresh.as_deref().unwrap_or_default()
    )]
    UnknownSerial {
        /// The answer's `Wechatpay-Serial`.
        serial: String,
        /// The serials that are known.
        known: String,
        /// With automatic certificates, why newer ones could not be had.
        refresh: Option<String>,
    },
    /// The signature does not fit the timestamp, the nonce and the body.
    #[error(
        "the signature does not hold under the platform key `{serial}`: the answer was changed, or forged"
    )]
    BadSignature {
        /// The key that the answer names.
        serial: String,
    },
    /// A file is not the one whose digest was signed.
    #[error("the file's {algorithm} is {actual}, and should be {expected}")]
    BadDigest {
        /// The digest's name.
        algorithm: &'static str,
        /// The digest that was signed, or asked for, hex.
        expected: String,
        /// The digest of what came, hex.
        actual: String,
    },
}

/// A genuine answer that cannot be read as asked.
#[derive(Debug, thiserror::Error)]
#[error("{what}{}", Context(request_id.as_deref()))]
#[non_exhaustive]
pub struct DecodeError {
    /// What was expected and what came.
    pub what: String,
    /// The `Request-ID` header.
    pub request_id: Option<String>,
    /// The parser's error.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

struct Context<'a>(Option<&'a str>);

impl fmt::Display for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_context(f, self.0)
    }
}

fn write_context(f: &mut fmt::Formatter<'_>, request_id: Option<&str>) -> fmt::Result {
    match request_id {
        Some(id) => write!(f, " (Request-ID {})", Shown(id)),
        None => Ok(()),
    }
}

/// What a JSON value is, for messages that must not repeat the value itself.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
