use super::*;
use crate::crypto::keys::private_key;
use crate::crypto::keys::tests::{path, signature, text};

#[test]
fn every_protected_form_gives_the_same_signature() {
    let plain = signature(&private_key("k", &text("merchant_key.pem"), None).unwrap());
    let dir = tempfile::tempdir().unwrap();
    let der = |name: &str| {
        let file = dir.path().join(name);
        std::fs::write(&file, ::pem::parse(text(name)).unwrap().contents()).unwrap();
        format!("file://{}", file.display())
    };
    for form in [
        text("merchant_key.encrypted.pem").replace('\n', "\\n"),
        text("merchant_key.encrypted.pem"), // AES-256, HMAC-SHA-256
        text("merchant_key.aes128sha1.pem"),
        text("merchant_key.aes192.pem"),
        text("merchant_key.scrypt.pem"),
        text("merchant_key.pbes1.pem"),
        der("merchant_key.encrypted.pem"),
        der("merchant_key.scrypt.pem"),
        der("merchant_key.pbes1.pem"),
    ] {
        let key = private_key("k", &form, Some("secret")).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(signature(&key), plain);
    }
    for name in ["merchant.p12", "merchant.legacy.p12", "merchant.nomac.p12", "merchant.plain.p12"] {
        let loaded = p12("p", &path(name), "1900000109").unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(signature(&loaded.key), plain, "{name}");
        let serial = "3775B6A45ACD588826D15E583A95F5DD12345678";
        assert_eq!(loaded.certificate.as_ref().map(|found| found.serial.as_str()), Some(serial), "{name}");
    }
    let loaded = p12("p", &format!("file://{}", path("merchant.nocert.p12")), "1900000109").unwrap();
    assert!(signature(&loaded.key) == plain && loaded.certificate.is_none());
}

/// The passphrase stands where the path belongs: it is not shown.
#[test]
fn a_path_and_a_passphrase_that_are_swapped_are_not_shown() {
    for path in [path("merchant.p12"), "file:///etc/apiclient_cert.pem".into(), "\"CERT.PFX\" ".into()] {
        let error = p12("p", "a passphrase", &path).err().unwrap();
        let text = format!("{error} {error:?}");
        assert!(text.contains("the path comes first") && !text.contains("a passphrase`"), "{text}");
        assert!(!text.contains(path.trim()), "{text}");
    }
    let error = p12("p", "no-such-file", "a passphrase").err().unwrap().to_string();
    assert!(error.contains("the file `no-such-file`, which does not exist"), "{error}");
}

/// The certificate that counts is the key's, not the first one; the passphrase is not ASCII, the MAC SHA-512.
#[test]
fn of_several_certificates_the_keys_own_counts() {
    let loaded = p12("p", &path("platform.chain.p12"), "pässwörd-密码").unwrap();
    assert_eq!(
        loaded.certificate.map(|found| found.serial).as_deref(),
        Some("7132D72A03E93CDDF8C03BBD1F37EEDF87654321")
    );
}

#[test]
fn a_damaged_p12_is_refused_wherever_the_damage_is() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("damaged.p12");
    for name in ["merchant.p12", "merchant.legacy.p12"] {
        let whole = std::fs::read(path(name)).unwrap();
        for length in (0..whole.len()).step_by(97) {
            std::fs::write(&file, &whole[..length]).unwrap();
            assert!(p12("p", file.to_str().unwrap(), "1900000109").is_err(), "{name} cut at {length}");
        }
        // One byte inside the encrypted part: the MAC sees it.
        let mut changed = whole;
        changed[400] ^= 1;
        std::fs::write(&file, &changed).unwrap();
        let error = p12("p", file.to_str().unwrap(), "1900000109").err().unwrap().to_string();
        assert!(error.contains("the passphrase is wrong"), "{error}");
    }
    std::fs::write(&file, [0x30, 0x80, 2, 1, 3, 0x30, 0x80]).unwrap();
    let error = p12("p", file.to_str().unwrap(), "x").err().unwrap().to_string();
    assert!(error.contains("in BER"), "{error}");
}
