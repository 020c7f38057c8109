//! The one place where sign, send and verify meet.

use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, Method};
use tracing::Instrument as _;
use url::Url;

use crate::client::{Inner, Lane};
use crate::error::{Error, VerifyError, VerifyReason};
use crate::request::prepared::Parts;
use crate::response::{Response, request_id};
use crate::transport::send::{self as wire, Answer};
use crate::v3::certificates;
use crate::v3::platform::PlatformKeys;
use crate::v3::retry::{self, Waits};
use crate::v3::verify;

/// Signs, sends, reads, verifies; on the spare host too, and again, where that is safe.
pub(crate) async fn exchange(inner: &Arc<Inner>, parts: Box<Parts>, lane: Lane) -> Result<Response, Error> {
    let mut call = Call::begin(inner, &parts);
    let span = call.span.clone();
    // In place, and not behind a closure or a function of its own: a future of this size is not to be moved about.
    let attempts = async {
        let mut next = parts;
        loop {
            let kept = call.keep(&next);
            let result = attempt(inner, next, lane).await;
            match call.again(&result, kept).await {
                Some(again) => next = again,
                None => break result,
            }
        }
    };
    let result = attempts.instrument(span).await;
    call.end(result.as_ref().map(|response| (response.status(), response.request_id())));
    result
}

async fn attempt(inner: &Arc<Inner>, parts: Box<Parts>, lane: Lane) -> Result<Response, Error> {
    let asked = Asked::of(&parts);
    let answer = wire::once(inner, parts, lane).await?;
    check(inner, &asked, answer).await
}

/// A call with all its attempts, each signed afresh, the body never changed; and its span.
pub(crate) struct Call {
    pub(crate) span: tracing::Span,
    started: Instant,
    attempts: u32,
    spare: Option<Url>,
    waits: Waits,
}

impl Call {
    pub(crate) fn begin(inner: &Inner, parts: &Parts) -> Call {
        let span = tracing::info_span!(
            "wechatpay",
            method = %parts.method,
            template = &*parts.template, // the values in it may be personal data
            status = tracing::field::Empty,
            request_id = tracing::field::Empty,
            attempts = tracing::field::Empty,
            duration_ms = tracing::field::Empty,
        );
        let spare = inner.hosts.on_spare(&parts.url);
        let waits = retry::waits(parts.retry, inner.settings.network.retry_delay);
        Call { span, started: Instant::now(), attempts: 0, spare, waits }
    }

    /// Begins an attempt. Nothing is kept of a request that cannot be repeated.
    pub(crate) fn keep(&mut self, parts: &Parts) -> Option<Box<Parts>> {
        self.attempts += 1;
        (self.spare.is_some() || self.waits.len() > 0).then(|| Box::new(parts.clone()))
    }

    /// What is to be tried next, after the pause that it takes.
    pub(crate) async fn again<T>(
        &mut self,
        result: &Result<T, Error>,
        kept: Option<Box<Parts>>,
    ) -> Option<Box<Parts>> {
        let (Err(error), Some(mut again)) = (result, kept) else { return None };
        if let Some(url) = self.spare.take_if(|_| retry::fails_over(error, &again.method)) {
            tracing::warn!(host = url.host_str(), "no connection: trying the spare host");
            again.url = url;
            return Some(again);
        }
        let wait = retry::wait_before(error, &mut self.waits)?;
        tracing::warn!(?wait, code = error.code(), "refused for now: trying again");
        tokio::time::sleep(wait).await;
        Some(again)
    }

    /// Records how it ended: the status and the request id, of an answer or of an error.
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

/// What of a request its answer is verified by.
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// How much of the path is the base URL's.
    pub(crate) prefix: usize,
    /// The keys that held when it was made: a key that goes meanwhile still holds for it.
    pub(crate) keys: Arc<PlatformKeys>,
}

impl Asked {
    pub(crate) fn of(parts: &Parts) -> Asked {
        Asked { method: parts.method.clone(), prefix: parts.prefix, keys: Arc::clone(&parts.keys) }
    }

    pub(crate) fn looked_at<'a>(&'a self, answer: &'a Answer, now: u64) -> verify::Answer<'a> {
        verify::Answer {
            method: &self.method,
            path: answer.path.get(self.prefix..).unwrap_or_default(),
            success: answer.status.is_success(),
            headers: &answer.headers,
            body: &answer.body,
            now,
        }
    }
}

/// Verifies the answer; then it is a `Response`, or the platform's error.
pub(crate) async fn check(inner: &Arc<Inner>, asked: &Asked, answer: Answer) -> Result<Response, Error> {
    let looked_at = asked.looked_at(&answer, inner.clock.unix_seconds());
    let verified = under(inner, &asked.keys, &answer.headers, Some(answer.status.as_u16()), |keys| {
        verify::answer(&looked_at, keys)
    })
    .await?;
    match answer.status.is_success() {
        true => Ok(Response::new(Arc::clone(inner), answer.status, answer.headers, answer.body, verified)),
        false => Err(answer.into_api_error(verified)),
    }
}

/// Runs `check` under `keys`, and under newer ones when the serial is not among them.
pub(crate) async fn under<T>(
    inner: &Arc<Inner>,
    keys: &Arc<PlatformKeys>,
    headers: &HeaderMap,
    status: Option<u16>,
    check: impl Fn(&Arc<PlatformKeys>) -> Result<T, VerifyReason>,
) -> Result<T, Error> {
    let checked = match check(keys) {
        Err(unknown @ VerifyReason::UnknownSerial { .. }) => {
            // Boxed: it is rare, and every call would carry it about.
            Box::pin(certificates::with_newer_keys(inner, keys, unknown, check)).await
        }
        other => other,
    };
    checked.map_err(|reason| {
        let request_id = request_id(headers).map(str::to_owned);
        Error::Verify(Box::new(VerifyError { reason, status, request_id }))
    })
}
