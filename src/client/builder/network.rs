//! Settings of the network: spare host, proxy, root certificates, pauses between retries.

use std::time::Duration;

use super::WeChatPayBuilder;
use crate::crypto::keys;
use crate::error::Error;
use crate::transport::{NetworkSettings, Proxy, RootCertificates};

/// The settings as given; [`Network::load`] checks them.
pub(super) struct Network {
    pub(super) spare: Option<String>,
    pub(super) retry_delay: Duration,
    pub(super) allow_http: bool,
    proxy: Option<String>,
    no_proxy: bool,
    roots: Vec<String>,
    #[cfg(feature = "bundled-roots")]
    bundled_roots: bool,
}

impl Default for Network {
    fn default() -> Self {
        Network {
            spare: None,
            retry_delay: Duration::from_secs(1),
            allow_http: false,
            proxy: None,
            no_proxy: false,
            roots: Vec::new(),
            #[cfg(feature = "bundled-roots")]
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

    /// Permits `http://` to other machines: for the base URL, the spare one, and whole URLs in a chain. Without it,
    /// `http://` is for this machine only (`localhost`, `127.0.0.1`, `[::1]`), such as the sandbox.
    ///
    /// Everyone on the way can then read requests and responses and take part of the traffic for themselves: use it in a
    /// network of your own only, for a gateway that adds TLS. The platform's own hosts stay `https://`.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// let builder = || sandbox.client_builder().base_url("http://gateway.internal:8080/");
    /// assert!(builder().build().is_err());
    /// assert!(builder().allow_http().build().is_ok());
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn allow_http(mut self) -> Self {
        self.network.allow_http = true;
        self
    }

    /// A proxy for all requests: `http://[user:password@]host:port`, or `https://…`. By default the environment's proxy (`HTTPS_PROXY` …)
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
        let proxy = self.proxy.as_deref().map(Proxy::parse).transpose()?;
        let mut additional = Vec::with_capacity(self.roots.len());
        for pem in &self.roots {
            additional.push(keys::any_certificate("root_certificate", pem)?.into());
        }
        #[cfg(feature = "bundled-roots")]
        let bundled = self.bundled_roots.then_some(webpki_root_certs::TLS_SERVER_ROOT_CERTS);
        #[cfg(not(feature = "bundled-roots"))]
        let bundled = None;
        let roots = RootCertificates::new(additional, bundled)?;
        Ok(NetworkSettings { connect_timeout, proxy, no_proxy: self.no_proxy, roots })
    }
}
