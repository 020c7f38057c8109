//! The background runtime of blocking calls, and the values that `.await` or `.wait()` gives.

pub(crate) mod blocking;
pub(crate) mod deferred;
