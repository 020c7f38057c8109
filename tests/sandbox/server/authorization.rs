//! Signatures of requests and responses, the clock, nonces.

use serde_json::json;
use wechatpay_chain::sandbox::Verdict;

use super::*;
use crate::raw_http::*;
use crate::support::sandbox_builder;

#[test]
fn a_valid_request_gets_a_signed_response() {
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
fn the_requested_platform_key_signs() {
    let (sandbox, keys) = sandbox!();
    for serial in [sandbox.platform_public_key_id(), sandbox.platform_certificate_serial()] {
        let plan = Plan::new(&sandbox, "GET", CERTIFICATES, "").header("Wechatpay-Serial", serial);
        let reply = send(&sandbox, &keys, &plan);
        assert_eq!((reply.status, reply.header("Wechatpay-Serial")), (200, Some(serial)));
        assert!(reply.verifies(&keys));
    }
    // The platform's, as Java and Python write it; the merchant's own and none, which say nothing.
    let certificate = sandbox.platform_certificate_serial();
    let without_zero = certificate.trim_start_matches('0').to_lowercase();
    for (serial, signer) in [(without_zero.as_str(), certificate), (sandbox.serial(), ""), ("", "")] {
        let plan = Plan::new(&sandbox, "GET", CERTIFICATES, "").header("Wechatpay-Serial", serial);
        let reply = send(&sandbox, &keys, &plan);
        assert_eq!(reply.status, 200, "{serial}");
        assert!(signer.is_empty() || reply.header("Wechatpay-Serial") == Some(signer), "{serial}");
        assert_eq!(reply.header("Wechatpay-Signature-Type"), Some("WECHATPAY2-SHA256-RSA2048"));
    }
    for serial in ["PUB_KEY_ID_0", "0A"] {
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
    for serial in ["0", "PUB_KEY_ID_0", "7777777777777777777777777777777777777777"] {
        refused(&sent(&|plan| plan.serial = serial.into()), "serial_no");
    }
    refused(&sent(&|plan| plan.serial.push('0')), "serial_no");
    // The same number, as other SDKs write it.
    assert_eq!(sent(&|plan| plan.serial = plan.serial.trim_start_matches('0').into()).status, 200);
    assert_eq!(sent(&|plan| plan.serial = plan.serial.to_lowercase()).status, 200);
    for timestamp in ["-1", "+1700000000", "1.7e9", "99999999999999999999", "0"] {
        refused(&sent(&|plan| plan.timestamp = timestamp.into()), "timestamp");
    }
    for nonce in ["nonce\u{e9}", &"n".repeat(65)] {
        refused(
            &sent(&|plan| plan.nonce = nonce.into()),
            if nonce.is_ascii() { "nonce_str" } else { "Authorization" },
        );
    }
    // As long as any SDK sends it, and once only.
    for nonce in
        ["n", "0123456789", "9f86d081884c7d659a2feaa0", "0123456789-_.=/+:;", "a b, c", &"n".repeat(64)]
    {
        assert_eq!(sent(&|plan| plan.nonce = nonce.into()).status, 200, "{nonce}");
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

    // The order of the fields does not matter.
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
fn a_wrong_signature_gets_the_message_to_sign() {
    let (sandbox, keys) = sandbox!();
    let mut plan = Plan::new(&sandbox, "POST", ECHO, ECHO_BODY);
    let right = plan.message();
    plan.signed = Some(b"{}".to_vec());
    let reply = send(&sandbox, &keys, &plan);
    let right_text = String::from_utf8(right.clone()).unwrap();
    assert_refused(&sandbox, &keys, &reply, 401, "SIGN_ERROR", &right_text);
    let reported = &reply.json()["detail"]["sign_information"];
    assert_eq!((reported["method"].as_str(), reported["url"].as_str()), (Some("POST"), Some(ECHO)));
    assert_eq!(reported["sign_message_length"].as_u64(), Some(right.len() as u64));
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
