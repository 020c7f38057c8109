//! The platform's certificates could not be had.

use std::sync::Arc;
use std::time::Duration;

use super::Error;

/// The platform's certificates could not be downloaded, so no response could be verified. Nothing was sent.
///
/// The [`source`](std::error::Error::source) is the error of the download itself.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no platform certificates, so no response could be verified: {what}; nothing was sent")]
pub struct PlatformKeysError {
    /// Why, in our words: the text of `cause` is not repeated.
    pub(crate) what: String,
    pub(crate) permanent: bool,
    pub(crate) retry_after: Option<Duration>,
    #[source]
    pub(crate) cause: Option<Arc<Error>>,
}

impl PlatformKeysError {
    /// Whether the same call fails until a setting changes: a wrong APIv3 key, a merchant without certificates.
    pub fn is_permanent(&self) -> bool {
        self.permanent
    }

    /// How long the next download is held back, if it is.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}
