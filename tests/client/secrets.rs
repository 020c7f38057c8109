//! No key, no secret and no signature shows in any `Debug`, any error, or any of its sources.

use std::error::Error as _;
use std::fmt::Debug;

use base64::Engine as _;
use serde_json::json;
use wechatpay_chain::sandbox::{Fault, FaultRule, Sandbox, SandboxResponse};
use wechatpay_chain::{Error, SystemClock, WeChatPay};

use crate::support::{self, sandbox_builder, start_sandbox};

const PASSPHRASE: &str = "a passphrase that fits nothing";

/// Everything that must not show: keys as text and in pieces, the APIv3 key in several spellings.
fn secrets(sandbox: &Sandbox) -> Vec<String> {
    let mut all = vec![
        sandbox.apiv3_key().to_owned(),
        format!("{:?}", sandbox.apiv3_key().as_bytes()),
        "apiv2 secret of 32 bytes 01234567".into(),
        PASSPHRASE.into(),
    ];
    let pem = sandbox.merchant_key_pem();
    let other = ["merchant_key.pem", "merchant_key.encrypted.pem", "merchant_key.pkcs1.encrypted.pem"];
    let other = other.map(support::key);
    for text in std::iter::once(pem).chain(other.iter().map(String::as_str)) {
        all.extend(text.lines().filter(|l| l.len() > 30 && !l.contains("---")).map(str::to_owned));
        // The old encryption uses PEM headers, which other parsers may refuse.
        let Ok(der) = pem::parse(text) else { continue };
        all.push(format!("{:?}", &der.contents()[100..116]).trim_matches(['[', ']']).to_owned());
    }
    all
}

fn check(secrets: &[String], what: &str, text: &str) {
    for secret in secrets {
        assert!(!text.contains(secret), "{what} shows {secret}: {text}");
    }
    // A signature is 256 bytes: 344 characters of base64.
    let longest = text.split(|c: char| !(c.is_ascii_alphanumeric() || "+/=".contains(c))).map(str::len).max();
    assert!(longest.unwrap_or(0) < 300, "{what} shows something like a signature: {text}");
}

fn check_debug(secrets: &[String], value: &(impl Debug + ?Sized)) {
    check(secrets, std::any::type_name_of_val(value), &format!("{value:?}{value:#?}"));
}

fn check_error(secrets: &[String], error: &Error) {
    check(secrets, "an error", &format!("{error} {error:?} {error:#?}"));
    let mut cause = error.source();
    while let Some(inner) = cause {
        check(secrets, "a source", &format!("{inner} {inner:?}"));
        cause = inner.source();
    }
}

#[test]
fn nothing_secret_shows_anywhere() {
    let sandbox = sandbox_builder().strict(true).start().unwrap();
    let secrets = secrets(&sandbox);
    let wx = sandbox.client().unwrap();
    let request = || wx["v3/security/echo"].post(json!({"echo_message": "x"}));

    // Every public type with `Debug` or `Display`.
    check_debug(&secrets, &sandbox.client_builder());
    check_debug(&secrets, &sandbox.client_builder().passphrase(PASSPHRASE).p12(PASSPHRASE, PASSPHRASE));
    check_debug(&secrets, &sandbox.client_builder().merchant_certificate(sandbox.merchant_key_pem()));
    check_debug(&secrets, &wx);
    check_debug(&secrets, &wx["v3/security/echo"]);
    check_debug(&secrets, &request());
    check_debug(&secrets, &request().var("a", "b").header("X", "y"));
    let prepared = request().prepare().unwrap();
    prepared.authorization().wait().unwrap();
    check_debug(&secrets, &prepared);
    check_debug(&secrets, prepared.headers());
    check_debug(&secrets, &prepared.authorization().wait().unwrap());
    let response = request().wait().unwrap();
    check_debug(&secrets, &response);
    check_debug(&secrets, &SystemClock);
    check_debug(&secrets, &wx.jsapi_params("wx1", "prepay"));
    let (headers, body) =
        sandbox.notification("TRANSACTION.SUCCESS", "transaction", &json!({"a": 1})).unwrap();
    let notification = wx.notification(&headers, body.clone()).wait().unwrap();
    check_debug(&secrets, &notification);
    check_debug(&secrets, &notification.accept());
    check_debug(&secrets, &wechatpay_chain::Media::bytes("a.jpg", b"x".to_vec()));
    check_debug(&secrets, &wx["v3/x"].get().save_to("/nowhere/x"));
    let folder = tempfile::tempdir().unwrap();
    let order = json!({
        "appid": "wx1", "mchid": wx.mchid(), "description": "d", "out_trade_no": "P1234567",
        "notify_url": "https://www.example.com/notify", "amount": {"total": 1},
    });
    wx["v3/pay/transactions/native"].post_sync(order).unwrap();
    let paid = sandbox.pay("P1234567").unwrap();
    sandbox.advance(std::time::Duration::from_secs(2 * 24 * 3600)).unwrap();
    let bill = || wx.bill("v3/bill/tradebill").date(&paid["success_time"].as_str().unwrap()[..10]);
    check_debug(&secrets, &bill());
    check_debug(&secrets, &bill().save_to(folder.path().join("bill.csv")).wait().unwrap());
    check_debug(&secrets, &sandbox.client_builder().proxy("http://user:apiv2 secret@proxy.example/"));
    check_debug(&secrets, &sandbox);
    check_debug(&secrets, &Sandbox::builder().apiv3_key(sandbox.apiv3_key()));
    check_debug(&secrets, &sandbox.requests());
    check_debug(&secrets, &SandboxResponse::new(200).json(json!({})));
    check_debug(&secrets, &Fault::BadSignature);
    check_debug(&secrets, &FaultRule::new(Fault::BadSignature));
    sandbox.notify("http://127.0.0.1:9/", "REFUND.SUCCESS", "refund", &json!({"a": sandbox.apiv3_key()}));
    while sandbox.notifications().last().is_none_or(|last| last.attempts.is_empty()) {
        std::thread::yield_now();
    }
    check_debug(&secrets, &sandbox.notifications());

    // Every error whose cause contains the secret.
    let key = sandbox.merchant_key_pem();
    let damaged = key.replacen(&key[200..210], "!!!!!!!!!!", 1);
    let build = |builder: wechatpay_chain::WeChatPayBuilder| builder.build().unwrap_err();
    let base64: String = key.lines().filter(|l| !l.contains("---")).collect();
    let p12 = |path: String| WeChatPay::builder().mchid("1900000109").p12(path, PASSPHRASE);
    let mut errors = vec![
        build(sandbox.client_builder().apiv3_key(format!("{}x", sandbox.apiv3_key()))),
        build(sandbox.client_builder().private_key(damaged)),
        build(sandbox.client_builder().private_key(key.replace("BEGIN PRIVATE", "BEGIN PUBLIC"))),
        build(sandbox.client_builder().private_key(key.replace("-----", ""))),
        build(sandbox.client_builder().platform_key("PUB_KEY_ID_1", key)),
        build(sandbox.client_builder().platform_key("PUB_KEY_ID_1", sandbox.merchant_certificate_pem())),
        build(sandbox.client_builder().serial("")),
        build(sandbox.client_builder().private_key(support::key("merchant_key.encrypted.pem"))),
        build(
            sandbox
                .client_builder()
                .private_key(support::key("merchant_key.encrypted.pem"))
                .passphrase(PASSPHRASE),
        ),
        build(
            sandbox
                .client_builder()
                .private_key(support::key("merchant_key.scrypt.pem"))
                .passphrase(PASSPHRASE),
        ),
        build(
            sandbox
                .client_builder()
                .private_key(support::key("merchant_key.pkcs1.encrypted.pem"))
                .passphrase(PASSPHRASE),
        ),
        build(sandbox.client_builder().private_key(format!("private.pkcs8://{}!", base64))),
        build(sandbox.client_builder().private_key(format!("private.pkcs9://{}", base64))),
        build(sandbox.client_builder().platform_key("PUB_KEY_ID_1", format!("private.pkcs8://{}", base64))),
        build(sandbox.client_builder().merchant_certificate(key)),
        build(sandbox.client_builder().merchant_certificate(support::key("merchant_cert.pem"))),
        build(p12(support::key_path("merchant.p12"))),
        build(p12(support::key_path("merchant.legacy.p12"))),
        build(p12(key.to_owned())),
        build(p12(base64.clone())),
        build(p12(format!("private.pkcs8://{}", base64))),
        WeChatPay::factory(json!({"mchid": "1", "privateKey": [key, PASSPHRASE, 1]})).unwrap_err(),
        WeChatPay::factory(
            json!({"mchid": "1", "serial": "1", "privateKey": [key.replace("A", "B"), PASSPHRASE]}),
        )
        .unwrap_err(),
        WeChatPay::factory(json!({"mchid": "1", "p12": ["/nowhere", PASSPHRASE]})).unwrap_err(),
        WeChatPay::factory(json!({"mchid": "1", "privateKey": [key], "secret": "apiv2 secret"})).unwrap_err(),
        WeChatPay::factory(json!({"apiv3Key": {"k": sandbox.apiv3_key()}})).unwrap_err(),
        wx["v3/P123"].get_sync().unwrap_err(),
        wx["v3/{a}"].get_sync().unwrap_err(),
        wx["v3/x"].get().header("Authorization", "x").prepare().unwrap_err(),
        wx["v3/security/echo"].post_sync(json!({})).unwrap_err(),
        wx["v3/nowhere"].get_sync().unwrap_err(),
        sandbox.client_builder().base_url("http://127.0.0.1:9/").build().unwrap()["v3/x"]
            .get_sync()
            .unwrap_err(),
        sandbox.client_builder().private_key(support::key("merchant_key.pem")).build().unwrap()["v3/nowhere"]
            .get_sync()
            .unwrap_err(),
        response.deserialize::<u8>().unwrap_err(),
        sandbox
            .client_builder()
            .apiv3_key("an APIv3 key of exactly 32 bytes")
            .build()
            .unwrap()
            .notification(&headers, body)
            .wait()
            .unwrap_err(),
        wx.decrypt("AAAA").unwrap_err(),
    ];
    for fault in [
        Fault::BadSignature,
        Fault::UnknownSerial,
        Fault::MissingHeader("Wechatpay-Nonce".into()),
        Fault::OldTimestamp,
        Fault::SignatureProbe,
        Fault::WrongBody,
        Fault::HtmlBadGateway,
        Fault::CutConnection,
        Fault::CutBody,
    ] {
        sandbox.inject(fault);
        errors.push(request().wait().unwrap_err());
    }
    for error in &errors {
        check_error(&secrets, error);
    }
    for variant in ["Config", "Path", "Key", "Transport", "Api", "Verify", "Decrypt", "Decode"] {
        assert!(
            errors.iter().any(|e| format!("{e:?}").starts_with(variant)),
            "no {variant} error was looked at"
        );
    }
}

/// The check itself works: it finds each secret where one is shown.
#[test]
fn the_check_itself_finds_secrets() {
    let sandbox = start_sandbox();
    let secrets = secrets(&sandbox);
    let signature = base64::engine::general_purpose::STANDARD.encode([7; 256]);
    for text in [sandbox.apiv3_key(), sandbox.merchant_key_pem(), &signature, PASSPHRASE] {
        assert!(std::panic::catch_unwind(|| check(&secrets, "this", text)).is_err());
    }
}

#[test]
fn an_error_is_small() {
    assert!(size_of::<Error>() <= 32, "{}", size_of::<Error>());
}
