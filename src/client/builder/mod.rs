//! `WeChatPayBuilder`: the settings of a client. PHP's factory array and the environment fill one, too.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::clock::{Clock, SystemClock};
use crate::error::{Excerpt, FieldNames, shown_template};
use crate::signer::Signer;

#[cfg(feature = "v2")]
mod apiv2;
mod build;
mod merchant;
mod network;
mod sources;

use merchant::P12;
use network::Network;

/// The platform's base URL.
const BASE_URL: &str = "https://api.mch.weixin.qq.com/";

/// The settings of a client. [`build`](Self::build) checks them and loads every key once.
///
/// Setters never fail: `build` returns an error that names the wrong setting.
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
pub struct WeChatPayBuilder {
    mchid: Option<String>,
    serial: Option<String>,
    private_key: Option<Zeroizing<String>>,
    signer: Option<Arc<dyn Signer>>,
    passphrase: Option<Zeroizing<String>>,
    p12: Option<P12>,
    merchant_certificate: Option<Zeroizing<String>>,
    platform_keys: Vec<PlatformKeyConfig>,
    automatic_certificates: bool,
    apiv3_key: Option<Zeroizing<String>>,
    #[cfg(feature = "v2")]
    apiv2: apiv2::Apiv2,
    base_url: String,
    allowed_hosts: Vec<String>,
    timeout: Duration,
    connect_timeout: Duration,
    max_body: usize,
    trace_messages: bool,
    network: Network,
    clock: Box<dyn Clock>,
    names: FieldNames,
}

/// A platform key as configured.
struct PlatformKeyConfig {
    serial: String,
    // Public, unless a private key is given by mistake.
    pem: Zeroizing<String>,
    /// The variables of the serial and of the key, if they came from there.
    variables: Option<(&'static str, &'static str)>,
}

/// Shows which fields are set, never the value of a secret one.
impl fmt::Debug for WeChatPayBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeChatPayBuilder")
            .field("mchid", &self.mchid.as_deref().map(Excerpt))
            .field("serial", &self.serial.as_deref().map(Excerpt))
            .field("private_key", &self.private_key.as_ref().map(|_| "…"))
            .field("passphrase", &self.passphrase.as_ref().map(|_| "…"))
            .field("p12", &self.p12.as_ref().map(|_| "…"))
            .field("merchant_certificate", &self.merchant_certificate.as_ref().map(|_| "…"))
            .field(
                "platform_keys",
                &self.platform_keys.iter().map(|key| Excerpt(&key.serial)).collect::<Vec<_>>(),
            )
            .field("automatic_certificates", &self.automatic_certificates)
            .field("apiv3_key", &self.apiv3_key.as_ref().map(|_| "…"))
            .field("base_url", &Excerpt(&shown_template(&self.base_url)))
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("max_body", &self.max_body)
            .field("trace_messages", &self.trace_messages)
            .finish_non_exhaustive()
    }
}

impl Default for WeChatPayBuilder {
    fn default() -> Self {
        WeChatPayBuilder {
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
            #[cfg(feature = "v2")]
            apiv2: apiv2::Apiv2::default(),
            base_url: BASE_URL.to_owned(),
            allowed_hosts: Vec::new(),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            max_body: 8 << 20,
            trace_messages: false,
            network: Network::default(),
            clock: Box::new(SystemClock),
            names: FieldNames::default(),
        }
    }
}

impl WeChatPayBuilder {
    /// The merchant number (商户号) of the merchant, or of the service provider that signs.
    pub fn mchid(mut self, mchid: impl Into<String>) -> Self {
        self.mchid = Some(mchid.into());
        self
    }

    /// The serial of the **merchant's** API certificate (商户API证书序列号), in hex. Letter case, `0x`, colons, blanks and
    /// leading zeros make no difference. One in decimal is refused when the client is built, and the error shows its hex.
    pub fn serial(mut self, serial: impl Into<String>) -> Self {
        self.serial = Some(serial.into());
        self
    }

    /// The merchant's private key: PKCS#8 (also encrypted) or PKCS#1, as PEM text, as the `file://` path of PEM or DER, or
    /// as `private.pkcs8://BASE64` or `private.pkcs1://BASE64`. [Keys](crate::guide::keys) has every form.
    ///
    /// ```no_run
    /// # fn f() -> Result<(), wechatpay_chain::Error> {
    /// let wx = wechatpay_chain::WeChatPay::builder()
    ///     .mchid("1900000109")
    ///     .private_key("file:///etc/wxpay/apiclient_key.encrypted.pem")
    ///     .passphrase("its passphrase")
    ///     .merchant_certificate("file:///etc/wxpay/apiclient_cert.pem") // instead of `serial`
    ///     .platform_key("PUB_KEY_ID_0114232134912410000000000000", "file:///etc/wxpay/pub_key.pem")
    ///     .build()?;
    /// # Ok(()) }
    /// ```
    pub fn private_key(mut self, key: impl Into<String>) -> Self {
        self.private_key = Some(Zeroizing::new(key.into()));
        self
    }

    /// The passphrase of an encrypted private key or a `.p12` file. A key that needs none ignores it.
    pub fn passphrase(mut self, passphrase: impl Into<String>) -> Self {
        self.passphrase = Some(Zeroizing::new(passphrase.into()));
        self
    }

    /// The merchant's PKCS#12 file (`apiclient_cert.p12`), by its path or `file://` URL. It contains the private key and the
    /// serial, so [`private_key`](Self::private_key) and [`serial`](Self::serial) are not needed. The passphrase of the
    /// platform's files is the merchant number.
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
        self.p12 = Some(P12::new(path.into(), Some(passphrase.into())));
        self
    }

    /// The merchant's certificate (`apiclient_cert.pem`), PEM text or a `file://` path, instead of [`serial`](Self::serial).
    /// It must belong to the private key.
    pub fn merchant_certificate(mut self, certificate: impl Into<String>) -> Self {
        self.merchant_certificate = Some(Zeroizing::new(certificate.into()));
        self
    }

    /// Signs somewhere else (HSM, KMS, signing service) instead of with a local private key: see [`Signer`].
    pub fn signer(mut self, signer: impl Signer) -> Self {
        self.signer = Some(Arc::new(signer));
        self
    }

    /// A platform key under its serial: `PUB_KEY_ID_…` with the public key (微信支付公钥), or a platform certificate's
    /// serial with the certificate (平台证书); PEM text, a `file://` path, `public.spki://BASE64` or
    /// `public.pkcs1://BASE64`. Call it once for each key: a response names its key in `Wechatpay-Serial`. With a public
    /// key, every request asks for responses signed by it.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// // While the platform changes from its certificate to its public key, responses come with either.
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
        let (serial, pem) = (serial.into(), Zeroizing::new(pem.into()));
        self.platform_keys.push(PlatformKeyConfig { serial, pem, variables: None });
        self
    }

    /// Downloads the platform's certificates (`GET v3/certificates`), which needs the [`apiv3_key`](Self::apiv3_key):
    /// before the first call is sent, every 12 hours, and when the platform signs with an unknown one, at most twice a
    /// minute. A call whose key is known never waits for it. Keys from [`platform_key`](Self::platform_key) stay, too.
    ///
    /// For merchants with platform certificates (平台证书). New merchants have a public key (微信支付公钥); a client
    /// with both accepts both, as the change from one to the other needs.
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

    /// The APIv3 key (APIv3密钥): exactly 32 bytes. It decrypts notifications and platform certificates; other calls do not
    /// need it.
    pub fn apiv3_key(mut self, key: impl Into<String>) -> Self {
        self.apiv3_key = Some(Zeroizing::new(key.into()));
        self
    }

    /// The base URL; default `https://api.mch.weixin.qq.com/`. A path in it (`…/hk/`) is a prefix of every target.
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

    /// Another host that may receive the `Authorization` header, over https. The base URL's host and the platform's own
    /// always may.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// let wx = sandbox.client_builder().allow_host("gateway.example.com").build()?;
    /// for (url, signed) in [("https://gateway.example.com/v3/x", true), ("https://elsewhere.example.com/v3/x", false)] {
    ///     let prepared = wx.chain(url).get().prepare()?;
    ///     assert_eq!(prepared.authorization().wait()?.is_some(), signed);
    /// }
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn allow_host(mut self, host: impl Into<String>) -> Self {
        self.allowed_hosts.push(host.into());
        self
    }

    /// The longest that a call may take, from its start to the last byte of its response: a download of certificates, the
    /// signature, all attempts and the pauses between them. Default 30 s, at most an hour. An attempt or a pause that
    /// could not end in time is not begun; the call then returns its last error. For a [`Download`](crate::Download) it
    /// is the time until the head of the response, and then for each piece.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The most that connecting may take, TLS included; default 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// The largest response that is read into memory, in bytes; default 8 MiB. Downloads stream, and have no such limit.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// use wechatpay_chain::Error;
    ///
    /// let wx = sandbox.client_builder().max_body(10).build()?;
    /// let error = wx["v3/certificates"].get_sync().err();
    /// assert!(matches!(error, Some(Error::ResponseTooLarge(_))));
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Traces each request and response, for finding faults: events with the target `wechatpay_chain::messages`. At the
    /// level DEBUG they have the method, the path with its query, the host, the status and the headers, without
    /// `Authorization`, cookies and the response's signature; at TRACE the first 2,000 characters of the bodies. A query
    /// and a body may hold personal data, so nothing of this is traced by default. A response is traced before it is
    /// verified.
    pub fn trace_messages(mut self) -> Self {
        self.trace_messages = true;
        self
    }

    /// The source of time; default the system's clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }
}
