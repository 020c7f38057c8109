use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::{Fault, delivery::Event};

const MOST: usize = 10_000;

/// Of a body, in bytes.
const LARGEST_SHOWN: usize = 8 << 10;

/// Of a URL or a type, in characters. They come out of requests, and ten thousand are kept.
const SHOWN: usize = 2048;

/// A notification that the sandbox sent, tried to send, or would not send.
#[derive(Clone)]
#[non_exhaustive]
pub struct SentNotification {
    /// The id in its envelope; the same in every attempt.
    pub id: String,
    /// Such as `TRANSACTION.SUCCESS`.
    pub event_type: String,
    /// Such as `transaction`.
    pub original_type: String,
    /// The `notify_url` as the request gave it.
    pub url: String,
    /// The headers of the last attempt: what was signed, and with which key. Empty before there is one.
    pub headers: HeaderMap,
    /// The body, the same in every attempt; empty when it has more than 8 KiB, because ten thousand are kept.
    pub body: Bytes,
    /// All attempts so far, oldest first.
    pub attempts: Vec<Attempt>,
    /// What has become of it.
    pub delivery: Delivery,
}

/// One attempt at a notification.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// When it began, by the machine's clock.
    pub at: SystemTime,
    /// The faults it met. With one of the signature's, it was sent ahead of the true one and did not count.
    pub faults: Vec<Fault>,
    /// The status of the receiver's answer, or why there was none. 200 and 204 accept.
    pub result: Result<u16, String>,
}

/// What has become of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// More attempts are to come.
    Pending,
    /// The receiver accepted it.
    Accepted,
    /// No attempt was accepted, and there will be no other.
    GivenUp,
    /// Nothing was sent, and why: most often a host that is not allowed.
    Refused(String),
}

/// Without the headers, which hold a signature.
impl fmt::Debug for SentNotification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentNotification")
            .field("id", &self.id)
            .field("event_type", &self.event_type)
            .field("original_type", &self.original_type)
            .field("url", &self.url)
            .field("body", &format_args!("{} bytes", self.body.len()))
            .field("attempts", &self.attempts)
            .field("delivery", &self.delivery)
            .finish_non_exhaustive()
    }
}

impl SentNotification {
    pub(super) fn new(id: &str, event: &Event) -> SentNotification {
        let short = |text: &str| text.chars().take(SHOWN).collect();
        SentNotification {
            id: id.into(),
            event_type: short(&event.event_type),
            original_type: short(&event.original_type),
            url: short(&event.notify_url),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            attempts: Vec::new(),
            delivery: Delivery::Pending,
        }
    }

    /// Whether no more attempts are to come.
    pub fn is_done(&self) -> bool {
        self.delivery != Delivery::Pending
    }

    pub(super) fn to_json(&self) -> Value {
        let (state, reason) = match &self.delivery {
            Delivery::Pending => ("PENDING", None),
            Delivery::Accepted => ("ACCEPTED", None),
            Delivery::GivenUp => ("GIVEN_UP", None),
            Delivery::Refused(why) => ("REFUSED", Some(why)),
        };
        let attempts: Vec<Value> = self.attempts.iter().map(Attempt::to_json).collect();
        let headers: Map<String, Value> = (self.headers.iter())
            .map(|(name, value)| (name.to_string(), json!(String::from_utf8_lossy(value.as_bytes()))))
            .collect();
        json!({
            "id": self.id,
            "event_type": self.event_type,
            "original_type": self.original_type,
            "url": self.url,
            "state": state,
            "reason": reason,
            "headers": headers,
            "body": String::from_utf8_lossy(&self.body),
            "attempts": attempts,
        })
    }
}

impl Attempt {
    fn to_json(&self) -> Value {
        let at = self.at.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let faults: Vec<String> = self.faults.iter().map(ToString::to_string).collect();
        let (status, error) = match &self.result {
            Ok(status) => (Some(status), None),
            Err(why) => (None, Some(why)),
        };
        json!({ "at": at, "faults": faults, "status": status, "error": error })
    }
}

/// The newest notifications. Each has a number that stays, so that an attempt finds its own.
#[derive(Default)]
pub(super) struct Sent {
    ring: Mutex<Ring>,
}

#[derive(Default)]
struct Ring {
    kept: VecDeque<SentNotification>,
    /// The number of the oldest that is kept.
    first: u64,
}

impl Ring {
    /// `None` once it has been pushed out.
    fn find(&mut self, number: u64) -> Option<&mut SentNotification> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.kept.get_mut(place)
    }
}

impl Sent {
    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, notification: SentNotification) -> u64 {
        let mut ring = self.ring();
        ring.kept.push_back(notification);
        if ring.kept.len() > MOST {
            ring.kept.pop_front();
            ring.first += 1;
        }
        ring.first + ring.kept.len() as u64 - 1
    }

    pub(super) fn attempt(&self, number: u64, attempt: Attempt) {
        tracing::debug!(number, result = ?attempt.result, "sandbox notification");
        if let Some(notification) = self.ring().find(number) {
            notification.attempts.push(attempt);
        }
    }

    /// What goes out now.
    pub(super) fn carries(&self, number: u64, headers: &HeaderMap, body: &Bytes) {
        if let Some(notification) = self.ring().find(number) {
            notification.headers = headers.clone();
            if body.len() <= LARGEST_SHOWN {
                notification.body = body.clone();
            }
        }
    }

    pub(super) fn end(&self, number: u64, delivery: Delivery) {
        if let Some(notification) = self.ring().find(number) {
            notification.delivery = delivery;
        }
    }

    pub(super) fn list(&self) -> Vec<SentNotification> {
        self.ring().kept.iter().cloned().collect()
    }

    pub(super) fn count(&self) -> usize {
        self.ring().kept.len()
    }

    /// The newest so many, the newest first.
    pub(super) fn newest(&self, count: usize) -> Vec<SentNotification> {
        self.ring().kept.iter().rev().take(count).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_is_bounded_and_the_numbers_stay() {
        let sent = Sent::default();
        let event = |text: String| Event {
            notify_url: text,
            event_type: String::new(),
            original_type: String::new(),
            summary: String::new(),
            resource: Value::Null,
        };
        for number in 0..=MOST as u64 {
            let notification = SentNotification::new("id", &event(number.to_string()));
            assert_eq!(sent.push(notification), number);
        }
        assert_eq!(sent.list().len(), MOST);
        sent.end(0, Delivery::GivenUp);
        sent.end(1, Delivery::Accepted);
        let list = sent.list();
        assert_eq!((list[0].url.as_str(), &list[0].delivery), ("1", &Delivery::Accepted));
        assert!(list[1..].iter().all(|other| !other.is_done()));
    }
}
