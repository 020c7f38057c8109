//! The forms a key can be written in: PEM text or a `file://` path; PKCS#1, PKCS#8, SPKI, X.509.

use aws_lc_rs::rsa::KeyPair;
use rsa::RsaPublicKey;
use rsa::pkcs1::{DecodeRsaPublicKey as _, EncodeRsaPublicKey as _};
use rsa::pkcs8::DecodePublicKey as _;
use rsa::traits::PublicKeyParts as _;
use x509_cert::der::{Decode as _, Encode as _};
use zeroize::Zeroizing;

use super::rsa::{PrivateKey, PublicKey};
use crate::error::KeyError;

const PRIVATE: &str =
    "an RSA private key in PEM (PKCS#8 `PRIVATE KEY` or PKCS#1 `RSA PRIVATE KEY`) or its `file://` path";
const PUBLIC: &str = "an RSA public key or certificate in PEM (`PUBLIC KEY`, `RSA PUBLIC KEY` or `CERTIFICATE`) or its `file://` path";

/// A public key with the serial of the certificate that it came in, if it came in one.
pub(crate) struct LoadedPublicKey {
    pub(crate) key: PublicKey,
    /// Upper-case hex, leading zeros kept.
    pub(crate) certificate_serial: Option<String>,
}

/// Loads the private key that `text` is, or whose `file://` path it is. `name` names it in errors.
pub(crate) fn private_key(name: &str, text: &str) -> Result<PrivateKey, KeyError> {
    let fail = |found: String| KeyError { name: name.to_owned(), expected: PRIVATE, found, source: None };
    let text = read(name, PRIVATE, text)?;
    let pem = parse_pem(&text).map_err(fail)?;
    let (tag, encrypted) = (pem.tag().to_owned(), pem.headers().get("Proc-Type").is_some());
    let der = Zeroizing::new(pem.into_contents());
    let pair = match tag.as_str() {
        "PRIVATE KEY" => KeyPair::from_pkcs8(&der),
        "RSA PRIVATE KEY" if encrypted => {
            return Err(fail(
                "an encrypted PKCS#1 key; decrypt it first (`openssl rsa -in … -out …`)".to_owned(),
            ));
        }
        "RSA PRIVATE KEY" => KeyPair::from_der(&der),
        "ENCRYPTED PRIVATE KEY" => {
            return Err(fail(
                "an encrypted PKCS#8 key; decrypt it first (`openssl pkcs8 -in … -out …`)".to_owned(),
            ));
        }
        tag => return Err(fail(describe(tag))),
    };
    pair.map_err(|e| e.to_string())
        .and_then(PrivateKey::new)
        .map_err(|e| fail(format!("`{tag}` that is not an RSA key of 2048 to 8192 bits ({e})")))
}

/// Loads the public key, or the certificate's, that `text` is, or whose `file://` path it is.
pub(crate) fn public_key(name: &str, text: &str) -> Result<LoadedPublicKey, KeyError> {
    let fail = |found: String| KeyError { name: name.to_owned(), expected: PUBLIC, found, source: None };
    let text = read(name, PUBLIC, text)?;
    let pem = parse_pem(&text).map_err(fail)?;
    let broken = |e: String| fail(format!("`{}` that does not parse as an RSA key ({e})", pem.tag()));
    let (key, certificate_serial) = match pem.tag() {
        "PUBLIC KEY" => {
            (RsaPublicKey::from_public_key_der(pem.contents()).map_err(|e| broken(e.to_string()))?, None)
        }
        "RSA PUBLIC KEY" => {
            (RsaPublicKey::from_pkcs1_der(pem.contents()).map_err(|e| broken(e.to_string()))?, None)
        }
        "CERTIFICATE" => {
            let certificate = x509_cert::Certificate::from_der(pem.contents())
                .map_err(|e| broken(e.to_string()))?
                .tbs_certificate;
            let spki = certificate.subject_public_key_info.to_der().map_err(|e| broken(e.to_string()))?;
            let key = RsaPublicKey::from_public_key_der(&spki).map_err(|e| broken(e.to_string()))?;
            (key, Some(serial_hex(certificate.serial_number.as_bytes())))
        }
        tag => return Err(fail(describe(tag))),
    };
    let bits = key.n().bits();
    if !(2048..=8192).contains(&bits) {
        return Err(broken(format!("its modulus has {bits} bits, and 2048 to 8192 are taken")));
    }
    let der = key.to_pkcs1_der().map_err(|e| broken(e.to_string()))?;
    let key = PublicKey::from_pkcs1_der(der.as_bytes()).map_err(|e| broken(e.to_string()))?;
    Ok(LoadedPublicKey { key, certificate_serial })
}

/// DER puts a zero byte before a serial whose first bit is set; the platform's serials do not show it.
fn serial_hex(der: &[u8]) -> String {
    let der = match der {
        [0, rest @ ..] if rest.first().is_some_and(|b| b & 0x80 != 0) => rest,
        all => all,
    };
    der.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn read(name: &str, expected: &'static str, text: &str) -> Result<Zeroizing<String>, KeyError> {
    if let Some(path) = text.strip_prefix("file://") {
        return std::fs::read_to_string(path).map(Zeroizing::new).map_err(|e| KeyError {
            name: name.to_owned(),
            expected,
            found: format!("the file `{path}`, which cannot be read: {e}"),
            source: Some(Box::new(e)),
        });
    }
    // `.env` files and container settings often carry a PEM on one line, with `\n` written out.
    if text.contains("-----BEGIN") && text.contains("\\n") && !text.trim().contains('\n') {
        return Ok(Zeroizing::new(text.replace("\\n", "\n")));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

fn parse_pem(text: &str) -> Result<pem::Pem, String> {
    if text.trim().is_empty() {
        return Err("an empty text".to_owned());
    }
    if !text.contains("-----BEGIN") {
        return Err(format!(
            "{} characters without a PEM header (a path is written `file://…`)",
            text.chars().count()
        ));
    }
    // The parser's message may repeat a part of the text, so only its kind goes on.
    pem::parse(text).map_err(|_| "a PEM text that is cut or damaged".to_owned())
}

fn describe(tag: &str) -> String {
    match tag {
        "CERTIFICATE" => "an X.509 certificate".to_owned(),
        "PUBLIC KEY" | "RSA PUBLIC KEY" => "a public key".to_owned(),
        "PRIVATE KEY" | "RSA PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" => "a private key".to_owned(),
        "EC PRIVATE KEY" => "an elliptic-curve key".to_owned(),
        _ => "a PEM text of another kind".to_owned(),
    }
}

#[cfg(test)]
mod tests;
