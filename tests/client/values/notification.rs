//! Genuine notifications that are not quite as documented. Encrypted by AWS-LC, signed with the platform's key.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wechatpay_chain::{Error, Notification};

use crate::support;

fn encrypt(plain: &[u8]) -> String {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, support::APIV3_KEY.as_bytes()).unwrap());
    let mut text = plain.to_vec();
    let nonce = Nonce::try_assume_unique_for_key(b"0123456789ab").unwrap();
    key.seal_in_place_append_tag(nonce, Aad::from("transaction"), &mut text).unwrap();
    STANDARD.encode(text)
}

fn envelope(plain: &[u8]) -> Value {
    json!({
        "id": "ID1", "create_time": "2026-11-20T10:00:00+08:00", "event_type": "TRANSACTION.SUCCESS",
        "resource_type": "encrypt-resource", "summary": "支付成功",
        "resource": {
            "algorithm": "AEAD_AES_256_GCM", "ciphertext": encrypt(plain), "nonce": "0123456789ab",
            "associated_data": "transaction", "original_type": "transaction",
        },
    })
}

fn take(body: &[u8]) -> Result<Notification, Error> {
    let timestamp = support::now().to_string();
    let signature = support::platform_sign(&[timestamp.as_bytes(), b"\nN\n", body, b"\n"].concat());
    let headers = [
        ("Wechatpay-Timestamp", timestamp.as_str()),
        ("Wechatpay-Nonce", "N"),
        ("Wechatpay-Serial", support::PLATFORM_SERIAL),
        ("Wechatpay-Signature", &signature),
        ("Request-ID", "08F0D0A1"),
    ];
    support::client("https://example.com/").notification(headers, body.to_vec()).wait()
}

#[test]
fn what_is_told_to_people_may_be_null_or_missing() {
    let whole = envelope(br#"{"out_trade_no":"P1"}"#);
    let pointers = ["/summary", "/create_time", "/resource_type", "/resource/original_type"];
    for pointer in pointers {
        for replacement in [Some(Value::Null), None, Some(json!(7)), Some(json!({"a": 1}))] {
            let mut body = whole.clone();
            match &replacement {
                Some(value) => *body.pointer_mut(pointer).unwrap() = value.clone(),
                None => {
                    let (parent, name) = pointer.rsplit_once('/').unwrap();
                    body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
                }
            }
            let taken = take(body.to_string().as_bytes()).unwrap();
            assert_eq!(taken.resource["out_trade_no"], "P1");
            let fields = [taken.summary, taken.create_time, taken.resource_type, taken.original_type];
            let at = pointers.iter().position(|p| *p == pointer).unwrap();
            let expected =
                replacement.filter(|value| !value.is_null()).map_or(String::new(), |v| v.to_string());
            assert_eq!(fields[at], expected, "{pointer}");
            assert_eq!(
                fields.iter().filter(|field| field.is_empty()).count(),
                usize::from(expected.is_empty())
            );
        }
    }
    // All at once; and no associated data, which is then empty.
    let bare = json!({"id": "ID1", "event_type": "E", "resource": whole["resource"]});
    assert_eq!(take(bare.to_string().as_bytes()).unwrap().summary, "");
    // What a program goes by is not optional.
    for name in ["id", "event_type", "resource"] {
        let mut body = whole.clone();
        body[name] = Value::Null;
        assert!(matches!(take(body.to_string().as_bytes()), Err(Error::Decode(_))), "{name}");
    }
}

#[test]
fn half_a_character_is_replaced_in_envelope_and_resource() {
    let plain = br#"{"out_trade_no":"P1","attach":"\ud83d","payer\ude00":{"note":["\uD83D\uD83D"]}}"#;
    let taken = take(envelope(plain).to_string().as_bytes()).unwrap();
    let expected =
        json!({"out_trade_no": "P1", "attach": "\u{fffd}", "payer\u{fffd}": {"note": ["\u{fffd}\u{fffd}"]}});
    assert_eq!(taken.resource, expected);
    let cut = take(envelope(b"{\"attach\":\"\xF0\x9F\x98\"}").to_string().as_bytes()).unwrap();
    assert_eq!(cut.resource, json!({"attach": "\u{fffd}"}));
    // In the envelope, where serde does not keep what it does not know.
    let body = envelope(br#"{"a":1}"#).to_string().replace("支付成功", r"\ud83d支付\ude00");
    assert_eq!(take(body.as_bytes()).unwrap().summary, "\u{fffd}支付\u{fffd}");
    let body = envelope(br#"{"a":1}"#).to_string().replacen('{', r#"{"more\ud83d":"\ud83d","#, 1);
    assert_eq!(take(body.as_bytes()).unwrap().resource, json!({"a": 1}));
    let body = envelope(br#"{"a":1}"#)
        .to_string()
        .replace(r#""algorithm""#, r#""new\udfff":["\udfff"],"algorithm""#);
    assert_eq!(take(body.as_bytes()).unwrap().original_type, "transaction");
}

#[test]
fn broken_json_is_refused_without_a_word_of_it() {
    for plain in
        [&br#"{"phone":"13900139000"#[..], br#"{"phone":"\ud83d13900139000",}"#, b"13900139000 x", b""]
    {
        let Err(Error::Decode(error)) = take(envelope(plain).to_string().as_bytes()) else { panic!() };
        let text = error.to_string();
        assert!(
            text.contains("the decrypted resource is not JSON") && !text.contains("13900139000"),
            "{text}"
        );
        assert_eq!(error.request_id.as_deref(), Some("08F0D0A1"));
    }
    let whole = envelope(br#"{"a":1}"#).to_string();
    for body in [&whole[..whole.len() - 1], "null", "\"x\"", &"[".repeat(100_000), "{}"] {
        let Err(Error::Decode(error)) = take(body.as_bytes()) else { panic!("{body:.40}") };
        assert!(error.to_string().contains("not a notification"), "{error}");
    }
}
