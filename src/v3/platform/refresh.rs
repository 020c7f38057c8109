//! When the platform's certificates are downloaded (PROTOCOL, Keys): one download at a time, every 12 hours and when a
//! newer one is needed, and how long the next one is held back. The download itself is in `certificates.rs`.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::error::Error;
use crate::runtime::background;

/// Seconds.
const REFRESH_INTERVAL: u64 = 12 * 3600;
/// Seconds from a download to the next one, while there are keys.
const INTERVAL: u64 = 60;
/// The one download within that time that a newer certificate may ask for: seconds from the last one. Forged serials
/// ask for it, too, hence only one.
const EXTRA_INTERVAL: u64 = 3;
/// Seconds from a failed download to the next one while there is no key, and so no call: doubled with each failure up
/// to `INTERVAL`.
const FIRST_BACKOFF: u64 = 1;

/// Why a download is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// There is no key: nothing can be sent.
    FirstKeys,
    /// The keys are old, and still serve.
    Renewal,
    /// A message names a certificate that is not known, or the caller asks.
    Newer,
}

/// The result of a download, shared by all who wait for it.
type Outcome = Result<(), Failed>;

/// A download that failed.
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    /// `None` if it panicked (in a `Clock`, a `Signer`).
    pub(crate) cause: Option<Arc<Error>>,
    /// How long the next one is held back, from the start of this one.
    pub(crate) held_back: Duration,
}

/// A download, running or finished.
#[derive(Debug, Clone)]
pub(crate) struct RefreshHandle(watch::Receiver<Option<Outcome>>);

impl RefreshHandle {
    /// Waits for its end. The download continues if the waiting is dropped.
    pub(crate) async fn outcome(mut self) -> Outcome {
        let outcome = self.0.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        outcome.unwrap_or_else(|| Err(Failed::by_panic()))
    }

    /// `None` while it runs.
    fn finished(&self) -> Option<Outcome> {
        match &*self.0.borrow() {
            None if self.0.has_changed().is_err() => Some(Err(Failed::by_panic())),
            outcome => outcome.clone(),
        }
    }
}

impl Failed {
    fn by_panic() -> Failed {
        Failed { cause: None, held_back: Duration::from_secs(FIRST_BACKOFF) }
    }
}

/// What comes of a wish for a download.
#[derive(Debug)]
pub(crate) enum Wish {
    /// It runs, alone or already for others.
    Granted(RefreshHandle),
    HeldBack(HeldBack),
}

/// A download that is not made yet.
#[derive(Debug)]
pub(crate) struct HeldBack {
    /// Seconds since the last download began.
    pub(crate) age: u64,
    /// Seconds until the next one may begin.
    pub(crate) left: u64,
    /// Then, Unix seconds.
    pub(crate) until: u64,
    /// The last download, if it failed.
    pub(crate) failed: Option<Failed>,
}

/// The last download that was begun.
struct Last {
    /// Unix seconds, by the client's clock.
    started: u64,
    /// How many failed in a row before it.
    failures: u32,
    /// Whether it was the one within `INTERVAL`.
    extra: bool,
    handle: RefreshHandle,
}

/// The downloads of a client.
#[derive(Default)]
pub(crate) struct Refresh {
    last: Mutex<Option<Last>>,
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

    /// The running download, else a new one, which runs `download` on the background runtime, unless it is too early.
    pub(crate) fn start<F>(&self, now: u64, need: Need, download: impl FnOnce() -> F) -> Result<Wish, Error>
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut failures, mut extra) = (0, false);
        if let Some(Last { started, failures: before, extra: was_extra, handle }) = &*last {
            let Some(outcome) = handle.finished() else { return Ok(Wish::Granted(handle.clone())) };
            let failed = outcome.err();
            failures = if failed.is_some() { before.saturating_add(1) } else { 0 };
            let interval = interval(need, *was_extra, failed.as_ref(), failures);
            // A clock that is set back must not hold it back for longer.
            let age = now.abs_diff(*started);
            if let Some(left) = interval.checked_sub(age).filter(|left| *left > 0) {
                return Ok(Wish::HeldBack(HeldBack { age, left, until: now.saturating_add(left), failed }));
            }
            extra = need == Need::Newer && age < INTERVAL;
        }
        let (sender, receiver) = watch::channel(None);
        let download = download();
        background::spawn(async move {
            let outcome = download.await.map_err(|error| {
                let mut failed = Failed { cause: Some(Arc::new(error)), held_back: Duration::ZERO };
                let interval = interval(need, extra, Some(&failed), failures.saturating_add(1));
                failed.held_back = Duration::from_secs(interval);
                failed
            });
            // Possibly no one waits.
            let _ = sender.send(Some(outcome));
        })?;
        let handle = RefreshHandle(receiver);
        *last = Some(Last { started: now, failures, extra, handle: handle.clone() });
        Ok(Wish::Granted(handle))
    }

    pub(crate) fn succeeded(&self, now: u64) {
        self.refreshed_at.store(now, Ordering::Relaxed);
    }
}

/// The seconds from the start of the last download to that of the next one.
fn interval(need: Need, last_was_extra: bool, failed: Option<&Failed>, failures: u32) -> u64 {
    match need {
        // Where no connection can be made, the platform has nothing to be spared; and calls should go on soon after.
        Need::FirstKeys if failed.is_none_or(Failed::was_not_sent) => FIRST_BACKOFF,
        Need::FirstKeys => {
            let doubled = 1_u64.checked_shl(failures.saturating_sub(1)).unwrap_or(INTERVAL);
            doubled.saturating_mul(FIRST_BACKOFF).min(INTERVAL)
        }
        Need::Newer if !last_was_extra => EXTRA_INTERVAL,
        Need::Newer | Need::Renewal => INTERVAL,
    }
}

impl Failed {
    fn was_not_sent(&self) -> bool {
        self.cause.as_deref().is_some_and(|cause| !cause.may_have_been_sent())
    }
}

#[cfg(test)]
mod tests;
