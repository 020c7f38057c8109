//! Saved notifications that were changed on their way, and headers as other programs print them.

use serde_json::{Value, json};

use crate::program::{Done, TestEnv};
use crate::support::{PLATFORM_SERIAL, key_path, now, platform_sign};

/// As the platform writes it (PROTOCOL, Notifications): no blanks, this order.
const BODY: &str = r#"{"id":"EV-1","create_time":"2026-11-27T14:56:22+08:00","resource_type":"encrypt-resource","event_type":"TRANSACTION.SUCCESS","summary":"支付成功","resource":{"original_type":"transaction","algorithm":"AEAD_AES_256_GCM","ciphertext":"6sfhNlYk+vDWPvZU9/0PcZvyc==","associated_data":"transaction","nonce":"JiRoi3NoM000"}}"#;

struct Saved {
    env: TestEnv,
    headers: Vec<(&'static str, String)>,
}

impl Saved {
    fn new() -> Saved {
        let timestamp = now().to_string();
        let signature = platform_sign(format!("{timestamp}\nNONCE\n{BODY}\n").as_bytes());
        let headers = vec![
            ("Wechatpay-Timestamp", timestamp),
            ("Wechatpay-Nonce", "NONCE".to_owned()),
            ("Wechatpay-Serial", PLATFORM_SERIAL.to_owned()),
            ("Wechatpay-Signature", signature),
            ("Content-Type", "application/json".to_owned()),
        ];
        Saved { env: TestEnv::new(), headers }
    }

    fn lines(&self, line: impl Fn(&str, &str) -> String) -> String {
        self.headers.iter().map(|(name, value)| line(name, value)).collect()
    }

    /// What `verify` says about this body.
    fn verify(&self, body: impl AsRef<[u8]>, headers: &str) -> Done {
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
    let escaped = text
        .replace('"', "\\x22")
        .replace("支付成功", "\\xE6\\x94\\xAF\\xE4\\xBB\\x98\\xE6\\x88\\x90\\xE5\\x8A\\x9F");
    let mut reversed = serde_json::Map::new();
    for (name, member) in value.as_object().unwrap().iter().rev() {
        reversed.insert(name.clone(), member.clone());
    }
    let pretty = serde_json::to_string_pretty(&value).unwrap();
    for (change, body, word) in [
        ("GBK", gbk.to_vec(), "from UTF-8 to GBK"),
        ("read as GBK", mojibake.clone().into_bytes(), "read as GBK"),
        ("UTF-16", utf16, "to UTF-16"),
        ("a JSON string", quoted.clone().into_bytes(), "quoted as a JSON string"),
        ("a JSON string without quotes", quoted.trim_matches('"').into(), "escaped with a backslash"),
        ("a form field", form.into_bytes(), "form field"),
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
            done.code == Some(4) && done.err.contains("check that the body is byte for byte"),
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

#[test]
fn headers_are_read_as_other_programs_print_them() {
    let saved = Saved::new();
    let cgi = |name: &str| format!("HTTP_{}", name.to_uppercase().replace('-', "_"));
    let object = |name: &dyn Fn(&str) -> String| {
        let members = saved.headers.iter().map(|(key, value)| (name(key), json!(value)));
        Value::Object(members.collect())
    };
    let mut environment = object(&|name| cgi(name));
    environment["wsgi.version"] = json!([1, 0]);
    environment["wsgi.multithread"] = json!(true);
    for (form, text) in [
        ("an environment", saved.lines(|name, value| format!("{}={value}\n", cgi(name)))),
        ("exports of a shell", saved.lines(|name, value| format!("export {}='{value}'\n", cgi(name)))),
        (
            "nginx's variables",
            saved.lines(|name, value| {
                format!("$http_{}: \"{value}\"\n", name.to_lowercase().replace('-', "_"))
            }),
        ),
        ("underscores", saved.lines(|name, value| format!("{}: {value}\n", name.replace('-', "_")))),
        ("WSGI's dictionary", environment.to_string()),
        (
            "a byte order mark",
            saved.lines(|name, value| format!("{name}: {value}\n")).replacen('W', "\u{feff}W", 1),
        ),
        (
            "curl -v",
            format!(
                "* Connected\n> POST /n HTTP/1.1\n{}>\n< HTTP/1.1 204\n<\n",
                saved.lines(|name, value| format!("> {name}: {value}\n"))
            ),
        ),
        (
            "HTTP/2",
            format!("HTTP/2 200\r\n{}\r\n", saved.lines(|name, value| format!("{name}: {value}\r\n"))),
        ),
    ] {
        let done = saved.verify(BODY, &text);
        assert!(done.code == Some(0), "{form}: {text}\n{done:?}");
    }
    // A header that is there twice, under two names, stays a duplicate.
    let twice = saved.lines(|name, value| format!("{name}: {value}\n{}: {value}\n", cgi(name)));
    let done = saved.verify(BODY, &twice);
    assert!(done.code == Some(4) && done.err.contains("more than one"), "{done:?}");
}
