//! The calls in flight: whether a signature would delay another call on the same thread.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task;

/// The calls in flight, by the task that polls them. Two calls in one task (`join!`) run on one thread, where signing
/// one would delay the other. Two tasks of a multi-thread runtime are spread over its threads already.
#[derive(Default)]
pub(crate) struct CallTracker(Mutex<HashMap<Poller, usize>>);

/// The poller of a call: a task, or a thread that polls a future itself (`block_on`).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Poller {
    Task(task::Id),
    Thread(ThreadId),
}

impl Poller {
    fn current() -> Poller {
        task::try_id().map_or_else(|| Poller::Thread(thread::current().id()), Poller::Task)
    }
}

impl CallTracker {
    /// Counts a call for as long as the guard lives.
    pub(crate) fn begin_call(&self) -> CallGuard<'_> {
        CallGuard::new(self)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Poller, usize>> {
        // The map is consistent between any two statements, so a panic elsewhere cannot have broken it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call in flight.
pub(crate) struct CallGuard<'a> {
    tracker: &'a CallTracker,
    poller: Poller,
    calls_of_poller: usize,
    pollers: usize,
}

impl<'a> CallGuard<'a> {
    fn new(tracker: &'a CallTracker) -> Self {
        let poller = Poller::current();
        let mut map = tracker.lock();
        let calls = map.entry(poller).or_insert(0);
        *calls += 1;
        let calls_of_poller = *calls;
        let pollers = map.len();
        drop(map);
        CallGuard { tracker, poller, calls_of_poller, pollers }
    }

    /// Whether another call in flight is polled by the same thread.
    pub(crate) fn shares_its_thread(&self) -> bool {
        if self.calls_of_poller > 1 {
            return true;
        }
        let one_thread = |runtime: Handle| runtime.runtime_flavor() == RuntimeFlavor::CurrentThread;
        self.pollers > 1 && Handle::try_current().is_ok_and(one_thread)
    }
}

impl Drop for CallGuard<'_> {
    fn drop(&mut self) {
        let mut map = self.tracker.lock();
        if let Some(calls) = map.get_mut(&self.poller) {
            *calls -= 1;
            if *calls == 0 {
                map.remove(&self.poller);
            }
        }
    }
}

#[cfg(test)]
mod tests;
