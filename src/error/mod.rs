//! Every way a call can fail, grouped by what the caller does next.

use std::fmt;

use serde_json::Value;

mod field_names;
mod path;

pub(crate) use field_names::FieldNames;
pub use path::PathError;

/// What went wrong, grouped by what the caller does next.
///
/// | variant | what to do |
/// |---|---|
/// | [`Config`](Error::Config) | fix the setting or the option that the message names |
/// | [`Path`](Error::Path) | fix the path, or a value in it |
/// | [`Key`](Error::Key) | fix the key that the message names |
/// | [`Transport`](Error::Transport) | try again; when money moves, check [`TransportError::maybe_sent`] first |
/// | [`Api`](Error::Api) | the platform refused the call: see [`ApiError::code`] |
/// | [`Verify`](Error::Verify) | the response could not be authenticated: do not trust any of it |
/// | [`Decrypt`](Error::Decrypt) | a ciphertext cannot be decrypted with the configured key |
/// | [`Decode`](Error::Decode) | the response is genuine, but does not have the expected shape |
///
/// An `Error` is at most 32 bytes in size. Its text never contains a key, a secret or a signature.
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
    /// A setting of the client or of one request is wrong. Nothing was sent.
    #[error(transparent)]
    Config(Box<ConfigError>),
    /// The path, or a value in it, cannot be sent as it stands. Nothing was sent.
    #[error(transparent)]
    Path(Box<PathError>),
    /// A key cannot be loaded, or cannot do the operation. Nothing was sent.
    #[error(transparent)]
    Key(Box<KeyError>),
    /// The exchange failed: no connection, a timeout, an incomplete response.
    #[error(transparent)]
    Transport(Box<TransportError>),
    /// The platform returned an error.
    #[error(transparent)]
    Api(Box<ApiError>),
    /// The response could not be authenticated as the platform's.
    #[error(transparent)]
    Verify(Box<VerifyError>),
    /// A ciphertext cannot be decrypted.
    #[error("{0}")]
    Decrypt(Box<str>),
    /// A genuine response does not have the expected shape.
    #[error(transparent)]
    Decode(Box<DecodeError>),
}

impl Error {
    /// The `Request-ID` of the response that caused this error: quote it to WeChat Pay's support.
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

    /// The HTTP status of the response that caused this error.
    pub fn status(&self) -> Option<u16> {
        match self {
            Error::Api(e) => Some(e.status),
            Error::Verify(e) => e.status,
            _ => None,
        }
    }

    /// The platform's error code, such as `PARAM_ERROR`; `None` for an error that is not the platform's own.
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

/// A wrong setting of the client or of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    pub(crate) field: String,
    pub(crate) reason: String,
}

impl ConfigError {
    /// The wrong field, as the caller wrote it: the setter's name for the builder (`private_key`), PHP's key for
    /// [`WeChatPay::factory`](crate::WeChatPay::factory) (`privateKey`), the variable for
    /// [`WeChatPay::from_env`](crate::WeChatPay::from_env) (`WECHATPAY_PRIVATE_KEY`); `options.query` for an option.
    pub fn field(&self) -> &str {
        &self.field
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", Sanitized(&self.field), Sanitized(&self.reason))
    }
}

impl std::error::Error for ConfigError {}

/// A key that cannot be loaded or used.
#[derive(Debug, thiserror::Error)]
#[error("{name}: expected {expected}, found {found}")]
#[non_exhaustive]
pub struct KeyError {
    /// The key, named like a [`ConfigError::field`]: `private_key`, `platform_key["PUB_KEY_ID_…"]` …
    pub name: String,
    /// The accepted forms.
    pub expected: &'static str,
    /// The form that was found; never the key itself.
    pub found: String,
    /// The cause: an unreadable file, a DER error.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The exchange failed before the whole response had arrived.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}{}{}", Sanitized(call), Context(request_id.as_deref()), if *maybe_sent { "; the platform may have received the request" } else { "; nothing was sent" })]
pub struct TransportError {
    pub(crate) call: String,
    pub(crate) what: String,
    pub(crate) request_id: Option<String>,
    pub(crate) maybe_sent: bool,
    /// The connection could not be made, or broke. `false` for a slow or oversized response, and for a signer's failure.
    pub(crate) broken: bool,
    pub(crate) source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl TransportError {
    /// Whether the platform may have received the request and carried it out.
    ///
    /// `false`: it has not; no connection was made. `true`: query the order or the refund, or repeat the call with the
    /// same numbers, never with new ones ([PROTOCOL, Errors and retry](crate::guide::protocol#errors-and-retry)).
    pub fn maybe_sent(&self) -> bool {
        self.maybe_sent
    }
}

/// An error response of the platform.
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
    /// The HTTP status. A redirect (3xx) is an error too: redirects are never followed.
    pub status: u16,
    /// The platform's error code, such as `PARAM_ERROR`; empty when the body is not the platform's JSON (a gateway's
    /// HTML, for example).
    pub code: String,
    /// The platform's message; for any other body, a description of it.
    pub message: String,
    /// The platform's `detail`, or [`Value::Null`].
    pub detail: Value,
    /// The `Request-ID` header.
    pub request_id: Option<String>,
    /// Whether the response carried a signature, which was then verified. Any proxy can make up an unsigned one.
    pub verified: bool,
    /// The `Retry-After` header, if it is a number of seconds.
    pub retry_after: Option<std::time::Duration>,
    /// The body as received.
    pub body: bytes::Bytes,
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if !self.code.is_empty() {
            write!(f, " {}", Sanitized(&self.code))?;
        }
        write!(f, ": {}", Sanitized(&self.message))?;
        write_context(f, self.request_id.as_deref())?;
        if !self.verified {
            f.write_str(" (unsigned)")?;
        }
        Ok(())
    }
}

impl std::error::Error for ApiError {}

/// Leaves out the body, which may be large and may hold personal data.
impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("status", &self.status)
            .field("code", &self.code)
            .field("message", &Sanitized(&self.message).to_string())
            .field("request_id", &self.request_id)
            .field("verified", &self.verified)
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Foreign text in a message: control characters escaped, so that it cannot pose as another line, and not too long.
pub(crate) struct Sanitized<'a>(pub(crate) &'a str);

impl fmt::Display for Sanitized<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX_CHARS: usize = 2_000;
        for character in self.0.chars().take(MAX_CHARS) {
            match character.is_control() {
                true => write!(f, "{}", character.escape_default())?,
                false => fmt::Write::write_char(f, character)?,
            }
        }
        if self.0.chars().nth(MAX_CHARS).is_some() { f.write_str("…") } else { Ok(()) }
    }
}

/// A response or a notification that could not be authenticated as the platform's.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}{}", Context(request_id.as_deref()))]
#[non_exhaustive]
pub struct VerifyError {
    /// The check that failed.
    pub reason: VerifyReason,
    /// The HTTP status of the response; `None` for a notification.
    pub status: Option<u16>,
    /// The `Request-ID` header.
    pub request_id: Option<String>,
}

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
        "no platform key has the serial `{serial}`; known: {known}{}{}",
        if refresh.is_some() { "; newer certificates could not be fetched: " } else { "" },
        refresh.as_deref().unwrap_or_default()
    )]
    UnknownSerial {
        /// The response's `Wechatpay-Serial`.
        serial: String,
        /// The known serials.
        known: String,
        /// With automatic certificates: why newer ones could not be fetched.
        refresh: Option<String>,
    },
    /// The signature does not match the timestamp, the nonce and the body.
    #[error(
        "the signature does not match under the platform key `{serial}`: the response was changed or forged"
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

/// A genuine response that does not have the expected shape.
#[derive(Debug, thiserror::Error)]
#[error("{what}{}", Context(request_id.as_deref()))]
#[non_exhaustive]
pub struct DecodeError {
    /// The expected and the received shape.
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
        Some(id) => write!(f, " (Request-ID {})", Sanitized(id)),
        None => Ok(()),
    }
}

/// The type of a JSON value, for messages that must not repeat the value itself.
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
