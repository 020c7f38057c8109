//! `-v` and `-vv`: what is sent and received, on stderr, without secrets.

use std::net::TcpListener;

use serde_json::{Value, json};
use wechatpay_chain::sandbox::Fault;

use crate::program::{Done, TestEnv, last, wxpay};

const ECHO: &str = "v3/security/echo";

#[test]
fn v_shows_each_request_and_who_calls() {
    let env = TestEnv::new();
    let host = env.sandbox.base_url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let done = env.run(&["post", ECHO, "echo_message=x", "-v"]);
    assert_eq!((done.code, done.out.as_str()), (Some(0), "{\"echo_message\":\"x\"}\n"));
    let lines: Vec<_> = done.err.lines().collect();
    let mchid = env.sandbox.mchid();
    assert_eq!(lines[0], format!("* calling {host} as {mchid} (the environment)"));
    assert_eq!(lines[1..3], [format!("> POST /{ECHO} HTTP/1.1"), format!("> host: {host}")]);
    let id = lines[4].strip_prefix("< request-id: ").unwrap();
    assert_eq!(lines[3], "< HTTP/1.1 200");
    let end = lines[5].strip_prefix(&format!("* POST {ECHO}: 1 attempt in ")).unwrap();
    assert!(end.ends_with(&format!(" ms, Request-ID {id}")), "{end}");
    assert_eq!(lines.len(), 6, "{done:?}");
    // Values are in the line that was sent, not in the template.
    let done = env.run(&["-v", "get", "v3/certificates/{id}", "--var", "id=茶", "-q", "a=b c"]);
    assert!(done.err.contains("\n> GET /v3/certificates/%E8%8C%B6?a=b%20c HTTP/1.1\n"), "{done:?}");
    // Nothing without it, and nothing of a preview.
    env.run(&["post", ECHO, "echo_message=x"]).ok();
    assert_eq!(env.run(&["post", ECHO, "echo_message=x", "--dry-run", "-vv"]).err, "");
}

#[test]
fn every_command_that_sends_says_who_calls() {
    let env = TestEnv::new();
    let day = env.paid_day();
    let file = env.file("a.jpg", b"\xff\xd8\xff\xd9");
    let calls = env.file("calls.jsonl", r#"{"method":"GET","path":"v3/certificates"}"#);
    let bill = env.path("bill.csv");
    for arguments in [
        &["get", "v3/certificates"][..],
        &["get", "v3/certificates", "-o", &bill],
        &["upload", &file, "v3/merchant/media/upload"],
        &["bill", &day, "-o", &bill],
        &["batch", &calls],
        &["certs"],
    ] {
        let done = env.run(&[arguments, &["-v"]].concat());
        assert_eq!(done.code, Some(0), "{done:?}");
        let first = done.err.lines().next().unwrap();
        assert!(first.starts_with("* calling 127.0.0.1:"), "{arguments:?}: {first}");
        assert!(
            done.err.contains("\n> ") && done.err.contains("\n< HTTP/1.1 200\n"),
            "{arguments:?}: {done:?}"
        );
        // A line that ends each request.
        let count = |is: fn(&str) -> bool| done.err.lines().filter(|line| is(line)).count();
        let begun = count(|line| line.starts_with("> ") && line.ends_with(" HTTP/1.1"));
        let ended = count(|line| line.contains(": 1 attempt in ") && line.contains(" ms, Request-ID "));
        assert_eq!((begun > 0, ended), (true, begun), "{arguments:?}: {done:?}");
    }
    let sandboxed =
        Done::of(wxpay(env.home.path()).args(["--sandbox", "post", ECHO, "echo_message=x", "-v"]));
    assert!(sandboxed.err.starts_with("* calling 127.0.0.1:"), "{sandboxed:?}");
    assert!(sandboxed.err.lines().next().unwrap().ends_with(" (the sandbox)"), "{sandboxed:?}");
    assert!(!sandboxed.err.contains("verdict"), "the sandbox's side: {sandboxed:?}");
}

#[test]
fn attempts_and_failures_show() {
    let env = TestEnv::new();
    env.sandbox.on("GET", "v3/busy", 429, json!({"code": "FREQUENCY_LIMITED", "message": "later"})).unwrap();
    let done = env.run(&["get", "v3/busy", "--retry", "1", "-v"]);
    done.fails(3, "* GET v3/busy: 2 attempts in ");
    assert_eq!(done.err.matches("> GET /v3/busy HTTP/1.1").count(), 2, "{done:?}");
    assert!(done.err.contains("trying again, code: FREQUENCY_LIMITED"), "{done:?}");
    assert!(done.err.lines().last().unwrap().starts_with("wxpay: hint: "), "{done:?}");
    // No connection at all.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let done = env.run(&["get", "v3/x", "-v", "--base-url", &format!("http://{closed}/")]);
    done.fails(3, &format!("* calling {closed} as "));
    assert!(!done.err.contains("\n< "), "{done:?}");
    // A response that cannot be verified.
    env.sandbox.inject(Fault::BadSignature);
    env.run(&["post", ECHO, "echo_message=x", "-v"]).fails(4, "\n< HTTP/1.1 200\n");
}

#[test]
fn vv_shows_headers_and_bodies_without_secrets() {
    let env = TestEnv::new();
    let secret = env.sandbox.apiv3_key().to_owned();
    let field = format!("echo_message=茶 {secret}");
    // `run` fails if a secret of the merchant shows; here it does on stdout, since the platform echoes it.
    let done = Done::of(env.wxpay().args(["post", ECHO, &field, "-vv", "-H", "Idempotency-Key: K1"]));
    assert_eq!(done.code, Some(0), "{done:?}");
    let seen = last(&env);
    let authorization = seen.headers["authorization"].to_str().unwrap();
    let signature = authorization.split("signature=\"").nth(1).unwrap().split('"').next().unwrap();
    for hidden in [secret.as_str(), signature, "nonce_str"] {
        assert!(!done.err.contains(hidden), "{hidden} in {done:?}");
    }
    for line in [
        "> authorization: …",
        "> idempotency-key: K1",
        "> content-type: application/json",
        "> {\"echo_message\":\"茶 …\"}",
        "< wechatpay-signature: …",
        "< content-type: application/json; charset=utf-8",
        "< {\"echo_message\":\"茶 …\"}",
    ] {
        assert!(done.err.lines().any(|found| found == line), "{line} is not in {}", done.err);
    }
    // A body in the clear is personal data: it is only shown with -vv.
    let done = env.run(&["post", ECHO, "echo_message=茶", "-v"]);
    assert!(!done.err.contains('茶') && !done.err.contains("content-type"), "{done:?}");
    // The body of an error, whatever it is; a terminal does not obey it.
    env.sandbox.inject(Fault::HtmlBadGateway);
    env.run(&["get", "v3/x", "-vv"]).is(3, "\n< <html>");
    let bad = "\u{1b}[2J\nwxpay: done";
    env.sandbox.on("GET", "v3/bad", 400, json!({"code": "A", "message": bad})).unwrap();
    let done = env.run(&["get", "v3/bad", "-vv", "--json-errors"]);
    assert!(!done.err.contains('\u{1b}') && !done.err.contains("\nwxpay: done"), "{done:?}");
    let error: Value = serde_json::from_str(done.err.lines().last().unwrap()).unwrap();
    assert_eq!(error["code"], "A");
}
