//! A call from its first attempt to its verified response: attempts, failover, retries.

use std::sync::Arc;
use std::time::Instant;

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
use crate::error::{Error, Sanitized, VerifyError, VerifyReason};
use crate::response::{Response, request_id};
use crate::runtime::IoRuntime;
use crate::transport::RawResponse;

/// Signs, sends, reads and verifies; also on the spare host, and again, where that is safe.
pub(crate) async fn exchange(
    context: &Arc<Context>,
    request: Box<OutgoingRequest>,
    runtime: IoRuntime,
) -> Result<Response, Error> {
    let mut call = Call::begin(context, &request);
    let span = call.span.clone();
    // Not in a closure or a function of its own: a future of this size should not be moved.
    let attempts = async {
        let mut next = request;
        loop {
            let repeat = call.start_attempt(&next);
            let result = attempt(context, next, runtime).await;
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
) -> Result<Response, Error> {
    let verification = VerifyContext::of(&request);
    let response = send_and_read(context, request, runtime).await?;
    into_response(context, &verification, response).await
}

/// A call with all its attempts, each signed afresh, the body unchanged; and its span.
pub(crate) struct Call {
    pub(crate) span: tracing::Span,
    started: Instant,
    attempts: u32,
    spare: Option<Url>,
    pauses: Pauses,
}

impl Call {
    pub(crate) fn begin(context: &Context, request: &OutgoingRequest) -> Call {
        let span = tracing::info_span!(
            "wechatpay",
            method = %request.method,
            template = &*request.template, // the values in the URL may be personal data
            status = tracing::field::Empty,
            request_id = tracing::field::Empty,
            attempts = tracing::field::Empty,
            duration_ms = tracing::field::Empty,
        );
        let spare = context.transport.hosts.on_spare(&request.url);
        let pauses = Pauses::new(request.retries, context.defaults.retry_delay);
        Call { span, started: Instant::now(), attempts: 0, spare, pauses }
    }

    /// Counts an attempt. Returns a copy of the request if it may be repeated.
    pub(crate) fn start_attempt(&mut self, request: &OutgoingRequest) -> Option<Box<OutgoingRequest>> {
        self.attempts += 1;
        (self.spare.is_some() || self.pauses.left() > 0).then(|| Box::new(request.clone()))
    }

    /// The request of the next attempt, after its pause; `None` if `result` is final.
    pub(crate) async fn next_attempt<T>(
        &mut self,
        result: &Result<T, Error>,
        repeat: Option<Box<OutgoingRequest>>,
    ) -> Option<Box<OutgoingRequest>> {
        let (Err(error), Some(mut request)) = (result, repeat) else { return None };
        if let Some(url) = self.spare.take_if(|_| retry::fails_over(error, &request.method)) {
            tracing::warn!(host = url.host_str(), "no connection: trying the spare host");
            request.url = url;
            return Some(request);
        }
        let pause = self.pauses.before_retry(error)?;
        tracing::warn!(wait = ?pause, code = error.code().map(|code| Sanitized(code).to_string()), "the platform refuses for now: trying again");
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
        let duration = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
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
) -> Result<Response, Error> {
    let view = verification.view(&response, context.clock.unix_seconds());
    let status = Some(response.status.as_u16());
    let verified = verify_with_refresh(context, &verification.keys, &response.headers, status, |keys| {
        verify::response(&view, keys)
    })
    .await?;
    match response.status.is_success() {
        true => {
            let key = context.merchant.key.clone();
            Ok(Response::new(key, response.status, response.headers, response.body, verified))
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
    check: impl Fn(&Arc<PlatformKeys>) -> Result<T, VerifyReason>,
) -> Result<T, Error> {
    let checked = match check(keys) {
        Err(unknown @ VerifyReason::UnknownSerial { .. }) => {
            // Boxed: it is rare, and would enlarge the future of every call.
            Box::pin(certificates::retry_with_fresh_keys(context, keys, unknown, check)).await
        }
        other => other,
    };
    checked.map_err(|reason| {
        let request_id = request_id(headers).map(str::to_owned);
        Error::Verify(Box::new(VerifyError { reason, status, request_id }))
    })
}
