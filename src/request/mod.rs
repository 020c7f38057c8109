//! `Request`: its setters; [`ends`] has its ends.

#[cfg(feature = "v2")]
mod apiv2;
mod assemble;
#[cfg(feature = "bill")]
pub(crate) mod bill;
#[cfg(feature = "catalogue")]
mod check;
pub(crate) mod download;
mod draft;
mod encrypt;
mod ends;
pub(crate) mod media;
pub(crate) mod options;
pub(crate) mod prepared;
mod ready;
mod target;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::Value;

use crate::context::Context;
use crate::error::{Error, kind_of};
use crate::sensitive::Padding;
use draft::{Body, Draft};
use media::Media;

/// One call: a builder that is a future. `.await` sends it; [`wait`](Request::wait) sends it and blocks.
///
/// Setters never fail: the first mistake is returned when you send, and nothing goes out.
///
/// ```no_run
/// # use serde_json::json;
/// # async fn f(wx: &wechatpay_chain::WeChatPay) -> Result<(), wechatpay_chain::Error> {
/// let order = wx
///     .chain("v3/pay/transactions/out-trade-no/{out_trade_no}")
///     .get()
///     .var("out_trade_no", "P12345/粤B")
///     .query(json!({"mchid": "1900000109"}))
///     .await?;
/// println!("{}", order.data()["trade_state"]);
/// # Ok(()) }
/// ```
#[must_use = "a request is sent by `.await`, `.send()` or `.wait()`"]
pub struct Request {
    context: Arc<Context>,
    draft: Draft,
}

impl Request {
    pub(crate) fn new(
        context: Arc<Context>,
        method: Method,
        template: Arc<str>,
        error: Option<Error>,
    ) -> Request {
        Request { context, draft: Draft::new(method, template, error) }
    }

    /// Applies a setter of the draft; the first error is kept.
    fn set(mut self, setter: impl FnOnce(&mut Draft) -> Result<(), Error>) -> Self {
        let result = setter(&mut self.draft);
        self.draft.keep(result);
        self
    }

    /// Sets a variable of the template: a string, a number, a boolean, or a flat list or map of these. It is expanded by
    /// RFC 6570, so any value (`/`, `?`, `%`, Chinese) stays one value. `""` is allowed.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/merchant_key.pem");
    /// # let public = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/platform_pub.pem");
    /// # let builder = wechatpay_chain::WeChatPay::builder().mchid("1900000109").serial("3775B6A4").private_key(key);
    /// # let wx = builder.platform_key("PUB_KEY_ID_1", public).build()?;
    /// let request = wx.chain("v3/merchants/{mchid}/files/{name}").get();
    /// let prepared = request.var("mchid", 1900000109).var("name", "合同/2026?.pdf").prepare()?;
    /// assert_eq!(prepared.target(), "/v3/merchants/1900000109/files/%E5%90%88%E5%90%8C%2F2026%3F.pdf");
    /// # Ok(()) }
    /// ```
    pub fn var(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.draft.var(name.into(), value.into());
        self
    }

    /// Adds query parameters, in the order of the object: strings as they are, numbers, `true`/`false`, arrays as
    /// `a[0]=…`, null left out; a space is `%20`. A string is a query that is encoded already.
    ///
    /// Parameters are added to those of the path (as in Node's SDK; PHP's replaces them).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/merchant_key.pem");
    /// # let public = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/platform_pub.pem");
    /// # let builder = wechatpay_chain::WeChatPay::builder().mchid("1900000109").serial("3775B6A4").private_key(key);
    /// # let wx = builder.platform_key("PUB_KEY_ID_1", public).build()?;
    /// # use serde_json::json;
    /// let request = wx["v3/refunds"].get().query(json!({"note": "a b", "ids": [1, 2], "none": null})).query("limit=5");
    /// assert_eq!(request.prepare()?.target(), "/v3/refunds?note=a%20b&ids%5B0%5D=1&ids%5B1%5D=2&limit=5");
    /// # Ok(()) }
    /// ```
    pub fn query(self, query: impl Into<Value>) -> Self {
        let query = query.into();
        self.set(|draft| draft.query("query", &query))
    }

    /// Sets a header, and replaces one of the same name. `Authorization`, `Host`, `Content-Length`, `Transfer-Encoding`
    /// and `Connection` are set by the client itself, and refused.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/merchant_key.pem");
    /// # let public = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/platform_pub.pem");
    /// # let builder = wechatpay_chain::WeChatPay::builder().mchid("1900000109").serial("3775B6A4").private_key(key);
    /// # let wx = builder.platform_key("PUB_KEY_ID_1", public).build()?;
    /// let prepared = wx["v3/certificates"].get().header("Accept-Language", "zh-CN").prepare()?;
    /// assert_eq!(prepared.headers()["accept-language"], "zh-CN");
    /// assert!(wx["v3/certificates"].get().header("Host", "example.com").prepare().is_err());
    /// # Ok(()) }
    /// ```
    pub fn header(self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.set(|draft| draft.header(name.as_ref(), value.as_ref()))
    }

    /// Sets a JSON body, for any verb. [`Value::Null`] removes it.
    ///
    /// A body `{"json": {…}}` is refused: it is PHP's `$options` array, which belongs into [`options`](Self::options).
    pub fn json(self, body: impl Into<Value>) -> Self {
        let body = body.into();
        self.set(|draft| draft.json(body))
    }

    /// Sets a body of any content type. The bytes are signed and sent unchanged.
    pub fn body(self, content_type: impl AsRef<str>, bytes: impl Into<Bytes>) -> Self {
        self.set(|draft| draft.body(content_type.as_ref(), bytes.into()))
    }

    /// Uploads a file: the body becomes `multipart/form-data`, of which the part `meta` is signed. It replaces any other
    /// body and the `Content-Type` header.
    ///
    /// ```no_run
    /// # use serde_json::Value;
    /// # use wechatpay_chain::Media;
    /// # async fn f(wx: &wechatpay_chain::WeChatPay) -> Result<(), wechatpay_chain::Error> {
    /// let media = Media::file("/path/to/licence.jpg");
    /// let uploaded = wx["v3/merchant/media/upload"].post(Value::Null).media(media).await?;
    /// println!("{}", uploaded.data()["media_id"]);
    /// # Ok(()) }
    /// ```
    pub fn media(mut self, media: Media) -> Self {
        self.draft.body = Body::Media(Box::new(media));
        self
    }

    /// Applies the PHP SDK's `$options` array, or Node's axios config, unchanged: `json query headers xml body base_uri
    /// timeout security nonceless sink`, Node's `params`, `baseURL` and `data`. Every other key must be a variable of the
    /// template. `timeout` is in seconds, 0 for the longest (an hour). Guzzle's and axios' other options are accepted at a
    /// value that means what happens here anyway (`debug: false`, `http_errors: true`, null). [Porting from PHP](crate::guide::porting_from_php) lists all of them.
    ///
    /// ```no_run
    /// # use serde_json::{Value, json};
    /// # async fn f(wx: &wechatpay_chain::WeChatPay) -> Result<(), wechatpay_chain::Error> {
    /// wx.chain("v3/refund/domestic/refunds")
    ///     .post(Value::Null)
    ///     .options(json!({"json": {"out_refund_no": "R1"}, "headers": {"Idempotency-Key": "R1"}}))
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub fn options(self, options: Value) -> Self {
        let context = Arc::clone(&self.context);
        self.set(|draft| match options {
            Value::Object(map) => {
                options::apply(draft, &context.v3.transport.hosts, map);
                Ok(())
            }
            Value::Null => Ok(()),
            // An empty PHP array looks like a list.
            Value::Array(list) if list.is_empty() => Ok(()),
            other => Err(Error::config("options", format!("must be an object; it is {}", kind_of(&other)))),
        })
    }

    /// Another base URL for this call: `https://apihk.mch.weixin.qq.com/`. Its path, if any, is a prefix of the target.
    /// Its host must be one that may receive the `Authorization` header: the client's own, the platform's, or one from
    /// [`WeChatPayBuilder::allow_host`](crate::WeChatPayBuilder::allow_host).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/merchant_key.pem");
    /// # let public = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/platform_pub.pem");
    /// # let builder = wechatpay_chain::WeChatPay::builder().mchid("1900000109").serial("3775B6A4").private_key(key);
    /// # let wx = builder.platform_key("PUB_KEY_ID_1", public).build()?;
    /// let request = wx["v3/global/certificates"].get().base_url("https://apihk.mch.weixin.qq.com/");
    /// assert_eq!(request.prepare()?.url(), "https://apihk.mch.weixin.qq.com/v3/global/certificates");
    /// assert!(wx["v3/certificates"].get().base_url("https://example.com/").prepare().is_err());
    /// # Ok(()) }
    /// ```
    pub fn base_url(self, url: impl AsRef<str>) -> Self {
        let context = Arc::clone(&self.context);
        self.set(|draft| draft.base_url("base_url", url.as_ref(), &context.v3.transport.hosts))
    }

    /// The longest that this call may take, instead of the client's timeout; at most an hour. See
    /// [`WeChatPayBuilder::timeout`](crate::WeChatPayBuilder::timeout).
    pub fn timeout(self, timeout: Duration) -> Self {
        self.set(|draft| draft.timeout(timeout))
    }

    /// APIv2: presents the merchant's certificate, as refunds and transfers need (PHP's option `security`). See
    /// [`WeChatPayBuilder::client_certificate`](crate::WeChatPayBuilder::client_certificate).
    ///
    /// ```no_run
    /// # use serde_json::json;
    /// # async fn f(wx: wechatpay_chain::WeChatPay) -> Result<(), wechatpay_chain::Error> {
    /// # let fields = json!({});
    /// wx["v2/secapi/pay/refund"].post(fields).client_certificate().await?;
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "v2")]
    #[cfg_attr(docsrs, doc(cfg(feature = "v2")))]
    pub fn client_certificate(mut self) -> Self {
        self.draft.with_certificate = true;
        self
    }

    /// Retries up to `times` (at most 3) after a 429, after a 5xx with `SYSTEM_ERROR` or a rate-limit code, and a GET after
    /// a signature probe of the platform. The body stays the same, timestamp and nonce are new. The pauses are 1 s, 2 s and 4 s, or as long as `Retry-After` asks for.
    /// Off by default. Use it for calls that an order or refund number makes idempotent
    /// ([PROTOCOL, Errors and retry](crate::guide::protocol#errors-and-retry)).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # use serde_json::json;
    /// use std::time::Duration;
    ///
    /// let wx = sandbox.client_builder().retry_delay(Duration::from_millis(1)).build()?;
    /// sandbox.on("POST", "v3/busy", 429, json!({"code": "FREQUENCY_LIMITED", "message": "later"}))?;
    /// assert!(wx["v3/busy"].post(json!({"out_refund_no": "R1"})).retry(2).wait().is_err());
    /// assert_eq!(sandbox.requests().len(), 3);
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn retry(self, times: u32) -> Self {
        self.set(|draft| draft.retry(times))
    }

    /// Encrypts the strings at these pointers, and names the platform key in the `Wechatpay-Serial` header: the key that
    /// this header already names, else the client's ([`WeChatPay::platform_serial`](crate::WeChatPay::platform_serial)).
    ///
    /// | pointer | selects |
    /// |---|---|
    /// | `/contact_info/name`, `/list/*/name` | strings of the JSON body (RFC 6901, `*` for every element of an array) |
    /// | `/account_number`, of a request without a body | the query parameter `account_number` (`/ids/0`: `ids[0]`) |
    /// | `?account_number` | the query parameter of this name, of any request |
    ///
    /// An empty string stays empty. A query parameter that is null, or an empty list, is left out. Any other pointer that
    /// matches nothing, or not a string, is an error.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use serde_json::json;
    /// # let key = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/merchant_key.pem");
    /// # let public = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/platform_pub.pem");
    /// # let builder = wechatpay_chain::WeChatPay::builder().mchid("1900000109").serial("3775B6A4").private_key(key);
    /// # let wx = builder.platform_key("PUB_KEY_ID_1", public).build()?;
    /// let prepared = wx["v3/applyment4sub/applyment/"]
    ///     .post(json!({"contact_info": {"contact_name": "张三"}, "list": [{"phone": "139"}, {"phone": ""}]}))
    ///     .encrypt(&["/contact_info/contact_name", "/list/*/phone"])
    ///     .prepare()?;
    /// assert!(!prepared.message().contains("张三"));
    /// assert_eq!(prepared.headers()["wechatpay-serial"], wx.platform_serial().unwrap_or_default().as_str());
    ///
    /// // A query parameter:
    /// let banks = wx["v3/capital/capitallhh/banks/search-banks-by-bank-account"].get();
    /// let prepared = banks.query(json!({"account_number": "6214830000000000"})).encrypt(&["/account_number"]).prepare()?;
    /// assert!(!prepared.target().contains("6214830000000000"));
    /// # Ok(()) }
    /// ```
    pub fn encrypt(self, pointers: &[&str]) -> Self {
        self.encrypt_with(pointers, Padding::Oaep)
    }

    /// [`encrypt`](Self::encrypt) for the Hong Kong endpoints whose documents ask for RSAES-PKCS1-v1_5.
    pub fn encrypt_pkcs1v15(self, pointers: &[&str]) -> Self {
        self.encrypt_with(pointers, Padding::Pkcs1v15)
    }

    fn encrypt_with(mut self, pointers: &[&str], padding: Padding) -> Self {
        self.draft.encrypt.extend(pointers.iter().map(|pointer| ((*pointer).to_owned(), padding)));
        self
    }
}

/// Shows names and the template only: values may be personal data.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.draft, f)
    }
}
