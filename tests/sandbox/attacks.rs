//! Requests that no client sends by intent: header forms, hosts, framing, malformed uploads.

use std::io::Write as _;

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use wechatpay_chain::sandbox::Sandbox;

use crate::raw_http::*;
use crate::support::{has, start_sandbox};

const CERTIFICATES: &str = "/v3/certificates";

fn start() -> Option<(Sandbox, TempDir)> {
    if !has("openssl") {
        return None;
    }
    let sandbox = start_sandbox();
    let keys = export(&sandbox);
    Some((sandbox, keys))
}

#[test]
fn nonces_and_serials_in_any_reasonable_form() {
    let Some((sandbox, keys)) = start() else { return };
    let plan = || Plan::new(&sandbox, "GET", CERTIFICATES, "");
    let unique = nonce();
    let with =
        |filling: &str, length: usize| format!("{unique}{}", filling.repeat(64))[32..][..length].to_owned();
    for nonce in ["a", "a,b", "a b", "a=b", "a'b", "a\\b", "timestamp=1,", "-._~!@#$%^&*()"]
        .map(str::to_owned)
        .into_iter()
        .chain([with("x", 32), with("y", 64)])
    {
        assert_eq!(send(&sandbox, &keys, &Plan { nonce: nonce.clone(), ..plan() }).status, 200, "{nonce}");
        let reply = send(&sandbox, &keys, &Plan { nonce: nonce.clone(), ..plan() });
        assert!(reply.message().contains("used before"), "{nonce}: {}", reply.message());
    }
    for nonce in ["", "a\"b", "\"", "中"].map(str::to_owned).into_iter().chain([with("z", 64) + "z"]) {
        let reply = send(&sandbox, &keys, &Plan { nonce: nonce.clone(), ..plan() });
        assert_eq!((reply.status, reply.code().as_str()), (401, "SIGN_ERROR"), "{nonce}");
        assert!(reply.body.len() < 1_000);
    }
    let serial = sandbox.serial();
    for serial in [serial.to_lowercase(), serial.trim_start_matches('0').into(), format!("000{serial}")] {
        assert_eq!(send(&sandbox, &keys, &Plan { serial: serial.clone(), ..plan() }).status, 200, "{serial}");
    }
    for serial in
        [format!("{serial}0"), serial[..39].into(), format!(" {serial}"), "0".into(), "9".repeat(5_000)]
    {
        let reply = send(&sandbox, &keys, &Plan { serial: serial.clone(), ..plan() });
        assert_eq!((reply.status, reply.code().as_str()), (401, "SIGN_ERROR"), "{serial}");
        assert!(reply.body.len() < 1_000, "{}", reply.body.len());
    }
    let named = |serial: &str| plan().header("Wechatpay-Serial", serial);
    for serial in ["", " ", sandbox.serial(), &sandbox.serial().to_lowercase()] {
        assert_eq!(send(&sandbox, &keys, &named(serial)).status, 200, "{serial}");
    }
    let certificate = sandbox.platform_certificate_serial();
    for serial in [certificate.to_lowercase(), certificate.trim_start_matches('0').into()] {
        let reply = send(&sandbox, &keys, &named(&serial));
        assert_eq!((reply.status, reply.header("Wechatpay-Serial")), (200, Some(certificate)), "{serial}");
    }
    let twice = format!("{certificate}\r\nWechatpay-Serial: {}", sandbox.platform_public_key_id());
    for serial in ["x", "0", "中", &format!("{certificate},{certificate}"), &twice, &"9".repeat(5_000)] {
        let reply = send(&sandbox, &keys, &named(serial));
        assert_eq!((reply.status, reply.code().as_str()), (400, "PARAM_ERROR"), "{serial}");
        assert!(reply.body.len() < 1_000);
    }
}

#[test]
fn paths_are_taken_as_they_are() {
    let Some((sandbox, keys)) = start() else { return };
    for target in ["/hk/v3/certificates", "/a/b/v3/certificates", "/v3/certificates?a=//b"] {
        assert_eq!(get(&sandbox, &keys, target).status, 200, "{target}");
    }
    for target in ["//v3/certificates", "/hk//v3/certificates", "///v3/certificates", "/v3%2fcertificates"] {
        assert_eq!(get(&sandbox, &keys, target).status, 404, "{target}");
    }
    let bom = Plan::new(&sandbox, "POST", "/v3/security/echo", "\u{feff}{\"echo_message\":\"a\"}");
    let message = send(&sandbox, &keys, &bom).message();
    assert_eq!(message, "body: expected JSON (it begins with a byte order mark (BOM))");
}

#[test]
fn the_host_of_a_whole_url_replaces_the_header() {
    let Some((sandbox, keys)) = start() else { return };
    let own = sandbox.base_url().trim_end_matches('/').to_owned();
    let host = own.trim_start_matches("http://").to_owned();
    let asked = |target: &str, host: &str| {
        let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        send_bytes(&sandbox, request.as_bytes()).unwrap().status
    };
    assert_eq!(asked("/_sandbox/keys", &host), 200);
    assert_eq!(asked(&format!("{own}/_sandbox/keys"), "evil.example"), 200);
    for target in ["/_sandbox/keys", "/_sandbox/", "/"] {
        assert_eq!(asked(&format!("http://evil.example{target}"), &host), 403, "{target}");
        assert_eq!(asked(&format!("http://{host}.evil.example{target}"), &host), 403, "{target}");
        assert_eq!(asked(&format!("http://{host}@evil.example{target}"), &host), 403, "{target}");
        assert_eq!(asked(target, "evil.example"), 403, "{target}");
    }
    // A client with a proxy sends it to the platform so.
    let plan = Plan::new(&sandbox, "GET", CERTIFICATES, "");
    let authorization = plan.authorization(&keys);
    let whole = Plan { target: format!("{own}{CERTIFICATES}"), ..plan };
    assert_eq!(send_bytes(&sandbox, &whole.bytes(&authorization)).unwrap().status, 200);
}

#[test]
fn framing_does_not_change_what_is_signed() {
    let Some((sandbox, keys)) = start() else { return };
    let body = r#"{"echo_message":"a"}"#;
    let plan = || Plan::new(&sandbox, "POST", "/v3/security/echo", body);
    let head = |plan: &Plan, framing: &str| {
        let bytes = String::from_utf8(plan.bytes(&plan.authorization(&keys))).unwrap();
        let (head, _) = bytes.split_once("\r\n\r\n").unwrap();
        head.replace(&format!("Content-Length: {}", body.len()), framing) + "\r\n\r\n"
    };
    let chunks: String = body
        .as_bytes()
        .chunks(3)
        .map(|c| format!("{:x};x=y\r\n{}\r\n", c.len(), String::from_utf8_lossy(c)))
        .collect();
    let chunked = head(&plan(), "Transfer-Encoding: chunked") + &chunks + "0\r\nTrailer: x\r\n\r\n";
    assert_eq!(send_bytes(&sandbox, chunked.as_bytes()).unwrap().status, 200);

    let expecting = plan();
    let mut stream = connect(&sandbox);
    stream
        .write_all(
            head(&expecting, &format!("Expect: 100-continue\r\nContent-Length: {}", body.len())).as_bytes(),
        )
        .unwrap();
    assert_eq!(receive(&mut stream).unwrap().status, 100);
    stream.write_all(body.as_bytes()).unwrap();
    assert_eq!(receive(&mut stream).unwrap().status, 200);

    let mut stream = connect(&sandbox);
    let plans: Vec<Plan> = (0..10)
        .map(|n| if n % 2 == 0 { plan() } else { Plan::new(&sandbox, "GET", CERTIFICATES, "") })
        .collect();
    let all: Vec<u8> = plans.iter().flat_map(|plan| plan.bytes(&plan.authorization(&keys))).collect();
    stream.write_all(&all).unwrap();
    for _ in &plans {
        let reply = receive(&mut stream).unwrap();
        assert!(reply.status == 200 && reply.verifies(&keys));
    }
    // The signature covers the body of a GET, too.
    let with_body = Plan::new(&sandbox, "GET", CERTIFICATES, "{}");
    assert_eq!(send(&sandbox, &keys, &with_body).status, 200);
    let unsigned = Plan { signed: Some(Vec::new()), ..Plan::new(&sandbox, "GET", CERTIFICATES, "{}") };
    assert!(send(&sandbox, &keys, &unsigned).message().contains("lacks the body"));
    for method in ["OPTIONS", "HEAD", "TRACE", "get"] {
        let reply = send(&sandbox, &keys, &Plan::new(&sandbox, method, CERTIFICATES, ""));
        assert_eq!(reply.status, 405, "{method}");
        assert!(reply.headers.iter().all(|(name, _)| !name.to_lowercase().starts_with("access-control")));
    }
}

#[test]
fn an_upload_is_read_as_it_is_framed() {
    let Some((sandbox, keys)) = start() else { return };
    let picture = b"\xff\xd8\xff\r\n--XY\r\n--X-\r\n--in\r\nContent-Disposition: form-data; name=\"meta\"\r\n\r\n{}\r\n--in--\r\n--";
    let digest: String = Sha256::digest(picture).iter().map(|byte| format!("{byte:02x}")).collect();
    let meta = format!(r#"{{"filename":"a.jpg","sha256":"{digest}"}}"#);
    let part = |boundary: &str, name: &str, headers: &str, content: &[u8]| {
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; {name}\r\n{headers}\r\n");
        [head.as_bytes(), content, b"\r\n"].concat()
    };
    let send = |content_type: &str, body: Vec<u8>| {
        let plan =
            Plan::new(&sandbox, "POST", "/v3/merchant/media/upload", "").header("Content-Type", content_type);
        send(&sandbox, &keys, &Plan { body, signed: Some(meta.clone().into()), ..plan })
    };
    let whole = |boundary: &str, meta_headers: &str| {
        let name = "name=\"file\"; filename=\"; name=meta\"";
        let end = format!("--{boundary}--\r\n").into_bytes();
        [
            part(boundary, "name=\"meta\"", meta_headers, meta.as_bytes()),
            part(boundary, name, "", picture),
            end,
        ]
        .concat()
    };
    let long = format!("X-Long: {}\r\n", "a".repeat(1 << 20));
    for (content_type, body) in [
        ("multipart/form-data; boundary=X", whole("X", "")),
        ("multipart/form-data; charset=utf-8; boundary=\"X;Y\"", whole("X;Y", "")),
        ("multipart/form-data", whole("X", "")),
        ("multipart/form-data; boundary=", whole(&"b".repeat(70), "")),
        ("Multipart/Form-Data; BOUNDARY=X", whole("X", &long)),
    ] {
        let reply = send(content_type, body);
        assert_eq!(reply.status, 200, "{content_type}: {}", reply.message());
    }
    let body = whole("X", "");
    for (content_type, body) in [
        ("multipart/form-data; boundary=X", body[..body.len() - 8].to_vec()),
        ("multipart/form-data", body[..body.len() - 8].to_vec()),
        ("multipart/form-data", [b"preamble\r\n", &body[..]].concat()),
        ("multipart/form-data; boundary=other", body.clone()),
        ("multipart/form-data", whole(&"b".repeat(71), "")),
        ("multipart/form-data", b"--\r\n".repeat(100_000)),
        ("multipart/form-data; boundary=X", b"\r\n--X\r\n\r\n\r\n".repeat(100_000)),
        ("multipart/form-data; boundary=X", [part("X", "name=meta", "", b"{}"), body.clone()].concat()),
        (
            "multipart/form-data; boundary=X",
            String::from_utf8_lossy(&body).replace("\r\n", "\n").into_bytes(),
        ),
    ] {
        let reply = send(content_type, body);
        assert_eq!((reply.status, reply.code().as_str()), (400, "PARAM_ERROR"), "{content_type}");
    }
}
