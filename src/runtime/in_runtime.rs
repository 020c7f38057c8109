//! `InRuntime`: a future that is polled and dropped inside its runtime.

use std::borrow::Borrow;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// A future with the timers and connections of one runtime, on whichever thread it is polled or dropped.
pub(crate) struct InRuntime<H: Borrow<Handle>, F> {
    handle: H,
    /// `None` once it has ended.
    future: Option<Pin<Box<F>>>,
}

impl<H: Borrow<Handle>, F> InRuntime<H, F> {
    pub(crate) fn new(handle: H, future: F) -> InRuntime<H, F> {
        InRuntime { handle, future: Some(Box::pin(future)) }
    }
}

impl<H: Borrow<Handle> + Unpin, F: Future> Future for InRuntime<H, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let InRuntime { handle, future: slot } = &mut *self;
        // A future that has ended is not polled again.
        let Some(future) = slot else { return Poll::Pending };
        let _guard = (*handle).borrow().enter();
        let output = future.as_mut().poll(cx);
        if output.is_ready() {
            *slot = None;
        }
        output
    }
}

/// A connection returns to its pool when its call is dropped, which starts a task: outside a runtime that would panic.
impl<H: Borrow<Handle>, F> Drop for InRuntime<H, F> {
    fn drop(&mut self) {
        if let Some(future) = self.future.take() {
            let _guard = self.handle.borrow().enter();
            drop(future);
        }
    }
}
