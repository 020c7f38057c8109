//! Notifications are verified, then decrypted; each bad one has its own error and is never decrypted.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wechatpay_chain::sandbox::{Fault, Sandbox};
use wechatpay_chain::{Error, Notification, Reply, VerifyReason, WeChatPay};

use crate::support::{self, start_sandbox};

fn order() -> Value {
    json!({"out_trade_no": "P12345", "trade_state": "SUCCESS", "attach": "茶/\"'", "amount": {"total": 100}})
}

/// The same notification, async and blocking.
async fn both(sandbox: &Sandbox, wx: &WeChatPay, fault: Option<Fault>) -> [Result<Notification, Error>; 2] {
    let make = || {
        if let Some(fault) = &fault {
            sandbox.inject(fault.clone());
        }
        sandbox.notification("TRANSACTION.SUCCESS", "transaction", &order()).unwrap()
    };
    let (headers, body) = make();
    let first = wx.notification(&headers, body).await;
    let (headers, body) = make();
    [first, wx.notification(&headers, body).wait()]
}

#[tokio::test]
async fn a_valid_notification_is_decrypted() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    for notification in both(&sandbox, &wx, None).await {
        let notification = notification.unwrap();
        assert_eq!(
            (notification.event_type.as_str(), notification.original_type.as_str()),
            ("TRANSACTION.SUCCESS", "transaction")
        );
        assert_eq!(
            (notification.resource_type.as_str(), notification.resource.clone()),
            ("encrypt-resource", order())
        );
        assert!(!notification.id.is_empty() && notification.create_time.contains("+08:00"));
        #[derive(serde::Deserialize)]
        struct Order {
            out_trade_no: String,
        }
        assert_eq!(notification.deserialize::<Order>().unwrap().out_trade_no, "P12345");
        assert!(matches!(notification.deserialize::<u8>(), Err(Error::Decode(_))));
        let accepted = http::Response::<String>::from(notification.accept());
        assert_eq!(
            (accepted.status().as_u16(), accepted.body().as_str(), accepted.headers().len()),
            (204, "", 0)
        );
        let rejected = http::Response::<String>::from(notification.reject("later"));
        assert_eq!(
            (rejected.status().as_u16(), rejected.headers()["content-type"].as_bytes()),
            (500, &b"application/json"[..])
        );
        assert_eq!(
            serde_json::from_str::<Value>(rejected.body()).unwrap(),
            json!({"code": "FAIL", "message": "later"})
        );
        assert_eq!(Reply::reject("later"), notification.reject("later"));
        assert!(!format!("{notification:?}").contains("P12345"));
    }
}

#[tokio::test]
async fn headers_come_in_any_shape_and_letter_case() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let (headers, body) = sandbox.notification("REFUND.SUCCESS", "refund", &order()).unwrap();
    let pairs: Vec<(String, String)> =
        headers.iter().map(|(n, v)| (n.as_str().to_uppercase(), v.to_str().unwrap().to_owned())).collect();
    assert!(wx.notification(pairs.clone(), body.clone()).await.is_ok());
    let borrowed: Vec<(&str, &[u8])> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_bytes())).collect();
    assert!(wx.notification(borrowed, body.clone()).await.is_ok());
    let map: std::collections::HashMap<String, String> = pairs.iter().cloned().collect();
    assert!(wx.notification(&map, body.clone()).await.is_ok());
    // Twice the same header: two readers could read two things.
    let mut twice = pairs.clone();
    twice.push(("wechatpay-nonce".into(), "x".into()));
    let Err(Error::Verify(e)) = wx.notification(twice, body).await else { panic!("not a Verify error") };
    assert_eq!(e.reason, VerifyReason::DuplicateHeader { header: "Wechatpay-Nonce" });
}

#[tokio::test]
async fn an_invalid_notification_has_its_error() {
    let sandbox = start_sandbox();
    sandbox.sign_with(sandbox.platform_public_key_id()).unwrap();
    let wx = sandbox.client().unwrap();
    let serial = sandbox.platform_public_key_id().to_owned();
    type Check<'a> = Box<dyn Fn(&VerifyReason) -> bool + 'a>;
    let bad = VerifyReason::BadSignature { serial };
    let checks: Vec<(Fault, Check<'_>)> = vec![
        (Fault::BadSignature, Box::new(|r| *r == bad)),
        (Fault::WrongBody, Box::new(|r| *r == bad)),
        (Fault::UnknownSerial, Box::new(|r| matches!(r, VerifyReason::UnknownSerial { .. }))),
        (Fault::OldTimestamp, Box::new(|r| matches!(r, VerifyReason::ClockSkew { .. }))),
        (Fault::SignatureProbe, Box::new(|r| *r == VerifyReason::SignatureProbe)),
        (
            Fault::MissingHeader("Wechatpay-Signature".into()),
            Box::new(|r| *r == VerifyReason::MissingHeader { header: "Wechatpay-Signature" }),
        ),
    ];
    for (fault, check) in checks {
        for result in both(&sandbox, &wx, Some(fault.clone())).await {
            let Err(Error::Verify(e)) = result else { panic!("{fault:?}: {result:?}") };
            assert!(check(&e.reason), "{fault:?}: {e}");
        }
    }
    // No APIv3 key, and another one.
    let none = WeChatPay::builder()
        .mchid(sandbox.mchid())
        .serial(sandbox.serial())
        .private_key(sandbox.merchant_key_pem())
        .platform_key(sandbox.platform_public_key_id(), sandbox.platform_public_key_pem());
    for result in both(&sandbox, &none.build().unwrap(), None).await {
        assert!(matches!(result, Err(Error::Config(e)) if e.field() == "apiv3_key"));
    }
    let other = sandbox.client_builder().apiv3_key(support::APIV3_KEY).build().unwrap();
    for result in both(&sandbox, &other, None).await {
        let Err(Error::Decrypt(e)) = result else { panic!("{result:?}") };
        assert!(e.contains("another APIv3 key"), "{e}");
    }
}

/// Signed correctly by the platform, encrypted by hand: an envelope that is wrong in itself.
#[test]
fn a_wrong_envelope_is_refused() {
    let wx = support::client("https://example.com/");
    let encrypt = |plain: &[u8]| {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, support::APIV3_KEY.as_bytes()).unwrap());
        let mut encrypted = plain.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(b"0123456789ab").unwrap();
        key.seal_in_place_append_tag(nonce, Aad::from("transaction"), &mut encrypted).unwrap();
        STANDARD.encode(encrypted)
    };
    let open = |resource: Value| {
        let body = json!({"id": "ID1", "event_type": "E", "resource": resource}).to_string();
        signed(&wx, body)
    };
    let resource = |change: Value| {
        let mut resource = json!({
            "algorithm": "AEAD_AES_256_GCM", "ciphertext": encrypt(br#"{"a":1}"#), "nonce": "0123456789ab",
            "associated_data": "transaction", "original_type": "transaction",
        });
        for (name, value) in change.as_object().unwrap() {
            resource[name] = value.clone();
        }
        resource
    };
    assert_eq!(open(resource(json!({}))).unwrap().resource, json!({"a": 1}));
    for (change, part) in [
        (json!({"algorithm": "AEAD_SM4_GCM"}), "the algorithm must be AEAD_AES_256_GCM"),
        (json!({"nonce": "short"}), "the nonce must be 12 bytes; it is 5"),
        (json!({"ciphertext": "!"}), "not base64"),
        (json!({"associated_data": "refund"}), "cannot be decrypted"),
        (json!({"associated_data": null}), "cannot be decrypted"),
        (json!({"ciphertext": ""}), "cannot be decrypted"),
    ] {
        let Err(Error::Decrypt(e)) = open(resource(change)) else { panic!("not a Decrypt error: {part}") };
        assert!(e.contains(part) && e.contains("ID1"), "{e}");
    }
    for (result, part) in [
        (open(resource(json!({"ciphertext": encrypt(b"no JSON")}))), "the decrypted resource is not JSON"),
        (open(json!({"algorithm": "x"})), "missing field `ciphertext`"),
        (signed(&wx, "[]".to_owned()), "not a notification"),
        (signed(&wx, String::new()), "not a notification"),
    ] {
        let Err(Error::Decode(e)) = result else { panic!("not a Decode error: {part}") };
        assert!(e.to_string().contains(part), "{e}");
    }
}

fn signed(wx: &WeChatPay, body: String) -> Result<Notification, Error> {
    let timestamp = support::now().to_string();
    let signature = support::platform_sign(format!("{timestamp}\nN\n{body}\n").as_bytes());
    let headers = [
        ("Wechatpay-Timestamp", timestamp.as_str()),
        ("Wechatpay-Nonce", "N"),
        ("Wechatpay-Serial", support::PLATFORM_SERIAL),
        ("Wechatpay-Signature", &signature),
    ];
    wx.notification(headers, body).wait()
}
