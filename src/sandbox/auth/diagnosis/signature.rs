//! A signature: how it is written, and what the public key recovers from it.
//!
//! The digest is recovered once. The digests of many messages are then compared with it, without another RSA operation.

use aws_lc_rs::digest::{self, Algorithm, digest};
use base64::{
    Engine as _,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use percent_encoding::percent_decode_str;
use rsa::{BoxedUint, PublicKey, hazmat::rsa_encrypt, traits::PublicKeyParts};

use super::Finding;

/// A spelling of a signature, in English and in Chinese, and how it is read.
pub(super) struct Spelling {
    pub(super) english: &'static str,
    pub(super) chinese: &'static str,
    read: fn(&str) -> Option<Vec<u8>>,
}

/// The wrong ones.
pub(super) const SPELLINGS: [Spelling; 6] = [
    Spelling { english: "in hex", chinese: "十六进制", read: from_hex },
    Spelling {
        english: "in the URL-safe Base64 (- and _)",
        chinese: "URL 安全的 Base64（- 和 _）",
        read: |text| lenient(&URL_SAFE).decode(text).ok(),
    },
    Spelling {
        english: "in Base64 without its padding (=)",
        chinese: "缺少填充（=）的 Base64",
        read: |text| lenient(&STANDARD).decode(text).ok(),
    },
    Spelling {
        english: "with line breaks or spaces in its Base64",
        chinese: "含换行或空格的 Base64",
        read: |text| {
            let text = text.replace("\\r", "").replace("\\n", "");
            lenient(&STANDARD).decode(text.replace([' ', '\t'], "")).ok()
        },
    },
    Spelling {
        english: "in Base64 with spaces instead of +",
        chinese: "加号变成了空格的 Base64",
        read: |text| lenient(&STANDARD).decode(text.replace(' ', "+")).ok(),
    },
    Spelling {
        english: "percent-encoded",
        chinese: "经过 URL 编码的 Base64",
        read: |text| lenient(&STANDARD).decode(percent_decode_str(text).collect::<Vec<u8>>()).ok(),
    },
];

/// Of Base64 that was encoded once more.
pub(super) const TWICE: Spelling = Spelling {
    english: "in Base64 twice",
    chinese: "经过两次 Base64 编码",
    read: |text| lenient(&STANDARD).decode(lenient(&STANDARD).decode(text).ok()?).ok(),
};

impl Spelling {
    pub(super) fn read(&self, text: &str) -> Option<Vec<u8>> {
        (self.read)(text)
    }
}

fn lenient(alphabet: &base64::alphabet::Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(*pair.first()?)? * 16 + digit(*pair.get(1)?)?)).collect()
}

/// The hashes that a signature in PKCS#1 v1.5 can name (RFC 8017, section 9.2), SHA-256 first. MD5 is only recognised.
const HASHES: [(&str, Option<&Algorithm>, &[u8]); 6] = [
    (
        "SHA-256",
        Some(&digest::SHA256),
        b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
    ),
    ("MD5", None, b"\x30\x20\x30\x0c\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05\x05\x00\x04\x10"),
    (
        "SHA-1",
        Some(&digest::SHA1_FOR_LEGACY_USE_ONLY),
        b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14",
    ),
    (
        "SHA-224",
        Some(&digest::SHA224),
        b"\x30\x2d\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x04\x05\x00\x04\x1c",
    ),
    (
        "SHA-384",
        Some(&digest::SHA384),
        b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30",
    ),
    (
        "SHA-512",
        Some(&digest::SHA512),
        b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40",
    ),
];

/// The last byte of an encoded message with RSASSA-PSS, and the length of its hash.
const PSS_TRAILER: u8 = 0xbc;
const PSS_HASH: usize = 32;

/// So many zeros before the salt do not come about by chance.
const CERTAIN_PADDING: usize = 8;

/// What a signature covers.
pub(super) enum Content {
    /// PKCS#1 v1.5: the name of the hash, and the digest.
    Digest(&'static str, Option<&'static Algorithm>, Vec<u8>),
    /// PKCS#1 v1.5 without the name of a hash: a bare digest, or the message itself.
    Bare(Vec<u8>),
    /// RSASSA-PSS with SHA-256, or what looks like it: it is `certain` if the padding proves it.
    Pss { hash: Vec<u8>, salt: Vec<u8>, certain: bool },
}

impl Content {
    /// `None`: made with another key, or changed.
    pub(super) fn recover(key: &PublicKey, signature: &[u8]) -> Option<Content> {
        let encoded = encrypt(key, signature)?;
        pkcs1(&encoded).or_else(|| pss(key, encoded))
    }

    /// Whether it is what it seems to be even if it covers no known message.
    pub(super) fn is_certain(&self) -> bool {
        match self {
            Content::Digest(..) => true,
            Content::Bare(_) => false,
            Content::Pss { certain, .. } => *certain,
        }
    }

    /// Whether it covers this message.
    pub(super) fn covers(&self, message: &[u8]) -> bool {
        let sha256 = || digest(&digest::SHA256, message);
        match self {
            Content::Digest(_, algorithm, found) => {
                algorithm.is_some_and(|algorithm| digest(algorithm, message).as_ref() == found)
            }
            Content::Bare(found) => {
                found == message || {
                    let digest = sha256();
                    found == digest.as_ref() || *found == super::hex(digest.as_ref()).into_bytes()
                }
            }
            Content::Pss { hash, salt, .. } => {
                let all = [&[0; 8], sha256().as_ref(), salt].concat();
                digest(&digest::SHA256, &all).as_ref() == hash
            }
        }
    }
}

/// The public operation, as long as the key's modulus.
fn encrypt(key: &PublicKey, signature: &[u8]) -> Option<Vec<u8>> {
    if signature.len() != key.size() {
        return None;
    }
    let number = BoxedUint::from_be_slice(signature, key.n_bits_precision()).ok()?;
    if number >= *key.n().as_ref() {
        return None;
    }
    let trimmed = rsa_encrypt(key, &number).ok()?.to_be_bytes_trimmed_vartime();
    let mut encoded = vec![0; key.size().checked_sub(trimmed.len())?];
    encoded.extend_from_slice(&trimmed);
    Some(encoded)
}

fn pkcs1(encoded: &[u8]) -> Option<Content> {
    let rest = encoded.strip_prefix(&[0, 1])?;
    let filled = rest.iter().take_while(|byte| **byte == 0xff).count();
    let info = rest.get(filled..)?.strip_prefix(&[0]).filter(|_| filled >= 8)?;
    let named = HASHES.iter().find_map(|(name, algorithm, prefix)| {
        Some(Content::Digest(name, *algorithm, info.strip_prefix(*prefix)?.to_vec()))
    });
    Some(named.unwrap_or_else(|| Content::Bare(info.to_vec())))
}

/// RFC 8017, section 9.1.2.
fn pss(key: &PublicKey, encoded: Vec<u8>) -> Option<Content> {
    let bits = key.n().bit_width().checked_sub(1)?;
    let length = usize::try_from(bits.div_ceil(8)).ok()?;
    let encoded = encoded.get(encoded.len().checked_sub(length)?..)?;
    let (masked, rest) = encoded.split_at_checked(length.checked_sub(PSS_HASH + 1)?)?;
    let hash = rest.strip_suffix(&[PSS_TRAILER])?;
    let mut block: Vec<u8> =
        masked.iter().zip(mask(hash, masked.len())).map(|(byte, mask)| byte ^ mask).collect();
    let unused = u32::try_from(length * 8).ok()?.checked_sub(bits)?;
    *block.first_mut()? &= 0xff >> unused;
    let zeros = block.iter().take_while(|byte| **byte == 0).count();
    let salt = block.get(zeros..)?.strip_prefix(&[1])?;
    Some(Content::Pss { hash: hash.to_vec(), salt: salt.to_vec(), certain: zeros >= CERTAIN_PADDING })
}

/// MGF1 with SHA-256.
fn mask(seed: &[u8], length: usize) -> Vec<u8> {
    let blocks = (0u32..).flat_map(|counter| {
        digest(&digest::SHA256, &[seed, &counter.to_be_bytes()].concat()).as_ref().to_vec()
    });
    blocks.take(length).collect()
}

/// The standard form.
pub(super) fn read(text: &str) -> Option<Vec<u8>> {
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

/// What is unusual about the content. `found`: it covers the message, perhaps with a mistake.
pub(super) fn unusual(content: &Content, found: bool) -> Option<Finding> {
    Some(match content {
        Content::Digest("SHA-256", ..) => return None,
        Content::Digest(name, ..) => (
            format!("the signature uses {name}, expected SHA-256").into(),
            format!("摘要算法应为 SHA-256，实际为 {name}").into(),
        ),
        Content::Bare(_) if found => (
            "the signature is the message or its digest, encrypted with the private key: make a signature with \
             SHA-256 (SHA256withRSA)"
                .into(),
            "签名是用私钥直接加密的签名串或摘要：应使用 SHA256withRSA 签名".into(),
        ),
        Content::Bare(_) => (
            "the signature contains no SHA-256 digest: make it with SHA-256 (SHA256withRSA)".into(),
            "签名中没有 SHA-256 摘要：应使用 SHA256withRSA 签名".into(),
        ),
        Content::Pss { certain: false, .. } if !found => (
            "the signature was not made with the merchant's key in PKCS#1 v1.5 padding; it could have the padding of \
             RSASSA-PSS"
                .into(),
            "签名不是由商户API私钥（PKCS#1 v1.5 填充）生成的；填充方式可能是 RSASSA-PSS".into(),
        ),
        Content::Pss { .. } => (
            "the signature has the padding of RSASSA-PSS, expected PKCS#1 v1.5".into(),
            "签名使用了 RSASSA-PSS 填充，应为 PKCS#1 v1.5".into(),
        ),
    })
}
