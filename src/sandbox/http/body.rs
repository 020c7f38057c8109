//! A body that the sandbox sends: complete, or truncated by a fault.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

pub(crate) struct OutgoingBody {
    remaining: Bytes,
    /// Bytes that `Content-Length` still promises, including those that are never sent.
    promised: u64,
    truncated: Option<Pin<Box<Sleep>>>,
}

impl OutgoingBody {
    pub(crate) fn complete(body: Bytes) -> OutgoingBody {
        OutgoingBody { promised: length(&body), remaining: body, truncated: None }
    }

    /// Sends half of the body, then fails.
    pub(crate) fn truncated(body: Bytes) -> OutgoingBody {
        let promised = length(&body);
        // The pause lets the first half reach the network before the error discards the buffer.
        let pause = Box::pin(sleep(Duration::from_millis(30)));
        OutgoingBody { promised, remaining: body.slice(..body.len() / 2), truncated: Some(pause) }
    }
}

impl Body for OutgoingBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if !self.remaining.is_empty() {
            let bytes = std::mem::take(&mut self.remaining);
            self.promised -= length(&bytes);
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        let Some(pause) = &mut self.truncated else { return Poll::Ready(None) };
        pause.as_mut().poll(context).map(|()| Some(Err(io::Error::other("truncated on purpose"))))
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
