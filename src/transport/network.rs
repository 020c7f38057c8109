//! The settings of the HTTP client: timeouts, proxy, root certificates.

use std::time::Duration;

use url::Url;

use crate::error::Error;

/// The platform closes an idle connection after about 8 s (PROTOCOL, Request). Ours are closed earlier, so that none
/// is used that the platform has just closed.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(7);

/// The checked settings of the HTTP client.
pub(crate) struct NetworkSettings {
    pub(crate) connect_timeout: Duration,
    pub(crate) proxy: Option<reqwest::Proxy>,
    /// Its host and port, for errors: its URL may contain a password.
    pub(crate) proxy_host: Option<String>,
    pub(crate) no_proxy: bool,
    pub(crate) roots: Vec<reqwest::Certificate>,
    /// Whether `roots` replaces the operating system's root certificates.
    pub(crate) bundled_roots: bool,
}

impl NetworkSettings {
    /// An HTTP client with these settings, for requests to `base`.
    pub(super) fn http_client(&self, base: &Url) -> Result<reqwest::Client, Error> {
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
            .tls_backend_rustls()
            .connect_timeout(self.connect_timeout)
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .tcp_nodelay(true);
        let builder = match (&self.proxy, self.no_proxy) {
            (Some(proxy), _) => builder.proxy(proxy.clone()),
            (None, true) => builder.no_proxy(),
            (None, false) => builder,
        };
        let roots = self.roots.iter().cloned();
        let builder = match self.bundled_roots {
            true => builder.tls_certs_only(roots),
            false if self.roots.is_empty() => builder,
            false => builder.tls_certs_merge(roots),
        };
        // Requests to a local stand-in for the platform must not go through the environment's proxy.
        let builder = if self.proxy.is_none() && is_local(base) { builder.no_proxy() } else { builder };
        builder.build().map_err(|e| Error::config("http", format!("cannot be set up: {e}")))
    }
}

/// Whether the URL's host is this machine.
pub(super) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
