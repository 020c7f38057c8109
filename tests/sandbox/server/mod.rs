//! The sandbox against the protocol, by hand: messages are joined here, `openssl` signs and verifies.

use std::{
    fs,
    io::{Read, Write},
    time::{Duration, Instant},
};

use serde_json::json;
use tempfile::TempDir;
use wechatpay_chain::sandbox::{Answer, Fault, Sandbox, SandboxBuilder, SandboxError, Verdict};

use crate::raw_http::*;
use crate::support::{has, openssl, sandbox_builder, start_sandbox};

const ECHO: &str = "/v3/security/echo";
const ECHO_BODY: &str = r#"{"echo_message":"你好 'quoted' \u4f60"}"#;
const CERTIFICATES: &str = "/v3/certificates";

/// A sandbox and its keys as files, or a `return` that says why not.
macro_rules! sandbox {
    () => {
        sandbox!(sandbox_builder())
    };
    ($builder:expr) => {{
        if !has("openssl") {
            return;
        }
        let builder: SandboxBuilder = $builder;
        let sandbox = builder.start().unwrap();
        let keys = export(&sandbox);
        (sandbox, keys)
    }};
}

#[track_caller]
fn assert_refused(sandbox: &Sandbox, keys: &TempDir, reply: &Reply, status: u16, code: &str, part: &str) {
    assert_eq!((reply.status, reply.code().as_str()), (status, code), "{}", reply.message());
    assert!(reply.message().contains(part), "{}", reply.message());
    assert!(reply.verifies(keys), "an error answer is signed");
    assert!(reply.header("Request-ID").is_some());
    match &sandbox.requests().last().unwrap().verdict {
        Verdict::Refused { status: seen, code: told, message } => {
            assert_eq!((*seen, told.as_str(), message), (status, code, &reply.message()));
        }
        Verdict::Accepted => panic!("the ring says accepted"),
    }
}

#[test]
fn a_right_request_is_answered_and_signed() {
    let (sandbox, keys) = sandbox!();
    let plan = Plan::new(&sandbox, "POST", ECHO, ECHO_BODY);
    let reply = send(&sandbox, &keys, &plan);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.json(), json!({ "echo_message": "你好 'quoted' 你" }));
    assert_eq!(reply.header("Wechatpay-Serial"), Some(sandbox.platform_certificate_serial()));
    assert_eq!(reply.header("Wechatpay-Nonce").unwrap().len(), 32);
    assert!(reply.header("Date").unwrap().ends_with("GMT"));
    assert!(reply.header("Request-ID").is_some());
    assert!(reply.verifies(&keys));
    assert!(!reply.verifies_over(&keys, b"{}"));

    let seen = sandbox.requests().pop().unwrap();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", ECHO));
    assert_eq!(seen.signed_message, plan.message());
    assert_eq!(&seen.body[..], ECHO_BODY.as_bytes());
    assert_eq!(seen.verdict, Verdict::Accepted);
    assert!(!format!("{seen:?}").contains(&plan.signature(&keys)));
    sandbox.clear_requests();
    assert!(sandbox.requests().is_empty());
}

#[test]
fn the_wanted_platform_key_signs() {
    let (sandbox, keys) = sandbox!();
    for serial in [sandbox.platform_public_key_id(), sandbox.platform_certificate_serial()] {
        let plan = Plan::new(&sandbox, "GET", CERTIFICATES, "").header("Wechatpay-Serial", serial);
        let reply = send(&sandbox, &keys, &plan);
        assert_eq!((reply.status, reply.header("Wechatpay-Serial")), (200, Some(serial)));
        assert!(reply.verifies(&keys));
    }
    for serial in ["PUB_KEY_ID_0", sandbox.serial()] {
        let plan = Plan::new(&sandbox, "GET", CERTIFICATES, "").header("Wechatpay-Serial", serial);
        let reply = send(&sandbox, &keys, &plan);
        assert_refused(&sandbox, &keys, &reply, 400, "PARAM_ERROR", "Wechatpay-Serial");
    }
}

#[test]
fn every_part_of_the_authorization_counts() {
    let (sandbox, keys) = sandbox!();
    let plan = || Plan::new(&sandbox, "POST", ECHO, ECHO_BODY);
    let sent = |bend: &dyn Fn(&mut Plan)| {
        let mut plan = plan();
        bend(&mut plan);
        send(&sandbox, &keys, &plan)
    };
    let refused = |reply: &Reply, part: &str| {
        assert_refused(&sandbox, &keys, reply, 401, "SIGN_ERROR", part);
    };
    refused(&sent(&|plan| plan.mchid = "1900000001".into()), "mchid");
    refused(&sent(&|plan| plan.serial = plan.serial[1..].into()), "serial_no");
    refused(&sent(&|plan| plan.serial = plan.serial.to_lowercase()), "serial_no");
    for timestamp in ["-1", "+1700000000", "1.7e9", "99999999999999999999", "0"] {
        refused(&sent(&|plan| plan.timestamp = timestamp.into()), "timestamp");
    }
    for nonce in ["short", "0123456789012345678901234567890-", "012345678901234567890123456789012"] {
        refused(&sent(&|plan| plan.nonce = nonce.into()), "nonce_str");
    }
    let bend = |from: &str, to: &str| {
        let plan = plan();
        send_bytes(&sandbox, &plan.bytes(&plan.authorization(&keys).replacen(from, to, 1))).unwrap()
    };
    for (from, to) in [
        ("WECHATPAY2-SHA256-RSA2048", "WECHATPAY2-SM2-WITH-SM3"),
        ("RSA2048 ", "RSA2048"),
        ("mchid=", "mchId="),
        ("mchid=", "mchid=\"1900000109\",mchid="),
        ("\",serial_no", "\", serial_no"),
        ("serial_no=\"", "serial_no="),
        ("signature=\"", "signature=\"\",x=\""),
    ] {
        refused(&bend(from, to), "Authorization");
    }
    refused(&send_bytes(&sandbox, &plan().bytes("")).unwrap(), "缺少Authorization");
    assert!(sandbox.requests().last().unwrap().signed_message.is_empty());
    let twice = plan().header("Authorization", "x");
    refused(&send_bytes(&sandbox, &twice.bytes(&twice.authorization(&keys))).unwrap(), "once");
    refused(&bend("signature=\"", "signature=\"="), "验签失败");

    // In another order it is as good as before.
    let plan = plan();
    let authorization = plan.authorization(&keys);
    let (scheme, fields) = authorization.split_once(' ').unwrap();
    let mut fields: Vec<&str> = fields.split(',').collect();
    fields.reverse();
    let reply = send_bytes(&sandbox, &plan.bytes(&format!("{scheme} {}", fields.join(",")))).unwrap();
    assert_eq!(reply.status, 200);
}

#[test]
fn the_clock_window_includes_its_edges() {
    let (sandbox, keys) = sandbox!();
    let at = |offset: i64| {
        let mut plan = Plan::new(&sandbox, "GET", CERTIFICATES, "");
        plan.timestamp = (now() + offset).to_string();
        let authorization = plan.authorization(&keys);
        // `openssl` takes a moment: the offset is meant for the second in which the request leaves.
        let late = plan.timestamp.parse::<i64>().unwrap() != now() + offset;
        (late, send_bytes(&sandbox, &plan.bytes(&authorization)).unwrap().status, now())
    };
    for (offset, status) in [(300, 200), (299, 200), (302, 401), (-301, 401), (-298, 200)] {
        let (_, found, _) = at(offset);
        assert_eq!(found, status, "{offset}");
    }
    // 300 s late is exact only when all happened within one second.
    let exact = (0..20).find_map(|_| {
        let started = now();
        let (late, status, ended) = at(-300);
        (!late && started == ended).then_some(status)
    });
    assert_eq!(exact, Some(200));
}

#[test]
fn a_skewed_clock_refuses_and_stamps_its_own_time() {
    let (sandbox, keys) = sandbox!(sandbox_builder().clock_skew(3600));
    let reply = get(&sandbox, &keys, CERTIFICATES);
    assert_refused(&sandbox, &keys, &reply, 401, "SIGN_ERROR", "300 seconds");
    let stamp: i64 = reply.header("Wechatpay-Timestamp").unwrap().parse().unwrap();
    assert!((3598..3602).contains(&(stamp - now())), "{stamp}");
    let mut plan = Plan::new(&sandbox, "GET", CERTIFICATES, "");
    plan.timestamp = (now() + 3600).to_string();
    assert_eq!(send(&sandbox, &keys, &plan).status, 200);
}

#[test]
fn a_nonce_serves_once_and_a_forger_cannot_use_it_up() {
    let (sandbox, keys) = sandbox!();
    let plan = Plan::new(&sandbox, "GET", CERTIFICATES, "");
    let good = plan.bytes(&plan.authorization(&keys));
    let forged = Plan { signed: Some(b"other".to_vec()), ..plan.clone() };
    assert_eq!(send(&sandbox, &keys, &forged).status, 401);
    assert_eq!(send_bytes(&sandbox, &good).unwrap().status, 200);
    let again = send_bytes(&sandbox, &good).unwrap();
    assert_refused(&sandbox, &keys, &again, 401, "SIGN_ERROR", "nonce_str");
    sandbox.clear_requests();
    assert_eq!(send_bytes(&sandbox, &good).unwrap().status, 401);
}

#[test]
fn a_wrong_signature_is_told_what_to_sign() {
    let (sandbox, keys) = sandbox!();
    let mut plan = Plan::new(&sandbox, "POST", ECHO, ECHO_BODY);
    let right = plan.message();
    plan.signed = Some(b"{}".to_vec());
    let reply = send(&sandbox, &keys, &plan);
    let right_text = String::from_utf8(right.clone()).unwrap();
    assert_refused(&sandbox, &keys, &reply, 401, "SIGN_ERROR", &right_text);
    let told = &reply.json()["detail"]["sign_information"];
    assert_eq!((told["method"].as_str(), told["url"].as_str()), (Some("POST"), Some(ECHO)));
    assert_eq!(told["sign_message_length"].as_u64(), Some(right.len() as u64));
    assert_eq!(sandbox.requests().pop().unwrap().signed_message, right);

    let long = format!("{{\"echo_message\":\"{}\"}}", "x".repeat(100_000));
    let mut plan = Plan::new(&sandbox, "POST", ECHO, &long);
    plan.signed = Some(Vec::new());
    let reply = send(&sandbox, &keys, &plan);
    assert_eq!(reply.status, 401);
    assert!(reply.body.len() < 5_000, "{}", reply.body.len());
}

#[test]
fn the_target_is_signed_as_it_stands_on_the_request_line() {
    let (sandbox, keys) = sandbox!();
    sandbox.on("GET", "v3/odd/{value}", 200, json!({ "odd": true })).unwrap();
    for target in [
        "/v3/odd/%E7%B2%A4B12345",
        "/v3/odd/a%2Fb?x=%20y&z='&a[0]=1",
        "/v3/odd/a%2fb?",
        "/v3/odd/!$&'()*+,;=:@~-._?q=/?&&=",
        "/hk/v3/odd/x",
        "/global/v3/odd/x?a=b",
    ] {
        let reply = get(&sandbox, &keys, target);
        assert_eq!(reply.status, 200, "{target}: {reply:?}");
        assert_eq!(sandbox.requests().pop().unwrap().target, target);
    }
    // The same resource, but not what was signed.
    let mut plan = Plan::new(&sandbox, "GET", "/v3/odd/a%2Fb", "");
    let authorization = plan.authorization(&keys);
    plan.target = "/v3/odd/a%2fb".into();
    assert_eq!(send_bytes(&sandbox, &plan.bytes(&authorization)).unwrap().status, 401);
}

#[test]
fn values_reach_the_handler_decoded() {
    let (sandbox, keys) = sandbox!(sandbox_builder().strict(true));
    for (wire, value) in [("%E7%B2%A4B12345", "粤B12345"), ("a%2Fb", "a/b"), ("a+b%25", "a+b%")] {
        let reply = get(&sandbox, &keys, &format!("/v3/pay/transactions/id/{wire}?mchid=19%300000109"));
        // The merchant is its own, and the order is looked for under its name.
        assert_refused(&sandbox, &keys, &reply, 404, "ORDER_NOT_EXIST", value);
    }
    let reply = get(&sandbox, &keys, "/v3/pay/transactions/id/%FF?mchid=1");
    assert_refused(&sandbox, &keys, &reply, 400, "PARAM_ERROR", "path");
    let reply = get(&sandbox, &keys, "/v3/pay/transactions/id/?mchid=1");
    assert_refused(&sandbox, &keys, &reply, 404, "RESOURCE_NOT_EXISTS", "nothing");
}

#[test]
fn paths_verbs_and_bodies_that_are_wrong() {
    let (sandbox, keys) = sandbox!(sandbox_builder().strict(true));
    let reply = get(&sandbox, &keys, "/v3/no/such/path");
    assert_refused(&sandbox, &keys, &reply, 404, "RESOURCE_NOT_EXISTS", "/v3/no/such/path");
    let reply = get(&sandbox, &keys, ECHO);
    assert_refused(&sandbox, &keys, &reply, 405, "METHOD_NOT_ALLOWED", "POST");
    assert_eq!(reply.header("Allow"), Some("POST"));
    let reply = post(&sandbox, &keys, ECHO, "{\"echo_message\":");
    assert_refused(&sandbox, &keys, &reply, 400, "PARAM_ERROR", "JSON");
    let plan = Plan::new(&sandbox, "POST", ECHO, ECHO_BODY).header("Content-Type", "text/plain");
    let reply = send(&sandbox, &keys, &plan);
    assert_refused(&sandbox, &keys, &reply, 400, "PARAM_ERROR", "Content-Type");
    let head = send(&sandbox, &keys, &Plan::new(&sandbox, "HEAD", "/v3/x", ""));
    assert!(head.status == 404 && head.verifies_over(&keys, b""));
}

#[test]
fn a_body_too_large_is_413() {
    let (sandbox, keys) = sandbox!();
    let large = format!("{{\"echo_message\":\"{}\"}}", "x".repeat(8 << 20));
    let reply = post(&sandbox, &keys, ECHO, &large);
    assert_refused(&sandbox, &keys, &reply, 413, "PARAM_ERROR", "8388608");
    assert_eq!(reply.header("Connection"), Some("close"));
    let fits = format!("{{\"echo_message\":\"{}\"}}", "x".repeat((8 << 20) - 19));
    assert_eq!(fits.len(), 8 << 20);
    assert_eq!(post(&sandbox, &keys, ECHO, &fits).status, 200);
}

#[test]
fn an_upload_signs_its_meta() {
    let (sandbox, keys) = sandbox!();
    let target = "/v3/merchant/media/upload";
    sandbox.on("POST", target, 200, json!({ "media_id": "m" })).unwrap();
    let meta = r#"{"filename":"a.jpg","sha256":"00"}"#;
    let part = |name: &str, content: &[u8]| {
        let head =
            format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.jpg\"\r\n\r\n");
        [head.as_bytes(), content, b"\r\n"].concat()
    };
    // Above the limit of other bodies, and binary.
    let file: Vec<u8> = (0..9 << 20).map(|i: u32| i as u8).collect();
    let mut plan =
        Plan::new(&sandbox, "POST", target, "").header("Content-Type", "multipart/form-data; boundary=XX");
    plan.body = [part("meta", meta.as_bytes()), part("file", &file), b"--XX--\r\n".to_vec()].concat();
    plan.signed = Some(meta.into());
    let reply = send(&sandbox, &keys, &plan);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(sandbox.requests().pop().unwrap().signed_message, plan.message());

    let whole = Plan { signed: None, nonce: nonce(), ..plan.clone() };
    assert_eq!(send(&sandbox, &keys, &whole).status, 401);
    plan.nonce = nonce();
    plan.body = [part("meta", b"{\"a"), b"--XX--\r\n".to_vec()].concat();
    plan.signed = Some(b"{\"a".to_vec());
    assert_refused(&sandbox, &keys, &send(&sandbox, &keys, &plan), 400, "PARAM_ERROR", "JSON");
    plan.nonce = nonce();
    plan.body = [part("file", b"x"), b"--XX--\r\n".to_vec()].concat();
    assert_refused(&sandbox, &keys, &send(&sandbox, &keys, &plan), 400, "PARAM_ERROR", "meta");
}

#[test]
fn the_built_in_routes() {
    let (sandbox, keys) = sandbox!();
    let terminate = "/v3/payscore/partner/permissions/terminate";
    let body = json!({"service_id": "500001", "appid": "wx", "sub_mchid": "1", "reason": "r"});
    let reply = post(&sandbox, &keys, terminate, &body.to_string());
    assert!(reply.status == 204 && reply.body.is_empty() && reply.verifies(&keys), "{reply:?}");

    let native = json!({
        "appid": "wx", "mchid": "1900000109", "description": "d", "out_trade_no": "P1234567",
        "notify_url": "https://x", "amount": { "total": 1 },
    });
    let reply = post(&sandbox, &keys, "/v3/pay/transactions/native", &native.to_string());
    assert!(reply.json()["code_url"].as_str().unwrap().starts_with("weixin://wxpay/bizpayurl?pr="));
    let paid = sandbox.pay("P1234567").unwrap();
    let order = format!("/v3/pay/transactions/id/{}", paid["transaction_id"].as_str().unwrap());
    let reply = get(&sandbox, &keys, &format!("{order}?mchid=1900000109"));
    assert_eq!(reply.json()["trade_state"], "SUCCESS");

    let refund = json!({
        "out_trade_no": "P1234567", "out_refund_no": "R1",
        "amount": { "refund": 1, "total": 1, "currency": "CNY" },
    });
    let reply = post(&sandbox, &keys, "/v3/refund/domestic/refunds", &refund.to_string());
    assert_eq!(
        (&reply.json()["status"], &reply.json()["amount"]["refund"]),
        (&json!("PROCESSING"), &json!(1))
    );
    assert!(reply.verifies(&keys));
    let reply = get(&sandbox, &keys, &order);
    assert_refused(&sandbox, &keys, &reply, 400, "PARAM_ERROR", "mchid");

    let without = |pointer: &str, body: &serde_json::Value| {
        let mut body = body.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
        body.to_string()
    };
    for (target, body, fields) in [
        (terminate, &body, &["/service_id", "/appid", "/sub_mchid", "/reason"][..]),
        (
            "/v3/pay/transactions/native",
            &native,
            &["/description", "/notify_url", "/amount/total", "/amount"],
        ),
        ("/v3/refund/domestic/refunds", &refund, &["/out_trade_no", "/out_refund_no", "/amount/currency"]),
    ] {
        for field in fields {
            let reply = post(&sandbox, &keys, target, &without(field, body));
            let name = field[1..].replace('/', ".");
            assert_refused(&sandbox, &keys, &reply, 400, "PARAM_ERROR", &name);
        }
    }
    let wrong = native.to_string().replace("\"total\":1", "\"total\":\"1\"");
    let reply = post(&sandbox, &keys, "/v3/pay/transactions/native", &wrong);
    assert_refused(&sandbox, &keys, &reply, 400, "PARAM_ERROR", "amount.total");
}

#[test]
fn the_certificates_come_encrypted() {
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    let (sandbox, keys) = sandbox!();
    let reply = get(&sandbox, &keys, "/v3/certificates");
    assert!(reply.status == 200 && reply.verifies(&keys), "{reply:?}");
    let entry = &reply.json()["data"][0];
    assert_eq!(entry["serial_no"], sandbox.platform_certificate_serial());
    assert!(entry["effective_time"].as_str().unwrap() < entry["expire_time"].as_str().unwrap());
    let sealed = &entry["encrypt_certificate"];
    assert_eq!(sealed["algorithm"], "AEAD_AES_256_GCM");
    let text = |name: &str| sealed[name].as_str().unwrap().to_string();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, sandbox.apiv3_key().as_bytes()).unwrap());
    let nonce = Nonce::try_assume_unique_for_key(text("nonce").as_bytes()).unwrap();
    let mut bytes = openssl(&["base64", "-d", "-A"], text("ciphertext").as_bytes()).unwrap();
    let opened = key.open_in_place(nonce, Aad::from(text("associated_data")), &mut bytes).unwrap();
    assert_eq!(opened, sandbox.platform_certificate_pem().as_bytes());
}

#[test]
fn exported_keys_are_what_openssl_thinks_they_are() {
    let (sandbox, keys) = sandbox!();
    for (pem, serial) in [
        (sandbox.merchant_certificate_pem(), sandbox.serial()),
        (sandbox.platform_certificate_pem(), sandbox.platform_certificate_serial()),
    ] {
        let told = openssl(&["x509", "-serial", "-noout"], pem.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(told).unwrap().trim(), format!("serial={serial}"));
        assert!(serial.len() == 40 && serial.starts_with('0'));
    }
    assert!(sandbox.merchant_key_pem().starts_with("-----BEGIN PRIVATE KEY-----"));
    assert!(sandbox.platform_public_key_pem().starts_with("-----BEGIN PUBLIC KEY-----"));
    let id = sandbox.platform_public_key_id().strip_prefix("PUB_KEY_ID_").unwrap();
    assert!(id.bytes().all(|byte| byte.is_ascii_digit()));
    let of_key = fs::read(keys.path().join("merchant.pem")).unwrap();
    let of_key = openssl(&["pkey", "-pubout"], &of_key).unwrap();
    let of_certificate =
        openssl(&["x509", "-pubkey", "-noout"], sandbox.merchant_certificate_pem().as_bytes()).unwrap();
    assert_eq!(of_key, of_certificate);
    let shown = format!("{sandbox:?} {:?}", Sandbox::builder().apiv3_key("k".repeat(32)));
    assert!(!shown.contains(sandbox.apiv3_key()) && !shown.contains("kkk") && !shown.contains("PRIVATE"));
}

#[test]
fn unsigned_paths_and_statements() {
    let (sandbox, keys) = sandbox!();
    let file = Answer::new(200).body("text/plain", "a,b\n");
    sandbox.on_with("GET", "v3/billdownload/file", file.clone()).unwrap();
    sandbox.on_with("GET", "v3/merchant-service/images/{+id}", file.clone()).unwrap();
    sandbox.on_with("GET", "v3/new-tax-control-fapiao/download", file.clone()).unwrap();
    for target in ["/v3/billdownload/file?token=x", "/v3/merchant-service/images/a/b%3D"] {
        let reply = get(&sandbox, &keys, target);
        assert_eq!((reply.status, &reply.body[..]), (200, &b"a,b\n"[..]));
        assert!(reply.headers.iter().all(|(name, _)| !name.to_lowercase().starts_with("wechatpay")));
    }
    let open = Plan::new(&sandbox, "GET", "/v3/new-tax-control-fapiao/download?token=x", "");
    assert_eq!(send_bytes(&sandbox, &open.bytes("")).unwrap().status, 200);
    let closed = Plan::new(&sandbox, "GET", "/v3/billdownload/file", "");
    assert_eq!(send_bytes(&sandbox, &closed.bytes("")).unwrap().status, 401);
    // An error there is signed like any other.
    sandbox.on("GET", "v3/billdownload/file", 404, json!({ "code": "NO_STATEMENT_EXIST" })).unwrap();
    assert!(get(&sandbox, &keys, "/v3/billdownload/file").verifies(&keys));

    let file = file.header("Wechatpay-Statement-Sha1", "abc");
    sandbox.on_with("GET", "v3/statements", file).unwrap();
    let reply = get(&sandbox, &keys, "/hk/v3/statements?date=20200101");
    assert!(reply.status == 200 && reply.verifies_over(&keys, br#"{"sha1":"abc"}"#));
}

#[test]
fn scripts_go_before_the_built_in_routes() {
    let (sandbox, keys) = sandbox!();
    sandbox.on("POST", "/v3/security/echo", 200, json!({ "n": 1 })).unwrap();
    sandbox.on("POST", "v3/security/echo", 500, json!({ "code": "SYSTEM_ERROR" })).unwrap();
    let reply = post(&sandbox, &keys, ECHO, ECHO_BODY);
    assert!(reply.status == 500 && reply.verifies(&keys));
    assert_eq!(sandbox.requests().pop().unwrap().verdict, Verdict::Accepted);
    sandbox.on("POST", "v3/{+all}", 204, serde_json::Value::Null).unwrap();
    assert!(post(&sandbox, &keys, ECHO, ECHO_BODY).body.is_empty());
    let odd = Answer::new(202).header("X-Odd", "1").header("x-odd", "2").header("Request-ID", "mine");
    sandbox.on_with("DELETE", "v3/x", odd.json(json!([])).unsigned()).unwrap();
    let reply = send(&sandbox, &keys, &Plan::new(&sandbox, "DELETE", "/v3/x", "{\"a\":1}"));
    assert_eq!((reply.status, reply.header("Request-ID")), (202, Some("mine")));
    assert_eq!(reply.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-odd")).count(), 2);
    assert!(reply.header("Wechatpay-Signature").is_none());

    for (method, template, answer) in [
        ("get", "v3/x", Answer::new(200)),
        ("G T", "v3/x", Answer::new(200)),
        ("GET", "v3/{x}y", Answer::new(200)),
        ("GET", "v3/x", Answer::new(100)),
        ("GET", "v3/x", Answer::new(1000)),
        ("GET", "v3/x", Answer::new(204).json(json!({}))),
        ("GET", "v3/x", Answer::new(200).header("a b", "")),
        ("GET", "v3/x", Answer::new(200).header("a", "\n")),
        ("GET", "v3/x", Answer::new(200).header("content-length", "1")),
    ] {
        let refused = sandbox.on_with(method, template, answer);
        assert!(matches!(refused, Err(SandboxError::Script { .. })), "{method} {template}");
    }
}

#[test]
fn error_answers_can_come_unsigned() {
    let (sandbox, keys) = sandbox!(sandbox_builder().sign_errors(false).strict(true));
    assert!(get(&sandbox, &keys, "/v3/x").header("Wechatpay-Signature").is_none());
    assert!(get(&sandbox, &keys, CERTIFICATES).verifies(&keys));
}

#[test]
fn faults_of_the_signature() {
    let (sandbox, keys) = sandbox!();
    let with = |fault: Fault| {
        sandbox.inject(fault);
        get(&sandbox, &keys, CERTIFICATES)
    };
    assert!(!with(Fault::BadSignature).verifies(&keys));

    let serial = with(Fault::UnknownSerial).header("Wechatpay-Serial").unwrap().to_string();
    assert!(serial.len() == 40 && serial != sandbox.platform_certificate_serial(), "{serial}");

    for name in ["Wechatpay-Nonce", "wechatpay-signature", "Request-ID", "Date"] {
        assert_eq!(with(Fault::MissingHeader(name.into())).header(name), None);
    }

    let old = with(Fault::OldTimestamp);
    let age = now() - old.header("Wechatpay-Timestamp").unwrap().parse::<i64>().unwrap();
    assert!((301..304).contains(&age) && old.verifies(&keys), "{age}");

    let probe = with(Fault::SignatureProbe);
    let signature = probe.header("Wechatpay-Signature").unwrap();
    assert!(signature.starts_with("WECHATPAY/SIGNTEST/") && signature.len() == 344, "{signature}");
    assert!(!probe.verifies(&keys));

    let wrong = with(Fault::WrongBody);
    assert!(!wrong.verifies(&keys) && wrong.verifies_over(&keys, wrong.body.trim_ascii_end()));
    sandbox.on("GET", "v3/empty", 204, serde_json::Value::Null).unwrap();
    sandbox.inject(Fault::WrongBody);
    let wrong = get(&sandbox, &keys, "/v3/empty");
    assert!(wrong.status == 200 && !wrong.body.is_empty() && !wrong.verifies(&keys));
    assert!(get(&sandbox, &keys, CERTIFICATES).verifies(&keys), "each fault serves once");
    assert!(sandbox.requests().iter().all(|request| request.verdict == Verdict::Accepted));
}

#[test]
fn faults_of_the_line() {
    let (sandbox, keys) = sandbox!();
    let plan = || Plan::new(&sandbox, "GET", CERTIFICATES, "");
    sandbox.inject(Fault::HtmlBadGateway);
    sandbox.inject(Fault::CutConnection);
    sandbox.inject(Fault::CutBody);
    sandbox.inject(Fault::Delay(Duration::from_millis(300)));
    let reply = send(&sandbox, &keys, &plan());
    assert_eq!((reply.status, reply.header("Content-Type")), (502, Some("text/html")));
    assert!(reply.header("Wechatpay-Signature").is_none());
    assert!(try_send(&sandbox, &keys, &plan()).is_none());
    let reply = send(&sandbox, &keys, &plan());
    assert!(!reply.whole && !reply.body.is_empty() && reply.status == 200, "{reply:?}");
    let start = Instant::now();
    assert!(send(&sandbox, &keys, &plan()).verifies(&keys));
    assert!(start.elapsed() >= Duration::from_millis(300));

    sandbox.inject_always(Fault::UnknownSerial);
    sandbox.inject(Fault::MissingHeader("Date".into()));
    let serial = sandbox.platform_certificate_serial();
    for date in [false, true, true] {
        let reply = send(&sandbox, &keys, &plan());
        assert_ne!(reply.header("Wechatpay-Serial"), Some(serial));
        assert_eq!(reply.header("Date").is_some(), date);
    }
    sandbox.inject(Fault::CutConnection);
    sandbox.clear_faults();
    assert!(send(&sandbox, &keys, &plan()).verifies(&keys));
    assert_eq!(sandbox.requests().len(), 8);
}

#[test]
fn garbage_is_answered_or_dropped_and_the_server_lives() {
    let (sandbox, keys) = sandbox!();
    let head = "POST /v3/security/echo HTTP/1.1\r\nHost: x\r\n";
    let garbage = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        vec![0; 100_000],
        b"GET\r\n\r\n".to_vec(),
        b"GET /%%% HTTP/9.9\r\n\r\n".to_vec(),
        b"GET /v3/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"GET http://other/v3/x HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        format!("{head}Content-Length: -1\r\n\r\n").into_bytes(),
        format!("{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n").into_bytes(),
        format!("{head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef").into_bytes(),
        format!("{head}X: {}\r\n\r\n", "y".repeat(600_000)).into_bytes(),
        [head.as_bytes(), b"Authorization: \xff\r\n\r\n"].concat(),
        format!("{head}Content-Type: multipart/form-data; boundary=\r\nContent-Length: 2\r\n\r\n--")
            .into_bytes(),
    ];
    for bytes in garbage {
        let mut stream = connect(&sandbox);
        // The server may hang up before it has read all.
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let start = Instant::now();
        let _ = stream.read_to_end(&mut Vec::new());
        assert!(start.elapsed() < Duration::from_secs(12), "{}", String::from_utf8_lossy(&bytes[..20]));
    }
    assert_eq!(get(&sandbox, &keys, CERTIFICATES).status, 200);
}

#[test]
fn headers_that_never_end_and_idle_connections_are_closed() {
    let (sandbox, keys) = sandbox!();
    let mut slow = connect(&sandbox);
    slow.write_all(b"GET /v3/x HTTP/1.1\r\nHost: x\r\n").unwrap();
    let mut idle = connect(&sandbox);
    let plan = Plan::new(&sandbox, "GET", CERTIFICATES, "");
    idle.write_all(&plan.bytes(&plan.authorization(&keys))).unwrap();
    assert_eq!(receive(&mut idle).unwrap().status, 200);
    let start = Instant::now();
    for stream in [&mut slow, &mut idle] {
        let _ = stream.read_to_end(&mut Vec::new());
        assert!(start.elapsed() < Duration::from_secs(12));
    }
    assert!(start.elapsed() > Duration::from_secs(6));
}

#[test]
fn a_connection_serves_many_requests() {
    let (sandbox, keys) = sandbox!();
    let mut stream = connect(&sandbox);
    for text in ["a", "b", "c"] {
        let plan = Plan::new(&sandbox, "POST", ECHO, &json!({ "echo_message": text }).to_string());
        stream.write_all(&plan.bytes(&plan.authorization(&keys))).unwrap();
        let reply = receive(&mut stream).unwrap();
        assert!(reply.json()["echo_message"] == text && reply.verifies(&keys));
    }
    // Two at once, answered in order.
    let plans = ["one", "two"]
        .map(|text| Plan::new(&sandbox, "POST", ECHO, &json!({ "echo_message": text }).to_string()));
    let bytes: Vec<u8> = plans.iter().flat_map(|plan| plan.bytes(&plan.authorization(&keys))).collect();
    stream.write_all(&bytes).unwrap();
    for text in ["one", "two"] {
        assert_eq!(receive(&mut stream).unwrap().json()["echo_message"], text);
    }
}

#[test]
fn two_sandboxes_are_strangers() {
    let (one, one_keys) = sandbox!(Sandbox::builder().mchid("1900000001"));
    let (two, two_keys) = sandbox!(Sandbox::builder().mchid("1900000002"));
    assert_eq!(get(&one, &one_keys, CERTIFICATES).status, 200);
    assert_eq!(get(&two, &two_keys, CERTIFICATES).status, 200);
    let stray = send(&two, &one_keys, &Plan::new(&one, "GET", CERTIFICATES, ""));
    assert_eq!(stray.status, 401);
    assert_eq!((one.requests().len(), two.requests().len()), (1, 2));
}

#[test]
fn a_keys_folder_brings_the_identity_back() {
    let folder = TempDir::new().unwrap();
    let keys = folder.path().join("new/keys");
    let start = || Sandbox::builder().keys(&keys).start();
    let first = Sandbox::builder().keys(&keys).mchid("1234567890").start().unwrap();
    let second = start().unwrap();
    let fastest = (0..5).map(|_| {
        let began = Instant::now();
        start().unwrap();
        began.elapsed()
    });
    // The fastest of five: the other tests are finding primes meanwhile.
    assert!(fastest.min().unwrap() < Duration::from_millis(100));
    let identity = |sandbox: &Sandbox| {
        [
            sandbox.mchid(),
            sandbox.serial(),
            sandbox.apiv3_key(),
            sandbox.merchant_key_pem(),
            sandbox.merchant_certificate_pem(),
            sandbox.platform_certificate_pem(),
            sandbox.platform_certificate_serial(),
            sandbox.platform_public_key_pem(),
            sandbox.platform_public_key_id(),
        ]
        .map(str::to_string)
    };
    assert_eq!(identity(&first), identity(&second));
    assert_ne!(first.base_url(), second.base_url());
    for (name, expected) in
        [("apiclient_key.pem", 0o600), ("identity.json", 0o600), ("pub_key_key.pem", 0o600)]
    {
        assert_eq!(mode(&keys.join(name)), expected, "{name}");
    }

    assert!(Sandbox::builder().keys(&keys).mchid("1234567890").start().is_ok());
    let other = Sandbox::builder().keys(&keys).mchid("1234567891").start().unwrap_err();
    assert!(matches!(other, SandboxError::Setting { name: "mchid", .. }), "{other}");

    for name in fs::read_dir(&keys).unwrap().map(|entry| entry.unwrap().file_name()) {
        let path = keys.join(&name);
        let name = name.to_str().unwrap();
        let kept = fs::read(&path).unwrap();
        let told = |result: Result<Sandbox, SandboxError>| result.unwrap_err().to_string();
        fs::remove_file(&path).unwrap();
        assert!(told(start()).contains(name), "{}", told(start()));
        for bad in
            [&b""[..], b"garbage", b"\xff", b"-----BEGIN X-----\nAAAA\n-----END X-----\n", &kept[..100]]
        {
            fs::write(&path, bad).unwrap();
            assert!(told(start()).contains(name), "{}", told(start()));
        }
        fs::write(&path, &kept).unwrap();
    }
    fs::copy(keys.join("wechatpay_cert.pem"), keys.join("apiclient_cert.pem")).unwrap();
    assert!(start().unwrap_err().to_string().contains("apiclient_cert.pem"));
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    for mchid in ["", "abc", "19-1"] {
        let error = Sandbox::builder().mchid(mchid).start().unwrap_err();
        assert!(matches!(error, SandboxError::Setting { name: "mchid", .. }), "{error}");
    }
    let error = Sandbox::builder().apiv3_key("too-short").start().unwrap_err();
    assert!(matches!(error, SandboxError::Setting { name: "apiv3_key", .. }), "{error}");
    assert!(!error.to_string().contains("too-short"));
}

#[test]
fn the_end_is_quick_safe_in_a_runtime_and_frees_the_port() {
    fn shared<T: Send + Sync>(_: &T) {}
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let sandbox = start_sandbox();
        shared(&sandbox);
        sandbox.inject_always(Fault::Delay(Duration::from_secs(60)));
        // A connection that waits for an answer must not hold up the end.
        let mut waiting = connect(&sandbox);
        waiting.write_all(b"GET /v3/x HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        while sandbox.requests().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let address = sandbox.base_url()[7..].trim_end_matches('/').to_string();
        let start = Instant::now();
        drop(sandbox);
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        assert!(std::net::TcpStream::connect(address).is_err());
        assert!(receive(&mut waiting).is_none());
    });
}
