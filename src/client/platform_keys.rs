//! The platform's keys of a running client: added, removed, downloaded.

use std::sync::Arc;

use super::WeChatPay;
use crate::crypto::keys::Validity;
use crate::crypto::serial;
use crate::error::Error;
use crate::runtime::{Deadline, Deferred, background};
use crate::v3::certificates::{self, DownloadedCertificate};
use crate::v3::platform;

impl WeChatPay {
    /// Adds a platform key to this client and all its clones, or replaces the one with this serial, as
    /// [`WeChatPayBuilder::platform_key`](crate::WeChatPayBuilder::platform_key) does. Calls in flight accept the keys
    /// that they started with, and the new one.
    ///
    /// The public key added last is the one that requests name and that encrypts. So a merchant moves from certificates
    /// to a public key, or to another public key, without a restart.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # let (id, pem) = sandbox.add_public_key()?; // as shown by the merchant platform
    /// wx.add_platform_key(&id, &pem)?;
    /// assert_eq!(wx.platform_serial(), Some(id));
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`WeChatPayBuilder::build`](crate::WeChatPayBuilder::build) for such a key. The keys are then unchanged.
    pub fn add_platform_key(&self, serial: impl AsRef<str>, pem: impl AsRef<str>) -> Result<(), Error> {
        let key = platform::load(serial.as_ref(), pem.as_ref(), &self.context.v3.merchant)?;
        self.context.v3.platform.update(|keys| Ok(keys.with(key)))
    }

    /// Removes a platform key, once the platform no longer uses it. Calls in flight still accept it.
    ///
    /// # Errors
    /// [`Error::Config`] if no key has this serial, and for the last key, without which no response could be verified
    /// (with automatic certificates it may be removed).
    pub fn remove_platform_key(&self, serial: impl AsRef<str>) -> Result<(), Error> {
        let serial = serial.as_ref();
        let number = serial::normalized(serial).unwrap_or_else(|_| serial.trim().to_owned());
        let refuse =
            |reason: &str| Err(Error::config(format!("platform_key[\"{}\"]", serial.escape_debug()), reason));
        self.context.v3.platform.update(|keys| {
            let left = keys.without(&number);
            match left.serials().count() {
                count if count == keys.serials().count() => refuse("is unknown"),
                0 if self.context.v3.platform.refresh.is_none() => {
                    refuse("is the last platform key: without one no response could be verified")
                }
                _ => Ok(left),
            }
        })
    }

    /// The serials of the platform keys that verify responses now.
    pub fn platform_serials(&self) -> Vec<String> {
        self.context.v3.platform.keys().serials().map(str::to_owned).collect()
    }

    /// Downloads the platform's certificates into this client now. `Ok` means that they were downloaded, by this call or
    /// by one that was under way; if the download is [held back](crate::guide::keys#platform-certificates), that is an
    /// error that says until when. With
    /// [`automatic_certificates`](crate::WeChatPayBuilder::automatic_certificates) the client does it by itself: before
    /// its first call, every 12 hours, and for an unknown certificate. Call it when a program starts, to make the first
    /// call faster and to see a wrong setting early.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// let wx = wechatpay_chain::WeChatPay::builder()
    ///     .mchid(sandbox.mchid())
    ///     .serial(sandbox.serial())
    ///     .private_key(sandbox.merchant_key_pem())
    ///     .apiv3_key(sandbox.apiv3_key())
    ///     .automatic_certificates()
    ///     .base_url(sandbox.base_url())
    ///     .build()?;
    /// wx.refresh_certificates().wait()?;
    /// assert_eq!(wx.platform_serials(), [sandbox.platform_certificate_serial()]);
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] without automatic certificates. [`Error::PlatformKeys`] if the download fails or is held back:
    /// no connection, a response that cannot be verified, certificates that cannot be decrypted with this APIv3 key, or
    /// a merchant without certificates (404 `RESOURCE_NOT_EXISTS`). Its source is the error of the download.
    pub fn refresh_certificates(&self) -> Deferred<()> {
        let context = Arc::clone(&self.context.v3);
        Deferred::new(async move {
            match certificates::refresh_now(&context, &Deadline::after(context.defaults.timeout)).await? {
                Some(()) => Ok(()),
                None => {
                    let error = Error::config("automatic_certificates", "are not enabled for this client");
                    Err(context.defaults.names.rename(error))
                }
            }
        })
    }

    /// Downloads the platform's certificates and returns those that are still valid, verified and decrypted with the
    /// APIv3 key. It asks the platform every time, and does not change this client's keys; for that, use
    /// [`automatic_certificates`](crate::WeChatPayBuilder::automatic_certificates).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// for certificate in wx.platform_certificates().wait()? {
    ///     assert_eq!(certificate.serial, sandbox.platform_certificate_serial());
    ///     assert_eq!(certificate.pem, sandbox.platform_certificate_pem());
    /// }
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] without an APIv3 key, [`Error::Api`] for a merchant without certificates (404
    /// `RESOURCE_NOT_EXISTS`), [`Error::Decrypt`] if they cannot be decrypted with this APIv3 key; and every other error
    /// of a call.
    pub fn platform_certificates(&self) -> Deferred<Vec<PlatformCertificate>> {
        let context = Arc::clone(&self.context.v3);
        Deferred::new(async move {
            if context.apiv3_key.is_none() {
                return Err(context.defaults.names.rename(certificates::apiv3_key_missing()));
            }
            // On the background runtime, so that it works from any runtime.
            let download = background::on_background(async move { certificates::download(&context).await })?;
            Ok(download.await?.into_iter().filter_map(PlatformCertificate::new).collect())
        })
    }
}

/// A certificate of the platform: see [`WeChatPay::platform_certificates`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlatformCertificate {
    /// The serial, upper-case hex, as in a response's `Wechatpay-Serial`.
    pub serial: String,
    /// The start of its validity, Unix seconds.
    pub not_before: u64,
    /// The end of its validity, Unix seconds, inclusive.
    pub not_after: u64,
    /// The certificate as PEM, exactly as downloaded.
    pub pem: String,
}

impl PlatformCertificate {
    fn new(DownloadedCertificate { key, pem }: DownloadedCertificate) -> Option<PlatformCertificate> {
        let Validity { not_before, not_after } = key.validity.as_ref()?;
        let (not_before, not_after) = (*not_before, *not_after);
        Some(PlatformCertificate { serial: key.serial.clone(), not_before, not_after, pem })
    }
}
