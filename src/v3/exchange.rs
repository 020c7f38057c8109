//! A call from its first attempt to its verified response: attempts, failover, retries.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method};
use tracing::Instrument as _;
use url::Url;

use super::api_error::api_error;
use super::attempt::send_and_read;
use super::certificates;
use super::context::Context;
use super::outgoing::OutgoingRequest;
use super::platform::PlatformKeys;
use super::retry::{self, Pauses};
use super::verify::{self, ResponseView};
use crate::error::{Error, Sanitized, VerifyReason};
use crate::response::Response;
use crate::runtime::{Deadline, IoRuntime};
use crate::transport::RawResponse;

/// Signs, sends, reads and verifies; also on the spare host, and again, where that is safe.
pub(crate) async fn exchange(
    context: &Arc<Context>,
    request: Box<OutgoingRequest>,
    runtime: IoRuntime,
    deadline: Deadline,
) -> Result<Response, Error> {
    let mut call = Call::begin(context, &request, deadline);
    let span = call.span.clone();
    // Not in a closure or a function of its own: a future of this size should not be moved.
    let attempts = async {
        let mut next = request;
        loop {
            let repeat = call.start_attempt(&next);
            let result = attempt(context, next, runtime, &call.deadline).await;
            match call.next_attempt(&result, repeat).await {
                Some(again) => next = again,
                None => break result,
            }
        }
    };
    let result = attempts.instrument(span).await;
    call.end(result.as_ref().map(|response| (response.status(), response.request_id())));
    result
}

async fn attempt(
    context: &Arc<Context>,
    request: Box<OutgoingRequest>,
    runtime: IoRuntime,
    deadline: &Deadline,
) -> Result<Response, Error> {
    let verification = VerifyContext::of(&request);
    let response = send_and_read(context, request, runtime, deadline).await?;
    into_response(context, &verification, response, deadline).await
}

/// A call with all its attempts, each signed afresh, the body unchanged; and its span.
pub(crate) struct Call {
    pub(crate) span: tracing::Span,
    deadline: Deadline,
    attempts: u32,
    /// The URL on the spare host, and the length of the base path there.
    spare: Option<(Url, usize)>,
    pauses: Pauses,
}

impl Call {
    pub(crate) fn begin(context: &Context, request: &OutgoingRequest, deadline: Deadline) -> Call {
        let span = tracing::info_span!(
            "wechatpay",
            method = %request.method,
            template = &*request.template, // the values in the URL may be personal data
            host = request.url.host_str(),
            status = tracing::field::Empty,
            request_id = tracing::field::Empty,
            attempts = tracing::field::Empty,
            duration_ms = tracing::field::Empty,
        );
        let spare = context.transport.hosts.on_spare(&request.url, request.base_path_length);
        let pauses = Pauses::new(request.retries, context.defaults.retry_delay);
        Call { span, deadline, attempts: 0, spare, pauses }
    }

    /// Counts an attempt. Returns a copy of the request if it may be repeated.
    pub(crate) fn start_attempt(&mut self, request: &OutgoingRequest) -> Option<Box<OutgoingRequest>> {
        self.attempts += 1;
        let once_more = request.method == Method::GET && !request.fresh;
        (self.spare.is_some() || self.pauses.left() > 0 || once_more).then(|| Box::new(request.clone()))
    }

    /// The request of the next attempt, after its pause; `None` if `result` is final, or if no other attempt could end in
    /// time: then the last error is the call's.
    pub(crate) async fn next_attempt<T>(
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

    /// Records the status and the request id, of the response or of the error.
    pub(crate) fn end(self, ended: Result<(u16, Option<&str>), &Error>) {
        if self.span.is_disabled() {
            return;
        }
        let (status, request_id) = match ended {
            Ok((status, request_id)) => (Some(status), request_id),
            Err(error) => (error.status(), error.request_id()),
        };
        self.span.record("status", status);
        self.span.record("request_id", request_id);
        self.span.record("attempts", self.attempts);
        let duration = u64::try_from(self.deadline.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.span.record("duration_ms", duration);
    }
}

/// The parts of a request that the verification of its response needs.
pub(crate) struct VerifyContext {
    pub(crate) method: Method,
    /// The length of the base URL's path.
    pub(crate) base_path_length: usize,
    /// The keys at the time of the request: a key that is removed meanwhile still verifies this response.
    pub(crate) keys: Arc<PlatformKeys>,
}

impl VerifyContext {
    pub(crate) fn of(request: &OutgoingRequest) -> VerifyContext {
        let (method, keys) = (request.method.clone(), Arc::clone(&request.keys));
        VerifyContext { method, base_path_length: request.base_path_length, keys }
    }

    pub(crate) fn view<'a>(&'a self, response: &'a RawResponse, now: u64) -> ResponseView<'a> {
        ResponseView {
            method: &self.method,
            path: response.path.get(self.base_path_length..).unwrap_or_default(),
            success: response.status.is_success(),
            headers: &response.headers,
            body: &response.body,
            now,
        }
    }
}

/// Verifies the response, which then is a `Response` or the platform's error.
pub(crate) async fn into_response(
    context: &Arc<Context>,
    verification: &VerifyContext,
    response: RawResponse,
    deadline: &Deadline,
) -> Result<Response, Error> {
    let view = verification.view(&response, context.clock.unix_seconds());
    let status = Some(response.status.as_u16());
    let keys = &verification.keys;
    let verified = verify_with_refresh(context, keys, &response.headers, status, deadline, |keys| {
        verify::response(&view, keys)
    })
    .await
    .map_err(|error| verify::claimed(error, &response))?;
    match response.status.is_success() {
        true => {
            let key = context.merchant.key.clone();
            Response::new(key, response.status, response.headers, response.body, verified).checked()
        }
        false => Err(api_error(response, verified)),
    }
}

/// Runs `check` with `keys`; if the serial is unknown, again with newer keys.
pub(crate) async fn verify_with_refresh<T>(
    context: &Arc<Context>,
    keys: &Arc<PlatformKeys>,
    headers: &HeaderMap,
    status: Option<u16>,
    deadline: &Deadline,
    check: impl Fn(&Arc<PlatformKeys>) -> Result<T, VerifyReason>,
) -> Result<T, Error> {
    let checked = match check(keys) {
        Err(unknown @ VerifyReason::UnknownSerial { .. }) => {
            // Boxed: it is rare, and would enlarge the future of every call.
            Box::pin(certificates::retry_with_fresh_keys(context, keys, unknown, deadline, check)).await
        }
        other => other,
    };
    checked.map_err(|reason| verify::failure(reason, headers, status, keys))
}
