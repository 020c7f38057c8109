//! The forms of a key: PEM text, a `file://` path to PEM or DER, `private.pkcs8://BASE64` and the related schemes.
//! This module turns the text into DER and its format; `keys.rs` parses the DER.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::{pkcs1, pkcs8};
use x509_cert::der::asn1::{AnyRef, OctetStringRef, UintRef};
use x509_cert::der::{Decode as _, Reader as _, SliceReader};
use x509_cert::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use zeroize::Zeroizing;

use crate::error::{Excerpt, io_reason};

/// Larger than any key or certificate chain, so that a wrong path does not fill the memory.
const MAX_FILE: u64 = 1 << 20;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// The format of a key's DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyFormat {
    Pkcs8,
    EncryptedPkcs8,
    Pkcs1,
    /// OpenSSL's legacy PEM encryption (`Proc-Type: 4,ENCRYPTED`).
    LegacyEncrypted,
    Spki,
    Pkcs1Public,
    Certificate,
    EllipticCurve,
    P12,
    Unknown,
}

impl KeyFormat {
    /// For an error text, after "found".
    pub(super) fn describe(self) -> &'static str {
        match self {
            KeyFormat::Pkcs8 | KeyFormat::EncryptedPkcs8 | KeyFormat::Pkcs1 | KeyFormat::LegacyEncrypted => {
                "a private key"
            }
            KeyFormat::Spki | KeyFormat::Pkcs1Public => "a public key",
            KeyFormat::Certificate => "an X.509 certificate",
            KeyFormat::EllipticCurve => "an elliptic-curve key",
            KeyFormat::P12 => "a PKCS#12 file (pass it as `p12`)",
            KeyFormat::Unknown => "a PEM text with another label",
        }
    }

    fn label(self) -> &'static str {
        match self {
            KeyFormat::Pkcs8 => "PRIVATE KEY",
            KeyFormat::EncryptedPkcs8 => "ENCRYPTED PRIVATE KEY",
            KeyFormat::Pkcs1 => "RSA PRIVATE KEY",
            KeyFormat::Spki => "PUBLIC KEY",
            KeyFormat::Pkcs1Public => "RSA PUBLIC KEY",
            KeyFormat::Certificate => "CERTIFICATE",
            _ => "PEM",
        }
    }

    fn of_label(label: &[u8]) -> KeyFormat {
        match label {
            b"PRIVATE KEY" => KeyFormat::Pkcs8,
            b"ENCRYPTED PRIVATE KEY" => KeyFormat::EncryptedPkcs8,
            b"RSA PRIVATE KEY" => KeyFormat::Pkcs1,
            b"PUBLIC KEY" => KeyFormat::Spki,
            b"RSA PUBLIC KEY" => KeyFormat::Pkcs1Public,
            b"CERTIFICATE" | b"X509 CERTIFICATE" | b"TRUSTED CERTIFICATE" => KeyFormat::Certificate,
            b"EC PRIVATE KEY" | b"EC PARAMETERS" => KeyFormat::EllipticCurve,
            b"PKCS12" => KeyFormat::P12,
            _ => KeyFormat::Unknown,
        }
    }

    /// DER does not name its format, so each one is tried.
    fn of_der(der: &[u8]) -> Option<KeyFormat> {
        // An elliptic-curve key begins with version 1, which no other format here does.
        let version = || {
            let mut reader = SliceReader::new(der).ok()?;
            let version = reader.sequence(|body| {
                let version = UintRef::decode(body)?.as_bytes().to_vec();
                while !body.is_finished() {
                    AnyRef::decode(body)?;
                }
                Ok::<_, x509_cert::der::Error>(version)
            });
            version.ok()
        };
        if pkcs8::PrivateKeyInfoRef::from_der(der).is_ok() {
            Some(KeyFormat::Pkcs8)
        } else if pkcs1::RsaPrivateKeyRef::from_der(der).is_ok() {
            Some(KeyFormat::Pkcs1)
        } else if x509_cert::Certificate::from_der(der).is_ok() {
            Some(KeyFormat::Certificate)
        } else if SubjectPublicKeyInfoRef::from_der(der).is_ok() {
            Some(KeyFormat::Spki)
        } else if pkcs1::RsaPublicKeyRef::from_der(der).is_ok() {
            Some(KeyFormat::Pkcs1Public)
        } else if is_encrypted_pkcs8(der) {
            Some(KeyFormat::EncryptedPkcs8)
        } else if is_p12(der) {
            Some(KeyFormat::P12)
        } else if version().is_some_and(|v| v == [1]) {
            Some(KeyFormat::EllipticCurve)
        } else {
            None
        }
    }
}

/// Whether this is an `EncryptedPrivateKeyInfo` (RFC 5958 section 3): an algorithm and the ciphertext.
fn is_encrypted_pkcs8(der: &[u8]) -> bool {
    let parts = |reader: &mut SliceReader<'_>| {
        reader.sequence(|body| {
            AlgorithmIdentifierRef::decode(body)?;
            <&OctetStringRef>::decode(body)
        })?;
        Ok::<_, x509_cert::der::Error>(reader.is_finished())
    };
    SliceReader::new(der).is_ok_and(|mut reader| parts(&mut reader) == Ok(true))
}

/// Whether this begins like PKCS#12 in DER or BER: a sequence whose first element is version 3.
pub(super) fn is_p12(bytes: &[u8]) -> bool {
    let body = match bytes {
        [0x30, 0x80, rest @ ..] | [0x30, 0x81, _, rest @ ..] | [0x30, 0x82, _, _, rest @ ..] => rest,
        [0x30, short, rest @ ..] if *short < 0x80 => rest,
        _ => return false,
    };
    body.starts_with(&[2, 1, 3, 0x30])
}

/// A key's DER with its format.
pub(super) struct EncodedKey {
    pub(super) format: KeyFormat,
    /// Its name in errors: the PEM label, the scheme, or "DER".
    pub(super) label: &'static str,
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// Why a text holds no readable key: what was found instead, and the underlying error.
pub(super) struct ReadError {
    pub(super) found: String,
    pub(super) source: Option<std::io::Error>,
}

impl From<&str> for ReadError {
    fn from(found: &str) -> Self {
        ReadError { found: found.to_owned(), source: None }
    }
}

/// Reads `text`: PEM, a `file://` path, or one of PHP's schemes. Of several PEM blocks it takes the first whose format
/// is `accepted`, so that one file can hold a key and its certificate.
pub(super) fn read(text: &str, accepted: fn(KeyFormat) -> bool) -> Result<EncodedKey, ReadError> {
    if let Some(path) = text.strip_prefix("file://") {
        let bytes = read_file(path)?;
        if find(&bytes, BEGIN).is_none() && bytes.first() == Some(&0x30) {
            let format = KeyFormat::of_der(&bytes)
                .ok_or("a DER file that is neither a key nor a certificate, or is cut")?;
            return Ok(EncodedKey { format, label: "DER", der: bytes });
        }
        return pem(&bytes, accepted);
    }
    for (scheme, format, label) in [
        ("private.pkcs8://", KeyFormat::Pkcs8, "private.pkcs8"),
        ("private.pkcs1://", KeyFormat::Pkcs1, "private.pkcs1"),
        ("public.spki://", KeyFormat::Spki, "public.spki"),
        ("public.pkcs1://", KeyFormat::Pkcs1Public, "public.pkcs1"),
    ] {
        if let Some(base64) = text.trim_start().strip_prefix(scheme) {
            let der = decode(base64.as_bytes()).ok_or_else(|| ReadError {
                found: format!("`{scheme}` without valid base64 after it"),
                source: None,
            })?;
            return Ok(EncodedKey { format, label, der });
        }
    }
    pem(text.as_bytes(), accepted)
}

/// Reads a whole file.
pub(super) fn read_file(path: &str) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    let fail = |e: std::io::Error| ReadError {
        found: format!("the file {}, which cannot be read: {}", Excerpt(path), io_reason(&e)),
        source: Some(e),
    };
    // `fs::read` allocates the whole size at once: a buffer that grows leaves copies that are not wiped.
    let size = std::fs::metadata(path).map_err(fail)?.len();
    if size > MAX_FILE {
        return Err(ReadError {
            found: format!("the file {}, which is too large for a key (limit 1 MiB)", Excerpt(path)),
            source: None,
        });
    }
    std::fs::read(path).map(Zeroizing::new).map_err(fail)
}

fn pem(text: &[u8], accepted: fn(KeyFormat) -> bool) -> Result<EncodedKey, ReadError> {
    if text.trim_ascii().is_empty() {
        return Err("an empty text".into());
    }
    if find(text, BEGIN).is_none() {
        return Err(ReadError { found: describe_without_header(text), source: None });
    }
    let mut first = None;
    let mut rest = text;
    while let Some((key, following)) = next_block(rest) {
        if accepted(key.format) {
            return Ok(key);
        }
        first.get_or_insert(key);
        rest = following;
    }
    first.ok_or_else(|| "a PEM text that is cut or damaged".into())
}

/// The next PEM block, and the text after it. PEM libraries leave decoded lines of private keys in memory that is not
/// wiped, so none is used.
fn next_block(text: &[u8]) -> Option<(EncodedKey, &[u8])> {
    let text = after(text, BEGIN)?;
    let label = text.get(..find(text, DASHES)?)?;
    let text = after(text, DASHES)?;
    let body = text.get(..find(text, END)?)?;
    let rest = after(text, END)?;
    if !rest.starts_with(label) || !rest.get(label.len()..)?.starts_with(DASHES) {
        return None;
    }
    let format = KeyFormat::of_label(label);
    let label = format.label();
    let legacy = find(body, b"Proc-Type:").is_some();
    let key = match legacy {
        true => EncodedKey { format: KeyFormat::LegacyEncrypted, label, der: Zeroizing::default() },
        false => EncodedKey { format, label, der: decode(body)? },
    };
    Some((key, rest))
}

/// Base64 with line breaks of any kind, also `\n` written out as in `.env` files and container settings.
fn decode(base64: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut compact = Zeroizing::new(Vec::with_capacity(base64.len()));
    let mut bytes = base64.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next().filter(|b| matches!(b, b'n' | b'r'))?;
            }
            byte if byte.is_ascii_whitespace() => {}
            byte => compact.push(byte),
        }
    }
    let mut der = Zeroizing::new(vec![0; compact.len() / 4 * 3 + 3]);
    let length = STANDARD.decode_slice(compact.as_slice(), &mut der).ok()?;
    der.truncate(length);
    (length > 0).then_some(der)
}

/// Describes a text without a PEM header. Only its length is shown, since it may be a key.
fn describe_without_header(text: &[u8]) -> String {
    let known = |scheme: &&&str| find(text, scheme.as_bytes()).is_some() && find(text, b"://").is_some();
    if let Some(scheme) = ["private.", "public."].iter().find(known) {
        return format!("a `{scheme}…://` text with an unknown scheme");
    }
    if is_p12(text) {
        return KeyFormat::P12.describe().to_owned();
    }
    let count = String::from_utf8_lossy(text).chars().count();
    format!("{count} characters without a PEM header (write a path as `file://…`)")
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn after<'t>(text: &'t [u8], part: &[u8]) -> Option<&'t [u8]> {
    text.get(find(text, part)? + part.len()..)
}
