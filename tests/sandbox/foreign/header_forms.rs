//! How SDKs of other languages spell their requests, as tables: each form is sent as bytes that `openssl` has signed, and
//! is accepted or refused as the platform does. So this needs none of the SDKs.

use std::fs;

use serde_json::json;
use tempfile::TempDir;
use wechatpay_chain::sandbox::Sandbox;

use crate::{
    raw_http::*,
    support::{has, openssl},
};

const ECHO: &str = "/v3/security/echo";
const ECHO_BODY: &str = r#"{"echo_message":"茶"}"#;
const CERTIFICATES: &str = "/v3/certificates";

/// A sandbox that signs with certificates, its keys, and the serial that signs.
fn start() -> Option<(Sandbox, TempDir, String)> {
    if !has("openssl") {
        return None;
    }
    let sandbox = super::sandbox_in("certificate");
    let keys = export(&sandbox);
    let serial = sandbox.platform_certificate_serial().to_owned();
    assert!(serial.starts_with('0') && sandbox.serial().starts_with('0'), "no zero that could be lost");
    Some((sandbox, keys, serial))
}

/// Sends a plan with this `Authorization`, a template; the response is signed, whatever it says.
#[track_caller]
fn send_as(sandbox: &Sandbox, keys: &TempDir, plan: &Plan, template: &str) -> Reply {
    let values = [
        ("{mchid}", plan.mchid.clone()),
        ("{serial}", plan.serial.clone()),
        ("{timestamp}", plan.timestamp.clone()),
        ("{nonce}", plan.nonce.clone()),
        ("{signature}", plan.signature(keys)),
    ];
    let authorization =
        values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(name, value));
    let reply = send_bytes(sandbox, &plan.bytes(&authorization)).expect("a response");
    assert!(reply.verifies(keys), "{reply:?}");
    reply
}

#[track_caller]
fn expect(reply: &Reply, status: u16, part: &str, form: &str) {
    let text = String::from_utf8_lossy(&reply.body);
    assert!(
        reply.status == status && text.contains(part),
        "{form}: expected {status} {part}, found {} {text}",
        reply.status
    );
}

/// The order of the parts is each SDK's own.
const AUTHORIZATIONS: &[(&str, &str)] = &[
    (
        "wechatpay-php, wechatpay-axios-plugin, and the guide",
        r#"WECHATPAY2-SHA256-RSA2048 mchid="{mchid}",serial_no="{serial}",timestamp="{timestamp}",nonce_str="{nonce}",signature="{signature}""#,
    ),
    (
        "wechatpay-go, wechatpay-java, wechatpay-node-v3",
        r#"WECHATPAY2-SHA256-RSA2048 mchid="{mchid}",nonce_str="{nonce}",timestamp="{timestamp}",serial_no="{serial}",signature="{signature}""#,
    ),
    (
        "wechatpayv3 of Python",
        r#"WECHATPAY2-SHA256-RSA2048 mchid="{mchid}",nonce_str="{nonce}",signature="{signature}",timestamp="{timestamp}",serial_no="{serial}""#,
    ),
    (
        "the signature first",
        r#"WECHATPAY2-SHA256-RSA2048 signature="{signature}",serial_no="{serial}",nonce_str="{nonce}",timestamp="{timestamp}",mchid="{mchid}""#,
    ),
];

const WRONG_AUTHORIZATIONS: &[(&str, &str)] = &[
    ("nothing but the scheme", "WECHATPAY2-SHA256-RSA2048 "),
    (
        "no quotes",
        "WECHATPAY2-SHA256-RSA2048 mchid={mchid},serial_no={serial},timestamp={timestamp},nonce_str={nonce},signature={signature}",
    ),
    (
        "single quotes",
        "WECHATPAY2-SHA256-RSA2048 mchid='{mchid}',serial_no='{serial}',timestamp='{timestamp}',nonce_str='{nonce}',signature='{signature}'",
    ),
    (
        "JSON",
        r#"WECHATPAY2-SHA256-RSA2048 {"mchid":"{mchid}","serial_no":"{serial}","timestamp":"{timestamp}","nonce_str":"{nonce}","signature":"{signature}"}"#,
    ),
    (
        "separated by semicolons",
        r#"WECHATPAY2-SHA256-RSA2048 mchid="{mchid}";serial_no="{serial}";timestamp="{timestamp}";nonce_str="{nonce}";signature="{signature}""#,
    ),
    (
        "another scheme",
        r#"Bearer mchid="{mchid}",serial_no="{serial}",timestamp="{timestamp}",nonce_str="{nonce}",signature="{signature}""#,
    ),
    (
        "no scheme",
        r#"mchid="{mchid}",serial_no="{serial}",timestamp="{timestamp}",nonce_str="{nonce}",signature="{signature}""#,
    ),
    (
        "names of its own",
        r#"WECHATPAY2-SHA256-RSA2048 mch_id="{mchid}",serialNo="{serial}",timeStamp="{timestamp}",nonceStr="{nonce}",sign="{signature}""#,
    ),
];

#[test]
fn authorization() {
    let Some((sandbox, keys, _)) = start() else { return };
    for (form, template) in AUTHORIZATIONS {
        let plan = Plan::new(&sandbox, "POST", ECHO, ECHO_BODY);
        expect(&send_as(&sandbox, &keys, &plan, template), 200, "茶", form);
    }
    for (form, template) in WRONG_AUTHORIZATIONS {
        let plan = Plan::new(&sandbox, "POST", ECHO, ECHO_BODY);
        expect(&send_as(&sandbox, &keys, &plan, template), 401, "Authorization", form);
    }
}

/// Changes one value of the header, and what follows from it.
#[test]
fn values_of_the_authorization() {
    let Some((sandbox, keys, _)) = start() else { return };
    let serial = sandbox.serial();
    let short = serial.trim_start_matches('0');
    let second = now().to_string();
    let (ok, refused) = (200, 401);
    for (form, name, value, status) in [
        ("wechatpay-node-v3 mostly: base 36", "nonce_str", "k3x9q0ab1z", ok),
        ("wechatpay-node-v3 often: base 36", "nonce_str", "0h2v5m8k1qz", ok),
        ("16 characters", "nonce_str", "9f86d081884c7d65", ok),
        ("18 characters", "nonce_str", "202611281000001234", ok),
        ("the guide, Go, Java, PHP: 32 characters", "nonce_str", "593BEC0C930BF1AFEB40B4A08C8FB242", ok),
        ("a UUID with its dashes", "nonce_str", "c1f5a6f0-8b1e-4f0e-9d3a-2b7c4d5e6f70", ok),
        ("Base64", "nonce_str", "q83vEjRWeJA+/w==", ok),
        ("64 characters", "nonce_str", &"n".repeat(64), ok),
        ("none", "nonce_str", "", refused),
        ("65 characters", "nonce_str", &"n".repeat(65), refused),
        ("a blank", "nonce_str", "a b", ok),
        ("a quotation mark", "nonce_str", "a\"b", refused),
        ("as the certificate has it", "serial_no", serial, ok),
        ("wechatpay-java: the leading zero is lost", "serial_no", short, ok),
        ("openssl in some languages: lower case", "serial_no", &serial.to_lowercase(), ok),
        ("lower case, without the zero", "serial_no", &short.to_lowercase(), ok),
        ("padded to bytes", "serial_no", &format!("00{serial}"), ok),
        ("openssl x509 -text: colons", "serial_no", &format!("{}:{}", &serial[..2], &serial[2..]), refused),
        ("0x", "serial_no", &format!("0x{serial}"), refused),
        ("as a decimal number", "serial_no", "312345678901234567890123456789012345678901234567", refused),
        ("the platform's", "serial_no", sandbox.platform_certificate_serial(), refused),
        ("the public key's", "serial_no", sandbox.platform_public_key_id(), refused),
        ("seconds", "timestamp", &second, ok),
        ("milliseconds", "timestamp", &format!("{second}000"), refused),
        ("with a fraction", "timestamp", &format!("{second}.5"), refused),
        ("a date", "timestamp", "2026-11-28T10:00:00+08:00", refused),
    ] {
        let mut plan = Plan::new(&sandbox, "POST", ECHO, ECHO_BODY);
        match name {
            "nonce_str" => plan.nonce = value.to_owned(),
            "serial_no" => plan.serial = value.to_owned(),
            _ => plan.timestamp = value.to_owned(),
        }
        let reply = send_as(&sandbox, &keys, &plan, AUTHORIZATIONS[0].1);
        expect(&reply, status, if status == ok { "茶" } else { name }, form);
    }
}

#[test]
fn other_headers() {
    let Some((sandbox, keys, _)) = start() else { return };
    let php = "application/json, text/plain, application/x-gzip, application/pdf, image/png, image/*;q=0.5";
    for (form, method, name, value, status) in [
        ("wechatpay-php, wechatpay-axios-plugin", "POST", "Accept", Some(php), 200),
        ("wechatpay-go", "POST", "Accept", Some("*/*"), 200),
        ("wechatpay-java, wechatpayv3", "POST", "Accept", Some("application/json"), 200),
        ("axios by itself", "POST", "Accept", Some("application/json, text/plain, */*"), 200),
        ("none", "POST", "Accept", None, 400),
        ("wechatpay-node-v3", "POST", "User-Agent", Some("127.0.0.1"), 200),
        ("none", "POST", "User-Agent", None, 400),
        ("empty", "POST", "Accept", Some(""), 400),
        ("empty", "POST", "User-Agent", Some(""), 400),
        ("wechatpay-java", "POST", "Content-Type", Some("application/json"), 200),
        ("wechatpay-axios-plugin", "POST", "Content-Type", Some("application/json; charset=utf-8"), 200),
        ("Spring", "POST", "Content-Type", Some("application/json;charset=UTF-8"), 200),
        ("capitals", "POST", "content-type", Some("Application/JSON"), 200),
        ("wechatpayv3, wechatpay-go: on a GET, too", "GET", "Content-Type", Some("application/json"), 200),
        ("wechatpay-node-v3", "GET", "Accept-Encoding", Some("gzip"), 200),
    ] {
        let (target, body) = if method == "GET" { (CERTIFICATES, "") } else { (ECHO, ECHO_BODY) };
        let mut plan = Plan::new(&sandbox, method, target, body);
        plan.headers.retain(|(old, _)| !old.eq_ignore_ascii_case(name));
        plan.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        let reply = send_as(&sandbox, &keys, &plan, AUTHORIZATIONS[0].1);
        expect(&reply, status, if status == 400 { name } else { "" }, form);
        assert_eq!(reply.header("Content-Encoding"), None, "{form}");
    }
}

/// Target and body are signed as they are sent, however that is.
#[test]
fn targets_and_bodies() {
    let Some((sandbox, keys, _)) = start() else { return };
    sandbox.on("GET", "v3/any", 200, json!({"any": 1})).unwrap();
    let template = AUTHORIZATIONS[0].1;
    for query in [
        "b=1&a=2",
        "a=2&b=1",
        "a=x+y",
        "a=x%20y",
        "a=%e8%8c%b6",
        "a=%E8%8C%B6",
        "a=&b",
        "a=1&a=2",
        "a[]=1",
        "a=~!*'()",
        "",
    ] {
        let target = format!("/v3/any?{query}");
        let plan = Plan::new(&sandbox, "GET", &target, "");
        expect(&send_as(&sandbox, &keys, &plan, template), 200, "any", query);
    }
    for (form, body) in [
        ("wechatpay-go: a newline at the end", "{\"echo_message\":\"茶\"}\n"),
        ("wechatpayv3: blanks, escapes", "{\"echo_message\": \"\\u8336\"}"),
        ("wechatpay-php: escaped slashes", r#"{"echo_message":"茶","notify_url":"http:\/\/127.0.0.1:9\/"}"#),
        ("pretty-printed", "{\r\n\t\"echo_message\" : \"茶\"\r\n}"),
    ] {
        let plan = Plan::new(&sandbox, "POST", ECHO, body);
        expect(&send_as(&sandbox, &keys, &plan, template), 200, "茶", form);
    }
    // Signed in another form than sent.
    for (target, signed, body) in [
        ("/v3/any?b=1&a=2", "/v3/any?a=2&b=1", ""),
        ("/v3/any?a=x+y", "/v3/any?a=x%20y", ""),
        ("/v3/any?a=%e8%8c%b6", "/v3/any?a=%E8%8C%B6", ""),
        ("/v3/any?", "/v3/any", ""),
        ("/v3/any", "http://127.0.0.1/v3/any", ""),
        (ECHO, ECHO, "{\"echo_message\":\"茶\"}\n"),
    ] {
        let mut plan =
            Plan::new(&sandbox, if body.is_empty() { "GET" } else { "POST" }, signed, body.trim_end());
        let signature = plan.signature(&keys);
        (plan.target, plan.body) = (target.to_owned(), body.as_bytes().to_vec());
        let reply = send_as(&sandbox, &keys, &plan, &template.replace("{signature}", &signature));
        expect(&reply, 401, "SIGN_ERROR", target);
    }
}

#[test]
fn wechatpay_serial() {
    let Some((sandbox, keys, serial)) = start() else { return };
    let short = serial.trim_start_matches('0').to_owned();
    let key = keys.path().join(format!("{serial}.pub"));
    let arguments = [
        "pkeyutl",
        "-encrypt",
        "-pubin",
        "-inkey",
        key.to_str().unwrap(),
        "-pkeyopt",
        "rsa_padding_mode:oaep",
    ];
    let encrypt = || {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        STANDARD.encode(openssl(&arguments, "腾讯大厦分店".as_bytes()).unwrap())
    };
    let missing = "缺少微信支付平台证书序列号";
    // (form, value, with nothing encrypted, with an encrypted name, and what a refusal says of that)
    for (form, value, plain, encrypted, part) in [
        ("PHP, Node, Go: as the certificate has it", Some(serial.clone()), 200, 200, ""),
        ("wechatpay-java, wechatpayv3: the leading zero is lost", Some(short.clone()), 200, 200, ""),
        ("lower case", Some(short.to_lowercase()), 200, 200, ""),
        ("none", None, 200, 400, missing),
        ("wechatpay-java's downloader: empty", Some(String::new()), 200, 400, missing),
        ("wechatpay-node-v3: the merchant's own", Some(sandbox.serial().to_owned()), 200, 400, ""),
        ("of no key", Some("7".repeat(40)), 400, 400, "Wechatpay-Serial"),
        (
            "a public key's of another merchant",
            Some(format!("PUB_KEY_ID_{}", "1".repeat(34))),
            400,
            400,
            "Wechatpay-Serial",
        ),
    ] {
        let send = |body: &str, target: &str| {
            let mut plan = Plan::new(&sandbox, "POST", target, body);
            plan.headers.extend(value.clone().map(|value| ("Wechatpay-Serial".to_owned(), value)));
            send_as(&sandbox, &keys, &plan, AUTHORIZATIONS[0].1)
        };
        let reply = send(ECHO_BODY, ECHO);
        expect(&reply, plain, "", form);
        assert_eq!(reply.header("Wechatpay-Serial"), Some(serial.as_str()), "{form}");
        let body = json!({
            "appid": "wxd678efh567hg6787", "type": "MERCHANT_ID", "account": "1900000400", "relation_type": "STORE",
            "name": encrypt(),
        });
        expect(&send(&body.to_string(), "/v3/profitsharing/receivers/add"), encrypted, part, form);
    }
}

/// An upload's signature covers the text of `meta`. The parts are written in many ways.
#[test]
fn uploads() {
    let Some((sandbox, keys, _)) = start() else { return };
    let picture = b"\xff\xd8\xff\r\n--\r\npicture";
    let file = keys.path().join("a.jpg");
    fs::write(&file, picture).unwrap();
    let digest = openssl(&["dgst", "-sha256", "-r", file.to_str().unwrap()], b"").unwrap();
    let digest = String::from_utf8(digest).unwrap();
    let meta = format!(r#"{{"filename":"a.jpg","sha256":"{}"}}"#, digest.split(' ').next().unwrap());
    let part = |head: &str, content: &[u8]| {
        [b"--b0undary\r\n", head.as_bytes(), b"\r\n\r\n", content, b"\r\n"].concat()
    };
    let disposition = "Content-Disposition: form-data; name=";
    let json_type = "\r\nContent-Type: application/json";
    let go = part(&format!("{disposition}\"meta\";{json_type}"), meta.as_bytes());
    let bare = part(&format!("{disposition}\"meta\""), meta.as_bytes());
    let named = part(&format!("{disposition}\"meta\"; filename=\"meta.json\"{json_type}"), meta.as_bytes());
    let java =
        part(&format!("{disposition}\"meta\"{json_type}\r\nContent-Length: {}", meta.len()), meta.as_bytes());
    let picture_part = |name: &str| {
        part(&format!("{disposition}\"file\"; filename={name}\r\nContent-Type: image/jpeg"), picture)
    };
    let (plain, chinese, end) =
        (picture_part("\"a.jpg\""), picture_part("\"图 1.jpg\""), b"--b0undary--\r\n".to_vec());
    let typed = "multipart/form-data; boundary=b0undary";
    for (form, content_type, parts, status) in [
        ("wechatpay-php", "multipart/form-data; boundary=\"b0undary\"", [&bare, &plain, &end], 200),
        ("wechatpay-axios-plugin", typed, [&named, &chinese, &end], 200),
        ("wechatpay-go: a semicolon after the name", typed, [&go, &plain, &end], 200),
        ("wechatpay-java", typed, [&java, &plain, &end], 200),
        (
            "wechatpay-node-v3: no blank, and the file first",
            "multipart/form-data;boundary=b0undary",
            [&plain, &java, &end],
            200,
        ),
        ("wechatpayv3: no boundary", "multipart/form-data", [&bare, &plain, &end], 200),
        ("another boundary", "multipart/form-data; boundary=other", [&bare, &plain, &end], 400),
        ("no part `meta`", typed, [&plain, &plain, &end], 400),
        ("no end", typed, [&bare, &plain, &b"".to_vec()], 400),
        ("JSON", "application/json", [&bare, &plain, &end], 401),
    ] {
        let mut plan =
            Plan::new(&sandbox, "POST", "/v3/merchant/media/upload", "").header("Content-Type", content_type);
        (plan.body, plan.signed) = (parts.map(Vec::as_slice).concat(), Some(meta.clone().into_bytes()));
        let reply = send_as(&sandbox, &keys, &plan, AUTHORIZATIONS[0].1);
        expect(&reply, status, if status == 200 { "media_id" } else { "" }, form);
    }
}

/// `Request-ID` is spelt so on the wire, and the type of the signature accompanies each signature.
#[test]
fn headers_of_responses() {
    let Some((sandbox, keys, _)) = start() else { return };
    sandbox
        .on_with("GET", "v3/unsigned", wechatpay_chain::sandbox::SandboxResponse::new(200).unsigned())
        .unwrap();
    sandbox.on("GET", "v3/billdownload/file", 200, json!({})).unwrap();
    let wrong = Plan { signed: Some(b"x".to_vec()), ..Plan::new(&sandbox, "GET", CERTIFICATES, "") };
    for (plan, signed) in [
        (Plan::new(&sandbox, "GET", CERTIFICATES, ""), true),
        (Plan::new(&sandbox, "POST", ECHO, ECHO_BODY), true),
        (Plan::new(&sandbox, "POST", ECHO, "{}"), true),
        (Plan::new(&sandbox, "GET", "/v3/pay/transactions/id/1?mchid=1", ""), true),
        (Plan::new(&sandbox, "GET", "/v3/not/modelled", ""), true),
        (Plan::new(&sandbox, "DELETE", CERTIFICATES, ""), true),
        (wrong, true),
        (Plan::new(&sandbox, "GET", "/v3/billdownload/file?token=x", ""), false),
        (Plan::new(&sandbox, "GET", "/v3/unsigned", ""), false),
    ] {
        let reply = send(&sandbox, &keys, &plan);
        let names: Vec<&str> = reply.headers.iter().map(|(name, _)| name.as_str()).collect();
        for (name, there) in [
            ("Request-ID", true),
            ("Date", true),
            ("Wechatpay-Nonce", signed),
            ("Wechatpay-Serial", signed),
            ("Wechatpay-Signature", signed),
            ("Wechatpay-Signature-Type", signed),
            ("Wechatpay-Timestamp", signed),
        ] {
            let count = names.iter().filter(|found| **found == name).count();
            assert_eq!(count, usize::from(there), "{name} of {}: {names:?}", plan.target);
        }
        let signature_type = reply.header("Wechatpay-Signature-Type");
        assert_eq!(signature_type, signed.then_some("WECHATPAY2-SHA256-RSA2048"), "{}", plan.target);
    }
}
