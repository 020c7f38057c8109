//! Keys in every form and from every source: `openssl` verifies what each signs, and an error says what was
//! found instead.

use std::path::Path;

use serde_json::{Value, json};
use wechatpay_chain::{Error, WeChatPay, WeChatPayBuilder};

use crate::support::{
    self, MCHID, MERCHANT_SERIAL, PLATFORM_SERIAL, Recorder, has, key, key_path, openssl_verifies,
};

fn base64(name: &str) -> String {
    key(name).lines().filter(|line| !line.starts_with('-')).collect()
}

fn file(name: &str) -> String {
    format!("file://{}", key_path(name))
}

/// All but the private key and the serial.
fn platform() -> WeChatPayBuilder {
    WeChatPay::builder()
        .mchid(MCHID)
        .platform_key(PLATFORM_SERIAL, key("platform_cert.pem"))
        .base_url("https://example.com/")
}

/// The same as PHP's array, with `more` added.
fn array(more: Value) -> Value {
    let mut array = json!({"mchid": MCHID, "certs": {PLATFORM_SERIAL: key("platform_cert.pem")}});
    array.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    array
}

/// `openssl` verifies the client's signature, and the request names the merchant's certificate.
fn signs(what: &str, wx: &WeChatPay) {
    let prepared = wx["v3/x"].post(json!({"form": what})).prepare().unwrap();
    let header = prepared.authorization().wait().unwrap().unwrap();
    let field = |name: &str| {
        let (_, rest) = header.to_str().unwrap().split_once(&format!("{name}=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    assert_eq!(field("serial_no"), MERCHANT_SERIAL, "{what}");
    if !has("openssl") {
        return;
    }
    let public = key_path("merchant_pub.pem");
    // The message, byte for byte: target and body are known, the rest is in the header.
    let (timestamp, nonce) = (field("timestamp"), field("nonce_str"));
    let message = format!("POST\n/v3/x\n{timestamp}\n{nonce}\n{}\n", json!({"form": what}));
    assert!(openssl_verifies(Path::new(&public), message.as_bytes(), &field("signature")), "{what}");
}

#[test]
fn every_private_form_signs() {
    let recorder = Recorder::no_content();
    let with = |form: &str, passphrase: Option<&str>| {
        let builder = platform().serial(MERCHANT_SERIAL).private_key(form).base_url(&recorder.base);
        match passphrase {
            Some(passphrase) => builder.passphrase(passphrase),
            None => builder,
        }
    };
    for (form, passphrase) in [
        (key("merchant_key.pem"), None),
        (key("merchant_key.pkcs1.pem"), None),
        (file("merchant_key.pem"), None),
        (file("merchant_key.pkcs1.pem"), None),
        (key("merchant_key.pem"), Some("secret")),
        (format!("private.pkcs8://{}", base64("merchant_key.pem")), None),
        (format!("private.pkcs1://{}", base64("merchant_key.pkcs1.pem")), None),
        (key("merchant_key.encrypted.pem"), Some("secret")),
        (file("merchant_key.aes128sha1.pem"), Some("secret")),
        (file("merchant_key.aes192.pem"), Some("secret")),
        (file("merchant_key.scrypt.pem"), Some("secret")),
        (file("merchant_key.pbes1.pem"), Some("secret")),
    ] {
        let wx = with(&form, passphrase).build().unwrap_or_else(|e| panic!("{e}"));
        signs("private", &wx);
        assert_eq!(wx["v3/x"].get_sync().unwrap().status(), 204);
    }
}

#[test]
fn every_public_form_verifies() {
    for form in [
        key("platform_cert.pem"),
        key("platform_pub.pem"),
        key("platform_pub.pkcs1.pem"),
        file("platform_cert.pem"),
        file("platform_pub.pem"),
        format!("public.spki://{}", base64("platform_pub.pem")),
        format!("public.pkcs1://{}", base64("platform_pub.pkcs1.pem")),
    ] {
        let recorder = Recorder::no_content();
        let wx = WeChatPay::builder()
            .mchid(MCHID)
            .serial(MERCHANT_SERIAL)
            .private_key(key("merchant_key.pem"))
            .platform_key(PLATFORM_SERIAL, form)
            .base_url(&recorder.base)
            .build()
            .unwrap();
        assert_eq!(wx["v3/x"].get_sync().unwrap().status(), 204);
    }
}

#[test]
fn the_serial_comes_from_the_certificate() {
    let certificate =
        || platform().private_key(key("merchant_key.pem")).merchant_certificate(file("merchant_cert.pem"));
    signs("certificate", &certificate().build().unwrap());
    signs("the same serial", &certificate().serial(MERCHANT_SERIAL.to_lowercase()).build().unwrap());
    signs("zeros before it", &certificate().serial(format!("00{MERCHANT_SERIAL}")).build().unwrap());
    signs("PEM text", &certificate().merchant_certificate(key("merchant_cert.pem")).build().unwrap());
    for (builder, field, part) in [
        (certificate().serial("ABCD"), "serial", "is `ABCD`, but the certificate in `merchant_certificate`"),
        (
            certificate().private_key(key("platform_key.pem")),
            "merchant_certificate",
            "does not belong to the private key",
        ),
        (
            platform().private_key(key("merchant_key.pem")),
            "serial",
            "is missing: give the serial of the merchant's API certificate",
        ),
        (certificate().private_key(""), "private_key", "is missing"),
    ] {
        config_error(builder.build(), field, part);
    }
    for (certificate, found) in [
        (key("merchant_key.pem"), "found a private key"),
        (key("merchant_pub.pem"), "found a public key"),
        (file("merchant.p12"), "/merchant.p12`; pass it as `p12`"),
        (key("merchant_cert.pem")[..400].to_owned(), "cut or damaged"),
        ("3775B6A4".to_owned(), "8 characters without a PEM header"),
    ] {
        let builder = platform().private_key(key("merchant_key.pem")).merchant_certificate(certificate);
        key_error(builder.build(), "merchant_certificate", found);
    }
}

#[test]
fn a_client_knows_its_certificates() {
    // `openssl` says whether a certificate expires within these seconds.
    let openssl = |file: &str, arguments: &[&str]| {
        let mut openssl = std::process::Command::new("openssl");
        openssl.args(["x509", "-noout", "-in", &key_path(file)]).args(arguments).output().unwrap()
    };
    let ends_at = |file: &str, end: u64| {
        let expires = |seconds: u64| !openssl(file, &["-checkend", &seconds.to_string()]).status.success();
        let left = end - support::now();
        !expires(left - 60) && expires(left + 60)
    };
    let with_certificate =
        platform().private_key(key("merchant_key.pem")).merchant_certificate(file("merchant_cert.pem"));
    let with_p12 = platform().p12(key_path("merchant.p12"), MCHID);
    for wx in [with_certificate.build().unwrap(), with_p12.build().unwrap()] {
        let own = wx.merchant_certificate().unwrap();
        assert_eq!(own.serial, MERCHANT_SERIAL);
        let subject = openssl("merchant_cert.pem", &["-subject"]).stdout;
        let subject = String::from_utf8(subject).unwrap().replace(' ', "");
        assert_eq!(subject.trim(), format!("subject=CN={}", own.common_name.unwrap()));
        let [known] = &wx.known_certificates()[..] else { panic!("one certificate") };
        assert_eq!(known.serial, PLATFORM_SERIAL);
        assert!(ends_at("merchant_cert.pem", own.not_after) && ends_at("platform_cert.pem", known.not_after));
        assert!(own.not_before < own.not_after && known.not_before < known.not_after);
    }
    // Only a serial, and a bare public key.
    let bare = platform().private_key(key("merchant_key.pem")).serial(MERCHANT_SERIAL).build().unwrap();
    assert_eq!(bare.merchant_certificate(), None);
    bare.add_platform_key("PUB_KEY_ID_1", key("platform_pub.pem")).unwrap();
    bare.remove_platform_key(PLATFORM_SERIAL).unwrap();
    assert_eq!(bare.known_certificates(), []);
}

#[test]
fn a_p12_gives_key_and_serial() {
    for name in ["merchant.p12", "merchant.legacy.p12", "merchant.nomac.p12", "merchant.plain.p12"] {
        signs(name, &platform().p12(key_path(name), MCHID).build().unwrap());
        signs(name, &platform().p12(file(name), MCHID).serial(MERCHANT_SERIAL).build().unwrap());
        signs(name, &WeChatPay::factory(array(json!({"p12": file(name)}))).unwrap());
        signs(name, &WeChatPay::factory(array(json!({"p12": [file(name), MCHID]}))).unwrap());
    }
    // Without its certificate the serial has to come from somewhere else.
    let bare = || platform().p12(key_path("merchant.nocert.p12"), MCHID);
    config_error(bare().build(), "p12", "has no certificate");
    signs("serial", &bare().serial(MERCHANT_SERIAL).build().unwrap());
    signs("certificate", &bare().merchant_certificate(key("merchant_cert.pem")).build().unwrap());

    let p12 = || platform().p12(key_path("merchant.p12"), MCHID);
    config_error(
        p12().private_key(key("merchant_key.pem")).build(),
        "p12",
        "and `private_key` are mutually exclusive",
    );
    config_error(p12().serial("ABCD").build(), "serial", "the certificate in `p12`");
    config_error(
        p12().merchant_certificate(key("platform_cert.pem")).build(),
        "merchant_certificate",
        "does not belong to the private key",
    );
    for (path, passphrase, found) in [
        (key_path("merchant.p12"), "wrong", "the passphrase is wrong"),
        (key_path("merchant.legacy.p12"), "", "the passphrase is wrong"),
        (key_path("merchant.nomac.p12"), "wrong", "the passphrase is wrong"),
        (key_path("merchant.nokey.p12"), MCHID, "without a private key"),
        (key_path("merchant_key.pem"), MCHID, "/merchant_key.pem`; pass it as the private key"),
        (key_path("README.md"), MCHID, "a file in another format"),
        (key("merchant_key.pem"), MCHID, "a text that is not a path"),
        ("/no/such.p12".to_owned(), MCHID, "`/no/such.p12`, which does not exist"),
    ] {
        key_error(platform().p12(path, passphrase).build(), "p12", found);
    }
}

#[test]
fn phps_pair_of_key_and_passphrase() {
    let factory =
        |private: Value| WeChatPay::factory(array(json!({"serial": MERCHANT_SERIAL, "privateKey": private})));
    signs("a pair", &factory(json!([file("merchant_key.encrypted.pem"), "secret"])).unwrap());
    signs("not needed", &factory(json!([key("merchant_key.pem"), "secret"])).unwrap());
    signs("null", &factory(json!([key("merchant_key.pem"), null])).unwrap());
    key_error(
        factory(json!([file("merchant_key.encrypted.pem"), "other"])),
        "privateKey",
        "the passphrase is wrong",
    );
    key_error(
        factory(json!([file("merchant_key.encrypted.pem"), ""])),
        "privateKey",
        "a passphrase is needed",
    );
    let certificate = array(
        json!({"privateKey": file("merchant_key.pem"), "merchantCertificate": file("merchant_cert.pem")}),
    );
    signs("certificate", &WeChatPay::factory(certificate).unwrap());
}

#[test]
fn a_wrong_key_says_what_was_found() {
    let private = |pem: String, found: &str| {
        let builder = support::builder("https://example.com/").private_key(pem).passphrase("other");
        key_error(builder.build(), "private_key", found);
    };
    let cut = key("merchant_key.pem")[..300].to_owned();
    for (pem, found) in [
        (key("merchant_cert.pem"), "found an X.509 certificate"),
        (key("merchant_pub.pem"), "found a public key"),
        (key("merchant_key.encrypted.pem"), "the passphrase is wrong"),
        (key("merchant_key.scrypt.pem"), "the passphrase is wrong"),
        (key("merchant_key.pbes1.pem"), "the passphrase is wrong"),
        (key("merchant_key.des3.pem"), "an encryption that is not supported"),
        (
            key("merchant_key.pkcs1.encrypted.pem"),
            "convert it: `openssl pkcs8 -topk8 -in old.pem -out new.pem`",
        ),
        (key("ec_key.pem"), "found an elliptic-curve private key (P-256)"),
        (key("ec_key.pkcs8.pem"), "found an elliptic-curve private key (P-256)"),
        (key("weak_key.pem"), "2048 to 8192 bits"),
        (file("merchant.p12"), "/merchant.p12`; pass it as `p12`"),
        (file("README.md"), "without a PEM header"),
        ("MIIEvQ".to_owned(), "found 6 characters without a PEM header"),
        (" \n".to_owned(), "found an empty text"),
        (cut.clone(), "cut or damaged"),
        ("file:///no/such/file.pem".to_owned(), "`/no/such/file.pem`, which does not exist"),
        (format!("file://{}", env!("CARGO_MANIFEST_DIR")), "which is a directory"),
        (format!("public.spki://{}", base64("merchant_pub.pem")), "found a public key"),
        (format!("private.pkcs8://{}", base64("merchant_pub.pem")), "found a public key"),
        ("private.pkcs8://".to_owned(), "without valid base64"),
        ("private.pkcs1://MII*".to_owned(), "without valid base64"),
        ("private.sec1://MIIE".to_owned(), "a `private.…://` text with an unknown scheme"),
    ] {
        private(pem, found);
    }
    let no_passphrase =
        support::builder("https://example.com/").private_key(key("merchant_key.encrypted.pem"));
    key_error(no_passphrase.build(), "private_key", "found an encrypted PKCS#8 key: a passphrase is needed");
    for (pem, found) in [
        (key("platform_key.pem"), "found a private key"),
        (key("merchant_key.encrypted.pem"), "found a private key"),
        (key("ec_pub.pem"), "found an elliptic-curve public key (P-256)"),
        (key("weak_pub.pem"), "1024 bits"),
        (cut, "cut or damaged"),
        (format!("private.pkcs8://{}", base64("platform_key.pem")), "found a private key"),
        (file("merchant.p12"), "found a PKCS#12 file"),
    ] {
        let builder = support::builder("https://example.com/").platform_key("PUB_KEY_ID_9", pem);
        key_error(builder.build(), "platform_key[\"PUB_KEY_ID_9\"]", found);
    }
    let missing = support::builder("https://example.com/").private_key("file:///no/such/file.pem").build();
    let Err(Error::Key(error)) = missing else { panic!() };
    assert!(std::error::Error::source(&*error).is_some());
}

fn config_error(result: Result<WeChatPay, Error>, field: &str, part: &str) {
    let Err(Error::Config(error)) = result else { panic!("not a Config error: {result:?}") };
    assert!(error.field() == field && error.to_string().contains(part), "{error}");
}

fn key_error(result: Result<WeChatPay, Error>, name: &str, found: &str) {
    let Err(Error::Key(error)) = result else { panic!("not a Key error ({found}): {result:?}") };
    assert!(error.name == name && error.to_string().contains(found), "{error}");
}
