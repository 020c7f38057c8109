//! A call of APIv2 from its first attempt to its checked response.

use std::time::Duration;

use http::Method;
use tracing::Instrument as _;

use super::merchant::Merchant;
use super::outgoing::OutgoingRequest;
use super::verify::{self, Answer};
use crate::error::Error;
use crate::response::request_id;
use crate::runtime::{Deadline, IoRuntime};
use crate::transport::{RawResponse, Transport, read, trace};

/// Codes with which the platform refuses a call before it does anything: it may be sent again.
const BUSY: &[&str] = &["FREQUENCY_LIMITED", "FREQ_LIMIT", "RATELIMIT_EXCEEDED"];

/// What a call needs of its client.
pub(crate) struct Client<'a> {
    pub(crate) merchant: &'a Merchant,
    pub(crate) transport: &'a Transport,
    /// The largest response, in bytes.
    pub(crate) max_body: usize,
    /// The pause before the first retry.
    pub(crate) retry_delay: Duration,
    /// Whether requests and responses are trace events.
    pub(crate) traced: bool,
}

/// Sends, reads and checks; on the spare host, and again, where nothing can have been carried out.
pub(crate) async fn exchange(
    client: &Client<'_>,
    mut request: Box<OutgoingRequest>,
    runtime: IoRuntime,
    deadline: Deadline,
) -> Result<(RawResponse, Answer), Error> {
    let span = tracing::info_span!(
        "wechatpay",
        method = %request.method,
        template = &*request.template,
        host = request.url.host_str(),
        status = tracing::field::Empty,
        request_id = tracing::field::Empty,
        attempts = tracing::field::Empty,
        duration_ms = tracing::field::Empty,
    );
    let recorded = span.clone();
    let attempts = async {
        let mut spare = client.transport.hosts.on_spare(&request.url, request.base_path_length);
        let (mut left, mut pause, mut count) = (request.retries, client.retry_delay, 1_u32);
        let mut fresh = false;
        loop {
            recorded.record("attempts", count);
            let result = attempt(client, &request, runtime, &deadline, fresh).await;
            let Err(error) = &result else { return result };
            let has_time = |pause| deadline.has_time_for_an_attempt_after(pause);
            let is_get = request.method == Method::GET;
            if !fresh && is_get && is_stale(error) && has_time(Duration::ZERO) {
                fresh = true;
            } else if let Some((url, length)) =
                spare.take_if(|_| is_unreachable(error, is_get) && has_time(Duration::ZERO))
            {
                tracing::warn!(host = url.host_str(), "no connection: trying the spare host");
                (request.url, request.base_path_length) = (url, length);
            } else if left > 0 && is_busy(error) && has_time(pause) {
                tracing::warn!(wait = ?pause, code = error.code(), "refused for now: trying again");
                tokio::time::sleep(pause).await;
                (left, pause) = (left - 1, pause.saturating_mul(2));
            } else {
                return result;
            }
            count += 1;
        }
    };
    let result = attempts.instrument(span.clone()).await;
    let (status, request_id) = match &result {
        Ok((response, _)) => (Some(response.status.as_u16()), request_id(&response.headers)),
        Err(error) => (error.status(), error.request_id()),
    };
    span.record("status", status);
    span.record("request_id", request_id);
    span.record("duration_ms", u64::try_from(deadline.elapsed().as_millis()).unwrap_or(u64::MAX));
    result
}

async fn attempt(
    client: &Client<'_>,
    request: &OutgoingRequest,
    runtime: IoRuntime,
    deadline: &Deadline,
    fresh: bool,
) -> Result<(RawResponse, Answer), Error> {
    let call = request.call_info();
    let secret = client.merchant.secret()?;
    // A server asks for a certificate in TLS only; http is for this machine.
    let transport = match request.with_certificate && request.url.scheme() == "https" {
        true => client.merchant.transport_with_certificate(client.transport)?,
        false => client.transport,
    };
    let mut http = reqwest::Request::new(request.method.clone(), request.url.clone());
    *http.headers_mut() = request.headers.clone();
    if client.traced {
        trace::request(&http, &request.body, Some(&request.sign));
    }
    let late = || call.late(format!("it could not be sent within {:?}", deadline.allowed()), false);
    if !request.body.is_empty() {
        *http.body_mut() = Some(request.body.clone().into());
    }
    *http.timeout_mut() = Some(deadline.left().ok_or_else(late)?);
    let mut response = transport.send(http, runtime, &call, fresh).await?;
    if client.traced {
        trace::response(response.status(), response.headers());
    }
    let body = read(&mut response, client.max_body, &call).await?;
    if client.traced {
        trace::response_body(&body);
    }
    let response = RawResponse::new(response, body);
    let path = response.path.get(request.base_path_length..).unwrap_or_default();
    let answer = verify::response(&response, path, secret)?;
    Ok((response, answer))
}

fn is_stale(error: &Error) -> bool {
    matches!(error, Error::Transport(e) if e.stale)
}

fn is_unreachable(error: &Error, is_get: bool) -> bool {
    matches!(error, Error::Transport(e) if e.broken && (!e.maybe_sent || is_get))
}

/// A refusal that says that nothing was done. Not `SYSTEMERROR`: its outcome is unknown (PROTOCOL-V2, section 5).
fn is_busy(error: &Error) -> bool {
    error.status() == Some(429) || error.code().is_some_and(|code| BUSY.contains(&code))
}
