//! One attempt on the wire: signed, sent, read. Nothing is verified here; that is `exchange.rs`.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

use crate::client::{Inner, Lane};
use crate::error::{ApiError, Error, TransportError};
use crate::request::prepared::Parts;
use crate::response::request_id;
use crate::signer::MerchantKey;
use crate::v3::sign::{self, Stamp};

/// What an attempt signs, made afresh: a timestamp and a nonce serve once.
pub(crate) fn stamp(inner: &Inner, parts: &Parts) -> Result<Stamp, Error> {
    let timestamp = inner.clock.unix_seconds().to_string();
    let nonce = sign::nonce()?;
    let message = sign::message(parts.method.as_str(), parts.target(), &timestamp, &nonce, &parts.body);
    Ok(Stamp { timestamp, nonce, message })
}

/// An answer, read whole and not verified.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The path that was asked for, the base URL's included.
    pub(crate) path: String,
}

/// Signs, sends and reads one attempt.
pub(crate) async fn once(inner: &Inner, parts: Box<Parts>, lane: Lane) -> Result<Answer, Error> {
    let sent =
        Sent { method: parts.method.clone(), template: Arc::clone(&parts.template), timeout: parts.timeout };
    let mut answer = send(inner, parts, lane, &sent).await?;
    let body = read(&mut answer, inner.settings.max_body, &sent).await.map_err(|error| match error {
        Error::Transport(mut e) => {
            e.request_id = request_id(answer.headers()).map(str::to_owned);
            Error::Transport(e)
        }
        other => other,
    })?;
    Ok(Answer::new(answer, body))
}

/// Signs and sends one attempt: what comes back is neither read nor verified yet.
pub(crate) async fn send(
    inner: &Inner,
    mut parts: Box<Parts>,
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
    let Parts { method, url, headers, body, upload, timeout, streamed, .. } = *parts;
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

impl Answer {
    /// An answer whose body is not read into memory.
    pub(crate) fn head(answer: &reqwest::Response) -> Answer {
        let path = answer.url().path().to_owned();
        Answer { status: answer.status(), headers: answer.headers().clone(), body: Bytes::new(), path }
    }

    pub(crate) fn new(mut answer: reqwest::Response, body: Bytes) -> Answer {
        let headers = std::mem::take(answer.headers_mut());
        Answer { status: answer.status(), headers, body, path: answer.url().path().to_owned() }
    }

    /// The platform's error.
    pub(crate) fn into_api_error(self, verified: bool) -> Error {
        let Answer { status, headers, body, .. } = self;
        Error::Api(Box::new(api_error(status, &headers, body, verified)))
    }
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
