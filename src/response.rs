//! `Response`: exists only once it is verified.

use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{DecodeError, Error, Excerpt, json_reason, json_source, kind_of};
use crate::json;
use crate::sensitive::{self, Padding};
use crate::signer::MerchantKey;

/// The header of an overseas statement, which is a file.
const STATEMENT: &str = "Wechatpay-Statement-Sha1";

/// The longest body, in bytes, that is parsed for [`Response::data`] when it is checked. A longer one is only checked:
/// its values take many times its memory, and a caller may want none of them.
const PARSED_AT_ONCE: usize = 64 * 1024;

/// A successful response, verified as the platform's. Only the few paths that the platform does not sign are
/// exempt: see [PROTOCOL, Response](crate::guide::protocol#response).
pub struct Response {
    /// Decrypts the sensitive fields.
    merchant_key: MerchantKey,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    verified: bool,
    /// The body as JSON, once it was asked for. Boxed: a response moves through several futures.
    data: OnceLock<Box<Value>>,
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
        Response { merchant_key, status, headers, body, verified, data: OnceLock::new(), saved: None }
    }

    /// Refuses a body that says it is JSON and is not: a field of it would silently be null.
    pub(crate) fn checked(self) -> Result<Response, Error> {
        // A file is what it is, whatever its header says: those that are not signed, and overseas statements.
        if self.body.is_empty() || !self.verified || !self.says_json() || self.headers.contains_key(STATEMENT)
        {
            return Ok(self);
        }
        let checked = match self.body.len() {
            ..=PARSED_AT_ONCE => json::from_slice(&self.body).map(|data| {
                self.data.get_or_init(|| Box::new(data));
            }),
            _ => json::check(&self.body),
        };
        match checked {
            Ok(()) => Ok(self),
            Err(e) => {
                let what = format!(
                    "{}: the response is genuine, but its body of {} bytes is not the JSON that its \
                     `Content-Type` promises: {}",
                    self.status.as_u16(),
                    self.body.len(),
                    json_reason(&e)
                );
                Err(self.decode_error(what, Some(json_source(&e))))
            }
        }
    }

    /// `application/json`, `text/json`, `application/problem+json` …
    fn says_json(&self) -> bool {
        self.headers.get_all(CONTENT_TYPE).iter().any(|value| {
            let kind = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
            let kind = kind.trim_ascii();
            [&b"/json"[..], b"+json"].iter().any(|end| {
                kind.len() >= end.len() && kind[kind.len() - end.len()..].eq_ignore_ascii_case(end)
            })
        })
    }

    /// With what the body says, for a body that is not JSON.
    #[cfg(feature = "v2")]
    pub(crate) fn with_data(self, data: Value) -> Response {
        self.data.get_or_init(|| Box::new(data));
        self
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
            let what = format!("a body of {} bytes that is not UTF-8", self.body.len());
            self.decode_error(what, Some(Box::new(e)))
        })
    }

    /// The body as a JSON value, parsed at the first use.
    ///
    /// - An empty body is [`Value::Null`].
    /// - A body that is not JSON (a bill) is a [`Value::String`], as in axios. A signed response whose `Content-Type`
    ///   says JSON is never such a text: if it is not JSON, the call is an [`Error::Decode`].
    /// - Half of a character (`"\ud83d"`, half an emoji) is U+FFFD; the rest stays as it was sent.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # use serde_json::json;
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// let response = wx["v3/security/echo"].post_sync(json!({"echo_message": "你好"}))?;
    /// let text = response.data()["echo_message"].as_str().unwrap_or_default();
    /// assert_eq!(text, "你好");
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn data(&self) -> &Value {
        self.data.get_or_init(|| Box::new(self.parsed()))
    }

    /// [`data`](Self::data), to keep.
    pub fn into_data(mut self) -> Value {
        match self.data.take() {
            Some(data) => *data,
            None => self.parsed(),
        }
    }

    fn parsed(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        json::from_slice(&self.body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&self.body).into_owned()))
    }

    /// The string at a JSON pointer (RFC 6901) of [`data`](Self::data): `response.str("/prepay_id")?`.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # use serde_json::json;
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// let response = wx["v3/security/echo"].post_sync(json!({"echo_message": "你好"}))?;
    /// assert_eq!(response.str("/echo_message")?, "你好");
    /// assert!(response.str("/prepay_id").is_err()); // never an empty text
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Decode`] if nothing is there, or not a string; [`Error::Config`] if it is not a JSON pointer.
    pub fn str(&self, pointer: &str) -> Result<&str, Error> {
        if !pointer.is_empty() && !pointer.starts_with('/') {
            let reason =
                format!("{} is not a JSON pointer, which begins with `/` (RFC 6901)", Excerpt(pointer));
            return Err(Error::config("pointer", reason));
        }
        let found = self.data().pointer(pointer);
        found.and_then(Value::as_str).ok_or_else(|| {
            let found = found.map_or("nothing", kind_of);
            let what =
                format!("the response has {found} at the pointer {}, instead of a string", Excerpt(pointer));
            self.decode_error(what, None)
        })
    }

    /// The body as a type of your own. Half characters are replaced as in [`data`](Self::data).
    ///
    /// ```no_run
    /// # async fn f(wx: &wechatpay_chain::WeChatPay) -> Result<(), Box<dyn std::error::Error>> {
    /// #[derive(serde::Deserialize)]
    /// struct Prepay {
    ///     prepay_id: String,
    /// }
    ///
    /// let body = serde_json::json!({"mchid": wx.mchid(), "out_trade_no": "P12345"});
    /// let prepay: Prepay = wx["v3/pay/transactions/jsapi"].post(body).await?.deserialize()?;
    /// println!("{}", prepay.prepay_id);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Decode`] names a field that is missing, or the place that does not fit.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let body: &[u8] = if self.body.is_empty() { b"null" } else { &self.body };
        json::from_slice(body).map_err(|e| {
            let what = format!("the body does not match {}: {}", std::any::type_name::<T>(), json_reason(&e));
            self.decode_error(what, Some(json_source(&e)))
        })
    }

    /// [`deserialize`](Self::deserialize), by the name that `reqwest` gives it: `response.json::<Prepay>()?`.
    ///
    /// # Errors
    /// As [`deserialize`](Self::deserialize).
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.deserialize()
    }

    /// [`data`](Self::data) with its sensitive fields decrypted: the strings at these JSON pointers (RFC 6901, `*` for
    /// every element of an array).
    ///
    /// A field that is missing or null stays so: such fields are optional. An empty string and an empty list stay empty,
    /// too. A pointer whose fixed part (the names before its last one or its first `*`) does not exist is an error,
    /// unless the body is empty. So is the last name of a pointer without `*`, if an encrypted value stays beside the
    /// place: the name is mistyped.
    ///
    /// ```no_run
    /// # async fn f(wx: &wechatpay_chain::WeChatPay) -> Result<(), wechatpay_chain::Error> {
    /// let complaint = wx["v3/merchant-service/complaints-v2/{id}"].get().var("id", "2002").await?;
    /// println!("{}", complaint.decrypt(&["/payer_phone"])?["payer_phone"]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] for a pointer that matches nothing as described above, or not a string; [`Error::Decrypt`] for
    /// a field that cannot be decrypted; [`Error::Key`] if the private key is in a [`Signer`](crate::signer::Signer).
    pub fn decrypt(&self, pointers: &[&str]) -> Result<Value, Error> {
        self.decrypted(pointers, Padding::Oaep)
    }

    /// [`decrypt`](Self::decrypt) for the Hong Kong endpoints whose documents ask for RSAES-PKCS1-v1_5.
    ///
    /// This padding is weak if a stranger can send many ciphertexts and learn which of them are valid. Use it for
    /// responses only, which are signed by the platform.
    ///
    /// # Errors
    /// As [`decrypt`](Self::decrypt). Every ciphertext that cannot be decrypted has the same error.
    pub fn decrypt_pkcs1v15(&self, pointers: &[&str]) -> Result<Value, Error> {
        self.decrypted(pointers, Padding::Pkcs1v15)
    }

    fn decrypted(&self, pointers: &[&str], padding: Padding) -> Result<Value, Error> {
        let mut data = self.data().clone();
        sensitive::decrypt_fields(&self.merchant_key, &mut data, pointers, padding)?;
        Ok(data)
    }

    fn decode_error(&self, what: String, source: Option<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        let request_id = self.request_id().map(str::to_owned);
        Error::Decode(Box::new(DecodeError { what, request_id, source, headers: None }))
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
