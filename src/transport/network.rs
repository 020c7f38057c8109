//! The settings of the HTTP client: timeouts, proxy, root certificates.

use std::time::Duration;

use url::Url;

use super::hosts::is_loopback;
use super::proxy::{Proxy, ProxyNames};
use super::tls::{RootCertificates, Tls};
use crate::error::Error;

/// The platform closes an idle connection after about 8 s (PROTOCOL, Request). Ours are closed earlier, so that none
/// is used that the platform has just closed.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(7);

/// The checked settings of the HTTP client.
#[derive(Clone)]
pub(crate) struct NetworkSettings {
    pub(crate) connect_timeout: Duration,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) no_proxy: bool,
    pub(crate) roots: RootCertificates,
}

/// Makes the HTTP clients of a client, one for each connection pool. They share the TLS configuration.
pub(super) struct HttpClients {
    settings: NetworkSettings,
    tls: Tls,
    no_proxy: bool,
}

impl HttpClients {
    /// For requests to `base`.
    pub(super) fn new(base: &Url, settings: NetworkSettings) -> Result<HttpClients, Error> {
        let tls = Tls::new(settings.roots.clone())?;
        if base.scheme() == "https" {
            tls.load();
        }
        // Requests to a local stand-in for the platform must not go through the environment's proxy.
        let no_proxy = settings.proxy.is_none() && (settings.no_proxy || is_loopback(base));
        Ok(HttpClients { settings, tls, no_proxy })
    }

    /// As these, and the clients present this certificate.
    #[cfg(feature = "v2")]
    pub(super) fn with_certificate(&self, certificate: &super::ClientCertificate) -> HttpClients {
        HttpClients {
            settings: self.settings.clone(),
            tls: self.tls.with_certificate(certificate),
            no_proxy: self.no_proxy,
        }
    }

    /// How errors name the proxies.
    pub(super) fn proxy_names(&self) -> ProxyNames {
        match &self.settings.proxy {
            Some(proxy) => ProxyNames::configured(proxy),
            None if self.no_proxy => ProxyNames::None,
            None => ProxyNames::of_environment(),
        }
    }

    /// A client with a connection pool of its own; or, with `pooled` false, one that makes a new connection each time.
    pub(super) fn build(&self, pooled: bool) -> Result<reqwest::Client, Error> {
        #[allow(clippy::disallowed_methods)] // the place for it
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none()) // a redirect would carry the signature to another host
            .retry(reqwest::retry::never()) // a repeated request would repeat its nonce
            // Another crate may have enabled these in `reqwest`. The bytes must stay those that were signed, and the
            // headers those that `prepare` shows.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            .referer(false)
            .http1_only()
            .tls_backend_preconfigured(self.tls.config())
            .connect_timeout(self.settings.connect_timeout)
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .tcp_nodelay(true);
        let builder = if pooled { builder } else { builder.pool_max_idle_per_host(0) };
        let builder = match &self.settings.proxy {
            Some(proxy) => builder.proxy(proxy.http.clone()),
            None if self.no_proxy => builder.no_proxy(),
            None => builder,
        };
        builder.build().map_err(|e| {
            let mut cause: &dyn std::error::Error = &e;
            while let Some(inner) = cause.source() {
                cause = inner;
            }
            Error::config("http", format!("cannot be set up: {cause}"))
        })
    }
}
