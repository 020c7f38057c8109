//! The log of received requests.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    expectations::Expectations,
    page::{Page, Window},
    records::Unsaved,
    seen_request::{SeenRequest, Sent, Verdict},
    watcher::{Seen, Watcher},
};

const MAX_REQUESTS: usize = 10_000;

/// Bounds the memory of large bodies. The newest request is always kept.
const MAX_BYTES: usize = 128 << 20;

/// The newest requests, bounded in number and in bytes.
#[derive(Default)]
pub(crate) struct RequestLog {
    entries: Mutex<Entries>,
    /// The number of the newest request.
    last: AtomicU64,
    watcher: Watcher,
    pub(crate) expectations: Expectations,
}

#[derive(Default)]
struct Entries {
    /// Shared, so that they can be searched without the lock.
    requests: VecDeque<Arc<SeenRequest>>,
    bytes: usize,
    /// The number of requests that the log had to drop.
    dropped: u64,
    /// The numbers of the finished requests that the state file does not have yet; `None` without one.
    unsaved: Option<BTreeSet<u64>>,
    /// The requests of earlier runs have lower numbers.
    first_of_run: u64,
    /// The state file still has requests that were cleared.
    cleared: bool,
}

impl Entries {
    fn push(&mut self, request: SeenRequest) {
        self.bytes += request.size();
        self.requests.push_back(Arc::new(request));
        while self.requests.len() > MAX_REQUESTS || (self.bytes > MAX_BYTES && self.requests.len() > 1) {
            let removed = self.requests.pop_front().map_or(0, |oldest| oldest.size());
            self.bytes -= removed;
            self.dropped += 1;
        }
    }
}

impl RequestLog {
    pub(crate) fn new(watcher: Watcher) -> RequestLog {
        RequestLog { watcher, ..RequestLog::default() }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        // A panic elsewhere must not stop the sandbox: no change is ever half-written.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a request that arrives now.
    pub(crate) fn next_number(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The number of the newest request.
    pub(crate) fn last_number(&self) -> u64 {
        self.last.load(Ordering::Relaxed)
    }

    /// Records a request before its response is sent, so that it is listed once the client has the response.
    pub(crate) fn push(&self, request: SeenRequest) {
        self.expectations.count(&request);
        self.entries().push(request);
    }

    /// Records how much of the response was sent.
    pub(crate) fn finish(&self, number: u64, sent: Sent, duration: Duration) {
        let mut entries = self.entries();
        // `None` if the log was cleared.
        let Some(request) = entries.requests.iter_mut().rev().find(|request| request.number == number) else {
            return;
        };
        let request = Arc::make_mut(request);
        request.duration = duration;
        request.response.sent = sent;
        if sent == Sent::ClientLeft {
            request.verdict = Verdict::Disturbed;
        }
        let shown = self.watcher.is_there().then(|| request.clone());
        if let Some(unsaved) = &mut entries.unsaved {
            unsaved.insert(number);
        }
        drop(entries);
        if let Some(request) = shown {
            self.watcher.show(Seen::Request(&request));
        }
    }

    pub(crate) fn list(&self) -> Vec<SeenRequest> {
        self.shared().iter().map(|request| (**request).clone()).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.entries().requests.len()
    }

    /// The number of requests that the log had to drop.
    pub(crate) fn dropped(&self) -> u64 {
        self.entries().dropped
    }

    /// A search of all bodies takes long: it must not hold up requests.
    fn shared(&self) -> Vec<Arc<SeenRequest>> {
        self.entries().requests.iter().cloned().collect()
    }

    /// Newest first.
    pub(crate) fn newest(&self, count: usize) -> Vec<SeenRequest> {
        self.shared().iter().rev().take(count).map(|request| (**request).clone()).collect()
    }

    pub(crate) fn page(&self, matches: impl Fn(&SeenRequest) -> bool, window: Window) -> Page<SeenRequest> {
        let all = self.shared();
        let mut found: Vec<&SeenRequest> =
            all.iter().rev().map(|request| &**request).filter(|request| matches(request)).collect();
        // They are recorded in the order of their responses.
        found.sort_by_key(|request| Reverse(request.number));
        let numbers: Vec<u64> = found.iter().map(|request| request.number).collect();
        let (indices, place) = window.place(&numbers);
        Page { items: indices.into_iter().map(|index| found[index].clone()).collect(), place }
    }

    pub(crate) fn by_number(&self, number: u64) -> Option<SeenRequest> {
        self.shared().iter().rev().find(|request| request.number == number).map(|request| (**request).clone())
    }

    /// The statuses of all responses, each once.
    pub(crate) fn statuses(&self) -> Vec<u16> {
        let statuses: BTreeSet<u16> =
            self.entries().requests.iter().map(|request| request.response.status).collect();
        statuses.into_iter().collect()
    }

    /// The numbering goes on.
    pub(crate) fn clear(&self) {
        let mut entries = self.entries();
        entries.requests.clear();
        entries.bytes = 0;
        entries.cleared = true;
    }

    /// The requests of this run.
    pub(crate) fn of_this_run(&self) -> Vec<SeenRequest> {
        let first = self.entries().first_of_run;
        self.list().into_iter().filter(|request| request.number >= first).collect()
    }

    /// Continues the log of earlier runs, and collects what the state file has to get.
    pub(super) fn keep(&mut self, requests: Vec<SeenRequest>) {
        let last = requests.last().map_or(0, |request| request.number);
        let entries = self.entries.get_mut().unwrap_or_else(PoisonError::into_inner);
        requests.into_iter().for_each(|request| entries.push(request));
        entries.unsaved = Some(BTreeSet::new());
        entries.first_of_run = last + 1;
        self.last = AtomicU64::new(last);
    }

    /// At most `max` requests to write. `None` if there are none.
    pub(super) fn take_unsaved(&self, max: usize) -> Option<Unsaved<SeenRequest>> {
        let mut entries = self.entries();
        let Entries { requests, unsaved, cleared, .. } = &mut *entries;
        let unsaved = unsaved.as_mut()?;
        if unsaved.is_empty() && !std::mem::take(cleared) {
            return None;
        }
        let rest = unsaved.iter().nth(max).copied().map(|first| unsaved.split_off(&first));
        let taken = std::mem::replace(unsaved, rest.unwrap_or_default());
        let found = requests.iter().filter(|request| taken.contains(&request.number));
        Some(Unsaved {
            records: found.map(|request| (request.number, (**request).clone())).collect(),
            oldest: requests.iter().map(|request| request.number).min().unwrap_or(u64::MAX),
            more: !unsaved.is_empty(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;
    use crate::sandbox::{
        auth::verify::SignatureVerdict,
        store::seen_request::{EndpointKind, RecordedResponse},
    };

    fn request(size: usize) -> SeenRequest {
        SeenRequest {
            number: 7,
            at: SystemTime::UNIX_EPOCH,
            duration: Duration::ZERO,
            method: "GET".into(),
            target: String::new(),
            headers: HeaderMap::new(),
            body: vec![0; size].into(),
            body_length: size,
            signed_message: Bytes::new(),
            signed_message_length: 0,
            signature: SignatureVerdict::Valid,
            endpoint: EndpointKind::Modelled,
            faults: Vec::new(),
            verdict: Verdict::Accepted,
            response: RecordedResponse::new(StatusCode::OK, HeaderMap::new(), &Bytes::new()),
            passed: true,
            hints: Vec::new(),
            diagnosis: None,
        }
    }

    #[test]
    fn a_request_whose_client_left_was_not_accepted() {
        let log = RequestLog::default();
        log.push(request(0));
        log.finish(8, Sent::Whole, Duration::ZERO);
        assert_eq!(log.list()[0].response.sent, Sent::Pending);
        log.finish(7, Sent::ClientLeft, Duration::from_millis(5));
        let seen = &log.list()[0];
        assert_eq!((seen.response.sent, &seen.verdict), (Sent::ClientLeft, &Verdict::Disturbed));
        assert_eq!(seen.duration, Duration::from_millis(5));
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
        // Responses and headers count, too.
        let mut large = request(0);
        let body = Bytes::from(vec![0; 100_000]);
        large.response = RecordedResponse::new(StatusCode::OK, HeaderMap::new(), &body);
        large.headers.insert("x-long", "y".repeat(1_000).parse().unwrap());
        for _ in 0..MAX_REQUESTS {
            entries.push(large.clone());
        }
        assert!(
            entries.bytes <= MAX_BYTES && entries.requests.len() < MAX_BYTES / 65_000,
            "{}",
            entries.bytes
        );
    }
}
