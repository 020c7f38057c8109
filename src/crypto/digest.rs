//! Digests of public data.

use std::fmt::Write as _;

/// The SHA-1 of `bytes` in lower-case hex: the platform's file digests are SHA-1. No signature depends on it.
pub(crate) fn sha1_hex(bytes: &[u8]) -> String {
    hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref())
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Whether `text` is a SHA-1 digest in hex.
pub(crate) fn is_sha1_hex(text: &str) -> bool {
    is_hex(text, 40)
}

/// Whether `text` is a SHA-256 digest in hex.
#[cfg(feature = "bill")]
pub(crate) fn is_sha256_hex(text: &str) -> bool {
    is_hex(text, 64)
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The digest that a file must have, in hex of either case.
pub(crate) enum FileDigest {
    Sha1(String),
    #[cfg(feature = "bill")]
    Sha256(String),
}
