use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde_json::Value;

/// A scripted answer: see [`Sandbox::on_with`](super::Sandbox::on_with).
///
/// A name, value or status that HTTP cannot carry is kept, and comes out as an error there.
#[derive(Clone)]
#[must_use = "an answer does nothing until `on_with`"]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
    signed: bool,
}

/// An answer that is known to fit into HTTP.
#[derive(Clone)]
pub(super) struct Ready {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) signed: bool,
}

impl Answer {
    /// An empty, signed answer with this status, 200 to 599.
    pub fn new(status: u16) -> Answer {
        Answer { status, headers: Vec::new(), body: Bytes::new(), signed: true }
    }

    /// Adds a header. One of the sandbox's own (`Wechatpay-…`, `Request-ID`, `Date`) is replaced by it, after
    /// signing.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # use serde_json::json;
    /// # use wechatpay_chain::{Error, sandbox::Answer};
    /// let busy = Answer::new(429).json(json!({"code": "FREQUENCY_LIMITED", "message": "later"}));
    /// sandbox.on_with("GET", "v3/busy", busy.header("Retry-After", "7"))?;
    /// let Err(Error::Api(error)) = wx["v3/busy"].get_sync() else { panic!() };
    /// assert_eq!(error.retry_after, Some(std::time::Duration::from_secs(7)));
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Answer {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body and its `Content-Type`.
    pub fn body(mut self, content_type: impl Into<String>, bytes: impl Into<Bytes>) -> Answer {
        self.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
        self.body = bytes.into();
        self.header("Content-Type", content_type)
    }

    /// Sets a JSON body; `Null` is an empty one.
    pub fn json(self, value: Value) -> Answer {
        if value.is_null() {
            return Answer { body: Bytes::new(), ..self };
        }
        self.body("application/json; charset=utf-8", value.to_string())
    }

    /// Leaves the four signature headers out.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # use serde_json::json;
    /// # use wechatpay_chain::{Error, sandbox::Answer};
    /// sandbox.on_with("GET", "v3/forged", Answer::new(200).json(json!({"trade_state": "SUCCESS"})).unsigned())?;
    /// assert!(matches!(wx["v3/forged"].get_sync(), Err(Error::Verify(_))));
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn unsigned(mut self) -> Answer {
        self.signed = false;
        self
    }

    pub(super) fn ready(&self) -> Result<Ready, String> {
        let status = StatusCode::from_u16(self.status)
            .ok()
            .filter(|status| (200..600).contains(&status.as_u16()))
            .ok_or_else(|| format!("expected a status from 200 to 599, found {}", self.status))?;
        if matches!(self.status, 204 | 205 | 304) && !self.body.is_empty() {
            return Err(format!("an answer with status {} has no body", self.status));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let key = HeaderName::try_from(name).map_err(|_| format!("{name:?} is no header name"))?;
            // They say where the body ends, and only the server knows how it sends it.
            if matches!(key.as_str(), "content-length" | "transfer-encoding" | "connection") {
                return Err(format!("the header `{name}` is the server's own"));
            }
            let value =
                HeaderValue::try_from(value).map_err(|_| format!("header `{name}` cannot hold {value:?}"))?;
            headers.append(key, value);
        }
        Ok(Ready { status, headers, body: self.body.clone(), signed: self.signed })
    }
}

impl Ready {
    /// What a gateway in front of the platform says.
    pub(super) fn bad_gateway() -> Ready {
        let page = "<html><head><title>502 Bad Gateway</title></head>\
                    <body><center><h1>502 Bad Gateway</h1></center></body></html>\r\n";
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        Ready {
            status: StatusCode::BAD_GATEWAY,
            headers,
            body: Bytes::from_static(page.as_bytes()),
            signed: false,
        }
    }

    /// For what cannot happen; but if it does, the client hears of it and the server goes on.
    pub(super) fn broken() -> Ready {
        Ready {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            headers: HeaderMap::new(),
            body: Bytes::from_static(br#"{"code":"SYSTEM_ERROR","message":"the sandbox failed"}"#),
            signed: false,
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("signed", &self.signed)
            .finish()
    }
}
