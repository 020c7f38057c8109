//! The background runtime of `wait()` and the `*_sync` verbs.
//!
//! One background thread drives the connections. The calling thread polls its own future, so it prepares, signs and
//! verifies itself: many blocking threads use many cores. It waits on its own lock, not in tokio's `block_on`, which
//! panics inside a runtime.
//!
//! Inside a runtime, a helper thread polls instead. A task that yields there (`yield_now` in a writer, for example)
//! waits for the runtime that the caller blocks, and would never continue.
//!
//! A caller's own code never runs on the background thread: it may block, and every connection would wait for it.

use std::future::{Future, pending};
use std::io;
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::thread;

use tokio::runtime::{EnterGuard, Handle};
use tokio::task::coop::unconstrained;

use super::in_runtime::InRuntime;
use super::parker::block_on;
use crate::error::Error;

static BACKGROUND: OnceLock<Handle> = OnceLock::new();
static STARTING: Mutex<()> = Mutex::new(());

/// The background runtime, started at its first use. It lives as long as the process does. If it cannot start, the next
/// use tries again.
fn background() -> Result<&'static Handle, Error> {
    if let Some(handle) = BACKGROUND.get() {
        return Ok(handle);
    }
    let _guard = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = BACKGROUND.get() {
        return Ok(handle);
    }
    let handle =
        start().map_err(|e| Error::config("runtime", format!("for blocking calls cannot start: {e}")))?;
    Ok(BACKGROUND.get_or_init(|| handle))
}

/// The runtime belongs to its thread from the beginning: dropping one inside another runtime panics.
fn start() -> io::Result<Handle> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let drive = move || {
        #[allow(clippy::disallowed_methods)] // the place for it
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(e) => return drop(sender.send(Err(e))),
        };
        let _ = sender.send(Ok(runtime.handle().clone()));
        #[allow(clippy::disallowed_methods)] // the place for it
        runtime.block_on(pending::<()>());
    };
    thread::Builder::new().name("wechatpay-io".to_owned()).spawn(drive)?;
    receiver.recv().unwrap_or_else(|_| Err(io::Error::other("its thread ended")))
}

/// Makes the background runtime the current one, until the guard is dropped.
pub(super) fn enter() -> Result<EnterGuard<'static>, Error> {
    Ok(background()?.enter())
}

/// Whether the background runtime is the current one.
pub(super) fn is_current() -> bool {
    let Some(background) = BACKGROUND.get() else { return false };
    Handle::try_current().is_ok_and(|current| current.id() == background.id())
}

/// Starts a helper thread.
pub(super) fn helper(work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    builder().spawn(work).map(drop).map_err(no_thread)
}

fn builder() -> thread::Builder {
    thread::Builder::new().name("wechatpay-help".to_owned())
}

fn no_thread(e: io::Error) -> Error {
    Error::config("runtime", format!("cannot start a thread: {e}"))
}

/// Runs `future` on a helper thread, to its end, even if its result is dropped. It may run a caller's code (a clock, a
/// subscriber of traces).
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
    let future = on_background(future)?;
    helper(move || block_on(future))
}

/// `future`, with its timers and connections driven by the background runtime, on whichever thread it is polled.
pub(crate) fn on_background<F: Future + Send>(
    future: F,
) -> Result<impl Future<Output = F::Output> + Send, Error> {
    let handle = background()?;
    // Polled inside another task, it would otherwise use up that task's cooperative budget and never continue.
    Ok(InRuntime::new(handle, unconstrained(future)))
}

/// Runs `future` while this thread waits, inside a runtime or outside.
pub(crate) fn wait<T: Send>(future: impl Future<Output = Result<T, Error>> + Send) -> Result<T, Error> {
    let future = on_background(future)?;
    if Handle::try_current().is_err() {
        return block_on(future);
    }
    thread::scope(|scope| {
        let helper = builder().spawn_scoped(scope, || block_on(future)).map_err(no_thread)?;
        // Only a caller's own code (a signer, a clock) can panic there; its panic continues here.
        helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
