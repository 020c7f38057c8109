//! A genuine response to another request: its signature is right, and its content is not what was asked for.

use serde_json::{Value, json};
use wechatpay_chain::Error;
use wechatpay_chain::sandbox::{Sandbox, SandboxResponse};

use crate::support::{self, Recorder, signed, start_sandbox};

/// What the sandbox's bill request responds, and the outcome of a download that asks for `P1` of 2026-11-20.
fn bill(sandbox: &Sandbox, more: &Value) -> Result<u64, Error> {
    let mut response = json!({
        "hash_type": "SHA1", "hash_value": "a9993e364706816aba3e25717850c26c9cd0d89d",
        "download_url": format!("{}v3/billdownload/file?token=a", sandbox.base_url()),
    });
    response.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    sandbox.on("GET", "v3/transfer/bill-receipt/{out_batch_no}", 200, response).unwrap();
    let file = SandboxResponse::new(200).body("text/csv", "abc").unsigned();
    sandbox.on_with("GET", "v3/billdownload/file", file).unwrap();
    let wx = sandbox.client().unwrap();
    wx.bill("v3/transfer/bill-receipt/{out_batch_no}")
        .var("out_batch_no", "P1")
        .query(json!({"bill_date": "2026-11-20", "limit": 5, "note": "a b+c"}))
        .save_to_writer(tokio::io::sink())
        .wait()
        .map(|saved| saved.bytes)
}

#[test]
fn a_bill_of_another_request_is_refused() {
    let sandbox = start_sandbox();
    for same in [
        json!({}),
        json!({"out_batch_no": "P1"}),
        json!({"out_batch_no": "P1", "bill_date": "2026-11-20", "limit": 5, "note": "a b+c", "state": "FINISHED"}),
        // Absent in one of the ways that platforms have.
        json!({"out_batch_no": null, "bill_date": "", "other": "P2"}),
    ] {
        assert_eq!(bill(&sandbox, &same).unwrap(), 3, "{same}");
    }
    for (name, other) in [
        ("out_batch_no", json!({"out_batch_no": "P2"})),
        ("out_batch_no", json!({"out_batch_no": "p1"})),
        ("bill_date", json!({"out_batch_no": "P1", "bill_date": "2026-11-21"})),
        ("limit", json!({"limit": 6})),
        ("note", json!({"note": "a b c"})),
    ] {
        let Err(Error::Decode(error)) = bill(&sandbox, &other) else { panic!("accepted: {other}") };
        let text = error.to_string();
        assert!(text.contains("another request") && text.contains(&format!("`{name}`")), "{text}");
        assert!(!sandbox.requests().last().unwrap().target.contains("billdownload"), "{other}");
    }
}

#[test]
fn the_response_to_another_request_is_no_list_of_certificates() {
    let order = json!({"out_trade_no": "P1", "trade_state": "SUCCESS"}).to_string();
    let empty = json!({"data": []}).to_string();
    let coupons = json!({"data": [{"stock_id": "1", "serial_no": support::PLATFORM_SERIAL}]}).to_string();
    for body in [order, empty, coupons] {
        let recorder = Recorder::start(move |_| signed("200 OK", &[], body.as_bytes()));
        let wx = support::builder(&recorder.base).automatic_certificates().build().unwrap();
        assert!(wx.verify(&signed_headers(), b"{}").is_ok(), "the key that signs is known");
        let before = wx.platform_serials();
        assert!(wx.refresh_certificates().wait().is_err());
        assert_eq!(wx.platform_serials(), before);
    }
}

/// The headers of a genuine message with the body `{}`.
fn signed_headers() -> http::HeaderMap {
    let raw = String::from_utf8(signed("200 OK", &[], b"{}")).unwrap();
    let lines =
        raw.lines().filter(|line| line.starts_with("Wechatpay-")).filter_map(|line| line.split_once(": "));
    lines
        .map(|(name, value)| {
            (name.parse::<http::HeaderName>().unwrap(), value.parse::<http::HeaderValue>().unwrap())
        })
        .collect()
}
