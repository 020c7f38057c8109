use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::conformance::Vectors;

pub(super) fn path(name: &str) -> String {
    format!("{}/tests/keys/{name}", env!("CARGO_MANIFEST_DIR"))
}

pub(super) fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

pub(super) fn signature(key: &PrivateKey) -> String {
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
        (text("merchant_key.pem"), Some("not needed, ignored")),
        (format!("\u{feff}Bag Attributes\n  friendlyName: x\n{both}"), None),
        (format!("file://{}", path("merchant_key.pem")), None),
        (format!("private.pkcs8://{}", base64("merchant_key.pem")), None),
        (format!("private.pkcs1://{}", base64("merchant_key.pkcs1.pem")), None),
    ] {
        let key = private_key("k", &form, passphrase).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(signature(&key), plain);
    }
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
    for name in ["merchant_key.pem", "merchant_key.pkcs1.pem"] {
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
        ("ec_key.pem", "found an elliptic-curve private key (P-256) in `"),
        ("ec_key.pkcs8.pem", "found an elliptic-curve private key (P-256) in `"),
    ] {
        let error = private_key("k", &der(name), None).err().unwrap().to_string();
        assert!(error.contains(found), "{name}: {error}");
    }
    let error = public_key("k", &der("merchant_key.pem")).err().unwrap().to_string();
    assert!(error.contains("found a private key"), "{error}");
    let cut = dir.path().join("cut.der");
    std::fs::write(&cut, &::pem::parse(text("merchant_key.pem")).unwrap().contents()[..500]).unwrap();
    let error = private_key("k", &format!("file://{}", cut.display()), None).err().unwrap().to_string();
    assert!(error.contains("found binary data (DER) that is cut: 500 bytes of "), "{error}");
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
    assert!(error.contains("found an RSA-PSS public key"), "{error}");
}

#[test]
fn conformance_serials_equal_phps() {
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
    println!("PemUtil.parseCertificateSerialNo: {compared} compared, all equal");
    assert!(compared > 0);
}

#[test]
fn conformance_pkcs1_and_spki_are_one_key_as_in_php() {
    let Some(vectors) = Vectors::of("Rsa.pkcs1ToSpki") else { return };
    let (mut compared, mut keys) = (0, 0);
    for vector in vectors.iter() {
        let (pkcs1, spki) = (vector["input"].as_str().unwrap(), vector["output"].as_str().unwrap());
        let load = |form: String| public_key("k", &form).ok().map(|loaded| loaded.key.pkcs1_der());
        let both = (load(format!("public.pkcs1://{pkcs1}")), load(format!("public.spki://{spki}")));
        // PHP wraps any bytes; those that are not a key load in neither form.
        assert_eq!(both.0, both.1);
        compared += 1;
        keys += usize::from(both.0.is_some_and(|der| STANDARD.encode(der) == pkcs1));
    }
    println!("Rsa.pkcs1ToSpki: {compared} compared, all equal; {keys} of them are keys");
    assert!(compared > 0);
}

#[cfg(not(feature = "p12"))]
#[test]
fn a_key_with_a_passphrase_names_the_feature_that_it_needs() {
    let encrypted = private_key("k", &text("merchant_key.encrypted.pem"), Some("secret")).err();
    let file = p12("p", &path("merchant.p12"), "1900000109").err();
    for error in [encrypted, file] {
        let error = error.unwrap().to_string();
        assert!(error.contains("needs the cargo feature `p12` of `wechatpay-chain`"), "{error}");
    }
}
