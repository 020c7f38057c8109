//! Bills: asked for, fetched, decompressed and compared in one call; and read, row by row.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWrite;

use crate::chain::Chain;
use crate::client::{Inner, Lane, WeChatPay};
use crate::error::{DecodeError, Error};
use crate::request::Request;
use crate::request::download::{Download, Sink, What, is_sha1};
use crate::v3::exchange;

mod rows;

pub use rows::{Record, Rows, rows};

/// A bill, being asked for: made by [`WeChatPay::bill`], ended by [`save_to`](Bill::save_to).
///
/// The platform answers with a digest and a download URL; that answer is signed, and verified as every other. The
/// file itself is not signed, and its host may be anybody's (which then sees no `Authorization`): **the digest out of
/// the signed answer is what vouches for it**, over the decompressed content. So [`Saved::verified`](crate::Saved::verified)
/// is `true` for a bill.
#[must_use = "a bill is fetched by `.save_to(…)`"]
pub struct Bill {
    request: Request,
    gzip: Gzip,
    timeout: Option<Duration>,
}

enum Gzip {
    No,
    /// `tar_type` is still to be added to the query.
    Wanted,
    /// The caller's own query says it.
    InQuery,
}

impl WeChatPay {
    /// Fetches a bill: `v3/bill/tradebill`, `v3/bill/fundflowbill`, and whatever else answers with `hash_value` and
    /// `download_url`.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("bill.csv");
    /// # wx["v3/pay/transactions/native"].post_sync(serde_json::json!({
    /// #     "appid": "wxd678efh567hg6787", "mchid": wx.mchid(), "description": "d", "out_trade_no": "P1234567",
    /// #     "notify_url": "https://www.example.com/notify", "amount": {"total": 1},
    /// # }))?;
    /// # let paid = sandbox.pay("P1234567")?;
    /// # let day = paid["success_time"].as_str().and_then(|time| time.get(..10)).unwrap_or_default();
    /// let saved = wx.bill("v3/bill/tradebill").date(day).gzip().save_to(&path).wait()?;
    /// assert!(saved.verified);
    /// let mut rows = wechatpay_chain::bill::rows(std::fs::File::open(&path)?)?;
    /// for row in &mut rows {
    ///     println!("{:?}", row?.get("商户订单号"));
    /// }
    /// println!("{:?}", rows.summary());
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn bill(&self, path: &str) -> Bill {
        Bill { request: self.chain(path).get(), gzip: Gzip::No, timeout: None }
    }
}

impl Bill {
    /// Adds query parameters, as [`Request::query`]. `tar_type` `GZIP` among them is the same as [`gzip`](Bill::gzip).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # use serde_json::json;
    /// let bill = wx.bill("v3/bill/tradebill").query(json!({"bill_date": "2026-11-20", "bill_type": "REFUND"}));
    /// let empty = bill.save_to_writer(tokio::io::sink()).wait(); // nothing was refunded that day
    /// assert!(matches!(empty, Err(wechatpay_chain::Error::Api(e)) if e.code == "NO_STATEMENT_EXIST"));
    /// assert_eq!(sandbox.requests()[0].target, "/v3/bill/tradebill?bill_date=2026-11-20&bill_type=REFUND");
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn query(mut self, query: impl Into<Value>) -> Bill {
        let query = query.into();
        let gzip = match &query {
            Value::String(text) => text.split('&').any(|pair| pair.eq_ignore_ascii_case("tar_type=gzip")),
            object => object["tar_type"].as_str().is_some_and(|t| t.eq_ignore_ascii_case("gzip")),
        };
        if gzip {
            self.gzip = Gzip::InQuery;
        }
        self.request = self.request.query(query);
        self
    }

    /// The bill's day, as `2026-11-20`.
    pub fn date(self, date: &str) -> Bill {
        self.query(json!({"bill_date": date}))
    }

    /// Has the bill sent compressed; what is saved is decompressed.
    pub fn gzip(mut self) -> Bill {
        if matches!(self.gzip, Gzip::No) {
            self.gzip = Gzip::Wanted;
        }
        self
    }

    /// A variable of the path, as [`Request::var`].
    pub fn var(mut self, name: impl Into<String>, value: impl Into<Value>) -> Bill {
        self.request = self.request.var(name, value);
        self
    }

    /// A header of the first of the two requests, as [`Request::header`].
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Bill {
        self.request = self.request.header(name, value);
        self
    }

    /// Another base URL, as [`Request::base_url`].
    pub fn base_url(mut self, url: impl AsRef<str>) -> Bill {
        self.request = self.request.base_url(url);
        self
    }

    /// How long the first answer may take, and then the file's head and every next piece.
    pub fn timeout(mut self, timeout: Duration) -> Bill {
        self.request = self.request.timeout(timeout);
        self.timeout = Some(timeout);
        self
    }

    /// Asks for the bill and saves it.
    pub fn save_to(self, path: impl Into<PathBuf>) -> Download {
        self.into_download(Sink::Path(path.into()))
    }

    /// Asks for the bill and writes it; what was written before an error is to be thrown away.
    pub fn save_to_writer(self, writer: impl AsyncWrite + Send + Unpin + 'static) -> Download {
        self.into_download(Sink::Writer(Box::new(writer)))
    }

    fn into_download(self, sink: Sink) -> Download {
        let request = match self.gzip {
            Gzip::Wanted => self.request.query(json!({"tar_type": "GZIP"})),
            Gzip::No | Gzip::InQuery => self.request,
        };
        let gunzip = !matches!(self.gzip, Gzip::No);
        Download::new(What::Bill(request, self.timeout), sink).gunzip(gunzip)
    }
}

impl fmt::Debug for Bill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bill").field("request", &self.request).finish_non_exhaustive()
    }
}

/// What the signed answer tells of the file.
pub(crate) struct Asked {
    pub(crate) file: Request,
    pub(crate) sha1: String,
}

pub(crate) async fn ask(mut request: Request, lane: Lane) -> Result<Asked, Error> {
    request.make_ready().await?;
    let (inner, parts) = request.into_parts()?;
    let answer = exchange::exchange(&inner, parts, lane).await?;
    let data = answer.data();
    let unfit = |what: &str| {
        let request_id = answer.request_id().map(str::to_owned);
        Error::Decode(Box::new(DecodeError {
            what: format!("the bill's answer {what}"),
            request_id,
            source: None,
        }))
    };
    let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default();
    // An unsigned answer could vouch for nothing.
    if !answer.verified() {
        return Err(unfit("is not signed, so that its digest proves nothing"));
    }
    if !text("hash_type").eq_ignore_ascii_case("SHA1") {
        return Err(unfit("has another `hash_type` than SHA1"));
    }
    let sha1 = text("hash_value").to_owned();
    if !is_sha1(&sha1) {
        return Err(unfit("has no `hash_value` of 40 hex digits"));
    }
    let url = text("download_url");
    if !crate::path::is_absolute(url) {
        return Err(unfit("has no `download_url`"));
    }
    Ok(Asked { file: file(&inner, url), sha1 })
}

fn file(inner: &Arc<Inner>, url: &str) -> Request {
    Chain::root(inner).chain(url).get()
}
