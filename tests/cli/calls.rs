//! The program `wxpay` against the sandbox: verbs, bodies, previews, output, exit codes, configuration.

use std::io::{Read as _, Write as _};
use std::process::Stdio;

use serde_json::{Value, json};
use wechatpay_chain::sandbox::{Fault, SandboxResponse, Verdict};

use crate::program::{TestEnv, last, variables};

const ECHO: &str = "v3/security/echo";

#[test]
fn every_verb_sends_what_it_is_given() {
    let env = TestEnv::new();
    for verb in ["POST", "PUT", "PATCH", "DELETE"] {
        env.sandbox.on(verb, "v3/things/{id}", 200, json!({"verb": verb})).unwrap();
        let lower = verb.to_lowercase();
        let done = env.run(&[
            &lower,
            "v3/things/{id}",
            "--var",
            "id=a/b",
            "-q",
            "list[0]=茶 1",
            "-q",
            "x=1",
            "-q",
            "x=2",
            "-H",
            "Idempotency-Key:  k:1 ",
            "name=a.b=c",
            "/amount/total:=100",
            "/list/-=one",
        ]);
        assert_eq!(done.json(), json!({"verb": verb}));
        let seen = last(&env);
        assert_eq!(seen.verdict, Verdict::Accepted);
        assert_eq!(seen.target, "/v3/things/a%2Fb?list%5B0%5D=%E8%8C%B6%201&x=1&x=2");
        assert_eq!(seen.headers["idempotency-key"], "k:1");
        assert_eq!(&seen.body[..], br#"{"name":"a.b=c","amount":{"total":100},"list":["one"]}"#);
    }
    env.sandbox.on("GET", "v3/pay/transactions/id/{id}", 200, json!({"transaction_id": "4200"})).unwrap();
    let order = env.run(&[
        "get",
        "v3/pay/transactions/id/{transaction_id}",
        "--var",
        "transaction_id=4200",
        "-q",
        "mchid=1900000109",
    ]);
    assert_eq!(order.json()["transaction_id"], "4200");
    assert_eq!(last(&env).body.len(), 0);
}

#[test]
fn a_body_comes_from_an_argument_a_file_or_stdin_and_stays_as_it_is() {
    let env = TestEnv::new();
    env.sandbox.on("POST", "v3/any", 204, Value::Null).unwrap();
    let exact = "{\"n\": 1.10, \"big\":123456789012345678901234567890}";
    let file = env.file("body.json", format!("{exact}\n"));
    assert_eq!(env.run(&["post", "v3/any", "-d", exact]).ok(), "");
    assert_eq!(&last(&env).body[..], exact.as_bytes());
    env.run(&["post", "v3/any", "-d", &format!("@{file}")]).ok();
    assert_eq!(&last(&env).body[..], format!("{exact}\n").as_bytes());
    env.finish(env.wxpay().args(["post", "v3/any", "--data", "-"]).write_stdin("[1]")).ok();
    assert_eq!(&last(&env).body[..], b"[1]");
    // Fields are added to it; without any there is no body.
    env.run(&["post", "v3/any", "-d", r#"{"a":{"b":1}}"#, "/a/c=x"]).ok();
    assert_eq!(&last(&env).body[..], br#"{"a":{"b":1,"c":"x"}}"#);
    env.run(&["post", "v3/any"]).ok();
    assert_eq!(last(&env).body.len(), 0);
    env.run(&["post", "v3/any", "-d", "{}", "-H", "Content-Type: application/json;charset=utf-8"]).ok();
    assert_eq!(last(&env).headers["content-type"], "application/json;charset=utf-8");
}

#[test]
fn invalid_input_is_reported_and_nothing_is_sent() {
    let env = TestEnv::new();
    let not_json = env.file("bad.json", "{");
    let at_bad = format!("@{not_json}");
    for (arguments, part) in [
        (vec!["post", ECHO, "-d", "{"], "expected JSON"),
        (vec!["post", ECHO, "-d", ""], "expected JSON"),
        (vec!["post", ECHO, "-d", "@"], "file name after `@`"),
        (vec!["post", ECHO, "-d", "@/nowhere"], "cannot read"),
        (vec!["post", ECHO, "-d", &at_bad], "expected JSON"),
        (vec!["post", ECHO, "field"], "expected NAME=TEXT"),
        (vec!["post", ECHO, "amount.total:=1"], "write `amount[total]`"),
        (vec!["get", "v3/x", "a=b"], "NAME==VALUE"),
        (vec!["get", "v3/x", "-q", "a==b"], "one `=`"),
        (vec!["get", "v3/x", "-q", "a:=1"], "without `:=`"),
        (vec!["get", "v3/./x"], "`v3/./x` has the segment `.`"),
        (vec!["get", "/v3/../x"], "has the segment `..`"),
        (vec!["post", ECHO, "n:=x"], "expected JSON"),
        (vec!["post", ECHO, "-d", "[1]", "a=b"], "expected an array index"),
        (vec!["post", ECHO, "a=b", "--encrypt", "/c"], "matches nothing"),
        (vec!["post", ECHO, "--encrypt", "/c"], "matches nothing"),
        (vec!["get", "v3/{id}"], "id"),
        (vec!["get", "v3/P12345"], "P12345"),
        (vec!["get", "v3/P12345/"], "`--var name=VALUE`"),
        (vec!["get", "v3/{id}/x"], "`--var id=VALUE`"),
        (vec!["get", "v3/粤B1"], "`-q NAME=VALUE`"),
        (vec!["get", "v3//x"], "empty segment"),
        (vec!["get", "v3/x", "-q", "=1"], "NAME=VALUE"),
        (vec!["get", "v3/x", "-H", "nocolon"], "NAME: VALUE"),
        (vec!["get", "v3/x", "-H", "Authorization: x"], "is set by the client"),
        (vec!["get", "v3/x", "--retry", "4"], "at most 3"),
        (vec!["get", "v3/x", "--retry", "x"], "invalid value"),
        (vec!["get", "v3/x", "--timeout", "0"], "--timeout must be more than 0"),
        (vec!["get", "v3/x", "--timeout", "-1"], "--timeout"),
        (vec!["get", "v3/x", "--timeout", "nan"], "expected seconds"),
        (vec!["get", "v3/x", "--jq", ".["], "--jq: invalid jq filter `.[`"),
        (vec!["get", "v3/x", "--jq", "nope"], "`nope`"),
        (vec!["get", "v3/x", "--jq", "env"], "`env`"),
        (vec!["get", "v3/x", "--base-url", "ftp://x"], "--base-url must be an https://"),
        (vec!["get", "v3/x", "--save", "x", "--raw"], "cannot be used with"),
        (
            vec!["get", "v3/x", "--save", "/nowhere/x"],
            "`/nowhere/x`: cannot be created: its directory does not exist",
        ),
        (vec!["fetch", "v3/x"], "unrecognized subcommand"),
        (vec!["get", "v3/x", "--privatekey", "x"], "unexpected argument"),
        (vec![], "Usage"),
        (vec!["get", "v3/x", "--sandbox", "--profile", "x"], "cannot be used with"),
        (vec!["get", "v3/x", "--sandbox", "--base-url", "https://apihk.mch.weixin.qq.com"], "--dry-run"),
        (vec!["certs", "--sandbox", "--base-url", "https://apihk.mch.weixin.qq.com"], "--dry-run"),
        (vec!["doctor", "--sandbox", "--base-url", "https://apihk.mch.weixin.qq.com"], "--dry-run"),
    ] {
        let done = env.run(&arguments);
        done.fails(1, part);
    }
    assert!(env.sandbox.requests().is_empty());
}

#[test]
fn the_platforms_refusal_is_2_with_code_message_and_request_id() {
    let env = TestEnv::new();
    let done = env.run(&["post", ECHO, "-d", "{}"]);
    done.fails(2, "400 PARAM_ERROR: ");
    assert!(done.err.contains("Request-ID") && done.err.contains("detail: {"), "{}", done.err);

    let done = env.run(&["post", ECHO, "-d", "{}", "--json-errors"]);
    assert_eq!((done.code, done.out.as_str()), (Some(2), ""));
    let reported: Value = serde_json::from_str(&done.err).unwrap();
    assert_eq!(
        (&reported["error"], &reported["status"], &reported["code"]),
        (&json!("refused"), &json!(400), &json!("PARAM_ERROR"))
    );
    assert!(
        reported["request_id"].is_string() && reported["detail"].is_object() && reported["verified"] == true,
        "{reported}"
    );

    let done = env.run(&["post", "--json-errors", "--nope"]);
    done.fails(1, "unexpected argument");
    assert_eq!(serde_json::from_str::<Value>(&done.err).unwrap()["error"], "usage");

    // Not the platform's own word: an exit code of its own, below.
    env.sandbox.on("GET", "v3/forbidden", 403, json!({"code": "NO_AUTH", "message": "no"})).unwrap();
    env.run(&["get", "v3/forbidden"]).fails(2, "NO_AUTH");
    for (status, code) in [(401, "SIGN_ERROR"), (404, "ORDER_NOT_EXIST")] {
        env.sandbox.on("POST", "v3/no", status, json!({"code": code, "message": "no"})).unwrap();
        env.run(&["post", "v3/no", "a=1"]).fails(2, code);
    }
}

#[test]
fn verification_and_decryption_are_4() {
    let env = TestEnv::new();
    for (fault, part) in [
        (Fault::BadSignature, "does not match"),
        (Fault::UnknownSerial, "no platform key"),
        (Fault::MissingHeader("Wechatpay-Nonce".into()), "Wechatpay-Nonce"),
        (Fault::OldTimestamp, "300 s"),
        (Fault::SignatureProbe, "SIGNTEST"),
        (Fault::WrongBody, "does not match"),
    ] {
        env.sandbox.inject(fault);
        env.run(&["post", ECHO, "echo_message=x"]).fails(4, part);
    }
    env.sandbox.on("GET", "v3/secret", 200, json!({"name": "bm90IGVuY3J5cHRlZA=="})).unwrap();
    env.run(&["get", "v3/secret", "--decrypt", "/name"]).fails(4, "cannot be decrypted");
}

#[test]
fn fields_are_encrypted_and_decrypted() {
    let env = TestEnv::new();
    env.sandbox.on("POST", "v3/receivers", 204, Value::Null).unwrap();
    env.run(&["post", "v3/receivers", "/names/-=张三", "/names/-=李四", "--encrypt", "/names/*"]).ok();
    let seen = last(&env);
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    let serial = seen.headers["wechatpay-serial"].to_str().unwrap();
    let opened = |at: usize| env.sandbox.decrypt(serial, body["names"][at].as_str().unwrap());
    assert_eq!((opened(0).as_deref(), opened(1).as_deref()), (Some("张三"), Some("李四")));

    let secret = env.sandbox.encrypt("王五").unwrap();
    env.sandbox.on("GET", "v3/receivers", 200, json!({"list": [{"name": secret}]})).unwrap();
    let done =
        env.run(&["get", "v3/receivers", "--decrypt", "/list/*/name", "--jq", ".list[].name", "--raw"]);
    assert_eq!(done.ok(), "王五\n");
}

#[test]
fn output_is_json_with_its_digits_or_the_bytes_as_they_are() {
    let env = TestEnv::new();
    let exact = "{ \"n\": 1.10, \"big\": 123456789012345678901234567890, \"t\": \"\\u8336\" }\n";
    env.sandbox
        .on_with("GET", "v3/exact", SandboxResponse::new(200).body("application/json", exact))
        .unwrap();
    env.sandbox
        .on_with("GET", "v3/text", SandboxResponse::new(200).body("text/plain", "\u{feff}a,b\r\n"))
        .unwrap();
    assert_eq!(
        env.run(&["get", "v3/exact"]).ok(),
        "{\"n\":1.10,\"big\":123456789012345678901234567890,\"t\":\"茶\"}\n"
    );
    assert_eq!(env.run(&["get", "v3/exact", "--raw"]).ok(), exact);
    assert_eq!(env.run(&["get", "v3/exact", "--jq", ".t,.n"]).ok(), "\"茶\"\n1.10\n");
    assert_eq!(env.run(&["get", "v3/exact", "--jq", ".t,.n", "--raw"]).ok(), "茶\n1.10\n");
    let coloured = env.run(&["get", "v3/exact", "--color", "always"]);
    assert!(coloured.ok().starts_with("\u{1b}[") && coloured.out.contains("\n  "), "{coloured:?}");
    // Nested too deeply: an error, not a stack overflow.
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    env.sandbox.on_with("GET", "v3/deep", SandboxResponse::new(200).body("application/json", deep)).unwrap();
    env.run(&["get", "v3/deep"]).fails(4, "nested too deeply");
    assert_eq!(env.run(&["get", "v3/text"]).ok(), "\u{feff}a,b\r\n");
    env.run(&["get", "v3/text", "--jq", "."]).fails(1, "not JSON");

    let done = env.run(&["get", "v3/exact", "-i"]);
    let (head, body) = done.ok().split_once("\n\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\n") && head.contains("\nrequest-id: "), "{head}");
    assert!(body.starts_with("{\"n\":1.10"), "{body}");
    env.sandbox.on("DELETE", "v3/exact", 204, Value::Null).unwrap();
    assert!(env.run(&["delete", "v3/exact", "--include"]).ok().starts_with("HTTP/1.1 204 No Content\n"));
}

#[test]
fn a_retry_is_made_when_the_platform_asks_for_it() {
    let env = TestEnv::new();
    env.sandbox.on("POST", "v3/busy", 429, json!({"code": "FREQUENCY_LIMITED", "message": "later"})).unwrap();
    env.run(&["post", "v3/busy", "--retry", "1"]).fails(3, "FREQUENCY_LIMITED");
    assert_eq!(env.sandbox.requests().len(), 2);
}

#[test]
fn a_pipe_that_is_closed_early_ends_it_quietly() {
    let env = TestEnv::new();
    // More than the buffer of a pipe.
    let large: Vec<_> = (0..40_000).map(|n| json!({"n": n})).collect();
    env.sandbox.on("GET", "v3/large", 200, json!(large)).unwrap();
    for arguments in
        [&["get", "v3/large", "--jq", ".[]"][..], &["get", "v3/large", "--raw"], &["get", "v3/large"]]
    {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_wxpay"))
            .args(arguments)
            .env_clear()
            .envs(variables(&env.sandbox))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0; 16];
        child.stdout.take().unwrap().read_exact(&mut first).unwrap(); // and it is dropped
        let done = child.wait_with_output().unwrap();
        assert_eq!(
            (done.status.code(), String::from_utf8_lossy(&done.stderr).as_ref()),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
    // Output that cannot be written is an error, unlike a reader that has gone.
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    if let Ok(full) = full {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_wxpay"));
        let done = command
            .args(["man"])
            .stdout(full)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap();
        assert_eq!(done.status.code(), Some(1));
    }
}

#[test]
fn a_closed_stderr_does_not_change_the_exit_code() {
    let env = TestEnv::new();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_wxpay"))
        .args(["post", ECHO, "-d", "-"])
        .env_clear()
        .envs(variables(&env.sandbox))
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    child.stdin.take().unwrap().write_all(b"{}").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
}
