//! Loads a platform key, and refuses keys that must not be one.

use super::{PUBLIC_KEY_PREFIX, PlatformKey};
use crate::crypto::keys;
use crate::crypto::serial::{self, NotASerial};
use crate::error::{Error, Excerpt};
use crate::files;
use crate::signer::MerchantKey;
use crate::v3::merchant::Merchant;

/// A configured key: `pem` is a text in any form, or a file's path; `id` is its serial.
pub(crate) fn load(id: &str, pem: &str, merchant: &Merchant) -> Result<PlatformKey, Error> {
    let serial = check_serial(id, merchant)?;
    let name = name_of(id);
    let loaded = keys::public_key(&name, pem)?;
    // With the merchant's key here, the merchant, or a thief of its key, could sign responses.
    if matches!(&merchant.key, MerchantKey::Local(key) if key.matches(&loaded.key)) {
        return Err(Error::config(name, "holds the merchant's own key: give a key of the platform"));
    }
    let (certificate, key) = (loaded.certificate, loaded.key);
    match certificate {
        Some(actual) if serial.starts_with(PUBLIC_KEY_PREFIX) => {
            let serial = actual.serial;
            Err(Error::config(
                name,
                format!("holds a certificate (serial {serial}), expected the public key"),
            ))
        }
        Some(actual) if serial::same(&actual.serial, &serial) => {
            // The certificate has the exact serial that the platform uses.
            let (serial, validity) = (actual.serial, Some(actual.validity));
            Ok(PlatformKey { serial, key, validity, common_name: actual.common_name, fetched: false })
        }
        Some(actual) => {
            let actual = actual.serial;
            let reason = match serial::is_decimal_of(id.trim(), &actual) {
                true => format!(
                    "holds a certificate whose serial is the given one in decimal: write it in hex, {actual}"
                ),
                false => format!("holds a certificate with another serial, {actual}"),
            };
            Err(Error::config(name, reason))
        }
        None if is_number_of_an_id(id) => {
            let reason = format!(
                "is the number of a public key's ID: write the whole ID, `{PUBLIC_KEY_PREFIX}` and the number"
            );
            Err(Error::config(name, reason))
        }
        None => Ok(PlatformKey { serial, key, validity: None, common_name: None, fetched: false }),
    }
}

/// Whether this is the ID of a public key without its prefix, such as `0114232134912410000000000000`: the serial of a
/// certificate is hardly ever that long without a letter.
fn is_number_of_an_id(id: &str) -> bool {
    let id = id.trim();
    id.len() >= 24 && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// Checks the serial of a configured key, and returns it as the platform writes it: `PUB_KEY_ID_…`, or the upper-case hex
/// of a certificate, also if only its key is given.
pub(crate) fn check_serial(id: &str, merchant: &Merchant) -> Result<String, Error> {
    let refuse = |reason: &str| Err(Error::config(name_of(id), reason));
    let text = id.trim();
    if text.is_empty() {
        return refuse("must be the serial of the key");
    }
    if text.contains("-----") || files::path_of(text).is_some() || text.contains("://") {
        return refuse("must be the serial of the key, and the key comes after it");
    }
    if text.get(..PUBLIC_KEY_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PUBLIC_KEY_PREFIX))
    {
        let number = text.get(PUBLIC_KEY_PREFIX.len()..).unwrap_or_default();
        return match number.chars().find(|c| !c.is_ascii_alphanumeric()) {
            Some(bad) => refuse(&format!("must be `{PUBLIC_KEY_PREFIX}` and digits; it has {bad:?}")),
            None if number.is_empty() => refuse(&format!("must be `{PUBLIC_KEY_PREFIX}` and digits")),
            None => Ok(format!("{PUBLIC_KEY_PREFIX}{number}")),
        };
    }
    let serial = serial::normalized(text).map_err(|error| {
        let reason = match error {
            NotASerial::Decimal(_) => error.to_string(),
            NotASerial::Other(_) => {
                format!("{error}; the ID of a public key begins with `{PUBLIC_KEY_PREFIX}`")
            }
        };
        Error::config(name_of(id), reason)
    })?;
    if serial::same(&serial, &merchant.serial) {
        return refuse("is the merchant's own serial: give a key of the platform");
    }
    Ok(serial)
}

/// The name of a key in errors. What does not look like a serial may be the key.
fn name_of(id: &str) -> String {
    let is_serial = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '-' | ' ');
    let is_serial = match id.strip_prefix(PUBLIC_KEY_PREFIX) {
        Some(number) => number.chars().all(|c| c.is_ascii_alphanumeric()),
        None => id.chars().all(is_serial),
    };
    match is_serial && id.len() <= 64 {
        true => format!("platform_key[\"{id}\"]"),
        false => format!("platform_key[{}]", Excerpt(id)),
    }
}

/// A downloaded certificate: its text, never a file's path.
pub(crate) fn load_certificate(id: &str, pem: &str, merchant: &Merchant) -> Result<PlatformKey, Error> {
    if !pem.trim_start().starts_with("-----BEGIN") {
        return Err(Error::config(name_of(id), "was downloaded, but is not PEM"));
    }
    match load(id, pem, merchant)? {
        PlatformKey { validity: None, .. } => {
            Err(Error::config(name_of(id), "was downloaded as a bare public key, expected a certificate"))
        }
        key => Ok(PlatformKey { fetched: true, ..key }),
    }
}
