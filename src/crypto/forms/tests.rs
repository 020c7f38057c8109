//! Keys that `openssl` and `ssh-keygen` write, under each label and in each encoding: what loads is the same key, and
//! what does not is named as what it is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::*;
use crate::crypto::keys::{any_certificate, certificate, private_key, public_key};

mod blocks;
mod foreign;

/// A folder with keys, made once for each test that asks.
struct Keys {
    folder: tempfile::TempDir,
    der: BTreeMap<&'static str, Vec<u8>>,
}

fn run(folder: &Path, line: &str) -> Vec<u8> {
    let mut words = line.split(' ');
    let output = Command::new(words.next().unwrap())
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("{line}: {e}"));
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

impl Keys {
    fn new() -> Keys {
        let folder = tempfile::tempdir().unwrap();
        let own = |name: &str| format!("{}/tests/keys/{name}", env!("CARGO_MANIFEST_DIR"));
        let (key, cert) = (own("merchant_key.pem"), own("merchant_cert.pem"));
        let mut der = BTreeMap::new();
        for (name, line) in [
            ("pkcs8", format!("openssl pkcs8 -topk8 -nocrypt -in {key} -outform DER")),
            ("encrypted", format!("openssl pkcs8 -topk8 -in {key} -passout pass:secret -outform DER")),
            ("pkcs1", format!("openssl rsa -in {key} -traditional -outform DER")),
            ("spki", format!("openssl pkey -in {key} -pubout -outform DER")),
            ("pkcs1public", format!("openssl rsa -in {key} -RSAPublicKey_out -outform DER")),
            ("certificate", format!("openssl x509 -in {cert} -outform DER")),
            ("request", format!("openssl req -new -key {key} -subj /CN=x -outform DER")),
        ] {
            der.insert(name, run(folder.path(), &line));
        }
        Keys { folder, der }
    }

    fn pem(&self, label: &str, name: &str) -> String {
        pem_of(label, &self.der[name])
    }

    fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        format!("file://{}", path.display())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn pem_of(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: Vec<_> = base64.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

const LABELS: [&str; 11] = [
    "PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "PUBLIC KEY",
    "RSA PUBLIC KEY",
    "CERTIFICATE",
    "X509 CERTIFICATE",
    "TRUSTED CERTIFICATE",
    "KEY",
    "ANY PRIVATE KEY",
];

#[test]
fn the_der_decides_and_not_the_label() {
    let keys = Keys::new();
    let private =
        |text: &str| private_key("k", text, Some("secret")).map(|key| key.sign_base64(b"m").unwrap());
    let expected = private(&keys.pem("PRIVATE KEY", "pkcs8")).unwrap();
    for label in LABELS {
        for (name, is_private, is_public) in [
            ("pkcs8", true, false),
            ("encrypted", true, false),
            ("pkcs1", true, false),
            ("spki", false, true),
            ("pkcs1public", false, true),
            ("certificate", false, true),
            ("request", false, false),
        ] {
            let text = keys.pem(label, name);
            for form in [text.clone(), text.replace('\n', "\\n"), keys.file("mixed.pem", text.as_bytes())] {
                let outcome = private(&form).map_err(|e| e.to_string());
                match is_private {
                    true if name == "encrypted" && cfg!(not(feature = "p12")) => {
                        assert!(outcome.unwrap_err().contains("feature `p12`"), "{name} under {label}");
                    }
                    true => assert_eq!(outcome.as_ref(), Ok(&expected), "{name} under {label}"),
                    false => assert!(outcome.is_err(), "{name} under {label}"),
                }
                match (public_key("k", &form), is_public) {
                    (Ok(public), true) => {
                        assert!(public.key.verifies(&[b"m"], expected.as_bytes()), "{name} under {label}");
                        // A certificate must not pass as a bare key: the serial of a bare key is not checked.
                        assert_eq!(
                            public.certificate.is_some(),
                            name == "certificate",
                            "{name} under {label}"
                        );
                    }
                    (Err(_), false) => {}
                    (outcome, _) => {
                        panic!("{name} under {label}: {:?}", outcome.err().map(|e| e.to_string()))
                    }
                }
                assert_eq!(certificate("k", &form).is_ok(), name == "certificate", "{name} under {label}");
                assert_eq!(
                    any_certificate("k", &form).is_ok(),
                    name == "certificate",
                    "{name} under {label}"
                );
            }
        }
    }
    // The schemes of PHP are labels, too.
    for (scheme, name) in
        [("private.pkcs8", "pkcs1"), ("private.pkcs1", "pkcs8"), ("private.pkcs8", "encrypted")]
    {
        if name == "encrypted" && cfg!(not(feature = "p12")) {
            continue;
        }
        let text = format!("{scheme}://{}", STANDARD.encode(&keys.der[name]));
        assert_eq!(private(&text).unwrap(), expected, "{name} after {scheme}");
        assert_eq!(private(&format!(" \"{text}\"\n")).unwrap(), expected, "{name} after {scheme}");
    }
    for (scheme, name) in
        [("public.spki", "pkcs1public"), ("public.pkcs1", "spki"), ("public.spki", "certificate")]
    {
        assert!(public_key("k", &format!("{scheme}://{}", STANDARD.encode(&keys.der[name]))).is_ok());
    }
}

/// OpenSSL's own text before a block, its data after a certificate, several blocks, and a damaged one before the key.
#[test]
fn the_right_block_is_found_among_others() {
    let keys = Keys::new();
    std::fs::write(keys.path("cert.pem"), keys.pem("CERTIFICATE", "certificate")).unwrap();
    let trusted = String::from_utf8(run(
        keys.folder.path(),
        "openssl x509 -in cert.pem -trustout -addtrust serverAuth -setalias x",
    ))
    .unwrap();
    assert!(trusted.starts_with("-----BEGIN TRUSTED"), "{trusted}");
    assert!(certificate("k", &trusted).is_ok());
    let curve =
        String::from_utf8(run(keys.folder.path(), "openssl ecparam -name prime256v1 -genkey")).unwrap();
    let key = keys.pem("PRIVATE KEY", "pkcs8");
    let damaged = key.replace("MII", "M!I");
    for text in [
        format!("{curve}{key}"),
        format!("{damaged}{key}"),
        format!("{}\n{key}", &key[..200]), // its END is missing
        format!("Bag Attributes\n    friendlyName: x\n{}{key}", keys.pem("CERTIFICATE", "certificate")),
    ] {
        let loaded = private_key("k", &text, None);
        assert!(loaded.is_ok(), "{:?}", loaded.err().map(|e| e.to_string()));
    }
    let error = private_key("k", &curve, None).err().unwrap().to_string();
    assert!(error.contains("found an elliptic-curve private key (P-256)"), "{error}");
    let error = private_key("k", &run_text(&keys, "openssl ecparam -name prime256v1"), None).err().unwrap();
    assert!(error.to_string().contains("found the parameters of an elliptic curve"), "{error}");
}

fn run_text(keys: &Keys, line: &str) -> String {
    String::from_utf8(run(keys.folder.path(), line)).unwrap()
}

#[test]
fn a_text_that_is_not_a_key_says_how_to_write_a_path() {
    for (text, found) in [
        ("/etc/wxpay/apiclient_key.pem", "write a path as `file://…`"),
        ("apiclient_key.pem", "write a path as `file://…`"),
        ("file:/etc/key.pem", "write a path as `file://…`"),
        ("C:\\wxpay\\key.pem", "write a path as `file://…`"),
        ("private.sec1://MIIE", "with an unknown scheme"),
        ("public.x509://MIIE", "with an unknown scheme"),
        ("private.pkcs8://", "without valid base64"),
        ("private.pkcs8://AAAA", "something else than a key"),
        (" ", "an empty text"),
        ("\"\"", "an empty text"),
        ("file://", "does not exist"),
        ("file:///no/such/key.pem", "the file `/no/such/key.pem`, which does not exist"),
        ("file://~/key.pem", "instead of `~`"),
        ("file:///C:/no%20such/key.pem", "Windows"),
        ("file://C:\\no\\such\\key.pem", "Windows"),
        ("file:///no/such%20key.pem", "without percent-encoding"),
        ("file://-----BEGIN PRIVATE KEY-----\nMIIE", "not a path"),
        ("file:///dev/zero", "is a device"),
        ("file:///tmp", "is a directory"),
    ] {
        let error = private_key("k", text, None).err().unwrap().to_string();
        assert!(error.contains(found), "{text}: {error}");
        assert_eq!(error.contains("write a path"), found.contains("write a path"), "{text}: {error}");
    }
}
