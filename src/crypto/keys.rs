//! Keys out of the forms of `forms.rs`: the merchant's private key, public keys, certificates, PKCS#12.
//!
//! PEM text, DER and passphrases are wiped when they are dropped. The key itself lives on in AWS-LC only (`KeyPair`
//! holds an `EVP_PKEY`): it is freed through `OPENSSL_free`, which cleanses every block, so nothing is left to do.

use aws_lc_rs::rsa::KeyPair;
use pkcs12::pbe_params::EncryptedPrivateKeyInfo;
use rsa::pkcs1::{DecodeRsaPublicKey as _, EncodeRsaPublicKey as _};
use rsa::traits::PublicKeyParts as _;
use x509_cert::der::Decode as _;
use x509_cert::der::referenced::OwnedToRef as _;
use x509_cert::spki::SubjectPublicKeyInfoRef;
use zeroize::Zeroizing;

use super::forms::{self, Found, Kind, Unreadable};
use super::p12;
use super::pbe::{self, Refused};
use super::rsa::{PrivateKey, PublicKey};
use crate::error::KeyError;

const PRIVATE: &str = "an RSA private key (PKCS#8, encrypted or not, or PKCS#1) as PEM text, as the `file://` path of PEM or DER, \
     as `private.pkcs8://…` or as `private.pkcs1://…`";
const PUBLIC: &str = "an RSA public key or certificate (SPKI, PKCS#1 or X.509) as PEM text, as the `file://` path of PEM or DER, \
     as `public.spki://…` or as `public.pkcs1://…`";
const CERTIFICATE: &str = "an X.509 certificate as PEM text or as the `file://` path of PEM or DER";
const P12: &str = "the path of a PKCS#12 file (.p12, .pfx), with its passphrase";

/// A public key, and what the certificate says that it came in, if it came in one.
pub(crate) struct LoadedPublicKey {
    pub(crate) key: PublicKey,
    pub(crate) certificate: Option<Certified>,
}

/// What a certificate says of its key.
pub(crate) struct Certified {
    /// Upper-case hex, leading zeros kept.
    pub(crate) serial: String,
    pub(crate) validity: Validity,
}

/// From when to when a certificate is valid, both included, in Unix seconds.
pub(crate) struct Validity {
    pub(crate) not_before: u64,
    pub(crate) not_after: u64,
}

impl Validity {
    pub(crate) fn holds(&self, now: u64) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
}

/// Which key an error is about, and what it should have been.
#[derive(Clone, Copy)]
struct Asked<'a> {
    name: &'a str,
    expected: &'static str,
}

impl Asked<'_> {
    fn but(self, found: impl Into<Unreadable>) -> KeyError {
        let Unreadable { found, source } = found.into();
        let source = source.map(|e| Box::new(e) as Box<dyn std::error::Error + Send + Sync>);
        KeyError { name: self.name.to_owned(), expected: self.expected, found, source }
    }
}

impl From<String> for Unreadable {
    fn from(found: String) -> Self {
        Unreadable { found, source: None }
    }
}

/// Loads the private key that `text` is, or names. A passphrase for a key that needs none is not looked at, as in PHP.
/// `name` names the key in errors.
pub(crate) fn private_key(name: &str, text: &str, passphrase: Option<&str>) -> Result<PrivateKey, KeyError> {
    let asked = Asked { name, expected: PRIVATE };
    let wanted =
        |kind| matches!(kind, Kind::Pkcs8 | Kind::EncryptedPkcs8 | Kind::Pkcs1 | Kind::LegacyEncrypted);
    let Found { kind, label, der } = forms::read(text, wanted).map_err(|e| asked.but(e))?;
    let pair = match kind {
        Kind::Pkcs8 => KeyPair::from_pkcs8(&der),
        Kind::EncryptedPkcs8 => {
            let passphrase =
                passphrase.ok_or_else(|| asked.but("an encrypted PKCS#8 key: a passphrase is needed"))?;
            KeyPair::from_pkcs8(&decrypt_pkcs8(&der, passphrase).map_err(|found| asked.but(found))?)
        }
        Kind::Pkcs1 => KeyPair::from_der(&der),
        Kind::LegacyEncrypted => {
            return Err(asked.but(
                "a key in OpenSSL's old encryption (`Proc-Type: 4,ENCRYPTED`), which hashes the passphrase only once; \
                 convert it: `openssl pkcs8 -topk8 -in old.pem -out new.pem`",
            ));
        }
        other => return Err(asked.but(other.describe())),
    };
    pair.map_err(|e| e.to_string())
        .and_then(PrivateKey::new)
        .map_err(|e| asked.but(format!("`{label}` that is not an RSA key of 2048 to 8192 bits ({e})")))
}

fn decrypt_pkcs8(der: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let key = EncryptedPrivateKeyInfo::from_der(der)
        .map_err(|_| "`ENCRYPTED PRIVATE KEY` that is cut or damaged")?;
    let wrong = "an encrypted PKCS#8 key that the passphrase does not fit, or a damaged one";
    let plain = pbe::decrypt(&key.encryption_algorithm, key.encrypted_data.as_bytes(), passphrase).map_err(
        |refused| match refused {
            Refused::Passphrase => wrong,
            Refused::Scheme => {
                "an encrypted PKCS#8 key with an encryption that is not supported (PBES2 with AES is); \
                 convert it: `openssl pkcs8 -in old.pem -topk8 -v2 aes-256-cbc -out new.pem`"
            }
        },
    )?;
    // The padding of a wrong passphrase comes out right by chance once in 256 times; a whole key does not.
    match rsa::pkcs8::PrivateKeyInfoRef::from_der(&plain) {
        Ok(_) => Ok(plain),
        Err(_) => Err(wrong),
    }
}

/// Loads the public key, or the certificate's, that `text` is, or names.
pub(crate) fn public_key(name: &str, text: &str) -> Result<LoadedPublicKey, KeyError> {
    let asked = Asked { name, expected: PUBLIC };
    let wanted = |kind| matches!(kind, Kind::Spki | Kind::Pkcs1Public | Kind::Certificate);
    let found = forms::read(text, wanted).map_err(|e| asked.but(e))?;
    public_key_of(asked, &found)
}

/// Loads the certificate that `text` is, or names; its serial is always there.
pub(crate) fn certificate(name: &str, text: &str) -> Result<LoadedPublicKey, KeyError> {
    let asked = Asked { name, expected: CERTIFICATE };
    let found = forms::read(text, |kind| kind == Kind::Certificate).map_err(|e| asked.but(e))?;
    match found.kind {
        Kind::Certificate => public_key_of(asked, &found),
        other => Err(asked.but(other.describe())),
    }
}

/// The DER of a certificate with a key of any kind: a root certificate, say.
pub(crate) fn any_certificate(name: &str, text: &str) -> Result<Vec<u8>, KeyError> {
    let asked = Asked { name, expected: CERTIFICATE };
    let found = forms::read(text, |kind| kind == Kind::Certificate).map_err(|e| asked.but(e))?;
    match found.kind {
        Kind::Certificate => Ok(found.der.to_vec()),
        other => Err(asked.but(other.describe())),
    }
}

fn public_key_of(asked: Asked<'_>, found: &Found) -> Result<LoadedPublicKey, KeyError> {
    let Found { kind, label, der } = found;
    let broken = |e: String| asked.but(format!("`{label}` that does not parse as an RSA key ({e})"));
    let (key, certificate) = match kind {
        Kind::Spki => {
            let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(|e| broken(e.to_string()))?;
            (rsa_key(spki).map_err(broken)?, None)
        }
        Kind::Pkcs1Public => (rsa::PublicKey::from_pkcs1_der(der).map_err(|e| broken(e.to_string()))?, None),
        Kind::Certificate => {
            let certificate = x509_cert::Certificate::from_der(der).map_err(|e| broken(e.to_string()))?;
            let certificate = certificate.tbs_certificate();
            let key = rsa_key(certificate.subject_public_key_info().owned_to_ref()).map_err(broken)?;
            let validity = certificate.validity();
            let [not_before, not_after] =
                [validity.not_before, validity.not_after].map(|time| time.to_unix_duration().as_secs());
            let serial = serial_hex(certificate.serial_number().as_bytes());
            (key, Some(Certified { serial, validity: Validity { not_before, not_after } }))
        }
        other => return Err(asked.but(other.describe())),
    };
    let bits = key.n().bit_width();
    // The platform's have 2048 bits.
    if !(2048..=4096).contains(&bits) {
        return Err(broken(format!("its modulus has {bits} bits, and 2048 to 4096 are taken")));
    }
    let der = key.to_pkcs1_der().map_err(|e| broken(e.to_string()))?;
    let key = PublicKey::from_pkcs1_der(der.as_bytes()).map_err(|e| broken(e.to_string()))?;
    Ok(LoadedPublicKey { key, certificate })
}

/// An RSA key. One that is for RSASSA-PSS only has another algorithm, and is refused.
fn rsa_key(spki: SubjectPublicKeyInfoRef<'_>) -> Result<rsa::PublicKey, String> {
    spki.algorithm.assert_algorithm_oid(rsa::pkcs1::ALGORITHM_OID).map_err(|e| e.to_string())?;
    rsa::PublicKey::try_from(spki).map_err(|e| e.to_string())
}

/// What a PKCS#12 file holds: the merchant's key, and the serial of its certificate if that is in the file too.
pub(crate) struct LoadedP12 {
    pub(crate) key: PrivateKey,
    pub(crate) certificate_serial: Option<String>,
}

/// Opens the PKCS#12 file at `path` (a plain path or `file://…`).
pub(crate) fn p12(name: &str, path: &str, passphrase: &str) -> Result<LoadedP12, KeyError> {
    let asked = Asked { name, expected: P12 };
    // A key's text given by mistake must not come back in "the file `…` cannot be read".
    if path.contains("-----BEGIN") || path.contains(['\n', '\r', '\0']) || path.len() > 1024 {
        return Err(asked.but("a text that is no path (a PEM's place is `privateKey`)"));
    }
    if path.starts_with("private.") && path.contains("://") {
        return Err(asked.but("a private key's text (its place is `privateKey`)"));
    }
    let path = path.strip_prefix("file://").unwrap_or(path);
    let file = forms::read_file(path).map_err(|e| asked.but(e))?;
    if !forms::is_p12(&file) {
        let pem = file.windows(10).any(|window| window == b"-----BEGIN");
        return Err(asked.but(if pem {
            "a PEM file (its place is `privateKey`)"
        } else {
            "a file of another kind"
        }));
    }
    let contents = p12::open(&file, passphrase).map_err(|closed| asked.but(closed.describe()))?;
    let der = match contents.keys.as_slice() {
        [der] => der,
        [] => return Err(asked.but("a PKCS#12 file without a private key")),
        keys => return Err(asked.but(format!("a PKCS#12 file with {} private keys", keys.len()))),
    };
    let key = KeyPair::from_pkcs8(der).map_err(|e| e.to_string()).and_then(PrivateKey::new).map_err(|e| {
        asked.but(format!("a PKCS#12 file whose key is not an RSA key of 2048 to 8192 bits ({e})"))
    })?;
    // Besides the merchant's own there may be those of the authorities above it.
    let own = contents.certificates.into_iter().find_map(|der| {
        let found = Found { kind: Kind::Certificate, label: "CERTIFICATE", der: Zeroizing::new(der) };
        public_key_of(asked, &found).ok().filter(|certificate| key.matches(&certificate.key))
    });
    Ok(LoadedP12 {
        key,
        certificate_serial: own.and_then(|own| own.certificate).map(|certified| certified.serial),
    })
}

/// DER puts a zero byte before a serial whose first bit is set; the platform's serials do not show it.
fn serial_hex(der: &[u8]) -> String {
    let der = match der {
        [0, rest @ ..] if rest.first().is_some_and(|b| b & 0x80 != 0) => rest,
        all => all,
    };
    der.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests;
