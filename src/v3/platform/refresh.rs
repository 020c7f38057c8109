//! When the platform's certificates are downloaded: one download at a time, at most one a minute, and a new one every
//! 12 hours (PROTOCOL, Keys). The download itself is in `certificates.rs`.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::error::Error;
use crate::runtime::background;

/// Seconds.
const REFRESH_INTERVAL: u64 = 12 * 3600;
/// Seconds.
const MIN_INTERVAL: u64 = 60;

/// The result of a download, shared by all who wait for it.
type Outcome = Result<(), Arc<Error>>;

/// A download, running or finished.
#[derive(Clone)]
pub(crate) struct RefreshHandle(watch::Receiver<Option<Outcome>>);

impl RefreshHandle {
    /// Waits for its end. The download continues if the waiting is dropped.
    pub(crate) async fn outcome(mut self) -> Outcome {
        let outcome = self.0.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        // Only a panic (in a `Clock`, a `Signer`) ends the download without an outcome.
        outcome.unwrap_or_else(|| {
            Err(Arc::new(Error::config(
                "automatic_certificates",
                "were not downloaded: the download panicked",
            )))
        })
    }

    fn is_finished(&self) -> bool {
        self.0.borrow().is_some() || self.0.has_changed().is_err()
    }

    fn failed_without_response(&self) -> bool {
        match &*self.0.borrow() {
            Some(Err(error)) => matches!(**error, Error::Transport(_)),
            Some(Ok(())) => false,
            None => true,
        }
    }
}

/// The downloads of a client.
#[derive(Default)]
pub(crate) struct Refresh {
    last: Mutex<Option<(u64, RefreshHandle)>>,
    /// The time of the last success, Unix seconds; 0 before the first one.
    refreshed_at: AtomicU64,
}

impl Refresh {
    /// Whether the keys are old enough for another download.
    pub(crate) fn is_due(&self, now: u64) -> bool {
        let refreshed_at = self.refreshed_at.load(Ordering::Relaxed);
        // A clock that is set back must not delay this.
        refreshed_at != 0 && now.abs_diff(refreshed_at) >= REFRESH_INTERVAL
    }

    /// The running download, else the one of the last minute, else a new one, which runs `download` on the background
    /// runtime.
    ///
    /// Without any key nothing can be sent at all. So then the next call retries a failed connection at once, as it would
    /// its own.
    pub(crate) fn start<F>(
        &self,
        now: u64,
        without_keys: bool,
        download: impl FnOnce() -> F,
    ) -> Result<RefreshHandle, Error>
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((started, handle)) = &*last {
            let again = handle.is_finished()
                && (now.abs_diff(*started) >= MIN_INTERVAL
                    || (without_keys && handle.failed_without_response()));
            if !again {
                return Ok(handle.clone());
            }
        }
        let (sender, receiver) = watch::channel(None);
        let download = download();
        background::spawn(async move {
            let outcome = download.await.map_err(Arc::new);
            // Possibly no one waits.
            let _ = sender.send(Some(outcome));
        })?;
        let handle = RefreshHandle(receiver);
        *last = Some((now, handle.clone()));
        Ok(handle)
    }

    pub(crate) fn succeeded(&self, now: u64) {
        self.refreshed_at.store(now, Ordering::Relaxed);
    }
}
