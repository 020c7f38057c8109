//! Faults by rule, the clock, and the control endpoint, over raw sockets.

use std::io::Write;

use serde_json::{Value, json};
use wechatpay_chain::{
    Error, VerifyReason,
    sandbox::{Delivery, Fault, FaultRule, Sandbox, SandboxError, Verdict},
};

use crate::raw_http::*;
use crate::support::{has, sandbox_builder, start_sandbox};

const ECHO: &str = "/v3/security/echo";

/// The numbers of the calls that went wrong, from 1.
fn hit(sandbox: &Sandbox, calls: usize) -> Vec<usize> {
    let wx = sandbox.client().unwrap();
    (1..=calls)
        .filter(|_| wx.chain("v3/security/echo").post_sync(json!({ "echo_message": "x" })).is_err())
        .collect()
}

#[test]
fn a_rule_hits_the_nth_or_a_seeded_share() {
    let sandbox = sandbox_builder().seed(7).start().unwrap();
    assert_eq!(sandbox.seed(), 7);
    sandbox.inject_rule(FaultRule::new(Fault::HtmlBadGateway).nth(3)).unwrap();
    assert_eq!(hit(&sandbox, 5), [3]);
    sandbox.inject_rule(FaultRule::new(Fault::HtmlBadGateway).nth(2).times(2)).unwrap();
    assert_eq!(hit(&sandbox, 5), [2, 3]);

    let rule = || FaultRule::new(Fault::BadSignature).share(0.3);
    sandbox.clear_faults();
    sandbox.inject_rule(rule()).unwrap();
    let first = hit(&sandbox, 60);
    assert!((8..30).contains(&first.len()), "{first:?}");
    // Again, here and in another sandbox with that seed; otherwise with another one.
    sandbox.clear_faults();
    sandbox.inject_rule(rule()).unwrap();
    assert_eq!(hit(&sandbox, 60), first);
    for (seed, same) in [(7, true), (8, false)] {
        let other = sandbox_builder().seed(seed).start().unwrap();
        other.inject_rule(rule()).unwrap();
        assert_eq!(hit(&other, 60) == first, same);
    }
    let (one, other) = (start_sandbox(), start_sandbox());
    assert_ne!(one.seed(), other.seed());
}

#[test]
fn a_rule_for_a_path_does_not_count_others() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    sandbox.inject_rule("html-bad-gateway path=v3/pay/{+rest} nth=2".parse().unwrap()).unwrap();
    assert_eq!(hit(&sandbox, 3), [0; 0]);
    assert!(wx.chain("v3/pay/a").get_sync().is_ok());
    assert!(wx.chain("v3/pay/b/c").get_sync().is_err());
    assert!(wx.chain("v3/pay/a").get_sync().is_ok());
    for rule in [
        FaultRule::new(Fault::CutBody).nth(0),
        FaultRule::new(Fault::CutBody).times(0),
        FaultRule::new(Fault::CutBody).share(f64::NAN),
        FaultRule::new(Fault::CutBody).path("v3/{a}.json"),
    ] {
        let error = sandbox.inject_rule(rule).unwrap_err();
        assert!(
            matches!(&error, SandboxError::Fault { rule, .. } if rule.starts_with("cut-body")),
            "{error}"
        );
    }
}

#[test]
fn rate_limited_is_429_and_nothing_was_executed() {
    if !has("openssl") {
        return;
    }
    let sandbox = start_sandbox();
    let keys = export(&sandbox);
    for (retry_after, header) in [(None, None), (Some(3), Some("3"))] {
        sandbox.inject(Fault::RateLimited { retry_after });
        let reply = post(&sandbox, &keys, ECHO, r#"{"echo_message":"x"}"#);
        assert_eq!((reply.status, reply.code().as_str()), (429, "FREQUENCY_LIMITED"));
        assert_eq!(reply.header("Retry-After"), header);
        assert!(reply.verifies(&keys));
    }
    let seen = sandbox.requests().pop().unwrap();
    assert_eq!((&seen.verdict, seen.response.status, seen.passed()), (&Verdict::Disturbed, 429, true));
}

#[test]
fn a_system_error_leaves_a_refusal_alone() {
    if !has("openssl") {
        return;
    }
    let sandbox = start_sandbox();
    let keys = export(&sandbox);
    sandbox.inject(Fault::SystemErrorAfterExecuting);
    let reply = post(&sandbox, &keys, ECHO, r#"{"echo_message":"x"}"#);
    assert_eq!((reply.status, reply.code().as_str()), (500, "SYSTEM_ERROR"));
    assert!(reply.verifies(&keys));
    sandbox.inject(Fault::SystemErrorAfterExecuting);
    let reply = post(&sandbox, &keys, ECHO, "{}");
    assert_eq!((reply.status, reply.code().as_str()), (400, "PARAM_ERROR"));
    // So it waits for a request that does not fail by itself.
    assert_eq!((sandbox.requests().pop().unwrap().faults, sandbox.unmet().len()), (vec![], 1));
    assert_eq!(post(&sandbox, &keys, ECHO, r#"{"echo_message":"x"}"#).status, 500);
}

#[test]
fn the_clock_can_be_set_while_it_runs() {
    // A signed error would be refused by the client for its own timestamp.
    let sandbox = sandbox_builder().sign_errors(false).start().unwrap();
    let wx = sandbox.client().unwrap();
    assert!(wx.chain("v3/x").get_sync().is_ok());
    for skew in [3600, -3600] {
        sandbox.set_clock_skew(skew);
        let Error::Api(error) = wx.chain("v3/x").get_sync().unwrap_err() else { panic!() };
        assert_eq!((error.status, error.code.as_str()), (401, "SIGN_ERROR"));
    }
    // Notifications go by the same clock.
    let (headers, body) = sandbox.notification("REFUND.SUCCESS", "refund", &json!({})).unwrap();
    let Error::Verify(error) = wx.notification(&headers, body).wait().unwrap_err() else { panic!() };
    assert!(matches!(error.reason, VerifyReason::ClockSkew { .. }), "{error}");
    sandbox.set_clock_skew(0);
    assert!(wx.chain("v3/x").get_sync().is_ok());
}

/// A request to the control endpoint, with these lines in its head.
fn control(sandbox: &Sandbox, method: &str, path: &str, head: &str, body: &str) -> Reply {
    let mut stream = connect(sandbox);
    let length = body.len();
    write!(stream, "{method} {path} HTTP/1.1\r\n{head}Content-Length: {length}\r\n\r\n{body}").unwrap();
    receive(&mut stream).unwrap()
}

fn own(sandbox: &Sandbox) -> String {
    let address = sandbox.base_url().trim_start_matches("http://").trim_end_matches('/');
    format!("Host: {address}\r\n")
}

#[test]
fn faults_can_be_controlled_from_outside() {
    let sandbox = sandbox_builder().seed(9).start().unwrap();
    let ask = |method: &str, body: &str| control(&sandbox, method, "/_sandbox/faults", &own(&sandbox), body);
    // Asking takes nothing from the queue.
    sandbox.inject(Fault::CutBody);
    let list = ask("GET", "");
    assert_eq!(
        (list.status, list.json()),
        (
            200,
            json!({ "seed": 9, "rules": [], "queue": ["cut-body"], "refused": 0, "spent": [], "spent_dropped": 0 })
        )
    );
    assert_eq!(list.header("Wechatpay-Signature"), None);
    assert_eq!(ask("DELETE", "").status, 204);
    let made = ask("POST", r#"{"fault":"rate-limited=1","path":"v3/security/{+rest}","nth":2,"times":1}"#);
    assert_eq!(made.status, 201);
    let text = "rate-limited=1 nth=2 path=v3/security/{+rest} times=1";
    assert_eq!(made.json()["rules"], json!([{ "rule": text, "matched": 0, "hits": 0, "newest_hits": [] }]));
    assert_eq!(hit(&sandbox, 1), [0; 0]);
    assert_eq!(ask("GET", "").json()["rules"][0]["matched"], 1);
    assert_eq!(hit(&sandbox, 2), [1]);
    assert_eq!(ask("GET", "").json()["rules"], json!([]));
    ask("POST", r#"{"fault":"html-bad-gateway","share":1,"on":"requests"}"#);
    assert_eq!(hit(&sandbox, 2), [1, 2]);
    assert_eq!(ask("DELETE", "").status, 204);
    assert_eq!(hit(&sandbox, 1), [0; 0]);

    for (body, part) in [
        ("", "EOF"),
        ("[]", "object"),
        (r#"{"nth":1}"#, "missing field `fault`"),
        (r#"{"fault":"no"}"#, "no such fault"),
        (r#"{"fault":"cut-body","nth":0}"#, "from 1"),
        (r#"{"fault":"cut-body","nth":-1}"#, "invalid value"),
        (r#"{"fault":"cut-body","share":2}"#, "up to 1"),
        (r#"{"fault":"cut-body","path":"a?b"}"#, "query"),
        (r#"{"fault":"cut-body","on":"x"}"#, "notifications"),
        (r#"{"fault":"duplicate"}"#, "on=notifications"),
        (r#"{"fault":"rotate-certificate","on":"notifications"}"#, "does not apply to notifications"),
        (r#"{"fault":"cut-body","nht":1}"#, "nht"),
        (r#"{"fault":"cut-body nth=2"}"#, "without blanks"),
        (r#"{"fault":"cut-body","path":"v3/x times=1"}"#, "without blanks"),
    ] {
        let reply = ask("POST", body);
        assert!(reply.status == 400 && reply.message().contains(part), "{body}: {reply:?}");
    }
    assert_eq!(ask("POST", &" ".repeat(20 << 10)).status, 413);
    assert_eq!(ask("PUT", "{}").status, 405);
    assert_eq!(control(&sandbox, "GET", "/_sandbox/none", &own(&sandbox), "").status, 404);
    for _ in 0..1000 {
        sandbox.inject_rule(FaultRule::new(Fault::Duplicate).notifications()).unwrap();
    }
    assert!(ask("POST", r#"{"fault":"cut-body"}"#).message().contains("1000"));
    assert!(sandbox.requests().iter().all(|request| request.target.starts_with("/v3/")));
}

#[test]
fn requests_notifications_and_the_clock_can_be_read() {
    if !has("openssl") {
        return;
    }
    let sandbox = start_sandbox();
    let keys = export(&sandbox);
    let ask = |path: &str| control(&sandbox, "GET", path, &own(&sandbox), "");
    let good = Plan::new(&sandbox, "POST", ECHO, r#"{"echo_message":"x"}"#);
    assert_eq!(send(&sandbox, &keys, &good).status, 200);
    let mut bent = Plan::new(&sandbox, "GET", "/v3/x", "");
    let authorization = bent.authorization(&keys);
    bent.target = "/v3/y".into();
    assert_eq!(send_bytes(&sandbox, &bent.bytes(&authorization)).unwrap().status, 401);

    let text = String::from_utf8(ask("/_sandbox/requests").body).unwrap();
    let listed: Value = serde_json::from_str(&text).unwrap();
    let [newest, oldest] = listed["requests"].as_array().unwrap().as_slice() else { panic!("{text}") };
    assert_eq!((&newest["target"], &newest["verdict"]["code"]), (&json!("/v3/y"), &json!("SIGN_ERROR")));
    assert_eq!(newest["signed_message"], String::from_utf8(bent.message()).unwrap());
    assert!((newest["at"].as_f64().unwrap() - now() as f64).abs() < 5.0);
    assert_eq!((&oldest["method"], &oldest["verdict"]), (&json!("POST"), &json!({ "accepted": true })));
    for secret in [good.signature(&keys), bent.signature(&keys), sandbox.apiv3_key().into()] {
        assert!(!text.contains(&secret));
    }
    assert_eq!(ask("/_sandbox/requests?limit=1").json()["requests"].as_array().unwrap().len(), 1);
    for limit in ["0", "x", "1001", "-1"] {
        assert_eq!(ask(&format!("/_sandbox/requests?limit={limit}")).status, 400, "{limit}");
    }

    let id = sandbox.notify("http://192.0.2.1/", "REFUND.SUCCESS", "refund", &json!({}));
    while !sandbox.notifications()[0].is_done() {
        std::thread::yield_now();
    }
    assert!(matches!(sandbox.notifications()[0].delivery, Delivery::Refused(_)));
    let listed = ask("/_sandbox/notifications").json();
    let one = &listed["notifications"][0];
    assert_eq!((&one["id"], &one["state"], &one["attempts"]), (&json!(id), &json!("REFUSED"), &json!([])));
    assert!(one["reason"].as_str().unwrap().contains("not this machine"));

    let set = |body| control(&sandbox, "POST", "/_sandbox/clock", &own(&sandbox), body);
    let clock = set(r#"{"skew":-400}"#).json();
    assert_eq!(clock["skew"], -400);
    assert!((clock["now"].as_i64().unwrap() + 400 - now()).abs() <= 2);
    assert_eq!(get(&sandbox, &keys, "/v3/x").status, 401);
    assert_eq!(set(r#"{"skew":1.5}"#).status, 400);
    assert_eq!(set(r#"{"skew":0}"#).status, 200);
    assert_eq!(ask("/_sandbox/clock").json()["skew"], 0);
}

#[test]
fn the_control_endpoint_simulates_the_payer() {
    let sandbox = start_sandbox();
    let merchant = export(&sandbox);
    let order = json!({
        "appid": "wxd678efh567hg6787", "mchid": sandbox.mchid(), "description": "d", "out_trade_no": "P0000001",
        "notify_url": "http://127.0.0.1:9/n", "amount": { "total": 100 },
    });
    assert_eq!(post(&sandbox, &merchant, "/v3/pay/transactions/native", &order.to_string()).status, 200);
    let play = |body: Value| control(&sandbox, "POST", "/_sandbox/payer", &own(&sandbox), &body.to_string());
    for (body, status, part) in [
        (json!({ "do": "pay", "number": "P0000002" }), 404, "ORDER_NOT_EXIST"),
        (json!({ "do": "settle-refund", "number": "P0000001" }), 404, "RESOURCE_NOT_EXISTS"),
        (json!({ "do": "steal", "number": "P0000001" }), 400, "settle-refund"),
        (json!({ "do": "pay" }), 400, "number"),
        (json!({ "do": "pay", "number": "P0000001", "amount": 1 }), 400, "amount"),
    ] {
        let reply = play(body);
        let text = String::from_utf8(reply.body.clone()).unwrap();
        assert!(reply.status == status && text.contains(part), "{} {text}", reply.status);
    }
    let paid = play(json!({ "do": "pay", "number": "P0000001" })).json();
    assert_eq!((&paid["trade_state"], paid.get("asked")), (&json!("SUCCESS"), None));
    let again = play(json!({ "do": "pay", "number": "P0000001" }));
    assert_eq!((again.status, again.code().as_str()), (400, "ORDERPAID"), "once");
    let ask = |method: &str, path: &str| control(&sandbox, method, path, &own(&sandbox), "{}").code();
    assert_eq!(ask("GET", "/_sandbox/none"), "RESOURCE_NOT_EXISTS");
    assert_eq!(ask("PUT", "/_sandbox/faults"), "METHOD_NOT_ALLOWED");
    assert_eq!(ask("POST", "/_sandbox/payer"), "PARAM_ERROR");
    let far = control(&sandbox, "POST", "/_sandbox/clock", &own(&sandbox), r#"{"advance":"9999d"}"#);
    assert_eq!((far.status, far.code().as_str()), (400, "PARAM_ERROR"));

    // A delivered notification can be read, exactly as the receiver got it.
    while sandbox.notifications()[0].attempts.is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let one = &sandbox.notifications()[0];
    let opened = sandbox.client().unwrap().notification(&one.headers, one.body.clone()).wait().unwrap();
    assert_eq!((opened.id.as_str(), &opened.resource["out_trade_no"]), (one.id.as_str(), &json!("P0000001")));
    let shown = control(&sandbox, "GET", "/_sandbox/notifications", &own(&sandbox), "").json();
    assert_eq!(
        shown["notifications"][0]["headers"]["wechatpay-nonce"],
        one.headers["wechatpay-nonce"].to_str().unwrap()
    );
    assert_eq!(shown["notifications"][0]["body"].as_str().unwrap().as_bytes(), one.body);
}

#[test]
fn the_keys_change_on_demand() {
    let sandbox = start_sandbox();
    let keys = || control(&sandbox, "GET", "/_sandbox/keys", &own(&sandbox), "").json();
    let serials = |of: &str| -> Vec<String> {
        let list = keys()[of].as_array().unwrap().clone();
        list.iter().map(|key| key["serial"].as_str().unwrap().to_owned()).collect()
    };
    let first = keys();
    assert_eq!(serials("certificates"), [sandbox.platform_certificate_serial()]);
    assert_eq!(
        (&first["mode"], &first["signs"]),
        (&json!("migration"), &json!(sandbox.platform_certificate_serial()))
    );
    assert!(!first.to_string().contains("PRIVATE"));

    // By a rule: the second request, and it stays so. The response names the signer.
    let merchant = export(&sandbox);
    let signer = || get(&sandbox, &merchant, "/v3/x").header("Wechatpay-Serial").unwrap().to_string();
    sandbox.inject_rule("rotate-certificate nth=2".parse().unwrap()).unwrap();
    assert_eq!(signer(), sandbox.platform_certificate_serial());
    let second = signer();
    assert_eq!((signer(), serials("certificates").pop().unwrap()), (second.clone(), second.clone()));
    sandbox.inject(Fault::RotatePublicKey);
    let public = signer();
    assert_eq!(serials("public_keys"), [sandbox.platform_public_key_id(), public.as_str()]);

    // From outside.
    let post = |body: Value| control(&sandbox, "POST", "/_sandbox/keys", &own(&sandbox), &body.to_string());
    assert_eq!(post(json!({ "rotate": "certificate" })).status, 200);
    assert!(!serials("certificates")[..2].contains(&signer()));
    assert_eq!(post(json!({ "sign_with": second })).status, 200);
    assert_eq!(signer(), second);
    assert_eq!(post(json!({ "retire": second })).json()["certificates"].as_array().unwrap().len(), 2);
    assert_ne!(signer(), second);
    for wrong in [
        json!({ "rotate": "sideways" }),
        json!({ "retire": "NOBODY" }),
        json!({}),
        json!({ "sign_with": "" }),
    ] {
        assert_eq!(post(wrong).status, 400);
    }
    // A clock that goes wrong in the middle.
    sandbox.inject_rule("clock-skew=-400 nth=2".parse().unwrap()).unwrap();
    let status = || get(&sandbox, &merchant, "/v3/x").status;
    assert_eq!([status(), status(), status()], [200, 401, 401]);
}

#[test]
fn other_sites_cannot_control_it() {
    let sandbox = start_sandbox();
    let host = own(&sandbox);
    let origin = sandbox.base_url().trim_end_matches('/');
    let port = origin.rsplit(':').next().unwrap();
    let ask =
        |head: &str| control(&sandbox, "POST", "/_sandbox/faults", head, r#"{"fault":"cut-body"}"#).status;
    for head in [
        String::new(),
        "Host: evil.example\r\n".into(),
        format!("Host: evil.example:{port}\r\n"),
        "Host: 127.0.0.1\r\n".into(),
        format!("{host}{host}"),
        format!("{host}Origin: https://evil.example\r\n"),
        format!("{host}Origin: null\r\n"),
        format!("{host}Origin: \r\n"),
        format!("{host}Origin: http://127.0.0.1:1\r\n"),
        format!("{host}Origin: {origin}\r\nOrigin: http://evil.example\r\n"),
    ] {
        assert_eq!(ask(&head), 403, "{head}");
    }
    assert_eq!(hit(&sandbox, 2), [0; 0]);
    assert_eq!(ask(&format!("{host}Origin: {origin}\r\n")), 201);
    assert_eq!(ask(&format!("Host: localhost:{port}\r\nOrigin: http://localhost:{port}\r\n")), 201);
    // Reading is kept in the same way.
    assert_eq!(control(&sandbox, "GET", "/_sandbox/requests", "Host: evil.example\r\n", "").status, 403);
}
