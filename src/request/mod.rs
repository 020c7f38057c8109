//! `Request`: the builder, its ends, and what would be sent.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use tokio::runtime::Handle;
use url::Url;

use crate::client::builder as config;
use crate::client::{Inner, Lane};
use crate::error::{Error, kind_of};
use crate::path;
use crate::request::media::Media;
use crate::request::prepared::Prepared;
use crate::response::Response;
use crate::runtime::blocking;
use crate::transport::send as wire;
use crate::v3::certificates;
use crate::v3::exchange;
use crate::v3::retry;

mod assemble;
pub mod bill;
pub(crate) mod download;
mod files;
pub(crate) mod media;
pub(crate) mod options;
pub(crate) mod prepared;
mod target;

/// No endpoint wants more than a few.
const MOST_HEADERS: usize = 100;

/// Headers that follow from the request itself.
const RESERVED: [HeaderName; 5] = [AUTHORIZATION, HOST, CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION];

/// One call, being put together: a builder that is a future, and that [`wait`](Request::wait) runs blocking.
///
/// A setter never fails: the first thing that was wrong is kept and comes out at the end, and nothing is sent.
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
    inner: Arc<Inner>,
    method: Method,
    template: Arc<str>,
    vars: Vec<(String, Value)>,
    query: String,
    headers: HeaderMap,
    body: Body,
    base: Option<Url>,
    timeout: Option<Duration>,
    retry: u32,
    encrypt: Vec<String>,
    /// PHP's `sink`.
    sink: Option<PathBuf>,
    error: Option<Error>,
}

enum Body {
    None,
    Json(Value),
    /// Without a type of its own, the caller's header counts, and then JSON: as PHP's SDK has it.
    Raw(Option<HeaderValue>, Bytes),
    Media(Box<Media>),
}

impl Request {
    pub(crate) fn new(
        inner: Arc<Inner>,
        method: Method,
        template: Arc<str>,
        error: Option<Error>,
    ) -> Request {
        Request {
            inner,
            method,
            template,
            vars: Vec::new(),
            query: String::new(),
            headers: HeaderMap::new(),
            body: Body::None,
            base: None,
            timeout: None,
            retry: 0,
            encrypt: Vec::new(),
            sink: None,
            error,
        }
    }

    /// Gives a variable of the template its value: a string, a number, a boolean, or a flat list or map of these,
    /// expanded by RFC 6570, so whatever it holds (`/`, `?`, `%`, Chinese) stays one value. `""` is allowed.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// let request = wx.chain("v3/merchants/{mchid}/files/{name}").get();
    /// let prepared = request.var("mchid", 1900000109).var("name", "合同/2026?.pdf").prepare()?;
    /// assert_eq!(prepared.target(), "/v3/merchants/1900000109/files/%E5%90%88%E5%90%8C%2F2026%3F.pdf");
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn var(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.vars.push((name.into(), value.into()));
        self
    }

    /// Adds query parameters, in the order of the object: strings as they are, numbers, `true`/`false`, arrays as
    /// `a[0]=…`, null left out; a space is `%20`. A string is a query that is written already.
    ///
    /// Parameters are added to those that the path has (PHP's SDK replaces them, Node's adds too).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # use serde_json::json;
    /// let request = wx["v3/refunds"].get().query(json!({"note": "a b", "ids": [1, 2], "none": null})).query("limit=5");
    /// assert_eq!(request.prepare()?.target(), "/v3/refunds?note=a%20b&ids%5B0%5D=1&ids%5B1%5D=2&limit=5");
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn query(self, query: impl Into<Value>) -> Self {
        self.add_query("query", &query.into())
    }

    pub(crate) fn add_query(mut self, field: &str, value: &Value) -> Self {
        match path::append_query(&mut self.query, value) {
            Ok(()) => self,
            Err(found) => {
                self.fail(Error::config(field, format!("must be an object or a string; it is {found}")))
            }
        }
    }

    /// Sets a header; one of the same name is replaced. `Authorization`, `Host`, `Content-Length`,
    /// `Transfer-Encoding` and `Connection` follow from the request and are refused.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// let prepared = wx["v3/certificates"].get().header("Accept-Language", "zh-CN").prepare()?;
    /// assert_eq!(prepared.headers()["accept-language"], "zh-CN");
    /// assert!(wx["v3/certificates"].get().header("Host", "example.com").prepare().is_err());
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn header(self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        let field = || format!("headers.{}", name.escape_debug());
        let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
            return self.fail(Error::config(field(), "is not a header's name"));
        };
        if RESERVED.contains(&header) {
            return self.fail(Error::config(field(), "is set by the client itself"));
        }
        let Ok(value) = HeaderValue::from_str(value.as_ref()) else {
            return self.fail(Error::config(
                field(),
                "has a character that no header may hold (a line break, or non-ASCII)",
            ));
        };
        if self.headers.len() >= MOST_HEADERS {
            return self.fail(Error::config(field(), format!("is one too many: {MOST_HEADERS} can be set")));
        }
        let mut request = self;
        request.headers.insert(header, value);
        request
    }

    /// Sets a JSON body, for any verb. [`Value::Null`] takes it away.
    pub fn json(mut self, body: impl Into<Value>) -> Self {
        self.body = match body.into() {
            Value::Null => Body::None,
            value => Body::Json(value),
        };
        self
    }

    /// Sets a body of any type, sent and signed as it is.
    pub fn body(mut self, content_type: impl AsRef<str>, bytes: impl Into<Bytes>) -> Self {
        match HeaderValue::from_str(content_type.as_ref()) {
            Ok(content_type) => self.body = Body::Raw(Some(content_type), bytes.into()),
            Err(_) => {
                return self.fail(Error::config("content_type", "has a character that no header may hold"));
            }
        }
        self
    }

    pub(crate) fn raw_body(mut self, bytes: impl Into<Bytes>) -> Self {
        self.body = Body::Raw(None, bytes.into());
        self
    }

    /// Takes the PHP SDK's `$options` array, or Node's axios config, as it is: `json query headers xml body base_uri
    /// timeout security nonceless sink`, Node's `params`, `baseURL` and `data`; every other key must be a variable of the
    /// template. `timeout` is in seconds. See `docs/porting-from-php.md` for all of them.
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
        match options {
            Value::Object(map) => options::apply(self, map),
            Value::Null => self,
            // An empty PHP array has no keys to tell that it is a map.
            Value::Array(list) if list.is_empty() => self,
            other => {
                self.fail(Error::config("options", format!("must be an object; it is {}", kind_of(&other))))
            }
        }
    }

    /// Another base URL for this call: `https://apihk.mch.weixin.qq.com/`. Its path, if any, is a prefix of the
    /// target. Its host must be one that may see the `Authorization`: the client's own, the platform's, or one given
    /// to [`Builder::host`](crate::Builder::host).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// let request = wx["v3/global/certificates"].get().base_url("https://apihk.mch.weixin.qq.com/");
    /// assert_eq!(request.prepare()?.url(), "https://apihk.mch.weixin.qq.com/v3/global/certificates");
    /// assert!(wx["v3/certificates"].get().base_url("https://example.com/").prepare().is_err());
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn base_url(self, url: impl AsRef<str>) -> Self {
        self.set_base_url("base_url", url.as_ref())
    }

    pub(crate) fn set_base_url(mut self, field: &str, url: &str) -> Self {
        match config::parse_base_url(field, url) {
            Ok(url) if self.inner.hosts.trusts(&url) => self.base = Some(url),
            Ok(url) => {
                let host = url.host_str().unwrap_or_default();
                let reason = format!(
                    "names the host `{host}`, which may not see a signature: allow it with `Builder::host`"
                );
                return self.fail(Error::config(field, reason));
            }
            Err(e) => return self.fail(e),
        }
        self
    }

    /// How long this call may take, instead of the client's timeout. More than nothing, at most an hour.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        match config::check_timeout("timeout", timeout) {
            Ok(()) => self.timeout = Some(timeout),
            Err(e) => return self.fail(e),
        }
        self
    }

    /// Tries again, up to `times` (3 at most), when the platform asks for it: 429, and 5xx with `SYSTEM_ERROR` or a
    /// rate-limit code. The body stays as it is, timestamp and nonce are new; the pauses are 1 s, 2 s and 4 s, or
    /// what `Retry-After` says. Off unless set. For a call that is idempotent by its numbers, as all of the platform's
    /// that take an order or refund number are.
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
    pub fn retry(mut self, times: u32) -> Self {
        if times > retry::MOST {
            let reason = format!("must be at most {} times; it is {times}", retry::MOST);
            return self.fail(Error::config("retry", reason));
        }
        self.retry = times;
        self
    }

    /// Encrypts the strings of the JSON body that these pointers (RFC 6901, `*` for every element of an array) lead
    /// to, and says in `Wechatpay-Serial` with which platform key: the one that the header names if it is given, else
    /// the client's ([`WeChatPay::platform_serial`](crate::WeChatPay::platform_serial)). An empty string stays empty.
    /// A pointer that leads to nothing, or to no string, is an error.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # use serde_json::json;
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// let prepared = wx["v3/applyment4sub/applyment"]
    ///     .post(json!({"contact_info": {"contact_name": "张三"}, "list": [{"phone": "139"}, {"phone": ""}]}))
    ///     .encrypt(&["/contact_info/contact_name", "/list/*/phone"])
    ///     .prepare()?;
    /// assert!(!prepared.message().contains("张三"));
    /// assert_eq!(prepared.headers()["wechatpay-serial"], wx.platform_serial().unwrap_or_default().as_str());
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn encrypt(mut self, pointers: &[&str]) -> Self {
        self.encrypt.extend(pointers.iter().map(|pointer| (*pointer).to_owned()));
        self
    }

    /// Keeps the first error for the end.
    pub(crate) fn fail(mut self, error: Error) -> Self {
        self.error.get_or_insert(error);
        self
    }

    pub(crate) fn template(&self) -> &str {
        &self.template
    }

    /// What would be sent, and nothing is sent: method, URL, headers, body and the message to be signed.
    ///
    /// The timestamp and the nonce are made now; [`Prepared::authorization`] signs them.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # use serde_json::json;
    /// let prepared = wx["v3/pay/transactions/native"].post(json!({"description": "茶叶"})).prepare()?;
    /// let lines: Vec<_> = prepared.message().lines().map(str::to_owned).collect();
    /// assert_eq!(lines[..2], ["POST", "/v3/pay/transactions/native"]);
    /// assert_eq!(lines[2..], [prepared.timestamp(), prepared.nonce(), r#"{"description":"茶叶"}"#]);
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// What a setter found wrong, or what is wrong with the path: [`Error::Config`], [`Error::Path`].
    pub fn prepare(self) -> Result<Prepared, Error> {
        let (inner, parts) = self.into_parts()?;
        let stamp = wire::stamp(&inner, &parts)?;
        Ok(Prepared::new(inner, parts, stamp))
    }

    /// Sends the request and verifies the answer; `.await` on the request does the same.
    ///
    /// Without a tokio runtime (under another executor) the SDK's own background runtime does the I/O. A tokio runtime
    /// must have I/O and time, as `#[tokio::main]` and `enable_all()` have them; in one without, use `wait()`.
    ///
    /// # Errors
    /// Every variant of [`Error`] can come out of a call.
    pub async fn send(mut self) -> Result<Response, Error> {
        if let Some(path) = self.sink.take() {
            let inner = Arc::clone(&self.inner);
            return Ok(Box::pin(self.save_to(path).send()).await?.into_response(inner));
        }
        self.make_ready().await?;
        let (inner, parts) = self.into_parts()?;
        if Handle::try_current().is_ok() {
            exchange::exchange(&inner, parts, Lane::Caller).await
        } else {
            blocking::on_background(exchange::exchange(&inner, parts, Lane::Background))?.await
        }
    }

    /// Sends the request and verifies the answer, blocking this thread: from a plain `main`, from any thread, and
    /// from inside any tokio runtime.
    ///
    /// # Errors
    /// Every variant of [`Error`] can come out of a call.
    pub fn wait(mut self) -> Result<Response, Error> {
        if let Some(path) = self.sink.take() {
            let inner = Arc::clone(&self.inner);
            return Ok(self.save_to(path).wait()?.into_response(inner));
        }
        if let run @ Some(_) = self.awaited()? {
            blocking::wait(certificates::arrive(run))?;
        }
        let (inner, parts) = self.into_parts()?;
        blocking::wait(exchange::exchange(&inner, parts, Lane::Background))
    }
}

impl IntoFuture for Request {
    type Output = Result<Response, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'static>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// Names and template only: values may be personal data.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("template", &self.template)
            .field("vars", &self.vars.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}
