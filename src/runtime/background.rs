//! The background runtime of `wait()` and the `*_sync` verbs.
//!
//! One background thread drives the connections. The calling thread polls its own future, so it prepares, signs and
//! verifies itself: many blocking threads use many cores. It waits on its own lock, not in tokio's `block_on`, which
//! panics inside a runtime.
//!
//! Inside a runtime, a helper thread polls instead. A task that yields there (`yield_now` in a `Signer`, for example)
//! waits for the runtime that the caller blocks, and would never continue.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio::task::coop::unconstrained;

use super::parker::block_on;
use crate::error::Error;

static BACKGROUND: OnceLock<Handle> = OnceLock::new();
static STARTING: Mutex<()> = Mutex::new(());

/// The background runtime, started at its first use. It lives as long as the process does.
fn background() -> Result<&'static Handle, Error> {
    if let Some(handle) = BACKGROUND.get() {
        return Ok(handle);
    }
    let _guard = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = BACKGROUND.get() {
        return Ok(handle);
    }
    let failed =
        |e: std::io::Error| Error::config("runtime", format!("for blocking calls cannot start: {e}"));
    #[allow(clippy::disallowed_methods)] // the place for it
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let handle = runtime.handle().clone();
    #[allow(clippy::disallowed_methods)] // the place for it
    let drive = move || runtime.block_on(pending::<()>());
    std::thread::Builder::new().name("wechatpay-chain".to_owned()).spawn(drive).map_err(failed)?;
    Ok(BACKGROUND.get_or_init(|| handle))
}

/// Runs `future` on the background runtime, to its end, even if its result is dropped.
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
    drop(background()?.spawn(future));
    Ok(())
}

/// `future`, with its timers and connections driven by the background runtime, on whichever thread it is polled.
pub(crate) fn on_background<F: Future + Send>(
    future: F,
) -> Result<impl Future<Output = F::Output> + Send, Error> {
    let handle = background()?;
    // Polled inside another task, it would otherwise use up that task's cooperative budget and never continue.
    Ok(Entered { handle, future: Box::pin(unconstrained(future)) })
}

struct Entered<F> {
    handle: &'static Handle,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Entered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _guard = self.handle.enter();
        self.future.as_mut().poll(cx)
    }
}

/// Runs `future` while this thread waits, inside a runtime or outside.
pub(crate) fn wait<T: Send>(future: impl Future<Output = Result<T, Error>> + Send) -> Result<T, Error> {
    let future = on_background(future)?;
    if Handle::try_current().is_err() {
        return block_on(future);
    }
    std::thread::scope(|scope| {
        let poll = || block_on(future);
        let helper = std::thread::Builder::new().name("wechatpay-chain".to_owned()).spawn_scoped(scope, poll);
        let helper = helper.map_err(|e| Error::config("runtime", format!("cannot start a thread: {e}")))?;
        // Only a caller's own code (a signer, a clock) can panic there; its panic continues here.
        helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
