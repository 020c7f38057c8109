//! `Prepared`: a request as it would be sent.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method};
use url::{Position, Url};

use crate::client::Inner;
use crate::error::Error;
use crate::request::media::Upload;
use crate::runtime::deferred::Deferred;
use crate::v3::platform::PlatformKeys;
use crate::v3::sign::Stamp;
use crate::v3::verify::SERIAL;

/// A request put together, not yet signed. Always in a box: each future on its way would have room for it twice.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) method: Method,
    pub(crate) template: Arc<str>,
    pub(crate) url: Url,
    /// How much of the path is the base URL's.
    pub(crate) prefix: usize,
    pub(crate) headers: HeaderMap,
    /// What is signed. It is what is sent, too, unless there is an upload.
    pub(crate) body: Bytes,
    pub(crate) upload: Option<Upload>,
    /// Whether the host may see a signature.
    pub(crate) authorize: bool,
    pub(crate) timeout: Duration,
    /// How often it may be tried again when the platform asks for that.
    pub(crate) retry: u32,
    /// Whether the answer is a download, for which the whole has no timeout.
    pub(crate) streamed: bool,
    /// The platform keys that the answer is verified with.
    pub(crate) keys: Arc<PlatformKeys>,
}

/// What the platform may answer with (PROTOCOL, Request).
const ACCEPTED: HeaderValue = HeaderValue::from_static(
    "application/json, text/plain, application/x-gzip, application/pdf, image/png, image/*;q=0.5",
);
const AGENT: HeaderValue = HeaderValue::from_static(concat!("wechatpay-chain/", env!("CARGO_PKG_VERSION")));

/// Adds the headers that every request has, where the caller gave no other.
pub(crate) fn add_headers(headers: &mut HeaderMap, platform_serial: Option<&HeaderValue>) {
    headers.reserve(5);
    headers.entry(ACCEPT).or_insert(ACCEPTED);
    headers.entry(USER_AGENT).or_insert(AGENT);
    if let Some(serial) = platform_serial {
        headers.entry(SERIAL).or_insert_with(|| serial.clone());
    }
}

impl Parts {
    /// A GET of the client's own, of a path below the base URL.
    pub(crate) fn get(inner: &Inner, path: &str) -> Result<Box<Parts>, Error> {
        let url = inner.base.join(path).map_err(|e| Error::config("base_uri", e.to_string()))?;
        let keys = inner.platform.keys();
        let mut headers = HeaderMap::new();
        add_headers(&mut headers, keys.requested.as_ref());
        Ok(Box::new(Parts {
            method: Method::GET,
            template: path.into(),
            url,
            prefix: inner.base.path().len(),
            headers,
            body: Bytes::new(),
            upload: None,
            authorize: true,
            timeout: inner.settings.timeout,
            retry: 0,
            streamed: false,
            keys,
        }))
    }

    /// The target that goes on the wire, and into the signed message.
    pub(crate) fn target(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }
}

/// What [`Request::prepare`](crate::Request::prepare) shows: the request as it would be sent.
///
/// ```no_run
/// # use serde_json::json;
/// # fn f(wx: &wechatpay_chain::WeChatPay) -> Result<(), wechatpay_chain::Error> {
/// let prepared = wx["v3/pay/transactions/native"].post(json!({"description": "茶"})).prepare()?;
/// assert_eq!(prepared.target(), "/v3/pay/transactions/native");
/// let message = prepared.message();
/// let lines: Vec<_> = message.split('\n').collect();
/// assert_eq!(lines[..2], ["POST", "/v3/pay/transactions/native"]);
/// assert_eq!(lines[2..], [prepared.timestamp(), prepared.nonce(), r#"{"description":"茶"}"#, ""]);
/// # Ok(()) }
/// ```
pub struct Prepared {
    inner: Arc<Inner>,
    parts: Box<Parts>,
    stamp: Stamp,
}

impl Prepared {
    pub(crate) fn new(inner: Arc<Inner>, parts: Box<Parts>, stamp: Stamp) -> Prepared {
        Prepared { inner, parts, stamp }
    }

    /// The HTTP method.
    pub fn method(&self) -> &Method {
        &self.parts.method
    }

    /// The whole URL.
    pub fn url(&self) -> &str {
        self.parts.url.as_str()
    }

    /// Path and query exactly as on the wire, the base URL's prefix included.
    pub fn target(&self) -> &str {
        self.parts.target()
    }

    /// The headers, all but `Authorization`, `Host` and `Content-Length`.
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The body's bytes. Of an upload, only the text of its `meta` part, which is what is signed: the file stays where
    /// it is until it is sent.
    pub fn body(&self) -> &Bytes {
        &self.parts.body
    }

    /// The timestamp that is signed, Unix seconds.
    pub fn timestamp(&self) -> &str {
        &self.stamp.timestamp
    }

    /// The nonce that is signed, 32 characters.
    pub fn nonce(&self) -> &str {
        &self.stamp.nonce
    }

    /// The five-line message that is signed (PROTOCOL, Request); a body that is not UTF-8 is shown as well as text can.
    pub fn message(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stamp.message)
    }

    /// The `Authorization` header's value, signed when it is awaited: good for five minutes, and for this very
    /// request. `None` when the URL's host may not see one.
    ///
    /// # Errors
    /// [`Error::Key`](crate::Error::Key) when the key or the signer does not sign.
    pub fn authorization(&self) -> Deferred<Option<HeaderValue>> {
        let (inner, stamp, authorize) = (Arc::clone(&self.inner), self.stamp.clone(), self.parts.authorize);
        Deferred::new(async move {
            match authorize {
                true => inner.identity.authorize(&stamp, None).await.map(Some),
                false => Ok(None),
            }
        })
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("method", &self.parts.method)
            .field("template", &self.parts.template)
            .field("timestamp", &self.stamp.timestamp)
            .finish_non_exhaustive()
    }
}
