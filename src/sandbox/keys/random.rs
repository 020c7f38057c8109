//! Random texts. The system's generator can fail only where nothing else would work either (no entropy
//! source), so a failure is an error that the callers pass on, never a weaker text.

use aws_lc_rs::{error::Unspecified, rand};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `length` characters of `[0-9A-Za-z]`, each as likely as any other.
pub(super) fn alphanumeric(length: usize) -> Result<String, Unspecified> {
    let mut text = String::with_capacity(length);
    let mut bytes = [0; 48];
    while text.len() < length {
        rand::fill(&mut bytes)?;
        // 248 is the last multiple of 62 below 256: beyond it some characters would come more often.
        let fair = bytes.iter().filter(|&&byte| byte < 248).take(length - text.len());
        text.extend(fair.map(|&byte| char::from(ALPHABET[usize::from(byte % 62)])));
    }
    Ok(text)
}

pub(super) fn digits(length: usize) -> Result<String, Unspecified> {
    let mut bytes = vec![0; length];
    rand::fill(&mut bytes)?;
    // The slight preference for low digits matters to nobody: these are names, not secrets.
    Ok(bytes.iter().map(|byte| char::from(b'0' + byte % 10)).collect())
}

pub(super) fn number() -> Result<u64, Unspecified> {
    let mut bytes = [0; 8];
    rand::fill(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

pub(super) fn upper_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}
