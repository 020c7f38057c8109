//! The platform's error responses.

use std::fmt;

use serde_json::Value;

use super::{RequestId, Sanitized};

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
    /// With the feature `catalogue`: documented operations that an undocumented path may mean, such as
    /// ``POST `v3/refund/domestic/refunds` ``.
    pub did_you_mean: Vec<String>,
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
        write!(f, "{}", RequestId(self.request_id.as_deref()))?;
        if !self.verified {
            f.write_str(" (unsigned)")?;
        }
        if !self.did_you_mean.is_empty() {
            write!(f, "; no document has this path: did you mean {}?", self.did_you_mean.join(", or "))?;
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
