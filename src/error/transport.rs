//! The exchange failed: no connection, a timeout, an incomplete response.

use super::{RequestId, Sanitized};

/// The exchange failed before the whole response had arrived.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}{}{}", Sanitized(call), RequestId(request_id.as_deref()), if *maybe_sent { "; the platform may have received the request" } else { "; nothing was sent" })]
pub struct TransportError {
    pub(crate) call: String,
    pub(crate) what: String,
    pub(crate) request_id: Option<String>,
    pub(crate) maybe_sent: bool,
    /// The connection could not be made, or broke. `false` for a slow or oversized response, and for a signer's failure.
    pub(crate) broken: bool,
    /// It broke, and had been idle before: the server may have closed it just then, unread.
    pub(crate) stale: bool,
    pub(crate) source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl TransportError {
    /// Whether the platform may have received the request and carried it out.
    ///
    /// `false`: it has not; no connection was made. `true`: query the order or the refund, or repeat the call with the
    /// same numbers, never with new ones ([PROTOCOL, Errors and retry](crate::guide::protocol#errors-and-retry)).
    pub fn maybe_sent(&self) -> bool {
        self.maybe_sent
    }
}
