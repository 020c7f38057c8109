//! The attempts of a call: on a new connection, on the spare host, and again after a pause, where that is safe. Each is
//! signed afresh, the body unchanged.

use std::time::Duration;

use http::Method;
use url::Url;

use super::context::Context;
use super::outgoing::OutgoingRequest;
use super::retry::{self, Pauses};
use crate::error::{Error, Sanitized};
use crate::runtime::Deadline;

/// The attempts of a call until now, and those that it has left.
pub(crate) struct Attempts {
    pub(crate) deadline: Deadline,
    /// How many were begun.
    pub(super) count: u32,
    /// The URL on the spare host, and the length of the base path there.
    spare: Option<(Url, usize)>,
    pauses: Pauses,
    /// The error of the last one that the platform may have received.
    received: Option<Error>,
}

impl Attempts {
    pub(crate) fn new(context: &Context, request: &OutgoingRequest, deadline: Deadline) -> Attempts {
        let spare = context.transport.hosts.on_spare(&request.url, request.base_path_length);
        let pauses = Pauses::new(request.retries, context.defaults.retry_delay);
        Attempts { deadline, count: 0, spare, pauses, received: None }
    }

    /// Counts an attempt. Returns a copy of the request if it may be repeated.
    pub(crate) fn start(&mut self, request: &OutgoingRequest) -> Option<Box<OutgoingRequest>> {
        self.count += 1;
        let once_more = request.method == Method::GET && !request.fresh;
        (self.spare.is_some() || self.pauses.left() > 0 || once_more).then(|| Box::new(request.clone()))
    }

    /// The request of the next attempt, after its pause; `None` if `result` is final, or if no other attempt could end in
    /// time: then the last error is the call's.
    pub(crate) async fn next<T>(
        &mut self,
        result: &Result<T, Error>,
        repeat: Option<Box<OutgoingRequest>>,
    ) -> Option<Box<OutgoingRequest>> {
        let (Err(error), Some(mut request)) = (result, repeat) else { return None };
        let has_time = |pause| self.deadline.has_time_for_an_attempt_after(pause);
        if !request.fresh && retry::was_stale(error, &request.method) && has_time(Duration::ZERO) {
            tracing::debug!("a kept connection was closed: trying a new one");
            request.fresh = true;
            return Some(request);
        }
        let to_spare =
            |_: &mut (Url, usize)| retry::fails_over(error, &request.method) && has_time(Duration::ZERO);
        if let Some((url, length)) = self.spare.take_if(to_spare) {
            tracing::warn!(host = url.host_str(), "no connection: trying the spare host");
            (request.url, request.base_path_length) = (url, length);
            return Some(request);
        }
        let pause = self.pauses.before_retry(error, &request.method).filter(|pause| has_time(*pause))?;
        let code = error.code().map(|code| Sanitized(code).to_string());
        tracing::warn!(wait = ?pause, code, "no usable response for now: trying again");
        tokio::time::sleep(pause).await;
        Some(request)
    }

    /// Keeps the result of an attempt that another one follows.
    pub(crate) fn keep<T>(&mut self, result: Result<T, Error>) {
        if let Err(error) = result
            && error.may_have_been_sent()
        {
            self.received = Some(error);
        }
    }

    /// The result of the call, given that of its last attempt. If that one was not sent, an earlier one may have been all
    /// the same. Then its error is the call's: no caller must read that nothing was sent.
    pub(crate) fn outcome<T>(&mut self, last: Result<T, Error>) -> Result<T, Error> {
        match (last, self.received.take()) {
            (Err(error), Some(received)) if !error.may_have_been_sent() => {
                tracing::warn!(%error, "the last attempt was not sent: the error is that of the one before");
                Err(received)
            }
            (last, _) => last,
        }
    }
}
