//! The exchange failed: no connection, a timeout, an incomplete response.

use std::fmt;

use super::{Cause, Message, RequestId};

/// The exchange failed before the whole response had arrived.
///
/// The message says how, in our words. The [`source`](std::error::Error::source) is the HTTP library's error.
#[derive(thiserror::Error)]
#[error("{}: {}{}{}", Message(call), Message(what), RequestId(request_id.as_deref()), if *maybe_sent { "; the platform may have received the request" } else { "; nothing was sent" })]
pub struct TransportError {
    pub(crate) call: String,
    pub(crate) what: String,
    pub(crate) request_id: Option<String>,
    pub(crate) maybe_sent: bool,
    /// No connection could be made.
    pub(crate) connect: bool,
    /// The connection could not be made, or broke, and another host may do better. `false` for a slow response, and for a
    /// signer's failure.
    pub(crate) broken: bool,
    /// It broke, and had been idle before: the server may have closed it just then, unread.
    pub(crate) stale: bool,
    pub(crate) timeout: bool,
    pub(crate) source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl TransportError {
    /// Whether the platform may have received the request and carried it out.
    ///
    /// `false`: it has not; no connection was made. `true`: query the order or the refund, or repeat the call with the
    /// same numbers, never with new ones ([PROTOCOL, Errors and retry](crate::guide::protocol#errors-and-retry)). Also
    /// `true` if the call's timeout ends while the connection is still being made, which the HTTP library does not tell.
    pub fn maybe_sent(&self) -> bool {
        self.maybe_sent
    }

    /// Whether no connection could be made: the host was not found, it refused, its certificate is not trusted, this
    /// machine has no root certificates, the proxy refused. Nothing was sent.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// use wechatpay_chain::Error;
    /// let wx = sandbox.client_builder().base_url("http://127.0.0.1:9/").build()?; // nothing listens there
    /// let Err(Error::Transport(error)) = wx["v3/certificates"].get_sync() else { panic!() };
    /// assert!(error.is_connect() && !error.is_timeout() && !error.maybe_sent());
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn is_connect(&self) -> bool {
        self.connect
    }

    /// Whether a timeout ended the exchange: that of the call, that of connecting, or the operating system's for a
    /// connection whose other side has not reacted for half a minute.
    pub fn is_timeout(&self) -> bool {
        self.timeout
    }
}

impl fmt::Debug for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportError")
            .field("call", &Message(&self.call))
            .field("what", &Message(&self.what))
            .field("request_id", &self.request_id)
            .field("maybe_sent", &self.maybe_sent)
            .field("connect", &self.connect)
            .field("broken", &self.broken)
            .field("timeout", &self.timeout)
            .field("source", &Cause(self.source.as_deref()))
            .finish()
    }
}
