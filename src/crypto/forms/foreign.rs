//! What a text or a file is that is not a key in one of the accepted forms: another program's key, or one that was
//! changed on its way. Nothing of the text itself is shown, since it may be a key.

use zeroize::Zeroizing;

use super::der::{self, Algorithm, Identity, KeyFormat};
use super::{Found, decode, find, identify, is_p12};

/// Describes a text or file that has no `-----BEGIN` and is not DER; `None` if it is nothing known.
pub(in crate::crypto) fn describe(bytes: &[u8]) -> Option<Found> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
    if text.is_empty() {
        return Some(Found::new(format!("{} bytes", bytes.len())));
    }
    utf16(bytes)
        .or_else(|| by_first_bytes(text))
        .or_else(|| openssh_public(text))
        .or_else(|| filtered(bytes))
        .or_else(|| der_of_another_length(bytes))
        // In BER, which is not read as DER.
        .or_else(|| is_p12(bytes).then(|| Found::new("a PKCS#12 file").fix("pass it as `p12`")))
        .or_else(|| header_with_other_characters(text))
        .or_else(|| hex(text))
        .or_else(|| base64(text))
}

/// Whether a label is that of a key or a certificate.
pub(super) fn is_key_label(label: &[u8]) -> bool {
    label.ends_with(b"PRIVATE KEY") || label.ends_with(b"PUBLIC KEY") || label.ends_with(b"CERTIFICATE")
}

/// Describes a PEM block whose content is not a known structure.
pub(super) fn describe_block(label: &[u8], body: &[u8]) -> Found {
    match label {
        b"OPENSSH PRIVATE KEY" => return openssh_private(body),
        b"PKCS12" => return Found::new("a PKCS#12 file in PEM").fix("pass it as `p12`, without PEM"),
        _ => {}
    }
    let stray = String::from_utf8_lossy(body).chars().find(|c| {
        !c.is_ascii_whitespace() && !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/' | '=' | '\\')
    });
    let known = is_key_label(label);
    // A label consists of a few words. Anything else may be a part of a key.
    let is_label = |text: &&str| {
        text.len() <= 32 && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == ' ')
    };
    match (str::from_utf8(label).ok().filter(is_label), stray) {
        (_, Some(stray)) if known => Found::new(format!(
            "a PEM text that is cut or damaged: it has the character U+{:04X}, which is not base64",
            u32::from(stray)
        )),
        (Some(label), _) if !known => Found::new(format!("a PEM text with another label, `{label}`")),
        (None, _) => Found::new("a PEM text with another label"),
        _ => Found::new("a PEM text that is cut or damaged"),
    }
}

/// A text of one of PHP's schemes that is none of theirs.
pub(super) fn unknown_scheme(text: &str) -> Option<Found> {
    let scheme = ["private.", "public."].into_iter().find(|scheme| text.starts_with(scheme))?;
    text.contains("://").then(|| Found::new(format!("a `{scheme}…://` text with an unknown scheme")))
}

/// What happened to a DER file on its way, if its length or its characters show it.
#[cfg(feature = "p12")]
pub(in crate::crypto) fn damage(bytes: &[u8]) -> Option<Found> {
    filtered(bytes).or_else(|| der_of_another_length(bytes))
}

fn utf16(bytes: &[u8]) -> Option<Found> {
    let marked = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    // `-----` of UTF-16 without the mark.
    let dashes = bytes.starts_with(b"-\0-\0-") || bytes.starts_with(b"\0-\0-\0-");
    (marked || dashes).then(|| Found::new("text in UTF-16").fix("save it as UTF-8"))
}

fn by_first_bytes(text: &[u8]) -> Option<Found> {
    let starts = |start: &[u8]| text.starts_with(start);
    if starts(b"PuTTY-User-Key-File-") {
        let kind = text.split(|byte| byte.is_ascii_whitespace()).nth(1).unwrap_or_default();
        let fix = "convert it: `puttygen old.ppk -O private-openssh -o new.pem`";
        return Some(openssh("a private key in PuTTY's format", kind, fix));
    }
    if starts(b"---- BEGIN SSH2 ") {
        return Some(Found::new("an SSH2 key (RFC 4716)").fix(
            "convert it: `ssh-keygen -i -m RFC4716 -f old.pub > ssh.pub && ssh-keygen -e -m PKCS8 -f ssh.pub`",
        ));
    }
    let found = match text {
        [b'P', b'K', 3, 4, ..] => Found::new("a zip file").fix("unpack it"),
        [0x1f, 0x8b, ..] => Found::new("a gzip file").fix("unpack it"),
        [0xfe, 0xed, 0xfe, 0xed, ..] | [0xce, 0xce, 0xce, 0xce, ..] => Found::new("a Java keystore (JKS)").fix(
            "convert it: `keytool -importkeystore -srckeystore old.jks -destkeystore new.p12 -deststoretype PKCS12`",
        ),
        [b'{', ..] if find(text, b"\"kty\"").is_some() => Found::new("a JSON Web Key").fix("convert it to PEM"),
        [b'{' | b'[', ..] => Found::new("JSON"),
        [b'<', ..] if find(text, b"<RSAKeyValue>").is_some() => {
            Found::new("an XML key of .NET").fix("convert it to PEM")
        }
        [b'<', ..] => Found::new("HTML or XML"),
        _ => return None,
    };
    Some(found)
}

/// A line of `~/.ssh/id_….pub`.
fn openssh_public(text: &[u8]) -> Option<Found> {
    let kind = text.split(|byte| byte.is_ascii_whitespace()).next()?;
    if !(kind.starts_with(b"ssh-") || kind.starts_with(b"ecdsa-sha2-") || kind.starts_with(b"sk-")) {
        return None;
    }
    Some(openssh("an OpenSSH public key", kind, "convert it: `ssh-keygen -e -m PKCS8 -f old.pub > new.pem`"))
}

/// The PEM block of `ssh-keygen`.
fn openssh_private(body: &[u8]) -> Found {
    let content = decode(body).unwrap_or_default();
    let kinds = [&b"ssh-ed25519"[..], b"ecdsa-sha2-", b"sk-", b"ssh-dss", b"ssh-rsa"];
    let kind = kinds.into_iter().find(|kind| find(&content, kind).is_some()).unwrap_or(b"ssh-rsa");
    let fix = "convert a copy of it: `cp old new.pem && ssh-keygen -p -m PKCS8 -f new.pem`";
    openssh("an OpenSSH private key", kind, fix)
}

fn openssh(what: &str, kind: &[u8], fix: &str) -> Found {
    match kind {
        b"ssh-rsa" => Found::new(what).fix(fix),
        b"ssh-ed25519" => Found::new(format!("{what} for Ed25519, not RSA")),
        b"ssh-dss" => Found::new(format!("{what} for DSA, not RSA")),
        _ => Found::new(format!("{what} for an elliptic curve, not RSA")),
    }
}

/// Binary data that was copied as if it were text.
fn filtered(bytes: &[u8]) -> Option<Found> {
    let binary = bytes.first() == Some(&0x30)
        && bytes.iter().any(|byte| byte.is_ascii_control() && !matches!(byte, b'\n' | b'\r' | b'\t'));
    let text = str::from_utf8(bytes).ok().filter(|_| binary)?;
    let how = if text.contains('\u{fffd}') {
        "its bytes were replaced by U+FFFD"
    } else if text.is_ascii() {
        "its bytes were replaced by ASCII characters"
    } else {
        "its bytes were converted to UTF-8"
    };
    Some(damaged(&format!("a program that copies text (a resource filter, for example) changed it: {how}")))
}

/// DER that is longer or shorter than it says.
fn der_of_another_length(bytes: &[u8]) -> Option<Found> {
    let stated = der::stated_length(bytes).filter(|stated| *stated > 16 && *stated != bytes.len())?;
    let line_feeds = bytes.iter().filter(|byte| **byte == b'\n').count();
    let after_carriage_returns = bytes.windows(2).filter(|pair| pair == b"\r\n").count();
    // By chance, one line feed in 256 follows a carriage return.
    let converted = line_feeds > 1 && line_feeds == after_carriage_returns && bytes.len() > stated;
    if converted {
        return Some(damaged("a program that converts line endings changed it"));
    }
    // A text may begin with `0`, too.
    if bytes.len() < 64 && bytes.is_ascii() {
        return None;
    }
    let given = bytes.len();
    let what = match given < stated {
        true => format!("binary data (DER) that is cut: {given} bytes of {stated}"),
        false => format!("binary data (DER) that is damaged: {given} bytes instead of {stated}"),
    };
    Some(Found::new(what).fix(COPY_AGAIN))
}

const COPY_AGAIN: &str = "copy the original again, as a binary file";

fn damaged(how: &str) -> Found {
    Found::new(format!("binary data that is damaged: {how}")).fix(COPY_AGAIN)
}

/// A PEM header whose dashes or blanks are other characters: word processors and chat programs change them.
fn header_with_other_characters(text: &[u8]) -> Option<Found> {
    let has = |part: &[u8]| find(text, part).is_some();
    let header = has(b"BEGIN") && (has(b"PRIVATE") || has(b"PUBLIC") || has(b"CERTIFICATE"));
    header.then(|| {
        Found::new("a PEM text without a proper BEGIN line").fix(
            "five dashes of ASCII stand before and after `BEGIN` and its label, and a blank between these",
        )
    })
}

fn hex(text: &[u8]) -> Option<Found> {
    let digits: Zeroizing<Vec<u8>> =
        Zeroizing::new(text.iter().copied().filter(|b| !b.is_ascii_whitespace() && *b != b':').collect());
    // A key in DER begins with `30`, PEM with `2D2D`.
    if digits.len() < 32
        || !(digits.starts_with(b"30") || digits.starts_with(b"2d2d") || digits.starts_with(b"2D2D"))
    {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(value(*high)? << 4 | value(*low)?),
        _ => None,
    };
    let content: Zeroizing<Vec<u8>> = Zeroizing::new(digits.chunks(2).map(pair).collect::<Option<_>>()?);
    Some(encoded("hex", &content, "`xxd -r -p old > new`"))
}

fn base64(text: &[u8]) -> Option<Found> {
    if text.len() < 32 {
        return None;
    }
    let content = decode(text)?;
    if let Some(identity) = identify(&content) {
        let scheme = match identity {
            Identity { algorithm: Some(Algorithm::Rsa), format } => match format {
                KeyFormat::Pkcs8 => "private.pkcs8://",
                KeyFormat::Pkcs1 => "private.pkcs1://",
                KeyFormat::Spki => "public.spki://",
                KeyFormat::Pkcs1Public => "public.pkcs1://",
                _ => "",
            },
            _ => "",
        };
        let label = match identity.format {
            KeyFormat::Certificate => "CERTIFICATE",
            KeyFormat::EncryptedPkcs8 => "ENCRYPTED PRIVATE KEY",
            _ => "",
        };
        let found = Found::new(format!("base64 of {} without a PEM header", identity.describe()));
        return Some(match (scheme, label) {
            ("", "") => encoded("base64", &content, BASE64),
            ("", label) => found.fix(format!("put it between the BEGIN and END lines of `{label}`")),
            (scheme, _) => found.fix(format!("write `{scheme}` before it, without a file")),
        });
    }
    let known = is_p12(&content) || content.starts_with(b"-----BEGIN") || content.first() == Some(&0x30);
    known.then(|| encoded("base64", &content, BASE64))
}

const BASE64: &str = "`base64 -d < old > new`";

fn encoded(encoding: &str, content: &[u8], command: &str) -> Found {
    let what = match identify(content) {
        Some(identity) => identity.describe(),
        None if is_p12(content) => "a PKCS#12 file".to_owned(),
        None if content.starts_with(b"-----BEGIN") => "a PEM text".to_owned(),
        None => "binary data".to_owned(),
    };
    Found::new(format!("{encoding} of {what}")).fix(format!("decode it: {command}"))
}
