//! `Response`: exists only once verified.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::client::Inner;
use crate::error::{DecodeError, Error};
use crate::request::download::Saved;
use crate::sensitive;

/// A successful answer that is proved to come from the platform (but for the few paths that it does not sign; see
/// `docs/architecture.md`).
pub struct Response {
    inner: Arc<Inner>,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    verified: bool,
    saved: Option<Box<Saved>>,
}

impl Response {
    pub(crate) fn new(
        inner: Arc<Inner>,
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        verified: bool,
    ) -> Response {
        Response { inner, status, headers, body, verified, saved: None }
    }

    pub(crate) fn with_saved(mut self, saved: Saved) -> Response {
        self.saved = Some(Box::new(saved));
        self
    }

    /// Where the body went, when PHP's option `sink` named a file: it is not in [`bytes`](Response::bytes) then.
    ///
    /// ```no_run
    /// # use serde_json::json;
    /// # fn f(wx: &wechatpay_chain::WeChatPay) -> Result<(), wechatpay_chain::Error> {
    /// let response = wx["v3/billdownload/file"].get().options(json!({"sink": "./bill.csv"})).wait()?;
    /// println!("{} bytes", response.saved().map_or(0, |saved| saved.bytes));
    /// # Ok(()) }
    /// ```
    pub fn saved(&self) -> Option<&Saved> {
        self.saved.as_deref()
    }

    /// Whether the answer was signed. `false` only for the few paths (files) that the platform does not sign.
    pub fn verified(&self) -> bool {
        self.verified
    }

    /// The HTTP status: 200, 202, 204 …
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// All headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// One header's value, by its name in any letter case; `None` too for one that is not ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The platform's `Request-ID`, for its support.
    pub fn request_id(&self) -> Option<&str> {
        request_id(&self.headers)
    }

    /// The body, as it was signed.
    pub fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// The body as text.
    ///
    /// # Errors
    /// [`Error::Decode`] when it is not UTF-8.
    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.body).map_err(|e| {
            self.decode_error(format!("a body of {} bytes that is not UTF-8", self.body.len()), e)
        })
    }

    /// The body as a JSON value. An empty one is [`Value::Null`]; one that is not JSON (a bill) is a
    /// [`Value::String`], as with axios.
    pub fn data(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&self.body).into_owned()))
    }

    /// The body as a type of yours.
    ///
    /// ```no_run
    /// # async fn f(wx: &wechatpay_chain::WeChatPay) -> Result<(), Box<dyn std::error::Error>> {
    /// #[derive(serde::Deserialize)]
    /// struct Native {
    ///     code_url: String,
    /// }
    /// let native: Native = wx["v3/pay/transactions/native"].post(serde_json::json!({})).await?.deserialize()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Decode`] says what does not fit, and where.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let body: &[u8] = if self.body.is_empty() { b"null" } else { &self.body };
        serde_json::from_slice(body).map_err(|e| {
            self.decode_error(format!("the body does not fit {}: {e}", std::any::type_name::<T>()), e)
        })
    }

    /// [`data`](Self::data) with its sensitive fields decrypted: the strings that these JSON pointers (RFC 6901, `*`
    /// for every element of an array) lead to. An empty one stays empty, and an empty list (under `*`) or null is
    /// nothing to decrypt.
    ///
    /// ```no_run
    /// # async fn f(wx: &wechatpay_chain::WeChatPay) -> Result<(), wechatpay_chain::Error> {
    /// let complaint = wx["v3/merchant-service/complaints-v2/{id}"].get().var("id", "2002").await?;
    /// println!("{}", complaint.decrypt(&["/payer_phone"])?["payer_phone"]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] for a pointer that leads to nothing or to no string, [`Error::Decrypt`] for a field that does
    /// not open.
    pub fn decrypt(&self, pointers: &[&str]) -> Result<Value, Error> {
        let mut data = self.data();
        sensitive::decrypt_fields(&self.inner, &mut data, pointers)?;
        Ok(data)
    }

    fn decode_error(&self, what: String, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        let request_id = self.request_id().map(str::to_owned);
        Error::Decode(Box::new(DecodeError { what, request_id, source: Some(Box::new(source)) }))
    }
}

pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get("Request-ID")?.to_str().ok()
}

/// Neither headers (a signature is among them) nor body, which may hold personal data.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status())
            .field("request_id", &self.request_id())
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}
