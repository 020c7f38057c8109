//! A request as the sandbox received it.

use bytes::Bytes;
use http::{HeaderMap, Method, header};

pub(crate) struct IncomingRequest {
    pub(crate) method: Method,
    /// Path and query exactly as on the request line.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl IncomingRequest {
    /// A header that must occur once. `None` if it is missing, repeated or not ASCII text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(first)
    }

    pub(crate) fn media_type(&self) -> String {
        media_type(&self.headers)
    }
}

/// The media type of the body in lower case, without parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    value.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}
