//! The certificates that a client holds: who they are for, and how long they are valid.

use super::WeChatPay;
use crate::crypto::keys::Validity;
use crate::v3::platform::PlatformKey;

impl WeChatPay {
    /// The merchant's own API certificate (商户API证书), from
    /// [`merchant_certificate`](crate::WeChatPayBuilder::merchant_certificate) or a `.p12` file; `None` if only its serial
    /// was given. The platform refuses requests of a certificate that has expired: renew it before.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// use wechatpay_chain::clock::{Clock, SystemClock};
    ///
    /// let wx = sandbox.client_builder().merchant_certificate(sandbox.merchant_certificate_pem()).build()?;
    /// let certificate = wx.merchant_certificate().ok_or("only the serial is configured")?;
    /// assert_eq!(certificate.serial, sandbox.serial());
    /// let month = 30 * 24 * 3600;
    /// assert!(certificate.not_after > SystemClock.unix_seconds() + month, "renew {}", certificate.serial);
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn merchant_certificate(&self) -> Option<CertificateInfo> {
        let data = self.context.v3.merchant.certificate.as_ref()?;
        Some(CertificateInfo::new(&data.serial, data.common_name.as_deref(), data.validity))
    }

    /// The platform certificates (平台证书) that verify responses now, configured or downloaded. A public key of the
    /// platform (`PUB_KEY_ID_…`) does not expire, and is not among them:
    /// [`platform_serials`](WeChatPay::platform_serials) has both.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// for certificate in wx.known_certificates() {
    ///     assert_eq!(certificate.serial, sandbox.platform_certificate_serial());
    ///     assert!(certificate.not_before < certificate.not_after);
    /// }
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn known_certificates(&self) -> Vec<CertificateInfo> {
        let keys = self.context.v3.platform.keys();
        let info = |key: &PlatformKey| {
            Some(CertificateInfo::new(&key.serial, key.common_name.as_deref(), key.validity?))
        };
        keys.iter().filter_map(info).collect()
    }
}

/// The serial, the owner and the validity of a certificate: see [`WeChatPay::merchant_certificate`] and
/// [`WeChatPay::known_certificates`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateInfo {
    /// The serial, upper-case hex.
    pub serial: String,
    /// The common name of its subject: in a merchant's API certificate, the merchant number. It is the text of whoever
    /// made the certificate, unchecked.
    pub common_name: Option<String>,
    /// The start of its validity, Unix seconds.
    pub not_before: u64,
    /// The end of its validity, Unix seconds, inclusive.
    pub not_after: u64,
}

impl CertificateInfo {
    fn new(serial: &str, common_name: Option<&str>, validity: Validity) -> CertificateInfo {
        let Validity { not_before, not_after } = validity;
        let (serial, common_name) = (serial.to_owned(), common_name.map(str::to_owned));
        CertificateInfo { serial, common_name, not_before, not_after }
    }
}
