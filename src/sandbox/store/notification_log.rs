//! The log of notifications and their attempts.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::HeaderMap;

use super::{
    page::{Page, Window},
    records::Unsaved,
    sent_notification::{Attempt, Delivery, MAX_BODY, SentNotification, short},
    watcher::{Seen, Watcher},
};

const MAX_NOTIFICATIONS: usize = 10_000;

/// Of all notifications together, with their attempts. The newest is always kept.
const MAX_BYTES: usize = 32 << 20;

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
    /// The numbers of the notifications whose changes the state file does not have yet; `None` without one.
    unsaved: Option<BTreeSet<u64>>,
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
        self.note_change(number);
        self.shorten();
    }

    fn push(&mut self, notification: SentNotification) {
        self.bytes += notification.size();
        self.notifications.push_back(notification);
        self.note_change(self.first + self.notifications.len() as u64 - 1);
        self.shorten();
    }

    fn note_change(&mut self, number: u64) {
        if let Some(unsaved) = &mut self.unsaved {
            unsaved.insert(number);
        }
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
        let attempt = Attempt { result: attempt.result.map_err(|why| short(&why)), ..attempt };
        self.change(number, |notification| {
            notification.attempts.push(attempt);
            true
        });
    }

    /// `change` returns whether a watcher sees it.
    fn change(&self, number: u64, change: impl FnOnce(&mut SentNotification) -> bool) {
        let mut entries = self.entries();
        let mut shown = false;
        entries.change(number, |notification| shown = change(notification));
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
        self.change(number, |notification| {
            // It may have been sent again and accepted while the last attempt of its schedule failed.
            let shown = notification.delivery != Delivery::Accepted && delivery != Delivery::Accepted;
            if notification.delivery != Delivery::Accepted {
                notification.delivery = delivery;
            }
            // The last attempt has shown that it was accepted.
            shown
        });
    }

    /// How the delivery ended. `None`: more attempts will follow, or the log no longer has the notification.
    pub(crate) fn outcome(&self, number: u64) -> Option<Delivery> {
        let delivery = self.entries().find(number)?.delivery.clone();
        (delivery != Delivery::Pending).then_some(delivery)
    }

    /// Continues the log of earlier runs, and collects what the state file has to get.
    pub(super) fn keep(&mut self, notifications: Vec<(u64, SentNotification)>) {
        let entries = self.entries.get_mut().unwrap_or_else(PoisonError::into_inner);
        entries.first = notifications.first().map_or(0, |(number, _)| *number);
        notifications.into_iter().for_each(|(_, notification)| entries.push(notification));
        entries.unsaved = Some(BTreeSet::new());
    }

    /// At most `max` notifications to write. `None` if there are none.
    pub(super) fn take_unsaved(&self, max: usize) -> Option<Unsaved<SentNotification>> {
        let mut entries = self.entries();
        let unsaved = entries.unsaved.as_mut().filter(|unsaved| !unsaved.is_empty())?;
        let rest = unsaved.iter().nth(max).copied().map(|first| unsaved.split_off(&first));
        let taken = std::mem::replace(unsaved, rest.unwrap_or_default());
        let found = taken.into_iter().filter_map(|number| Some((number, entries.find(number)?.clone())));
        Some(Unsaved {
            records: found.collect(),
            oldest: entries.first,
            more: entries.unsaved.as_ref().is_some_and(|unsaved| !unsaved.is_empty()),
        })
    }

    /// The notification with this number.
    pub(crate) fn get(&self, number: u64) -> Option<SentNotification> {
        self.entries().find(number).cloned()
    }

    /// Ends the notifications of earlier runs that are not sent any more. Returns the numbers and ids of the others.
    pub(crate) fn resume(&self, undelivered: &BTreeSet<&str>) -> BTreeMap<String, u64> {
        let mut entries = self.entries();
        let first = entries.first;
        let pending = (first..).zip(&entries.notifications).filter(|(_, one)| !one.is_done());
        let (resumed, ended): (Vec<_>, Vec<_>) = pending
            .map(|(number, one)| (one.id.clone(), number))
            .partition(|(id, _)| undelivered.contains(id.as_str()));
        for (_, number) in ended {
            entries.change(number, |notification| notification.delivery = Delivery::GivenUp);
        }
        resumed.into_iter().collect()
    }

    /// How many there were so far.
    pub(crate) fn total(&self) -> u64 {
        let entries = self.entries();
        entries.first + entries.notifications.len() as u64
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
