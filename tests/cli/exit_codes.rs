//! The program `wxpay`: the exit codes of a single call, which tell a queue what to do.

use std::net::TcpListener;

use serde_json::{Value, json};
use wechatpay_chain::sandbox::{Fault, SandboxResponse};

use crate::docs::{blocks, document};
use crate::program::{Done, TestEnv, variables};

/// A response that no platform key signed, such as a proxy's.
fn unsigned(status: u16, content_type: &str, body: &str) -> SandboxResponse {
    SandboxResponse::new(status).body(content_type, body.to_owned()).unsigned()
}

#[test]
fn what_may_be_repeated_is_3_and_a_write_whose_result_is_unknown_is_5() {
    let env = TestEnv::new();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let base_url = format!("http://{closed}/");
    let second = std::time::Duration::from_secs(1);
    let error = json!({"code": "SYSTEM_ERROR", "message": "later"});
    let limited = json!({"code": "RATELIMIT_EXCEEDED", "message": "later"});
    for verb in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        env.sandbox.on(verb, "v3/error", 500, error.clone()).unwrap();
        env.sandbox.on(verb, "v3/limited", 403, limited.clone()).unwrap();
        env.sandbox.on_with(verb, "v3/html", unsigned(502, "text/html", "<html>")).unwrap();
        env.sandbox.on(verb, "v3/slow", 200, json!({})).unwrap();
        env.sandbox.on(verb, "v3/large", 200, json!({"a": "x".repeat(9 << 20)})).unwrap();
        let code = if verb == "GET" { 3 } else { 5 };
        let run = |arguments: &[&str]| env.run(&[&[verb], arguments].concat());
        run(&["v3/error"]).fails(code, "SYSTEM_ERROR");
        run(&["v3/html"]).fails(code, "502");
        env.sandbox.inject(Fault::CutConnection);
        // A GET is made once more on a new connection.
        env.sandbox.inject(Fault::CutConnection);
        run(&["v3/slow"]).fails(code, "may have received");
        env.sandbox.clear_faults();
        if matches!(verb, "GET" | "POST") {
            env.sandbox.inject(Fault::Delay(5 * second));
            let slow = run(&["v3/slow", "--timeout", "1.5"]);
            slow.fails(code, "within 1.5s");
            assert_eq!(slow.err.contains("wxpay: hint: query it by its order"), code == 5, "{slow:?}");
        }
        let reported = run(&["v3/error", "--json-errors"]);
        let reported: Value = serde_json::from_str(&reported.err).unwrap();
        assert_eq!(reported["error"], if code == 5 { "unknown" } else { "transport" });
        // Carried out, and too large to be shown: a GET would meet the limit again.
        run(&["v3/large"]).fails(if code == 5 { 5 } else { 1 }, "larger than");
        // Certainly not carried out.
        run(&["v3/limited"]).fails(3, "RATELIMIT_EXCEEDED");
        let done = run(&["v3/x", "--base-url", &base_url, "--json-errors"]);
        done.fails(3, r#""maybe_sent":false"#);
    }
    let file = env.file("a.jpg", "x");
    env.run(&["upload", &file, "v3/error"]).fails(5, "SYSTEM_ERROR");
    env.run(&["upload", &file, "v3/error", "--base-url", &base_url]).fails(3, "nothing was sent");
}

#[test]
fn what_is_not_the_platforms_word_is_4() {
    let env = TestEnv::new();
    for verb in ["GET", "POST"] {
        for (status, content_type, body) in [
            (200, "text/html", "<html>portal"),
            (302, "text/html", ""),
            (401, "text/html", "<html>log in"),
            (403, "text/html", "<html>forbidden"),
            (404, "text/plain", ""),
            (408, "text/plain", ""),
            (413, "text/html", "<html>"),
        ] {
            env.sandbox.on_with(verb, "v3/x", unsigned(status, content_type, body)).unwrap();
            let done = env.run(&[verb, "v3/x"]);
            assert_eq!((done.code, done.out.as_str()), (Some(4), ""), "{status}: {done:?}");
        }
        // With a code, it is a refusal, as in a batch.
        let body = r#"{"code":"NO_AUTH","message":"no"}"#;
        env.sandbox.on_with(verb, "v3/x", unsigned(403, "application/json", body)).unwrap();
        env.run(&[verb, "v3/x"]).fails(2, "NO_AUTH");
    }
}

/// The exit code is that of the error; that the money has moved must not be lost.
#[test]
fn an_error_after_a_write_that_succeeded_says_so() {
    let env = TestEnv::new();
    let carried_out = "wxpay: hint: the platform has carried out the call: do not repeat it\n";
    let text = || SandboxResponse::new(200).body("text/plain", "a");
    for verb in ["GET", "POST", "DELETE"] {
        env.sandbox.on(verb, "v3/x", 200, json!({"name": "bm90IGVuY3J5cHRlZA=="})).unwrap();
        env.sandbox.on_with(verb, "v3/text", text()).unwrap();
        for (arguments, code) in [
            (&["v3/x", "--jq", ".name.x"][..], 1),
            (&["v3/text", "--jq", "."], 1),
            (&["v3/x", "--decrypt", "name"], 1),
            (&["v3/x", "--decrypt", "/name"], 4),
        ] {
            let done = env.run(&[&[verb], arguments].concat());
            assert_eq!(done.code, Some(code), "{done:?}");
            assert_eq!(done.err.contains(carried_out), verb != "GET", "{verb} {arguments:?}: {done:?}");
        }
    }
    let file = env.file("a.jpg", "x");
    env.run(&["upload", &file, "v3/x", "--jq", ".name.x"]).fails(1, carried_out);
    if let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_wxpay"));
        command.args(["post", "v3/x"]).env_clear().envs(variables(&env.sandbox)).stdout(full);
        let done = Done::from(command.output().unwrap());
        assert!(done.code == Some(1) && done.err.ends_with(carried_out), "{done:?}");
    }
    // A refusal did nothing.
    let refused = env.run(&["post", "v3/security/echo", "-d", "{}", "--jq", "."]);
    assert!(refused.code == Some(2) && !refused.err.contains("carried out"), "{refused:?}");
}

/// The script of the documents for one call, with every outcome.
#[test]
fn the_recipe_for_one_call_tells_every_outcome_apart() {
    for name in ["docs/cli.md", "docs/cli.zh-CN.md"] {
        let script = blocks(&document(name), "bash").into_iter().find(|block| block.contains("refund.json"));
        let script = script.unwrap();
        let env = TestEnv::new();
        env.file("refund.json", "{}");
        let program = format!("wxpay() {{ '{}' \"$@\"; }}\n", env!("CARGO_BIN_EXE_wxpay"));
        let run = |status: Option<u16>, more: &str| {
            let answer = match status {
                Some(200) => SandboxResponse::new(200).body("application/json", "{}"),
                Some(status) => SandboxResponse::new(status)
                    .body("application/json", r#"{"code":"NOT_ENOUGH","message":"no"}"#),
                None => unsigned(403, "text/html", "<html>"),
            };
            env.sandbox.on_with("POST", "v3/refund/domestic/refunds", answer).unwrap();
            let mut bash = assert_cmd::Command::new("bash");
            bash.env_clear().envs(variables(&env.sandbox)).current_dir(env.home.path());
            let done = Done::of(bash.args(["-e", "-c", &format!("{program}{more}\n{script}")]));
            assert_eq!(done.code, Some(0), "{done:?}");
            done.out.lines().last().unwrap_or_default().to_owned()
        };
        assert_eq!(run(Some(200), ""), "done");
        assert_eq!(run(Some(403), ""), "refused");
        assert_eq!(run(Some(429), ""), "repeat later");
        assert_eq!(run(Some(500), ""), "query first");
        assert_eq!(run(None, ""), "query first");
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert_eq!(run(Some(200), &format!("export WECHATPAY_BASE_URL=http://{closed}/")), "repeat later");
        assert_eq!(run(Some(200), "export WECHATPAY_TIMEOUT=soon"), "fix the command");
    }
}
