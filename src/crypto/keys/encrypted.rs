//! Keys that a passphrase protects: encrypted PKCS#8, and PKCS#12 files.

use aws_lc_rs::rsa::KeyPair;
use pkcs12::pbe_params::EncryptedPrivateKeyInfo;
use x509_cert::der::Decode as _;
use zeroize::Zeroizing;

use super::{Asked, LoadedP12, P12, PrivateKey, public_key_of};
use crate::crypto::forms::{self, Found, Kind};
use crate::crypto::p12 as file;
use crate::crypto::pbe::{self, Refused};
use crate::error::KeyError;

/// The PKCS#8 key in `der`.
pub(super) fn decrypt_pkcs8(
    der: &[u8],
    passphrase: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let passphrase = passphrase.ok_or("an encrypted PKCS#8 key: a passphrase is needed")?;
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
    let contents = file::open(&file, passphrase).map_err(|closed| asked.but(closed.describe()))?;
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

#[cfg(test)]
mod tests;
