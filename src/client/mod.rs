//! `WeChatPay`: holds the identity, opens a chain.

use std::fmt;
use std::ops::Index;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use http::HeaderMap;
use tokio::runtime::{self, Handle};
use url::Url;

use crate::chain::Chain;
use crate::chain::nodes::Nodes;
use crate::client::builder::{self as config, PLATFORM_HOSTS};
use crate::clock::Clock;
use crate::crypto::aes::Apiv3Key;
use crate::error::{Error, VerifyError, VerifyReason};
use crate::response::request_id;
use crate::v3::certificates;
use crate::v3::platform::{PUBLIC_KEY_PREFIX, Platform};
use crate::v3::sign::Identity;
use crate::v3::verify;

pub(crate) mod builder;
pub(crate) mod notification;
mod pay_sign;

/// How many runtimes have a connection pool at once.
const RUNTIMES: usize = 8;

const PLATFORM_HOST: &str = "api.mch.weixin.qq.com";
const SPARE_URL: &str = "https://api2.mch.weixin.qq.com/";

/// The platform closes an idle connection after about 8 s (PROTOCOL); ours go earlier, so that none is used up dead.
const IDLE: Duration = Duration::from_secs(7);

/// A configured client: cheap to clone, `Send + Sync`, one for a whole program.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # #[cfg(feature = "sandbox")] {
/// # use serde_json::json;
/// let sandbox = wechatpay_chain::sandbox::Sandbox::start()?; // offline stand-in for the platform
/// let wx = sandbox.client()?;
/// let echo = wx["v3/security/echo"].post_sync(json!({"echo_message": "hello"}))?;
/// assert_eq!(echo.status(), 200);
/// # }
/// # Ok(()) }
/// ```
///
/// Indexing returns a reference, so a handle keeps the nodes that it indexed until it is dropped; a clone starts empty.
/// Index by fixed paths, and pass values as template variables.
pub struct WeChatPay {
    pub(crate) inner: Arc<Inner>,
    nodes: Nodes,
}

/// What all handles of one client share.
pub(crate) struct Inner {
    pub(crate) identity: Identity,
    pub(crate) platform: Platform,
    pub(crate) base: Url,
    pub(crate) hosts: Hosts,
    pub(crate) settings: Settings,
    pub(crate) clock: Box<dyn Clock>,
    /// One for each runtime: a pooled connection lives on the runtime that opened it, and stands still with it.
    on_callers: RwLock<Vec<(runtime::Id, reqwest::Client)>>,
    /// Built at construction, so that what is wrong shows there; the first runtime takes it.
    built: Mutex<Option<reqwest::Client>>,
    on_background: OnceLock<reqwest::Client>,
}

/// The plain settings.
pub(crate) struct Settings {
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) max_body: usize,
    pub(crate) network: config::Loaded,
    pub(crate) apiv3_key: Option<Apiv3Key>,
}

/// Which runtime drives a call's connection. A pooled connection lives on the runtime that opened it, so a blocking
/// call, which may hold up the caller's runtime, has a pool of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// The caller's tokio runtime.
    Caller,
    /// The background runtime of `blocking`.
    Background,
}

impl WeChatPay {
    pub(crate) fn new(
        identity: Identity,
        platform: Platform,
        base: Url,
        hosts: Hosts,
        settings: Settings,
        clock: Box<dyn Clock>,
    ) -> Result<WeChatPay, Error> {
        let built = Mutex::new(Some(http_client(&base, &settings)?));
        let on_background = OnceLock::new();
        let inner = Inner {
            identity,
            platform,
            base,
            hosts,
            settings,
            clock,
            on_callers: RwLock::default(),
            built,
            on_background,
        };
        Ok(WeChatPay { inner: Arc::new(inner), nodes: Nodes::default() })
    }

    /// Opens a chain with a path, as PHP's `chain('v3/…')`: one or more segments, which may hold `{variables}`.
    ///
    /// What is wrong with the path comes out of the request that is made of it.
    ///
    /// ```no_run
    /// # async fn f(wx: &wechatpay_chain::WeChatPay) -> Result<(), wechatpay_chain::Error> {
    /// let order = wx.chain("v3/pay/transactions/id/{transaction_id}").get().var("transaction_id", "42").await?;
    /// # Ok(()) }
    /// ```
    pub fn chain(&self, path: &str) -> Chain {
        Chain::root(&self.inner).chain(path)
    }

    /// Opens a chain with one segment, as PHP's `->payscore`.
    ///
    /// ```no_run
    /// # fn f(wx: &wechatpay_chain::WeChatPay) {
    /// assert_eq!(wx.seg("v3").seg("merchantService").path(), "v3/merchant-service");
    /// # }
    /// ```
    pub fn seg(&self, segment: &str) -> Chain {
        Chain::root(&self.inner).seg(segment)
    }

    /// Checks that `headers` and `body` come from the platform: the clock window, the key and the signature, as for
    /// every answer. For what came in by another way than a call; a call's answer is verified already.
    ///
    /// It goes by the keys that are known. With automatic certificates an unknown serial has them fetched, but not
    /// waited for: a [`notification`](WeChatPay::notification) does that.
    ///
    /// ```no_run
    /// # fn f(wx: &wechatpay_chain::WeChatPay, headers: http::HeaderMap, body: &[u8]) {
    /// match wx.verify(&headers, body) {
    ///     Ok(()) => println!("from the platform"),
    ///     Err(e) => println!("not to be trusted: {e}"),
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Verify`] says which check failed.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Error> {
        let (keys, now) = (self.inner.platform.keys(), self.inner.clock.unix_seconds());
        verify::signature(headers, body, now, &keys).map_err(|reason| {
            let unknown = matches!(&reason, VerifyReason::UnknownSerial { serial, .. } if !serial.starts_with(PUBLIC_KEY_PREFIX));
            if let (true, Err(error)) = (unknown, certificates::begin(&self.inner)) {
                tracing::warn!(%error, "the platform certificates cannot be fetched");
            }
            let request_id = request_id(headers).map(str::to_owned);
            Error::Verify(Box::new(VerifyError { reason, status: None, request_id }))
        })
    }

    /// The merchant number this client signs for.
    pub fn mchid(&self) -> &str {
        &self.inner.identity.mchid
    }
}

impl Inner {
    /// The HTTP client of a lane; for a caller's, that of its runtime.
    pub(crate) fn http(&self, lane: Lane) -> Result<reqwest::Client, Error> {
        match lane {
            Lane::Caller => self.http_of(Handle::try_current().map_err(no_runtime)?.id()),
            Lane::Background => match self.on_background.get() {
                Some(client) => Ok(client.clone()),
                None => {
                    let client = self.build_http()?;
                    Ok(self.on_background.get_or_init(|| client).clone())
                }
            },
        }
    }

    fn http_of(&self, runtime: runtime::Id) -> Result<reqwest::Client, Error> {
        let known = self.on_callers.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = known.iter().find(|(id, _)| *id == runtime) {
            return Ok(client.clone());
        }
        drop(known);
        let client = self.build_http()?;
        let mut known = self.on_callers.write().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = known.iter().find(|(id, _)| *id == runtime) {
            return Ok(client.clone());
        }
        // Tests make runtimes by the hundred; a forgotten one only loses its idle connections.
        if known.len() == RUNTIMES {
            known.remove(0);
        }
        known.push((runtime, client.clone()));
        Ok(client)
    }

    fn build_http(&self) -> Result<reqwest::Client, Error> {
        let built = self.built.lock().unwrap_or_else(PoisonError::into_inner).take();
        built.map_or_else(|| http_client(&self.base, &self.settings), Ok)
    }
}

fn no_runtime(_: tokio::runtime::TryCurrentError) -> Error {
    Error::config("runtime", "is gone: the call was begun inside a tokio runtime")
}

fn http_client(base: &Url, settings: &Settings) -> Result<reqwest::Client, Error> {
    let network = &settings.network;
    #[allow(clippy::disallowed_methods)] // this is the room for it
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none()) // a redirect would carry the signature to another host
        .retry(reqwest::retry::never()) // a repeated request would repeat its nonce
        // Another crate may have turned these on in `reqwest`: the bytes must stay those that were signed, and the
        // headers those that `prepare` shows.
        .no_gzip()
        .no_brotli()
        .no_deflate()
        .no_zstd()
        .referer(false)
        .http1_only()
        .tls_backend_rustls()
        .connect_timeout(settings.connect_timeout)
        .pool_idle_timeout(IDLE)
        .tcp_nodelay(true);
    let builder = match (&network.proxy, network.no_proxy) {
        (Some(proxy), _) => builder.proxy(proxy.clone()),
        (None, true) => builder.no_proxy(),
        (None, false) => builder,
    };
    let roots = network.roots.iter().cloned();
    let builder = match network.bundled_roots {
        true => builder.tls_certs_only(roots),
        false if network.roots.is_empty() => builder,
        false => builder.tls_certs_merge(roots),
    };
    let builder = match base.host().filter(|_| network.proxy.is_none()) {
        // A local stand-in for the platform is not behind the machine's proxy.
        Some(url::Host::Ipv4(ip)) if ip.is_loopback() => builder.no_proxy(),
        Some(url::Host::Ipv6(ip)) if ip.is_loopback() => builder.no_proxy(),
        Some(url::Host::Domain("localhost")) => builder.no_proxy(),
        _ => builder,
    };
    builder.build().map_err(|e| Error::config("http", format!("cannot be set up: {e}")))
}

impl Index<&str> for WeChatPay {
    type Output = Chain;

    fn index(&self, path: &str) -> &Chain {
        self.nodes.get_or_insert(path, || self.chain(path))
    }
}

impl Clone for WeChatPay {
    fn clone(&self) -> Self {
        WeChatPay { inner: Arc::clone(&self.inner), nodes: Nodes::default() }
    }
}

/// Shows who signs and whose answers are trusted; no key.
impl fmt::Debug for WeChatPay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeChatPay")
            .field("mchid", &self.inner.identity.mchid)
            .field("serial", &self.inner.identity.serial)
            .field("platform_keys", &self.platform_serials())
            .field("apiv3_key", &self.inner.settings.apiv3_key.as_ref().map(|_| "…"))
            .field("base_url", &self.inner.base.as_str())
            .finish_non_exhaustive()
    }
}

/// The hosts that may see an `Authorization`.
pub(crate) struct Hosts {
    extra: Vec<String>,
    base: url::Origin,
    spare: Option<Url>,
}

impl Hosts {
    /// The platform's own host has its documented spare; any other has the one that is configured, or none.
    pub(crate) fn new(base: &Url, extra: Vec<String>, spare: Option<Url>) -> Hosts {
        let documented =
            || (base.host_str() == Some(PLATFORM_HOST)).then(|| Url::parse(SPARE_URL).ok()).flatten();
        Hosts { extra, base: base.origin(), spare: spare.or_else(documented) }
    }

    /// `url` on the spare host, if it is on the first one.
    pub(crate) fn on_spare(&self, url: &Url) -> Option<Url> {
        let spare = self.spare.as_ref().filter(|_| url.origin() == self.base)?;
        let mut on_spare = spare.clone();
        on_spare.set_path(url.path());
        on_spare.set_query(url.query());
        Some(on_spare)
    }

    /// Whether `url` may be asked with an `Authorization`: the base URL's own origin, or a known host over https.
    pub(crate) fn trusts(&self, url: &Url) -> bool {
        let known = |host: &str| {
            PLATFORM_HOSTS.contains(&host) || self.extra.iter().any(|extra| extra.eq_ignore_ascii_case(host))
        };
        url.origin() == self.base
            || self.spare.as_ref().is_some_and(|spare| spare.origin() == url.origin())
            || (url.scheme() == "https"
                && url.port_or_known_default() == Some(443)
                && url.host_str().is_some_and(known))
    }
}
