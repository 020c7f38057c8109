//! Bills: requested, downloaded, decompressed and verified in one call; and read row by row.

mod asked;
mod fields;
mod lines;
mod rows;
pub(super) mod ticket;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWrite;

use super::Request;
use super::download::{Download, Sink};
pub use rows::{Record, Rows, rows};

/// A bill to download: made by [`WeChatPay::bill`](crate::WeChatPay::bill), saved by [`save_to`](Bill::save_to).
///
/// The platform responds with a digest and a download URL. That response is signed, and verified like any other. The
/// file itself is not signed, and may be on a third party's host, which then receives no `Authorization`. **The digest
/// from the signed response verifies it**, over the decompressed content. So
/// [`Saved::verified`](crate::Saved::verified) is `true` for a bill, unless
/// [`allow_unverified`](Bill::allow_unverified) lets one without a digest pass.
///
/// | the response has | result |
/// |---|---|
/// | `download_url` or `url`, `hash_type` SHA1 or SHA256, `hash_value` | downloaded, the digest checked |
/// | a URL without such a digest | [`Error::Decode`](crate::Error::Decode), or downloaded with [`allow_unverified`](Bill::allow_unverified) |
/// | `state` (`receipt_state`, `signature_status`) GENERATING or ACCEPTED, no URL | [`Error::NotReady`](crate::Error::NotReady): ask again later |
/// | `state` FAILED | [`Error::Decode`](crate::Error::Decode) with the platform's reason |
/// | `download_bill_list` with `encrypt_key` | [`Error::Decode`](crate::Error::Decode): encrypted bills are not supported |
#[must_use = "a bill is downloaded by `.save_to(…)`"]
pub struct Bill {
    request: Request,
    gzip: Gzip,
    allow_unverified: bool,
}

enum Gzip {
    No,
    /// `tar_type` will be added to the query.
    Wanted,
    /// The caller's own query has it.
    InQuery,
}

impl Bill {
    pub(crate) fn new(request: Request) -> Bill {
        Bill { request, gzip: Gzip::No, allow_unverified: false }
    }

    /// Adds query parameters, as [`Request::query`]. `tar_type` `GZIP` among them is the same as [`gzip`](Bill::gzip).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # use serde_json::json;
    /// let bill = wx.bill("v3/bill/tradebill").query(json!({"bill_date": "2026-11-20", "bill_type": "REFUND"}));
    /// let empty = bill.save_to_writer(tokio::io::sink()).wait(); // no refunds on that day
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

    /// The day of the bill, such as `2026-11-20`.
    pub fn date(self, date: &str) -> Bill {
        self.query(json!({"bill_date": date}))
    }

    /// Downloads the bill compressed, and saves it decompressed.
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

    /// A header of the first of the two requests, the one for the digest and the URL, as [`Request::header`].
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Bill {
        self.request = self.request.header(name, value);
        self
    }

    /// Saves the file even if the response has no digest, or one of an algorithm that is not supported (SM3). Then
    /// [`Saved::verified`](crate::Saved::verified) is `false`, and only TLS protects the file. A digest of SHA-1 or SHA-256
    /// is checked all the same. Without this setting such a response is an error, and nothing is downloaded.
    ///
    /// Profit sharing in Hong Kong and overseas needs it:
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # use serde_json::json;
    /// # use wechatpay_chain::{Error, sandbox::{Sandbox, SandboxResponse}};
    /// # let sandbox = Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # let url = format!("{}v3/billdownload/file?token=x", sandbox.base_url());
    /// # sandbox.on("GET", "v3/global/profit-sharing/bill-download-url", 200, json!({"download_url": url}))?;
    /// # sandbox.on_with("GET", "v3/billdownload/file", SandboxResponse::new(200).body("text/csv", "abc").unsigned())?;
    /// let bill = || wx.bill("v3/global/profit-sharing/bill-download-url").date("2026-11-20");
    /// let saved = bill().allow_unverified().save_to_writer(tokio::io::sink()).wait()?;
    /// assert!(!saved.verified);
    /// assert!(matches!(bill().save_to_writer(tokio::io::sink()).wait(), Err(Error::Decode(_))));
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn allow_unverified(mut self) -> Bill {
        self.allow_unverified = true;
        self
    }

    /// Another base URL, as [`Request::base_url`].
    pub fn base_url(mut self, url: impl AsRef<str>) -> Bill {
        self.request = self.request.base_url(url);
        self
    }

    /// The longest that the first request and the head of the file may take together, and then each next piece.
    pub fn timeout(mut self, timeout: Duration) -> Bill {
        self.request = self.request.timeout(timeout);
        self
    }

    /// Downloads the bill into a file.
    pub fn save_to(self, path: impl Into<PathBuf>) -> Download {
        self.into_download(Sink::Path(path.into()))
    }

    /// Downloads the bill into a writer. Discard the written content after an error.
    pub fn save_to_writer(self, writer: impl AsyncWrite + Send + Unpin + 'static) -> Download {
        self.into_download(Sink::Writer(Box::new(writer)))
    }

    fn into_download(self, sink: Sink) -> Download {
        let request = match self.gzip {
            Gzip::Wanted => self.request.query(json!({"tar_type": "GZIP"})),
            Gzip::No | Gzip::InQuery => self.request,
        };
        let gunzip = !matches!(self.gzip, Gzip::No);
        Download::of_bill(Arc::clone(&request.context.v3), request.draft, self.allow_unverified, sink)
            .gunzip(gunzip)
    }
}

impl fmt::Debug for Bill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bill").field("request", &self.request).finish_non_exhaustive()
    }
}
