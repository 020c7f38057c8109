//! Saved notifications, signatures, `wxpay doctor`.

use serde_json::json;

use super::{MCHID, Merchant, SUCCESS, check, finish};
use crate::support::{APIV2_KEY, has, openssl, signed_xml};

#[test]
fn a_saved_notification_is_verified() {
    let merchant = Merchant::new(&SUCCESS);
    let paid =
        signed_xml(&[&SUCCESS[..], &[("out_trade_no", "P1"), ("total_fee", "100")]].concat(), APIV2_KEY);
    let body = merchant.file("paid.xml", &paid);
    let verified = merchant.run(&["verify", &body]).json();
    assert_eq!(verified, json!({"verified": true, "sign_type": "HMAC-SHA256"}));
    let opened = merchant.run(&["decrypt", &body, "--jq", ".resource.out_trade_no", "--raw"]);
    assert_eq!(opened.ok(), "P1\n");
    // Headers that were saved, too, do no harm.
    let headers = merchant.file("paid.headers", "Content-Type: text/xml\n");
    assert_eq!(merchant.run(&["verify", "--headers", &headers, &body]).json()["verified"], true);
    for (text, code, part) in [
        (paid.replace("P1", "P2"), 4, "`WECHATPAY_APIV2_KEY` is the key of its merchant"),
        (paid.replace("sign>", "sing>"), 4, "has a `sign`"),
        ("<xml>".to_owned(), 4, "not a notification of APIv2"),
        ("{}".to_owned(), 1, "--headers is missing"),
    ] {
        let body = merchant.file("bad.xml", text);
        merchant.run(&["verify", &body]).fails(code, part);
        merchant.run(&["decrypt", &body]).fails(code, part);
    }
    merchant.run(&["verify", &body, "--any-time"]).fails(1, "a message of APIv2 has no time");
    let other = finish(merchant.wxpay().env("WECHATPAY_APIV2_KEY", "0".repeat(32)).args(["verify", &body]));
    other.fails(4, "`sign`");
}

/// Encrypted by the `openssl` program.
#[test]
fn the_result_of_a_refund_is_decrypted_and_not_verified() {
    if !has("openssl") {
        return;
    }
    let merchant = Merchant::new(&SUCCESS);
    let digest = openssl(&["dgst", "-md5", "-r"], APIV2_KEY.as_bytes()).unwrap();
    let hex: String = digest[..32].iter().map(|byte| format!("{byte:02x}")).collect();
    let plain = "<root><out_refund_no>R1</out_refund_no></root>";
    let info = openssl(&["enc", "-aes-256-ecb", "-K", &hex, "-base64", "-A"], plain.as_bytes()).unwrap();
    let info = String::from_utf8(info).unwrap();
    let text = format!(
        "<xml><return_code>SUCCESS</return_code><mch_id>{MCHID}</mch_id><req_info>{info}</req_info></xml>"
    );
    let body = merchant.file("refund.xml", &text);
    let opened = merchant.run(&["decrypt", &body]).json();
    assert_eq!(opened["resource"]["req_info"], json!({"out_refund_no": "R1"}));
    merchant.run(&["verify", &body]).fails(4, "has no `sign`: nothing protects it against changes");
    let other = finish(merchant.wxpay().env("WECHATPAY_APIV2_KEY", "0".repeat(32)).args(["decrypt", &body]));
    other.fails(4, "`WECHATPAY_APIV2_KEY` for `req_info`");
}

/// The platform's documented example.
#[test]
fn fields_are_signed() {
    let merchant = Merchant::new(&SUCCESS);
    let fields = r#"{"appid":"wxd930ea5d5a258f4f","mch_id":10000100,"device_info":1000,"body":"test","sign":"x","attach":"",
        "nonce_str":"ibuaiVcKdpRxkhJA"}"#;
    let sign =
        |kind: &str, input: &str| finish(merchant.wxpay().args(["sign", "--apiv2", kind]).write_stdin(input));
    assert_eq!(sign("MD5", fields).ok(), "9A0A8659F005D6984697E2CA0A9CF3B7\n");
    let hmac = "6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6\n";
    assert_eq!(sign("HMAC-SHA256", fields).ok(), hmac);
    sign("md5", fields).is(1, "expected MD5 or HMAC-SHA256");
    sign("MD5", "[]").fails(1, "expected a JSON object");
    sign("MD5", "a=1").fails(1, "expected JSON");
    sign("MD5", r#"{"a":1e40}"#).fails(1, "may not have the digits");
}

#[test]
fn the_doctor_asks_for_nothing_of_apiv3() {
    let merchant = Merchant::new(&SUCCESS);
    let done = merchant.run(&["doctor"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(check(&done, "APIv2 key")["found"], "32 bytes; not tried");
    assert_eq!(check(&done, "echo")["status"], "skipped");
    assert!(check(&done, "keys")["found"].as_str().unwrap().starts_with("merchant 10000100, APIv2 alone"));
    assert!(!done.out.contains("APIv3 key") && !done.out.contains("warning"), "{done:?}");
    let short = finish(merchant.wxpay().env("WECHATPAY_APIV2_KEY", "short").args(["doctor"]));
    assert_eq!((short.code, &check(&short, "APIv2 key")["status"]), (Some(1), &json!("failed")), "{short:?}");
    assert!(
        check(&short, "APIv2 key")["found"].as_str().unwrap().contains("must be exactly 32 bytes; it is 5")
    );

    // Beside APIv3, all checks of both.
    let env = crate::program::TestEnv::new();
    let both = env.finish(env.wxpay().env("WECHATPAY_APIV2_KEY", APIV2_KEY).args(["doctor"]));
    assert_eq!((both.code, &check(&both, "echo")["status"]), (Some(0), &json!("ok")), "{both:?}");
    assert_eq!(check(&both, "APIv2 key")["status"], "ok");
    let short = env.finish(env.wxpay().env("WECHATPAY_APIV2_KEY", "short").args(["doctor"]));
    assert_eq!((short.code, &check(&short, "APIv2 key")["status"]), (Some(1), &json!("failed")), "{short:?}");
    assert_eq!(check(&short, "echo")["status"], "ok");
    assert!(!env.run(&["doctor"]).out.contains("APIv2"));
}
