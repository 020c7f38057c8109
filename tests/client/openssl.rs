//! `openssl` verifies signatures made here, over the bytes that arrived, and signs what is verified here.

use std::path::Path;

use serde_json::{Value, json};
use wechatpay_chain::Error;

use crate::support::{self, Recorder, has, key_path, openssl_sign, openssl_verifies, raw};

const AWKWARD: &[&str] = &[
    "'",
    "/",
    "%2F",
    "+",
    "&",
    "a b",
    "?",
    "#",
    "=",
    "\"\\",
    "粤B12345",
    "WINCIE*EIXHRB",
    "😀",
    "{x}",
    "é\u{301}",
    "\u{7f}\n\t",
];

#[test]
fn signatures_made_here_verify_there() {
    if !has("openssl") {
        return;
    }
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    let public = key_path("merchant_pub.pem");
    let holds = |recorder: &Recorder| {
        let seen = recorder.take();
        assert!(
            openssl_verifies(Path::new(&public), &seen.expected_message(), &seen.auth("signature")),
            "{seen:?}"
        );
        seen
    };
    for value in AWKWARD {
        wx["v3/{v}/x"].get().var("v", *value).query(json!({*value: value, "list": [value]})).wait().unwrap();
        holds(&recorder);
        wx["v3/{+v}"].get().var("v", format!("a{}", value.replace(['?', '#'], ""))).wait().unwrap();
        holds(&recorder);
        wx["v3/x"].post(json!({*value: value})).wait().unwrap();
        let seen = holds(&recorder);
        assert_eq!(serde_json::from_slice::<Value>(&seen.body).unwrap(), json!({*value: value}));
    }
    let megabyte = "字/'".repeat(200_000);
    wx["v3/x"].put(json!({"m": megabyte})).wait().unwrap();
    assert!(holds(&recorder).body.len() > 1_000_000);
    wx["v3/x"].delete().json(json!({"a": 1})).wait().unwrap();
    holds(&recorder);
    wx["v3/x"].post(Value::Null).body("application/octet-stream", vec![0xff, 0, 10, 13]).wait().unwrap();
    holds(&recorder);
    // The check can fail.
    wx["v3/x"].get_sync().unwrap();
    let seen = recorder.take();
    assert!(!openssl_verifies(Path::new(&public), b"another message", &seen.auth("signature")));
}

#[test]
fn signatures_made_there_verify_here() {
    if !has("openssl") {
        return;
    }
    let mut bodies: Vec<Vec<u8>> = AWKWARD.iter().map(|v| v.as_bytes().to_vec()).collect();
    bodies.extend([b"{}".to_vec(), vec![0xff, 0xfe, 0], "字/'".repeat(200_000).into_bytes(), Vec::new()]);
    for body in bodies {
        let response = body.clone();
        let recorder = Recorder::start(move |seen| {
            let timestamp = support::now().to_string();
            let message = [timestamp.as_bytes(), b"\nN+/=\n", &response, b"\n"].concat();
            let signature = openssl_sign(Path::new(&key_path("platform_key.pem")), &message);
            // The same signature over a body that differs in its last byte only.
            let mut body = response.clone();
            if seen.target == "/v3/changed" {
                body.push(b' ');
            }
            raw(
                "200 OK",
                &[
                    ("wechatpay-timestamp", timestamp.as_str()),
                    ("WECHATPAY-NONCE", "N+/="),
                    ("Wechatpay-Serial", support::PLATFORM_SERIAL),
                    ("Wechatpay-Signature", &signature),
                ],
                &body,
            )
        });
        let wx = support::client(&recorder.base);
        assert_eq!(wx["v3/x"].get_sync().unwrap().bytes().as_ref(), body);
        assert!(matches!(wx["v3/changed"].get_sync(), Err(Error::Verify(_))));
    }
}
