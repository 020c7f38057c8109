use std::{collections::VecDeque, fmt, time::SystemTime};

use bytes::Bytes;
use http::HeaderMap;

use super::diagnosis::Diagnosis;

const MOST_REQUESTS: usize = 10_000;

/// Ten thousand uploads would not fit into memory; the newest request is kept whatever its size.
const MOST_BYTES: usize = 128 << 20;

/// A request as it arrived, and what the sandbox thought of it.
#[derive(Clone)]
#[non_exhaustive]
pub struct SeenRequest {
    /// Its number, from 1; set by the ring.
    pub(super) number: u64,
    /// When it was answered, by the machine's clock.
    pub at: SystemTime,
    /// The verb.
    pub method: String,
    /// Path and query exactly as on the request line, a base path's prefix included.
    pub target: String,
    /// All headers. `Authorization` is marked sensitive, so that it stays out of `Debug`.
    pub headers: HeaderMap,
    /// The raw body; empty when it was too large to be read.
    pub body: Bytes,
    /// The message that the signature was expected to be over. Empty when there was none to tell: the
    /// `Authorization` header, or an upload's `meta` part, was missing or not readable.
    pub signed_message: Bytes,
    /// What came of the checks. Faults and scripted answers do not show here.
    pub verdict: Verdict,
    /// Of a signature that does not fit.
    pub(super) diagnosis: Option<Box<Diagnosis>>,
}

/// What came of a request's checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All checks passed, and there is something to answer: a script, a route, or an empty object for a path that
    /// is not modelled.
    Accepted,
    /// The platform's refusal.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Such as `SIGN_ERROR`.
        code: String,
        /// The text beside the code.
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

impl SeenRequest {
    fn weight(&self) -> usize {
        self.body.len() + self.signed_message.len() + self.target.len()
    }
}

/// The newest requests, bounded in number and in bytes.
#[derive(Default)]
pub(super) struct Ring {
    kept: VecDeque<SeenRequest>,
    bytes: usize,
    pushed: u64,
}

impl Ring {
    pub(super) fn push(&mut self, mut request: SeenRequest) {
        self.pushed += 1;
        request.number = self.pushed;
        self.bytes += request.weight();
        self.kept.push_back(request);
        while self.kept.len() > MOST_REQUESTS || (self.bytes > MOST_BYTES && self.kept.len() > 1) {
            let gone = self.kept.pop_front().map_or(0, |oldest| oldest.weight());
            self.bytes -= gone;
        }
    }

    pub(super) fn list(&self) -> Vec<SeenRequest> {
        self.kept.iter().cloned().collect()
    }

    /// The newest so many, the newest first.
    pub(super) fn newest(&self, count: usize) -> Vec<SeenRequest> {
        self.kept.iter().rev().take(count).cloned().collect()
    }

    /// How many there are, and how many of them were refused.
    pub(super) fn counts(&self) -> (usize, usize) {
        let refused = self.kept.iter().filter(|request| request.verdict != Verdict::Accepted).count();
        (self.kept.len(), refused)
    }

    pub(super) fn clear(&mut self) {
        *self = Ring { pushed: self.pushed, ..Ring::default() };
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
    fn the_ring_is_bounded_in_number_and_in_bytes() {
        let mut ring = Ring::default();
        for size in 0..=MOST_REQUESTS {
            ring.push(request(size % 2));
        }
        assert_eq!(ring.kept.len(), MOST_REQUESTS);
        assert_eq!(ring.kept.back().unwrap().body.len(), MOST_REQUESTS % 2);
        ring.push(request(MOST_BYTES + 1));
        assert_eq!(ring.kept.len(), 1);
        ring.push(request(1));
        assert_eq!((ring.kept.len(), ring.bytes), (1, 1));
    }
}
