//! How the client reaches the platform: spare host, proxy, root certificates, pauses.

use std::time::Duration;

use url::Url;

use super::{Builder, parse_base_url};
use crate::crypto::keys;
use crate::error::Error;

/// As given; [`Network::load`] checks it.
#[derive(Debug)]
pub(crate) struct Network {
    spare: Option<String>,
    retry_delay: Duration,
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

/// As checked.
pub(crate) struct Loaded {
    pub(crate) spare: Option<Url>,
    pub(crate) retry_delay: Duration,
    pub(crate) proxy: Option<reqwest::Proxy>,
    pub(crate) no_proxy: bool,
    pub(crate) roots: Vec<reqwest::Certificate>,
    pub(crate) bundled_roots: bool,
}

impl Builder {
    /// The base URL of a spare host, asked when the first one cannot be reached, and for a GET when its connection
    /// breaks. For the platform's own host it is `https://api2.mch.weixin.qq.com/` already; for any other there is
    /// none unless set. It may see the `Authorization`.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// // Nobody listens on port 9, so nothing was sent: the call goes to the spare host.
    /// let wx = sandbox.client_builder().base_url("http://127.0.0.1:9/").spare_base_url(sandbox.base_url()).build()?;
    /// assert_eq!(wx["v3/security/echo"].post_sync(serde_json::json!({"echo_message": "hi"}))?.status(), 200);
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn spare_base_url(mut self, url: impl Into<String>) -> Self {
        self.network.spare = Some(url.into());
        self
    }

    /// The pause before the first repetition of [`Request::retry`](crate::Request::retry), doubled for each further
    /// one; 1 s unless set.
    pub fn retry_delay(mut self, delay: Duration) -> Self {
        self.network.retry_delay = delay;
        self
    }

    /// A proxy for all requests: `http://[user:password@]host:port`. Unless set, the environment's (`HTTPS_PROXY` …)
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

    /// No proxy, whatever the environment says.
    pub fn no_proxy(mut self) -> Self {
        self.network.no_proxy = true;
        self
    }

    /// A further root certificate for TLS, PEM text or a `file://` path: a company proxy's, say.
    pub fn root_certificate(mut self, pem: impl Into<String>) -> Self {
        self.network.roots.push(pem.into());
        self
    }

    /// Mozilla's root certificates, compiled in, instead of the operating system's: for a container that has none.
    #[cfg(feature = "bundled-roots")]
    pub fn bundled_roots(mut self) -> Self {
        self.network.bundled_roots = true;
        self
    }
}

impl Network {
    pub(super) fn load(self) -> Result<Loaded, Error> {
        let spare = self.spare.as_deref().map(|url| parse_base_url("spare_base_url", url)).transpose()?;
        if self.proxy.is_some() && self.no_proxy {
            return Err(Error::config("no_proxy", "is set beside a proxy: set one of them"));
        }
        let proxy = match &self.proxy {
            // The URL may hold a password, so it is not repeated.
            Some(url) => {
                Some(reqwest::Proxy::all(url).map_err(|_| Error::config("proxy", "is not a proxy's URL"))?)
            }
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
        let Network { retry_delay, no_proxy, bundled_roots, .. } = self;
        Ok(Loaded { spare, retry_delay, proxy, no_proxy, roots, bundled_roots })
    }
}

fn root(text: &str) -> Result<reqwest::Certificate, Error> {
    let der = keys::any_certificate("root_certificate", text)?;
    reqwest::Certificate::from_der(&der)
        .map_err(|_| Error::config("root_certificate", "is a certificate that does not parse"))
}
