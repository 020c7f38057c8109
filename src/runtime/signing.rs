//! The threads that sign: a queue, and a parked thread for each core.

use std::cell::Cell;
use std::collections::VecDeque;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::error::Error;

/// How long a thread waits for work before it ends.
const IDLE: Duration = Duration::from_secs(10);

static SIGNERS: Workers = Workers::new();

/// Runs `work` on one of the signing threads, which only this SDK uses: the caller's own blocking pool may be full of
/// threads that wait for this very call. Work that is no longer waited for is not begun.
pub(crate) async fn on_signing_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    SIGNERS.run(work).await
}

/// Whether there is a core for a signing thread besides the one that this thread keeps busy: not in a container with one
/// core, nor in a thread that is pinned to one. Asked once for each thread; the answer takes several system calls.
pub(crate) fn another_core_can_sign() -> bool {
    thread_local!(static CORES: Cell<Option<usize>> = const { Cell::new(None) });
    CORES.with(|known| {
        let cores = known.get().unwrap_or_else(cores);
        known.set(Some(cores));
        cores > 1
    })
}

/// The cores that this thread may use.
fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

type Job = Box<dyn FnOnce() + Send>;

struct Workers {
    state: Mutex<State>,
    /// There is more work.
    more: Condvar,
    /// The most threads.
    limit: OnceLock<usize>,
}

struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    /// The threads that wait for work; one that is just being woken still counts.
    idle: usize,
}

impl Workers {
    const fn new() -> Workers {
        Workers {
            state: Mutex::new(State { jobs: VecDeque::new(), threads: 0, idle: 0 }),
            more: Condvar::new(),
            limit: OnceLock::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is consistent between any two statements, so a panic elsewhere cannot have broken it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run<T: Send + 'static>(
        &'static self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, receiver) = oneshot::channel();
        self.push(Box::new(move || {
            if !sender.is_closed() {
                let _ = sender.send(work());
            }
        }));
        receiver.await.map_err(|_| Error::config("runtime", "lost a signing thread"))
    }

    fn push(&'static self, job: Job) {
        let mut state = self.lock();
        state.jobs.push_back(job);
        if state.idle >= state.jobs.len() {
            drop(state);
            self.more.notify_one();
            return;
        }
        if state.threads >= *self.limit.get_or_init(cores) {
            return; // a busy thread takes it next
        }
        state.threads += 1;
        drop(state);
        let started = thread::Builder::new().name("wechatpay-sign".to_owned()).spawn(|| self.work());
        if started.is_err() {
            let mut state = self.lock();
            state.threads -= 1;
            // Without any thread, this one signs.
            let jobs = if state.threads == 0 { std::mem::take(&mut state.jobs) } else { VecDeque::new() };
            drop(state);
            jobs.into_iter().for_each(|job| job());
        }
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            // A panic of one job drops its sender, which its caller notices, and must not cost a thread.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    }

    /// The next job; `None` when this thread has waited long enough.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            state.idle += 1;
            let (woken, waited) = self.more.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if waited.timed_out() && state.jobs.is_empty() {
                state.threads -= 1;
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests;
