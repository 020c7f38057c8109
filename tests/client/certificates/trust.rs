//! Lists of certificates that are accepted, and those that are not.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wechatpay_chain::WeChatPay;

use super::*;
use crate::support::{
    self, APIV3_KEY, MERCHANT_SERIAL, PLATFORM_SERIAL, Recorded, Recorder, key, raw, signed,
};

/// The list of certificates, encrypted under `APIV3_KEY`, as the platform's documents have it.
fn list(entries: &[(&str, &str)]) -> Vec<u8> {
    let data: Vec<Value> = entries
        .iter()
        .map(|(serial, text)| {
            let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, APIV3_KEY.as_bytes()).unwrap());
            let mut encrypted = text.as_bytes().to_vec();
            let nonce = Nonce::try_assume_unique_for_key(b"0123456789ab").unwrap();
            key.seal_in_place_append_tag(nonce, Aad::from("certificate"), &mut encrypted).unwrap();
            json!({"serial_no": serial, "encrypt_certificate": {
                "algorithm": "AEAD_AES_256_GCM", "nonce": "0123456789ab", "associated_data": "certificate",
                "ciphertext": STANDARD.encode(encrypted),
            }})
        })
        .collect();
    json!({ "data": data }).to_string().into_bytes()
}

/// The merchant of `tests/keys`, without any platform key.
fn without_keys(base: &str) -> WeChatPay {
    WeChatPay::builder()
        .mchid(support::MCHID)
        .serial(MERCHANT_SERIAL)
        .private_key(key("merchant_key.pem"))
        .apiv3_key(APIV3_KEY)
        .automatic_certificates()
        .base_url(base)
        .build()
        .unwrap()
}

fn server_with(list: Vec<u8>) -> (Recorder, WeChatPay) {
    let server = Recorder::start(move |request: &Recorded| match request.target.as_str() {
        "/v3/certificates" => signed("200 OK", &[], &list),
        _ => signed("200 OK", &[], b"{}"),
    });
    let wx = without_keys(&server.base);
    (server, wx)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_valid_platform_certificates_are_accepted() {
    let good = (PLATFORM_SERIAL, key("platform_cert.pem"));
    let (_server, wx) = server_with(list(&[(good.0, &good.1)]));
    wx["v3/x"].get().await.unwrap();
    assert_eq!(wx.platform_serials(), [PLATFORM_SERIAL]);
    // A byte order mark, and half a character in a field that is not looked at, are no reason to stop the client.
    let entries = String::from_utf8(list(&[(good.0, &good.1)])).unwrap();
    for body in [format!("\u{feff}{entries}"), entries.replacen('{', r#"{"note":"\ud83d","#, 1)] {
        let (_server, wx) = server_with(body.into_bytes());
        wx["v3/x"].get().await.unwrap();
    }

    let own = key("merchant_cert.pem");
    let bare = key("platform_pub.pem");
    let path = format!("file://{}", support::key_path("platform_cert.pem"));
    let expired = expired_certificate();
    for (case, entries, expected) in [
        ("none", vec![], "no certificate that is still valid"),
        ("the merchant's own", vec![(good.0, good.1.as_str()), (MERCHANT_SERIAL, &own)], "merchant"),
        ("another serial", vec![("00112233", good.1.as_str())], "another serial"),
        ("no certificate", vec![(PLATFORM_SERIAL, &bare)], "bare public key"),
        ("a file's path", vec![(PLATFORM_SERIAL, &path)], "not PEM"),
        ("no text at all", vec![(PLATFORM_SERIAL, "")], "not PEM"),
        ("expired", vec![("0BADCAFE", expired.as_str())], "no certificate that is still valid"),
        ("a serial with a line break", vec![("A\nB", good.1.as_str())], "must be a serial in hex"),
    ] {
        let (server, wx) = server_with(list(&entries));
        let text = unsent(&wx).await;
        assert!(text.contains(expected) && !text.contains('\n'), "{case}: {text}");
        assert!(wx.platform_serials().is_empty(), "{case}");
        assert!(server.seen().iter().all(|request| request.target == "/v3/certificates"), "{case}");
    }
    for body in [&b"{}"[..], b"[]", b"", b"{\"data\":[{}]}", b"{\"data\":{\"serial_no\":\"A\"}}"] {
        let (_server, wx) = server_with(body.to_vec());
        assert!(unsent(&wx).await.contains("not a list of certificates"));
    }
}

/// A certificate that expired in 2001, made by another library than the client's.
fn expired_certificate() -> String {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    params.not_after = rcgen::date_time_ymd(2001, 1, 1);
    params.serial_number = Some(rcgen::SerialNumber::from_slice(&[0x0b, 0xad, 0xca, 0xfe]));
    let signer = rcgen::KeyPair::from_pem(&key("platform_key.pem")).unwrap();
    params.self_signed(&signer).unwrap().pem()
}

/// A refusal that is signed is verified, as that of any other call, and its claims are shown. A client without any key can
/// only believe it.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_download_is_verified_if_it_is_signed() {
    const REFUSAL: &[u8] = br#"{"code":"RESOURCE_NOT_EXISTS","message":"no certificates"}"#;
    let with = |serial: &'static str, signature: Option<&'static str>| {
        let server = Recorder::start(move |_| {
            let once = String::from_utf8(signed("404 Not Found", &[], REFUSAL)).unwrap();
            let other = match signature {
                Some(signature) => format!("Wechatpay-Signature: {signature}"),
                None => once.lines().find(|line| line.starts_with("Wechatpay-Signature")).unwrap().to_owned(),
            };
            let lines = once.lines().map(|line| match line {
                _ if line.starts_with("Wechatpay-Signature") => other.clone(),
                _ => line.replace(PLATFORM_SERIAL, serial),
            });
            (lines.collect::<Vec<_>>().join("\r\n")).into_bytes()
        });
        let wx = support::builder(&server.base).automatic_certificates().build().unwrap();
        (without_keys(&server.base), wx, server)
    };
    for (serial, signature) in [
        (PLATFORM_SERIAL, Some("AAAA")),
        (PLATFORM_SERIAL, Some("WECHATPAY/SIGNTEST/AAAA")),
        ("PUB_KEY_ID_0119000001092024000000000001", None),
    ] {
        let (bare, wx, _server) = with(serial, signature);
        for error in [wx.platform_certificates().await.err().unwrap(), cause(wx.refresh_certificates().await)]
        {
            let Error::Verify(e) = &error else { panic!("{error}") };
            assert_eq!(e.claimed_code.as_deref(), Some("RESOURCE_NOT_EXISTS"));
            assert!(error.to_string().contains("says 404 RESOURCE_NOT_EXISTS: no certificates"), "{error}");
        }
        assert!(unsent(&bare).await.contains("this merchant has none"));
    }
    let (_, wx, _server) = with(PLATFORM_SERIAL, None);
    let error = wx.platform_certificates().await.err().unwrap();
    assert!(matches!(&error, Error::Api(e) if e.verified && e.status == 404), "{error}");
}

fn cause(result: Result<(), Error>) -> Error {
    let Err(Error::PlatformKeys(error)) = result else { panic!("{result:?}") };
    let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<Error>());
    let Some(Error::Verify(e)) = cause else { panic!("{error:?}") };
    Error::Verify(e.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_list_with_another_signature_is_refused() {
    // Encrypted correctly, but signed with a key that is not in the list.
    let body = list(&[(PLATFORM_SERIAL, &key("platform_cert.pem"))]);
    let server = Recorder::start(move |_| {
        let headers = [
            ("Wechatpay-Timestamp", support::now().to_string()),
            ("Wechatpay-Nonce", "N".to_owned()),
            ("Wechatpay-Serial", PLATFORM_SERIAL.to_owned()),
            ("Wechatpay-Signature", STANDARD.encode([7; 256])),
        ];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        raw("200 OK", &headers, &body)
    });
    let wx = support::builder(&server.base).automatic_certificates();
    let wx = wx.platform_key("PUB_KEY_ID_1", key("merchant_pub.pem")).build();
    assert!(wx.is_err(), "the merchant's own key is refused as ever");
    let wx = without_keys(&server.base);
    assert!(unsent(&wx).await.contains("does not match"));
}
