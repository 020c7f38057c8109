//! Why a batch ends early: something said so, or a signal did.

use std::future::Future;
use std::io;

use tokio::sync::watch;

/// No new calls, once it is raised.
pub(super) struct Stop {
    why: watch::Sender<Option<String>>,
}

impl Stop {
    pub(super) fn new() -> Stop {
        Stop { why: watch::Sender::new(None) }
    }

    /// The first reason stays.
    pub(super) fn raise(&self, why: impl Into<String>) {
        self.why.send_if_modified(|told| {
            let first = told.is_none();
            if first {
                *told = Some(why.into());
            }
            first
        });
    }

    pub(super) fn is_raised(&self) -> bool {
        self.why.borrow().is_some()
    }

    pub(super) fn why(&self) -> Option<String> {
        self.why.borrow().clone()
    }

    /// Waits for something, but not any longer than it goes on.
    pub(super) async fn or<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        let mut stop = self.why.subscribe();
        tokio::select! {
            biased;
            _ = stop.wait_for(Option::is_some) => None,
            value = wait => Some(value),
        }
    }
}

/// The signals that ask a program to end.
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn listen() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The next one: the exit code that a shell gives for it, and its name.
    #[cfg(unix)]
    pub(super) async fn next(&mut self) -> (u8, &'static str) {
        tokio::select! {
            _ = self.interrupt.recv() => (130, "Ctrl-C"),
            _ = self.terminate.recv() => (143, "SIGTERM"),
        }
    }

    #[cfg(not(unix))]
    pub(super) fn listen() -> io::Result<Signals> {
        Ok(Signals {})
    }

    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) -> (u8, &'static str) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        (130, "Ctrl-C")
    }
}
