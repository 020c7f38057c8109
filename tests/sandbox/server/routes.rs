//! Paths, verbs, bodies, built-in and scripted responses.

use serde_json::json;
use wechatpay_chain::sandbox::{EndpointKind, SandboxError, SandboxResponse, Verdict};

use super::*;
use crate::raw_http::*;
use crate::support::{openssl, sandbox_builder};

#[test]
fn values_reach_the_handler_decoded() {
    let (sandbox, keys) = sandbox!(sandbox_builder().strict(true));
    for (wire, value) in [("%E7%B2%A4B12345", "粤B12345"), ("a%2Fb", "a/b"), ("a+b%25", "a+b%")] {
        let reply = get(&sandbox, &keys, &format!("/v3/pay/transactions/id/{wire}?mchid=19%300000109"));
        // The merchant is correct, and the order is looked up by its decoded number.
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
    let encrypted = &entry["encrypt_certificate"];
    assert_eq!(encrypted["algorithm"], "AEAD_AES_256_GCM");
    let text = |name: &str| encrypted[name].as_str().unwrap().to_string();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, sandbox.apiv3_key().as_bytes()).unwrap());
    let nonce = Nonce::try_assume_unique_for_key(text("nonce").as_bytes()).unwrap();
    let mut bytes = openssl(&["base64", "-d", "-A"], text("ciphertext").as_bytes()).unwrap();
    let opened = key.open_in_place(nonce, Aad::from(text("associated_data")), &mut bytes).unwrap();
    assert_eq!(opened, sandbox.platform_certificate_pem().as_bytes());
}

#[test]
fn unsigned_paths_and_statements() {
    let (sandbox, keys) = sandbox!();
    let file = SandboxResponse::new(200).body("text/plain", "a,b\n");
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
    let seen = sandbox.requests().pop().unwrap();
    assert!(matches!(&seen.verdict, Verdict::Refused { status: 500, code, .. } if code == "SYSTEM_ERROR"));
    assert_eq!((seen.passed(), seen.endpoint), (true, EndpointKind::Scripted));
    sandbox.on("POST", "v3/{+all}", 204, serde_json::Value::Null).unwrap();
    assert!(post(&sandbox, &keys, ECHO, ECHO_BODY).body.is_empty());
    let odd =
        SandboxResponse::new(202).header("X-Odd", "1").header("x-odd", "2").header("Request-ID", "mine");
    sandbox.on_with("DELETE", "v3/x", odd.json(json!([])).unsigned()).unwrap();
    let reply = send(&sandbox, &keys, &Plan::new(&sandbox, "DELETE", "/v3/x", "{\"a\":1}"));
    assert_eq!((reply.status, reply.header("Request-ID")), (202, Some("mine")));
    assert_eq!(reply.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-odd")).count(), 2);
    assert!(reply.header("Wechatpay-Signature").is_none());

    for (method, template, response) in [
        ("get", "v3/x", SandboxResponse::new(200)),
        ("G T", "v3/x", SandboxResponse::new(200)),
        ("GET", "v3/{x}y", SandboxResponse::new(200)),
        ("GET", "v3/x", SandboxResponse::new(100)),
        ("GET", "v3/x", SandboxResponse::new(1000)),
        ("GET", "v3/x", SandboxResponse::new(204).json(json!({}))),
        ("GET", "v3/x", SandboxResponse::new(200).header("a b", "")),
        ("GET", "v3/x", SandboxResponse::new(200).header("a", "\n")),
        ("GET", "v3/x", SandboxResponse::new(200).header("content-length", "1")),
    ] {
        let refused = sandbox.on_with(method, template, response);
        assert!(matches!(refused, Err(SandboxError::Script { .. })), "{method} {template}");
    }
}

#[test]
fn error_responses_can_be_unsigned() {
    let (sandbox, keys) = sandbox!(sandbox_builder().sign_errors(false).strict(true));
    assert!(get(&sandbox, &keys, "/v3/x").header("Wechatpay-Signature").is_none());
    assert!(get(&sandbox, &keys, CERTIFICATES).verifies(&keys));
}
