//! AES-256-ECB with PKCS#7 padding: `req_info` of APIv2 (PROTOCOL-V2, section 7).

use aws_lc_rs::cipher::{
    AES_256, DecryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Decrypts base64; `None` for another key, a changed ciphertext, or padding that is not whole.
pub(crate) fn decrypt(ciphertext: &str, key: &[u8]) -> Option<Vec<u8>> {
    let mut text = STANDARD.decode(ciphertext).ok()?;
    // A text of no block has no padding either.
    if text.is_empty() {
        return None;
    }
    let key = PaddedBlockDecryptingKey::ecb_pkcs7(UnboundCipherKey::new(&AES_256, key).ok()?).ok()?;
    let length = key.decrypt(&mut text, DecryptionContext::None).ok()?.len();
    text.truncate(length);
    Some(text)
}

/// Encrypts to base64; `None` unless the key has 32 bytes.
pub(crate) fn encrypt(text: &[u8], key: &[u8]) -> Option<String> {
    let key = PaddedBlockEncryptingKey::ecb_pkcs7(UnboundCipherKey::new(&AES_256, key).ok()?).ok()?;
    let mut buffer = text.to_vec();
    key.encrypt(&mut buffer).ok()?;
    Some(STANDARD.encode(buffer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{Vectors, bytes, texts};

    #[test]
    fn conformance_decrypts_what_php_does() {
        let Some(vectors) = Vectors::of("AesEcb.decrypt") else { return };
        let (mut equal, mut other) = (0, 0);
        for vector in vectors.iter() {
            let Some(input) = texts(vector).filter(|input| input[1].len() == 32) else { continue };
            match (decrypt(input[0], input[1].as_bytes()), vector.get("output")) {
                (Some(text), Some(output)) => assert_eq!(text, bytes(output), "{vector}"),
                (None, None) => {}
                // PHP's base64 is lenient, and an empty text is one.
                (None, Some(_)) => {
                    other += 1;
                    continue;
                }
                (Some(_), None) => panic!("{vector}"),
            }
            equal += 1;
        }
        println!("AesEcb.decrypt: {equal} equal, {other} refused here only");
        assert!(equal > 50 && other < equal, "{equal} {other}");
    }

    #[test]
    fn conformance_encrypts_as_php_does() {
        let Some(vectors) = Vectors::of("AesEcb.encrypt") else { return };
        let mut equal = 0;
        for vector in vectors.iter() {
            let Some(input) = texts(vector).filter(|input| input[1].len() == 32) else { continue };
            assert_eq!(
                encrypt(input[0].as_bytes(), input[1].as_bytes()).as_deref(),
                vector["output"].as_str(),
                "{vector}"
            );
            equal += 1;
        }
        println!("AesEcb.encrypt: {equal} equal");
        assert!(equal > 50, "{equal}");
    }
}
