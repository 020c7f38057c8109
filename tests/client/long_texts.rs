//! Long texts in messages: their time grows with their length, and neither end of them shows a key.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use wechatpay_chain::{Error, WeChatPay};

use crate::support::{self, APIV3_KEY, MERCHANT_SERIAL, Recorder, key, raw, signed};

/// A piece that looks like a key, again and again: each could be compared with all others.
const PIECES: [&str; 4] = ["aB1cD2/", "aB1cD2eF3gH4iJ5k+", "A1b-", "%2F9aB8cD7"];

/// What is printed about an error, in a time that no long text may exceed.
fn printed(what: &str, make: impl FnOnce() -> Error) -> String {
    let began = Instant::now();
    let error = make();
    let mut text = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text += &format!(" {inner} {inner:?}");
        cause = inner.source();
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(10), "{what}: {took:?}");
    let shown = error.to_string().chars().count();
    assert!(shown < 5_000, "{what}: {shown} characters");
    text
}

#[test]
fn a_callers_long_text_takes_linear_time() {
    let wx = support::client("http://127.0.0.1:9/");
    for piece in PIECES {
        let long = piece.repeat((1 << 20) / piece.len());
        for (what, start) in [("a URL", "https://example.com/"), ("a path", "v3/x/"), ("a query", "v3/x?a=")]
        {
            printed(what, || wx.chain(&format!("{start}{long}")).post(json!({})).prepare().unwrap_err());
        }
        printed("a segment", || wx.seg(&long).get().prepare().unwrap_err());
        printed("a pointer", || {
            wx["v3/x"].post(json!({})).encrypt(&[&format!("/{long}")]).prepare().unwrap_err()
        });
        printed("a variable", || wx["v3/{x}"].get().var(&*long, "1").prepare().unwrap_err());
        printed("a header", || wx["v3/x"].get().header(&long, "1\n").prepare().unwrap_err());
        printed("an option", || wx["v3/x"].get().options(json!({&*long: 1})).prepare().unwrap_err());
        printed("a host", || support::builder(&format!("https://a b{long}/")).build().unwrap_err());
        printed("a serial", || {
            support::builder("https://a.example/").platform_key(&*long, "").build().unwrap_err()
        });
    }
    // A URL as long as one may be, in the span of every call.
    let long = PIECES[0].repeat(65_000 / PIECES[0].len());
    printed("a call", || wx.chain(&format!("http://127.0.0.1:9/{long}")).get().wait().unwrap_err());
}

#[test]
fn a_long_text_of_the_network_takes_linear_time() {
    for piece in PIECES {
        let id = piece.repeat(150_000 / piece.len());
        let responses = {
            let long = piece.repeat((4 << 20) / piece.len());
            let body = json!({"code": long, "message": long}).to_string();
            let list = json!({"data": [{"serial_no": long, "encrypt_certificate": {
                "algorithm": long, "nonce": "0123456789ab", "ciphertext": "", "associated_data": "",
            }}]});
            let header = [("Request-ID", id.as_str())];
            [
                raw("500 X", &header, body.as_bytes()),
                signed("400 X", &[], body.as_bytes()),
                raw("200 OK", &header, b"{}"),
                raw("302 Found", &[("Location", &format!("https://{id}/")), ("Request-ID", &id)], b""),
                raw("200 OK", &[], list.to_string().as_bytes()),
            ]
        };
        for (at, response) in responses.into_iter().enumerate() {
            let server = Recorder::start(move |_| response.clone());
            let wx = support::client(&server.base);
            printed(&format!("response {at}"), || wx["v3/x"].get().wait().map(drop).unwrap_err());
            let automatic = WeChatPay::builder()
                .mchid(support::MCHID)
                .serial(MERCHANT_SERIAL)
                .private_key(key("merchant_key.pem"))
                .apiv3_key(APIV3_KEY)
                .automatic_certificates()
                .base_url(&server.base);
            let wx = automatic.build().unwrap();
            printed(&format!("certificates {at}"), || wx["v3/x"].get().wait().map(drop).unwrap_err());
        }
    }
}

/// Of a long path the end is shown, which names the file. It is looked at as the beginning is.
#[test]
fn the_end_of_a_long_text_shows_no_key() {
    let pem = key("platform_key.pem");
    let base64 = STANDARD.encode(pem::parse(&pem).unwrap().into_contents());
    let wx = support::client("http://127.0.0.1:9/");
    for (before, length) in [(9_000, 1_600), (20_000, 1_600), (200_000, 1_600), (20_000, 60), (8_185, 64)] {
        let text = format!("{}{}", "a/".repeat(before), &base64[..length]);
        let utf16: String = text.chars().flat_map(|c| [c, '\0']).collect();
        for text in [text.as_str(), &utf16, &base64[..1_000], &format!("/{utf16}")] {
            let media = wechatpay_chain::Media::file(text);
            let shown: Vec<(&str, String)> = [
                ("chain", wx.chain(text).get().prepare().map(drop)),
                ("url", wx.chain(&format!("https://h.example/{text}")).post(json!({})).prepare().map(drop)),
                ("seg", wx.seg(text).get().prepare().map(drop)),
                ("var", wx["v3/x/{id}"].get().var("id", "1").var(text, "1").prepare().map(drop)),
                ("options", wx["v3/x"].get().options(json!({text: "1"})).prepare().map(drop)),
                ("encrypt", wx["v3/x"].post(json!({})).encrypt(&[&format!("/{text}")]).prepare().map(drop)),
                ("media", wx["v3/x"].post(json!({})).media(media).wait().map(drop)),
                ("save_to", wx["v3/x"].get().save_to(text).wait().map(drop)),
                (
                    "private_key",
                    support::builder("https://a.example/")
                        .private_key(format!("file://{text}"))
                        .build()
                        .map(drop),
                ),
                ("allow_host", support::builder("https://a.example/").allow_host(text).build().map(drop)),
                ("mchid", support::builder("https://a.example/").mchid(text).build().map(drop)),
                ("jsapi_params", wx.jsapi_params(text, text).wait().map(drop)),
            ]
            .map(|(what, result)| (what, shown(&result)))
            .into();
            for (what, shown) in shown {
                for plain in [shown.replace("\\0", ""), shown.replace("\\u{0}", ""), shown] {
                    let piece = base64
                        .as_bytes()
                        .windows(16)
                        .find(|piece| plain.contains(str::from_utf8(piece).unwrap()));
                    assert_eq!(piece, None, "{what}: {plain}");
                }
            }
        }
    }
}

fn shown(result: &impl Debug) -> String {
    format!("{result:?}")
}
