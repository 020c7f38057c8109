//! `Deferred`: an operation other than a request that runs with `.await` or `.wait()`.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use tokio::runtime::Handle;

use crate::error::Error;
use crate::runtime::background;

/// An operation that runs with `.await` or, blocking, with [`wait`](Deferred::wait), like a
/// [`Request`](crate::Request).
#[must_use = "nothing runs before `.await` or `.wait()`"]
pub struct Deferred<T>(Boxed<T>);

type Boxed<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'static>>;

impl<T: 'static> Deferred<T> {
    pub(crate) fn new(future: impl Future<Output = Result<T, Error>> + Send + 'static) -> Deferred<T> {
        Deferred(Box::pin(future))
    }

    /// Runs it and blocks this thread; inside a tokio runtime, too.
    ///
    /// # Errors
    /// Those of the method that returned it.
    pub fn wait(self) -> Result<T, Error>
    where
        T: Send,
    {
        background::wait(self.0)
    }
}

impl<T: 'static> IntoFuture for Deferred<T> {
    type Output = Result<T, Error>;
    type IntoFuture = Boxed<T>;

    fn into_future(self) -> Self::IntoFuture {
        match Handle::try_current() {
            Ok(_) => self.0,
            // Under another executor, the background runtime drives it.
            Err(_) => Box::pin(async { background::on_background(self.0)?.await }),
        }
    }
}

impl<T> fmt::Debug for Deferred<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deferred").finish_non_exhaustive()
    }
}
