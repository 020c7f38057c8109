//! One request of a connection: reads it, lets the admin hook or the platform respond, and applies the faults of the
//! connection.

use std::{
    fmt,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header, request::Parts};
use hyper::body::Incoming;
use tokio::{task, time};

use super::{
    admin_hook::{AdminHook, AdminRequest},
    body_reader::{BodyReader, ReadError},
    platform::{Arrival, Platform, Served},
};
use crate::sandbox::{
    faults::fault::Fault,
    http::{
        body::OutgoingBody,
        clock,
        error_response::ErrorResponse,
        request::{IncomingRequest, media_type},
    },
    store::seen_request::Sent,
};

/// The limit for the body of a request.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

const MAX_BODY: usize = 8 << 20;
const MAX_UPLOAD: usize = 32 << 20;

/// Shared by all connections.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) platform: Arc<Platform>,
    pub(crate) admin: AdminHook,
    pub(crate) bodies: BodyReader,
}

/// Closes the connection without a response.
#[derive(Debug)]
pub(crate) struct CloseConnection;

impl fmt::Display for CloseConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection was closed")
    }
}

impl std::error::Error for CloseConnection {}

pub(crate) async fn handle(
    shared: Shared,
    local_address: Option<SocketAddr>,
    request: Request<Incoming>,
) -> Result<Response<OutgoingBody>, CloseConnection> {
    let (mut parts, body) = request.into_parts();
    // RFC 9112, section 3.2.2: the host of a whole URL replaces `Host`.
    if let Some(authority) = parts.uri.authority() {
        let host = HeaderValue::try_from(authority.as_str()).map_err(|_| CloseConnection)?;
        parts.headers.insert(header::HOST, host);
    }
    // `Uri` keeps the bytes of path and query as sent.
    let target = parts.uri.path_and_query().map_or_else(|| parts.uri.to_string(), ToString::to_string);
    if (shared.admin.accepts)(&parts.method, &target, &parts.headers) {
        handle_admin(shared, local_address, parts, target, body).await
    } else {
        handle_platform(shared, parts, target, body).await
    }
}

async fn handle_admin(
    shared: Shared,
    local_address: Option<SocketAddr>,
    parts: Parts,
    target: String,
    body: Incoming,
) -> Result<Response<OutgoingBody>, CloseConnection> {
    let Shared { platform, admin, bodies } = shared;
    let limit = (admin.max_body)(&target);
    let body = match time::timeout(BODY_TIMEOUT, bodies.read(body, &parts.headers, limit)).await {
        Ok(Ok(body)) => Some(body.bytes),
        Ok(Err(ReadError::TooLarge { .. })) => None,
        Ok(Err(ReadError::Broken)) | Err(_) => return Err(CloseConnection),
    };
    let request = AdminRequest { method: parts.method, target, headers: parts.headers, body, local_address };
    let now = clock::http_date(platform.clock.now());
    let mut response = (admin.handle)(platform, request).await.ok_or(CloseConnection)?;
    // A client that reads only the `Date` header gets the platform's time.
    if let Ok(now) = HeaderValue::try_from(now) {
        response.headers_mut().insert(header::DATE, now);
    }
    Ok(response.map(OutgoingBody::complete))
}

async fn handle_platform(
    Shared { platform, bodies, .. }: Shared,
    parts: Parts,
    target: String,
    body: Incoming,
) -> Result<Response<OutgoingBody>, CloseConnection> {
    let arrival = Arrival { number: platform.requests.next_number(), at: clock::system_time() };
    let limit = body_limit(&parts.headers);
    let request =
        IncomingRequest { method: parts.method, target, headers: parts.headers, body: Bytes::new() };
    let mut progress = Progress {
        arrival,
        started: Instant::now(),
        sent: Sent::ClientLeft,
        platform: Arc::clone(&platform),
        unread: Some(request),
    };
    let headers = progress.unread.as_ref().map(|request| request.headers.clone()).unwrap_or_default();
    let body = time::timeout(BODY_TIMEOUT, bodies.read(body, &headers, limit)).await;

    let (mut bytes, mut share) = (Bytes::new(), None);
    let error = match body {
        Ok(Ok(body)) => {
            (bytes, share) = (body.bytes, body.share);
            None
        }
        Ok(Err(ReadError::TooLarge { limit })) => {
            let message = format!("the body has more than {limit} bytes");
            Some(ErrorResponse::new(413, "PARAM_ERROR", message))
        }
        Err(_) => Some(ErrorResponse::new(408, "REQUEST_TIMEOUT", "the body did not arrive in time")),
        Ok(Err(ReadError::Broken)) => return Err(CloseConnection),
    };
    let mut request = progress.unread.take().ok_or(CloseConnection)?;
    request.body = bytes;
    let close = error.is_some();
    // The task owns `progress`: it ends even if the client leaves.
    let served = task::spawn_blocking(move || {
        let served = match error {
            Some(error) => platform.reject(request, arrival, error),
            None => platform.serve(request, arrival),
        };
        drop(share);
        (served, progress)
    });
    let (Served { mut response, faults }, mut progress) = served.await.map_err(|_| CloseConnection)?;
    if close {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    apply_connection_faults(response, &faults, &mut progress.sent).await
}

/// The way of a response to the client. Dropping it records the end, and so does a client that closes the connection
/// earlier, because the server then drops the future that holds it.
struct Progress {
    platform: Arc<Platform>,
    arrival: Arrival,
    started: Instant,
    sent: Sent,
    /// The request until its body is read.
    unread: Option<IncomingRequest>,
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(request) = self.unread.take() {
            self.platform.record_unread(request, self.arrival);
        }
        self.platform.requests.finish(self.arrival.number, self.sent, self.started.elapsed());
    }
}

async fn apply_connection_faults(
    response: Response<Bytes>,
    faults: &[Fault],
    sent: &mut Sent,
) -> Result<Response<OutgoingBody>, CloseConnection> {
    for fault in faults {
        if let Fault::Delay(time) = fault {
            time::sleep(*time).await;
        }
    }
    let truncate = faults.contains(&Fault::CutBody);
    if faults.contains(&Fault::CutConnection) || (truncate && response.body().is_empty()) {
        *sent = Sent::Nothing;
        return Err(CloseConnection);
    }
    *sent = if truncate { Sent::Cut } else { Sent::Whole };
    Ok(response
        .map(|body| if truncate { OutgoingBody::truncated(body) } else { OutgoingBody::complete(body) }))
}

fn body_limit(headers: &HeaderMap) -> usize {
    if media_type(headers) == "multipart/form-data" { MAX_UPLOAD } else { MAX_BODY }
}
