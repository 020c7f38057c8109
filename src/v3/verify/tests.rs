use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use serde_json::Value;

use super::unsigned::is_unsigned;
use super::*;
use crate::conformance::{Vectors, bytes, texts};
use crate::crypto::keys;
use crate::v3::platform::PlatformKey;

fn headers(value: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in value.as_object().unwrap() {
        // HTTP itself takes the blanks around a value away.
        let value = HeaderValue::from_str(value.as_str().unwrap().trim()).unwrap();
        headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
    }
    headers
}

#[test]
fn conformance_response_message() {
    let Some(vectors) = Vectors::of("Formatter.response") else { return };
    let mut compared = 0;
    for vector in vectors.iter() {
        let Some(input) = texts(vector) else { continue };
        let (timestamp, nonce, body) = (input[0], input[1], input.get(2).copied().unwrap_or_default());
        assert_eq!(
            message(timestamp, nonce, body.as_bytes()).concat(),
            vector["output"].as_str().unwrap().as_bytes()
        );
        compared += 1;
    }
    println!("Formatter.response: {compared} compared and equal");
}

#[test]
fn conformance_signatures_verify_as_in_php() {
    let Some(vectors) = Vectors::of("Rsa.verify") else { return };
    let (mut compared, mut lenient, mut no_key) = (0, 0, 0);
    for vector in vectors.iter() {
        let input = &vector["input"];
        let Some(name) = input["key"].as_str().filter(|k| k.ends_with(".pem")) else {
            no_key += 1; // "not a key": an error in PHP, and at construction here
            continue;
        };
        let key = keys::public_key("key", &vectors.key(name)).unwrap().key;
        let signature = input["signature"].as_str().unwrap_or_default();
        let ours = key.verifies(&[&bytes(&input["message"])], signature.as_bytes());
        compared += 1;
        if ours != vector["output"].as_bool().unwrap() {
            // PHP's base64 skips invalid characters and accepts missing padding.
            assert!(!ours, "accepts what PHP refuses: {vector}");
            lenient += 1;
        }
    }
    println!(
        "Rsa.verify: {compared} compared, {} equal, {lenient} base64 that only PHP takes; {no_key} without a key",
        compared - lenient
    );
}

#[test]
fn conformance_responses_are_judged_as_by_php_or_more_strictly() {
    let Some(vectors) = Vectors::of("v3.response") else { return };
    let serial = "7132D72A03E93CDDF8C03BBD1F37EEDF87654321";
    let key = keys::public_key("platform", &vectors.key("keys/platform.sha256.crt")).unwrap().key;
    let (serial, validity, fetched) = (serial.to_owned(), None, false);
    let key = PlatformKey { serial, key, validity, common_name: None, fetched };
    let platform = PlatformKeys::new(vec![Arc::new(key)]);
    let (mut equal, mut different) = (0, std::collections::BTreeMap::<&str, usize>::new());
    for vector in vectors.iter() {
        let input = &vector["input"];
        let status = input["status"].as_u64().unwrap();
        let (headers, body) = (headers(&input["headers"]), bytes(&input["body"]));
        let path = input["chain"].as_str().unwrap().split('?').next().unwrap();
        let view = ResponseView {
            method: &Method::GET,
            path,
            success: (200..300).contains(&status),
            headers: &headers,
            body: &body,
            now: input["local_timestamp"].as_u64().unwrap(),
        };
        let ours = response(&view, &platform);
        let php = vector["output"]["ok"].as_bool().unwrap();
        let reason = match (&ours, php) {
            (Ok(_), true) | (Err(_), false) => {
                equal += 1;
                continue;
            }
            // An error status is an error in both; PHP does not verify its signature.
            (Ok(_), false) if !(200..300).contains(&status) => {
                "an error response without a signature stays an error"
            }
            (Ok(false), false) if is_unsigned(path) => "an unsigned path in capitals",
            (Ok(true), false) if path == "v3/statements" => "the statement rule on v3/statements",
            (Ok(true), false)
                if headers
                    .get(SERIAL)
                    .is_some_and(|serial| serial.as_bytes().iter().any(u8::is_ascii_lowercase)) =>
            {
                "a serial in lower case"
            }
            (Err(VerifyReason::MalformedHeader { .. }), true) => "a timestamp that is not a plain number",
            (Err(VerifyReason::BadDigest { .. }), true) => "a statement whose file has another digest",
            (Err(VerifyReason::BadSignature { .. }), true) if path == "v3/global/Statements" => {
                "the statement rule, in capitals"
            }
            _ => panic!("{ours:?}, PHP {php}: {vector}"),
        };
        *different.entry(reason).or_default() += 1;
    }
    println!(
        "v3.response: {} compared, {equal} equal, different on purpose: {different:?}",
        vectors.iter().count()
    );
}

#[test]
fn the_table_of_unsigned_paths_is_exact() {
    for path in [
        "v3/billdownload/file",
        "V3/BillDownload/File",
        "v3/merchant-service/images/abc",
        "v3/merchant-service/images/a/b",
        "v3/merchant-service/images/a%2Fb+c",
        "v3/global/merchant-service/images/abc",
        "v3/transferdownload/elecvoucherfile",
        "v3/transferdownload/signfile",
        "v3/new-tax-control-fapiao/download",
    ] {
        assert!(is_unsigned(path), "{path}");
    }
    for path in [
        "v3/billdownload/files",
        "v3/billdownload/file/x",
        "x/v3/billdownload/file",
        "v3/merchant-service/images",
        "v3/merchant-service/images/",
        "v3/merchant-service/images//",
        "v3/merchant-service/images/upload",
        "v3/merchant-service/images/upload/a",
        "v3/merchant-service/images/Upload",
        "v3/global/merchant-service/images/upload",
        "v3/certificates",
        "v3/merchant-service/imagesé",
        "",
    ] {
        assert!(!is_unsigned(path), "{path}");
    }
}
