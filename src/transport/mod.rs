//! HTTP: connection pools, the hosts that may receive a signature, sending and reading. It knows no protocol: it
//! neither signs nor interprets a response.

mod failure;
mod host_name;
mod hosts;
mod network;
mod pools;
mod proxy;
mod send;
mod timeout;
mod tls;
pub(crate) mod trace;
mod upload;

use std::sync::Arc;

use url::Url;

use crate::error::Error;
use crate::runtime::IoRuntime;

pub(crate) use host_name::check_host;
pub(crate) use hosts::{Hosts, parse_base_url, parse_host, remove_final_dot};
pub(crate) use network::NetworkSettings;
use pools::{Pool, Pools};
pub(crate) use proxy::Proxy;
use proxy::ProxyNames;
pub(crate) use send::{CallInfo, RawResponse, no_signature, read};
pub(crate) use timeout::{MAX_TIMEOUT, check_timeout, seconds, seconds_of_text};
#[cfg(feature = "v2")]
pub(crate) use tls::ClientCertificate;
pub(crate) use tls::RootCertificates;
pub(crate) use upload::{CHUNK, FileFacts, FileSource, Upload, unreadable_file, upload_error};

/// The `User-Agent` of both protocols.
pub(crate) const AGENT: http::HeaderValue =
    http::HeaderValue::from_static(concat!("wechatpay-chain/", env!("CARGO_PKG_VERSION")));

/// The HTTP half of a client.
pub(crate) struct Transport {
    pub(crate) hosts: Arc<Hosts>,
    pools: Pools,
    proxies: ProxyNames,
}

impl Transport {
    /// # Errors
    /// [`Error::Config`] for settings that the HTTP library refuses.
    pub(crate) fn new(base: &Url, hosts: Hosts, network: NetworkSettings) -> Result<Transport, Error> {
        let pools = Pools::new(base, network)?;
        let proxies = pools.proxy_names();
        Ok(Transport { hosts: Arc::new(hosts), pools, proxies })
    }

    /// Connections of their own, to the same hosts, which present this certificate.
    #[cfg(feature = "v2")]
    pub(crate) fn with_certificate(&self, certificate: &ClientCertificate) -> Result<Transport, Error> {
        let pools = self.pools.with_certificate(certificate)?;
        let proxies = pools.proxy_names();
        Ok(Transport { hosts: Arc::clone(&self.hosts), pools, proxies })
    }

    /// Sends one request. The response's body is still to be read. With `fresh`, over a new connection.
    pub(crate) async fn send(
        &self,
        request: reqwest::Request,
        runtime: IoRuntime,
        call: &CallInfo,
        fresh: bool,
    ) -> Result<reqwest::Response, Error> {
        let pool = if fresh { self.pools.unpooled()? } else { self.pools.of(runtime)? };
        let https = request.url().scheme() == "https";
        match pool.http.execute(request).await {
            Ok(response) => match self.proxies.refusal(response.status(), https) {
                Some(refusal) => Err(refusal.error(call)),
                None => {
                    pool.mark_used(&response);
                    Ok(response)
                }
            },
            Err(e) => Err(self.failure(e, call, https, &pool)),
        }
    }

    /// The error of a request that got no response, with what only the transport knows.
    fn failure(&self, e: reqwest::Error, call: &CallInfo, https: bool, pool: &Pool) -> Error {
        let used = pool.failed_on_used(&e);
        let no_roots = tls::missing_roots(&e);
        let obstacle = if e.is_connect() { self.proxies.obstacle(&e, https) } else { None };
        let mut error = call.send_error(e, obstacle.as_ref().and_then(|obstacle| obstacle.unreachable()));
        if let Error::Transport(failure) = &mut error {
            failure.stale = used && failure.broken && failure.maybe_sent;
            if let Some(no_roots) = no_roots {
                // Another host would be refused, too.
                failure.broken = false;
                failure.what = no_roots;
            } else if let Some(obstacle) = obstacle {
                failure.what = obstacle.explain(&failure.what);
            }
        }
        error
    }
}
