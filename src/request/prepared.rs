//! `Prepared`: a request as it would be sent.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use url::Position;

#[cfg(feature = "v2")]
use super::apiv2::Assembled;
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
pub struct Prepared(Protocol);

/// A request of one of the two protocols.
enum Protocol {
    V3 {
        merchant: Arc<Merchant>,
        request: Box<OutgoingRequest>,
        input: SigningInput,
    },
    #[cfg(feature = "v2")]
    V2(Assembled),
}

/// A field that the requests of both protocols have.
macro_rules! common {
    ($prepared:expr, $field:ident) => {
        match &$prepared.0 {
            Protocol::V3 { request, .. } => &request.$field,
            #[cfg(feature = "v2")]
            Protocol::V2(assembled) => &assembled.request.$field,
        }
    };
}

impl Prepared {
    pub(super) fn new(
        merchant: Arc<Merchant>,
        request: Box<OutgoingRequest>,
        input: SigningInput,
    ) -> Prepared {
        Prepared(Protocol::V3 { merchant, request, input })
    }

    #[cfg(feature = "v2")]
    pub(super) fn of_v2(assembled: Assembled) -> Prepared {
        Prepared(Protocol::V2(assembled))
    }

    /// The HTTP method.
    pub fn method(&self) -> &Method {
        common!(self, method)
    }

    /// The URL.
    pub fn url(&self) -> &str {
        common!(self, url).as_str()
    }

    /// Path and query exactly as on the wire, including the base URL's path.
    pub fn target(&self) -> &str {
        &common!(self, url)[Position::BeforePath..Position::AfterQuery]
    }

    /// The headers, except `Authorization`, `Host` and `Content-Length`.
    pub fn headers(&self) -> &HeaderMap {
        common!(self, headers)
    }

    /// The signed bytes of the body. For an upload this is the text of its part `meta` only: the file is read when it is
    /// sent. In APIv2 it is the XML, with its `sign`.
    pub fn body(&self) -> &Bytes {
        common!(self, body)
    }

    /// The signed timestamp, Unix seconds; empty in APIv2, which has none.
    pub fn timestamp(&self) -> &str {
        match &self.0 {
            Protocol::V3 { input, .. } => &input.timestamp,
            #[cfg(feature = "v2")]
            Protocol::V2(_) => "",
        }
    }

    /// The signed nonce, 32 characters; in APIv2 the `nonce_str`, empty if there is none.
    pub fn nonce(&self) -> &str {
        match &self.0 {
            Protocol::V3 { input, .. } => &input.nonce,
            #[cfg(feature = "v2")]
            Protocol::V2(assembled) => &assembled.nonce,
        }
    }

    /// The signed message of five lines ([PROTOCOL, Request](crate::guide::protocol#request)). Bytes of the body that are
    /// not UTF-8 appear as `\u{fffd}`. In APIv2 it is the sorted fields, `a=1&b=2`, to which the key is appended as `&key=…`;
    /// empty for a body that is sent as it is.
    pub fn message(&self) -> Cow<'_, str> {
        match &self.0 {
            Protocol::V3 { input, .. } => String::from_utf8_lossy(&input.message),
            #[cfg(feature = "v2")]
            Protocol::V2(assembled) => Cow::Borrowed(&assembled.message),
        }
    }

    /// The request, if it is one of APIv3.
    #[cfg(feature = "catalogue")]
    pub(super) fn v3(&self) -> Option<&OutgoingRequest> {
        match &self.0 {
            Protocol::V3 { request, .. } => Some(request),
            #[cfg(feature = "v2")]
            Protocol::V2(_) => None,
        }
    }

    /// The value of the `Authorization` header, signed when it is awaited. It is valid for five minutes, and for this
    /// request only. `None` if the URL's host may not receive one, and for APIv2, whose signature is in the XML.
    ///
    /// # Errors
    /// [`Error::Key`](crate::Error::Key) if the key or the signer cannot sign, [`Error::Transport`](crate::Error::Transport)
    /// if the signer does not sign within the request's timeout.
    pub fn authorization(&self) -> Deferred<Option<HeaderValue>> {
        let signing = match &self.0 {
            Protocol::V3 { merchant, request, input } if request.authorize => {
                Some((Arc::clone(merchant), input.clone(), request.call_info()))
            }
            _ => None,
        };
        Deferred::new(async move {
            let Some((merchant, input, call)) = signing else { return Ok(None) };
            let signed = merchant.authorize(input, None, &Deadline::after(call.timeout)).await?;
            let late = || call.late(format!("no signature within {:?}", call.timeout), false);
            signed.map(Some).ok_or_else(late)
        })
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("method", self.method())
            .field("template", common!(self, template))
            .field("timestamp", &self.timestamp())
            .finish_non_exhaustive()
    }
}
