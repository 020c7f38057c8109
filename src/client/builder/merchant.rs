//! The merchant's private key and serial, from the several ways to configure them.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::crypto::keys::{self, CertificateData};
use crate::crypto::serial;
use crate::error::{Error, Excerpt};
use crate::signer::{MerchantKey, Signer};
use crate::v3::platform::PUBLIC_KEY_PREFIX;

/// A PKCS#12 file, and its passphrase unless that is the default.
pub(super) struct P12 {
    // A path, unless a key's text is given by mistake.
    pub(super) path: Zeroizing<String>,
    pub(super) passphrase: Option<Zeroizing<String>>,
}

impl P12 {
    pub(super) fn new(path: String, passphrase: Option<String>) -> P12 {
        P12 { path: Zeroizing::new(path), passphrase: passphrase.map(Zeroizing::new) }
    }
}

/// The settings of the merchant.
pub(super) struct MerchantConfig {
    pub(super) serial: Option<String>,
    pub(super) private_key: Option<Zeroizing<String>>,
    pub(super) signer: Option<Arc<dyn Signer>>,
    pub(super) passphrase: Option<Zeroizing<String>>,
    pub(super) p12: Option<P12>,
    pub(super) certificate: Option<Zeroizing<String>>,
}

impl MerchantConfig {
    /// Whether nothing is given at all.
    #[cfg(feature = "v2")]
    pub(super) fn is_empty(&self) -> bool {
        self.serial.is_none()
            && self.private_key.is_none()
            && self.signer.is_none()
            && self.p12.is_none()
            && self.certificate.is_none()
    }

    /// Whether nothing is given but a certificate with its key, which calls of APIv2 present.
    #[cfg(feature = "v2")]
    pub(super) fn is_certificate(&self) -> bool {
        let pem = self.private_key.is_some() && self.certificate.is_some();
        self.serial.is_none() && self.signer.is_none() && (pem || self.p12.is_some())
    }

    /// The serial, the key and the certificate if there is one, once all settings agree.
    pub(super) fn load(self, mchid: &str) -> Result<(String, MerchantKey, Option<CertificateData>), Error> {
        let given = self.serial.filter(|serial| !serial.trim().is_empty());
        let configured = given.as_deref().map(merchant_serial).transpose()?;
        let certificate = self.certificate.filter(|text| !text.is_empty());
        let pem = self.private_key.filter(|text| !text.is_empty());
        if configured.is_none() && certificate.is_none() && self.p12.is_none() {
            let advice = "give the serial of the merchant's API certificate, or the certificate \
                          (`merchant_certificate`), or a `p12`";
            return Err(Error::config_with("serial", "is missing", advice));
        }
        if self.signer.is_some() && (pem.is_some() || self.p12.is_some()) {
            let other = if pem.is_some() { "private_key" } else { "p12" };
            return Err(Error::config("signer", format!("and `{other}` are mutually exclusive")));
        }
        let (key, mut found) = match (pem, self.p12) {
            (None, None) if self.signer.is_some() => (None, Vec::new()),
            (Some(_), Some(_)) => {
                return Err(Error::config("p12", "and `private_key` are mutually exclusive"));
            }
            (None, None) => {
                let advice = "give the merchant's private key, PEM text or a `file://` path (or a `p12`)";
                return Err(Error::config_with("private_key", "is missing", advice));
            }
            (Some(pem), None) => {
                // An empty passphrase is none, as in PHP, whose default is `''`.
                let passphrase =
                    self.passphrase.as_ref().map(|text| text.as_str()).filter(|text| !text.is_empty());
                (Some(keys::private_key("private_key", &pem, passphrase)?), Vec::new())
            }
            (None, Some(P12 { path, passphrase })) => {
                // The passphrase of the platform's files is the merchant number.
                let passphrase = passphrase.or(self.passphrase);
                let loaded =
                    keys::p12("p12", &path, passphrase.as_ref().map_or(mchid, |text| text.as_str()))?;
                (Some(loaded.key), loaded.certificate.map(|found| ("p12", found)).into_iter().collect())
            }
        };
        if let Some(text) = certificate {
            let loaded = keys::certificate("merchant_certificate", &text)?;
            if key.as_ref().is_some_and(|key| !key.matches(&loaded.key)) {
                let serial = loaded.certificate.map(|found| format!("has the serial {}, and ", found.serial));
                let reason = format!("{}does not belong to the private key", serial.unwrap_or_default());
                return Err(Error::config("merchant_certificate", reason));
            }
            found.extend(loaded.certificate.map(|found| ("merchant_certificate", found)));
        }
        // A certificate has its exact serial, with leading zeros; a configured serial must agree with it.
        let mut serial = configured;
        let mut certificate = None;
        for (field, data) in found {
            let exact = data.serial.clone();
            if let Some(other) = serial.filter(|other| !serial::same(other, &exact)) {
                let given = given.as_deref().unwrap_or(&other);
                let reason = match serial::is_decimal_of(given, &exact) {
                    true => format!("is in decimal: write it in hex, {exact}, or leave it out"),
                    false => {
                        let given = Excerpt(given);
                        format!("is {given}, but the certificate in `{field}` has the serial {exact}")
                    }
                };
                return Err(Error::config("serial", reason));
            }
            serial = Some(exact);
            certificate = Some(data);
        }
        let serial = serial.ok_or_else(|| {
            let advice = "give the `serial`, or the certificate (`merchant_certificate`)";
            Error::config_with("p12", "has no certificate", advice)
        })?;
        let key = match (key, self.signer) {
            (Some(key), _) => MerchantKey::Local(Arc::new(key)),
            (None, Some(signer)) => MerchantKey::Remote(signer),
            (None, None) => return Err(Error::config("private_key", "is missing")),
        };
        Ok((serial, key, certificate))
    }
}

/// The serial in the platform's form. A mistake that hides in it would only show as a `SIGN_ERROR` of the first call.
fn merchant_serial(text: &str) -> Result<String, Error> {
    let refuse = |reason: &str| Err(Error::config("serial", reason));
    let certificate = |advice| Err(Error::config_with("serial", "must be a serial", advice));
    if text.contains("-----BEGIN") {
        return certificate("pass the text of a certificate as `merchant_certificate`");
    }
    if crate::files::path_of(text).is_some() {
        return certificate("pass the path of a certificate as `merchant_certificate`");
    }
    if text.trim().get(..PUBLIC_KEY_PREFIX.len()).is_some_and(|t| t.eq_ignore_ascii_case(PUBLIC_KEY_PREFIX)) {
        return refuse(
            "must be the serial of the merchant's certificate; this is the ID of the platform's public key",
        );
    }
    serial::normalized(text).map_err(|error| Error::config("serial", error.to_string()))
}
