//! Who signs: the merchant's private key and serial, out of the several ways to give them.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::alphanumeric;
use crate::crypto::keys;
use crate::error::Error;
use crate::signer::{MerchantKey, Signer};
use crate::v3::platform::same_serial;

/// A PKCS#12 file, and its passphrase if it has one of its own.
pub(super) struct P12 {
    // A path, unless somebody gives a key's text by mistake.
    path: Zeroizing<String>,
    passphrase: Option<Zeroizing<String>>,
}

impl P12 {
    pub(super) fn new(path: String, passphrase: Option<String>) -> P12 {
        P12 { path: Zeroizing::new(path), passphrase: passphrase.map(Zeroizing::new) }
    }
}

/// What the configuration says about the merchant's identity.
pub(super) struct Given {
    pub(super) serial: Option<String>,
    pub(super) private_key: Option<Zeroizing<String>>,
    pub(super) signer: Option<Arc<dyn Signer>>,
    pub(super) passphrase: Option<Zeroizing<String>>,
    pub(super) p12: Option<P12>,
    pub(super) certificate: Option<Zeroizing<String>>,
}

impl Given {
    /// The serial and the key, once all that was given agrees.
    pub(super) fn load(self, mchid: &str) -> Result<(String, MerchantKey), Error> {
        let given = self.serial.filter(|serial| !serial.is_empty());
        if let Some(serial) = &given {
            alphanumeric("serial", serial)?;
        }
        let certificate = self.certificate.filter(|text| !text.is_empty());
        let pem = self.private_key.filter(|text| !text.is_empty());
        if given.is_none() && certificate.is_none() && self.p12.is_none() {
            let reason = "is missing: the merchant certificate's serial is required, or the certificate itself \
                          (`merchantCertificate`), or a `p12`";
            return Err(Error::config("serial", reason));
        }
        if self.signer.is_some() && (pem.is_some() || self.p12.is_some()) {
            return Err(Error::config("signer", "is given beside a private key: one of the two signs"));
        }
        let (key, mut found) = match (pem, self.p12) {
            (None, None) if self.signer.is_some() => (None, Vec::new()),
            (Some(_), Some(_)) => {
                let reason = "is given besides `privateKey`: one of the two says who signs";
                return Err(Error::config("p12", reason));
            }
            (None, None) => {
                let reason = "is missing: the merchant's private key is required, PEM text or a `file://` path \
                              (or a `p12`)";
                return Err(Error::config("privateKey", reason));
            }
            (Some(pem), None) => {
                // None at all and an empty one are the same, as in PHP, whose default is `''`.
                let passphrase =
                    self.passphrase.as_ref().map(|text| text.as_str()).filter(|text| !text.is_empty());
                (Some(keys::private_key("privateKey", &pem, passphrase)?), Vec::new())
            }
            (None, Some(P12 { path, passphrase })) => {
                // The platform's files have the merchant number for a passphrase.
                let passphrase = passphrase.or(self.passphrase);
                let loaded =
                    keys::p12("p12", &path, passphrase.as_ref().map_or(mchid, |text| text.as_str()))?;
                (
                    Some(loaded.key),
                    loaded.certificate_serial.map(|serial| ("p12", serial)).into_iter().collect(),
                )
            }
        };
        if let Some(text) = certificate {
            let certificate = keys::certificate("merchantCertificate", &text)?;
            if key.as_ref().is_some_and(|key| !key.matches(&certificate.key)) {
                let reason = "is not the private key's certificate: the two are not halves of one key";
                return Err(Error::config("merchantCertificate", reason));
            }
            found.extend(certificate.certificate.map(|certified| ("merchantCertificate", certified.serial)));
        }
        // A certificate knows its serial exactly, leading zeros and all; what was typed must agree with it.
        let mut serial = given;
        for (field, exact) in found {
            if let Some(other) = serial.filter(|other| !same_serial(other, &exact)) {
                let reason = format!("is `{other}`, but the certificate in `{field}` has the serial {exact}");
                return Err(Error::config("serial", reason));
            }
            serial = Some(exact);
        }
        let serial = serial.ok_or_else(|| {
            let reason = "holds the private key without its certificate: give the `serial`, or the certificate \
                          (`merchantCertificate`)";
            Error::config("p12", reason)
        })?;
        let key = match (key, self.signer) {
            (Some(key), _) => MerchantKey::Local(Arc::new(key)),
            (None, Some(signer)) => MerchantKey::Remote(signer),
            (None, None) => return Err(Error::config("privateKey", "is missing")),
        };
        Ok((serial, key))
    }
}
