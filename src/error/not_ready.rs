//! Files that the platform makes on request.

use super::{RequestId, Sanitized};

/// The platform is still making the file that was asked for: a receipt, for example. Ask again later.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the file is not ready (state {}): ask again later{}", Sanitized(state), RequestId(request_id.as_deref()))]
pub struct NotReadyError {
    pub(crate) state: String,
    pub(crate) request_id: Option<String>,
}

impl NotReadyError {
    /// The platform's word: `GENERATING` or `ACCEPTED`.
    pub fn state(&self) -> &str {
        &self.state
    }
}
