//! A notification that was sent, with its attempts.

use std::{fmt, time::SystemTime};

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::event::Event;
use crate::error::Message;
use crate::sandbox::{faults::fault::Fault, http::clock};

/// The memory of an entry and of an attempt besides their text, about.
const ENTRY: usize = 512;
const ATTEMPT: usize = 128;

/// The largest body that is kept, in bytes.
pub(super) const MAX_BODY: usize = 8 << 10;

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
    /// The body of the last attempt; empty if it is larger than 8 KiB. It is the same in every attempt of the schedule. Sent
    /// again, or by a later run, the notification is encrypted anew: only its id stays.
    pub body: Bytes,
    /// The length of the body, also of one that is not kept.
    pub body_length: usize,
    /// The attempts so far, oldest first.
    pub attempts: Vec<Attempt>,
    /// The state of the delivery.
    pub delivery: Delivery,
    /// The event's summary and its resource as JSON, both before encryption. The resource is empty if it is larger than
    /// 8 KiB, or another text had to be shortened.
    pub(crate) summary: Box<str>,
    pub(crate) resource: Box<str>,
    pub(crate) resource_type: Option<Box<str>>,
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
    /// The beginning of the body of that response, up to 1,000 characters.
    pub response: String,
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
        let texts = [&event.event_type, &event.original_type, &event.notify_url, &event.summary];
        // With a shortened text, such as a URL, it would be another notification.
        let mut texts = texts.into_iter().chain(&event.resource_type);
        let is_kept = resource.len() <= MAX_BODY && texts.all(|text| short(text) == *text);
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
            resource: if is_kept { resource.into() } else { Box::default() },
            resource_type: event.resource_type.as_deref().map(|text| short(text).into()),
        }
    }

    /// The memory that it takes, about.
    pub(super) fn size(&self) -> usize {
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
            resource_type: self.resource_type.as_deref().map(str::to_owned),
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
        let at = clock::unix_seconds(self.at);
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

pub(super) fn short(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

impl Attempt {
    /// Without a response.
    pub(crate) fn failed(at: SystemTime, why: String) -> Attempt {
        Attempt { at, faults: Vec::new(), result: Err(why), response: String::new() }
    }

    fn size(&self) -> usize {
        let reason = self.result.as_ref().err().map_or(0, String::len);
        ATTEMPT + self.faults.len() * ATTEMPT + reason + self.response.len()
    }

    fn to_json(&self) -> Value {
        let at = clock::unix_seconds(self.at);
        let faults: Vec<String> = self.faults.iter().map(ToString::to_string).collect();
        let (status, error) = match &self.result {
            Ok(status) => (Some(status), None),
            Err(why) => (None, Some(why)),
        };
        json!({
            "at": at,
            "faults": faults,
            "counts": !self.faults.iter().any(Fault::breaks_signature),
            "status": status,
            "error": error,
            "response": self.response,
        })
    }
}
