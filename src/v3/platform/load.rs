//! Loads a platform key, and refuses what must not be one.

use crate::crypto::keys;
use crate::error::Error;
use crate::signer::MerchantKey;
use crate::v3::platform::{PUBLIC_KEY_PREFIX, PlatformKey};
use crate::v3::sign::Identity;

/// The key that somebody gives under `id`: a text in any form, or a file's path.
pub(crate) fn load(id: &str, pem: &str, merchant: &Identity) -> Result<PlatformKey, Error> {
    let name = format!("certs[\"{id}\"]");
    if let Some(bad) = id.chars().find(|c| !(c.is_ascii_alphanumeric() || *c == '_')) {
        let name = format!("certs[\"{}\"]", id.escape_debug());
        return Err(Error::config(name, format!("must be ASCII letters, digits and `_`; it has {bad:?}")));
    }
    if id.is_empty() {
        return Err(Error::config(name, "must be the serial of the key"));
    }
    if id.eq_ignore_ascii_case(&merchant.serial) {
        return Err(Error::config(name, "is the merchant's own serial: the platform's keys belong here"));
    }
    let loaded = keys::public_key(&name, pem)?;
    // A merchant's key here would let the merchant, or who has its key, answer for the platform.
    if matches!(&merchant.key, MerchantKey::Local(key) if key.matches(&loaded.key)) {
        return Err(Error::config(name, "holds the merchant's own key: the platform's keys belong here"));
    }
    let (certificate, key) = (loaded.certificate, loaded.key);
    let key = |serial: String, validity| PlatformKey { serial, key, validity, fetched: false };
    match certificate {
        Some(actual) if id.starts_with(PUBLIC_KEY_PREFIX) => {
            let serial = actual.serial;
            Err(Error::config(name, format!("holds a certificate (serial {serial}), not that public key")))
        }
        Some(actual) if !same_serial(&actual.serial, id) => {
            let serial = actual.serial;
            Err(Error::config(name, format!("holds a certificate with another serial, {serial}")))
        }
        // The platform names its keys exactly: a certificate knows how.
        Some(actual) => Ok(key(actual.serial, Some(actual.validity))),
        // A certificate's serial is upper-case hex, also when only its key is given.
        None if id.starts_with(PUBLIC_KEY_PREFIX) => Ok(key(id.to_owned(), None)),
        None => Ok(key(id.to_ascii_uppercase(), None)),
    }
}

/// A certificate that was fetched: it must be one, and its text in itself, never a file's path.
pub(crate) fn load_certificate(id: &str, pem: &str, merchant: &Identity) -> Result<PlatformKey, Error> {
    let name = || format!("certs[\"{}\"]", id.escape_debug());
    if !pem.trim_start().starts_with("-----BEGIN") {
        return Err(Error::config(name(), "came as something else than a PEM"));
    }
    match load(id, pem, merchant)? {
        PlatformKey { validity: None, .. } => {
            Err(Error::config(name(), "came as a bare public key, not as a certificate"))
        }
        key => Ok(PlatformKey { fetched: true, ..key }),
    }
}

pub(crate) fn same_serial(a: &str, b: &str) -> bool {
    a.trim_start_matches('0').eq_ignore_ascii_case(b.trim_start_matches('0'))
}
