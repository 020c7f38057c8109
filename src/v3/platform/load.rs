//! Loads a platform key, and refuses keys that must not be one.

use super::{PUBLIC_KEY_PREFIX, PlatformKey, is_certificate_serial};
use crate::crypto::keys;
use crate::error::Error;
use crate::signer::MerchantKey;
use crate::v3::merchant::Merchant;

/// A configured key: `pem` is a text in any form, or a file's path; `id` is its serial.
pub(crate) fn load(id: &str, pem: &str, merchant: &Merchant) -> Result<PlatformKey, Error> {
    check_serial(id, merchant)?;
    let name = format!("platform_key[\"{id}\"]");
    let loaded = keys::public_key(&name, pem)?;
    // With the merchant's key here, the merchant, or a thief of its key, could sign responses.
    if matches!(&merchant.key, MerchantKey::Local(key) if key.matches(&loaded.key)) {
        return Err(Error::config(name, "holds the merchant's own key: give a key of the platform"));
    }
    let (certificate, key) = (loaded.certificate, loaded.key);
    let key = |serial: String, validity| PlatformKey { serial, key, validity, fetched: false };
    match certificate {
        Some(actual) if id.starts_with(PUBLIC_KEY_PREFIX) => {
            let serial = actual.serial;
            Err(Error::config(
                name,
                format!("holds a certificate (serial {serial}), expected the public key"),
            ))
        }
        Some(actual) if !same_serial(&actual.serial, id) => {
            let serial = actual.serial;
            Err(Error::config(name, format!("holds a certificate with another serial, {serial}")))
        }
        // The certificate has the exact serial that the platform uses.
        Some(actual) => Ok(key(actual.serial, Some(actual.validity))),
        // A certificate's serial is upper-case hex, also if only its key is given.
        None if id.starts_with(PUBLIC_KEY_PREFIX) => Ok(key(id.to_owned(), None)),
        None => Ok(key(id.to_ascii_uppercase(), None)),
    }
}

/// Checks the serial of a configured key.
pub(crate) fn check_serial(id: &str, merchant: &Merchant) -> Result<(), Error> {
    let name = format!("platform_key[\"{}\"]", id.escape_debug());
    if let Some(bad) = id.chars().find(|c| !(c.is_ascii_alphanumeric() || *c == '_')) {
        return Err(Error::config(name, format!("must be ASCII letters, digits and `_`; it has {bad:?}")));
    }
    if id.is_empty() {
        return Err(Error::config(name, "must be the serial of the key"));
    }
    check_form(id).map_err(|reason| Error::config(name.clone(), reason))?;
    if id.eq_ignore_ascii_case(&merchant.serial) {
        return Err(Error::config(name, "is the merchant's own serial: give a key of the platform"));
    }
    Ok(())
}

/// Every other ID is mistyped, and the platform would not know it.
fn check_form(id: &str) -> Result<(), String> {
    let expected = |what: &str| Err(format!("{what}, or a certificate's serial in hex"));
    match id.strip_prefix(PUBLIC_KEY_PREFIX) {
        Some("") => expected("must be a public key's ID, `PUB_KEY_ID_` and digits"),
        Some(_) => Ok(()),
        None if is_certificate_serial(id) => Ok(()),
        None => expected("must be a public key's ID, which begins with `PUB_KEY_ID_`"),
    }
}

/// A downloaded certificate: its text, never a file's path.
pub(crate) fn load_certificate(id: &str, pem: &str, merchant: &Merchant) -> Result<PlatformKey, Error> {
    let name = || format!("platform_key[\"{}\"]", id.escape_debug());
    if !pem.trim_start().starts_with("-----BEGIN") {
        return Err(Error::config(name(), "was downloaded, but is not PEM"));
    }
    match load(id, pem, merchant)? {
        PlatformKey { validity: None, .. } => {
            Err(Error::config(name(), "was downloaded as a bare public key, expected a certificate"))
        }
        key => Ok(PlatformKey { fetched: true, ..key }),
    }
}

/// Whether two serials are equal, in any letter case and with or without leading zeros.
pub(crate) fn same_serial(a: &str, b: &str) -> bool {
    a.trim_start_matches('0').eq_ignore_ascii_case(b.trim_start_matches('0'))
}
