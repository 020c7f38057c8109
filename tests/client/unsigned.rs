//! Responses that the platform does not sign: which they are, and that a signature on one is verified all the same.

use std::path::Path;

use wechatpay_chain::{Error, Request, VerifyReason, WeChatPay};

use crate::support::{self, PLATFORM_SERIAL, Recorder, key_path, openssl_sign, raw};

const BILL: &str = "v3/billdownload/file";
const PICTURE: &str = "v3/merchant-service/images/ChsyMDAw/AbCd+EF==";
const STATEMENT_SHA1: &str = "6cc981744e5c893179434506139a3107851b061e"; // of "csv", by sha1sum

/// How the headers of a signature are made.
#[derive(Clone, Copy, Debug)]
enum Signed {
    /// By `openssl`, over the body.
    Rightly,
    /// By `openssl`, over another body.
    OverAnother,
    Probe,
    /// Rightly, but under a serial that no key has.
    Unknown,
    /// Rightly, five minutes and a second ago.
    Old,
    /// Rightly, without this header.
    Without(&'static str),
    /// Only this header.
    Only(&'static str),
    /// Rightly, with this header twice.
    Twice(&'static str),
    /// With an empty signature.
    Empty,
}

const HEADERS: [&str; 4] =
    ["Wechatpay-Nonce", "Wechatpay-Serial", "Wechatpay-Signature", "Wechatpay-Timestamp"];

fn headers(how: Signed, body: &[u8]) -> Vec<(&'static str, String)> {
    let age = if matches!(how, Signed::Old) { 301 } else { 0 };
    let timestamp = (support::now() - age).to_string();
    let signed = if matches!(how, Signed::OverAnother) { b"another" } else { body };
    let message = [timestamp.as_bytes(), b"\nNONCE\n", signed, b"\n"].concat();
    let signature = match how {
        Signed::Probe => format!("WECHATPAY/SIGNTEST/{}", "A".repeat(325)),
        Signed::Empty => String::new(),
        _ => openssl_sign(Path::new(&key_path("platform_key.pem")), &message),
    };
    let serial = if matches!(how, Signed::Unknown) { "7132D72A" } else { PLATFORM_SERIAL };
    let mut all = vec![
        (HEADERS[0], "NONCE".to_owned()),
        (HEADERS[1], serial.to_owned()),
        (HEADERS[2], signature),
        (HEADERS[3], timestamp),
    ];
    match how {
        Signed::Without(name) => all.retain(|(header, _)| *header != name),
        Signed::Only(name) => all.retain(|(header, _)| *header == name),
        Signed::Twice(name) => {
            let again = all.iter().find(|(header, _)| *header == name).unwrap().clone();
            all.push(again);
        }
        _ => {}
    }
    all
}

fn ok(headers: &[(&'static str, String)], body: &[u8]) -> Vec<u8> {
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    raw("200 OK", &headers, body)
}

/// The same request in memory and streamed: whether it was verified, or why not.
fn both(make: impl Fn() -> Request) -> [Result<bool, VerifyReason>; 2] {
    let reason = |error: Error| match error {
        Error::Verify(e) => e.reason,
        other => panic!("not a Verify error: {other}"),
    };
    let buffered = make().wait().map(|response| response.verified());
    let streamed = make().save_to_writer(tokio::io::sink()).wait().map(|saved| saved.verified);
    [buffered.map_err(reason), streamed.map_err(reason)]
}

#[test]
fn an_unsigned_path_with_a_signature_is_verified() {
    let bad = || VerifyReason::BadSignature { serial: PLATFORM_SERIAL.to_owned() };
    for path in [BILL, PICTURE, "v3/transferdownload/signfile", "v3/statements"] {
        let judged = |how: Signed| {
            let recorder = Recorder::start(move |_| ok(&headers(how, b"csv"), b"csv"));
            let wx = support::client(&recorder.base);
            both(|| wx.chain(&format!("{}{path}", recorder.base)).get())
        };
        for result in judged(Signed::Rightly) {
            assert_eq!(result, Ok(true), "{path}");
        }
        for how in [Signed::OverAnother, Signed::Empty] {
            for result in judged(how) {
                assert_eq!(result, Err(bad()), "{path}, {how:?}");
            }
        }
        for result in judged(Signed::Probe) {
            assert_eq!(result, Err(VerifyReason::SignatureProbe), "{path}");
        }
        for result in judged(Signed::Unknown) {
            assert!(matches!(result, Err(VerifyReason::UnknownSerial { .. })), "{path}: {result:?}");
        }
        for result in judged(Signed::Old) {
            assert!(matches!(result, Err(VerifyReason::ClockSkew { .. })), "{path}: {result:?}");
        }
        for header in HEADERS {
            for result in judged(Signed::Without(header)) {
                assert_eq!(result, Err(VerifyReason::MissingHeader { header }), "{path}");
            }
            for result in judged(Signed::Twice(header)) {
                assert_eq!(result, Err(VerifyReason::DuplicateHeader { header }), "{path}");
            }
            for result in judged(Signed::Only(header)) {
                assert!(matches!(result, Err(VerifyReason::MissingHeader { .. })), "{path}: {result:?}");
            }
        }
    }
}

#[cfg(feature = "bill")]
#[test]
fn a_bills_file_with_a_signature_is_verified_besides_its_digest() {
    let bill = |how: Option<Signed>| {
        let recorder = Recorder::start(move |request| match request.target.starts_with("/v3/bill/") {
            true => {
                let base = format!("http://{}/", request.header("host").unwrap());
                let body = format!(
                    r#"{{"hash_type":"SHA1","hash_value":"{STATEMENT_SHA1}","download_url":"{base}{BILL}?token=x"}}"#
                );
                support::signed("200 OK", &[], body.as_bytes())
            }
            false => ok(&how.map(|how| headers(how, b"csv")).unwrap_or_default(), b"csv"),
        });
        let wx = support::client(&recorder.base);
        let folder = tempfile::tempdir().unwrap();
        wx.bill("v3/bill/tradebill").save_to(folder.path().join("a")).wait().map(|saved| saved.verified)
    };
    assert!(bill(None).unwrap(), "its digest is signed");
    assert!(bill(Some(Signed::Rightly)).unwrap());
    for how in [Signed::OverAnother, Signed::Probe, Signed::Without("Wechatpay-Serial")] {
        assert!(matches!(bill(Some(how)), Err(Error::Verify(_))), "{how:?}");
    }
}

#[test]
fn a_statement_of_any_base_is_verified_by_its_digest() {
    let claim = format!("{{\"sha1\":\"{STATEMENT_SHA1}\"}}");
    for (signed, expected) in [(claim.clone(), true), ("csv".to_owned(), false)] {
        let recorder = Recorder::start(move |_| {
            let mut headers = headers(Signed::Rightly, signed.as_bytes());
            headers.push(("Wechatpay-Statement-Sha1", STATEMENT_SHA1.to_owned()));
            ok(&headers, b"csv")
        });
        for (base, path) in [
            ("", "v3/statements"),
            ("", "hk/v3/statements"),
            ("", "global/v3/statements"),
            ("", "v3/global/statements"),
            ("", "V3/Global/Statements"),
            ("hk/", "v3/statements"),
            ("global/", "v3/statements"),
        ] {
            let wx = support::client(&format!("{}{base}", recorder.base));
            // A whole URL: as the platform would write it, in any letter case.
            let url = format!("{}{base}{path}", recorder.base);
            for result in both(|| wx.chain(&url).get()) {
                assert_eq!(result.is_ok(), expected, "{base}{path}: {result:?}");
            }
        }
    }
}

fn unsigned_server() -> (Recorder, WeChatPay) {
    let recorder = Recorder::start(|_| raw("200 OK", &[("Content-Type", "image/jpeg")], b"jpeg"));
    let wx = support::client(&recorder.base);
    (recorder, wx)
}

#[test]
fn a_picture_needs_no_signature_whatever_its_id_holds() {
    let (recorder, wx) = unsigned_server();
    let folders = ["v3/merchant-service/images/", "v3/global/merchant-service/images/"];
    // As a whole URL, which the platform itself gives.
    for folder in folders {
        for id in [
            "abc",
            "ChsyMDAw/AbCd",
            "a/b/c/d/e=",
            "a%2Fb%2fc",
            "a+b/c%2Bd%3D%3D",
            "a//b",
            "/a",
            "a/",
            "a/upload",
            "uploaded",
            "upload-2",
            "UPL0AD",
            "a?x=1",
            "%E7%85%A7%E7%89%87",
        ] {
            for result in both(|| wx.chain(&format!("{}{folder}{id}", recorder.base)).get()) {
                assert_eq!(result, Ok(false), "{folder}{id}");
            }
        }
    }
    // As a variable.
    for (template, id) in [
        ("v3/merchant-service/images/{id}", "ChsyMDAw/AbCd+EF=="),
        ("v3/merchant-service/images/{+id}", "ChsyMDAw/AbCd+EF=="),
        ("v3/merchant-service/images/{+id}", "ChsyMDAw%2FAbCd%2B%3D%3D"),
        ("v3/global/merchant-service/images/{+id}", "a/b/c"),
        ("v3/merchant-service/images/{/id*}", "abc"),
        ("hk/v3/merchant-service/images/{+id}", "a/b"),
    ] {
        let template = template.replace("images/{/", "images{/");
        for result in both(|| wx.chain(&template).get().var("id", id)) {
            assert_eq!(result, Ok(false), "{template} {id}");
        }
    }
}

#[test]
fn whatever_else_lies_there_must_be_signed() {
    let (recorder, wx) = unsigned_server();
    for target in [
        "v3/merchant-service/images/",
        "v3/merchant-service/images",
        "v3/merchant-service/images//",
        "v3/merchant-service/images/%2F",
        "v3/merchant-service/images?a=/b",
        "v3/merchant-service/images-2/a",
        "v3/merchant-service/images%2Fa",
        "v3/merchant-service/images/upload",
        "v3/merchant-service/images/UpLoad",
        "v3/merchant-service/images/upload/",
        "v3/merchant-service/images/upload/a",
        "v3/merchant-service/images//upload",
        "v3/merchant-service/images/%75pload",
        "v3/merchant-service/images/upload%2Fa",
        "v3/global/merchant-service/images/upload",
        "v3/billdownload/file/",
        "v3/billdownload/file/a",
        "v3/transferdownload/signfile/a",
        "x/v3/merchant-service/images/a",
    ] {
        for result in both(|| wx.chain(&format!("{}{target}", recorder.base)).get()) {
            assert!(matches!(result, Err(VerifyReason::MissingHeader { .. })), "{target}: {result:?}");
        }
    }
    // What a server, or one in between, might resolve to another endpoint. Some of it is not even sent.
    for target in [
        "v3/merchant-service/images/a/../../../pay/x",
        "v3/merchant-service/images/a/%2e%2E/%2e%2e/%2e%2e/pay/x",
        "v3/merchant-service/images/..%2F..%2Fpay%2Fx",
        "v3/merchant-service/images/a%2F%2e%2e%2fpay",
        "v3/merchant-service/images/a%5C..%5Cb",
        "v3/merchant-service/images/.%2Fa",
    ] {
        let result = wx.chain(&format!("{}{target}", recorder.base)).get().wait();
        assert!(matches!(result, Err(Error::Verify(_) | Error::Path(_))), "{target}: {result:?}");
    }
    let picture = wx.chain(&format!("{}v3/merchant-service/images/a", recorder.base));
    for request in [picture.post(serde_json::json!({})), picture.delete()] {
        let result = request.wait();
        assert!(matches!(result, Err(Error::Verify(_))), "a GET only: {result:?}");
    }
}

/// The sandbox decides by code of its own what it signs: both must agree on every path.
#[cfg(feature = "sandbox")]
#[test]
fn the_sandbox_agrees() {
    use wechatpay_chain::sandbox::SandboxResponse;

    let sandbox = support::start_sandbox();
    let wx = sandbox.client().unwrap();
    let picture = || SandboxResponse::new(200).body("image/jpeg", &b"\xff\xd8\xff\xd9"[..]);
    for template in ["v3/merchant-service/images/{+id}", "v3/global/merchant-service/images/{+id}"] {
        sandbox.on_with("GET", template, picture()).unwrap();
    }
    let pieces =
        ["a", "/", "%2F", "%2f", "+", "%2B", "upload", "UpLoad", "%75pload", ".", "%2E", "=", "%5C", "//"];
    let mut seed = 7_u64;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut verified = [0, 0];
    for _ in 0..300 {
        let folder =
            ["v3/merchant-service", "v3/global/merchant-service", "V3/Merchant-Service"][next(3) as usize];
        let id: String = (0..=next(5)).map(|_| pieces[next(pieces.len() as u64) as usize]).collect();
        let url = format!("{}{folder}/images/{id}", sandbox.base_url());
        match wx.chain(&url).get().wait() {
            Ok(response) => verified[usize::from(response.verified())] += 1,
            // Not a path that can be sent, or one that leads elsewhere.
            Err(Error::Path(_) | Error::Api(_)) => {}
            Err(other) => panic!("{id}: {other}"),
        }
    }
    assert!(verified[0] > 50 && verified[1] > 5, "{verified:?}");
}
