//! The HTTP client that sends notifications: one connection for each, to an address that was checked.

use std::{
    error::Error,
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use http::{Extensions, HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::BodyExt as _;
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::ServerName,
};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::OnceCell,
    task::JoinSet,
    time,
};
use tokio_rustls::TlsConnector;
use url::{Host, Position, Url};

use super::allowed_hosts::{AllowedHosts, NotAdmitted};
use crate::sandbox::http::{body::OutgoingBody, header_names};

/// The characters of a receiver's response that are kept, and how long its body may take.
const MAX_RESPONSE: usize = 1_000;
const BODY_TIMEOUT: Duration = Duration::from_millis(500);

pub(crate) struct NotifyClient {
    hosts: AllowedHosts,
    /// For a lookup, and for connecting and the response.
    timeout: Duration,
    tls: OnceLock<Result<Arc<ClientConfig>, String>>,
    spellings: OnceCell<Extensions>,
}

impl NotifyClient {
    /// `hosts` are allowed in addition to this machine.
    pub(crate) fn new(hosts: &[String], timeout: Duration) -> Result<NotifyClient, String> {
        let hosts = AllowedHosts::new(hosts)?;
        Ok(NotifyClient { hosts, timeout, tls: OnceLock::new(), spellings: OnceCell::new() })
    }

    /// Parses a `notify_url` and checks its host.
    pub(crate) async fn check(&self, notify_url: &str) -> Result<Url, NotAdmitted> {
        self.hosts.check(notify_url, self.timeout).await
    }

    /// Returns the status of the response and the beginning of its body. Redirects are not followed: they could lead to a host that is not allowed.
    pub(crate) async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: OutgoingBody,
    ) -> Result<(u16, String), String> {
        let sent = time::timeout(self.timeout, self.try_post(url, headers, body)).await;
        let late = |_| format!("timeout: no response within {:?}", self.timeout);
        let Received { response, _connection } = sent.map_err(late)??;
        Ok((response.status().as_u16(), beginning(response.into_body()).await))
    }

    async fn try_post(&self, url: &Url, headers: HeaderMap, body: OutgoingBody) -> Result<Received, String> {
        let request = self.request(url, headers, body).await?;
        let stream = self.connect(url).await?;
        if url.scheme() != "https" {
            return exchange(stream, request).await;
        }
        // Built for the first such notification: a slim container may lack the root certificates, and plain HTTP needs none.
        let config = self.tls.get_or_init(|| tls_config().map_err(|e| with_causes(&e))).clone()?;
        let host = url.host_str().unwrap_or("").trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host).map_err(|e| e.to_string())?;
        let stream = TlsConnector::from(config).connect(name, stream).await;
        exchange(stream.map_err(|e| format!("TLS: {}", with_causes(&e)))?, request).await
    }

    async fn request(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: OutgoingBody,
    ) -> Result<Request<OutgoingBody>, String> {
        let mut request = Request::new(body);
        *request.method_mut() = http::Method::POST;
        let target = &url[Position::BeforePath..Position::AfterQuery];
        *request.uri_mut() = target.parse().map_err(|e| format!("the path of notify_url: {e}"))?;
        let host = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort])
            .map_err(|e| format!("the host of notify_url: {e}"))?;
        *request.headers_mut() = headers;
        for (name, value) in [
            (header::HOST, host),
            (header::USER_AGENT, HeaderValue::from_static("Mozilla/4.0")),
            (header::ACCEPT, HeaderValue::from_static("*/*")),
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ] {
            request.headers_mut().insert(name, value);
        }
        *request.extensions_mut() = self.spellings.get_or_init(header_names::spellings).await.clone();
        Ok(request)
    }

    /// Resolves the name again, and connects to no other address than those that were checked: a name that resolves
    /// to another host meanwhile is useless (DNS rebinding).
    async fn connect(&self, url: &Url) -> Result<TcpStream, String> {
        let port = url.port_or_known_default().unwrap_or(80);
        let addresses: Vec<SocketAddr> = match url.host() {
            Some(Host::Ipv4(address)) => vec![(address, port).into()],
            Some(Host::Ipv6(address)) => vec![(address, port).into()],
            Some(Host::Domain(name)) => {
                let found = self.hosts.addresses(name).await.map_err(NotAdmitted::into_reason)?;
                found.into_iter().map(|address| SocketAddr::new(address.ip(), port)).collect()
            }
            None => Vec::new(),
        };
        // An address that drops packets must not use up the time of the next one.
        let share = self.timeout / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
        let mut failure = "no address".to_owned();
        for address in addresses {
            match time::timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(e)) => failure = format!("{address}: {e}"),
                Err(_) => failure = format!("{address}: timeout"),
            }
        }
        Err(failure)
    }
}

/// A response whose body is not read yet.
struct Received {
    response: Response<Incoming>,
    /// Dropping it closes the connection.
    _connection: JoinSet<Result<(), hyper::Error>>,
}

/// The characters at the beginning of a body, as far as they come soon: the status has decided already.
async fn beginning(mut body: Incoming) -> String {
    let mut bytes = Vec::new();
    let read = async {
        while let (Some(Ok(frame)), true) = (body.frame().await, bytes.len() < MAX_RESPONSE * 4) {
            let data = frame.into_data().unwrap_or_default();
            let room = MAX_RESPONSE * 4 - bytes.len();
            bytes.extend_from_slice(data.get(..room).unwrap_or(&data));
        }
    };
    let _ = time::timeout(BODY_TIMEOUT, read).await;
    String::from_utf8_lossy(&bytes).chars().take(MAX_RESPONSE).collect()
}

/// Sends the request and returns the response.
async fn exchange<S>(stream: S, request: Request<OutgoingBody>) -> Result<Received, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let builder = &mut http1::Builder::new();
    let (mut sender, connection) = builder
        .title_case_headers(true)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|e| with_causes(&e))?;
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let response = sender.send_request(request).await.map_err(|e| with_causes(&e))?;
    Ok(Received { response, _connection: driver })
}

/// With the root certificates of the machine.
fn tls_config() -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider =
        CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The text of an error and its causes. The text of hyper alone omits the cause; that of an I/O error repeats it.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let further = error.to_string();
        if !text.ends_with(&further) {
            text = format!("{text}: {further}");
        }
        cause = error.source();
    }
    text
}
