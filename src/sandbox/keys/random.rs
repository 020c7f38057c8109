//! Random strings and numbers. If the system has no entropy, the caller gets an error and never a weaker value.

use aws_lc_rs::{error::Unspecified, rand};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `length` characters of `[0-9A-Za-z]`, uniformly distributed.
pub(crate) fn alphanumeric(length: usize) -> Result<String, Unspecified> {
    let mut text = String::with_capacity(length);
    let mut bytes = [0; 48];
    while text.len() < length {
        rand::fill(&mut bytes)?;
        // 248 is the largest multiple of 62 below 256: larger bytes would favour some characters.
        let fair = bytes.iter().filter(|&&byte| byte < 248).take(length - text.len());
        text.extend(fair.map(|&byte| char::from(ALPHABET[usize::from(byte % 62)])));
    }
    Ok(text)
}

pub(crate) fn digits(length: usize) -> Result<String, Unspecified> {
    let mut bytes = vec![0; length];
    rand::fill(&mut bytes)?;
    // The slight bias towards low digits does not matter: these are identifiers, not secrets.
    Ok(bytes.iter().map(|byte| char::from(b'0' + byte % 10)).collect())
}

pub(crate) fn seed() -> Result<u64, Unspecified> {
    let mut bytes = [0; 8];
    rand::fill(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}
