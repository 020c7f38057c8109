//! A response read from the wire, and the errors of the exchange.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode};

use crate::error::{Error, TransportError};

/// A response, not verified.
pub(crate) struct RawResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Empty for a body that is not read into memory.
    pub(crate) body: Bytes,
    /// The path of the request, the base URL's included.
    pub(crate) path: String,
}

impl RawResponse {
    /// The head of a response whose body is streamed.
    pub(crate) fn head(response: &reqwest::Response) -> RawResponse {
        let path = response.url().path().to_owned();
        RawResponse {
            status: response.status(),
            headers: response.headers().clone(),
            body: Bytes::new(),
            path,
        }
    }

    pub(crate) fn new(mut response: reqwest::Response, body: Bytes) -> RawResponse {
        let headers = std::mem::take(response.headers_mut());
        RawResponse { status: response.status(), headers, body, path: response.url().path().to_owned() }
    }
}

/// The call that an error names.
pub(crate) struct CallInfo {
    pub(crate) method: Method,
    pub(crate) template: Arc<str>,
    pub(crate) timeout: Duration,
}

/// Reads the body, up to `limit` bytes, whatever length the response declares.
pub(crate) async fn read(
    response: &mut reqwest::Response,
    limit: usize,
    call: &CallInfo,
) -> Result<Bytes, Error> {
    let too_large = || {
        let reason = format!("the response is larger than {limit} bytes, the limit for a body in memory");
        call.error(reason, true, None)
    };
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(too_large());
    }
    // Most responses come in one piece, which is passed on as it is.
    let Some(first) = response.chunk().await.map_err(|e| call.transport_error(e))? else {
        return Ok(Bytes::new());
    };
    if first.len() > limit {
        return Err(too_large());
    }
    let Some(second) = response.chunk().await.map_err(|e| call.transport_error(e))? else {
        return Ok(first);
    };
    let mut whole = BytesMut::from(first);
    let mut next = Some(second);
    while let Some(chunk) = next {
        if whole.len() + chunk.len() > limit {
            return Err(too_large());
        }
        whole.extend_from_slice(&chunk);
        next = response.chunk().await.map_err(|e| call.transport_error(e))?;
    }
    Ok(whole.freeze())
}

impl CallInfo {
    /// The HTTP library's error as ours.
    pub(crate) fn transport_error(&self, e: reqwest::Error) -> Error {
        // A connection that could not be made, or broke; not a slow response: another host may do better.
        let broken = e.is_connect() || !(e.is_timeout() || e.is_builder());
        let failure = match (e.is_connect(), e.is_timeout()) {
            (true, true) => "no connection within the connect timeout".to_owned(),
            (true, false) => "no connection".to_owned(),
            (false, true) => format!("no complete response within {:?}", self.timeout),
            (false, false) if e.is_builder() => "the request could not be built".to_owned(),
            (false, false) => "the connection broke".to_owned(),
        };
        let maybe_sent = !(e.is_connect() || e.is_builder());
        // Without the URL, which contains values; with the innermost cause, which is the specific one.
        let e = e.without_url();
        let mut cause: &dyn std::error::Error = &e;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        let what = format!("{failure} ({cause})");
        self.build_error(what, maybe_sent, broken, Some(Box::new(e)))
    }

    /// An error of the exchange although the connection held.
    pub(crate) fn error(
        &self,
        what: String,
        maybe_sent: bool,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        self.build_error(what, maybe_sent, false, source)
    }

    /// `step` with the call's timeout. `missing` names the thing that did not come in time.
    pub(crate) async fn within<T>(
        &self,
        missing: &str,
        step: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let late = || self.error(format!("no {missing} within {:?}", self.timeout), true, None);
        tokio::time::timeout(self.timeout, step).await.unwrap_or_else(|_| Err(late()))
    }

    fn build_error(
        &self,
        what: String,
        maybe_sent: bool,
        broken: bool,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        let call = format!("{} {}", self.method, self.template);
        Error::Transport(Box::new(TransportError {
            call,
            what,
            maybe_sent,
            broken,
            stale: false,
            request_id: None,
            source,
        }))
    }
}

/// The error of a signature without a request (a pay-sign) that was not made in time.
pub(crate) fn no_signature(allowed: Duration) -> Error {
    let call = CallInfo { method: Method::GET, template: Arc::from(""), timeout: allowed };
    match call.error(format!("no signature within {allowed:?}"), false, None) {
        Error::Transport(mut e) => {
            e.call = "pay-sign".to_owned();
            Error::Transport(e)
        }
        other => other,
    }
}
