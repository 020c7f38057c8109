//! One `Config`: the builder and what it checks. The other two doors, PHP's factory array and the environment, fill one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::client::{Hosts, Settings, WeChatPay};
use crate::clock::{Clock, SystemClock};
use crate::crypto::aes::Apiv3Key;
use crate::error::Error;
use crate::platform::{self, Platform, PlatformKey, PlatformKeys};
use crate::sign::Identity;
use crate::signer::Signer;

mod check;
mod doors;
mod merchant;
mod network;

use check::{alphanumeric, required};
pub(crate) use check::{check_timeout, parse_base_url, seconds};
pub(crate) use network::Loaded;
use network::Network;

/// The platform's default base URL.
pub(crate) const BASE_URL: &str = "https://api.mch.weixin.qq.com/";

/// Hosts of the platform itself, which may see an `Authorization` besides the configured base URL's.
pub(crate) const PLATFORM_HOSTS: &[&str] = &[
    "api.mch.weixin.qq.com",
    "api2.mch.weixin.qq.com",
    "apihk.mch.weixin.qq.com",
    "fraud.mch.weixin.qq.com",
    "payapp.weixin.qq.com",
];

/// Collects a configuration; [`build`](Builder::build) checks it whole and loads every key once.
///
/// A setter never fails: what is wrong comes out of `build`, by name.
///
/// ```no_run
/// use wechatpay_chain::WeChatPay;
/// # fn main() -> Result<(), wechatpay_chain::Error> {
/// let wx = WeChatPay::builder()
///     .mchid("1900000109")
///     .serial("3775B6A45ACD588826D15E583A95F5DD12345678")
///     .private_key("file:///etc/wxpay/apiclient_key.pem")
///     .platform_key("PUB_KEY_ID_0114232134912410000000000000", "file:///etc/wxpay/pub_key.pem")
///     .apiv3_key("0123456789abcdef0123456789abcdef")
///     .build()?;
/// # Ok(()) }
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder {
    mchid: Option<String>,
    serial: Option<String>,
    private_key: Option<Zeroizing<String>>,
    signer: Option<Arc<dyn Signer>>,
    passphrase: Option<Zeroizing<String>>,
    p12: Option<merchant::P12>,
    merchant_certificate: Option<Zeroizing<String>>,
    // Public, unless somebody gives a private key by mistake.
    platform_keys: Vec<(String, Zeroizing<String>)>,
    automatic_certificates: bool,
    apiv3_key: Option<Zeroizing<String>>,
    base_url: String,
    hosts: Vec<String>,
    timeout: Duration,
    connect_timeout: Duration,
    max_body: usize,
    network: Network,
    clock: Box<dyn Clock>,
    /// Whether errors name the `WECHATPAY_*` variables instead of PHP's keys.
    by_variable: bool,
}

/// Says which fields are set; never what a secret one holds.
impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("mchid", &self.mchid)
            .field("serial", &self.serial)
            .field("private_key", &self.private_key.as_ref().map(|_| "…"))
            .field("passphrase", &self.passphrase.as_ref().map(|_| "…"))
            .field("p12", &self.p12.as_ref().map(|_| "…"))
            .field("merchant_certificate", &self.merchant_certificate.as_ref().map(|_| "…"))
            .field("platform_keys", &self.platform_keys.iter().map(|(serial, _)| serial).collect::<Vec<_>>())
            .field("automatic_certificates", &self.automatic_certificates)
            .field("apiv3_key", &self.apiv3_key.as_ref().map(|_| "…"))
            .field("base_url", &self.base_url)
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("max_body", &self.max_body)
            .finish_non_exhaustive()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Builder {
            mchid: None,
            serial: None,
            private_key: None,
            signer: None,
            passphrase: None,
            p12: None,
            merchant_certificate: None,
            platform_keys: Vec::new(),
            automatic_certificates: false,
            apiv3_key: None,
            base_url: BASE_URL.to_owned(),
            hosts: Vec::new(),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            max_body: 8 << 20,
            network: Network::default(),
            clock: Box::new(SystemClock),
            by_variable: false,
        }
    }
}

impl Builder {
    /// The merchant number (商户号), of the merchant or of the service provider who signs.
    pub fn mchid(mut self, mchid: impl Into<String>) -> Self {
        self.mchid = Some(mchid.into());
        self
    }

    /// The serial of the **merchant's** API certificate (商户API证书序列号), upper-case hex.
    pub fn serial(mut self, serial: impl Into<String>) -> Self {
        self.serial = Some(serial.into());
        self
    }

    /// The merchant's private key: PKCS#8 (encrypted, too) or PKCS#1, as PEM text, as the `file://` path of PEM or DER,
    /// or as `private.pkcs8://BASE64` or `private.pkcs1://BASE64`. `docs/keys.md` has every form.
    ///
    /// ```no_run
    /// # fn f() -> Result<(), wechatpay_chain::Error> {
    /// let wx = wechatpay_chain::WeChatPay::builder()
    ///     .mchid("1900000109")
    ///     .private_key("file:///etc/wxpay/apiclient_key.encrypted.pem")
    ///     .passphrase("the one it was encrypted with")
    ///     .merchant_certificate("file:///etc/wxpay/apiclient_cert.pem") // in the place of `serial`
    ///     .platform_key("PUB_KEY_ID_0114232134912410000000000000", "file:///etc/wxpay/pub_key.pem")
    ///     .build()?;
    /// # Ok(()) }
    /// ```
    pub fn private_key(mut self, key: impl Into<String>) -> Self {
        self.private_key = Some(Zeroizing::new(key.into()));
        self
    }

    /// The passphrase of an encrypted private key. A key that needs none is taken all the same.
    pub fn passphrase(mut self, passphrase: impl Into<String>) -> Self {
        self.passphrase = Some(Zeroizing::new(passphrase.into()));
        self
    }

    /// The merchant's PKCS#12 file (`apiclient_cert.p12`), by its path or `file://` URL: private key and serial in one,
    /// in the place of [`private_key`](Builder::private_key) and [`serial`](Builder::serial). The platform's files
    /// have the merchant number for a passphrase.
    ///
    /// ```no_run
    /// # fn f() -> Result<(), wechatpay_chain::Error> {
    /// let wx = wechatpay_chain::WeChatPay::builder()
    ///     .mchid("1900000109")
    ///     .p12("/etc/wxpay/apiclient_cert.p12", "1900000109")
    ///     .platform_key("PUB_KEY_ID_0114232134912410000000000000", "file:///etc/wxpay/pub_key.pem")
    ///     .build()?;
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "p12")]
    pub fn p12(mut self, path: impl Into<String>, passphrase: impl Into<String>) -> Self {
        self.p12 = Some(merchant::P12::new(path.into(), Some(passphrase.into())));
        self
    }

    /// The merchant's certificate (`apiclient_cert.pem`), PEM text or a `file://` path: its serial stands in for
    /// [`serial`](Builder::serial), and it must be the private key's.
    pub fn merchant_certificate(mut self, certificate: impl Into<String>) -> Self {
        self.merchant_certificate = Some(Zeroizing::new(certificate.into()));
        self
    }

    /// Signs somewhere else, instead of a local private key: see [`Signer`].
    pub fn signer(mut self, signer: impl Signer) -> Self {
        self.signer = Some(Arc::new(signer));
        self
    }

    /// A platform key under its serial: `PUB_KEY_ID_…` with the public key, or a platform certificate's serial with
    /// the certificate; PEM text, a `file://` path, `public.spki://BASE64` or `public.pkcs1://BASE64`. Call it once for
    /// each key: answers choose by their `Wechatpay-Serial`. With a public key, every request asks for answers signed
    /// by it.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// // While the platform moves from its certificate to its public key, answers come with either.
    /// let wx = wechatpay_chain::WeChatPay::builder()
    ///     .mchid(sandbox.mchid())
    ///     .serial(sandbox.serial())
    ///     .private_key(sandbox.merchant_key_pem())
    ///     .platform_key(sandbox.platform_certificate_serial(), sandbox.platform_certificate_pem())
    ///     .platform_key(sandbox.platform_public_key_id(), sandbox.platform_public_key_pem())
    ///     .build()?;
    /// assert_eq!(wx.platform_serial().as_deref(), Some(sandbox.platform_public_key_id()));
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn platform_key(mut self, serial: impl Into<String>, pem: impl Into<String>) -> Self {
        self.platform_keys.push((serial.into(), Zeroizing::new(pem.into())));
        self
    }

    /// Fetches the platform's certificates (`GET v3/certificates`), which needs the [`apiv3_key`](Builder::apiv3_key):
    /// before the first call is sent, again every 12 hours, and when the platform signs with one that is not known, at
    /// most once a minute. Calls whose key is known never wait for it. Keys that are given by
    /// [`platform_key`](Builder::platform_key) stay beside them.
    ///
    /// For a merchant who has platform certificates (平台证书); new ones have a public key (微信支付公钥), and a
    /// client with both takes both, as the platform's change-over wants it.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), wechatpay_chain::Error> {
    /// let wx = wechatpay_chain::WeChatPay::builder()
    ///     .mchid("1900000109")
    ///     .serial("3775B6A45ACD588826D15E583A95F5DD12345678")
    ///     .private_key("file:///etc/wxpay/apiclient_key.pem")
    ///     .apiv3_key("0123456789abcdef0123456789abcdef")
    ///     .automatic_certificates()
    ///     .build()?;
    /// # Ok(()) }
    /// ```
    pub fn automatic_certificates(mut self) -> Self {
        self.automatic_certificates = true;
        self
    }

    /// The APIv3 key (APIv3密钥): exactly 32 bytes. Optional: only what the platform encrypted needs it.
    pub fn apiv3_key(mut self, key: impl Into<String>) -> Self {
        self.apiv3_key = Some(Zeroizing::new(key.into()));
        self
    }

    /// The base URL, `https://api.mch.weixin.qq.com/` unless set. A path in it (`…/hk/`) is a prefix of every target.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// let wx = sandbox.client_builder().base_url("https://apihk.mch.weixin.qq.com/").build()?;
    /// let prepared = wx["v3/global/transactions/jsapi"].get().prepare()?;
    /// assert_eq!(prepared.url(), "https://apihk.mch.weixin.qq.com/v3/global/transactions/jsapi");
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// Another host that may see the `Authorization` header, over https. The base URL's and the platform's own may.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// let wx = sandbox.client_builder().host("gateway.example.com").build()?;
    /// for (url, signed) in [("https://gateway.example.com/v3/x", true), ("https://elsewhere.example.com/v3/x", false)] {
    ///     let prepared = wx.chain(url).get().prepare()?;
    ///     assert_eq!(prepared.authorization().wait()?.is_some(), signed);
    /// }
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.hosts.push(host.into());
        self
    }

    /// How long a call may take, from connecting to the last byte; 30 s unless set. More than nothing, at most an hour.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long connecting may take, TLS included; 5 s unless set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// The largest answer that is read into memory, in bytes; 8 MiB unless set.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// use wechatpay_chain::Error;
    ///
    /// let wx = sandbox.client_builder().max_body(10).build()?;
    /// let error = wx["v3/certificates"].get_sync().err();
    /// assert!(matches!(error, Some(Error::Transport(_))));
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Where the time comes from; the system's clock unless set.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Checks everything and loads the keys.
    ///
    /// ```
    /// use wechatpay_chain::{Error, WeChatPay};
    ///
    /// let Err(Error::Config(error)) = WeChatPay::builder().mchid("1900 000 109").build() else { panic!() };
    /// assert_eq!(error.field(), "mchid");
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] names the field that is missing or wrong: no `mchid`, `serial`, `privateKey` or `certs`;
    /// automatic certificates without an APIv3 key, or one that is not 32 bytes; a serial that is not the certificate's; a certificate of another key; the
    /// merchant's serial among the platform keys. [`Error::Key`] names the key
    /// that does not load.
    pub fn build(self) -> Result<WeChatPay, Error> {
        let by_variable = self.by_variable;
        self.check().map_err(|error| if by_variable { doors::by_variable(error) } else { error })
    }

    fn check(self) -> Result<WeChatPay, Error> {
        let mchid = required("mchid", "the merchant number is required", self.mchid)?;
        alphanumeric("mchid", &mchid)?;
        let given = merchant::Given {
            serial: self.serial,
            private_key: self.private_key,
            signer: self.signer,
            passphrase: self.passphrase,
            p12: self.p12,
            certificate: self.merchant_certificate,
        };
        let (serial, key) = given.load(&mchid)?;
        let identity = Identity::new(mchid, serial, key);
        if self.platform_keys.is_empty() && !self.automatic_certificates {
            let reason = "is missing: without a platform key no answer could be verified, so nothing would be sent; give \
                          at least one `serial => public key or certificate`, or ask for automatic certificates";
            return Err(Error::config("certs", reason));
        }
        let mut platform: Vec<Arc<PlatformKey>> = Vec::with_capacity(self.platform_keys.len());
        for (id, pem) in &self.platform_keys {
            let key = platform::load(id, pem, &identity)?;
            if platform.iter().any(|known| known.serial == key.serial) {
                return Err(Error::config(format!("certs[\"{id}\"]"), "is given twice"));
            }
            platform.push(Arc::new(key));
        }
        if let Some(host) = self.hosts.iter().find(|host| url::Host::parse(host).is_err()) {
            let reason = format!("must be a host's name alone, without scheme, port or path; it is `{host}`");
            return Err(Error::config("host", reason));
        }
        if self.max_body == 0 {
            return Err(Error::config("max_body", "must be more than 0 bytes"));
        }
        let wrong =
            |key: &str| Error::config("apiv3Key", format!("must be exactly 32 bytes; it is {}", key.len()));
        let apiv3_key =
            self.apiv3_key.as_ref().map(|key| Apiv3Key::new(key).ok_or_else(|| wrong(key))).transpose()?;
        if self.automatic_certificates && apiv3_key.is_none() {
            let reason = "is missing: the platform's certificates are encrypted under it";
            return Err(Error::config("apiv3Key", reason));
        }
        for (field, value) in [("timeout", self.timeout), ("connect_timeout", self.connect_timeout)] {
            check_timeout(field, value)?;
        }
        let base = parse_base_url("base_uri", &self.base_url)?;
        let network = self.network.load()?;
        let hosts = Hosts::new(&base, self.hosts, network.spare.clone());
        let settings = Settings {
            timeout: self.timeout,
            connect_timeout: self.connect_timeout,
            max_body: self.max_body,
            network,
            apiv3_key,
        };
        let platform = Platform::new(PlatformKeys::new(platform), self.automatic_certificates);
        WeChatPay::new(identity, platform, base, hosts, settings, self.clock)
    }
}
