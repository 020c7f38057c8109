//! The platform's certificates could not be had.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Error;

/// The platform's certificates could not be downloaded, or not yet again. Without any platform key no response could be
/// verified, so the call was not sent.
///
/// The [`source`](std::error::Error::source) is the error of the last download, if it failed: an [`Error`].
///
/// ```
/// # use wechatpay_chain::{Error, WeChatPay};
/// # async fn f(wx: WeChatPay) {
/// if let Err(Error::PlatformKeys(error)) = wx.refresh_certificates().await {
///     match error.retry_after() {
///         _ if error.is_permanent() => println!("fix the setting: {error}"),
///         Some(pause) => println!("again in {} s: {error}", pause.as_secs()),
///         None => println!("again later: {error}"),
///     }
/// }
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PlatformKeysError {
    /// Why, in our words: the text of `cause` is not repeated.
    pub(crate) what: String,
    pub(crate) permanent: bool,
    pub(crate) retry_after: Option<Duration>,
    /// Whether it ended a call.
    pub(crate) unsent: bool,
    pub(crate) cause: Option<Arc<Error>>,
}

impl fmt::Display for PlatformKeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        f.write_str(if self.unsent { "; nothing was sent" } else { "" })
    }
}

impl std::error::Error for PlatformKeysError {
    /// Not the `Arc` that all who wait for the download share: a caller looks for an [`Error`].
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

impl PlatformKeysError {
    /// Whether the same call fails until a setting changes: a wrong APIv3 key, a merchant without certificates, a request
    /// that the platform refuses.
    pub fn is_permanent(&self) -> bool {
        self.permanent
    }

    /// How long the next download is held back from now, by the client's clock; `None` if it is not. A call before that
    /// fails without a download.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}
