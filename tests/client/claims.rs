//! An error response that cannot be verified: what it claims is shown, and believed by nobody. And what shows a key that
//! is the wrong one.

use std::path::Path;

use serde_json::json;
use wechatpay_chain::error::VerifySubject;
use wechatpay_chain::{Error, VerifyError, VerifyReason, WeChatPay, WeChatPayBuilder};

use crate::support::{
    self, APIV3_KEY, MCHID, MERCHANT_SERIAL, PLATFORM_SERIAL, Recorder, key, key_path, openssl, openssl_sign,
    raw,
};

/// An ID that the client does not have.
const OTHER_ID: &str = "PUB_KEY_ID_0119000001092024000000000009";

/// A response that `openssl` signed with the platform's key, under `serial`.
fn signed_as(serial: &str, status: &str, body: &[u8], signed_body: &[u8]) -> Vec<u8> {
    let timestamp = support::now().to_string();
    let message = [timestamp.as_bytes(), b"\nNONCE\n", signed_body, b"\n"].concat();
    let signature = openssl_sign(Path::new(&key_path("platform_key.pem")), &message);
    let headers = [
        ("Wechatpay-Timestamp", timestamp.as_str()),
        ("Wechatpay-Nonce", "NONCE"),
        ("Wechatpay-Serial", serial),
        ("Wechatpay-Signature", &signature),
        ("Request-ID", "ID7"),
    ];
    raw(status, &headers, body)
}

/// The failed verification of this response, in memory and streamed.
fn failed(builder: impl Fn(&str) -> WeChatPayBuilder, response: Vec<u8>) -> [VerifyError; 2] {
    let recorder = Recorder::start(move |_| response.clone());
    let wx = builder(&recorder.base).build().unwrap();
    let failed = |error: Error| {
        assert_eq!(error.code(), None, "a claim is not the platform's code");
        match error {
            Error::Verify(e) => *e,
            other => panic!("not a Verify error: {other}"),
        }
    };
    let streamed = wx["v3/x"].get().save_to_writer(tokio::io::sink()).wait().map(drop);
    [wx["v3/x"].post(json!({})).wait().map(drop), streamed].map(|result| failed(result.unwrap_err()))
}

#[test]
fn an_unverified_error_shows_what_it_claims() {
    let body = r#"{"code":"PARAM_ERROR","message":"Wechatpay-Serial 不是平台的密钥","detail":{"field":"x"}}"#
        .as_bytes();
    let status = "400 Bad Request";
    let duplicate = {
        let once = signed_as(PLATFORM_SERIAL, status, body, body);
        let text = String::from_utf8(once).unwrap();
        text.replacen("Wechatpay-Nonce: NONCE\r\n", "Wechatpay-Nonce: NONCE\r\nWechatpay-Nonce: NONCE\r\n", 1)
            .into_bytes()
    };
    for (response, reason) in [
        (signed_as(OTHER_ID, status, body, body), "no platform key has the serial"),
        (signed_as("7132D72A", status, body, body), "no platform key has the serial"),
        (signed_as(PLATFORM_SERIAL, status, body, b"other"), "does not match"),
        (duplicate, "more than one `Wechatpay-Nonce`"),
        (
            raw(status, &[("Wechatpay-Signature", "WECHATPAY/SIGNTEST/x"), ("Request-ID", "ID7")], body),
            "has no `Wechatpay-Nonce`",
        ),
    ] {
        for e in failed(support::builder, response) {
            assert_eq!(e.status, Some(400));
            assert_eq!(e.claimed_code.as_deref(), Some("PARAM_ERROR"));
            assert_eq!(e.claimed_message.as_deref(), Some("Wechatpay-Serial 不是平台的密钥"));
            let text = e.to_string();
            assert!(text.contains(reason), "{text}");
            let claim = "not verified, says 400 PARAM_ERROR: Wechatpay-Serial 不是平台的密钥";
            assert!(text.contains(claim) && text.ends_with("(Request-ID ID7)"), "{text}");
        }
    }
}

#[test]
fn a_claim_is_short_and_on_one_line() {
    let long = "长".repeat(100_000);
    let escape = r#"{"code":"A\u001b[2JB\nC","message":"\u0000\r\n\u009bwxpay: paid\u2028"}"#.to_owned();
    for (body, code, message) in [
        (escape, Some("A\\u{1b}[2JB\\nC"), Some("\\u{0}\\r\\n\\u{9b}wxpay: paid")),
        (json!({"code": long, "message": long}).to_string(), None, None), // above what is parsed
        (json!({"code": &long[..3_000], "message": &long[..30_000]}).to_string(), Some("长长"), Some("长长")),
        ("<html>502</html>".to_owned(), None, None),
        (String::new(), None, None),
        (json!({"code": 7, "message": {"a": 1}}).to_string(), None, None),
        (json!({"code": "A"}).to_string(), Some("A"), None),
        ("[".repeat(100_000), None, None),
    ] {
        let response = signed_as(OTHER_ID, "502 Bad Gateway", body.as_bytes(), b"");
        for e in failed(support::builder, response) {
            let begins = |claim: &Option<String>, expected: Option<&str>| match (claim, expected) {
                (Some(claim), Some(expected)) => claim.starts_with(expected),
                (claim, expected) => claim.is_none() && expected.is_none(),
            };
            assert!(begins(&e.claimed_code, code) && begins(&e.claimed_message, message), "{e}");
            assert!(e.claimed_code.iter().all(|code| code.chars().count() <= 100));
            assert!(e.claimed_message.iter().all(|message| message.chars().count() <= 501));
            let text = format!("{e}{e:?}");
            assert!(!text.contains(char::is_control) && text.contains("says 502"), "{text}");
            assert!(text.chars().count() < 3_000);
        }
    }
}

#[test]
fn a_success_that_is_not_verified_claims_nothing() {
    let body = br#"{"code":"PARAM_ERROR","message":"m"}"#;
    for response in [signed_as(OTHER_ID, "200 OK", body, body), raw("200 OK", &[], body)] {
        for e in failed(support::builder, response) {
            assert_eq!((e.claimed_code.as_deref(), e.claimed_message.as_deref()), (None, None));
            assert!(!e.to_string().contains("says"), "{e}");
        }
    }
}

/// The merchant of `tests/keys`, with this one key of the platform.
fn with_key(base: &str, id: &str, pem: &str) -> WeChatPayBuilder {
    WeChatPay::builder()
        .mchid(MCHID)
        .serial(MERCHANT_SERIAL)
        .private_key(key("merchant_key.pem"))
        .apiv3_key(APIV3_KEY)
        .platform_key(id, pem)
        .base_url(base)
}

#[test]
fn a_bad_signature_under_a_configured_public_key_names_the_key() {
    let private = openssl(&["genrsa", "2048"], b"").unwrap();
    let stranger = String::from_utf8(openssl(&["rsa", "-pubout"], &private).unwrap()).unwrap();
    let id = "PUB_KEY_ID_0119000001092024000000000001";
    // A bare public key is under the ID that it was given.
    for serial in [id, "7132D72A03E93CDDF8C03BBD1F37EEDF87654321"] {
        for status in ["200 OK", "400 Bad Request"] {
            let response = signed_as(serial, status, b"{}", b"{}");
            for e in failed(|base| with_key(base, serial, &stranger), response) {
                assert_eq!(e.reason, VerifyReason::BadSignature { serial: serial.to_owned() });
                assert!(e.to_string().contains("the public key that is configured under this ID"), "{e}");
                assert_eq!((e.key_made_signature(), e.subject), (Some(false), VerifySubject::Response));
            }
        }
    }
    // A certificate names its own serial; and another failure is not the key's.
    for e in failed(support::builder, signed_as(PLATFORM_SERIAL, "200 OK", b"{}", b"{ }")) {
        assert!(!e.to_string().contains("configured"), "{e}");
        // The key is right, and says so.
        assert_eq!(e.key_made_signature(), Some(true));
        assert!(
            e.to_string().contains("this key made it for another message, so the response was changed"),
            "{e}"
        );
    }
    for e in failed(|base| with_key(base, id, &stranger), signed_as(OTHER_ID, "200 OK", b"{}", b"{}")) {
        assert!(!e.to_string().contains("configured"), "{e}");
    }
    // A notification, and `verify`.
    let wx = with_key("http://127.0.0.1:9/", id, &stranger).build().unwrap();
    let headers = [
        ("Wechatpay-Timestamp", support::now().to_string()),
        ("Wechatpay-Nonce", "N".to_owned()),
        ("Wechatpay-Serial", id.to_owned()),
        ("Wechatpay-Signature", "A".repeat(344)),
    ];
    let map: http::HeaderMap = headers
        .iter()
        .map(|(name, value)| {
            (name.parse::<http::HeaderName>().unwrap(), value.parse::<http::HeaderValue>().unwrap())
        })
        .collect();
    for error in
        [wx.verify(&map, b"{}").unwrap_err(), wx.notification(headers.clone(), "{}").wait().unwrap_err()]
    {
        assert!(error.to_string().contains("the public key that is configured under this ID"), "{error}");
    }
}

#[test]
fn a_signature_that_does_not_match_is_told_from_that_of_another_key() {
    let facts = |error: Error| match error {
        Error::Verify(e) => (e.key_made_signature(), e.subject, e.to_string()),
        other => panic!("not a Verify error: {other}"),
    };
    let bare = with_key("http://127.0.0.1:9/", PLATFORM_SERIAL, &key("platform_pub.pem")).build().unwrap();
    let certificate = support::client("http://127.0.0.1:9/");
    let timestamp = support::now().to_string();
    let sign = |name: &str, digest: &str, body: &str| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("{timestamp}\nN\n{body}\n")).unwrap();
        let (key, file) = (key_path(name), file.path().to_str().unwrap());
        let signature = openssl(&["dgst", digest, "-sign", &key, file], b"").unwrap();
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, signature)
    };
    let own = sign("platform_key.pem", "-sha256", "{}");
    let flipped = format!("{}{}", if own.starts_with('A') { "B" } else { "A" }, &own[1..]);
    for (signature, expected) in [
        (sign("platform_key.pem", "-sha256", "{ }"), Some(true)),
        (sign("merchant_key.pem", "-sha256", "{}"), Some(false)),
        // Of another hash, it is not this platform's.
        (sign("platform_key.pem", "-sha512", "{}"), Some(false)),
        (flipped, Some(false)),
        ("/".repeat(341) + "w==", Some(false)),
        ("A".repeat(342) + "==", Some(false)),
        ("/".repeat(512), Some(false)),
        (own[..200].to_owned(), None),
        (own.replace('=', "?"), None),
        (String::new(), None),
    ] {
        let headers = [
            ("Wechatpay-Timestamp", timestamp.clone()),
            ("Wechatpay-Nonce", "N".to_owned()),
            ("Wechatpay-Serial", PLATFORM_SERIAL.to_owned()),
            ("Wechatpay-Signature", signature.clone()),
        ];
        for (wx, configured) in [(&bare, true), (&certificate, false)] {
            let error = wx.notification(headers.clone(), "{}").wait().unwrap_err();
            let (made, subject, text) = facts(error);
            assert_eq!((made, subject), (expected, VerifySubject::Notification), "{signature}: {text}");
            assert_eq!(text.contains("configured"), configured && expected == Some(false), "{text}");
            assert!(
                text.contains("the notification was")
                    && !text.contains(&signature[..signature.len().min(20)])
                    || signature.is_empty(),
                "{text}"
            );
        }
    }
}

#[test]
fn an_id_that_is_neither_a_public_keys_nor_a_serial_is_refused() {
    let pem = key("platform_pub.pem");
    for id in [
        "PUB_KEY_0119000001092024000000000001",
        "PUB_KEYID_0119000001092024000000000001",
        "PUBKEYID0119000001092024000000000001",
        "PUB_KEY_ID_",
        "MCH1900000109",
        "7132D72A03E93CDDF8C03BBD1F37EEDF8765432G",
        "platform",
        // The number without what stands before it. A certificate's serial hardly ever has digits only.
        "0119000001092024000000000001",
        " 0114232134912410000000000000 ",
    ] {
        let Err(Error::Config(e)) = with_key("http://127.0.0.1:9/", id, &pem).build() else {
            panic!("taken: {id}")
        };
        assert!(e.field().starts_with("platform_key[") && e.to_string().contains("PUB_KEY_ID_"), "{e}");
        let wx = support::client("http://127.0.0.1:9/");
        assert!(matches!(wx.add_platform_key(id, &pem), Err(Error::Config(_))), "{id}");
    }
    for id in ["PUB_KEY_ID_0119000001092024000000000001", "7132d72a03e93cddf8c03bbd1f37eedf87654321", "a1"] {
        with_key("http://127.0.0.1:9/", id, &pem).build().unwrap();
    }
}

#[test]
fn a_probe_is_refused_and_a_get_asked_again_if_it_may_be() {
    let probe = || {
        let body = b"{}";
        let signed = String::from_utf8(signed_as(PLATFORM_SERIAL, "200 OK", body, body)).unwrap();
        let at = signed.find("Wechatpay-Signature: ").unwrap() + "Wechatpay-Signature: ".len();
        [&signed[..at], "WECHATPAY/SIGNTEST/", &signed[at + 19..]].concat().into_bytes()
    };
    let fine = || support::signed("200 OK", &[], b"{}");
    let client = |recorder: &Recorder| {
        let pause = std::time::Duration::from_millis(1);
        support::builder(&recorder.base).retry_delay(pause).build().unwrap()
    };
    let recorder = Recorder::script([probe(), probe(), fine()]);
    assert_eq!(client(&recorder)["v3/x"].get().retry(3).wait().unwrap().status(), 200);
    let recorder = Recorder::script([probe(), fine()]);
    let saved = client(&recorder)["v3/x"].get().retry(1).save_to_writer(tokio::io::sink()).wait();
    assert!(saved.unwrap().verified);
    // Not without being told, not for ever, and nothing but a GET.
    type Make = fn(&WeChatPay) -> wechatpay_chain::Request;
    let makes: [(Make, usize); 5] = [
        (|wx| wx["v3/x"].get(), 1),
        (|wx| wx["v3/x"].get().retry(2), 3),
        (|wx| wx["v3/x"].post(json!({})).retry(3), 1),
        (|wx| wx["v3/x"].delete().retry(3), 1),
        (|wx| wx["v3/x"].put(json!({})).retry(3), 1),
    ];
    for (make, requests) in makes {
        let recorder = Recorder::script(vec![probe(); requests]);
        let Err(Error::Verify(e)) = make(&client(&recorder)).wait() else { panic!("not a Verify error") };
        assert_eq!(e.reason, VerifyReason::SignatureProbe);
    }
    // Any other failed verification may be an attack, and is final.
    let recorder = Recorder::start(|_| signed_as(PLATFORM_SERIAL, "200 OK", b"{}", b"other"));
    assert!(client(&recorder)["v3/x"].get().retry(3).wait().is_err());
    assert_eq!(recorder.seen().len(), 1);
}
