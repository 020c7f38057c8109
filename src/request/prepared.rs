//! `Prepared`: a request as it would be sent.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};

use crate::runtime::{Deadline, Deferred};
use crate::v3::OutgoingRequest;
use crate::v3::merchant::Merchant;
use crate::v3::sign::SigningInput;

/// A request as it would be sent: see [`Request::prepare`](crate::Request::prepare).
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
    merchant: Arc<Merchant>,
    pub(super) request: Box<OutgoingRequest>,
    input: SigningInput,
}

impl Prepared {
    pub(super) fn new(
        merchant: Arc<Merchant>,
        request: Box<OutgoingRequest>,
        input: SigningInput,
    ) -> Prepared {
        Prepared { merchant, request, input }
    }

    /// The HTTP method.
    pub fn method(&self) -> &Method {
        &self.request.method
    }

    /// The URL.
    pub fn url(&self) -> &str {
        self.request.url.as_str()
    }

    /// Path and query exactly as on the wire, including the base URL's path.
    pub fn target(&self) -> &str {
        self.request.target()
    }

    /// The headers, except `Authorization`, `Host` and `Content-Length`.
    pub fn headers(&self) -> &HeaderMap {
        &self.request.headers
    }

    /// The signed bytes of the body. For an upload this is the text of its part `meta` only: the file is read when it is
    /// sent.
    pub fn body(&self) -> &Bytes {
        &self.request.body
    }

    /// The signed timestamp, Unix seconds.
    pub fn timestamp(&self) -> &str {
        &self.input.timestamp
    }

    /// The signed nonce, 32 characters.
    pub fn nonce(&self) -> &str {
        &self.input.nonce
    }

    /// The signed message of five lines ([PROTOCOL, Request](crate::guide::protocol#request)). Bytes of the body that are
    /// not UTF-8 appear as `\u{fffd}`.
    pub fn message(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.input.message)
    }

    /// The value of the `Authorization` header, signed when it is awaited. It is valid for five minutes, and for this
    /// request only. `None` if the URL's host may not receive one.
    ///
    /// # Errors
    /// [`Error::Key`](crate::Error::Key) if the key or the signer cannot sign, [`Error::Transport`](crate::Error::Transport)
    /// if the signer does not sign within the request's timeout.
    pub fn authorization(&self) -> Deferred<Option<HeaderValue>> {
        let (merchant, input) = (Arc::clone(&self.merchant), self.input.clone());
        let (authorize, call) = (self.request.authorize, self.request.call_info());
        Deferred::new(async move {
            if !authorize {
                return Ok(None);
            }
            let signed = merchant.authorize(input, None, &Deadline::after(call.timeout)).await?;
            let late = || call.late(format!("no signature within {:?}", call.timeout), false);
            signed.map(Some).ok_or_else(late)
        })
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("method", &self.request.method)
            .field("template", &self.request.template)
            .field("timestamp", &self.input.timestamp)
            .finish_non_exhaustive()
    }
}
