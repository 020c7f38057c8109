//! Responses before they are signed: [`SandboxResponse`], which a caller composes, and [`ReadyResponse`], which HTTP can carry.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde_json::Value;

/// A scripted response: see [`Sandbox::on_with`](crate::sandbox::Sandbox::on_with).
///
/// The setters never fail. A name, value or status that HTTP cannot carry is an error of `on_with`.
#[derive(Clone)]
#[must_use = "a scripted response does nothing until `on_with`"]
pub struct SandboxResponse {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
    signed: bool,
}

/// A response that HTTP can carry.
#[derive(Clone)]
pub(crate) struct ReadyResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) signed: bool,
}

impl SandboxResponse {
    /// An empty, signed response with this status, 200 to 599.
    pub fn new(status: u16) -> SandboxResponse {
        SandboxResponse { status, headers: Vec::new(), body: Bytes::new(), signed: true }
    }

    /// Adds a header. It replaces a header of the sandbox with the same name (`Wechatpay-…`, `Request-ID`, `Date`)
    /// after signing.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # use serde_json::json;
    /// # use wechatpay_chain::{Error, sandbox::SandboxResponse};
    /// let busy = SandboxResponse::new(429).json(json!({"code": "FREQUENCY_LIMITED", "message": "later"}));
    /// sandbox.on_with("GET", "v3/busy", busy.header("Retry-After", "7"))?;
    /// let Err(Error::Api(error)) = wx["v3/busy"].get_sync() else { panic!() };
    /// assert_eq!(error.retry_after, Some(std::time::Duration::from_secs(7)));
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> SandboxResponse {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body and its `Content-Type`.
    pub fn body(mut self, content_type: impl Into<String>, bytes: impl Into<Bytes>) -> SandboxResponse {
        self.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
        self.body = bytes.into();
        self.header("Content-Type", content_type)
    }

    /// Sets a JSON body. `Null` gives an empty body.
    pub fn json(self, value: Value) -> SandboxResponse {
        if value.is_null() {
            return SandboxResponse { body: Bytes::new(), ..self };
        }
        self.body("application/json; charset=utf-8", value.to_string())
    }

    /// Omits the four signature headers.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # use serde_json::json;
    /// # use wechatpay_chain::{Error, sandbox::SandboxResponse};
    /// sandbox.on_with("GET", "v3/forged", SandboxResponse::new(200).json(json!({"trade_state": "SUCCESS"})).unsigned())?;
    /// assert!(matches!(wx["v3/forged"].get_sync(), Err(Error::Verify(_))));
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn unsigned(mut self) -> SandboxResponse {
        self.signed = false;
        self
    }

    pub(crate) fn build(&self) -> Result<ReadyResponse, String> {
        let status = StatusCode::from_u16(self.status)
            .ok()
            .filter(|status| (200..600).contains(&status.as_u16()))
            .ok_or_else(|| format!("expected a status from 200 to 599, found {}", self.status))?;
        if matches!(self.status, 204 | 205 | 304) && !self.body.is_empty() {
            return Err(format!("a response with status {} has no body", self.status));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let key = HeaderName::try_from(name).map_err(|_| format!("{name:?} is not a header name"))?;
            // The server frames the body and sets these itself.
            if matches!(key.as_str(), "content-length" | "transfer-encoding" | "connection") {
                return Err(format!("the header `{name}` is set by the server"));
            }
            let value =
                HeaderValue::try_from(value).map_err(|_| format!("header `{name}` cannot hold {value:?}"))?;
            headers.try_append(key, value).map_err(|_| "too many headers".to_owned())?;
        }
        Ok(ReadyResponse { status, headers, body: self.body.clone(), signed: self.signed })
    }
}

impl ReadyResponse {
    /// The page of a gateway in front of the platform.
    pub(crate) fn bad_gateway() -> ReadyResponse {
        let page = "<html><head><title>502 Bad Gateway</title></head>\
                    <body><center><h1>502 Bad Gateway</h1></center></body></html>\r\n";
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        ReadyResponse {
            status: StatusCode::BAD_GATEWAY,
            headers,
            body: Bytes::from_static(page.as_bytes()),
            signed: false,
        }
    }

    /// For an internal failure: the client gets a 500, and the server goes on.
    pub(crate) fn internal_error() -> ReadyResponse {
        ReadyResponse {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            headers: HeaderMap::new(),
            body: Bytes::from_static(br#"{"code":"SYSTEM_ERROR","message":"the sandbox failed"}"#),
            signed: false,
        }
    }
}

impl fmt::Debug for SandboxResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxResponse")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("signed", &self.signed)
            .finish()
    }
}
