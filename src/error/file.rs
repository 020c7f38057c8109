//! The caller's own files and limits.

use std::{fmt, io};

use super::{Excerpt, Message, RequestId};

/// A file of the caller's cannot be read or written: an upload's, or a download's.
///
/// The [`source`](std::error::Error::source) is the operating system's error, if there is one.
#[derive(thiserror::Error)]
#[error("{}: {}{}", FileName(file), Message(what), if *maybe_sent { "; the platform may have received the request" } else { "" })]
pub struct FileError {
    /// The file's name; empty for a writer.
    pub(crate) file: String,
    /// What failed, in our words: the text of `source` is not repeated.
    pub(crate) what: String,
    pub(crate) maybe_sent: bool,
    pub(crate) source: Option<io::Error>,
}

impl FileError {
    /// Whether the platform may have received the request and carried it out. Always `false` for an upload: a file that
    /// cannot be read is never sent whole.
    pub fn maybe_sent(&self) -> bool {
        self.maybe_sent
    }
}

impl fmt::Debug for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileError")
            .field("file", &Message(&FileName(&self.file).to_string()))
            .field("what", &Message(&self.what))
            .field("maybe_sent", &self.maybe_sent)
            .field("source", &self.source)
            .finish()
    }
}

struct FileName<'a>(&'a str);

impl fmt::Display for FileName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => f.write_str("the writer"),
            name => write!(f, "the file {}", Excerpt(name)),
        }
    }
}

/// The status of a response that is not a success.
struct Failure(u16);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            200..=299 => Ok(()),
            status => write!(f, " (status {status})"),
        }
    }
}

/// The response is larger than the limit that the client is configured with. The platform may have carried
/// out the request.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: the response{} is larger than {limit} bytes{}; the platform may have received the request", Message(call), Failure(*status), RequestId(request_id.as_deref()))]
pub struct ResponseTooLargeError {
    pub(crate) call: String,
    /// Bytes.
    pub(crate) limit: u64,
    pub(crate) status: u16,
    pub(crate) request_id: Option<String>,
}

impl ResponseTooLargeError {
    /// The configured limit, in bytes.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// The HTTP status of the response, which is not verified.
    pub fn status(&self) -> u16 {
        self.status
    }
}
