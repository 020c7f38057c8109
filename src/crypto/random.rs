//! Random text: nonces, multipart boundaries, names of temporary files.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};

use crate::error::Error;

const NONCE_LENGTH: usize = 32;

/// A nonce: 32 characters of `[0-9A-Za-z]`, from the system's random number generator.
pub(crate) fn nonce() -> Result<String, Error> {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut nonce = String::with_capacity(NONCE_LENGTH);
    let mut random = [0; NONCE_LENGTH + 16];
    while nonce.len() < NONCE_LENGTH {
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| Error::config("nonce", "cannot be generated: the system gives no random numbers"))?;
        // Bytes from 248 up are skipped, so that all 62 characters are equally likely.
        let fair = random.iter().filter(|b| **b < 248).map(|b| ALPHABET[usize::from(*b) % 62] as char);
        nonce.extend(fair.take(NONCE_LENGTH - nonce.len()));
    }
    Ok(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_32_characters_of_62_and_never_the_same() {
        let mut seen = std::collections::HashSet::new();
        let mut characters = std::collections::HashSet::new();
        for _ in 0..2_000 {
            let nonce = nonce().unwrap();
            assert!(nonce.len() == 32 && nonce.bytes().all(|b| b.is_ascii_alphanumeric()), "{nonce}");
            characters.extend(nonce.bytes());
            assert!(seen.insert(nonce));
        }
        assert_eq!(characters.len(), 62);
    }
}
