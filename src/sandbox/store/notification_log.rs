//! The log of notifications and their attempts.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::{
    event::Event,
    page::{Page, Window},
    watcher::{Seen, Watcher},
};
use crate::error::Message;
use crate::sandbox::{faults::fault::Fault, http::clock};

const MAX_NOTIFICATIONS: usize = 10_000;

/// Of all notifications together, with their attempts. The newest is always kept.
const MAX_BYTES: usize = 32 << 20;

/// The memory of an entry and of an attempt besides their text, about.
const ENTRY: usize = 512;
const ATTEMPT: usize = 128;

/// The largest body that is kept, in bytes.
const MAX_BODY: usize = 8 << 10;

/// The characters of a URL, a type or a reason that are kept. Requests and receivers determine them.
const MAX_TEXT: usize = 2048;

/// The characters of a URL in a line.
const MAX_LINE_URL: usize = 200;

/// A notification that the sandbox sent, tried to send or refused to send.
///
/// [`Display`](fmt::Display) is one line about its last attempt, without control characters and keys.
#[derive(Clone)]
#[non_exhaustive]
pub struct SentNotification {
    /// The id of the notification; the same in every attempt.
    pub id: String,
    /// Such as `TRANSACTION.SUCCESS`.
    pub event_type: String,
    /// Such as `transaction`.
    pub original_type: String,
    /// The `notify_url` of the request.
    pub url: String,
    /// When the event occurred, by the machine's clock.
    pub at: SystemTime,
    /// The headers of the last attempt, with its signature; empty before the first attempt.
    pub headers: HeaderMap,
    /// The body, the same in every attempt; empty if it is larger than 8 KiB.
    pub body: Bytes,
    /// The length of the body, also of one that is not kept.
    pub body_length: usize,
    /// The attempts so far, oldest first.
    pub attempts: Vec<Attempt>,
    /// The state of the delivery.
    pub delivery: Delivery,
    /// The event's summary and its resource as JSON, both before encryption. The resource is empty if it is larger than
    /// 8 KiB.
    pub(crate) summary: Box<str>,
    pub(crate) resource: Box<str>,
}

/// One attempt to send a notification.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// The start of the attempt, by the machine's clock.
    pub at: SystemTime,
    /// The faults of this attempt. With a signature fault it was an extra copy, sent first and not counted.
    pub faults: Vec<Fault>,
    /// The status of the receiver's response, or why there was none. 200 and 204 accept the notification.
    pub result: Result<u16, String>,
}

/// The state of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// More attempts will follow.
    Pending,
    /// The receiver accepted it.
    Accepted,
    /// No attempt was accepted, and none will follow.
    GivenUp,
    /// Nothing was sent, for this reason; usually the host is not allowed.
    Refused(String),
}

/// Without the headers, which contain a signature.
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
    pub(crate) fn new(id: &str, event: &Event) -> SentNotification {
        let resource = event.resource.to_string();
        SentNotification {
            id: id.into(),
            event_type: short(&event.event_type),
            original_type: short(&event.original_type),
            url: short(&event.notify_url),
            at: clock::system_time(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            body_length: 0,
            attempts: Vec::new(),
            delivery: Delivery::Pending,
            summary: event.summary.chars().take(MAX_TEXT).collect(),
            resource: if resource.len() <= MAX_BODY { resource.into() } else { Box::default() },
        }
    }

    /// The memory that it takes, about.
    fn size(&self) -> usize {
        let reason = match &self.delivery {
            Delivery::Refused(why) => why.len(),
            _ => 0,
        };
        let headers: usize = self.headers.values().map(|value| value.len() + ATTEMPT).sum();
        let attempts: usize = self.attempts.iter().map(Attempt::size).sum();
        let texts = [&self.id, &self.event_type, &self.original_type, &self.url].map(String::len);
        let texts = texts.iter().sum::<usize>() + self.summary.len() + self.resource.len();
        ENTRY + texts + reason + headers + self.body.len() + attempts
    }

    /// Whether no more attempts will follow.
    pub fn is_done(&self) -> bool {
        self.delivery != Delivery::Pending
    }

    /// The event again. `None` if it is too large to be kept.
    pub(crate) fn event(&self) -> Option<Event> {
        Some(Event {
            notify_url: self.url.clone(),
            event_type: self.event_type.clone(),
            original_type: self.original_type.clone(),
            summary: self.summary.to_string(),
            resource: serde_json::from_str(&self.resource).ok()?,
        })
    }

    pub(crate) fn to_json(&self) -> Value {
        let (state, reason) = match &self.delivery {
            Delivery::Pending => ("PENDING", None),
            Delivery::Accepted => ("ACCEPTED", None),
            Delivery::GivenUp => ("GIVEN_UP", None),
            Delivery::Refused(why) => ("REFUSED", Some(why)),
        };
        let at = self.at.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let attempts: Vec<Value> = self.attempts.iter().map(Attempt::to_json).collect();
        let headers: Map<String, Value> = (self.headers.iter())
            .map(|(name, value)| (name.to_string(), json!(String::from_utf8_lossy(value.as_bytes()))))
            .collect();
        json!({
            "id": self.id,
            "event_type": self.event_type,
            "original_type": self.original_type,
            "url": self.url,
            "at": at,
            "state": state,
            "reason": reason,
            "resource": serde_json::from_str::<Value>(&self.resource).ok(),
            "headers": headers,
            "body": String::from_utf8_lossy(&self.body),
            "body_length": self.body_length,
            "attempts": attempts,
        })
    }
}

impl fmt::Display for SentNotification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url: String = self.url.chars().take(MAX_LINE_URL).collect();
        let cut = if url.len() < self.url.len() { "…" } else { "" };
        // A copy with a wrong signature does not count.
        let counted = |attempt: &&Attempt| !attempt.faults.iter().any(Fault::breaks_signature);
        let count = self.attempts.iter().filter(counted).count();
        let end = match (&self.delivery, self.attempts.last()) {
            (Delivery::Refused(why), _) => format!("not sent: {why}"),
            (Delivery::GivenUp, _) => format!("given up after {count} attempts"),
            (_, None) => "waits".into(),
            (_, Some(attempt)) if !counted(&attempt) => format!("faulty copy: {attempt}"),
            (_, Some(attempt)) => format!("attempt {count}: {attempt}"),
        };
        let line = format!("notification {} to {url}{cut}, {end}", self.event_type);
        write!(f, "{}", Message(&line))
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.result {
            Ok(status @ (200 | 204)) => write!(f, "{status} accepted")?,
            Ok(status) => write!(f, "{status} not accepted")?,
            Err(why) => write!(f, "{}", Message(why))?,
        }
        for fault in &self.faults {
            write!(f, ", fault {}", Message(&fault.to_string()))?;
        }
        Ok(())
    }
}

fn short(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

impl Attempt {
    fn size(&self) -> usize {
        ATTEMPT + self.faults.len() * ATTEMPT + self.result.as_ref().err().map_or(0, String::len)
    }

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

/// The newest notifications. Each keeps its number, so that its attempts find it.
#[derive(Default)]
pub(crate) struct NotificationLog {
    entries: Mutex<Entries>,
    watcher: Watcher,
}

#[derive(Default)]
struct Entries {
    notifications: VecDeque<SentNotification>,
    /// The number of the oldest entry, which is that of the dropped ones, too.
    first: u64,
    bytes: usize,
}

impl Entries {
    /// `None` if the notification was dropped from the log.
    fn find(&self, number: u64) -> Option<&SentNotification> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.notifications.get(index)
    }

    /// Does nothing if the notification was dropped from the log.
    fn change(&mut self, number: u64, change: impl FnOnce(&mut SentNotification)) {
        let index = number.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        let Some(notification) = index.and_then(|index| self.notifications.get_mut(index)) else { return };
        let before = notification.size();
        change(notification);
        self.bytes = self.bytes + notification.size() - before;
        self.shorten();
    }

    fn push(&mut self, notification: SentNotification) {
        self.bytes += notification.size();
        self.notifications.push_back(notification);
        self.shorten();
    }

    fn shorten(&mut self) {
        let too_much = |entries: &Entries| {
            let count = entries.notifications.len();
            count > MAX_NOTIFICATIONS || (entries.bytes > MAX_BYTES && count > 1)
        };
        while too_much(self) {
            self.bytes -= self.notifications.pop_front().map_or(0, |oldest| oldest.size());
            self.first += 1;
        }
    }
}

impl NotificationLog {
    pub(crate) fn new(watcher: Watcher) -> NotificationLog {
        NotificationLog { watcher, ..NotificationLog::default() }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        // A panic elsewhere must not stop the sandbox: no change is ever half-written.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of the entry.
    pub(crate) fn push(&self, notification: SentNotification) -> u64 {
        let mut entries = self.entries();
        entries.push(notification);
        entries.first + entries.notifications.len() as u64 - 1
    }

    pub(crate) fn add_attempt(&self, number: u64, attempt: Attempt) {
        tracing::debug!(number, result = ?attempt.result, "sandbox notification");
        let Attempt { at, faults, result } = attempt;
        let attempt = Attempt { at, faults, result: result.map_err(|why| short(&why)) };
        self.change(number, true, |notification| notification.attempts.push(attempt));
    }

    fn change(&self, number: u64, shown: bool, change: impl FnOnce(&mut SentNotification)) {
        let mut entries = self.entries();
        entries.change(number, change);
        let shown = (shown && self.watcher.is_there()).then(|| entries.find(number).cloned()).flatten();
        drop(entries);
        if let Some(notification) = shown {
            self.watcher.show(Seen::Notification(&notification));
        }
    }

    /// Records the headers and body of an attempt.
    pub(crate) fn set_content(&self, number: u64, headers: &HeaderMap, body: &Bytes) {
        self.entries().change(number, |notification| {
            notification.headers = headers.clone();
            notification.body_length = body.len();
            if body.len() <= MAX_BODY {
                notification.body = body.clone();
            }
        });
    }

    pub(crate) fn finish(&self, number: u64, delivery: Delivery) {
        let delivery = match delivery {
            Delivery::Refused(why) => Delivery::Refused(short(&why)),
            other => other,
        };
        // The last attempt has shown that it was accepted.
        let shown = delivery != Delivery::Accepted;
        self.change(number, shown, |notification| notification.delivery = delivery);
    }

    /// How the delivery ended. `None`: more attempts will follow, or the log no longer has the notification.
    pub(crate) fn outcome(&self, number: u64) -> Option<Delivery> {
        let delivery = self.entries().find(number)?.delivery.clone();
        (delivery != Delivery::Pending).then_some(delivery)
    }

    /// The newest notification with this id, and its number.
    pub(crate) fn by_id(&self, id: &str) -> Option<(u64, SentNotification)> {
        let entries = self.entries();
        let (index, found) = entries.notifications.iter().enumerate().rfind(|(_, one)| one.id == id)?;
        Some((entries.first + index as u64, found.clone()))
    }

    pub(crate) fn page(
        &self,
        matches: impl Fn(&SentNotification) -> bool,
        window: Window,
    ) -> Page<(u64, SentNotification)> {
        let entries = self.entries();
        let end = entries.first + entries.notifications.len() as u64;
        let all = entries.notifications.iter().rev().zip((entries.first..end).rev());
        let (found, numbers): (Vec<_>, Vec<_>) = all.filter(|(one, _)| matches(one)).unzip();
        let (indices, place) = window.place(&numbers);
        let items = indices.into_iter().map(|index| (numbers[index], found[index].clone())).collect();
        Page { items, place }
    }

    /// The number of notifications that the log had to drop.
    pub(crate) fn dropped(&self) -> u64 {
        self.entries().first
    }

    pub(crate) fn list(&self) -> Vec<SentNotification> {
        self.entries().notifications.iter().cloned().collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.entries().notifications.len()
    }

    /// Newest first.
    pub(crate) fn newest(&self, count: usize) -> Vec<SentNotification> {
        self.entries().notifications.iter().rev().take(count).cloned().collect()
    }
}

#[cfg(test)]
mod tests;
