//! When the platform's certificates are to be fetched, and by whom: one download at a time, one a minute at most, and
//! a new one every 12 hours (PROTOCOL, Keys). What a download is: `certificates.rs`.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::error::Error;
use crate::runtime::blocking;

const EVERY: u64 = 12 * 3600;
const PAUSE: u64 = 60;

/// How a download ended; shared by all who waited for it.
type Outcome = Result<(), Arc<Error>>;

/// A download, under way or over.
#[derive(Clone)]
pub(crate) struct Run(watch::Receiver<Option<Outcome>>);

impl Run {
    /// Waits for its end. The download goes on, whether or not anybody does.
    pub(crate) async fn outcome(mut self) -> Outcome {
        let outcome = self.0.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        // Only a panic (in a `Clock`, a `Signer`) ends the download without an outcome.
        outcome.unwrap_or_else(|| {
            Err(Arc::new(Error::config("certificates", "were not fetched: it was broken off")))
        })
    }

    fn is_over(&self) -> bool {
        self.0.borrow().is_some() || self.0.has_changed().is_err()
    }

    fn failed_before_an_answer(&self) -> bool {
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
    last: Mutex<Option<(u64, Run)>>,
    /// Unix seconds; 0 before the first one.
    renewed: AtomicU64,
}

impl Refresh {
    /// Whether the keys are old enough to be fetched again.
    pub(crate) fn is_due(&self, now: u64) -> bool {
        let renewed = self.renewed.load(Ordering::Relaxed);
        // A clock that was set back must not put this off.
        renewed != 0 && now.abs_diff(renewed) >= EVERY
    }

    /// The download that is under way, else the one of the last minute, else a new one: `download` is then run on the
    /// background runtime.
    ///
    /// Without any key nothing can be sent at all. So there, what failed for want of a connection is tried at once by
    /// whoever calls next, as the call itself would have been.
    pub(crate) fn begin<F>(
        &self,
        now: u64,
        without_keys: bool,
        download: impl FnOnce() -> F,
    ) -> Result<Run, Error>
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((begun, run)) = &*last {
            let again = run.is_over()
                && (now.abs_diff(*begun) >= PAUSE || (without_keys && run.failed_before_an_answer()));
            if !again {
                return Ok(run.clone());
            }
        }
        let (sender, receiver) = watch::channel(None);
        let download = download();
        blocking::spawn(async move {
            let outcome = download.await.map_err(Arc::new);
            // Nobody may be waiting.
            let _ = sender.send(Some(outcome));
        })?;
        let run = Run(receiver);
        *last = Some((now, run.clone()));
        Ok(run)
    }

    pub(crate) fn succeeded(&self, now: u64) {
        self.renewed.store(now, Ordering::Relaxed);
    }
}
