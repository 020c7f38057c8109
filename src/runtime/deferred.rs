//! `Deferred`: a value that `.await` or `.wait()` gives, for what is not a request.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use tokio::runtime::Handle;

use crate::error::Error;
use crate::runtime::blocking;

/// A value in the making, which `.await` or, blocking, [`wait`](Deferred::wait) gives, as with a
/// [`Request`](crate::Request).
#[must_use = "nothing happens before `.await` or `.wait()`"]
pub struct Deferred<T>(Boxed<T>);

type Boxed<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'static>>;

impl<T: 'static> Deferred<T> {
    pub(crate) fn new(future: impl Future<Output = Result<T, Error>> + Send + 'static) -> Deferred<T> {
        Deferred(Box::pin(future))
    }

    /// The value, blocking this thread; inside a runtime, too.
    ///
    /// # Errors
    /// Those of the method that gave this.
    pub fn wait(self) -> Result<T, Error>
    where
        T: Send,
    {
        blocking::wait(self.0)
    }
}

impl<T: 'static> IntoFuture for Deferred<T> {
    type Output = Result<T, Error>;
    type IntoFuture = Boxed<T>;

    fn into_future(self) -> Self::IntoFuture {
        match Handle::try_current() {
            Ok(_) => self.0,
            // Under another executor, the background runtime stands in.
            Err(_) => Box::pin(async { blocking::on_background(self.0)?.await }),
        }
    }
}

impl<T> fmt::Debug for Deferred<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deferred").finish_non_exhaustive()
    }
}
