//! The builder, PHP's array and the environment: what each accepts, and what is refused by name.

use serde_json::{Value, json};
use wechatpay_chain::{Error, WeChatPay, WeChatPayBuilder};

use crate::support::{self, APIV3_KEY, MCHID, MERCHANT_SERIAL, PLATFORM_SERIAL, Recorder, key, key_path};

fn array() -> Value {
    json!({
        "mchid": MCHID,
        "serial": MERCHANT_SERIAL,
        "privateKey": format!("file://{}", key_path("merchant_key.pem")),
        "certs": {PLATFORM_SERIAL: key("platform_cert.pem"), "PUB_KEY_ID_1": key("platform_pub.pem")},
        "apiv3Key": APIV3_KEY,
        "secret": "apiv2 secret",
        "merchant": {"cert": "file:///nowhere", "key": "file:///nowhere"},
        "timeout": 2.5,
    })
}

/// PHP's array with one entry changed; null removes it.
fn array_with(name: &str, value: Value) -> Value {
    let mut array = array();
    array[name] = value;
    array
}

fn refused(result: Result<WeChatPay, Error>) -> (String, String) {
    match result {
        Err(Error::Config(e)) => (e.field().to_owned(), e.to_string()),
        other => panic!("not a Config error: {other:?}"),
    }
}

#[test]
fn the_factory_takes_phps_array() {
    let recorder = Recorder::no_content();
    let mut array = array();
    array["base_uri"] = json!(recorder.base);
    let wx = WeChatPay::factory(array).unwrap();
    wx["v3/x"].get_sync().unwrap();
    let seen = recorder.take();
    assert_eq!((seen.auth("mchid"), seen.auth("serial_no")), (MCHID.into(), MERCHANT_SERIAL.into()));
    assert_eq!(seen.header("wechatpay-serial"), Some("PUB_KEY_ID_1"));
}

#[test]
fn a_missing_or_wrong_setting_is_named() {
    for (name, value, field, part) in [
        ("mchid", Value::Null, "mchid", "is missing"),
        ("mchid", json!(""), "mchid", "is missing"),
        ("mchid", json!(1900000109), "mchid", "must be a string; it is a number"),
        ("mchid", json!("19\"00"), "mchid", "letters and digits; it has '\"'"),
        ("serial", Value::Null, "serial", "is missing"),
        ("serial", json!("AB_CD"), "serial", "it has '_'"),
        ("privateKey", Value::Null, "privateKey", "is missing"),
        ("privateKey", json!(1), "privateKey", "must be a string or [string, passphrase]; it is a number"),
        ("privateKey", json!(["a"]), "privateKey", "it is a list of 1"),
        ("privateKey", json!(["a", "b", "c"]), "privateKey", "it is a list of 3"),
        ("privateKey", json!(["a", 1]), "privateKey", "a list that does not contain two strings"),
        ("p12", json!({}), "p12", "must be a string or [string, passphrase]; it is an object"),
        ("p12", json!("merchant.p12"), "p12", "`p12` and `privateKey` are mutually exclusive"),
        ("merchantCertificate", json!(["a"]), "merchantCertificate", "must be a string; it is an array"),
        ("certs", Value::Null, "certs", "is missing, and without a platform key"),
        ("certs", json!({}), "certs", "is missing, and without a platform key"),
        ("certs", json!("x"), "certs", "must be an object; it is a string"),
        ("certs", json!({"P": 1}), "certs[\"P\"]", "must be a string; it is a number"),
        (
            "certs",
            json!({MERCHANT_SERIAL: key("platform_cert.pem")}),
            "certs[\"3775B6A",
            "merchant's own serial",
        ),
        (
            "certs",
            json!({"PUB_KEY_ID_9": key("merchant_pub.pem")}),
            "certs[\"PUB_KEY_ID_9\"]",
            "merchant's own key",
        ),
        ("certs", json!({"7132D72A": key("platform_cert.pem")}), "certs[\"7132D72A\"]", PLATFORM_SERIAL),
        (
            "certs",
            json!({"PUB_KEY_ID_9": key("platform_cert.pem")}),
            "certs[\"PUB_KEY_ID_9\"]",
            "expected the public key",
        ),
        ("apiv3Key", json!("0123456789abcdef0123456789ABCDE"), "apiv3Key", "exactly 32 bytes; it is 31"),
        ("apiv3Key", json!("0123456789abcdef0123456789ABCDEFG"), "apiv3Key", "exactly 32 bytes; it is 33"),
        ("apiv3Key", json!("密0123456789abcdef0123456789ABCDE"), "apiv3Key", "exactly 32 bytes; it is 34"),
        ("base_uri", json!("api.mch.weixin.qq.com"), "base_uri", "must be an https:// or http:// URL"),
        ("base_uri", json!("ftp://example.com/"), "base_uri", "its scheme is `ftp`"),
        ("base_uri", json!("https://example.com/?a=b"), "base_uri", "query"),
        ("base_uri", json!("https://user:word@example.com/"), "base_uri", "user name"),
        ("base_uri", json!("http://api.mch.weixin.qq.com/"), "base_uri", "https only"),
        ("timeout", json!(0.0000000001), "timeout", "more than 0"),
        ("timeout", json!(-1), "timeout", "number of seconds"),
        ("timeout", json!(5000), "timeout", "axios counts milliseconds"),
        ("timeout", json!("5"), "timeout", "must be a number of seconds; it is a string"),
        ("secret", json!(1), "secret", "must be a string"),
        ("merchant", json!("x"), "merchant", "must be an object"),
        ("mchId", json!("1"), "mchId", "is not a configuration key"),
    ] {
        let (actual, text) = refused(WeChatPay::factory(array_with(name, value)));
        assert!(actual.starts_with(field) && text.contains(part), "{name}: {actual}: {text}");
    }
    assert_eq!(refused(WeChatPay::factory(json!([]))).0, "factory");
    let twice = || {
        support::builder("https://example.com/")
            .platform_key(PLATFORM_SERIAL.to_lowercase(), key("platform_cert.pem"))
    };
    assert!(refused(twice().build()).1.contains("given twice"));
    type Change = fn(WeChatPayBuilder) -> WeChatPayBuilder;
    for (field, change) in [
        ("allow_host", (|b| b.allow_host("https://example.com")) as Change),
        ("max_body", |b| b.max_body(0)),
        ("connect_timeout", |b| b.connect_timeout(std::time::Duration::ZERO)),
    ] {
        assert_eq!(refused(change(support::builder("https://example.com/")).build()).0, field);
    }
}

#[test]
fn a_certificates_own_serial_counts() {
    let recorder = Recorder::no_content();
    let wx = WeChatPay::builder()
        .mchid(MCHID)
        .serial(MERCHANT_SERIAL)
        .private_key(key("merchant_key.pem"))
        .platform_key(PLATFORM_SERIAL.to_lowercase(), key("platform_cert.pem"))
        .base_url(&recorder.base)
        .build()
        .unwrap();
    assert_eq!(wx["v3/x"].get_sync().unwrap().status(), 204);
}

/// Set for the child processes of a test: the environment belongs to a whole process.
const CHILD: &str = "WECHATPAY_TEST_CONFIG";

#[test]
fn the_environment_configures_a_client() {
    if std::env::var_os(CHILD).is_some() {
        match WeChatPay::from_env() {
            Ok(wx) => println!("result: {}", wx.mchid()),
            Err(e) => println!("result: {e}"),
        }
        return;
    }
    let from_env = |change: &[(&str, &str)]| {
        let mut command = support::alone(module_path!(), "the_environment_configures_a_client");
        command
            .env(CHILD, "1")
            .env("WECHATPAY_MCHID", MCHID)
            .env("WECHATPAY_SERIAL", MERCHANT_SERIAL)
            .env("WECHATPAY_PRIVATE_KEY", key("merchant_key.pem").replace('\n', "\\n"))
            .env("WECHATPAY_PUBLIC_KEY_ID", "PUB_KEY_ID_1")
            .env("WECHATPAY_PUBLIC_KEY", format!("file://{}", key_path("platform_pub.pem")))
            .envs(change.iter().copied());
        let output = String::from_utf8(command.output().unwrap().stdout).unwrap();
        output.split_once("result: ").unwrap().1.lines().next().unwrap().to_owned()
    };
    assert_eq!(from_env(&[]), MCHID);
    assert_eq!(from_env(&[("WECHATPAY_TIMEOUT", "2.5"), ("WECHATPAY_APIV3_KEY", APIV3_KEY)]), MCHID);
    let certificate = key("platform_cert.pem");
    let both = [
        ("WECHATPAY_PLATFORM_SERIAL", PLATFORM_SERIAL),
        ("WECHATPAY_PLATFORM_CERTIFICATE", certificate.as_str()),
    ];
    assert_eq!(from_env(&both), MCHID);
    assert!(from_env(&both[..1]).contains("`WECHATPAY_PLATFORM_CERTIFICATE` is missing"));
    assert!(from_env(&both[1..]).contains("`WECHATPAY_PLATFORM_SERIAL` is missing"));
    // The variable that holds the wrong value: the serial's or the key's.
    assert!(from_env(&[("WECHATPAY_PUBLIC_KEY_ID", "PUB-1")]).contains("`WECHATPAY_PUBLIC_KEY_ID` must be"));
    assert!(from_env(&[("WECHATPAY_PUBLIC_KEY", "no key")]).contains("WECHATPAY_PUBLIC_KEY: expected"));
    let own = [("WECHATPAY_PLATFORM_SERIAL", MERCHANT_SERIAL), both[1]];
    assert!(from_env(&own).contains("`WECHATPAY_PLATFORM_SERIAL` is the merchant's own serial"));
    assert!(from_env(&[("WECHATPAY_MCHID", "")]).contains("`WECHATPAY_MCHID` is missing"));
    assert!(
        from_env(&[("WECHATPAY_PUBLIC_KEY_ID", ""), ("WECHATPAY_PUBLIC_KEY", "")])
            .contains("`WECHATPAY_PUBLIC_KEY` is missing")
    );
    let file = format!("file://{}", key_path("merchant_cert.pem"));
    assert_eq!(from_env(&[("WECHATPAY_SERIAL", ""), ("WECHATPAY_CERTIFICATE", &file)]), MCHID);
    if cfg!(feature = "p12") {
        let encrypted = [
            ("WECHATPAY_PRIVATE_KEY", key("merchant_key.encrypted.pem")),
            ("WECHATPAY_PASSPHRASE", "secret".into()),
        ];
        let encrypted = encrypted.each_ref().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(from_env(&encrypted), MCHID);
        assert!(from_env(&encrypted[..1]).contains("a passphrase is needed"));
        let p12 = key_path("merchant.p12");
        let p12 = [("WECHATPAY_P12", p12.as_str()), ("WECHATPAY_PRIVATE_KEY", ""), ("WECHATPAY_SERIAL", "")];
        assert_eq!(from_env(&p12), MCHID);
        assert!(
            from_env(&p12[..1])
                .contains("`WECHATPAY_P12` and `WECHATPAY_PRIVATE_KEY` are mutually exclusive")
        );
        let with = |passphrase| from_env(&[p12.as_slice(), &[("WECHATPAY_PASSPHRASE", passphrase)]].concat());
        assert_eq!(with(MCHID), MCHID);
        assert!(with("another").contains("the passphrase is wrong"));
    }
    assert!(from_env(&[("WECHATPAY_TIMEOUT", "soon")]).contains("`WECHATPAY_TIMEOUT` must be a number"));
    assert!(from_env(&[("WECHATPAY_APIV3_KEY", "short")]).contains("exactly 32 bytes; it is 5"));
}
