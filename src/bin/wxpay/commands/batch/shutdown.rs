//! Ending a batch early: after a fatal problem, or after a signal.

use std::future::Future;

use tokio::sync::watch;

/// Once it is requested, no new calls are sent.
pub(super) struct Shutdown {
    reason: watch::Sender<Option<String>>,
}

impl Shutdown {
    pub(super) fn new() -> Shutdown {
        Shutdown { reason: watch::Sender::new(None) }
    }

    /// Requests it. Only the first reason is kept.
    pub(super) fn request(&self, reason: impl Into<String>) {
        self.reason.send_if_modified(|current| {
            let first = current.is_none();
            if first {
                *current = Some(reason.into());
            }
            first
        });
    }

    pub(super) fn is_requested(&self) -> bool {
        self.reason.borrow().is_some()
    }

    pub(super) fn reason(&self) -> Option<String> {
        self.reason.borrow().clone()
    }

    /// Waits for a future, but only until a shutdown is requested.
    pub(super) async fn or<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let mut reason = self.reason.subscribe();
        tokio::select! {
            biased;
            _ = reason.wait_for(Option::is_some) => None,
            value = future => Some(value),
        }
    }
}
