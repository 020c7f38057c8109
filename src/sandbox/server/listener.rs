//! The listener: a thread with its own runtime, and two more threads for RSA, so that a signature on one connection does
//! not delay the others. Notifications are sent from here as well.

use std::{
    io,
    net::{Ipv4Addr, TcpListener as StdListener},
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use http::Extensions;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    sync::{mpsc::UnboundedReceiver, oneshot},
    task, time,
};

use super::{
    admin_hook::AdminHook,
    connection::{self, CloseConnection, Shared},
    header_names,
    platform::Platform,
};
use crate::sandbox::{
    http::sandbox_error::SandboxError,
    notify::{allowed_hosts, delivery, outbox::Job},
};

/// The platform closes a connection after about 8 s without a request. This is also the limit for the headers of a
/// request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(8);

/// How long the shutdown waits for responses in progress.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(500);

/// Two threads for RSA. Lookups of names can block for long and get their own.
const MAX_BLOCKING_THREADS: usize = 2 + allowed_hosts::MAX_LOOKUPS;

pub(crate) struct Server {
    pub(crate) platform: Arc<Platform>,
    pub(crate) base_url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A bound address. Connections wait until the server starts.
pub(crate) struct Socket {
    listener: StdListener,
    port: u16,
}

impl Socket {
    /// Port 0 chooses a free port.
    pub(crate) fn bind(port: u16) -> Result<Socket, SandboxError> {
        let listener = StdListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|source| match port {
            0 => SandboxError::Server(source),
            port => SandboxError::Port { port, source },
        })?;
        listener.set_nonblocking(true).map_err(SandboxError::Server)?;
        let port = listener.local_addr().map_err(SandboxError::Server)?.port();
        Ok(Socket { listener, port })
    }
}

impl Server {
    pub(crate) fn start(
        platform: Platform,
        jobs: UnboundedReceiver<Job>,
        Socket { listener, port }: Socket,
        admin: AdminHook,
    ) -> Result<Server, SandboxError> {
        let platform = Arc::new(platform);
        platform.outbox.resend_undelivered()?;
        let (stop, stopped) = oneshot::channel();
        let (report, started) = mpsc::sync_channel(1);
        let shared = Shared { platform: Arc::clone(&platform), admin };
        let thread = thread::Builder::new()
            .name("wechatpay-sandbox".into())
            .spawn(move || run(listener, shared, jobs, stopped, &report))
            .map_err(SandboxError::Server)?;
        let gone = || Err(io::Error::other("the server thread ended at once"));
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
        // The runtime ends on its own thread, because a runtime must not end inside another one. The join frees the
        // port before this returns. It takes at most `SHUTDOWN_TIMEOUT`.
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "its own thread, in which no other runtime can exist")]
fn run(
    listener: StdListener,
    shared: Shared,
    jobs: UnboundedReceiver<Job>,
    stopped: oneshot::Receiver<()>,
    report: &mpsc::SyncSender<io::Result<()>>,
) {
    let built = runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(MAX_BLOCKING_THREADS)
        .build();
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
                task::spawn(delivery::run(Arc::clone(&shared.platform.outbox), jobs));
                task::spawn(accept(listener, shared));
                // An error means that the sandbox was dropped.
                let _ = stopped.await;
            }
            Err(e) => {
                let _ = report.send(Err(e));
            }
        }
    });
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
}

async fn accept(listener: TcpListener, shared: Shared) {
    let spellings = header_names::spellings().await;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                task::spawn(serve(stream, shared.clone(), spellings.clone()));
            }
            Err(e) => {
                // Probably out of file descriptors: wait until a connection ends.
                tracing::warn!(error = %e, "the sandbox cannot accept a connection");
                time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, shared: Shared, spellings: Extensions) {
    let _ = stream.set_nodelay(true);
    let local_address = stream.local_addr().ok();
    let service = service_fn(move |request| {
        let (shared, spellings) = (shared.clone(), spellings.clone());
        async move {
            let mut response = connection::handle(shared, local_address, request).await?;
            response.extensions_mut().extend(spellings);
            Ok::<_, CloseConnection>(response)
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .title_case_headers(true)
        .preserve_header_case(true)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(e) = served {
        tracing::debug!(error = %e, "a connection to the sandbox ended early");
    }
}
