//! Notifications on their way out.

use std::collections::VecDeque;

use serde_json::Value;

use super::platform::Platform;

/// How many may wait; the oldest go first.
const MOST: usize = 10_000;

/// What a merchant is to be told.
#[allow(dead_code, reason = "nothing sends them yet")]
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) notify_url: String,
    pub(crate) event_type: String,
    pub(crate) original_type: String,
    pub(crate) summary: String,
    pub(crate) resource: Value,
}

/// The notifications that wait.
#[derive(Default)]
pub(super) struct Queue(VecDeque<Event>);

impl Platform {
    pub(super) fn notify(&self, event: Event) {
        let mut queue = self.events();
        if queue.0.len() == MOST {
            queue.0.pop_front();
        }
        tracing::debug!(event = event.event_type, url = event.notify_url, "a notification");
        queue.0.push_back(event);
    }
}
