//! The forms of a key: PEM text, a `file://` path to PEM or DER, `private.pkcs8://BASE64` and the related schemes.
//! This module turns the text into DER and says what it is; `keys.rs` loads it.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::error::Excerpt;
use crate::files::{self, Unreadable};

mod der;
mod foreign;

pub(super) use der::{Algorithm, Identity, KeyFormat, identify, is_p12};
#[cfg(feature = "p12")]
pub(super) use foreign::{damage, describe};

/// Larger than any key or certificate chain, so that a wrong path does not fill the memory.
const MAX_FILE: u64 = 1 << 20;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// A key's DER, and what it is.
pub(super) struct EncodedKey {
    pub(super) identity: Identity,
    pub(super) der: Zeroizing<Vec<u8>>,
}

impl EncodedKey {
    pub(super) fn format(&self) -> KeyFormat {
        self.identity.format
    }

    /// A key of another algorithm is not what is looked for, if there is another block.
    pub(super) fn is_rsa(&self) -> bool {
        matches!(self.identity.algorithm, None | Some(Algorithm::Rsa))
    }

    pub(super) fn has_many_primes(&self) -> bool {
        der::has_many_primes(self.identity, &self.der)
    }

    /// The bits of an RSA private key's modulus.
    pub(super) fn modulus_bits(&self) -> Option<usize> {
        der::modulus_bits(self.identity, &self.der)
    }
}

/// What was found where a key was expected, and what to do about it. Its text follows "found".
#[derive(Debug)]
pub(super) struct Found {
    what: String,
    fix: Option<String>,
    /// The file that holds it.
    file: Option<String>,
    pub(super) source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Found {
    pub(super) fn new(what: impl Into<String>) -> Found {
        Found { what: what.into(), fix: None, file: None, source: None }
    }

    pub(super) fn fix(self, fix: impl Into<String>) -> Found {
        Found { fix: Some(fix.into()), ..self }
    }

    pub(super) fn source(self, source: impl std::error::Error + Send + Sync + 'static) -> Found {
        Found { source: Some(Box::new(source)), ..self }
    }

    /// What a structure is that was not expected.
    pub(super) fn structure(identity: Identity) -> Found {
        let found = Found::new(identity.describe());
        match identity.format {
            KeyFormat::P12 => found.fix("pass it as `p12`"),
            KeyFormat::Pkcs7 => {
                found.fix("take the certificate from it: `openssl pkcs7 -print_certs -in old.p7b`")
            }
            KeyFormat::CertificateRequest => found.fix("the platform issues the certificate for it"),
            _ => found,
        }
    }

    /// Of a key inside something else: "a PKCS#12 file with" an RSA key that is damaged.
    #[cfg(feature = "p12")]
    pub(super) fn inside(self, outer: &str) -> Found {
        Found { what: format!("{outer} {}", self.what), ..self }
    }

    /// Names the file that holds it.
    pub(super) fn in_file(self, path: &str) -> Found {
        Found { file: Some(Excerpt(path).to_string()), ..self }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(file) = &self.file {
            write!(f, " in {file}")?;
        }
        self.fix.iter().try_for_each(|fix| write!(f, "; {fix}"))
    }
}

impl From<&str> for Found {
    fn from(what: &str) -> Self {
        Found::new(what)
    }
}

impl From<String> for Found {
    fn from(what: String) -> Self {
        Found::new(what)
    }
}

/// Reads `text`: PEM, a `file://` path, or one of PHP's schemes. Of several PEM blocks it takes the first that is
/// `accepted`, so that one file can hold a key and its certificate. `load` makes the key; its error names the file.
pub(super) fn read<T>(
    text: &str,
    accepted: fn(&EncodedKey) -> bool,
    load: impl FnOnce(&EncodedKey) -> Result<T, Found>,
) -> Result<T, Found> {
    let Some(path) = files::path_of(text) else {
        return in_text(text, accepted).and_then(|key| load(&key));
    };
    let bytes = read_file(path)?;
    in_bytes(&bytes, accepted).and_then(|key| load(&key)).map_err(|found| found.in_file(path))
}

fn in_bytes(bytes: &Zeroizing<Vec<u8>>, accepted: fn(&EncodedKey) -> bool) -> Result<EncodedKey, Found> {
    if find(bytes, BEGIN).is_some() {
        return pem(bytes, accepted);
    }
    match identify(bytes).map(|identity| EncodedKey { identity, der: bytes.clone() }) {
        Some(key) if accepted(&key) => Ok(key),
        Some(key) => Err(Found::structure(key.identity)),
        None => Err(foreign::describe(bytes).unwrap_or_else(|| without_header(bytes))),
    }
}

fn in_text(text: &str, accepted: fn(&EncodedKey) -> bool) -> Result<EncodedKey, Found> {
    let bare = files::unquoted(text);
    for scheme in ["private.pkcs8://", "private.pkcs1://", "public.spki://", "public.pkcs1://"] {
        let Some(base64) = bare.strip_prefix(scheme) else { continue };
        let der = decode(base64.as_bytes())
            .ok_or_else(|| Found::new(format!("`{scheme}` without valid base64 after it")))?;
        return match identify(&der).map(|identity| EncodedKey { identity, der }) {
            Some(key) if accepted(&key) => Ok(key),
            Some(key) => Err(Found::structure(key.identity)),
            None => {
                Err(Found::new(format!("`{scheme}` with something else than a key after it, or a cut one")))
            }
        };
    }
    let bytes = text.as_bytes();
    if find(bytes, BEGIN).is_some() {
        return pem(bytes, accepted);
    }
    if bare.is_empty() {
        return Err("an empty text".into());
    }
    let foreign = foreign::unknown_scheme(bare).or_else(|| foreign::describe(bare.as_bytes()));
    Err(foreign.unwrap_or_else(|| without_header(bytes).fix("write a path as `file://…`")))
}

/// Reads a caller's file. The error names it.
pub(super) fn read_file(path: &str) -> Result<Zeroizing<Vec<u8>>, Found> {
    // The message shows a part of the path. A key that follows `file://` is not one.
    if find(path.as_bytes(), DASHES).is_some() || path.contains(['\n', '\r', '\0']) || path.len() > 4096 {
        return Err(
            Found::new("a text that is not a path after `file://`").fix("pass a key's text without it")
        );
    }
    let error = match files::read(Path::new(path), MAX_FILE) {
        Ok(bytes) => return Ok(Zeroizing::new(bytes)),
        Err(error) => error,
    };
    let found = Found::new(format!("the file {}, which {error}", Excerpt(path)));
    let found = match path {
        _ if !matches!(&error, Unreadable::Failed(e) if e.kind() == std::io::ErrorKind::NotFound) => found,
        path if path.starts_with("~/") => found.fix("write the home directory instead of `~`"),
        path if !cfg!(windows) && files::has_drive(path.trim_start_matches('/')) => {
            found.fix("a path with a drive is one of Windows")
        }
        path if path.contains("%20") => found.fix("write the path without percent-encoding"),
        _ => found,
    };
    match error {
        Unreadable::Failed(e) => Err(found.source(e)),
        _ => Err(found),
    }
}

fn without_header(bytes: &[u8]) -> Found {
    match str::from_utf8(bytes) {
        Ok(text) => Found::new(format!("{} characters without a PEM header", text.chars().count())),
        Err(_) => Found::new(format!("{} bytes that are neither PEM nor DER", bytes.len())),
    }
}

/// A block of a PEM text.
enum Block<'t> {
    Key(EncodedKey),
    Other {
        label: &'t [u8],
        body: &'t [u8],
    },
    /// With what it is, after "found".
    Broken(&'static str),
}

const CUT: &str = "a PEM text that is cut or damaged";

fn pem(text: &[u8], accepted: fn(&EncodedKey) -> bool) -> Result<EncodedKey, Found> {
    let (mut first, mut beside) = (None, None);
    let mut rest = text;
    while let Some((block, following)) = next_block(rest) {
        rest = following;
        match block {
            Block::Key(key) if accepted(&key) => return Ok(key),
            // The key that they belong to follows.
            Block::Key(key) if key.format() == KeyFormat::CurveParameters => {
                beside.get_or_insert(Found::structure(key.identity));
            }
            Block::Key(key) => {
                first.get_or_insert(Found::structure(key.identity));
            }
            Block::Other { label, body } => {
                let found = || foreign::describe_block(label, body);
                match foreign::is_key_label(label) {
                    true => first.get_or_insert_with(found),
                    // `DSA PARAMETERS`, a list of revoked certificates: the next block may be the one that was meant.
                    false => beside.get_or_insert_with(found),
                };
            }
            Block::Broken(what) => {
                first.get_or_insert_with(|| what.into());
            }
        }
    }
    Err(first.or(beside).unwrap_or_else(|| CUT.into()))
}

/// What the first block of a PEM text is.
#[cfg(feature = "p12")]
pub(super) fn first_block(text: &[u8]) -> Result<Identity, Found> {
    match next_block(text) {
        Some((Block::Key(key), _)) => Ok(key.identity),
        Some((Block::Other { label, body }, _)) => Err(foreign::describe_block(label, body)),
        Some((Block::Broken(what), _)) => Err(what.into()),
        None => Err(CUT.into()),
    }
}

/// The next PEM block, and the text after it. PEM libraries leave decoded lines of private keys in memory that is not
/// wiped, so none is used.
fn next_block(text: &[u8]) -> Option<(Block<'_>, &[u8])> {
    let text = after(text, BEGIN)?;
    // Not beyond the next block: a file of many `BEGIN` would be read again for each.
    let next = find(text, BEGIN);
    let block = text.get(..next.unwrap_or(text.len()))?;
    let Some(label) = find(block, DASHES).and_then(|end| block.get(..end)) else {
        return Some((Block::Broken(CUT), text.get(next?..)?));
    };
    let content = after(block, DASHES)?;
    let Some(body) = find(content, END).and_then(|end| content.get(..end)) else {
        return Some((Block::Other { label, body: content }, text.get(next?..)?));
    };
    let rest = text.get(block.len() - content.len() + body.len() + END.len()..)?;
    if !rest.starts_with(label) || !rest.get(label.len()..)?.starts_with(DASHES) {
        return Some((Block::Broken("a PEM text whose BEGIN and END lines have different labels"), rest));
    }
    if find(body, b"Proc-Type:").is_some() {
        let algorithm = match label {
            b"RSA PRIVATE KEY" => Some(Algorithm::Rsa),
            b"EC PRIVATE KEY" => Some(Algorithm::EllipticCurve("")),
            b"DSA PRIVATE KEY" => Some(Algorithm::Other("a DSA")),
            _ => None,
        };
        let identity = Identity { format: KeyFormat::LegacyEncrypted, algorithm };
        return Some((Block::Key(EncodedKey { identity, der: Zeroizing::default() }), rest));
    }
    let mut der = decode(body);
    if label == b"TRUSTED CERTIFICATE"
        && let Some(der) = &mut der
        && let Some(length) = der::first_element(der).map(<[u8]>::len)
    {
        der.truncate(length);
    }
    let key = der.and_then(|der| identify(&der).map(|identity| EncodedKey { identity, der }));
    Some((key.map_or(Block::Other { label, body }, Block::Key), rest))
}

/// Base64 with line breaks of any kind, also `\n` written out as in `.env` files and container settings.
fn decode(base64: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut compact = Zeroizing::new(Vec::with_capacity(base64.len()));
    let mut bytes = base64.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            // `\\n` was escaped twice.
            b'\\' => {
                bytes.by_ref().find(|b| *b != b'\\').filter(|b| matches!(b, b'n' | b'r'))?;
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

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn after<'t>(text: &'t [u8], part: &[u8]) -> Option<&'t [u8]> {
    text.get(find(text, part)? + part.len()..)
}

#[cfg(test)]
mod tests;
