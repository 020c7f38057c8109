//! A response read from the wire, and the errors of the exchange.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode};

use super::failure::Failure;
use crate::error::{Error, ResponseTooLargeError, TransportError};
use crate::response::request_id;

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
    /// As it may be shown.
    pub(crate) template: Arc<str>,
    pub(crate) timeout: Duration,
}

/// Reads the body, up to `limit` bytes, whatever length the response declares.
pub(crate) async fn read(
    response: &mut reqwest::Response,
    limit: usize,
    call: &CallInfo,
) -> Result<Bytes, Error> {
    let too_large =
        |response: &reqwest::Response| call.too_large(limit as u64, response.status(), response.headers());
    if response.content_length().is_some_and(|length| length > limit as u64) {
        return Err(too_large(response));
    }
    // Most responses come in one piece, which is passed on as it is.
    let Some(first) = response.chunk().await.map_err(|e| call.transport_error(e))? else {
        return Ok(Bytes::new());
    };
    if first.len() > limit {
        return Err(too_large(response));
    }
    let Some(second) = response.chunk().await.map_err(|e| call.transport_error(e))? else {
        return Ok(first);
    };
    let mut whole = BytesMut::from(first);
    let mut next = Some(second);
    while let Some(chunk) = next {
        if whole.len() + chunk.len() > limit {
            return Err(too_large(response));
        }
        whole.extend_from_slice(&chunk);
        next = response.chunk().await.map_err(|e| call.transport_error(e))?;
    }
    Ok(whole.freeze())
}

impl CallInfo {
    /// An error of the exchange although the connection held.
    pub(crate) fn error(
        &self,
        what: String,
        maybe_sent: bool,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        self.build_error(Failure { what, maybe_sent, connect: false, broken: false, timeout: false }, source)
    }

    /// `step` with the call's timeout. `missing` names the thing that did not come in time.
    pub(crate) async fn within<T>(
        &self,
        missing: &str,
        step: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let late = || {
            let what = format!("no {missing} within {:?}", self.timeout);
            self.late(what, true)
        };
        tokio::time::timeout(self.timeout, step).await.unwrap_or_else(|_| Err(late()))
    }

    /// The response is larger than the limit of this call, in bytes.
    pub(crate) fn too_large(&self, limit: u64, status: StatusCode, headers: &HeaderMap) -> Error {
        let request_id = request_id(headers).map(str::to_owned);
        let (call, status) = (self.name(), status.as_u16());
        Error::ResponseTooLarge(Box::new(ResponseTooLargeError { call, limit, status, request_id }))
    }

    /// The time was not enough.
    pub(crate) fn late(&self, what: String, maybe_sent: bool) -> Error {
        self.build_error(Failure { what, maybe_sent, connect: false, broken: false, timeout: true }, None)
    }

    pub(super) fn build_error(
        &self,
        failure: Failure,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        let Failure { what, maybe_sent, connect, broken, timeout } = failure;
        Error::Transport(Box::new(TransportError {
            call: self.name(),
            what,
            maybe_sent,
            connect,
            broken,
            stale: false,
            timeout,
            request_id: None,
            source,
        }))
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.template)
    }
}

/// The error of a signature without a request (a pay-sign) that was not made in time.
pub(crate) fn no_signature(allowed: Duration) -> Error {
    let call = CallInfo { method: Method::GET, template: Arc::from(""), timeout: allowed };
    match call.late(format!("no signature within {allowed:?}"), false) {
        Error::Transport(mut e) => {
            e.call = "pay-sign".to_owned();
            Error::Transport(e)
        }
        other => other,
    }
}
