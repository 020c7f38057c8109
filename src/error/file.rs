//! The caller's own files and limits.

use super::{RequestId, Sanitized};

/// A file of the caller's cannot be read or written: an upload's, or a download's.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}{}", Sanitized(file), if *maybe_sent { "; the platform may have received the request" } else { "; nothing was sent" })]
pub struct FileError {
    /// The file's name, or the kind of the writer.
    pub(crate) file: String,
    /// What failed, in our words: the text of `source` is not repeated.
    pub(crate) what: String,
    pub(crate) maybe_sent: bool,
    pub(crate) source: Option<std::io::Error>,
}

impl FileError {
    /// Whether the platform may have received the request and carried it out. Always `false` for an upload's file that
    /// cannot be read.
    pub fn maybe_sent(&self) -> bool {
        self.maybe_sent
    }
}

/// The response is larger than the limit that the client is configured with. The platform has carried out the request.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: the response is larger than {limit} bytes{}; the platform may have received the request", Sanitized(call), RequestId(request_id.as_deref()))]
pub struct ResponseTooLargeError {
    pub(crate) call: String,
    /// Bytes.
    pub(crate) limit: u64,
    pub(crate) request_id: Option<String>,
}

impl ResponseTooLargeError {
    /// The configured limit, in bytes.
    pub fn limit(&self) -> u64 {
        self.limit
    }
}
