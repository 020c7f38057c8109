//! Runtimes and threads: the background runtime of blocking calls, helper and signing threads, deadlines, `Deferred`.

pub(crate) mod background;
mod call_tracker;
mod deadline;
mod deferred;
mod foreign;
mod in_runtime;
mod parker;
mod signing;

pub(crate) use call_tracker::{CallGuard, CallTracker};
pub(crate) use deadline::Deadline;
pub use deferred::Deferred;
pub(crate) use foreign::run_foreign;
pub(crate) use in_runtime::InRuntime;
pub(crate) use signing::{another_core_can_sign, on_signing_thread};

/// The runtime that drives a call's connection. A pooled connection lives on the runtime that opened it. So a blocking
/// call, which may block the caller's runtime, has a connection pool of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum IoRuntime {
    /// The tokio runtime of the caller.
    Caller,
    /// The background runtime of this SDK.
    Background,
}
