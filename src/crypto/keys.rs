//! Loads keys: the merchant's private key, public keys, certificates and PKCS#12 files.
//!
//! PEM text, DER and passphrases are wiped on drop. The loaded key is in AWS-LC only (`KeyPair` holds an `EVP_PKEY`),
//! which wipes it when it is freed (`OPENSSL_free`).

use aws_lc_rs::rsa::KeyPair;
use rsa::pkcs1::{DecodeRsaPublicKey as _, EncodeRsaPublicKey as _};
use rsa::traits::PublicKeyParts as _;
use x509_cert::der::Decode as _;
use x509_cert::der::referenced::OwnedToRef as _;
use x509_cert::spki::SubjectPublicKeyInfoRef;

use super::forms::{self, EncodedKey, Found, KeyFormat};
use super::rsa::{PrivateKey, PublicKey};
use crate::error::KeyError;

#[cfg(feature = "p12")]
mod encrypted;

pub(crate) use encrypted::p12;

const PRIVATE: &str = "an RSA private key (PKCS#8, encrypted or not, or PKCS#1) as PEM text, as the `file://` path of PEM or DER, \
     as `private.pkcs8://…` or as `private.pkcs1://…`";
const PUBLIC: &str = "an RSA public key or certificate (SPKI, PKCS#1 or X.509) as PEM text, as the `file://` path of PEM or DER, \
     as `public.spki://…` or as `public.pkcs1://…`";
const CERTIFICATE: &str = "an X.509 certificate as PEM text or as the `file://` path of PEM or DER";
const P12: &str = "the path of a PKCS#12 file (.p12, .pfx), with its passphrase";

/// Without the feature, keys that are encrypted are refused.
#[cfg(not(feature = "p12"))]
mod encrypted {
    use zeroize::Zeroizing;

    use super::{Found, KeyError, KeySpec, LoadedP12, P12};

    pub(super) fn decrypt_pkcs8(_: &[u8], _: Option<&str>) -> Result<Zeroizing<Vec<u8>>, Found> {
        Err("an encrypted PKCS#8 key, which needs the cargo feature `p12` of `wechatpay-chain`".into())
    }

    pub(crate) fn p12(name: &str, _: &str, _: &str) -> Result<LoadedP12, KeyError> {
        let spec = KeySpec { name, expected: P12 };
        Err(spec.error("a PKCS#12 file, which needs the cargo feature `p12` of `wechatpay-chain`"))
    }
}

/// A public key, with the data of its certificate if it came in one.
pub(crate) struct LoadedPublicKey {
    pub(crate) key: PublicKey,
    pub(crate) certificate: Option<CertificateData>,
}

/// The data of a certificate, besides its key.
pub(crate) struct CertificateData {
    /// Upper-case hex, with leading zeros.
    pub(crate) serial: String,
    /// Of the subject.
    pub(crate) common_name: Option<String>,
    pub(crate) validity: Validity,
    #[cfg(feature = "v2")]
    pub(crate) der: Vec<u8>,
}

/// The validity period of a certificate, in Unix seconds, both ends included.
#[derive(Clone, Copy)]
pub(crate) struct Validity {
    pub(crate) not_before: u64,
    pub(crate) not_after: u64,
}

impl Validity {
    pub(crate) fn holds(&self, now: u64) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
}

/// The key that is loaded, for its errors: its name and the accepted forms.
#[derive(Clone, Copy)]
struct KeySpec<'a> {
    name: &'a str,
    expected: &'static str,
}

impl KeySpec<'_> {
    fn error(self, found: impl Into<Found>) -> KeyError {
        let found = found.into();
        KeyError {
            name: self.name.to_owned(),
            expected: self.expected,
            found: found.to_string(),
            source: found.source,
            signer: false,
        }
    }
}

/// Loads a private key from `text` or from the file that it names. As in PHP, a passphrase that is not needed is
/// ignored. Errors call the key `name`.
pub(crate) fn private_key(name: &str, text: &str, passphrase: Option<&str>) -> Result<PrivateKey, KeyError> {
    let spec = KeySpec { name, expected: PRIVATE };
    let accepted = |key: &EncodedKey| match key.format() {
        KeyFormat::Pkcs8 | KeyFormat::Pkcs1 | KeyFormat::LegacyEncrypted => key.is_rsa(),
        KeyFormat::EncryptedPkcs8 => true,
        _ => false,
    };
    forms::read(text, accepted, |key| load_private(key, passphrase)).map_err(|found| spec.error(found))
}

fn load_private(key: &EncodedKey, passphrase: Option<&str>) -> Result<PrivateKey, Found> {
    match key.format() {
        KeyFormat::LegacyEncrypted => Err(Found::new(
            "a key in OpenSSL's legacy encryption (`Proc-Type: 4,ENCRYPTED`), which hashes the passphrase only once",
        )
        .fix("convert it: `openssl pkcs8 -topk8 -in old.pem -out new.pem`")),
        KeyFormat::EncryptedPkcs8 => {
            let der = encrypted::decrypt_pkcs8(&key.der, passphrase)?;
            match forms::identify(&der) {
                Some(identity) => load_rsa(&EncodedKey { identity, der }),
                None => Err("an encrypted PKCS#8 key that is damaged".into()),
            }
        }
        _ => load_rsa(key),
    }
}

/// Loads an RSA private key, PKCS#8 or PKCS#1.
fn load_rsa(key: &EncodedKey) -> Result<PrivateKey, Found> {
    let pair = match key.format() {
        _ if !key.is_rsa() => return Err(Found::structure(key.identity)),
        KeyFormat::Pkcs8 => KeyPair::from_pkcs8(&key.der),
        KeyFormat::Pkcs1 => KeyPair::from_der(&key.der),
        _ => return Err(Found::structure(key.identity)),
    };
    let unusable = || match key.modulus_bits() {
        Some(bits) if !(2048..=8192).contains(&bits) => {
            Found::new(format!("an RSA key of {bits} bits, where 2048 to 8192 bits are accepted"))
        }
        _ if key.has_many_primes() => {
            Found::new("an RSA key of more than two primes, which is not supported")
        }
        _ => Found::new("an RSA key that is damaged"),
    };
    let pair = pair.map_err(|e| unusable().source(e))?;
    PrivateKey::new(pair).map_err(|e| unusable().source(std::io::Error::other(e)))
}

/// Loads a public key, or the key of a certificate, from `text` or from the file that it names.
pub(crate) fn public_key(name: &str, text: &str) -> Result<LoadedPublicKey, KeyError> {
    let spec = KeySpec { name, expected: PUBLIC };
    let accepted = |key: &EncodedKey| {
        matches!(key.format(), KeyFormat::Spki | KeyFormat::Pkcs1Public | KeyFormat::Certificate)
            && key.is_rsa()
    };
    forms::read(text, accepted, load_public).map_err(|found| spec.error(found))
}

/// Loads a certificate with an RSA key; `certificate` of the result is always `Some`.
pub(crate) fn certificate(name: &str, text: &str) -> Result<LoadedPublicKey, KeyError> {
    let spec = KeySpec { name, expected: CERTIFICATE };
    let accepted = |key: &EncodedKey| key.format() == KeyFormat::Certificate && key.is_rsa();
    forms::read(text, accepted, load_public).map_err(|found| spec.error(found))
}

/// Loads the DER of a certificate with any type of key, such as a root certificate.
pub(crate) fn any_certificate(name: &str, text: &str) -> Result<Vec<u8>, KeyError> {
    let spec = KeySpec { name, expected: CERTIFICATE };
    let accepted = |key: &EncodedKey| key.format() == KeyFormat::Certificate;
    forms::read(text, accepted, |key| Ok(key.der.to_vec())).map_err(|found| spec.error(found))
}

fn load_public(found: &EncodedKey) -> Result<LoadedPublicKey, Found> {
    let der = &found.der;
    let (key, certificate) = match found.format() {
        KeyFormat::Spki => {
            let spki = SubjectPublicKeyInfoRef::from_der(der)
                .map_err(|e| Found::new("a public key that is damaged").source(e))?;
            (rsa_key(spki)?, None)
        }
        KeyFormat::Pkcs1Public => {
            let key = rsa::PublicKey::from_pkcs1_der(der)
                .map_err(|e| Found::new("a public key that is damaged").source(e))?;
            (key, None)
        }
        KeyFormat::Certificate => {
            let certificate = x509_cert::Certificate::from_der(der)
                .map_err(|e| Found::new("an X.509 certificate that is damaged").source(e))?;
            let certificate = certificate.tbs_certificate();
            let key = rsa_key(certificate.subject_public_key_info().owned_to_ref())?;
            let validity = certificate.validity();
            let [not_before, not_after] =
                [validity.not_before, validity.not_after].map(|time| time.to_unix_duration().as_secs());
            let data = CertificateData {
                serial: serial_hex(certificate.serial_number().as_bytes()),
                // A name in an odd encoding is none: it is only shown.
                common_name: certificate
                    .subject()
                    .common_name()
                    .ok()
                    .flatten()
                    .map(|name| name.value().into_owned()),
                validity: Validity { not_before, not_after },
                #[cfg(feature = "v2")]
                der: der.to_vec(),
            };
            (key, Some(data))
        }
        _ => return Err(Found::structure(found.identity)),
    };
    let bits = key.n().bit_width();
    // The platform's keys have 2048 bits.
    if !(2048..=4096).contains(&bits) {
        return Err(Found::new(format!("an RSA key of {bits} bits, where 2048 to 4096 bits are accepted")));
    }
    let damaged = |e: String| Found::new("a public key that is damaged").source(std::io::Error::other(e));
    let der = key.to_pkcs1_der().map_err(|e| damaged(e.to_string()))?;
    let key = PublicKey::from_pkcs1_der(der.as_bytes()).map_err(damaged)?;
    Ok(LoadedPublicKey { key, certificate })
}

/// An RSA key. A key for RSASSA-PSS only has another algorithm and is refused.
fn rsa_key(spki: SubjectPublicKeyInfoRef<'_>) -> Result<rsa::PublicKey, Found> {
    let not_rsa = || Found::new("a public key that is not an RSA key, or is damaged");
    spki.algorithm.assert_algorithm_oid(rsa::pkcs1::ALGORITHM_OID).map_err(|e| not_rsa().source(e))?;
    rsa::PublicKey::try_from(spki).map_err(|e| not_rsa().source(e))
}

/// The contents of a PKCS#12 file: the merchant's key, and its certificate if the file has it.
pub(crate) struct LoadedP12 {
    pub(crate) key: PrivateKey,
    pub(crate) certificate: Option<CertificateData>,
}

/// The serial without the zero byte that DER puts before a set first bit; the platform's serials do not show it.
fn serial_hex(der: &[u8]) -> String {
    let der = match der {
        [0, rest @ ..] if rest.first().is_some_and(|b| b & 0x80 != 0) => rest,
        all => all,
    };
    der.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests;
