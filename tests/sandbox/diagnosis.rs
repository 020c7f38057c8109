//! Wrong signatures, made with `openssl`, and the mistake that the response names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use wechatpay_chain::sandbox::Sandbox;

use crate::raw_http::*;
use crate::support::{has, openssl, start_sandbox};

#[test]
fn a_usual_mistake_is_named_with_the_first_byte_that_differs() {
    if !has("openssl") {
        return;
    }
    let sandbox = start_sandbox();
    let keys = export(&sandbox);
    let plan = || Plan::new(&sandbox, "POST", "/hk/v3/x?b=%E4%B8%AD&a=1", r#"{"a":"茶/绿", "b":[1,2]}"#);
    let diagnose = |plan: &Plan, message: &[u8], hash: &str| {
        let key = keys.path().join("merchant.pem");
        let signature =
            STANDARD.encode(openssl(&["dgst", hash, "-sign", key.to_str().unwrap()], message).unwrap());
        let authorization = plan.authorization(&keys).replace(&plan.signature(&keys), &signature);
        let reply = send_bytes(&sandbox, &plan.bytes(&authorization)).unwrap();
        assert_eq!((reply.status, reply.code().as_str()), (401, "SIGN_ERROR"));
        reply.json()["detail"]["diagnosis"].clone()
    };
    let bend = |from: &str, to: &str| {
        let plan = plan();
        let expected = plan.message();
        let message = String::from_utf8(expected.clone()).unwrap().replacen(from, to, 1).into_bytes();
        let diagnosis = diagnose(&plan, &message, "-sha256");
        let at = expected.iter().zip(&message).take_while(|(one, other)| one == other).count();
        assert_eq!(diagnosis["first_difference"], json!(at), "{diagnosis}");
        diagnosis["message"].as_str().unwrap().to_string()
    };
    for (from, to, part) in [
        ("}\n", "}", "lacks the newline at the end"),
        ("POST", "post", "lower case"),
        ("/hk/v3", "/v3", "path of the base URL"),
        ("/hk", "hk", "lacks the slash"),
        ("?b=%E4%B8%AD&a=1", "", "lacks the query"),
        ("%E4%B8%AD", "中", "before their encoding"),
        ("b=%E4%B8%AD&a=1", "a=1&b=%E4%B8%AD", "another order"),
        ("/hk/", "http://sandbox/hk/", "whole URL"),
        (r#"{"a":"茶/绿", "b":[1,2]}"#, r#"{"a":"茶/绿","b":[1,2]}"#, "serialised twice"),
        (r#"{"a":"茶/绿", "b":[1,2]}"#, r#"{"a":"\u8336\/\u7eff","b":[1,2]}"#, "serialised twice"),
        (r#"{"a":"茶/绿", "b":[1,2]}"#, r#"{"a": "\u8336/\u7eff", "b": [1, 2]}"#, "serialised twice"),
        (r#"{"a":"茶/绿", "b":[1,2]}"#, "", "lacks the body"),
    ] {
        let message = bend(from, to);
        assert!(message.contains(part), "{from} -> {to}: {message}");
    }
    for (from, to, part) in [
        ("/x?", "/x/?", "slash at the end"),
        ("a=1\n", "a=1?\n", "question mark at the end"),
        ("%E4%B8%AD", "%25E4%25B8%25AD", "encoded twice"),
        ("%E4%B8%AD", "%e4%b8%ad", "letter case"),
        ("{", "\u{feff}{", "byte order mark"),
    ] {
        let message = bend(from, to);
        assert!(message.contains(part), "{from} -> {to}: {message}");
    }
    let plan = plan();
    let named = |message: &[u8]| diagnose(&plan, message, "-sha256")["message"].as_str().unwrap().to_owned();
    let text = String::from_utf8(plan.message()).unwrap();
    let hex: String = sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new_with_prefix(&text))
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    for (message, part) in [
        (text.replace('\n', "\\n").into_bytes(), "a backslash and an n"),
        (text.replace(|c: char| !c.is_ascii(), "?").into_bytes(), "question marks instead of Chinese"),
        (encoding_rs::GBK.encode(&text).0.into_owned(), "encoded as GBK"),
        (hex.into_bytes(), "hashed before signing"),
    ] {
        assert!(named(&message).contains(part), "{part}: {}", named(&message));
    }
    let nulls = Plan { body: br#"{"a":null,"b":[{"c":null,"d":1}]}"#.to_vec(), ..plan.clone() };
    let without = Plan { body: br#"{"b":[{"d":1}]}"#.to_vec(), ..plan.clone() };
    let diagnosis = diagnose(&nulls, &without.message(), "-sha256");
    assert!(diagnosis["message"].as_str().unwrap().contains("are null"), "{diagnosis}");
    let slash = Plan { target: "/v3/applyment4sub/applyment/".to_owned(), ..plan.clone() };
    let bare = Plan { target: "/v3/applyment4sub/applyment".to_owned(), ..plan.clone() };
    let diagnosis = diagnose(&slash, &bare.message(), "-sha256");
    assert!(diagnosis["message"].as_str().unwrap().contains("lacks the slash at the end"), "{diagnosis}");
    let key = keys.path().join("merchant.pem");
    let pss = ["dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sign", key.to_str().unwrap()];
    let signature = STANDARD.encode(openssl(&pss, &plan.message()).unwrap());
    let authorization = plan.authorization(&keys).replace(&plan.signature(&keys), &signature);
    let reply = send_bytes(&sandbox, &plan.bytes(&authorization)).unwrap();
    assert!(reply.message().contains("RSASSA-PSS"), "{}", reply.message());
    let returns = String::from_utf8(plan.message()).unwrap().replace('\n', "\r\n");
    assert!(diagnose(&plan, returns.as_bytes(), "-sha256")["message"].as_str().unwrap().contains("CR LF"));
    let meta = r#"{"filename":"a.png","sha256":""}"#;
    let part = "Content-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json";
    let upload = Plan::new(&sandbox, "POST", "/v3/merchant/media/upload", "")
        .header("Content-Type", "multipart/form-data; boundary=b");
    let upload = Plan { body: format!("--b\r\n{part}\r\n\r\n{meta}\r\n--b--\r\n").into(), ..upload };
    assert!(
        diagnose(&upload, &upload.message(), "-sha256")["message"].as_str().unwrap().contains("whole upload")
    );
    let swapped = format!("POST\n{}\n{}\n{}\n", plan.target, plan.nonce, plan.timestamp);
    let swapped = [swapped.as_bytes(), &plan.body, b"\n"].concat();
    assert!(diagnose(&plan, &swapped, "-sha256")["message"].as_str().unwrap().contains("nonce before"));
    let right = plan.message();
    assert!(diagnose(&plan, &right, "-sha1")["message"].as_str().unwrap().contains("SHA-1"));
    // A query has no body, and a line for it all the same; and a clock that was looked at twice.
    let query = Plan::new(&sandbox, "GET", "/v3/x", "");
    let message = query.message();
    let diagnosis = diagnose(&query, &message[..message.len() - 2], "-sha256");
    assert_eq!(diagnosis["first_difference"], json!(message.len() - 2), "{diagnosis}");
    let later = (query.timestamp.parse::<i64>().unwrap() + 1).to_string();
    let message = String::from_utf8(message).unwrap().replace(&query.timestamp, &later);
    let diagnosis = diagnose(&query, message.as_bytes(), "-sha256");
    assert!(diagnosis["message"].as_str().unwrap().contains("another timestamp"), "{diagnosis}");
    // A completely different message: only its digest can be shown.
    let diagnosis = diagnose(&plan, b"abc", "-sha256");
    assert_eq!(
        diagnosis["signed_sha256"],
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_eq!(diagnosis.get("first_difference"), None);

    // Another key, and a text that is not a signature.
    let other = Sandbox::start().unwrap();
    let theirs = export(&other);
    for (authorization, part) in [
        (plan.authorization(&theirs), "not made with the merchant's key"),
        (plan.authorization(&keys).replace(&plan.signature(&keys), "????"), "not Base64"),
        (plan.authorization(&keys).replace(&plan.signature(&keys), "AAAA"), "not made with"),
    ] {
        let reply = send_bytes(&sandbox, &plan.bytes(&authorization)).unwrap();
        let message = reply.json()["detail"]["diagnosis"]["message"].as_str().unwrap().to_string();
        assert!(message.contains(part), "{message}");
    }
}
