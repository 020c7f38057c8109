//! The one place where sign, send and verify meet.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;
use tracing::Instrument as _;

use crate::client::{Inner, Lane};
use crate::error::{ApiError, Error, TransportError, VerifyError};
use crate::prepared::Parts;
use crate::response::{Response, request_id};
use crate::retry;
use crate::sign::{self, Stamp};
use crate::signer::MerchantKey;
use crate::verify;

/// What an attempt signs, made afresh: a timestamp and a nonce serve once.
pub(crate) fn stamp(inner: &Inner, parts: &Parts) -> Result<Stamp, Error> {
    let timestamp = inner.clock.unix_seconds().to_string();
    let nonce = sign::nonce()?;
    let message = sign::message(parts.method.as_str(), parts.target(), &timestamp, &nonce, &parts.body);
    Ok(Stamp { timestamp, nonce, message })
}

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
    let sent =
        Sent { method: parts.method.clone(), template: Arc::clone(&parts.template), timeout: parts.timeout };
    let prefix = parts.prefix;
    let mut answer = send(inner, parts, lane, &sent).await?;
    let body = read(&mut answer, inner.settings.max_body, &sent).await.map_err(|error| match error {
        Error::Transport(mut e) => {
            e.request_id = request_id(answer.headers()).map(str::to_owned);
            Error::Transport(e)
        }
        other => other,
    })?;
    check(inner, &sent.method, prefix, answer, body)
}

/// Signs and sends one attempt: what comes back is neither read nor verified yet.
pub(crate) async fn send(
    inner: &Inner,
    mut parts: Parts,
    lane: Lane,
    sent: &Sent,
) -> Result<reqwest::Response, Error> {
    // Announced until the answer's head is there. A blocking call's thread waits for nothing else, so it signs itself.
    let call = (lane == Lane::Caller).then(|| inner.identity.begin_call());
    if parts.authorize {
        let stamp = stamp(inner, &parts)?;
        let signing = inner.identity.authorize(&stamp, call.as_ref());
        // A local key signs at once; a signer somewhere else has the call's time, and no more.
        let authorization = match inner.identity.key {
            MerchantKey::Local(_) => signing.await?,
            MerchantKey::Remote(_) => match tokio::time::timeout(parts.timeout, signing).await {
                Ok(signed) => signed?,
                Err(_) => {
                    return Err(sent.broken(format!("no signature within {:?}", parts.timeout), false, None));
                }
            },
        };
        parts.headers.insert(AUTHORIZATION, authorization);
    }
    let Parts { method, url, headers, body, upload, timeout, streamed, .. } = parts;
    let mut request = reqwest::Request::new(method, url);
    *request.headers_mut() = headers;
    *request.timeout_mut() = (!streamed).then_some(timeout);
    if let Some(upload) = upload {
        *request.body_mut() = Some(upload.body().await?);
    } else if !body.is_empty() {
        *request.body_mut() = Some(body.into());
    }
    inner.http(lane)?.execute(request).await.map_err(|e| sent.transport(e))
}

/// What an error says of the call.
pub(crate) struct Sent {
    pub(crate) method: Method,
    pub(crate) template: Arc<str>,
    pub(crate) timeout: Duration,
}

/// Reads the body, which may be no larger than configured, whatever the answer says of its length.
pub(crate) async fn read(answer: &mut reqwest::Response, limit: usize, sent: &Sent) -> Result<Bytes, Error> {
    let too_large = || {
        let what = format!("the answer is larger than {limit} bytes, the most that is read into memory");
        sent.broken(what, true, None)
    };
    if answer.content_length().is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    // Most answers come in one piece, which is passed on as it is.
    let Some(first) = answer.chunk().await.map_err(|e| sent.transport(e))? else {
        return Ok(Bytes::new());
    };
    if first.len() > limit {
        return Err(too_large());
    }
    let Some(second) = answer.chunk().await.map_err(|e| sent.transport(e))? else {
        return Ok(first);
    };
    let mut whole = BytesMut::from(first);
    let mut next = Some(second);
    while let Some(chunk) = next {
        if whole.len() + chunk.len() > limit {
            return Err(too_large());
        }
        whole.extend_from_slice(&chunk);
        next = answer.chunk().await.map_err(|e| sent.transport(e))?;
    }
    Ok(whole.freeze())
}

/// Verifies the answer; then it is a `Response`, or the platform's error.
pub(crate) fn check(
    inner: &Arc<Inner>,
    method: &Method,
    prefix: usize,
    mut answer: reqwest::Response,
    body: Bytes,
) -> Result<Response, Error> {
    let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
    let looked_at = verify::Answer {
        method,
        path: answer.url().path().get(prefix..).unwrap_or_default(),
        success: status.is_success(),
        headers: &headers,
        body: &body,
        now: inner.clock.unix_seconds(),
    };
    let verified = verify::answer(&looked_at, &inner.platform).map_err(|reason| {
        let request_id = request_id(&headers).map(str::to_owned);
        Error::Verify(Box::new(VerifyError { reason, status: Some(status.as_u16()), request_id }))
    })?;
    if status.is_success() {
        Ok(Response::new(Arc::clone(inner), status, headers, body, verified))
    } else {
        Err(Error::Api(Box::new(api_error(status, &headers, body, verified))))
    }
}

/// Whether headers and body come from the platform, by whatever way they came.
pub(crate) fn verify(inner: &Inner, headers: &HeaderMap, body: &[u8]) -> Result<(), Error> {
    verify::signature(headers, body, inner.clock.unix_seconds(), &inner.platform).map_err(|reason| {
        let request_id = request_id(headers).map(str::to_owned);
        Error::Verify(Box::new(VerifyError { reason, status: None, request_id }))
    })
}

fn api_error(status: StatusCode, headers: &HeaderMap, body: Bytes, verified: bool) -> ApiError {
    let parsed = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    let text = |name: &str| parsed[name].as_str().map(str::to_owned);
    let header = |name| headers.get(name).and_then(|v| v.to_str().ok());
    let message = text("message").unwrap_or_else(|| match (status.is_redirection(), header(LOCATION)) {
        // Only the host: the rest may carry a token.
        (true, Some(location)) => format!("a redirect to `{}`, which is not followed", origin_of(location)),
        _ => format!(
            "{} bytes of {}, not the platform's JSON",
            body.len(),
            header(CONTENT_TYPE).unwrap_or("no declared type")
        ),
    });
    ApiError {
        status: status.as_u16(),
        code: text("code").unwrap_or_default(),
        message,
        detail: parsed["detail"].clone(),
        request_id: request_id(headers).map(str::to_owned),
        verified,
        retry_after: header(RETRY_AFTER).and_then(|v| v.trim().parse().ok()).map(Duration::from_secs),
        body,
    }
}

fn origin_of(location: &str) -> String {
    url::Url::parse(location)
        .map_or_else(|_| "another path".to_owned(), |url| url.origin().ascii_serialization())
}

impl Sent {
    pub(crate) fn transport(&self, e: reqwest::Error) -> Error {
        // A connection that could not be made or broke, not a slow answer: another host may do better.
        let broken = e.is_connect() || !(e.is_timeout() || e.is_builder());
        let what = match (e.is_connect(), e.is_timeout()) {
            (true, true) => "no connection within the connect timeout".to_owned(),
            (true, false) => "no connection".to_owned(),
            (false, true) => format!("no whole answer within {:?}", self.timeout),
            (false, false) if e.is_builder() => "the request could not be built".to_owned(),
            (false, false) => "the exchange broke off".to_owned(),
        };
        let maybe_sent = !(e.is_connect() || e.is_builder());
        // Without the URL, which holds values; with the innermost cause, which says what happened.
        let e = e.without_url();
        let mut cause: &dyn std::error::Error = &e;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        let what = format!("{what} ({cause})");
        let call = format!("{} {}", self.method, self.template);
        Error::Transport(Box::new(TransportError {
            call,
            what,
            maybe_sent,
            broken,
            request_id: None,
            source: Some(Box::new(e)),
        }))
    }

    /// The answer is no use, though the connection held.
    pub(crate) fn broken(
        &self,
        what: String,
        maybe_sent: bool,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        let call = format!("{} {}", self.method, self.template);
        Error::Transport(Box::new(TransportError {
            call,
            what,
            maybe_sent,
            broken: false,
            request_id: None,
            source,
        }))
    }
}
