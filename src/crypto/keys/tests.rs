use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::vectors::Vectors;

fn path(name: &str) -> String {
    format!("{}/tests/keys/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

fn signature(key: &PrivateKey) -> String {
    key.sign_base64(b"one message").unwrap()
}

#[test]
fn every_private_form_gives_the_same_signature() {
    let plain = signature(&private_key("k", &text("merchant_key.pem"), None).unwrap());
    let base64 = |name: &str| text(name).lines().filter(|l| !l.starts_with('-')).collect::<String>();
    let one_line = |name: &str| text(name).replace('\n', "\\n");
    let both = text("merchant_cert.pem") + &text("merchant_key.pem");
    for (form, passphrase) in [
        (text("merchant_key.pkcs1.pem"), None),
        (text("merchant_key.pem").replace('\n', "\r\n"), None),
        (one_line("merchant_key.pem"), None),
        (one_line("merchant_key.encrypted.pem"), Some("secret")),
        (text("merchant_key.pem"), Some("not needed, not looked at")),
        (format!("\u{feff}Bag Attributes\n  friendlyName: x\n{both}"), None),
        (format!("file://{}", path("merchant_key.pem")), None),
        (format!("private.pkcs8://{}", base64("merchant_key.pem")), None),
        (format!("private.pkcs1://{}", base64("merchant_key.pkcs1.pem")), None),
        (text("merchant_key.encrypted.pem"), Some("secret")), // AES-256, HMAC-SHA-256
        (text("merchant_key.aes128sha1.pem"), Some("secret")),
        (text("merchant_key.aes192.pem"), Some("secret")),
        (text("merchant_key.scrypt.pem"), Some("secret")),
        (text("merchant_key.pbes1.pem"), Some("secret")),
    ] {
        let key = private_key("k", &form, passphrase).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(signature(&key), plain);
    }
    for name in ["merchant.p12", "merchant.legacy.p12", "merchant.nomac.p12", "merchant.plain.p12"] {
        let loaded = p12("p", &path(name), "1900000109").unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(signature(&loaded.key), plain, "{name}");
        let serial = "3775B6A45ACD588826D15E583A95F5DD12345678";
        assert_eq!(loaded.certificate_serial.as_deref(), Some(serial), "{name}");
    }
    let loaded = p12("p", &format!("file://{}", path("merchant.nocert.p12")), "1900000109").unwrap();
    assert_eq!((signature(&loaded.key), loaded.certificate_serial), (plain, None));
}

/// The certificate that counts is the key's, not the first one; the passphrase is not ASCII, the MAC SHA-512.
#[test]
fn of_several_certificates_the_keys_own_counts() {
    let loaded = p12("p", &path("platform.chain.p12"), "pässwörd-密码").unwrap();
    assert_eq!(loaded.certificate_serial.as_deref(), Some("7132D72A03E93CDDF8C03BBD1F37EEDF87654321"));
}

#[test]
fn der_files_load() {
    let dir = tempfile::tempdir().unwrap();
    let der = |name: &str| {
        let file = dir.path().join(name);
        std::fs::write(&file, ::pem::parse(text(name)).unwrap().contents()).unwrap();
        format!("file://{}", file.display())
    };
    let plain = signature(&private_key("k", &text("merchant_key.pem"), None).unwrap());
    for name in [
        "merchant_key.pem",
        "merchant_key.pkcs1.pem",
        "merchant_key.encrypted.pem",
        "merchant_key.scrypt.pem",
        "merchant_key.pbes1.pem",
    ] {
        let key = private_key("k", &der(name), Some("secret")).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(signature(&key), plain, "{name}");
    }
    for name in ["merchant_pub.pem", "merchant_pub.pkcs1.pem", "merchant_cert.pem"] {
        let public = public_key("k", &der(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(public.key.verifies(&[b"one message"], plain.as_bytes()), "{name}");
    }
    for (name, found) in [
        ("merchant_cert.pem", "found an X.509 certificate"),
        ("merchant_pub.pem", "found a public key"),
        ("merchant_pub.pkcs1.pem", "found a public key"),
        ("ec_key.pem", "found an elliptic-curve key"),
        ("ec_key.pkcs8.pem", "`DER` that is not an RSA key"),
    ] {
        let error = private_key("k", &der(name), None).err().unwrap().to_string();
        assert!(error.contains(found), "{name}: {error}");
    }
    let error = public_key("k", &der("merchant_key.pem")).err().unwrap().to_string();
    assert!(error.contains("found a private key"), "{error}");
    let cut = dir.path().join("cut.der");
    std::fs::write(&cut, &::pem::parse(text("merchant_key.pem")).unwrap().contents()[..500]).unwrap();
    let error = private_key("k", &format!("file://{}", cut.display()), None).err().unwrap().to_string();
    assert!(error.contains("a DER file that is no key"), "{error}");
}

#[test]
fn every_public_form_verifies() {
    let base64 = |name: &str| text(name).lines().filter(|l| !l.starts_with('-')).collect::<String>();
    let signature = signature(&private_key("k", &text("merchant_key.pem"), None).unwrap());
    for form in [
        text("merchant_pub.pem"),
        text("merchant_pub.pkcs1.pem"),
        text("merchant_cert.pem"),
        text("merchant_key.pem") + &text("merchant_cert.pem"),
        format!("file://{}", path("merchant_cert.pem")),
        format!("public.spki://{}", base64("merchant_pub.pem")),
        format!("public.pkcs1://{}", base64("merchant_pub.pkcs1.pem")),
    ] {
        let loaded = public_key("k", &form).unwrap_or_else(|e| panic!("{e}"));
        assert!(loaded.key.verifies(&[b"one ", b"message"], signature.as_bytes()));
        assert!(!loaded.key.verifies(&[b"another message"], signature.as_bytes()));
    }
}

/// Such a key must not verify PKCS#1 v1.5, whatever the library reads.
#[test]
fn a_key_for_rsassa_pss_is_refused() {
    use x509_cert::der::Encode as _;
    let der = ::pem::parse(text("merchant_pub.pem")).unwrap().into_contents();
    let mut spki = SubjectPublicKeyInfoRef::from_der(&der).unwrap();
    spki.algorithm.oid = x509_cert::der::asn1::ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
    spki.algorithm.parameters = None;
    let pss = STANDARD.encode(spki.to_der().unwrap());
    let error = public_key("k", &format!("public.spki://{pss}")).err().unwrap().to_string();
    assert!(error.contains("does not parse as an RSA key"), "{error}");
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
        assert!(error.contains("the passphrase does not fit"), "{error}");
    }
    std::fs::write(&file, [0x30, 0x80, 2, 1, 3, 0x30, 0x80]).unwrap();
    let error = p12("p", file.to_str().unwrap(), "x").err().unwrap().to_string();
    assert!(error.contains("in BER"), "{error}");
}

#[test]
fn the_serials_are_phps() {
    let Some(vectors) = Vectors::of("PemUtil.parseCertificateSerialNo") else { return };
    let mut compared = 0;
    for vector in vectors.iter() {
        let pem = match (&vector["input"]["pem"], &vector["input"]["file"]) {
            (serde_json::Value::String(pem), _) => pem.clone(),
            (_, serde_json::Value::String(file)) => vectors.key(file),
            _ => continue,
        };
        match vector["output"].as_str() {
            Some(serial) => {
                let loaded = certificate("c", &pem).unwrap_or_else(|e| panic!("{e}: {vector}"));
                assert_eq!(loaded.certificate.map(|certified| certified.serial).as_deref(), Some(serial));
            }
            None => assert!(certificate("c", &pem).is_err(), "{vector}"),
        }
        compared += 1;
    }
    assert!(compared >= 20, "{compared}");
}

#[test]
fn pkcs1_and_spki_are_one_key_as_in_php() {
    let Some(vectors) = Vectors::of("Rsa.pkcs1ToSpki") else { return };
    let mut compared = 0;
    for vector in vectors.iter() {
        let (pkcs1, spki) = (vector["input"].as_str().unwrap(), vector["output"].as_str().unwrap());
        let load = |form: String| public_key("k", &form).ok().map(|loaded| loaded.key.pkcs1_der());
        let both = (load(format!("public.pkcs1://{pkcs1}")), load(format!("public.spki://{spki}")));
        // PHP wraps anything; what is no key stays none.
        assert_eq!(both.0, both.1);
        compared += usize::from(both.0.is_some_and(|der| STANDARD.encode(der) == pkcs1));
    }
    assert!(compared >= 1, "{compared}");
}
