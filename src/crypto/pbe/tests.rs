use x509_cert::der::asn1::{Any, ObjectIdentifier};
use x509_cert::der::{Decode as _, Tag};

use super::*;

/// With a budget of its own.
fn decrypt(
    algorithm: &AlgorithmIdentifierOwned,
    ciphertext: &[u8],
    passphrase: &str,
) -> Result<Zeroizing<Vec<u8>>, PbeError> {
    super::decrypt(algorithm, ciphertext, passphrase, &mut Budget::default())
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    Any::new(Tag::Sequence, parts.concat()).unwrap().to_der().unwrap()
}

fn octets(bytes: &[u8]) -> Vec<u8> {
    Any::new(Tag::OctetString, bytes).unwrap().to_der().unwrap()
}

fn oid(text: &str) -> Vec<u8> {
    ObjectIdentifier::new_unwrap(text).to_der().unwrap()
}

fn number(value: u64) -> Vec<u8> {
    value.to_der().unwrap()
}

/// PBES2 with AES-256-CBC (RFC 8018 appendix A.4).
fn pbes2_with(kdf: &[u8], iv: &[u8]) -> AlgorithmIdentifierOwned {
    let cipher = sequence(&[&oid("2.16.840.1.101.3.4.1.42"), &octets(iv)]);
    let der = sequence(&[&oid("1.2.840.113549.1.5.13"), &sequence(&[kdf, &cipher])]);
    AlgorithmIdentifierOwned::from_der(&der).unwrap()
}

/// RFC 8018 appendix A.2, with HMAC-SHA-256.
fn pbkdf2(more: &[&[u8]]) -> Vec<u8> {
    let hmac = sequence(&[&oid("1.2.840.113549.2.9"), &[0x05, 0x00]]);
    sequence(&[&oid("1.2.840.113549.1.5.12"), &sequence(&[&octets(b"12345678"), &more.concat(), &hmac])])
}

/// RFC 7914 section 7.1.
fn scrypt(n: u64, r: u64, p: u64) -> Vec<u8> {
    let parameters = [octets(b"12345678"), number(n), number(r), number(p)].concat();
    sequence(&[&oid("1.3.6.1.4.1.11591.4.11"), &sequence(&[&parameters])])
}

/// Each is refused before anything is derived: it makes no sense, or would cost minutes or gigabytes.
#[test]
fn a_derivation_has_bounds() {
    for (kdf, error) in [
        (pbkdf2(&[&number(0)]), PbeError::Unsupported),
        (pbkdf2(&[&number(4_000_001)]), PbeError::TooCostly),
        (pbkdf2(&[&number(u64::from(u32::MAX))]), PbeError::TooCostly),
        (pbkdf2(&[&number(1), &number(16)]), PbeError::Unsupported), // a key of AES-128
        (scrypt(0, 8, 1), PbeError::Unsupported),
        (scrypt(1, 8, 1), PbeError::Unsupported),
        (scrypt(1_000, 8, 1), PbeError::Unsupported),
        (scrypt(1 << 17, 8, 1), PbeError::TooCostly),
        (scrypt(1 << 63, 8, 1), PbeError::TooCostly),
        (scrypt(1 << 15, 8, 16), PbeError::TooCostly),
        (scrypt(2, 1 << 15, 1 << 15), PbeError::TooCostly), // memory that p takes
        (scrypt(2, 0, 1), PbeError::Unsupported),
        (scrypt(2, 8, 0), PbeError::Unsupported),
        (sequence(&[&oid("1.2.840.113549.1.5.3"), &sequence(&[])]), PbeError::Unsupported),
    ] {
        let started = std::time::Instant::now();
        let outcome = decrypt(&pbes2_with(&kdf, &[0; 16]), &[0; 16], "secret");
        assert_eq!(outcome.err(), Some(error), "{kdf:02x?}");
        assert!(started.elapsed().as_millis() < 500, "{kdf:02x?}");
    }
}

/// The parts of a file share one budget, of whatever kind they are.
#[test]
fn the_derivations_of_a_file_share_a_budget() {
    let (slow, many) =
        (pbes2_with(&scrypt(1 << 14, 8, 1), &[0; 16]), pbes2_with(&pbkdf2(&[&number(2_000)]), &[0; 16]));
    let mut budget = Budget::default();
    let mut used = 0_u64;
    loop {
        let (algorithm, cost) = if used.is_multiple_of(3) { (&slow, 1 << 17) } else { (&many, 2_000) };
        match super::decrypt(algorithm, &[0; 16], "secret", &mut budget) {
            Err(PbeError::TooCostly) => break assert!(used + cost > 4_000_000, "after {used}"),
            Err(PbeError::WrongPassphrase) | Ok(_) => used += cost,
            other => panic!("{other:?}"),
        }
        assert!(used <= 4_000_000);
    }
    assert_eq!(budget.spend_iterations(0, 1), Err(PbeError::Unsupported));
    assert_eq!(budget.spend_iterations(-1, 1), Err(PbeError::Unsupported));
    assert_eq!(budget.spend_iterations(i32::MAX, u64::MAX), Err(PbeError::TooCostly));
}

#[test]
fn a_ciphertext_of_any_length_is_refused_or_opened() {
    let none = AlgorithmIdentifierOwned { parameters: None, ..pbes2_with(&scrypt(2, 1, 1), &[0; 16]) };
    assert_eq!(decrypt(&none, &[0; 16], "secret").err(), Some(PbeError::Unsupported));
    let short_iv = pbes2_with(&scrypt(2, 1, 1), &[0; 15]);
    assert_eq!(decrypt(&short_iv, &[0; 16], "secret").err(), Some(PbeError::Unsupported));
    let parameters = sequence(&[&octets(b""), &number(1)]);
    let old = |scheme: ObjectIdentifier| {
        let der = sequence(&[&scheme.to_der().unwrap(), &parameters]);
        AlgorithmIdentifierOwned::from_der(&der).unwrap()
    };
    for algorithm in [
        pbes2_with(&scrypt(2, 1, 1), &[0; 16]),
        pbes2_with(&pbkdf2(&[&number(1), &number(32)]), &[0; 16]),
        old(pkcs12::PKCS_12_PBE_WITH_SHAAND3_KEY_TRIPLE_DES_CBC),
        old(pkcs12::PKCS_12_PBE_WITH_SHAAND2_KEY_TRIPLE_DES_CBC),
        old(pkcs12::PKCS_12_PBE_WITH_SHAAND128_BIT_RC2_CBC),
        old(pkcs12::PKCS_12_PBEWITH_SHAAND40_BIT_RC2_CBC),
    ] {
        for length in (0..40).chain([4_096]) {
            for passphrase in ["", "secret"] {
                // By chance the padding may come out right; whole blocks only, and never none.
                match decrypt(&algorithm, &vec![0x5a; length], passphrase) {
                    Ok(plain) => assert!(length > 0 && length % 8 == 0 && plain.len() < length),
                    Err(error) => assert_eq!(error, PbeError::WrongPassphrase, "{length}"),
                }
            }
        }
    }
}
