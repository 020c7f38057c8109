//! The signals that ask a program to end. `examples/sandbox.rs` includes this file, so it imports nothing from the
//! program.

use std::io;

/// Listens from its creation on.
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hangup: Option<tokio::signal::unix::Signal>,
}

/// A signal's number and name.
pub(crate) type Received = (u8, &'static str);

impl Signals {
    /// Must be called in a tokio runtime.
    #[cfg(unix)]
    pub(crate) fn listen() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: hangup_is_meant().then(|| signal(SignalKind::hangup())).transpose()?,
        })
    }

    /// Waits for the next signal.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) -> Received {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => drop(hangup.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => (2, "Ctrl-C"),
            _ = self.terminate.recv() => (15, "SIGTERM"),
            () = hangup => (1, "SIGHUP"),
        }
    }

    #[cfg(not(unix))]
    pub(crate) fn listen() -> io::Result<Signals> {
        Ok(Signals {})
    }

    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) -> Received {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        (2, "Ctrl-C")
    }
}

/// `nohup` starts a program that ignores SIGHUP. Listening would undo that.
#[cfg(target_os = "linux")]
fn hangup_is_meant() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // The lowest bit is that of signal 1, SIGHUP.
    ignored.is_some_and(|mask| mask & 1 == 0)
}

/// Other systems do not say whether a signal is ignored; but under `nohup`, stderr is not a terminal.
#[cfg(all(unix, not(target_os = "linux")))]
fn hangup_is_meant() -> bool {
    use std::io::IsTerminal as _;
    io::stderr().is_terminal()
}
