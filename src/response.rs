//! `Response`: exists only once it is verified.

use std::fmt;
use std::path::PathBuf;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{DecodeError, Error, json_reason};
use crate::sensitive;
use crate::signer::MerchantKey;

/// A successful response, verified as the platform's. Only the few paths that the platform does not sign are
/// exempt: see [PROTOCOL, Response](crate::guide::protocol#response).
pub struct Response {
    /// Decrypts the sensitive fields.
    merchant_key: MerchantKey,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    verified: bool,
    saved: Option<Box<Saved>>,
}

impl Response {
    pub(crate) fn new(
        merchant_key: MerchantKey,
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        verified: bool,
    ) -> Response {
        Response { merchant_key, status, headers, body, verified, saved: None }
    }

    pub(crate) fn with_saved(mut self, saved: Saved) -> Response {
        self.saved = Some(Box::new(saved));
        self
    }

    /// The file that PHP's option `sink` named. The body is in it, and not in [`bytes`](Response::bytes).
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

    /// Whether the response was signed. `false` only for the few paths (files) that the platform does not sign.
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

    /// A header's value, by its name in any letter case; `None` if it is missing or not ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The `Request-ID` header: quote it to WeChat Pay's support.
    pub fn request_id(&self) -> Option<&str> {
        request_id(&self.headers)
    }

    /// The body, exactly as signed.
    pub fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// The body as text.
    ///
    /// # Errors
    /// [`Error::Decode`] if it is not UTF-8.
    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.body).map_err(|e| {
            self.decode_error(format!("a body of {} bytes that is not UTF-8", self.body.len()), e)
        })
    }

    /// The body as a JSON value. An empty body is [`Value::Null`]; one that is not JSON (a bill) is a
    /// [`Value::String`], as in axios.
    pub fn data(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&self.body).into_owned()))
    }

    /// The body as a type of your own.
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
    /// [`Error::Decode`] names the field that does not fit, and its position.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let body: &[u8] = if self.body.is_empty() { b"null" } else { &self.body };
        serde_json::from_slice(body).map_err(|e| {
            let type_name = std::any::type_name::<T>();
            self.decode_error(format!("the body does not match {type_name}: {}", json_reason(&e)), e)
        })
    }

    /// [`data`](Self::data) with its sensitive fields decrypted: the strings at these JSON pointers (RFC 6901, `*` for
    /// every element of an array). An empty string stays empty; null and an empty list (at `*`) are skipped.
    ///
    /// ```no_run
    /// # async fn f(wx: &wechatpay_chain::WeChatPay) -> Result<(), wechatpay_chain::Error> {
    /// let complaint = wx["v3/merchant-service/complaints-v2/{id}"].get().var("id", "2002").await?;
    /// println!("{}", complaint.decrypt(&["/payer_phone"])?["payer_phone"]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] for a pointer that matches nothing, or not a string; [`Error::Decrypt`] for a field that cannot
    /// be decrypted; [`Error::Key`] if the private key is in a [`Signer`](crate::signer::Signer).
    pub fn decrypt(&self, pointers: &[&str]) -> Result<Value, Error> {
        let mut data = self.data();
        sensitive::decrypt_fields(&self.merchant_key, &mut data, pointers)?;
        Ok(data)
    }

    fn decode_error(&self, what: String, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        let request_id = self.request_id().map(str::to_owned);
        Error::Decode(Box::new(DecodeError { what, request_id, source: Some(Box::new(source)) }))
    }
}

/// A file that is downloaded, complete and checked.
#[derive(Clone)]
#[non_exhaustive]
pub struct Saved {
    /// The file's path; `None` for a writer.
    pub path: Option<PathBuf>,
    /// The number of bytes written: the decompressed ones, for a bill with `gzip`.
    pub bytes: u64,
    /// The SHA-1 of the written bytes, lower-case hex.
    pub sha1: String,
    /// Whether the content is the platform's: verified by a signature, or by a digest from a signed response.
    pub verified: bool,
    /// The HTTP status.
    pub status: u16,
    /// The response's headers.
    pub headers: HeaderMap,
}

/// Leaves out the headers: a signature is among them.
impl fmt::Debug for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saved")
            .field("path", &self.path)
            .field("bytes", &self.bytes)
            .field("sha1", &self.sha1)
            .field("verified", &self.verified)
            .field("status", &self.status)
            .field("request_id", &request_id(&self.headers))
            .finish_non_exhaustive()
    }
}

impl Saved {
    /// The response that PHP's `sink` leaves: everything but the body.
    pub(crate) fn into_response(mut self, merchant_key: MerchantKey) -> Response {
        let headers = std::mem::take(&mut self.headers);
        let status = StatusCode::from_u16(self.status).unwrap_or_default();
        Response::new(merchant_key, status, headers, Bytes::new(), self.verified).with_saved(self)
    }
}

/// The platform's id of a request, from its response.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get("Request-ID")?.to_str().ok()
}

/// Leaves out the headers, which contain a signature, and the body, which may hold personal data.
impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status())
            .field("request_id", &self.request_id())
            .field("body_length", &self.body.len())
            .finish_non_exhaustive()
    }
}
