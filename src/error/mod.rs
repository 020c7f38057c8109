//! Every way a call can fail, grouped by what the caller does next.

use std::fmt;

use serde_json::Value;

mod api;
mod config;
mod field_names;
mod file;
mod json;
mod json_source;
mod key_text;
#[cfg(test)]
mod key_text_tests;
mod not_ready;
mod path;
mod platform_keys;
mod request_id;
mod sanitized;
mod template;
mod transport;
mod verify;

pub use api::ApiError;
pub use config::{ConfigError, KeyError};
pub(crate) use field_names::FieldNames;
pub use file::{FileError, ResponseTooLargeError};
pub(crate) use json::json_reason;
pub(crate) use json_source::json_source;
pub(crate) use key_text::{key_ranges, may_be_key};
pub use not_ready::NotReadyError;
pub use path::PathError;
pub use platform_keys::PlatformKeysError;
pub(crate) use request_id::RequestId;
pub(crate) use sanitized::{Excerpt, Message, Sanitized};
pub(crate) use template::shown_template;
pub use transport::TransportError;
pub(crate) use verify::SignedBy;
pub use verify::{VerifyError, VerifyReason, VerifySubject};

/// What went wrong, grouped by what the caller does next.
///
/// | variant | what to do |
/// |---|---|
/// | [`Config`](Error::Config) | fix the setting or the option that the message names |
/// | [`Path`](Error::Path) | fix the path, or a value in it |
/// | [`Key`](Error::Key) | fix the key that the message names; [`KeyError::is_signer`]: see your signer's error |
/// | [`PlatformKeys`](Error::PlatformKeys) | fix the setting if [`PlatformKeysError::is_permanent`]; else try again later |
/// | [`Transport`](Error::Transport) | try again; when money moves, check [`TransportError::maybe_sent`] first |
/// | [`Api`](Error::Api) | the platform refused the call: see [`ApiError::code`] |
/// | [`Verify`](Error::Verify) | the response could not be authenticated: do not trust any of it |
/// | [`Decrypt`](Error::Decrypt) | a ciphertext cannot be decrypted with the configured key |
/// | [`Decode`](Error::Decode) | the response is genuine, but does not have the expected shape |
/// | [`NotReady`](Error::NotReady) | ask again later: the platform is still making the file |
/// | [`File`](Error::File) | make the file readable or writable, or free the disk |
/// | [`ResponseTooLarge`](Error::ResponseTooLarge) | raise the limit, or use a download |
///
/// [Reliability, After an error](crate::guide::reliability#after-an-error) says for each of them whether to repeat the call
/// never, later, or only after a query.
///
/// An `Error` is at most 32 bytes in size. Its text never contains a key, a secret or a signature.
///
/// ```
/// use wechatpay_chain::{Error, WeChatPay};
/// let refused = WeChatPay::builder().build().unwrap_err();
/// assert!(matches!(refused, Error::Config(_)));
/// assert_eq!(refused.to_string(), "`mchid` is missing: the merchant number is required");
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting of the client or of one request is wrong. Nothing was sent.
    #[error(transparent)]
    Config(Box<ConfigError>),
    /// The path, or a value in it, cannot be sent as it stands. Nothing was sent.
    #[error(transparent)]
    Path(Box<PathError>),
    /// A key cannot be loaded or cannot do the operation, or a [`Signer`](crate::Signer) failed. Nothing was sent.
    #[error(transparent)]
    Key(Box<KeyError>),
    /// The platform's certificates could not be had. Nothing was sent.
    #[error(transparent)]
    PlatformKeys(Box<PlatformKeysError>),
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
    #[error("{}", Message(.0))]
    Decrypt(Box<str>),
    /// A genuine response does not have the expected shape.
    #[error(transparent)]
    Decode(Box<DecodeError>),
    /// The platform is still making the file that was asked for: ask again later.
    #[error(transparent)]
    NotReady(Box<NotReadyError>),
    /// A file of the caller's cannot be read or written.
    #[error(transparent)]
    File(Box<FileError>),
    /// The response is larger than the configured limit.
    #[error(transparent)]
    ResponseTooLarge(Box<ResponseTooLargeError>),
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
            Error::NotReady(e) => e.request_id.as_deref(),
            Error::Transport(e) => e.request_id.as_deref(),
            Error::ResponseTooLarge(e) => e.request_id.as_deref(),
            _ => None,
        }
    }

    /// The HTTP status of the response that caused this error.
    pub fn status(&self) -> Option<u16> {
        match self {
            Error::Api(e) => Some(e.status),
            Error::Verify(e) => e.status,
            Error::ResponseTooLarge(e) => Some(e.status),
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

    /// Whether the platform may have received the request, whatever it did with it.
    pub(crate) fn may_have_been_sent(&self) -> bool {
        match self {
            Error::Config(_) | Error::Path(_) | Error::Key(_) | Error::PlatformKeys(_) => false,
            Error::Transport(e) => e.maybe_sent,
            Error::File(e) => e.maybe_sent,
            Error::Api(_) | Error::Verify(_) | Error::Decrypt(_) | Error::Decode(_) => true,
            Error::NotReady(_) | Error::ResponseTooLarge(_) => true,
        }
    }

    pub(crate) fn config(field: impl Into<String>, reason: impl Into<String>) -> Error {
        Error::Config(Box::new(ConfigError {
            field: config::without_key(field.into()),
            reason: reason.into(),
            advice: None,
        }))
    }

    /// [`config`](Error::config) with a fix: see [`advise`](Error::advise).
    pub(crate) fn config_with(
        field: impl Into<String>,
        reason: impl Into<String>,
        advice: &'static str,
    ) -> Error {
        Error::config(field, reason).advise(advice)
    }

    /// A wrong setting with a fix. Names of settings in it stand in backticks, so that [`FieldNames`] finds them.
    pub(crate) fn advise(mut self, advice: &'static str) -> Error {
        if let Error::Config(e) = &mut self {
            e.advice = Some(advice.into());
        }
        self
    }
}

/// As derived, but for the text of [`Error::Decrypt`], which may quote a caller's.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, error): (_, &dyn fmt::Debug) = match self {
            Error::Config(e) => ("Config", e),
            Error::Path(e) => ("Path", e),
            Error::Key(e) => ("Key", e),
            Error::PlatformKeys(e) => ("PlatformKeys", e),
            Error::Transport(e) => ("Transport", e),
            Error::Api(e) => ("Api", e),
            Error::Verify(e) => ("Verify", e),
            Error::Decrypt(text) => ("Decrypt", &Message(text)),
            Error::Decode(e) => ("Decode", e),
            Error::NotReady(e) => ("NotReady", e),
            Error::File(e) => ("File", e),
            Error::ResponseTooLarge(e) => ("ResponseTooLarge", e),
        };
        f.debug_tuple(name).field(error).finish()
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

/// A genuine response that does not have the expected shape.
#[derive(thiserror::Error)]
#[error("{}{}", Message(what), RequestId(request_id.as_deref()))]
#[non_exhaustive]
pub struct DecodeError {
    /// The expected and the received shape.
    pub what: String,
    /// The `Request-ID` header.
    pub request_id: Option<String>,
    /// The parser's error, without the text that it read.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
    pub(crate) headers: Option<Box<http::HeaderMap>>,
}

impl DecodeError {
    /// The headers of the response, if it is the one that names the file of a `Bill`: they say where it
    /// comes from, such as from a sandbox that does not model the path.
    pub fn headers(&self) -> Option<&http::HeaderMap> {
        self.headers.as_deref()
    }
}

impl fmt::Debug for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodeError")
            .field("what", &Message(&self.what))
            .field("request_id", &self.request_id)
            .field("source", &Cause(self.source.as_deref()))
            .finish_non_exhaustive()
    }
}

/// The cause of an error in a `Debug`: another crate's text, guarded like ours.
struct Cause<'a>(Option<&'a (dyn std::error::Error + Send + Sync)>);

impl fmt::Debug for Cause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(cause) => write!(f, "Some({})", Message(&format!("{cause:?}"))),
            None => f.write_str("None"),
        }
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
