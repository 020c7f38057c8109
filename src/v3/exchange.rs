//! A call from its first attempt to its verified response.

use std::sync::Arc;

use http::{HeaderMap, Method};
use tracing::Instrument as _;

use super::api_error::call_error;
use super::attempt::send_and_read;
use super::attempts::Attempts;
use super::certificates;
use super::context::Context;
use super::outgoing::OutgoingRequest;
use super::platform::PlatformKeys;
use super::verify::{self, ResponseView};
use crate::error::{Error, VerifyReason};
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
            let repeat = call.attempts.start(&next);
            let result = attempt(context, next, runtime, &call.attempts.deadline).await;
            let Some(again) = call.attempts.next(&result, repeat).await else {
                break call.attempts.outcome(result);
            };
            call.attempts.keep(result);
            next = again;
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

/// A call with all its attempts, and its span.
pub(crate) struct Call {
    pub(crate) span: tracing::Span,
    pub(crate) attempts: Attempts,
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
        Call { span, attempts: Attempts::new(context, request, deadline) }
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
        self.span.record("attempts", self.attempts.count);
        let duration = u64::try_from(self.attempts.deadline.elapsed().as_millis()).unwrap_or(u64::MAX);
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
        false => Err(call_error(response, verified, &verification.method, verification.base_path_length)),
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
