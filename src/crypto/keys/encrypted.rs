//! Keys that a passphrase protects: encrypted PKCS#8, and PKCS#12 files.

use aws_lc_rs::rsa::KeyPair;
use pkcs12::pbe_params::EncryptedPrivateKeyInfo;
use x509_cert::der::Decode as _;
use zeroize::Zeroizing;

use super::{KeySpec, LoadedP12, P12, PrivateKey, public_key_of};
use crate::crypto::forms::{self, EncodedKey, KeyFormat};
use crate::crypto::p12 as p12_file;
use crate::crypto::pbe::{self, PbeError};
use crate::error::KeyError;

/// Decrypts an encrypted PKCS#8 key; the error describes it after "found".
pub(super) fn decrypt_pkcs8(
    der: &[u8],
    passphrase: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let passphrase = passphrase.ok_or("an encrypted PKCS#8 key: a passphrase is needed")?;
    let key = EncryptedPrivateKeyInfo::from_der(der)
        .map_err(|_| "`ENCRYPTED PRIVATE KEY` that is cut or damaged")?;
    let wrong = "an encrypted PKCS#8 key for which the passphrase is wrong, or a damaged one";
    let plain = pbe::decrypt(&key.encryption_algorithm, key.encrypted_data.as_bytes(), passphrase).map_err(
        |error| match error {
            PbeError::WrongPassphrase => wrong,
            PbeError::Unsupported => {
                "an encrypted PKCS#8 key with an encryption that is not supported (PBES2 with AES is); \
                 convert it: `openssl pkcs8 -in old.pem -topk8 -v2 aes-256-cbc -out new.pem`"
            }
        },
    )?;
    // One wrong passphrase in 256 gives valid padding, but not a whole key.
    match rsa::pkcs8::PrivateKeyInfoRef::from_der(&plain) {
        Ok(_) => Ok(plain),
        Err(_) => Err(wrong),
    }
}

/// Loads the PKCS#12 file at `path` (a plain path or `file://…`).
pub(crate) fn p12(name: &str, path: &str, passphrase: &str) -> Result<LoadedP12, KeyError> {
    let spec = KeySpec { name, expected: P12 };
    // A key given by mistake must not appear in "the file `…`, which cannot be read".
    if path.contains("-----BEGIN") || path.contains(['\n', '\r', '\0']) || path.len() > 1024 {
        return Err(spec.error("a text that is not a path (pass a PEM text as the private key)"));
    }
    if path.starts_with("private.") && path.contains("://") {
        return Err(spec.error("a private key (pass it as the private key)"));
    }
    let path = path.strip_prefix("file://").unwrap_or(path);
    let file = forms::read_file(path).map_err(|e| spec.error(e))?;
    if !forms::is_p12(&file) {
        let pem = file.windows(10).any(|window| window == b"-----BEGIN");
        return Err(spec.error(if pem {
            "a PEM file (pass it as the private key)"
        } else {
            "a file in another format"
        }));
    }
    let contents = p12_file::read(&file, passphrase).map_err(|e| spec.error(e.describe()))?;
    let der = match contents.keys.as_slice() {
        [der] => der,
        [] => return Err(spec.error("a PKCS#12 file without a private key")),
        keys => return Err(spec.error(format!("a PKCS#12 file with {} private keys", keys.len()))),
    };
    let key = KeyPair::from_pkcs8(der).map_err(|e| e.to_string()).and_then(PrivateKey::new).map_err(|e| {
        spec.error(format!("a PKCS#12 file whose key is not an RSA key of 2048 to 8192 bits ({e})"))
    })?;
    // The file may also hold the certificates of the authorities.
    let own = contents.certificates.into_iter().find_map(|der| {
        let found =
            EncodedKey { format: KeyFormat::Certificate, label: "CERTIFICATE", der: Zeroizing::new(der) };
        public_key_of(spec, &found).ok().filter(|certificate| key.matches(&certificate.key))
    });
    Ok(LoadedP12 {
        key,
        certificate_serial: own.and_then(|own| own.certificate).map(|certified| certified.serial),
    })
}

#[cfg(test)]
mod tests;
