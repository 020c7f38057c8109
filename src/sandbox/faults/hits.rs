//! What a fault hit: shown while it is active, and when it is spent.

use std::{collections::VecDeque, time::SystemTime};

use serde_json::{Value, json};

use crate::sandbox::http::clock;

/// The newest hits of a rule that are listed.
const MAX_LISTED: usize = 20;

/// What a fault applied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HitTarget {
    /// The number of the request.
    Request(u64),
    /// The id of the notification.
    Notification(String),
}

pub(crate) struct Hit {
    pub(crate) at: SystemTime,
    pub(crate) target: HitTarget,
}

/// How often a fault applied, and to what.
#[derive(Default)]
pub(crate) struct Hits {
    pub(crate) count: u64,
    /// The newest, newest last.
    pub(crate) newest: VecDeque<Hit>,
}

/// A fault that applies no more.
pub(crate) struct SpentFault {
    /// As text: the fault, and the conditions of a rule.
    pub(crate) rule: String,
    /// Whether it was in the queue of `Sandbox::inject`.
    pub(crate) queued: bool,
    pub(crate) hits: Hits,
}

impl Hits {
    pub(crate) fn add(&mut self, target: HitTarget) {
        self.count += 1;
        if self.newest.len() == MAX_LISTED {
            self.newest.pop_front();
        }
        self.newest.push_back(Hit { at: clock::system_time(), target });
    }

    pub(crate) fn to_json(&self) -> Value {
        let newest: Vec<Value> = self.newest.iter().rev().map(Hit::to_json).collect();
        json!({ "hits": self.count, "newest_hits": newest })
    }
}

impl Hit {
    fn to_json(&self) -> Value {
        let at = clock::unix_seconds(self.at);
        match &self.target {
            HitTarget::Request(number) => json!({ "at": at, "request": number }),
            HitTarget::Notification(id) => json!({ "at": at, "notification": id }),
        }
    }
}
