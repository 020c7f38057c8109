//! Saved notifications that were changed on their way.

mod headers;

use serde_json::{Value, json};

use crate::program::{Done, TestEnv};
use crate::support::{PLATFORM_SERIAL, key_path, now, platform_sign};

/// As the platform writes it (PROTOCOL, Notifications): no blanks, this order.
pub(crate) const BODY: &str = r#"{"id":"EV-1","create_time":"2026-11-27T14:56:22+08:00","resource_type":"encrypt-resource","event_type":"TRANSACTION.SUCCESS","summary":"支付成功","resource":{"original_type":"transaction","algorithm":"AEAD_AES_256_GCM","ciphertext":"6sfhNlYk+vDWPvZU9/0PcZvyc==","associated_data":"transaction","nonce":"JiRoi3NoM000"}}"#;

pub(crate) struct Saved {
    env: TestEnv,
    headers: Vec<(&'static str, String)>,
}

impl Saved {
    pub(crate) fn new() -> Saved {
        Saved::of(BODY)
    }

    fn of(body: &str) -> Saved {
        let timestamp = now().to_string();
        let signature = platform_sign(format!("{timestamp}\nNONCE\n{body}\n").as_bytes());
        let headers = vec![
            ("Wechatpay-Timestamp", timestamp),
            ("Wechatpay-Nonce", "NONCE".to_owned()),
            ("Wechatpay-Serial", PLATFORM_SERIAL.to_owned()),
            ("Wechatpay-Signature", signature),
            ("Content-Type", "application/json".to_owned()),
        ];
        Saved { env: TestEnv::new(), headers }
    }

    pub(crate) fn lines(&self, line: impl Fn(&str, &str) -> String) -> String {
        self.headers.iter().map(|(name, value)| line(name, value)).collect()
    }

    /// What `verify` says about this body.
    pub(crate) fn verify(&self, body: impl AsRef<[u8]>, headers: &str) -> Done {
        let headers = self.env.file("headers", headers);
        let body = self.env.file("body", body);
        let mut wxpay = self.env.wxpay();
        wxpay.env("WECHATPAY_PLATFORM_SERIAL", PLATFORM_SERIAL);
        wxpay.env("WECHATPAY_PLATFORM_CERTIFICATE", format!("file://{}", key_path("platform_cert.pem")));
        self.env.finish(wxpay.args(["verify", "--headers", &headers, &body]))
    }
}

#[test]
fn usual_changes_of_a_body_are_named() {
    let saved = Saved::new();
    let headers = saved.lines(|name, value| format!("{name}: {value}\n"));
    let text = BODY;
    let value: Value = serde_json::from_str(text).unwrap();
    let (gbk, _, lossless) = encoding_rs::GBK.encode(text);
    assert!(!lossless);
    let mojibake = encoding_rs::GBK.decode_without_bom_handling(BODY.as_bytes()).0.into_owned();
    let utf16: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let quoted = serde_json::to_string(text).unwrap();
    let form: String =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("data", text).finish();
    let several = format!("mchid=1&{form}&type=a%20b");
    let multipart = format!(
        "--b1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b1\r\nContent-Disposition: form-data; \
         name=\"data\"\r\n\r\n{text}\r\n--b1--\r\n"
    );
    let escaped = text
        .replace('"', "\\x22")
        .replace("支付成功", "\\xE6\\x94\\xAF\\xE4\\xBB\\x98\\xE6\\x88\\x90\\xE5\\x8A\\x9F");
    let mut reversed = serde_json::Map::new();
    for (name, member) in value.as_object().unwrap().iter().rev() {
        reversed.insert(name.clone(), member.clone());
    }
    let pretty = serde_json::to_string_pretty(&value).unwrap();
    let spaced = serde_json::to_string_pretty(&value).unwrap().replace('\n', "").replace("  ", "");
    let escaped_python = escaped.replace("\\x22", "\"");
    let base64 = base64_of(text);
    let lines: Vec<&str> = base64.as_bytes().chunks(76).map(|line| str::from_utf8(line).unwrap()).collect();
    let base64_lines = lines.join("\r\n") + "\r\n";
    let (name, rest) = text.split_once('=').unwrap();
    let parsed_form = json!({name: rest});
    let (first, second) = text.split_at(300);
    let chunked = format!("{:x}\r\n{first}\r\n{:X}\r\n{second}\r\n0\r\n\r\n", first.len(), second.len());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, text.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let mut with_null = value.clone();
    with_null["resource"]["certificate"] = Value::Null;
    let (mut sorted_resource, mut all_sorted) = (value.clone(), value.clone());
    sorted_resource["resource"].sort_all_objects();
    all_sorted.sort_all_objects();
    for (change, body, word) in [
        ("GBK", gbk.to_vec(), "from UTF-8 to GBK"),
        ("read as GBK", mojibake.clone().into_bytes(), "read as GBK"),
        ("UTF-16", utf16, "to UTF-16"),
        ("a JSON string", quoted.clone().into_bytes(), "quoted as a JSON string"),
        ("a JSON string without quotes", quoted.trim_matches('"').into(), "escaped with a backslash"),
        ("a form field", form.into_bytes(), "form field"),
        ("one of several fields", several.into_bytes(), "form field"),
        ("a field that was not encoded", format!("data={text}").into_bytes(), "form field"),
        ("a multipart form", multipart.into_bytes(), "part of a form"),
        ("a log of nginx", escaped.into_bytes(), "\\xHH"),
        ("HTML", text.replace('"', "&quot;").into_bytes(), "&quot;"),
        (
            "indented, CR LF, a BOM",
            format!("\u{feff}{}", pretty.replace('\n', "\r\n")).into_bytes(),
            "(BOM) was put in front, and the JSON was parsed",
        ),
        ("indented by a tab", pretty.replace("  ", "\t").into_bytes(), "over several lines"),
        ("reversed", Value::Object(reversed).to_string().into_bytes(), "keys in another order"),
        ("a line feed", format!("{text}\n").into_bytes(), "line break was added at the end"),
        ("blanks on both sides", format!(" {text}\r\n ").into_bytes(), "at both ends"),
        ("nothing", Vec::new(), "empty (0 bytes)"),
        ("percent-encoded, lower case", form_of(text).replace("%7B", "%7b").into_bytes(), "percent-encoded"),
        ("a form's only name", format!("{}=", form_of(text)).into_bytes(), "percent-encoded"),
        ("parsed as a form", parsed_form.to_string().into_bytes(), "parsed as a form"),
        ("CSV", format!("\"{}\"", text.replace('"', "\"\"")).into_bytes(), "doubled"),
        ("Python's bytes", format!("b'{escaped_python}'").into_bytes(), "Python's bytes"),
        ("Python's dictionary", spaced.replace('"', "'").into_bytes(), "dictionary of Python, and the JSON"),
        ("hex", text.bytes().map(|byte| format!("{byte:02X}")).collect::<String>().into_bytes(), "in hex"),
        ("Base64 over lines", base64_lines.into_bytes(), "in Base64"),
        (
            "Base64 of URLs",
            base64.replace('+', "-").replace('/', "_").replace('=', "").into_bytes(),
            "in Base64",
        ),
        ("typographic quotes", text.replace('"', "”").into_bytes(), "typographic"),
        ("UTF-16 without a mark", text.encode_utf16().flat_map(u16::to_be_bytes).collect(), "to UTF-16"),
        (
            "a whole request",
            format!("POST /n HTTP/1.1\r\nHost: a\r\n\r\n{text}").into_bytes(),
            "in front of it",
        ),
        ("chunks", chunked.into_bytes(), "chunk sizes"),
        ("gzip", gzip, "compressed"),
        (
            "an event of a function",
            json!({"headers": {}, "body": text}).to_string().into_bytes(),
            "another JSON",
        ),
        (
            "an encoded event",
            json!({"body": base64, "isBase64Encoded": true}).to_string().into_bytes(),
            "another JSON",
        ),
        ("a member", json!({"data": value}).to_string().into_bytes(), "another JSON"),
        ("null added", with_null.to_string().into_bytes(), "null"),
        (
            "escaped slashes and CR LF",
            pretty.replace('/', "\\/").replace('\n', "\r\n").into_bytes(),
            "over several lines",
        ),
        ("\\U escapes", text.replace('支', "\\u652F").into_bytes(), "\\u escapes"),
        ("Go's escapes", text.replace('+', "\\u002b").into_bytes(), "\\u escapes"),
        ("a quoted JSON string in Base64", base64_of(&quoted).into_bytes(), "in Base64, and it was quoted"),
        ("zero bytes", format!("{text}\0\0").into_bytes(), "zero bytes"),
        ("its resource sorted", sorted_resource.to_string().into_bytes(), "keys in another order"),
        ("all sorted", all_sorted.to_string().into_bytes(), "keys in another order"),
        (
            "percent-encoded",
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
                .into_bytes(),
            "percent-encoded",
        ),
    ] {
        let done = saved.verify(&body, &headers);
        assert_eq!(done.code, Some(4), "{change}: {done:?}");
        assert!(done.err.contains(word), "{change}: {done:?}");
        assert!(
            change == "nothing" || done.err.contains("without that, the signature is valid"),
            "{change}: {done:?}"
        );
    }
    assert_eq!(saved.verify(BODY, &headers).json()["verified"], true);
    // Somebody's change is not taken for any of them.
    for forged in [
        text.replace("TRANSACTION", "TRANSACTIOM"),
        text.replace("\"nonce\":\"", "\"nonce\":\"x"),
        format!("{text}}}"),
    ] {
        let done = saved.verify(forged.as_bytes(), &headers);
        assert!(
            done.code == Some(4) && done.err.contains("the body is byte for byte")
                || done.err.contains("the body byte for byte"),
            "{done:?}"
        );
        assert!(
            done.err.contains("this key made it for another message, so the notification was changed"),
            "{done:?}"
        );
        assert!(!done.err.contains("the signature is valid"), "{done:?}");
    }
    // Neither is one in a body that was encoded, too; but the encoding is told.
    let both = quoted.replace("TRANSACTION", "TRANSACTIOM");
    let done = saved.verify(both.as_bytes(), &headers);
    assert!(done.code == Some(4) && done.err.contains("quoted as a JSON string"), "{done:?}");
    assert!(!done.err.contains("the signature is valid"), "{done:?}");
}

fn base64_of(text: &str) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text)
}

fn form_of(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A body that no change makes the signed one shows some changes all the same.
#[test]
fn what_shows_in_a_changed_body_is_named() {
    let saved = Saved::new();
    let headers = saved.lines(|name, value| format!("{name}: {value}\n"));
    let length = format!("{headers}Content-Length: {}\n", BODY.len());
    let cgi = format!("{headers}CONTENT_LENGTH={}\n", BODY.len());
    let value: Value = serde_json::from_str(BODY).unwrap();
    for (body, headers, words) in [
        (&BODY[..200], &headers, "it was cut: its JSON does not end within 200 bytes"),
        (&BODY[..200], &length, "it has 200 bytes, and `Content-Length` says"),
        (&BODY[..200], &cgi, "it has 200 bytes, and `Content-Length` says"),
        (&BODY.replace("支付成功", "????"), &headers, "Chinese characters became ?"),
        (&BODY.replace("支付成功", "\u{fffd}\u{fffd}"), &headers, "U+FFFD"),
        (&value["resource"].to_string(), &headers, "only the `resource`"),
        ("{id=EV-1, event_type=TRANSACTION.SUCCESS}", &headers, "not valid JSON"),
        ("id=EV-1&summary=x", &headers, "not JSON"),
        ("array(6) {", &headers, "not JSON"),
        (&json!({"{\"event_type\":\"TRANSACTION_SUCCESS\"}": ""}).to_string(), &headers, "byte for byte"),
    ] {
        let done = saved.verify(body, headers);
        assert!(done.code == Some(4) && done.err.contains(words), "{words}: {done:?}");
        assert!(!done.err.contains("the signature is valid"), "{done:?}");
    }
}

/// Names in other forms of Unicode: macOS decomposes them, other systems compose them.
#[test]
fn other_forms_of_unicode_are_named() {
    for (signed, received, words) in [("é café", "e\u{301} cafe\u{301}", "NFD"), ("e\u{301}", "é", "NFC")]
    {
        let saved = Saved::of(&BODY.replace("支付成功", signed));
        let headers = saved.lines(|name, value| format!("{name}: {value}\n"));
        let done = saved.verify(BODY.replace("支付成功", received), &headers);
        assert!(done.code == Some(4) && done.err.contains(words), "{done:?}");
        assert!(done.err.contains("without that, the signature is valid"), "{done:?}");
    }
}
