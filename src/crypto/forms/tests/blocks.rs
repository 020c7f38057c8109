//! PEM texts of several blocks, of blocks that are broken, and of very many.

use super::*;

/// OpenSSL refuses such a block, too. A whole one after it loads.
#[test]
fn a_block_with_two_labels_is_named_as_such() {
    let keys = Keys::new();
    let key = keys.pem("PRIVATE KEY", "pkcs8");
    for (begin, end) in
        [("RSA PRIVATE KEY", "PRIVATE KEY"), ("PRIVATE KEY", "RSA PRIVATE KEY"), ("PRIVATE KEY", "X")]
    {
        let mixed = key
            .replace("BEGIN PRIVATE KEY", &format!("BEGIN {begin}"))
            .replace("END PRIVATE KEY", &format!("END {end}"));
        for text in [mixed.clone(), mixed.replace('\n', " "), format!("{mixed}{mixed}")] {
            let error = private_key("k", &text, None).err().unwrap().to_string();
            assert!(error.contains("BEGIN and END lines have different labels"), "{error}");
        }
        assert!(private_key("k", &format!("{mixed}{key}"), None).is_ok());
    }
    let broken = format!("-----BEGIN \n{key}");
    assert!(private_key("k", &broken, None).is_ok(), "a BEGIN line that was cut, before a whole key");
}

/// As large as a key file may be, and read once.
#[test]
fn many_blocks_take_linear_time() {
    let keys = Keys::new();
    let fill = |piece: &str, end: &str| piece.repeat((1 << 20) / piece.len() - 2) + end;
    for (piece, end) in [
        ("-----BEGIN A-----", "-----END A-----"),
        ("-----BEGIN A-----", ""),
        ("-----BEGIN ", "-----"),
        ("-----BEGIN A-----\n-----END B-----\n", ""),
        ("-----BEGIN A-----\nAAAA\n-----END A-----\n", ""),
        ("-----", "-----BEGIN A-----"),
    ] {
        let text = fill(piece, end);
        let began = std::time::Instant::now();
        assert!(private_key("k", &text, None).is_err());
        assert!(public_key("k", &keys.file("many.pem", text.as_bytes())).is_err());
        assert!(began.elapsed().as_secs() < 20, "{piece}: {:?}", began.elapsed());
    }
}

/// What stands before a key, and does not parse: the key is what was meant.
#[test]
fn a_key_is_named_whatever_stands_before_it() {
    let keys = Keys::new();
    let key = keys.pem("PRIVATE KEY", "pkcs8");
    let damaged = key.replace("MII", "M!I");
    let curve = run_text(&keys, "openssl ecparam -name prime256v1 -genkey");
    for before in ["DSA PARAMETERS", "DH PARAMETERS", "X509 CRL", "CMS", "PKCS12"] {
        let before = pem_of(before, &[0x30, 3, 2, 1, 5]);
        let error = private_key("k", &format!("{before}{curve}"), None).err().unwrap().to_string();
        assert!(error.contains("found an elliptic-curve private key (P-256)"), "{error}");
        assert!(private_key("k", &format!("{before}{key}"), None).is_ok());
    }
    // A damaged key stays the one that is told of, whatever follows.
    let certified = format!("{damaged}{}", keys.pem("CERTIFICATE", "certificate"));
    let error = private_key("k", &certified, None).err().unwrap().to_string();
    assert!(error.contains("the character U+0021"), "{error}");
    let primes = "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_primes:3";
    let primes = run_text(&keys, primes);
    std::fs::write(keys.path("primes.pem"), &primes).unwrap();
    for text in [primes, run_text(&keys, "openssl rsa -in primes.pem -traditional")] {
        let error = private_key("k", &text, None).err().unwrap().to_string();
        assert!(error.contains("more than two primes"), "{error}");
    }
}
