//! The HTTP server: one thread with a runtime of its own, and two more for the RSA work, so that a signature
//! on one connection does not hold up the others. Notifications go out from here, too.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr, TcpListener as StdListener},
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    sync::{mpsc::UnboundedReceiver, oneshot},
    task, time,
};

use super::{
    Fault, SandboxError,
    check::{Arrived, media_type},
    clock, control,
    delivery::{self, Job},
    page,
    payload::Payload,
    platform::Platform,
    postman,
    refusal::Refusal,
};

/// Like the platform, which closes a connection after about 8 s without a request; also how long a request's
/// headers may take.
const IDLE: Duration = Duration::from_secs(8);

/// How long a request's body may take.
const BODY: Duration = Duration::from_secs(30);

/// How long an answer that is being made may still hold up the end.
const FAREWELL: Duration = Duration::from_millis(500);

/// For the RSA work; and the lookups of names, which may take long, must not take these away.
const BLOCKING: usize = 2 + postman::LOOKUPS;

const LARGEST: usize = 8 << 20;
const LARGEST_UPLOAD: usize = 32 << 20;

/// A body too large is read on to here, so that the client is done sending and reads the refusal.
const DRAINED: usize = 128 << 20;

pub(super) struct Server {
    pub(super) platform: Arc<Platform>,
    pub(super) base_url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Port 0 is any free one.
    pub(super) fn start(
        platform: Platform,
        jobs: UnboundedReceiver<Job>,
        port: u16,
    ) -> Result<Server, SandboxError> {
        let platform = Arc::new(platform);
        platform.resume()?;
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|source| match port {
            0 => SandboxError::Server(source),
            port => SandboxError::Port { port, source },
        })?;
        listener.set_nonblocking(true).map_err(SandboxError::Server)?;
        let port = listener.local_addr().map_err(SandboxError::Server)?.port();

        let (stop, stopped) = oneshot::channel();
        let (report, started) = mpsc::sync_channel(1);
        let shared = Arc::clone(&platform);
        let thread = thread::Builder::new()
            .name("wechatpay-sandbox".into())
            .spawn(move || run(listener, shared, jobs, stopped, &report))
            .map_err(SandboxError::Server)?;
        let gone = || Err(io::Error::other("the server's thread ended at once"));
        started.recv().unwrap_or_else(|_| gone()).map_err(SandboxError::Server)?;
        Ok(Server {
            platform,
            base_url: format!("http://127.0.0.1:{port}/"),
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The runtime ends on its own thread (a runtime must not end inside another one); joining frees the
        // port before this returns, and takes `FAREWELL` at the most.
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a thread of its own, in which no other runtime can be")]
fn run(
    listener: StdListener,
    platform: Arc<Platform>,
    jobs: UnboundedReceiver<Job>,
    stopped: oneshot::Receiver<()>,
    report: &mpsc::SyncSender<io::Result<()>>,
) {
    let built = runtime::Builder::new_current_thread().enable_all().max_blocking_threads(BLOCKING).build();
    let runtime = match built {
        Ok(runtime) => runtime,
        Err(e) => {
            let _ = report.send(Err(e));
            return;
        }
    };
    runtime.block_on(async {
        match TcpListener::from_std(listener) {
            Ok(listener) => {
                let _ = report.send(Ok(()));
                task::spawn(delivery::run(Arc::clone(&platform), jobs));
                task::spawn(accept(listener, platform));
                // An error means that the sandbox is gone, which ends the server as well.
                let _ = stopped.await;
            }
            Err(e) => {
                let _ = report.send(Err(e));
            }
        }
    });
    runtime.shutdown_timeout(FAREWELL);
}

async fn accept(listener: TcpListener, platform: Arc<Platform>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                task::spawn(connection(stream, Arc::clone(&platform)));
            }
            Err(e) => {
                // Out of file descriptors, most likely: some connection has to end first.
                tracing::warn!(error = %e, "the sandbox cannot accept a connection");
                time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, platform: Arc<Platform>) {
    let _ = stream.set_nodelay(true);
    let own = stream.local_addr().ok();
    let service = service_fn(move |request| handle(Arc::clone(&platform), own, request));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .title_case_headers(true)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(e) = served {
        tracing::debug!(error = %e, "a connection to the sandbox ended early");
    }
}

/// The connection is to be closed without an answer.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection was cut")
    }
}

impl std::error::Error for Cut {}

async fn handle(
    platform: Arc<Platform>,
    own: Option<SocketAddr>,
    request: Request<Incoming>,
) -> Result<Response<Payload>, Cut> {
    let (parts, body) = request.into_parts();
    // `Uri` keeps the bytes of path and query as they came.
    let target = parts.uri.path_and_query().map_or_else(|| parts.uri.to_string(), ToString::to_string);
    let page = page::is_page(&parts.method, &target, &parts.headers);
    if page || control::is_control(&target) {
        let body = match time::timeout(BODY, read(body, control::LARGEST)).await {
            Ok(Ok(body)) => Some(body),
            Ok(Err(Unread::TooLarge { .. })) => None,
            Ok(Err(Unread::Broken)) | Err(_) => return Err(Cut),
        };
        let asked = control::Asked { method: parts.method, target, headers: parts.headers, body };
        let answer = if page { page::answer } else { control::answer };
        let now = clock::http_date(platform.clock.now());
        let made = task::spawn_blocking(move || answer(&platform, own, &asked)).await;
        let mut response = made.map_err(|_| Cut)?;
        // Whoever asks the host for nothing but its time gets the platform's.
        if let Ok(now) = HeaderValue::try_from(now) {
            response.headers_mut().insert(header::DATE, now);
        }
        return Ok(response.map(Payload::whole));
    }
    let faults = platform.faults().of_request(&target);
    let body = time::timeout(BODY, read(body, limit(&parts.headers))).await;
    let mut arrived = Arrived { method: parts.method, target, headers: parts.headers, body: Bytes::new() };

    let refusal = match body {
        Ok(Ok(bytes)) => {
            arrived.body = bytes;
            None
        }
        Ok(Err(Unread::TooLarge { limit })) => {
            let message = format!("the body has more than {limit} bytes");
            Some(Refusal::new(413, "PARAM_ERROR", message))
        }
        Err(_) => Some(Refusal::new(408, "REQUEST_TIMEOUT", "the body did not come in time")),
        Ok(Err(Unread::Broken)) => return Err(Cut),
    };
    let (close, faults_there) = (refusal.is_some(), faults.clone());
    let made = task::spawn_blocking(move || match refusal {
        Some(refusal) => platform.refuse(arrived, refusal, &faults),
        None => platform.serve(arrived, &faults),
    });
    let mut response = made.await.map_err(|_| Cut)?;
    if close {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    carry(response, &faults_there).await
}

/// The faults of the line itself.
async fn carry(response: Response<Bytes>, faults: &[Fault]) -> Result<Response<Payload>, Cut> {
    for fault in faults {
        if let Fault::Delay(time) = fault {
            time::sleep(*time).await;
        }
    }
    let cut = faults.contains(&Fault::CutBody);
    if faults.contains(&Fault::CutConnection) || (cut && response.body().is_empty()) {
        return Err(Cut);
    }
    Ok(response.map(|body| if cut { Payload::cut(body) } else { Payload::whole(body) }))
}

enum Unread {
    TooLarge { limit: usize },
    Broken,
}

fn limit(headers: &HeaderMap) -> usize {
    if media_type(headers) == "multipart/form-data" { LARGEST_UPLOAD } else { LARGEST }
}

async fn read(mut body: Incoming, limit: usize) -> Result<Bytes, Unread> {
    let mut bytes = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Unread::Broken)?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > DRAINED {
            break;
        }
        if length > limit {
            bytes = BytesMut::new();
        } else {
            bytes.extend_from_slice(&data);
        }
    }
    if length > limit { Err(Unread::TooLarge { limit }) } else { Ok(bytes.freeze()) }
}
