//! The record of each request: what came, what was sent, which fault hit; and which requests can be hit at all.

use std::{io::Write, time::Duration};

use serde_json::{Value, json};
use wechatpay_chain::sandbox::{
    EndpointKind, Fault, Sandbox, SandboxResponse, Seen, SeenRequest, Sent, SignatureVerdict, Verdict,
};

use crate::raw_http::*;
use crate::support::{has, sandbox_builder, start_sandbox};

const ECHO: &str = "/v3/security/echo";
const CERTIFICATES: &str = "/v3/certificates";

fn ask(sandbox: &Sandbox, path: &str) -> Value {
    let host = sandbox.base_url().trim_start_matches("http://").trim_end_matches('/');
    send_bytes(sandbox, format!("GET /_sandbox/{path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())
        .unwrap()
        .json()
}

fn last(sandbox: &Sandbox) -> SeenRequest {
    sandbox.requests().pop().unwrap()
}

/// The record, once the sandbox knows how it ended.
fn ended(sandbox: &Sandbox) -> SeenRequest {
    loop {
        match last(sandbox) {
            seen if seen.response.sent == Sent::Pending => std::thread::sleep(Duration::from_millis(5)),
            seen => return seen,
        }
    }
}

#[test]
fn a_record_has_what_the_client_got() {
    if !has("openssl") {
        return;
    }
    let sandbox = start_sandbox();
    let keys = export(&sandbox);
    let reply = post(&sandbox, &keys, ECHO, r#"{"echo_message":"x"}"#);
    let seen = last(&sandbox);
    assert_eq!((seen.number, seen.response.status, seen.response.sent), (1, 200, Sent::Whole));
    assert_eq!((seen.signature, seen.endpoint), (SignatureVerdict::Valid, EndpointKind::Modelled));
    assert_eq!(seen.response.request_id(), reply.header("Request-ID"));
    assert_eq!((&seen.response.body[..], seen.response.body_length), (&reply.body[..], reply.body.len()));
    assert!(seen.duration > Duration::ZERO && seen.duration < Duration::from_secs(5));

    let json = &ask(&sandbox, "requests")["requests"][0];
    assert_eq!(json["verdict"], json!({ "accepted": true }));
    assert_eq!((&json["number"], &json["signature"]), (&json!(1), &json!("valid")));
    assert_eq!((&json["endpoint"], &json["faults"]), (&json!("modelled"), &json!([])));
    let response = &json["response"];
    assert_eq!(response["status"], 200);
    assert_eq!(response["request_id"], reply.header("Request-ID").unwrap());
    assert_eq!(response["body"].as_str().unwrap().as_bytes(), reply.body);
    assert_eq!((&response["body_cut"], &response["sent"]), (&json!(false), &json!("whole")));
    assert_eq!(response["headers"]["wechatpay-signature"], reply.header("Wechatpay-Signature").unwrap());
    assert_eq!(json["request"]["body"], r#"{"echo_message":"x"}"#);
    assert_eq!(
        (&json["request"]["headers"]["accept"], &json["request"]["headers"]["authorization"]),
        (&json!("application/json"), &Value::Null)
    );
    assert!(json["duration_ms"].as_f64().unwrap() > 0.0);

    // A large response is kept and shown in part, and says so.
    sandbox.on("GET", "v3/large", 200, json!({ "text": "中".repeat(30_000) })).unwrap();
    assert_eq!(get(&sandbox, &keys, "/v3/large").body.len(), 90_011);
    let seen = last(&sandbox);
    assert_eq!((seen.response.body.len(), seen.response.body_length), (64 << 10, 90_011));
    let json = &ask(&sandbox, "requests")["requests"][0];
    assert_eq!(
        (&json["response"]["body_length"], &json["response"]["body_cut"]),
        (&json!(90_011), &json!(true))
    );
    assert!(json["response"]["body"].as_str().unwrap().starts_with(r#"{"text":"中"#));
    assert_eq!(json["endpoint"], "scripted");
}

#[test]
fn accepted_means_that_the_right_response_arrived() {
    if !has("openssl") {
        return;
    }
    let sandbox = start_sandbox();
    let keys = export(&sandbox);
    for (fault, status, sent) in [
        ("rate-limited=1", 429, Sent::Whole),
        ("html-bad-gateway", 502, Sent::Whole),
        ("system-error-after-executing", 500, Sent::Whole),
        ("bad-signature", 200, Sent::Whole),
        ("unknown-serial", 200, Sent::Whole),
        ("missing-header=Wechatpay-Nonce", 200, Sent::Whole),
        ("missing-header=Request-ID", 200, Sent::Whole),
        ("old-timestamp", 200, Sent::Whole),
        ("signature-probe", 200, Sent::Whole),
        ("wrong-body", 200, Sent::Whole),
        ("cut-body", 200, Sent::Cut),
        ("cut-connection", 200, Sent::Nothing),
    ] {
        sandbox.inject(fault.parse().unwrap());
        try_send(&sandbox, &keys, &Plan::new(&sandbox, "GET", CERTIFICATES, ""));
        let seen = ended(&sandbox);
        assert_eq!(
            (&seen.verdict, seen.response.status, seen.response.sent),
            (&Verdict::Disturbed, status, sent),
            "{fault}"
        );
        assert_eq!(seen.faults, [fault.parse().unwrap()]);
        assert!(seen.passed() && seen.to_string().contains(&format!("fault {fault}")), "{seen}");
        let json = &ask(&sandbox, "requests?limit=1")["requests"][0];
        assert_eq!(json["verdict"], json!({ "accepted": false, "disturbed": true }));
        assert_eq!(json["faults"], json!([fault]));
    }
    // These change nothing that the client must refuse.
    for fault in ["delay=20", "rotate-certificate", "clock-skew=0"] {
        sandbox.inject(fault.parse().unwrap());
        assert_eq!(get(&sandbox, &keys, CERTIFICATES).status, 200);
        assert_eq!((last(&sandbox).verdict, last(&sandbox).faults.len()), (Verdict::Accepted, 1), "{fault}");
    }
    // There is no signature to damage: the fault waits for one.
    let image = SandboxResponse::new(200).body("image/png", &b"\x89PNG"[..]);
    sandbox.on_with("GET", "v3/merchant-service/images/{id}", image).unwrap();
    sandbox.inject(Fault::BadSignature);
    assert_eq!(get(&sandbox, &keys, "/v3/merchant-service/images/7").status, 200);
    assert_eq!((last(&sandbox).verdict, last(&sandbox).faults), (Verdict::Accepted, vec![]));
    assert_eq!(last(&sandbox).response.status, 200);
    // A client that gets no refusal that it can trust has none, whatever the sandbox wanted to say.
    for (fault, status) in [(None, 400), (Some("html-bad-gateway"), 502), (Some("cut-body"), 400)] {
        if let Some(fault) = fault {
            sandbox.inject(fault.parse().unwrap());
        }
        try_send(&sandbox, &keys, &Plan::new(&sandbox, "POST", ECHO, "{}"));
        let seen = ended(&sandbox);
        assert_eq!((&seen.verdict, seen.response.status), (&Verdict::Disturbed, status), "{seen}");
        assert_eq!((seen.faults.len(), seen.passed()), (1, false), "{seen}");
    }
    assert_eq!(post(&sandbox, &keys, ECHO, "{}").status, 400);
    assert!(matches!(last(&sandbox).verdict, Verdict::Refused { status: 400, .. }));
}

#[test]
fn a_script_that_forges_a_response_is_a_disturbance() {
    if !has("openssl") {
        return;
    }
    let sandbox = start_sandbox();
    let keys = export(&sandbox);
    // An unsigned image is what the platform sends.
    let scripted = || SandboxResponse::new(200).json(json!({ "trade_state": "SUCCESS" }));
    for (path, response, verdict) in [
        ("v3/forged/a", scripted().unsigned(), Verdict::Disturbed),
        ("v3/forged/b", scripted().header("Wechatpay-Signature", "AAAA"), Verdict::Disturbed),
        ("v3/forged/c", scripted().header("wechatpay-serial", "1"), Verdict::Disturbed),
        ("v3/merchant-service/images/8", scripted().unsigned(), Verdict::Accepted),
        ("v3/fine", scripted().header("X-Odd", "1"), Verdict::Accepted),
    ] {
        sandbox.on_with("GET", path, response).unwrap();
        let reply = get(&sandbox, &keys, &format!("/{path}"));
        assert_eq!(last(&sandbox).verdict, verdict, "{path}");
        let named = reply.header("Wechatpay-Serial") == Some(sandbox.platform_certificate_serial());
        let right = named && reply.verifies(&keys);
        assert_eq!(right, path == "v3/fine", "{path}");
    }
}

#[test]
fn a_client_that_leaves_was_not_answered() {
    if !has("openssl") {
        return;
    }
    let sandbox = start_sandbox();
    let keys = export(&sandbox);
    sandbox.inject(Fault::Delay(Duration::from_secs(60)));
    let plan = Plan::new(&sandbox, "GET", CERTIFICATES, "");
    let mut stream = connect(&sandbox);
    stream.write_all(&plan.bytes(&plan.authorization(&keys))).unwrap();
    while sandbox.requests().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let seen = last(&sandbox);
    assert_eq!((seen.response.sent, seen.response.status), (Sent::Pending, 200));
    drop(stream);
    let seen = ended(&sandbox);
    assert_eq!((seen.response.sent, &seen.verdict), (Sent::ClientLeft, &Verdict::Disturbed));
    assert!(seen.to_string().contains("the client closed the connection"), "{seen}");
}

#[test]
fn only_the_merchants_own_requests_use_up_faults() {
    if !has("openssl") {
        return;
    }
    let sandbox = start_sandbox();
    let keys = export(&sandbox);
    sandbox.inject(Fault::HtmlBadGateway);
    sandbox.inject_rule("delay=1 nth=1".parse().unwrap()).unwrap();
    let port = sandbox.base_url().rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
    let raw = |head: &str, body: &str| {
        let head =
            format!("{head}\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        send_bytes(&sandbox, head.as_bytes()).unwrap().status
    };
    // What a web page can send: a form, a link, a picture, a preflight.
    let origin = "Origin: https://evil.example";
    for head in [
        &format!("POST /v3/pay/transactions/native HTTP/1.1\r\n{origin}\r\nContent-Type: text/plain"),
        "GET /v3/certificates HTTP/1.1\r\nAccept: */*\r\nUser-Agent: a browser",
        "GET /favicon.ico HTTP/1.1",
        "GET /v3/new-tax-control-fapiao/download?token=x HTTP/1.1",
        &format!("OPTIONS /v3/pay/transactions/native HTTP/1.1\r\n{origin}"),
        "GET /v3/x HTTP/1.1\r\nAuthorization: Basic Og==",
    ] {
        raw(head, "");
        assert!(last(&sandbox).faults.is_empty(), "{head}");
    }
    for path in ["requests", "faults", "none"] {
        raw(&format!("GET /_sandbox/{path} HTTP/1.1"), "");
    }
    raw("GET / HTTP/1.1", "");
    raw(&format!("POST /_sandbox/ HTTP/1.1\r\n{origin}"), "do=skew");
    // A wrong signature, and a body that is too large.
    let mut bent = Plan::new(&sandbox, "GET", "/v3/x", "");
    let authorization = bent.authorization(&keys);
    bent.target = "/v3/y".into();
    assert_eq!(send_bytes(&sandbox, &bent.bytes(&authorization)).unwrap().status, 401);
    let seen = last(&sandbox);
    assert_eq!((seen.signature, seen.faults.len()), (SignatureVerdict::Invalid, 0));
    assert!(seen.diagnosis().is_some());
    assert_eq!(post(&sandbox, &keys, ECHO, &"x".repeat((8 << 20) + 1)).status, 413);
    assert_eq!(last(&sandbox).signature, SignatureVerdict::NotChecked);
    assert_eq!(ask(&sandbox, "faults")["rules"][0]["matched"], 0);

    let number = last(&sandbox).number + 1;
    assert_eq!(get(&sandbox, &keys, CERTIFICATES).status, 502);
    assert_eq!((last(&sandbox).faults.len(), last(&sandbox).number), (2, number));

    // They stay visible: how often, when, by which request.
    let faults = ask(&sandbox, "faults");
    assert_eq!((&faults["rules"], &faults["queue"]), (&json!([]), &json!([])));
    let [rule, queued] = faults["spent"].as_array().unwrap().as_slice() else { panic!("{faults}") };
    assert_eq!((&queued["rule"], &queued["queued"]), (&json!("html-bad-gateway"), &json!(true)));
    assert_eq!((&rule["rule"], &rule["queued"]), (&json!("delay=1 nth=1"), &json!(false)));
    for spent in [queued, rule] {
        assert_eq!((&spent["hits"], &spent["newest_hits"][0]["request"]), (&json!(1), &json!(number)));
        assert!((spent["newest_hits"][0]["at"].as_f64().unwrap() - now() as f64).abs() < 5.0);
    }
    sandbox.clear_faults();
    assert_eq!(ask(&sandbox, "faults")["spent"], json!([]));
}

#[test]
fn a_clock_that_was_set_wrong_by_a_fault_can_be_set_right_by_one() {
    if !has("openssl") {
        return;
    }
    let sandbox = start_sandbox();
    let keys = export(&sandbox);
    sandbox.inject_rule("clock-skew=-400 nth=2".parse().unwrap()).unwrap();
    sandbox.inject_rule("clock-skew=0 nth=4".parse().unwrap()).unwrap();
    let status = || get(&sandbox, &keys, CERTIFICATES).status;
    assert_eq!([status(), status(), status(), status(), status()], [200, 401, 401, 200, 200]);
    // The signature was right all the time.
    assert!(sandbox.requests().iter().all(|seen| seen.signature == SignatureVerdict::Valid));
}

#[test]
fn an_endpoint_that_is_not_modelled_is_marked() {
    if !has("openssl") {
        return;
    }
    let sandbox = start_sandbox();
    let keys = export(&sandbox);
    sandbox.on("GET", "v3/scripted", 200, json!({})).unwrap();
    for (target, endpoint) in [
        ("/v3/scripted", EndpointKind::Scripted),
        (CERTIFICATES, EndpointKind::Modelled),
        ("/hk/v3/certificates", EndpointKind::Modelled),
        ("/v3/security/echo", EndpointKind::Modelled), // 405
        ("/v3/fund-app/operation/mch-transfer/transfer-bills", EndpointKind::NotModelled),
        ("/v3/applyment4sub/applyment", EndpointKind::NotModelled),
        ("/elsewhere", EndpointKind::NotModelled),
    ] {
        let reply = get(&sandbox, &keys, target);
        let seen = last(&sandbox);
        assert_eq!(seen.endpoint, endpoint, "{target}");
        let marked = endpoint == EndpointKind::NotModelled;
        assert_eq!(seen.to_string().contains("not modelled"), marked, "{seen}");
        assert_eq!(reply.header("Sandbox-Not-Modelled").is_some(), marked && reply.status == 200, "{target}");
    }
    // A wrong signature does not hide it.
    assert_eq!(send_bytes(&sandbox, b"GET /v3/mistyped HTTP/1.1\r\nHost: x\r\n\r\n").unwrap().status, 401);
    assert_eq!(ask(&sandbox, "requests")["requests"][0]["endpoint"], "not_modelled");
}

#[test]
fn a_line_shows_no_control_characters_and_no_secrets() {
    if !has("openssl") {
        return;
    }
    let sandbox = start_sandbox();
    let keys = export(&sandbox);
    let odd = json!({ "code": "X\u{1b}[31m", "message": "a\r\nb\u{7f}\u{202e}" });
    sandbox.on("GET", "v3/odd", 404, odd).unwrap();
    let plan = Plan::new(&sandbox, "GET", "/v3/odd?x=%1b[2J", "");
    send(&sandbox, &keys, &plan);
    let line = last(&sandbox).to_string();
    assert!(line.starts_with("#1 GET /v3/odd?x=%1b[2J 404 X"), "{line}");
    assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
    let all = format!("{line} {:?} {}", last(&sandbox), ask(&sandbox, "requests"));
    for secret in [plan.signature(&keys), sandbox.apiv3_key().into()] {
        assert!(!all.contains(&secret), "{all}");
    }
    // A key that was sent by mistake.
    let key: String = sandbox.merchant_key_pem().lines().nth(1).unwrap().into();
    get(&sandbox, &keys, &format!("/v3/odd?key={key}"));
    assert!(!last(&sandbox).to_string().contains(&key), "{}", last(&sandbox));
}

/// The names of the members, without those of the headers, which depend on the client.
fn names(json: &Value) -> Value {
    let Value::Object(members) = json else { return Value::Null };
    members
        .iter()
        .map(|(name, value)| (name.clone(), if name == "headers" { Value::Null } else { names(value) }))
        .collect()
}

#[test]
fn the_documents_show_the_record_as_it_is() {
    if !has("openssl") {
        return;
    }
    let sandbox = start_sandbox();
    let keys = export(&sandbox);
    sandbox.inject_rule("rate-limited=1 nth=1".parse().unwrap()).unwrap();
    post(&sandbox, &keys, ECHO, r#"{"echo_message":"茶"}"#);
    let record = ask(&sandbox, "requests")["requests"][0].clone();
    let spent = ask(&sandbox, "faults")["spent"][0].clone();
    for file in ["sandbox.md", "sandbox.zh-CN.md"] {
        let text = std::fs::read_to_string(format!("{}/docs/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let blocks = text.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
        let shown: Vec<Value> = blocks.filter_map(|block| serde_json::from_str(block).ok()).collect();
        let shown = |member: &str| shown.iter().find(|json| json.get(member).is_some()).unwrap();
        let documented = shown("duration_ms");
        assert_eq!(names(documented), names(&record), "{file}");
        for member in ["verdict", "signature", "endpoint", "faults", "signed_message_length"] {
            assert_eq!(documented[member], record[member], "{file}");
        }
        for member in ["status", "sent", "body", "body_length", "body_cut"] {
            assert_eq!(documented["response"][member], record["response"][member], "{file}");
        }
        let documented = shown("newest_hits");
        assert_eq!(names(documented), names(&spent), "{file}");
        assert_eq!((&documented["rule"], &documented["hits"]), (&spent["rule"], &spent["hits"]), "{file}");
    }
}

#[test]
fn a_watcher_sees_requests_and_notifications() {
    let (sender, seen) = std::sync::mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let sandbox = sandbox_builder()
        .watch(move |seen| {
            let line = match seen {
                Seen::Request(request) => request.to_string(),
                Seen::Notification(notification) => notification.to_string(),
                _ => return,
            };
            sender.lock().unwrap().send(line).unwrap();
        })
        .start()
        .unwrap();
    let wx = sandbox.client().unwrap();
    let next = || seen.recv_timeout(Duration::from_secs(20)).unwrap();
    // It is told before the client has the response.
    wx["v3/certificates"].get_sync().unwrap();
    assert!(seen.try_recv().unwrap().starts_with("#1 GET /v3/certificates 200 accepted, "));
    sandbox.notify("http://192.0.2.1/", "REFUND.SUCCESS", "refund", &json!({}));
    let line = next();
    assert!(line.starts_with("notification REFUND.SUCCESS to http://192.0.2.1/, not sent: "), "{line}");
}

#[test]
fn a_watcher_that_panics_changes_nothing() {
    let sandbox = sandbox_builder().watch(|_| panic!("a mistake of the caller")).start().unwrap();
    let wx = sandbox.client().unwrap();
    for _ in 0..2 {
        wx["v3/certificates"].get_sync().unwrap();
    }
    sandbox.notify("http://192.0.2.1/", "REFUND.SUCCESS", "refund", &json!({}));
    while !sandbox.notifications()[0].is_done() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!((sandbox.requests().len(), last(&sandbox).verdict), (2, Verdict::Accepted));
}
