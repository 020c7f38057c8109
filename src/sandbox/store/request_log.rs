//! The log of received requests.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use bytes::Bytes;
use http::HeaderMap;

use super::{
    expectations::Expectations,
    page::{Page, Window},
};
use crate::sandbox::{auth::diagnosis::Diagnosis, http::error_response::ErrorResponse};

const MAX_REQUESTS: usize = 10_000;

/// Bounds the memory of large uploads. The newest request is always kept.
const MAX_BYTES: usize = 128 << 20;

/// A received request and the result of its checks.
#[derive(Clone)]
#[non_exhaustive]
pub struct SeenRequest {
    /// Counts the requests from 1; set by the log.
    pub(crate) number: u64,
    /// The time of the response, by the machine's clock.
    pub at: SystemTime,
    /// The HTTP method.
    pub method: String,
    /// Path and query exactly as on the request line, including the path of the base URL.
    pub target: String,
    /// All headers. `Authorization` is marked as sensitive, so that `Debug` does not show it.
    pub headers: HeaderMap,
    /// The raw body; empty if it was too large.
    pub body: Bytes,
    /// The message that the signature should cover. Empty if the request does not determine it: the
    /// `Authorization` header or the `meta` part of an upload is missing or malformed.
    pub signed_message: Bytes,
    /// The result of the checks. It does not reflect faults and scripted responses.
    pub verdict: Verdict,
    /// For a signature that does not match.
    pub(crate) diagnosis: Option<Box<Diagnosis>>,
}

/// The result of the checks of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All checks passed, and a script, a modelled endpoint or the default (an empty object) responds.
    Accepted,
    /// The request got an error of the platform.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Such as `SIGN_ERROR`.
        code: String,
        /// The message of the error.
        message: String,
    },
}

impl fmt::Debug for SeenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeenRequest")
            .field("at", &self.at)
            .field("method", &self.method)
            .field("target", &self.target)
            .field("headers", &self.headers)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("verdict", &self.verdict)
            .finish_non_exhaustive()
    }
}

impl Verdict {
    pub(crate) fn of_error(error: &ErrorResponse) -> Verdict {
        Verdict::Refused { status: error.status, code: error.code.into(), message: error.message.clone() }
    }
}

impl SeenRequest {
    fn size(&self) -> usize {
        self.body.len() + self.signed_message.len() + self.target.len()
    }
}

/// The newest requests, bounded in number and in bytes.
#[derive(Default)]
pub(crate) struct RequestLog {
    entries: Mutex<Entries>,
    pub(crate) expectations: Expectations,
}

#[derive(Default)]
struct Entries {
    requests: VecDeque<SeenRequest>,
    bytes: usize,
    total: u64,
}

impl Entries {
    fn push(&mut self, mut request: SeenRequest) {
        self.total += 1;
        request.number = self.total;
        self.bytes += request.size();
        self.requests.push_back(request);
        while self.requests.len() > MAX_REQUESTS || (self.bytes > MAX_BYTES && self.requests.len() > 1) {
            let removed = self.requests.pop_front().map_or(0, |oldest| oldest.size());
            self.bytes -= removed;
        }
    }
}

impl RequestLog {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        // A panic elsewhere must not stop the sandbox: no change is ever half-written.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, request: SeenRequest) {
        self.expectations.count(&request);
        self.entries().push(request);
    }

    pub(crate) fn list(&self) -> Vec<SeenRequest> {
        self.entries().requests.iter().cloned().collect()
    }

    /// Newest first.
    pub(crate) fn newest(&self, count: usize) -> Vec<SeenRequest> {
        self.entries().requests.iter().rev().take(count).cloned().collect()
    }

    pub(crate) fn get(&self, number: u64) -> Option<SeenRequest> {
        let entries = self.entries();
        let index = entries.requests.binary_search_by_key(&number, |request| request.number).ok()?;
        entries.requests.get(index).cloned()
    }

    pub(crate) fn page(
        &self,
        matches: impl Fn(&SeenRequest) -> bool,
        window: Window,
    ) -> Page<SeenRequest> {
        let entries = self.entries();
        let found: Vec<&SeenRequest> =
            entries.requests.iter().rev().filter(|request| matches(request)).collect();
        let numbers: Vec<u64> = found.iter().map(|request| request.number).collect();
        let (range, place) = window.place(&numbers);
        Page { items: found[range].iter().copied().cloned().collect(), place }
    }

    /// The number of requests, and of refused ones among them.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let entries = self.entries();
        let refused = entries.requests.iter().filter(|request| request.verdict != Verdict::Accepted).count();
        (entries.requests.len(), refused)
    }

    /// The numbering goes on.
    pub(crate) fn clear(&self) {
        let mut entries = self.entries();
        *entries = Entries { total: entries.total, ..Entries::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(size: usize) -> SeenRequest {
        SeenRequest {
            number: 0,
            at: SystemTime::UNIX_EPOCH,
            method: "GET".into(),
            target: String::new(),
            headers: HeaderMap::new(),
            body: vec![0; size].into(),
            signed_message: Bytes::new(),
            verdict: Verdict::Accepted,
            diagnosis: None,
        }
    }

    #[test]
    fn the_log_is_bounded_in_number_and_in_bytes() {
        let mut entries = Entries::default();
        for size in 0..=MAX_REQUESTS {
            entries.push(request(size % 2));
        }
        assert_eq!(entries.requests.len(), MAX_REQUESTS);
        assert_eq!(entries.requests.back().unwrap().body.len(), MAX_REQUESTS % 2);
        entries.push(request(MAX_BYTES + 1));
        assert_eq!(entries.requests.len(), 1);
        entries.push(request(1));
        assert_eq!((entries.requests.len(), entries.bytes), (1, 1));
    }
}
