//! The listener: a thread with its own runtime, and two more threads for RSA, so that a signature on one connection does
//! not delay the others. Notifications are sent from here as well.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as StdListener},
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
    body_reader::BodyReader,
    connection::{self, CloseConnection, Shared},
    platform::Platform,
};
use crate::sandbox::{
    http::{header_names, sandbox_error::SandboxError},
    notify::{allowed_hosts, delivery, outbox::Job},
    store::records,
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
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A bound address. Connections wait until the server starts.
pub(crate) struct Socket {
    listener: StdListener,
    address: SocketAddr,
}

impl Socket {
    /// Port 0 chooses a free port; `or_free_port` does, too, if the port is taken.
    pub(crate) fn bind(host: IpAddr, port: u16, or_free_port: bool) -> Result<Socket, SandboxError> {
        let bind = |port| -> io::Result<Socket> {
            let listener = StdListener::bind((host, port))?;
            listener.set_nonblocking(true)?;
            let mut address = listener.local_addr()?;
            address.set_ip(address.ip().to_canonical());
            Ok(Socket { listener, address })
        };
        let bound = match bind(port) {
            Err(e) if or_free_port && e.kind() == io::ErrorKind::AddrInUse => bind(0),
            bound => bound,
        };
        bound.map_err(|source| SandboxError::Port { address: SocketAddr::new(host, port), source })
    }

    /// For clients on this machine.
    fn base_url(&self) -> String {
        let mut address = self.address;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        format!("http://{address}/")
    }
}

impl Server {
    pub(crate) fn start(
        platform: Platform,
        jobs: UnboundedReceiver<Job>,
        socket: Socket,
        admin: AdminHook,
    ) -> Result<Server, SandboxError> {
        let platform = Arc::new(platform);
        platform.outbox.resend_undelivered()?;
        let (base_url, Socket { listener, address }) = (socket.base_url(), socket);
        let (stop, stopped) = oneshot::channel();
        let (report, started) = mpsc::sync_channel(1);
        let shared = Shared { platform: Arc::clone(&platform), admin, bodies: BodyReader::new() };
        let thread = thread::Builder::new()
            .name("wechatpay-sandbox".into())
            .spawn(move || run(listener, shared, jobs, stopped, &report))
            .map_err(SandboxError::Server)?;
        let gone = || Err(io::Error::other("the server thread ended at once"));
        started.recv().unwrap_or_else(|_| gone()).map_err(SandboxError::Server)?;
        Ok(Server { platform, base_url, address, stop: Some(stop), thread: Some(thread) })
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
        self.platform.save_records();
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
                if shared.platform.keeps_records() {
                    task::spawn(save_records(Arc::clone(&shared.platform)));
                }
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

async fn save_records(platform: Arc<Platform>) {
    loop {
        time::sleep(records::INTERVAL).await;
        let platform = Arc::clone(&platform);
        let _ = task::spawn_blocking(move || platform.save_records()).await;
    }
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
    // A socket on `::` has the addresses of IPv4 in the form of IPv6: no client names them so.
    let local_address = stream.local_addr().ok();
    let local_address =
        local_address.map(|address| SocketAddr::new(address.ip().to_canonical(), address.port()));
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
