//! Responses to bill requests of every documented shape: the field names are those of the platform's pages.

use serde_json::{Value, json};
use wechatpay_chain::sandbox::{Sandbox, SandboxResponse};
use wechatpay_chain::{Error, Saved, VerifyReason, WeChatPay};

use crate::support::{openssl, start_sandbox};

const FILE: &str = "记账时间,金额\n`2026-11-20 08:00:00,`0.01\n总数\n`1\n";

fn openssl_digest(algorithm: &str, content: &[u8]) -> String {
    let printed = openssl(&["dgst", algorithm, "-r"], content).expect("a digest");
    String::from_utf8(printed).unwrap().split_whitespace().next().unwrap().to_owned()
}

fn platform(response: Value) -> (Sandbox, WeChatPay) {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let url = format!("{}v3/billdownload/file?token=xxx", sandbox.base_url());
    let response = response.to_string().replace("@URL", &url);
    let response: Value = serde_json::from_str(&response).unwrap();
    sandbox.on("GET", "v3/bill/x", 200, response).unwrap();
    let file = SandboxResponse::new(200).body("text/plain", FILE.as_bytes().to_vec()).unsigned();
    sandbox.on_with("GET", "v3/billdownload/file", file).unwrap();
    (sandbox, wx)
}

fn download(response: Value, allow_unverified: bool) -> Result<Saved, Error> {
    let (sandbox, wx) = platform(response);
    let bill = wx.bill("v3/bill/x").date("2026-11-20");
    let bill = if allow_unverified { bill.allow_unverified() } else { bill };
    let saved = bill.save_to_writer(tokio::io::sink()).wait();
    let downloads = sandbox.requests().iter().filter(|r| r.target.contains("billdownload")).count();
    let was_tried = matches!(&saved, Ok(_) | Err(Error::Verify(_)));
    assert_eq!(downloads, usize::from(was_tried), "a refused response leads to no download: {saved:?}");
    saved
}

#[test]
fn a_digest_is_checked_under_either_name_of_the_url() {
    let (sha1, sha256) =
        (openssl_digest("-sha1", FILE.as_bytes()), openssl_digest("-sha256", FILE.as_bytes()));
    for field in ["download_url", "url"] {
        for (name, digest) in [
            ("SHA1", &sha1),
            ("sha1", &sha1.to_uppercase()),
            ("SHA256", &sha256),
            ("SHA-256", &sha256.to_uppercase()),
        ] {
            let response = json!({field: "@URL", "hash_type": name, "hash_value": digest});
            for allow_unverified in [false, true] {
                let saved = download(response.clone(), allow_unverified).unwrap();
                assert!(saved.verified && saved.bytes == FILE.len() as u64 && saved.sha1 == sha1);
            }
            // Another digit: refused, and `allow_unverified` does not help.
            let last = if digest.ends_with('0') { '1' } else { '0' };
            let mut wrong = digest.clone();
            wrong.pop();
            wrong.push(last);
            let response = json!({field: "@URL", "hash_type": name, "hash_value": wrong});
            for allow_unverified in [false, true] {
                let Err(Error::Verify(error)) = download(response.clone(), allow_unverified) else {
                    panic!()
                };
                let VerifyReason::BadDigest { algorithm, expected, actual } = error.reason else { panic!() };
                assert_eq!((expected, actual.len()), (wrong.clone(), digest.len()));
                assert_eq!(algorithm.replace('-', ""), name.to_uppercase().replace('-', ""));
            }
        }
    }
    // A blank around the URL, as on the platform's page; and a `url` beside a `download_url` is not used.
    let response = json!({"download_url": " @URL", "url": "https://other.example/", "hash_type": "SHA1", "hash_value": sha1});
    assert!(download(response, false).unwrap().verified);
}

#[test]
fn a_response_without_a_usable_digest() {
    let digest = "0".repeat(64);
    for (response, says) in [
        (json!({"download_url": "@URL"}), "no digest"),
        (json!({"url": "@URL"}), "no digest"),
        (json!({"download_url": "@URL", "hash_type": null, "hash_value": null}), "no digest"),
        (json!({"download_url": "@URL", "hash_type": "SM3", "hash_value": digest}), "SM3"),
        (json!({"download_url": "@URL", "hash_type": "MD5", "hash_value": "abc"}), "MD5"),
        (json!({"download_url": "@URL", "hash_value": digest}), "no `hash_type`"),
        (json!({"download_url": "@URL", "hash_type": "SHA1"}), "no `hash_value`"),
        (json!({"download_url": "@URL", "hash_type": "SHA1", "hash_value": ""}), "no `hash_value`"),
    ] {
        let Err(Error::Decode(error)) = download(response.clone(), false) else { panic!("{response}") };
        let text = error.to_string();
        assert!(text.contains(says) && text.contains("allow_unverified"), "{response}: {text}");
        let named = |field: &str| text.contains(&format!("no `{field}`"));
        for field in ["hash_type", "hash_value", "download_url"] {
            assert!(!named(field) || response.get(field).is_none_or(|v| v == ""), "{response}: {text}");
        }
        let saved = download(response, true).unwrap();
        assert!(!saved.verified && saved.bytes == FILE.len() as u64);
    }
    // A digest that cannot be right is never passed over.
    for (response, says) in [
        (json!({"download_url": "@URL", "hash_type": "SHA1", "hash_value": digest}), "40 hex digits"),
        (
            json!({"download_url": "@URL", "hash_type": "SHA256", "hash_value": "0".repeat(40)}),
            "64 hex digits",
        ),
        (
            json!({"download_url": "@URL", "hash_type": "SHA256", "hash_value": "g".repeat(64)}),
            "64 hex digits",
        ),
        (
            json!({"download_url": "@URL", "hash_type": 1, "hash_value": digest}),
            "`hash_type` that is a number",
        ),
        (
            json!({"download_url": "@URL", "hash_type": "SHA1", "hash_value": [digest]}),
            "`hash_value` that is an array",
        ),
    ] {
        for allow_unverified in [false, true] {
            let Err(Error::Decode(error)) = download(response.clone(), allow_unverified) else {
                panic!("{response}")
            };
            assert!(error.to_string().contains(says), "{response}: {error}");
        }
    }
}

#[test]
fn a_response_without_a_url_says_what_it_is() {
    for (field, state) in
        [("state", "GENERATING"), ("receipt_state", "ACCEPTED"), ("signature_status", "ACCEPTED")]
    {
        for response in [
            json!({field: state, "create_time": "2026-11-20T08:00:00+08:00"}),
            json!({field: state, "hash_type": "", "hash_value": "", "download_url": ""}),
        ] {
            let Err(error) = download(response, true) else { panic!() };
            let Error::NotReady(not_ready) = &error else { panic!("{error:?}") };
            assert_eq!(not_ready.state(), state);
            assert!(error.request_id().is_some() && error.to_string().contains("not ready"));
        }
    }
    for (response, says) in [
        (json!({"state": "FAILED", "fail_reason": "超过\n查询期限"}), &["FAILED", "超过\\n查询期限"][..]),
        (json!({"state": "FINISHED", "hash_type": "SHA1", "hash_value": "00"}), &["no `download_url`"]),
        (json!({"hash_type": "SHA1", "hash_value": "00"}), &["no `download_url`"]),
        (json!({"fapiao_download_info_list": [{"download_url": "@URL"}]}), &["no `download_url`"]),
        (json!({}), &["no `download_url`"]),
        (json!([]), &["an array"]),
        (json!(null), &["null"]),
        (json!({"download_url": "/v3/x"}), &["`download_url`", "not a whole URL"]),
        (json!({"url": {"href": "@URL"}}), &["`url`", "an object"]),
        (
            json!({"download_bill_count": 2, "download_bill_list": [
                {"bill_sequence": 1, "download_url": "@URL", "encrypt_key": "x", "hash_type": "SHA1", "hash_value": "0", "nonce": "n"},
                {"bill_sequence": 2, "download_url": "@URL", "encrypt_key": "x", "hash_type": "SHA1", "hash_value": "0", "nonce": "n"},
            ]}),
            &["`download_bill_list`", "`encrypt_key`", "2 part"],
        ),
        (
            json!({"download_bill_list": [{"bill_sequence": 1, "download_url": "https://x/y", "encrypt_key": null}]}),
            &["`download_bill_list` of 1 part", "instead of a `download_url`"],
        ),
        (json!({"download_bill_count": 0, "download_bill_list": []}), &["empty `download_bill_list`"]),
    ] {
        let Err(Error::Decode(error)) = download(response.clone(), true) else { panic!("{response}") };
        for says in says {
            assert!(error.to_string().contains(says), "{response}: {error}");
        }
        assert!(error.request_id.is_some() && !error.to_string().contains("hash_value"), "{error}");
    }
}

/// The caller did not write this URL, and can mend neither a path nor a setting.
#[test]
fn a_url_that_cannot_be_requested_is_told_as_the_responses() {
    let long = format!("https://files.example/{}", "x".repeat(70_000));
    for url in [
        "http://files.example/bill?token=T0KEN", // in clear text
        "https://",
        "https://files example/bill?token=T0KEN",
        "https://[::1/bill",
        "https://me:T0KEN@files.example/bill",
        "https://files.example/bill?token=T0KEN#part",
        "https://files.example/{token}?token=T0KEN",
        "https://files.example/{+token",
        "https://files.example/a/../bill?token=T0KEN",
        "https://files.example:99999/bill",
        "https://files.example/\u{1b}[2J?token=T0KEN",
        &long,
    ] {
        let digest = "0".repeat(40);
        let response = json!({"download_url": url, "hash_type": "SHA1", "hash_value": digest});
        let error = download(response, false).unwrap_err();
        let Error::Decode(decode) = &error else { panic!("{url}: {error:?}") };
        let text = error.to_string();
        assert!(text.starts_with("the bill response has a URL that cannot be requested: "), "{text}");
        assert!(decode.request_id.is_some() && !text.contains("T0KEN"), "{text}");
        assert!(text.len() < 600 && !text.chars().any(char::is_control), "{text}");
    }
}

/// Without a digest a signature that is there counts: a wrong one refuses the file.
#[test]
fn an_unverified_file_with_a_signature_is_verified() {
    let (sandbox, wx) = platform(json!({"download_url": "@URL"}));
    let bill = || wx.bill("v3/bill/x").allow_unverified().save_to_writer(tokio::io::sink());
    assert!(!bill().wait().unwrap().verified);
    let url = wx["v3/bill/x"].get().wait().unwrap().data()["download_url"].as_str().unwrap().to_owned();
    // On a path that is not in the table of unsigned ones, nothing is asked of an unsigned file either.
    let elsewhere = url.replace("billdownload/file", "elsewhere");
    sandbox.on("GET", "v3/bill/x", 200, json!({"download_url": elsewhere})).unwrap();
    let file = || SandboxResponse::new(200).body("text/plain", FILE.as_bytes().to_vec());
    sandbox.on_with("GET", "v3/elsewhere", file().unsigned()).unwrap();
    assert!(!bill().wait().unwrap().verified);
    sandbox.on_with("GET", "v3/elsewhere", file()).unwrap();
    assert!(bill().wait().unwrap().verified, "the sandbox signed it");
    sandbox.on_with("GET", "v3/elsewhere", file().unsigned().header("Wechatpay-Signature", "AAAA")).unwrap();
    assert!(matches!(bill().wait(), Err(Error::Verify(_))));
}
