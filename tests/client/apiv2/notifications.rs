//! Notifications: signed ones, a refund's, and those with an encrypted event.

use serde_json::json;
use wechatpay_chain::apiv2::SignType;
use wechatpay_chain::{Error, VerifyReason, error::VerifySubject, notification::Reply};

use super::{MCHID, SECRET, builder, signed_xml};
use crate::support::openssl;

#[test]
fn a_payment_is_verified() {
    let wx = builder("https://api.mch.weixin.qq.com/").build().unwrap();
    let paid = [
        ("return_code", "SUCCESS"),
        ("result_code", "SUCCESS"),
        ("mch_id", MCHID),
        ("out_trade_no", "P1"),
        ("total_fee", "100"),
    ];
    let body = signed_xml(&paid, SECRET);
    let notification = wx.notification_v2(&body).unwrap();
    assert_eq!(notification.resource["out_trade_no"], "P1");
    let accepted: http::Response<String> = notification.accept().into();
    assert_eq!(
        (accepted.status().as_u16(), &accepted.headers()["content-type"]),
        (200, &"text/xml; charset=utf-8".parse().unwrap())
    );
    assert_eq!(accepted.body(), "<xml><return_code>SUCCESS</return_code><return_msg>OK</return_msg></xml>");
    let rejected =
        "<xml><return_code>FAIL</return_code><return_msg><![CDATA[no <order>]]></return_msg></xml>";
    assert_eq!(notification.reject("no \u{1}<order>").body(), rejected);
    assert_eq!(Reply::reject_v2("no <order>").body(), rejected);
    for (body, reason) in [
        (body.replace("P1", "P2"), VerifyReason::BadSign { element: None }),
        (body.replace("<sign>", "<sing>").replace("</sign>", "</sing>"), VerifyReason::MissingSign),
    ] {
        let Err(Error::Verify(error)) = wx.notification_v2(&body) else { panic!("{body}") };
        assert_eq!((error.reason, error.subject), (reason, VerifySubject::Notification));
    }
    for body in ["", "{}", "<xml>", "\0"] {
        assert!(matches!(wx.notification_v2(body), Err(Error::Decode(_))), "{body}");
    }
    let v3 = crate::support::client("https://api.mch.weixin.qq.com/");
    assert!(matches!(v3.notification_v2(&body), Err(Error::Config(e)) if e.field() == "apiv2_key"));
}

/// Encrypted by the `openssl` program.
#[test]
fn the_result_of_a_refund_is_decrypted() {
    let wx = builder("https://api.mch.weixin.qq.com/").build().unwrap();
    let plain = "<root><out_refund_no><![CDATA[R1]]></out_refund_no><refund_status><![CDATA[SUCCESS]]></refund_status></root>";
    let Some(digest) = openssl(&["dgst", "-md5", "-r"], SECRET.as_bytes()) else { return };
    let key = String::from_utf8(digest).unwrap()[..32].to_owned();
    let hex: String = key.bytes().map(|byte| format!("{byte:02x}")).collect();
    let info = openssl(&["enc", "-aes-256-ecb", "-K", &hex, "-base64", "-A"], plain.as_bytes()).unwrap();
    let info = String::from_utf8(info).unwrap();
    let body = |info: &str| {
        format!(
            "<xml><return_code>SUCCESS</return_code><mch_id>{MCHID}</mch_id><req_info><![CDATA[{info}]]></req_info></xml>"
        )
    };
    let notification = wx.notification_v2(body(&info)).unwrap();
    assert_eq!(notification.resource["req_info"], json!({"out_refund_no": "R1", "refund_status": "SUCCESS"}));
    assert_eq!(notification.resource["mch_id"], MCHID);
    assert_eq!(wx.decrypt_aes_ecb(&info).unwrap(), plain.as_bytes());
    assert_eq!(wx.encrypt_aes_ecb(plain.as_bytes()).unwrap(), info);
    for wrong in ["", "AAAA", &info[4..], &info.replace(&info[..2], "zz")] {
        assert!(matches!(wx.notification_v2(body(wrong)), Err(Error::Decrypt(_))), "{wrong}");
    }
}

#[test]
fn an_event_is_opened_with_the_apiv3_key() {
    let key = "0123456789abcdef0123456789abcdef";
    let wx = crate::support::builder("https://api.mch.weixin.qq.com/")
        .apiv2_key(SECRET)
        .apiv3_key(key)
        .build()
        .unwrap();
    let text = wx.encrypt_aes_gcm(br#"{"state":"USER_PAID"}"#, "abcdefghijkl", "rent").unwrap();
    assert_eq!(wx.decrypt_aes_gcm(&text, "abcdefghijkl", "rent").unwrap(), br#"{"state":"USER_PAID"}"#);
    assert!(matches!(wx.decrypt_aes_gcm(&text, "abcdefghijkl", "other"), Err(Error::Decrypt(_))));
    assert!(matches!(wx.encrypt_aes_gcm(b"x", "short", ""), Err(Error::Config(e)) if e.field() == "nonce"));
    let fields = [
        ("mch_id", MCHID),
        ("event_id", "E1"),
        ("event_type", "TRANSACTION.SUCCESS"),
        ("event_create_time", "20261101000000"),
        ("event_algorithm", "AEAD_AES_256_GCM"),
        ("event_nonce", "abcdefghijkl"),
        ("event_associated_data", "rent"),
        ("event_ciphertext", &text),
    ];
    let body = signed_xml(&fields, SECRET);
    let notification = wx.notification_v2(&body).unwrap();
    assert_eq!((notification.id.as_str(), notification.event_type.as_str()), ("E1", "TRANSACTION.SUCCESS"));
    assert_eq!(notification.resource["event_ciphertext"]["state"], "USER_PAID");
    let without = builder("https://api.mch.weixin.qq.com/").build().unwrap();
    assert!(matches!(without.notification_v2(&body), Err(Error::Config(e)) if e.field() == "apiv3_key"));
}

/// The forms of PROTOCOL-V2, section 8, over the fields that each signs.
#[test]
fn front_ends_get_their_signatures() {
    let wx = builder("https://api.mch.weixin.qq.com/").build().unwrap();
    let jsapi =
        wx.v2_jsapi_params("wx1", "wx201410272009395522657a690389285100", SignType::HmacSha256).unwrap();
    let text = |name: &str| jsapi[name].as_str().unwrap();
    let signed = ["appId", "timeStamp", "nonceStr", "package", "signType"].map(|name| (name, text(name)));
    assert_eq!(text("paySign"), super::hmac_sign(&signed, SECRET));
    assert_eq!(text("signType"), "HMAC-SHA256");
    let app = wx.v2_app_params("wx1", "wx201410272009395522657a690389285100", SignType::HmacSha256).unwrap();
    let text = |name: &str| app[name].as_str().unwrap();
    let signed =
        ["appid", "partnerid", "prepayid", "package", "noncestr", "timestamp"].map(|name| (name, text(name)));
    assert_eq!(text("sign"), super::hmac_sign(&signed, SECRET));
    assert_eq!(app.as_object().unwrap().len(), 7);
    assert!(wx.v2_jsapi_params("wx1", "", SignType::Md5).is_err());
    assert!(wx.v2_sign(&json!([1]), SignType::Md5).is_err());
}
