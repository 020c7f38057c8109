//! Saved notifications, as they are and changed on their way.

use serde_json::{Value, json};
use wechatpay_chain::sandbox::Fault;

use crate::changed_messages::{BODY, Saved};
use crate::messages::saved;
use crate::program::TestEnv;

#[test]
fn a_notification_is_verified_and_decrypted() {
    let env = TestEnv::new();
    let (headers, body) = saved(&env, &env.sandbox);
    snapshot!(env.run(&["verify", "--headers", &headers, &body]), @r#"
    exit 0
    --- stdout
    {"verified":true,"serial":"[PUBLIC KEY ID]","timestamp":[TIMESTAMP],"age_seconds":[N]}
    --- stderr
    "#);
    snapshot!(env.run(&["decrypt", "--headers", &headers, &body, "--jq", "del(.id)"]), @r#"
    exit 0
    --- stdout
    {"resource":{"out_trade_no":"P1","payer":"茶"},"event_type":"TRANSACTION.SUCCESS","create_time":"[TIME]","resource_type":"encrypt-resource","summary":"TRANSACTION.SUCCESS","original_type":"transaction"}
    --- stderr
    "#);
}

#[test]
fn a_check_fails() {
    let env = TestEnv::new();
    let with = |fault: Fault, command: &str| {
        env.sandbox.inject(fault);
        let (headers, body) = saved(&env, &env.sandbox);
        env.run(&[command, "--headers", &headers, &body])
    };
    snapshot!(with(Fault::BadSignature, "verify"), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: the signature does not match under the platform key `[PUBLIC KEY ID]`: this key made it for another message, so the notification was changed, or has the headers of another one (Request-ID [REQUEST ID])
    wxpay: hint: check that the body is byte for byte as received, and that these are its headers; the configured platform key is right
    ");
    snapshot!(with(Fault::UnknownSerial, "verify"), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: no platform key has the serial `[PUBLIC KEY ID]`; known: [SERIAL], [PUBLIC KEY ID] (Request-ID [REQUEST ID])
    wxpay: hint: check the ID of the key that is configured as [PUBLIC KEY ID]: the signature is valid with this key, and the notification names `[PUBLIC KEY ID]`
    ");
    snapshot!(with(Fault::SignatureProbe, "decrypt"), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: the notification carries a signature probe of the platform (WECHATPAY/SIGNTEST/), which must be refused (Request-ID [REQUEST ID])
    ");
    snapshot!(with(Fault::MissingHeader("Wechatpay-Timestamp".into()), "verify"), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: the notification has no `Wechatpay-Timestamp` header (Request-ID [REQUEST ID])
    wxpay: hint: save all headers of the notification, `Wechatpay-Timestamp` with them
    ");
    snapshot!(with(Fault::WrongBody, "decrypt"), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: the signature does not match under the platform key `[PUBLIC KEY ID]`: this key made it for another message, so the notification was changed, or has the headers of another one (Request-ID [REQUEST ID])
    wxpay: hint: use the body byte for byte as received: a blank was added at the end; without that, the signature is valid
    ");
    let (headers, body) = saved(&env, &env.sandbox);
    let mut wxpay = env.wxpay();
    wxpay.env("WECHATPAY_APIV3_KEY", "0123456789abcdef0123456789abcdef");
    snapshot!(env.finish(wxpay.args(["decrypt", "--headers", &headers, &body])), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: notification [ID]: the ciphertext cannot be decrypted: it was encrypted with another APIv3 key, or it was changed
    wxpay: hint: set `WECHATPAY_APIV3_KEY` to the key of the time when the notification was sent; it is genuine
    ");
}

#[test]
fn a_changed_body_is_diagnosed() {
    let saved = Saved::new();
    let headers = saved.lines(|name, value| format!("{name}: {value}\n"));
    let value: Value = serde_json::from_str(BODY).unwrap();
    let verify = |body: &str| saved.verify(body, &headers);
    snapshot!(verify(&format!("{BODY}\n")), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: the signature does not match under the platform key `[SERIAL]`: this key made it for another message, so the notification was changed, or has the headers of another one
    wxpay: hint: use the body byte for byte as received: a line break was added at the end; without that, the signature is valid
    ");
    snapshot!(verify(&format!("\u{feff}{BODY}")), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: the signature does not match under the platform key `[SERIAL]`: this key made it for another message, so the notification was changed, or has the headers of another one
    wxpay: hint: use the body byte for byte as received: a byte order mark (BOM) was put in front; without that, the signature is valid
    ");
    snapshot!(verify(&serde_json::to_string_pretty(&value).unwrap()), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: the signature does not match under the platform key `[SERIAL]`: this key made it for another message, so the notification was changed, or has the headers of another one
    wxpay: hint: use the body byte for byte as received: the JSON was parsed and serialised again, over several lines; without that, the signature is valid
    ");
    snapshot!(verify(&json!(BODY).to_string()), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: the signature does not match under the platform key `[SERIAL]`: this key made it for another message, so the notification was changed, or has the headers of another one
    wxpay: hint: use the body byte for byte as received: it was quoted as a JSON string; without that, the signature is valid
    ");
    snapshot!(verify(&BODY.replace('"', "\\x22")), @r"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: the signature does not match under the platform key `[SERIAL]`: this key made it for another message, so the notification was changed, or has the headers of another one
    wxpay: hint: use the body byte for byte as received: it was escaped as \xHH, as a log does; without that, the signature is valid
    ");
    snapshot!(verify(&BODY[..300]), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: the signature does not match under the platform key `[SERIAL]`: this key made it for another message, so the notification was changed, or has the headers of another one
    wxpay: hint: use the body byte for byte as received: it was cut: its JSON does not end within 300 bytes
    ");
    snapshot!(verify(&BODY.replace("EV-1", "EV-2")), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: the signature does not match under the platform key `[SERIAL]`: this key made it for another message, so the notification was changed, or has the headers of another one
    wxpay: hint: check that the body is byte for byte as received, and that these are its headers; the configured platform key is right
    ");
    snapshot!(verify(""), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: the signature does not match under the platform key `[SERIAL]`: this key made it for another message, so the message was changed, or has the headers of another one
    wxpay: hint: use the body byte for byte as received: it is empty (0 bytes)
    ");
}

#[test]
fn a_changed_header_is_diagnosed() {
    let saved = Saved::new();
    let with = |header: &str, change: &dyn Fn(&str) -> String| {
        let headers = saved.lines(|name, value| match name {
            _ if name == header => format!("{name}: {}\n", change(value)),
            _ => format!("{name}: {value}\n"),
        });
        saved.verify(BODY, &headers)
    };
    snapshot!(with("Wechatpay-Signature", &|value| value.replace('=', "")), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: the signature does not match under the platform key `[SERIAL]`: it is not a whole signature, so the notification was changed or forged
    wxpay: hint: save `Wechatpay-Signature` as received: its = at the end are missing; without that, the signature is valid
    ");
    snapshot!(with("Wechatpay-Signature", &|_| "?".to_owned()), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: the signature does not match under the platform key `[SERIAL]`: it is not a whole signature, so the notification was changed or forged
    wxpay: hint: save `Wechatpay-Signature` as received: it is not a whole signature
    ");
    snapshot!(with("Wechatpay-Nonce", &str::to_lowercase), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: the signature does not match under the platform key `[SERIAL]`: this key made it for another message, so the notification was changed, or has the headers of another one
    wxpay: hint: save `Wechatpay-Nonce` as received: its letters became small ones; without that, the signature is valid
    ");
    snapshot!(with("Wechatpay-Timestamp", &|value| format!("{value}000")), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: the notification's timestamp [TIMESTAMP] and the local clock [TIMESTAMP] differ by more than 300 s: the local clock is wrong, or an old notification was replayed
    wxpay: hint: save `Wechatpay-Timestamp` as received: it is in seconds, not in milliseconds
    ");
    snapshot!(with("Wechatpay-Serial", &|_| "1234".to_owned()), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: no platform key has the serial `1234`; known: [SERIAL], [PUBLIC KEY ID]
    wxpay: hint: check the ID of the key that is configured as [SERIAL]: the signature is valid with this key, and the notification names `1234`
    ");
}
