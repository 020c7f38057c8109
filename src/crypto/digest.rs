//! Digests of public data.

use std::fmt::Write as _;

/// The SHA-1 of `bytes`, in lower-case hex. The platform's file digests are SHA-1; no signature rests on it.
pub(crate) fn sha1_hex(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    digest.as_ref().iter().fold(String::with_capacity(40), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
