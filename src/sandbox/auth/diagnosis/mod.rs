//! Diagnoses a signature that does not match.
//!
//! The public key recovers the digest of the signed message from the signature. The digests of messages with a common
//! mistake are compared with it, so that all of them together cost one RSA operation.

mod message_parts;
mod mistake;
mod spellings;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rsa::{BoxedUint, PublicKey, hazmat::rsa_encrypt, traits::PublicKeyParts};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(crate) use message_parts::MessageParts;
use mistake::Mistake;

/// Longer messages are not searched for mistakes: there are about thirty variants of each.
const MAX_MESSAGE: usize = 256 << 10;

/// The bytes of the signed message to show before and after the first difference.
const CONTEXT_BEFORE: usize = 24;
const CONTEXT_AFTER: usize = 40;

/// The prefix of a digest in a signature (RFC 8017, section 9.2).
const SHA256_PREFIX: &[u8] = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
/// The last byte of an encoded message with RSASSA-PSS (RFC 8017, section 9.1.1).
const PSS_TRAILER: u8 = 0xbc;

const OTHER_HASHES: [(&str, &[u8]); 4] = [
    ("MD5", b"\x30\x20\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05\x05\x00\x04\x10"),
    ("SHA-1", b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"),
    ("SHA-384", b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"),
    ("SHA-512", b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"),
];

/// Why a signature does not match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Diagnosis {
    /// The signature is not Base64.
    NotBase64,
    /// It contains no digest: wrong key, wrong padding, or changed in transit.
    WrongKey,
    /// Probably the right key, with the padding of RSASSA-PSS.
    Pss,
    /// The right key and padding, but a wrong hash.
    WrongHash(&'static str),
    /// A common mistake.
    Known(Difference),
    /// The right key and hash, but another message without a common mistake. The digests are hex.
    UnknownMessage { signed: String, expected: String },
    /// Another message, too long to search for a mistake.
    TooLong { signed: String, expected: String },
}

/// The first difference between the signed and the expected message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) mistake: Mistake,
    /// The offset of the first byte that differs.
    pub(crate) at: usize,
    /// The offset of `signed`.
    pub(crate) start: usize,
    /// The signed message around the difference.
    pub(crate) signed: Vec<u8>,
}

impl Difference {
    /// The end of the matching part of the expected message.
    pub(crate) fn end(&self) -> usize {
        self.at.saturating_add(CONTEXT_AFTER)
    }
}

pub(crate) fn diagnose(key: &PublicKey, expected: &MessageParts<'_>, signature: &str) -> Diagnosis {
    let Ok(signature) = STANDARD.decode(signature) else { return Diagnosis::NotBase64 };
    let Some(info) = recover_digest_info(key, &signature) else {
        return if has_pss_trailer(key, &signature) { Diagnosis::Pss } else { Diagnosis::WrongKey };
    };
    let Some(signed) = info.strip_prefix(SHA256_PREFIX) else {
        let other = OTHER_HASHES.iter().find(|(_, prefix)| info.starts_with(prefix));
        return other.map_or(Diagnosis::WrongKey, |(name, _)| Diagnosis::WrongHash(name));
    };
    let message = expected.message("\n");
    let digests = || (hex(signed), hex(&Sha256::digest(&message)));
    if message.len() + expected.raw_body.len() > MAX_MESSAGE {
        let (signed, expected) = digests();
        return Diagnosis::TooLong { signed, expected };
    }
    let found = expected.variants().find(|(_, variant)| Sha256::digest(variant)[..] == *signed);
    let Some((mistake, variant)) = found else {
        let (signed, expected) = digests();
        return Diagnosis::UnknownMessage { signed, expected };
    };
    let same = message.iter().zip(&variant).take_while(|(one, other)| one == other).count();
    let start = same.saturating_sub(CONTEXT_BEFORE);
    let end = variant.len().min(same + CONTEXT_AFTER);
    Diagnosis::Known(Difference { mistake, at: same, start, signed: variant[start..end].to_vec() })
}

/// Removes the padding of PKCS#1 v1.5. The rest is the digest with its prefix.
fn recover_digest_info(key: &PublicKey, signature: &[u8]) -> Option<Vec<u8>> {
    let number = BoxedUint::from_be_slice(signature, key.n_bits_precision()).ok()?;
    if signature.len() != key.size() || number >= *key.n().as_ref() {
        return None;
    }
    // The padding begins with a zero byte, which a number does not have.
    let padded = rsa_encrypt(key, &number).ok()?.to_be_bytes_trimmed_vartime();
    let rest = padded.strip_prefix(&[1])?;
    let filled = rest.iter().take_while(|byte| **byte == 0xff).count();
    let info = rest.get(filled..)?.strip_prefix(&[0])?;
    (filled >= 8 && padded.len() + 1 == key.size()).then(|| info.to_vec())
}

/// One in 256 signatures of another key has it, too.
fn has_pss_trailer(key: &PublicKey, signature: &[u8]) -> bool {
    let number = BoxedUint::from_be_slice(signature, key.n_bits_precision()).ok();
    let number = number.filter(|number| signature.len() == key.size() && number < key.n().as_ref());
    let encoded = number.and_then(|number| rsa_encrypt(key, &number).ok());
    encoded.is_some_and(|encoded| encoded.to_be_bytes_trimmed_vartime().last() == Some(&PSS_TRAILER))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Diagnosis {
    /// One sentence, for the error message.
    pub(crate) fn english(&self) -> String {
        match self {
            Diagnosis::NotBase64 => "the signature is not Base64".into(),
            Diagnosis::WrongKey => {
                "the signature was not made with the merchant's key in PKCS#1 v1.5 padding".into()
            }
            Diagnosis::Pss => {
                "the signature has the padding of RSASSA-PSS, expected PKCS#1 v1.5, or it was not made with the \
                 merchant's key"
                    .into()
            }
            Diagnosis::WrongHash(name) => format!("the signature uses {name}, expected SHA-256"),
            Diagnosis::Known(difference) => {
                let (english, _) = difference.mistake.description();
                format!("the signed message {english}; the first different byte is {}", difference.at)
            }
            Diagnosis::UnknownMessage { .. } => {
                "the key is right, but another message was signed, without any common mistake".into()
            }
            Diagnosis::TooLong { .. } => {
                "the key is right, but another message was signed; it is too long to search for the mistake"
                    .into()
            }
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut json = json!({ "message": self.english() });
        match self {
            Diagnosis::Known(difference) => {
                json["first_difference"] = difference.at.into();
                json["signed_from"] = difference.start.into();
                json["signed"] = String::from_utf8_lossy(&difference.signed).into();
            }
            Diagnosis::UnknownMessage { signed, expected } | Diagnosis::TooLong { signed, expected } => {
                json["signed_sha256"] = signed.as_str().into();
                json["expected_sha256"] = expected.as_str().into();
            }
            _ => {}
        }
        json
    }
}
