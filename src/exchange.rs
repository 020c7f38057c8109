//! The one place where sign, send and verify meet.

use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, Method};
use tracing::Instrument as _;

use crate::certificates;
use crate::client::{Inner, Lane};
use crate::error::{Error, VerifyError, VerifyReason};
use crate::platform::PlatformKeys;
use crate::prepared::Parts;
use crate::response::{Response, request_id};
use crate::retry;
use crate::verify;
use crate::wire::{self, Answer};

/// Signs, sends, reads, verifies; on the spare host too, and again, where that is safe.
pub(crate) async fn exchange(inner: &Arc<Inner>, parts: Parts, lane: Lane) -> Result<Response, Error> {
    let span = tracing::info_span!(
        "wechatpay",
        method = %parts.method,
        template = &*parts.template, // the values in it may be personal data
        status = tracing::field::Empty,
        request_id = tracing::field::Empty,
        attempts = tracing::field::Empty,
        duration_ms = tracing::field::Empty,
    );
    let started = Instant::now();
    let mut attempts = 0;
    let result = repeat(inner, parts, lane, &mut attempts).instrument(span.clone()).await;
    if !span.is_disabled() {
        let (status, request_id) = match &result {
            Ok(response) => (Some(response.status()), response.request_id()),
            Err(error) => (error.status(), error.request_id()),
        };
        span.record("status", status);
        span.record("request_id", request_id);
        span.record("attempts", attempts);
        span.record("duration_ms", u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
    }
    result
}

/// One attempt after another, each signed afresh, the body never changed.
async fn repeat(inner: &Arc<Inner>, parts: Parts, lane: Lane, attempts: &mut u32) -> Result<Response, Error> {
    let mut spare = inner.hosts.on_spare(&parts.url);
    let mut waits = retry::waits(parts.retry, inner.settings.network.retry_delay);
    let mut next = parts;
    loop {
        *attempts += 1;
        // Nothing is kept of a request that cannot be repeated.
        let again = (spare.is_some() || waits.len() > 0).then(|| next.clone());
        let result = attempt(inner, next, lane).await;
        let (Err(error), Some(mut again)) = (&result, again) else { return result };
        if let Some(url) = spare.take_if(|_| retry::fails_over(error, &again.method)) {
            tracing::warn!(host = url.host_str(), "no connection: trying the spare host");
            again.url = url;
        } else if let Some(wait) = retry::wait_before(error, &mut waits) {
            tracing::warn!(?wait, code = error.code(), "refused for now: trying again");
            tokio::time::sleep(wait).await;
        } else {
            return result;
        }
        next = again;
    }
}

async fn attempt(inner: &Arc<Inner>, parts: Parts, lane: Lane) -> Result<Response, Error> {
    let asked = Asked { method: parts.method.clone(), prefix: parts.prefix, keys: Arc::clone(&parts.keys) };
    let answer = wire::once(inner, parts, lane).await?;
    check(inner, &asked, answer).await
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
            certificates::with_newer_keys(inner, keys, unknown, check).await
        }
        other => other,
    };
    checked.map_err(|reason| {
        let request_id = request_id(headers).map(str::to_owned);
        Error::Verify(Box::new(VerifyError { reason, status, request_id }))
    })
}
