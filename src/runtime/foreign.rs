//! Runs a caller's own futures.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::{Poll, ready};

use tokio::sync::{Semaphore, oneshot};
use tracing::Instrument as _;

use super::background::{self, on_background};
use super::parker::block_on;
use crate::error::Error;

/// The most helper threads at a time: if all are blocked (an HSM hangs), other calls wait for one, and start no more.
const MAX_HELPERS: usize = 512;

static FREE_HELPERS: Semaphore = Semaphore::const_new(MAX_HELPERS);

/// Runs a caller's future (a signer's) in the current runtime: inside the caller's task if the runtime is the caller's;
/// for the background runtime on a helper thread, where it may block and a deadline of its caller still ends the wait.
/// When it is no longer waited for, the future is dropped.
pub(crate) async fn run_foreign<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> Result<T, Error> {
    if !background::is_current() {
        return Ok(future.await);
    }
    // Never closed, so never an error.
    let permit = FREE_HELPERS.acquire().await.ok();
    let (mut sender, receiver) = oneshot::channel();
    let mut future = Box::pin(on_background(future.in_current_span())?);
    background::helper(move || {
        let output = block_on(poll_fn(|cx| {
            if sender.poll_closed(cx).is_ready() {
                return Poll::Ready(None);
            }
            let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)));
            Poll::Ready(Some(match polled {
                Ok(output) => Ok(ready!(output)),
                Err(panic) => Err(panic),
            }))
        }));
        drop(permit);
        if let Some(output) = output {
            // Possibly no one waits any more.
            let _ = sender.send(output);
        }
    })?;
    match receiver.await {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(panic)) => resume_unwind(panic),
        // The thread always sends, unless dropping the future panicked.
        Err(_) => Err(Error::config("signer", "ended without a result")),
    }
}
