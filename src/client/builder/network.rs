//! Settings of the network: spare host, proxy, root certificates, pauses between retries.

use std::time::Duration;

use super::WeChatPayBuilder;
use crate::crypto::keys;
use crate::error::Error;
use crate::transport::{NetworkSettings, proxy_host};

/// The settings as given; [`Network::load`] checks them.
pub(super) struct Network {
    pub(super) spare: Option<String>,
    pub(super) retry_delay: Duration,
    proxy: Option<String>,
    no_proxy: bool,
    roots: Vec<String>,
    bundled_roots: bool,
}

impl Default for Network {
    fn default() -> Self {
        Network {
            spare: None,
            retry_delay: Duration::from_secs(1),
            proxy: None,
            no_proxy: false,
            roots: Vec::new(),
            bundled_roots: false,
        }
    }
}

impl WeChatPayBuilder {
    /// The base URL of a spare host, which is tried if the first one cannot be reached, and for a GET also if its
    /// connection breaks. The platform's own host has `https://api2.mch.weixin.qq.com/` by default; any other has none.
    /// It may receive the `Authorization` header.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// // Port 9 refuses connections, so nothing was sent, and the call goes to the spare host.
    /// let wx = sandbox.client_builder().base_url("http://127.0.0.1:9/").spare_base_url(sandbox.base_url()).build()?;
    /// assert_eq!(wx["v3/security/echo"].post_sync(serde_json::json!({"echo_message": "hi"}))?.status(), 200);
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn spare_base_url(mut self, url: impl Into<String>) -> Self {
        self.network.spare = Some(url.into());
        self
    }

    /// The pause before the first retry of [`Request::retry`](crate::Request::retry), doubled for each further one;
    /// default 1 s.
    pub fn retry_delay(mut self, delay: Duration) -> Self {
        self.network.retry_delay = delay;
        self
    }

    /// A proxy for all requests: `http://[user:password@]host:port`. By default the environment's proxy (`HTTPS_PROXY` …)
    /// is used, but never for a base URL on this machine.
    ///
    /// ```
    /// let builder = wechatpay_chain::WeChatPay::builder()
    ///     .proxy("http://user:password@proxy.example.com:3128")
    ///     .root_certificate("file:///etc/ssl/company-proxy.pem");
    /// ```
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.network.proxy = Some(url.into());
        self
    }

    /// No proxy, even if the environment has one.
    pub fn no_proxy(mut self) -> Self {
        self.network.no_proxy = true;
        self
    }

    /// An additional root certificate for TLS, PEM text or a `file://` path: a company proxy's, for example.
    pub fn root_certificate(mut self, pem: impl Into<String>) -> Self {
        self.network.roots.push(pem.into());
        self
    }

    /// Uses Mozilla's root certificates, compiled in, instead of the operating system's: for a container without any.
    #[cfg(feature = "bundled-roots")]
    pub fn bundled_roots(mut self) -> Self {
        self.network.bundled_roots = true;
        self
    }
}

impl Network {
    pub(super) fn load(self, connect_timeout: Duration) -> Result<NetworkSettings, Error> {
        if self.proxy.is_some() && self.no_proxy {
            return Err(Error::config("no_proxy", "and `proxy` are mutually exclusive"));
        }
        let proxy = match &self.proxy {
            // The URL may contain a password, so the error does not repeat it.
            Some(url) => Some(
                reqwest::Proxy::all(url).map_err(|_| Error::config("proxy", "is not the URL of a proxy"))?,
            ),
            None => None,
        };
        let mut roots = Vec::with_capacity(self.roots.len());
        for pem in &self.roots {
            roots.push(root(pem)?);
        }
        #[cfg(feature = "bundled-roots")]
        if self.bundled_roots {
            let bundled = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
            roots.extend(bundled.filter_map(|root| reqwest::Certificate::from_der(root).ok()));
        }
        let proxy_host = self.proxy.as_deref().and_then(proxy_host);
        let Network { no_proxy, bundled_roots, .. } = self;
        Ok(NetworkSettings { connect_timeout, proxy, proxy_host, no_proxy, roots, bundled_roots })
    }
}

fn root(text: &str) -> Result<reqwest::Certificate, Error> {
    let der = keys::any_certificate("root_certificate", text)?;
    reqwest::Certificate::from_der(&der)
        .map_err(|_| Error::config("root_certificate", "is not a valid certificate"))
}
