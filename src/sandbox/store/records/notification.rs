//! A notification in the state file.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::forms::{self, Content};
use crate::sandbox::store::sent_notification::{Attempt, Delivery, SentNotification};

// The names of the fields are part of the state file.
#[derive(Serialize, Deserialize)]
pub(super) struct NotificationRecord {
    id: String,
    event_type: String,
    original_type: String,
    url: String,
    at: SystemTime,
    headers: Vec<(String, Content)>,
    body: Content,
    body_length: usize,
    attempts: Vec<AttemptRecord>,
    state: State,
    summary: Box<str>,
    resource: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource_type: Option<Box<str>>,
}

#[derive(Serialize, Deserialize)]
struct AttemptRecord {
    at: SystemTime,
    faults: Vec<String>,
    result: Result<u16, String>,
    #[serde(default)]
    response: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Pending,
    Accepted,
    GivenUp,
    Refused(String),
}

impl NotificationRecord {
    pub(super) fn new(sent: &SentNotification) -> NotificationRecord {
        let attempts = sent.attempts.iter().map(|attempt| AttemptRecord {
            at: attempt.at,
            faults: forms::faults(&attempt.faults),
            result: attempt.result.clone(),
            response: attempt.response.clone(),
        });
        NotificationRecord {
            id: sent.id.clone(),
            event_type: sent.event_type.clone(),
            original_type: sent.original_type.clone(),
            url: sent.url.clone(),
            at: sent.at,
            headers: forms::headers(&sent.headers),
            body: Content::new(&sent.body),
            body_length: sent.body_length,
            attempts: attempts.collect(),
            state: match &sent.delivery {
                Delivery::Pending => State::Pending,
                Delivery::Accepted => State::Accepted,
                Delivery::GivenUp => State::GivenUp,
                Delivery::Refused(why) => State::Refused(why.clone()),
            },
            summary: sent.summary.clone(),
            resource: sent.resource.clone(),
            resource_type: sent.resource_type.clone(),
        }
    }

    pub(super) fn into_sent(self) -> SentNotification {
        let attempts = self.attempts.into_iter().map(|attempt| Attempt {
            at: attempt.at,
            faults: forms::into_faults(&attempt.faults),
            result: attempt.result,
            response: attempt.response,
        });
        SentNotification {
            id: self.id,
            event_type: self.event_type,
            original_type: self.original_type,
            url: self.url,
            at: self.at,
            headers: forms::into_headers(self.headers),
            body: self.body.into_bytes(),
            body_length: self.body_length,
            attempts: attempts.collect(),
            delivery: match self.state {
                State::Pending => Delivery::Pending,
                State::Accepted => Delivery::Accepted,
                State::GivenUp => Delivery::GivenUp,
                State::Refused(why) => Delivery::Refused(why),
            },
            summary: self.summary,
            resource: self.resource,
            resource_type: self.resource_type,
        }
    }
}
