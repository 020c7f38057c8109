//! The forms a key can be written in: PEM text, a `file://` path to PEM or DER, `private.pkcs8://BASE64` and its
//! sisters. Here a text becomes DER and a kind; what to do with it is `keys.rs`'.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::{pkcs1, pkcs8};
use x509_cert::der::asn1::{AnyRef, OctetStringRef, UintRef};
use x509_cert::der::{Decode as _, Reader as _, SliceReader};
use x509_cert::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use zeroize::Zeroizing;

/// Larger than any key, certificate or chain of them; a path to something else is not read into memory whole.
const MAX_FILE: u64 = 1 << 20;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// What a key's text turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Pkcs8,
    EncryptedPkcs8,
    Pkcs1,
    /// OpenSSL's own encryption of PEM (`Proc-Type: 4,ENCRYPTED`).
    LegacyEncrypted,
    Spki,
    Pkcs1Public,
    Certificate,
    EllipticCurve,
    P12,
    Unknown,
}

impl Kind {
    /// How it reads behind "found": an article and a name.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Kind::Pkcs8 | Kind::EncryptedPkcs8 | Kind::Pkcs1 | Kind::LegacyEncrypted => "a private key",
            Kind::Spki | Kind::Pkcs1Public => "a public key",
            Kind::Certificate => "an X.509 certificate",
            Kind::EllipticCurve => "an elliptic-curve key",
            Kind::P12 => "a PKCS#12 file (its place is `p12`)",
            Kind::Unknown => "a PEM text of another kind",
        }
    }

    fn of_tag(tag: &[u8]) -> Kind {
        match tag {
            b"PRIVATE KEY" => Kind::Pkcs8,
            b"ENCRYPTED PRIVATE KEY" => Kind::EncryptedPkcs8,
            b"RSA PRIVATE KEY" => Kind::Pkcs1,
            b"PUBLIC KEY" => Kind::Spki,
            b"RSA PUBLIC KEY" => Kind::Pkcs1Public,
            b"CERTIFICATE" | b"X509 CERTIFICATE" | b"TRUSTED CERTIFICATE" => Kind::Certificate,
            b"EC PRIVATE KEY" | b"EC PARAMETERS" => Kind::EllipticCurve,
            b"PKCS12" => Kind::P12,
            _ => Kind::Unknown,
        }
    }

    /// DER has no header that names it, so each kind is tried.
    fn of_der(der: &[u8]) -> Option<Kind> {
        // PFX and the elliptic-curve key begin with a version that no RSA form has.
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
            Some(Kind::Pkcs8)
        } else if pkcs1::RsaPrivateKeyRef::from_der(der).is_ok() {
            Some(Kind::Pkcs1)
        } else if x509_cert::Certificate::from_der(der).is_ok() {
            Some(Kind::Certificate)
        } else if SubjectPublicKeyInfoRef::from_der(der).is_ok() {
            Some(Kind::Spki)
        } else if pkcs1::RsaPublicKeyRef::from_der(der).is_ok() {
            Some(Kind::Pkcs1Public)
        } else if is_encrypted_pkcs8(der) {
            Some(Kind::EncryptedPkcs8)
        } else if is_p12(der) {
            Some(Kind::P12)
        } else if version().is_some_and(|v| v == [1]) {
            Some(Kind::EllipticCurve)
        } else {
            None
        }
    }
}

/// `EncryptedPrivateKeyInfo` (RFC 5958 section 3): an algorithm and the ciphertext.
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

/// Whether this begins as PKCS#12 does, in DER or BER: a sequence whose first element is the version 3.
pub(super) fn is_p12(bytes: &[u8]) -> bool {
    let body = match bytes {
        [0x30, 0x80, rest @ ..] | [0x30, 0x81, _, rest @ ..] | [0x30, 0x82, _, _, rest @ ..] => rest,
        [0x30, short, rest @ ..] if *short < 0x80 => rest,
        _ => return false,
    };
    body.starts_with(&[2, 1, 3, 0x30])
}

/// A key's DER with what it is.
pub(super) struct Found {
    pub(super) kind: Kind,
    /// How an error names it: its PEM header, or "DER".
    pub(super) label: &'static str,
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// Why there is no key in a text: what was found instead, and the error underneath.
pub(super) struct Unreadable {
    pub(super) found: String,
    pub(super) source: Option<std::io::Error>,
}

impl From<&str> for Unreadable {
    fn from(found: &str) -> Self {
        Unreadable { found: found.to_owned(), source: None }
    }
}

/// Reads `text`: PEM, a `file://` path, or one of PHP's schemes. Of several PEM blocks the first that `wanted` takes
/// counts, so that a file with a key and its certificate serves for both.
pub(super) fn read(text: &str, wanted: fn(Kind) -> bool) -> Result<Found, Unreadable> {
    if let Some(path) = text.strip_prefix("file://") {
        let bytes = read_file(path)?;
        if find(&bytes, BEGIN).is_none() && bytes.first() == Some(&0x30) {
            let kind =
                Kind::of_der(&bytes).ok_or("a DER file that is no key and no certificate, or a cut one")?;
            return Ok(Found { kind, label: "DER", der: bytes });
        }
        return pem(&bytes, wanted);
    }
    for (scheme, kind, label) in [
        ("private.pkcs8://", Kind::Pkcs8, "private.pkcs8"),
        ("private.pkcs1://", Kind::Pkcs1, "private.pkcs1"),
        ("public.spki://", Kind::Spki, "public.spki"),
        ("public.pkcs1://", Kind::Pkcs1Public, "public.pkcs1"),
    ] {
        if let Some(base64) = text.trim_start().strip_prefix(scheme) {
            let der = decode(base64.as_bytes()).ok_or_else(|| Unreadable {
                found: format!("`{scheme}` without valid base64 behind it"),
                source: None,
            })?;
            return Ok(Found { kind, label, der });
        }
    }
    pem(text.as_bytes(), wanted)
}

/// Reads a file whole.
pub(super) fn read_file(path: &str) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
    let fail = |e: std::io::Error| Unreadable {
        found: format!("the file `{path}`, which cannot be read: {e}"),
        source: Some(e),
    };
    // A first look, so that the buffer has its size at once: one that grows leaves copies behind that nobody wipes.
    let size = std::fs::metadata(path).map_err(fail)?.len();
    if size > MAX_FILE {
        return Err(Unreadable {
            found: format!("the file `{path}`, which is too large for a key"),
            source: None,
        });
    }
    std::fs::read(path).map(Zeroizing::new).map_err(fail)
}

fn pem(text: &[u8], wanted: fn(Kind) -> bool) -> Result<Found, Unreadable> {
    if text.trim_ascii().is_empty() {
        return Err("an empty text".into());
    }
    if find(text, BEGIN).is_none() {
        return Err(Unreadable { found: without_header(text), source: None });
    }
    let mut first = None;
    let mut rest = text;
    while let Some((found, behind)) = block(rest) {
        if wanted(found.kind) {
            return Ok(found);
        }
        first.get_or_insert(found);
        rest = behind;
    }
    first.ok_or_else(|| "a PEM text that is cut or damaged".into())
}

/// The next PEM block and what stands behind it. Not a PEM library's: theirs leave the decoded lines in memory that
/// nobody wipes, and private keys pass through here.
fn block(text: &[u8]) -> Option<(Found, &[u8])> {
    let text = behind(text, BEGIN)?;
    let tag = text.get(..find(text, DASHES)?)?;
    let text = behind(text, DASHES)?;
    let body = text.get(..find(text, END)?)?;
    let rest = behind(text, END)?;
    if !rest.starts_with(tag) || !rest.get(tag.len()..)?.starts_with(DASHES) {
        return None;
    }
    let kind = Kind::of_tag(tag);
    if find(body, b"Proc-Type:").is_some() {
        return Some((
            Found { kind: Kind::LegacyEncrypted, label: label(kind), der: Zeroizing::default() },
            rest,
        ));
    }
    Some((Found { kind, label: label(kind), der: decode(body)? }, rest))
}

fn label(kind: Kind) -> &'static str {
    match kind {
        Kind::Pkcs8 => "PRIVATE KEY",
        Kind::EncryptedPkcs8 => "ENCRYPTED PRIVATE KEY",
        Kind::Pkcs1 => "RSA PRIVATE KEY",
        Kind::Spki => "PUBLIC KEY",
        Kind::Pkcs1Public => "RSA PUBLIC KEY",
        Kind::Certificate => "CERTIFICATE",
        _ => "PEM",
    }
}

/// Base64 with line breaks of any kind in it, also `\n` written out, as `.env` files and container settings have it.
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

/// A text without a PEM header: its length only, for it may be a key.
fn without_header(text: &[u8]) -> String {
    let known = |scheme: &&&str| find(text, scheme.as_bytes()).is_some() && find(text, b"://").is_some();
    if let Some(scheme) = ["private.", "public."].iter().find(known) {
        return format!("a `{scheme}…://` text of another form");
    }
    if is_p12(text) {
        return Kind::P12.describe().to_owned();
    }
    let count = String::from_utf8_lossy(text).chars().count();
    format!("{count} characters without a PEM header (a path is written `file://…`)")
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn behind<'t>(text: &'t [u8], what: &[u8]) -> Option<&'t [u8]> {
    text.get(find(text, what)? + what.len()..)
}
