//! The body of an answer on its way out: whole, or cut in the middle.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

pub(super) struct Payload {
    left: Bytes,
    /// Bytes still promised, the ones that never come included.
    promised: u64,
    cut: Option<Pin<Box<Sleep>>>,
}

impl Payload {
    pub(super) fn whole(body: Bytes) -> Payload {
        Payload { promised: length(&body), left: body, cut: None }
    }

    pub(super) fn cut(body: Bytes) -> Payload {
        let promised = length(&body);
        // The pause lets the first half reach the wire, before the error throws away what is still buffered.
        let pause = Box::pin(sleep(Duration::from_millis(30)));
        Payload { promised, left: body.slice(..body.len() / 2), cut: Some(pause) }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if !self.left.is_empty() {
            let bytes = std::mem::take(&mut self.left);
            self.promised -= length(&bytes);
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        let Some(pause) = &mut self.cut else { return Poll::Ready(None) };
        pause.as_mut().poll(context).map(|()| Some(Err(io::Error::other("cut here on purpose"))))
    }

    fn is_end_stream(&self) -> bool {
        self.promised == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}

fn length(bytes: &Bytes) -> u64 {
    bytes.len() as u64
}
