//! The runtime behind `wait()` and `*_sync`.
//!
//! One background thread drives the connections. The calling thread polls its own future, and so prepares, signs and
//! verifies itself: many blocking threads use many cores. It waits on a lock of its own, not on tokio's `block_on`,
//! which panics inside a runtime.
//!
//! Inside a runtime a helper thread polls instead. What a task gives back there (`yield_now`, in a `Signer` say) goes
//! to the runtime that the caller holds up, and would never come back.

use std::future::{Future, pending};
use std::num::NonZero;
use std::pin::{Pin, pin};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use tokio::runtime::{Handle, Runtime};
use tokio::task::coop::unconstrained;

use crate::error::Error;

static BACKGROUND: OnceLock<Handle> = OnceLock::new();
static STARTING: Mutex<()> = Mutex::new(());

/// The background runtime, started at its first use. It lives as long as the process.
fn background() -> Result<&'static Handle, Error> {
    if let Some(handle) = BACKGROUND.get() {
        return Ok(handle);
    }
    let _one = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = BACKGROUND.get() {
        return Ok(handle);
    }
    let failed =
        |e: std::io::Error| Error::config("runtime", format!("for blocking calls cannot be started: {e}"));
    #[allow(clippy::disallowed_methods)] // this is the room for it
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let handle = runtime.handle().clone();
    #[allow(clippy::disallowed_methods)] // this is the room for it
    let drive = move || runtime.block_on(pending::<()>());
    std::thread::Builder::new().name("wechatpay-chain".to_owned()).spawn(drive).map_err(failed)?;
    Ok(BACKGROUND.get_or_init(|| handle))
}

/// Runs `future` on the background runtime, whether or not anybody waits for it.
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
    drop(background()?.spawn(future));
    Ok(())
}

/// Runs `work` on one of the signing threads: as many as there are cores, and nobody else's work is in their way. The
/// caller's own pool may be full of threads that wait for this very call.
pub(crate) async fn on_signing_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    static SIGNING: OnceLock<Option<Runtime>> = OnceLock::new();
    let failed = || Error::config("runtime", "has no threads to sign on");
    // Only its pool of blocking threads is used; threads come when they are needed and go when they are idle.
    let pool = SIGNING.get_or_init(|| {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        #[allow(clippy::disallowed_methods)] // this is the room for it
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.max_blocking_threads(threads).thread_name("wechatpay-sign").build().ok()
    });
    let pool = pool.as_ref().ok_or_else(failed)?;
    pool.handle().spawn_blocking(work).await.map_err(|_| failed())
}

/// `future`, its timers and connections driven by the background runtime, whoever polls it.
pub(crate) fn on_background<F: Future + Send>(
    future: F,
) -> Result<impl Future<Output = F::Output> + Send, Error> {
    let handle = background()?;
    // A future that is polled inside somebody's task would otherwise use up that task's budget and never go on.
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

/// Runs `future` while this thread waits, wherever this thread is.
pub(crate) fn wait<T: Send>(future: impl Future<Output = Result<T, Error>> + Send) -> Result<T, Error> {
    let future = on_background(future)?;
    if Handle::try_current().is_err() {
        return block_on(future);
    }
    std::thread::scope(|scope| {
        let poll = || block_on(future);
        let helper = std::thread::Builder::new().name("wechatpay-chain".to_owned()).spawn_scoped(scope, poll);
        let helper = helper.map_err(|e| Error::config("runtime", format!("cannot start a thread: {e}")))?;
        // Only a caller's own code (a signer, a clock) can panic there: its panic goes on here.
        helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Runs `future` on this thread, which sleeps while there is nothing to do.
fn block_on<F: Future>(future: F) -> F::Output {
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        bell.wait();
    }
}

/// Not `thread::park`: its token may belong to an executor that called us.
#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    ring: Condvar,
}

impl Bell {
    fn wait(&self) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        while !*rung {
            rung = self.ring.wait(rung).unwrap_or_else(PoisonError::into_inner);
        }
        *rung = false;
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.ring.notify_one();
    }
}
