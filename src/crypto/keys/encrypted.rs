//! Keys that a passphrase protects: encrypted PKCS#8, and PKCS#12 files.

use pkcs12::pbe_params::EncryptedPrivateKeyInfo;
use x509_cert::der::Decode as _;
use zeroize::Zeroizing;

use super::{Found, KeySpec, LoadedP12, P12, load_public, load_rsa};
use crate::crypto::forms::{self, Algorithm, EncodedKey, Identity, KeyFormat};
use crate::crypto::p12 as p12_file;
use crate::crypto::pbe::{self, Budget, PbeError};
use crate::error::KeyError;
use crate::files;

/// Decrypts an encrypted PKCS#8 key; the error describes it after "found".
pub(super) fn decrypt_pkcs8(der: &[u8], passphrase: Option<&str>) -> Result<Zeroizing<Vec<u8>>, Found> {
    let passphrase = passphrase.ok_or("an encrypted PKCS#8 key: a passphrase is needed")?;
    let key = EncryptedPrivateKeyInfo::from_der(der)
        .map_err(|e| Found::new("an encrypted PKCS#8 key that is cut or damaged").source(e))?;
    let wrong = "an encrypted PKCS#8 key for which the passphrase is wrong, or a damaged one";
    let convert = "convert it: `openssl pkcs8 -in old.pem -topk8 -v2 aes-256-cbc -out new.pem`";
    let (algorithm, data) = (&key.encryption_algorithm, key.encrypted_data.as_bytes());
    let plain =
        pbe::decrypt(algorithm, data, passphrase, &mut Budget::default()).map_err(|error| match error {
            PbeError::WrongPassphrase => wrong.into(),
            PbeError::Unsupported => Found::new(
                "an encrypted PKCS#8 key with an encryption that is not supported (PBES2 with AES is)",
            )
            .fix(convert),
            PbeError::TooCostly => Found::new(
                "an encrypted PKCS#8 key whose passphrase takes more time or memory to try than is allowed",
            )
            .fix(convert),
        })?;
    // One wrong passphrase in 256 gives valid padding, but not a whole key.
    match forms::identify(&plain).map(|identity| identity.format) {
        Some(KeyFormat::Pkcs8) => Ok(plain),
        _ => Err(wrong.into()),
    }
}

/// Loads the PKCS#12 file at `path` (a plain path or `file://…`).
pub(crate) fn p12(name: &str, path: &str, passphrase: &str) -> Result<LoadedP12, KeyError> {
    let spec = KeySpec { name, expected: P12 };
    // A key given by mistake must not appear in an error about a file.
    if path.contains("-----BEGIN") || path.contains(['\n', '\r', '\0']) || path.len() > 1024 {
        return Err(spec.error("a text that is not a path (pass a PEM text as the private key)"));
    }
    if path.starts_with("private.") && path.contains("://") {
        return Err(spec.error("a private key (pass it as the private key)"));
    }
    let path = files::path_of(path).unwrap_or_else(|| match files::unquoted(path) {
        // A name may begin or end with a blank.
        inner if inner.len() < path.trim().len() => inner,
        _ => path,
    });
    let loaded = forms::read_file(path)
        .map_err(|found| if names_a_p12(passphrase) { swapped() } else { found })
        .and_then(|file| load_p12(&file, passphrase).map_err(|found| found.in_file(path)));
    loaded.map_err(|found| spec.error(found))
}

/// Whether this is the path, given as the passphrase. The other text may be the passphrase: it is not shown.
fn names_a_p12(passphrase: &str) -> bool {
    let text = files::unquoted(passphrase).to_ascii_lowercase();
    files::path_of(passphrase).is_some() || text.ends_with(".p12") || text.ends_with(".pfx")
}

fn swapped() -> Found {
    Found::new("a text that is not a path").fix("the path comes first, the passphrase after it")
}

fn load_p12(file: &[u8], passphrase: &str) -> Result<LoadedP12, Found> {
    if !forms::is_p12(file) {
        return Err(not_a_p12(file));
    }
    let contents = p12_file::read(file, passphrase).map_err(|error| match error {
        p12_file::P12Error::Damaged => forms::damage(file).unwrap_or_else(|| error.found()),
        error => error.found(),
    })?;
    let key = match contents.keys.as_slice() {
        [der] => load_rsa(&EncodedKey {
            // AWS-LC parses the whole; attributes that other readers refuse are allowed.
            identity: forms::identify(der)
                .unwrap_or(Identity { format: KeyFormat::Pkcs8, algorithm: Some(Algorithm::Rsa) }),
            der: der.clone(),
        })
        .map_err(|found| found.inside("a PKCS#12 file with"))?,
        [] => return Err("a PKCS#12 file without a private key".into()),
        keys => return Err(format!("a PKCS#12 file with {} private keys", keys.len()).into()),
    };
    // The file may also hold the certificates of the authorities.
    let own = contents.certificates.into_iter().find_map(|der| {
        let identity = Identity { format: KeyFormat::Certificate, algorithm: None };
        let found = load_public(&EncodedKey { identity, der: Zeroizing::new(der) });
        found.ok().filter(|certificate| key.matches(&certificate.key))
    });
    Ok(LoadedP12 { key, certificate: own.and_then(|own| own.certificate) })
}

/// What a file is that does not begin like PKCS#12.
fn not_a_p12(file: &[u8]) -> Found {
    if file.windows(10).any(|window| window == b"-----BEGIN") {
        return forms::first_block(file).map_or_else(|found| found, in_pem);
    }
    match forms::identify(file) {
        Some(identity) => Found::structure(identity),
        None => forms::describe(file).unwrap_or_else(|| "a file in another format".into()),
    }
}

/// A PEM file, by the first of its blocks.
fn in_pem(identity: Identity) -> Found {
    let found = Found::new(format!("a PEM file with {}", identity.describe()));
    match identity.format {
        KeyFormat::Pkcs8 | KeyFormat::Pkcs1 | KeyFormat::EncryptedPkcs8 | KeyFormat::LegacyEncrypted => {
            found.fix("pass it as the private key")
        }
        KeyFormat::Certificate => found.fix("pass it as `merchant_certificate`, and the private key with it"),
        KeyFormat::P12 => Found::new("a PKCS#12 file in PEM").fix("decode the base64 between the two lines"),
        _ => found,
    }
}

#[cfg(test)]
mod tests;
