//! Shows a caller each request and each attempt of a notification while the sandbox runs.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{seen_request::SeenRequest, sent_notification::SentNotification};

/// What a watcher sees: see [`SandboxBuilder::watch`](crate::sandbox::SandboxBuilder::watch).
#[derive(Debug)]
#[non_exhaustive]
pub enum Seen<'a> {
    /// A request, right before its response is sent.
    Request(&'a SeenRequest),
    /// A notification, after each attempt, and when no more will follow.
    Notification(&'a SentNotification),
}

type Watch = dyn Fn(Seen<'_>) + Send + Sync;

/// A caller's function, if there is one.
#[derive(Clone, Default)]
pub(crate) struct Watcher(Option<Arc<Watch>>);

impl Watcher {
    pub(crate) fn new(watch: impl Fn(Seen<'_>) + Send + Sync + 'static) -> Watcher {
        Watcher(Some(Arc::new(watch)))
    }

    pub(crate) fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Must not be called while a log is locked: the caller's function may read it.
    pub(crate) fn show(&self, seen: Seen<'_>) {
        let Some(watch) = &self.0 else { return };
        // A panic would end the connection or the delivery.
        if catch_unwind(AssertUnwindSafe(|| watch(seen))).is_err() {
            tracing::error!("the watcher of the sandbox panicked");
        }
    }
}
