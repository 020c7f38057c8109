//! `WeChatPay`: the client. Its builder, and the public face of everything that is not a call.

mod aes;
#[cfg(feature = "v2")]
mod apiv2;
#[cfg(feature = "bill")]
mod bill;
pub(crate) mod builder;
pub(crate) mod certificates;
pub(crate) mod notification;
pub(crate) mod pay_sign;
pub(crate) mod platform_keys;
mod sensitive;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Index;
use std::sync::Arc;

use http::HeaderMap;

use crate::chain::{Chain, Nodes};
use crate::context::Context;
use crate::error::{Error, Excerpt, Message, VerifySubject};
use crate::v3::{self, verify};

/// A configured client: cheap to clone, `Send + Sync`; one is enough for a whole program.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # #[cfg(feature = "sandbox")] {
/// # use serde_json::json;
/// let sandbox = wechatpay_chain::sandbox::Sandbox::start()?; // an offline platform
/// let wx = sandbox.client()?;
/// let echo = wx["v3/security/echo"].post_sync(json!({"echo_message": "hello"}))?;
/// assert_eq!(echo.status(), 200);
/// # }
/// # Ok(()) }
/// ```
///
/// Index only with constant paths: each one is cached for the life of the handle (a clone starts empty). Pass values as
/// template variables.
pub struct WeChatPay {
    context: Arc<Context>,
    nodes: Nodes,
}

impl WeChatPay {
    fn new(context: Context) -> WeChatPay {
        WeChatPay { context: Arc::new(context), nodes: Nodes::default() }
    }

    /// Starts a chain with a path, like PHP's `chain('v3/…')`: one or more segments, which may contain `{variables}`.
    ///
    /// An error in the path is returned by the request.
    ///
    /// ```no_run
    /// # async fn f(wx: &wechatpay_chain::WeChatPay) -> Result<(), wechatpay_chain::Error> {
    /// let order = wx.chain("v3/pay/transactions/id/{transaction_id}").get().var("transaction_id", "42").await?;
    /// # Ok(()) }
    /// ```
    pub fn chain(&self, path: &str) -> Chain {
        Chain::root(&self.context).chain(path)
    }

    /// Starts a chain with one segment, like PHP's `->payscore`.
    ///
    /// ```no_run
    /// # fn f(wx: &wechatpay_chain::WeChatPay) {
    /// assert_eq!(wx.seg("v3").seg("merchantService").path(), "v3/merchant-service");
    /// # }
    /// ```
    pub fn seg(&self, segment: &str) -> Chain {
        Chain::root(&self.context).seg(segment)
    }

    /// Verifies that `headers` and `body` come from the platform: the clock window, the serial and the signature, as for
    /// every response. Responses of calls are verified already; this is for messages that arrive in another way.
    ///
    /// It uses the known keys. With automatic certificates, an unknown serial starts a download, unless it is held back,
    /// and does not wait for it; [`notification`](WeChatPay::notification) does.
    ///
    /// ```no_run
    /// # fn f(wx: &wechatpay_chain::WeChatPay, headers: http::HeaderMap, body: &[u8]) {
    /// match wx.verify(&headers, body) {
    ///     Ok(()) => println!("from the platform"),
    ///     Err(e) => println!("do not trust it: {e}"),
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Verify`] names the check that failed.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Error> {
        let (keys, now) = (self.context.v3.platform.keys(), self.context.v3.clock.unix_seconds());
        verify::verify_signature(headers, body, now, &keys).map_err(|reason| {
            let reason = v3::certificates::refresh_for(&self.context.v3, reason);
            let mut error = verify::failure(reason, headers, None, &keys);
            if let Error::Verify(failed) = &mut error {
                failed.subject = VerifySubject::Message;
            }
            error
        })
    }

    /// The merchant number (mchid) of this client.
    pub fn mchid(&self) -> &str {
        &self.context.v3.merchant.mchid
    }
}

impl Index<&str> for WeChatPay {
    type Output = Chain;

    fn index(&self, path: &str) -> &Chain {
        self.nodes.get_or_insert(path, || self.chain(path))
    }
}

impl Clone for WeChatPay {
    fn clone(&self) -> Self {
        WeChatPay { context: Arc::clone(&self.context), nodes: Nodes::default() }
    }
}

/// Shows the merchant and the serials of the platform keys; never a key.
impl fmt::Debug for WeChatPay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeChatPay")
            .field("mchid", &Excerpt(&self.context.v3.merchant.mchid))
            .field("serial", &Excerpt(&self.context.v3.merchant.serial))
            .field("platform_keys", &Message(&self.context.v3.platform.keys().known()))
            .field("apiv3_key", &self.context.v3.apiv3_key.as_ref().map(|_| "…"))
            .field("base_url", &Excerpt(self.context.v3.defaults.base_url.as_str()))
            .finish_non_exhaustive()
    }
}
