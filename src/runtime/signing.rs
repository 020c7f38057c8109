//! The threads that sign.

use std::num::NonZero;
use std::sync::OnceLock;

use tokio::runtime::Runtime;

use crate::error::Error;

/// Runs `work` on one of the signing threads. There are as many as there are cores, and only this SDK uses them: the
/// caller's own blocking pool may be full of threads that wait for this very call.
pub(crate) async fn on_signing_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    static SIGNING: OnceLock<Option<Runtime>> = OnceLock::new();
    let failed = || Error::config("runtime", "cannot start a signing thread");
    // Only its blocking pool is used. Its threads start when they are needed and end when they are idle.
    let pool = SIGNING.get_or_init(|| {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        #[allow(clippy::disallowed_methods)] // the place for it
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.max_blocking_threads(threads).thread_name("wechatpay-sign").build().ok()
    });
    let pool = pool.as_ref().ok_or_else(failed)?;
    pool.handle().spawn_blocking(work).await.map_err(|_| failed())
}
