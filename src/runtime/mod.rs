//! Runtimes and threads: the background runtime of blocking calls, the signing threads, and `Deferred`.

pub(crate) mod background;
mod call_tracker;
mod deferred;
mod parker;
mod signing;

pub(crate) use call_tracker::{CallGuard, CallTracker};
pub use deferred::Deferred;
pub(crate) use signing::on_signing_thread;

/// The runtime that drives a call's connection. A pooled connection lives on the runtime that opened it. So a blocking
/// call, which may block the caller's runtime, has a connection pool of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum IoRuntime {
    /// The tokio runtime of the caller.
    Caller,
    /// The background runtime of this SDK.
    Background,
}
