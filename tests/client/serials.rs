//! Serials as people copy them: what is a number in hex arrives in the platform's form, and what is not is refused before
//! anything is sent. Certificates with special serials are made by `openssl`.

use wechatpay_chain::http::{HeaderMap, HeaderValue};
use wechatpay_chain::{Error, WeChatPay, WeChatPayBuilder};

use crate::support::{
    self, MCHID, MERCHANT_SERIAL, PLATFORM_SERIAL, Recorder, key, key_path, now, openssl, platform_sign,
};

/// A certificate for one of the keys in `tests/keys`; `openssl` takes the serial in decimal, too.
fn certificate(key: &str, serial: &str) -> String {
    let key = key_path(key);
    let arguments =
        ["req", "-x509", "-new", "-key", &key, "-subj", "/CN=serial", "-days", "900", "-set_serial", serial];
    String::from_utf8(openssl(&arguments, b"").expect("a certificate")).unwrap()
}

/// What `openssl` shows of it.
fn shown_serial(certificate: &str) -> String {
    let shown = openssl(&["x509", "-noout", "-serial"], certificate.as_bytes()).unwrap();
    String::from_utf8(shown).unwrap().trim().strip_prefix("serial=").unwrap().to_owned()
}

fn refused(builder: WeChatPayBuilder) -> (String, String) {
    match builder.build() {
        Err(Error::Config(error)) => (error.field().to_owned(), error.to_string()),
        other => panic!("not a Config error: {other:?}"),
    }
}

fn colons(serial: &str) -> String {
    let pairs: Vec<_> = serial.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap()).collect();
    pairs.join(":")
}

#[test]
fn the_platform_sees_its_own_form_of_the_merchants_serial() {
    let recorder = Recorder::no_content();
    for form in [
        MERCHANT_SERIAL.to_lowercase(),
        format!("0x{MERCHANT_SERIAL}"),
        format!("0X{}", MERCHANT_SERIAL.to_lowercase()),
        colons(MERCHANT_SERIAL),
        colons(&MERCHANT_SERIAL.to_lowercase()).replace(':', " "),
        format!("\u{200e}{MERCHANT_SERIAL}"),
        format!(" {MERCHANT_SERIAL}\n"),
        format!("serial={MERCHANT_SERIAL}"),
        format!("00{MERCHANT_SERIAL}"),
    ] {
        for builder in [
            support::builder(&recorder.base).serial(&form),
            support::builder(&recorder.base).serial(&form).merchant_certificate(key("merchant_cert.pem")),
        ] {
            builder.build().unwrap_or_else(|e| panic!("{form:?}: {e}"))["v3/x"].get_sync().unwrap();
            assert_eq!(recorder.take().auth("serial_no"), MERCHANT_SERIAL, "{form:?}");
        }
    }
    // Java and Python leave out the first zero. Only digits, and as many as usual: hex.
    for (form, serial) in [
        ("a32d72a03e93cddf8c03bbd1f37eedf87654321", "0A32D72A03E93CDDF8C03BBD1F37EEDF87654321"),
        ("1234567890123456789012345678901234567890", "1234567890123456789012345678901234567890"),
    ] {
        support::builder(&recorder.base).serial(form).build().unwrap()["v3/x"].get_sync().unwrap();
        assert_eq!(recorder.take().auth("serial_no"), serial);
    }
}

#[test]
fn a_serial_in_decimal_is_refused_with_its_hex() {
    let builder = || support::builder("https://example.com/");
    let (field, text) = refused(builder().serial("316619589946583748254911118771567464205427955320"));
    assert!(field == "serial" && text.contains(MERCHANT_SERIAL), "{text}");

    // A short one: only the certificate tells decimal from hex.
    for number in ["123456789012345678", "98765432109876543210987654321098765432"] {
        let short = certificate("merchant_key.pem", number);
        let hex = shown_serial(&short);
        let with = |serial: &str| builder().serial(serial).merchant_certificate(&short);
        let (field, text) = refused(with(number));
        assert!(field == "serial" && text.contains("decimal") && text.contains(&hex), "{text}");
        with(&hex.to_lowercase()).build().unwrap();
        with(&colons(&hex)).build().unwrap();
        let (_, text) = refused(with(&format!("{number}0")));
        assert!(!text.contains("decimal") && text.contains(&hex), "{text}");
    }
    // Digits that are hex, though they could be decimal.
    let digits = "1234567890123456789012345678901234567890";
    let certified = certificate("merchant_key.pem", &format!("0x{digits}"));
    builder().serial(digits).merchant_certificate(certified).build().unwrap();
}

#[test]
fn what_is_not_a_serial_is_refused_by_name() {
    let builder = || support::builder("https://example.com/");
    for (serial, part) in [
        ("PUB_KEY_ID_0114232134912410000000000000", "the ID of the platform's public key"),
        ("file:///etc/wxpay/apiclient_cert.pem", "`merchant_certificate`"),
        (&key("merchant_cert.pem"), "`merchant_certificate`"),
        ("1900000109_2026", "it has '_'"),
        ("37\r\nX-Evil: 1", "it has '\\r'"),
        (&"A".repeat(41), "41 digits, where 40 are the most"),
        ("0x", "no digit"),
    ] {
        let (field, text) = refused(builder().serial(serial));
        assert!(field == "serial" && text.contains(part) && text.len() < 200, "{serial}: {text}");
    }
    for (id, part) in [
        ("PUB_KEY_ID_", "must be `PUB_KEY_ID_` and digits"),
        ("PUB_KEY_ID_01 1", "it has ' '"),
        ("0114232134912410000000000000X", "the ID of a public key begins with `PUB_KEY_ID_`"),
        ("PUBKEYID_0114232134912410000000000000", "the ID of a public key begins with `PUB_KEY_ID_`"),
        ("646249737801553860214244709215100082478937096993", PLATFORM_SERIAL),
        ("", "must be the serial"),
        (&key("platform_pub.pem"), "the key comes after it"),
        ("file:///etc/wxpay/pub_key.pem", "the key comes after it"),
        (&colons(MERCHANT_SERIAL), "the merchant's own serial"),
        (&format!("0{MERCHANT_SERIAL}"), "the merchant's own serial"),
    ] {
        let (field, text) = refused(builder().platform_key(id, key("platform_pub.pem")));
        assert!(
            field.starts_with("platform_key[") && text.contains(part) && text.len() < 260,
            "{id}: {text}"
        );
    }
    // The arguments in the wrong order: no part of the key is shown.
    let private = key("platform_key.pem");
    let (field, text) = refused(builder().platform_key(private.clone(), "PUB_KEY_ID_1"));
    let secret = private.lines().nth(3).unwrap();
    assert!(!field.contains(&secret[..16]) && !text.contains(&secret[..16]), "{text}");
}

#[test]
fn the_same_platform_serial_twice_is_one() {
    let builder = support::builder("https://example.com/");
    for again in [PLATFORM_SERIAL.to_lowercase(), format!("0x{PLATFORM_SERIAL}"), colons(PLATFORM_SERIAL)] {
        let (_, text) =
            refused(support::builder("https://example.com/").platform_key(again, key("platform_pub.pem")));
        assert!(text.contains("is given twice"), "{text}");
    }
    let wx = builder.platform_key("pub_key_id_1", key("platform_pub.pem")).build().unwrap();
    assert_eq!(wx.platform_serials(), [PLATFORM_SERIAL, "PUB_KEY_ID_1"]);
    wx.add_platform_key(colons(PLATFORM_SERIAL), key("platform_pub.pem")).unwrap();
    assert_eq!(wx.platform_serials(), ["PUB_KEY_ID_1", PLATFORM_SERIAL], "replaced");
    wx.remove_platform_key(colons(&PLATFORM_SERIAL.to_lowercase())).unwrap();
    assert_eq!(wx.platform_serials(), ["PUB_KEY_ID_1"]);
}

/// A response whose `Wechatpay-Serial` is written otherwise names the same key; another number does not.
#[test]
fn platform_keys_are_found_by_number() {
    let serial = "0A32D72A03E93CDDF8C03BBD1F37EEDF87654321";
    let certified = certificate("platform_key.pem", &format!("0x{serial}"));
    assert_eq!(shown_serial(&certified), serial);
    let decimal = certificate("platform_key.pem", "123456789012345678");
    let (_, text) =
        refused(support::builder("https://example.com/").platform_key("123456789012345678", &decimal));
    assert!(text.contains("decimal") && text.contains(&shown_serial(&decimal)), "{text}");
    for configured in
        [serial, "A32D72A03E93CDDF8C03BBD1F37EEDF87654321", "0xa32d72a03e93cddf8c03bbd1f37eedf87654321"]
    {
        for pem in [certified.clone(), key("platform_pub.pem")] {
            let wx = WeChatPay::builder()
                .mchid(MCHID)
                .serial(MERCHANT_SERIAL)
                .private_key(key("merchant_key.pem"))
                .platform_key(configured, pem)
                .build()
                .unwrap();
            assert_eq!(wx.platform_serials(), [serial], "{configured}");
            let verify = |named: &str| {
                let timestamp = now().to_string();
                let signature = platform_sign(format!("{timestamp}\nnonce\nbody\n").as_bytes());
                let headers: HeaderMap = [
                    ("wechatpay-serial", named),
                    ("wechatpay-timestamp", &timestamp),
                    ("wechatpay-nonce", "nonce"),
                    ("wechatpay-signature", &signature),
                ]
                .into_iter()
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
                .collect();
                wx.verify(&headers, b"body").is_ok()
            };
            for named in [serial, &serial[1..], &serial.to_lowercase(), &format!("00{serial}")] {
                assert!(verify(named), "{named}");
            }
            for named in [&serial[2..], &format!("{serial}0"), "PUB_KEY_ID_1", PLATFORM_SERIAL, "0"] {
                assert!(!verify(named), "{named}");
            }
            // The key that encrypts is chosen by such a name, too.
            let request = || wx["v3/x"].post(serde_json::json!({"name": "张三"})).encrypt(&["/name"]);
            for named in [
                &serial[1..],
                &format!("0x{}", serial.to_lowercase()),
                &colons(serial),
                " 0A32d72a03e93cddf8c03bbd1f37eedf87654321",
            ] {
                let prepared = request().header("Wechatpay-Serial", named).prepare().unwrap();
                assert_eq!(prepared.headers()["wechatpay-serial"], serial, "{named}");
            }
            assert!(request().header("Wechatpay-Serial", "ABCD").prepare().is_err());
        }
    }
}
