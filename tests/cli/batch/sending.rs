//! Requests, repeats, and the contents of the journal.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use wechatpay_chain::sandbox::{Fault, SandboxResponse};

use super::{BatchEnv, Journal, THINGS, finish, program, thing};
use crate::support::{self, TestServer};

#[test]
fn calls_are_sent_as_written_and_their_responses_kept() {
    let env = BatchEnv::new();
    let exact = r#"{"n": 1.10, "big":123456789012345678901234567890}"#;
    env.write(
        "calls.jsonl",
        [
            &format!(r#"{{"id":"one","method":"POST","path":"{THINGS}","vars":{{"id":"a/b"}},"body":{exact}}}"#),
            "",
            r#"{"method":"GET","path":"v3/things/{id}","vars":{"id":7},"query":{"x":"茶 1","list":[1]},"headers":{"Accept-Language":"zh-CN"},"timeout":2.5}"#,
            "   \r",
            r#"{"id":"secret","method":"PATCH","path":"v3/things/3","body":{"name":"张三"},"encrypt":["/name"]}"#,
            r#"{"id":"none","method":"DELETE","path":"v3/things/4","body":null}"#,
            r#"{"id":"text","method":"PUT","path":"v3/text","body":{}}"#,
        ]
        .join("\n"),
    );
    env.sandbox.on_with("PUT", "v3/text", SandboxResponse::new(200).body("text/csv", "a,b\n1,2\n")).unwrap();
    env.run(&["calls.jsonl", "-j", "1"])
        .is(0, "5 calls: 5 ok, 0 refused, 0 unknown, 0 left; the journal is `calls.results.jsonl`");

    let seen = env.sandbox.requests();
    let targets: Vec<_> = seen.iter().map(|seen| (seen.method.as_str(), seen.target.as_str())).collect();
    assert_eq!(
        targets,
        [
            ("POST", "/v3/things/a%2Fb"),
            ("GET", "/v3/things/7?x=%E8%8C%B6%201&list%5B0%5D=1"),
            ("PATCH", "/v3/things/3"),
            ("DELETE", "/v3/things/4"),
            ("PUT", "/v3/text"),
        ]
    );
    assert_eq!(&seen[0].body[..], exact.as_bytes());
    assert_eq!(seen[1].headers["accept-language"], "zh-CN");
    assert!(!String::from_utf8_lossy(&seen[2].body).contains("张三"));
    assert_eq!(seen[2].headers["wechatpay-serial"], env.sandbox.platform_public_key_id());
    assert!(seen[3].body.is_empty());

    let journal = env.journal();
    assert_eq!(
        journal.records[0],
        json!({"run": 1, "mchid": "1900000109", "platform": env.sandbox.base_url()})
    );
    let results = journal.results();
    assert_eq!(results.keys().collect::<Vec<_>>(), ["3", "none", "one", "secret", "text"]);
    assert_eq!(results["one"]["body"], json!({"done": true}));
    assert_eq!(results["text"]["text"], "a,b\n1,2\n");
    assert_eq!((&results["3"]["status"], &results["3"]["verified"]), (&json!(200), &json!(true)));
    assert!(results["3"]["request_id"].is_string());
    // Announced before it was sent, without its content.
    assert_eq!(journal.story("secret"), ["sent", "ok"]);
    assert!(!env.read("calls.results.jsonl").contains("张三"));
    let mode = std::fs::metadata(env.path("calls.results.jsonl")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    // A finished call is not sent again.
    let before = env.sandbox.requests().len();
    env.run(&["calls.jsonl"]).is(1, "--resume");
    env.run(&["calls.jsonl", "--resume"]).is(0, "5 ok");
    assert_eq!(env.sandbox.requests().len(), before);
}

/// A server that is not there yet.
#[test]
fn a_call_that_never_left_is_sent_again() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let env = BatchEnv::new();
    env.calls("POST", ["1".to_owned()]);
    let mut batch = env.elsewhere(&["calls.jsonl"]);
    let child =
        batch.env("WECHATPAY_BASE_URL", format!("http://{port}/")).stderr(Stdio::piped()).spawn().unwrap();
    while !env.path("calls.results.jsonl").exists() || !env.read("calls.results.jsonl").contains("unsent") {
        std::thread::sleep(Duration::from_millis(5));
    }
    let listener = TcpListener::bind(port).unwrap();
    let _server = TestServer::on(listener, 1, |mut stream, _| {
        let mut head = [0; 4096];
        assert!(stream.read(&mut head)? > 0);
        stream.write_all(&support::signed("204 No Content", &[], b""))
    });
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(env.journal().story("1"), ["sent", "unsent", "sent", "ok"]);
}

#[test]
fn an_unknown_call_is_repeated_only_if_it_is_a_get_or_requested() {
    let env = BatchEnv::new();
    let broken = json!({"code": "SYSTEM_ERROR", "message": "later"});
    env.sandbox.on("POST", "v3/things/S", 500, broken).unwrap();
    env.write(
        "calls.jsonl",
        [
            thing("POST", "S"),
            thing("POST", "C").replace("}\n", ",\"body\":{\"no\":1.0}}\n"),
            thing("GET", "G"),
        ]
        .concat(),
    );
    // One after the other: S gets its 500, C is cut, and so is G, once.
    for fault in [Fault::Delay(Duration::ZERO), Fault::CutConnection, Fault::CutConnection] {
        env.sandbox.inject(fault);
    }
    env.run(&["calls.jsonl", "-j1"]).is(5, "1 ok, 0 refused, 2 unknown, 0 left");
    assert_eq!(env.seen(), [("C", 1), ("G", 2), ("S", 1)].map(|(id, n)| (id.to_owned(), n)).into());
    let journal = env.journal();
    assert_eq!(journal.story("G"), ["sent", "unknown", "sent", "ok"]);
    assert_eq!(journal.story("S"), ["sent", "unknown"]);
    assert_eq!(journal.results()["S"]["code"], "SYSTEM_ERROR");

    env.run(&["calls.jsonl", "--resume"]).is(5, "1 ok, 0 refused, 2 unknown");
    assert_eq!(env.seen()["C"], 1);
    env.sandbox.on("POST", "v3/things/S", 200, json!({})).unwrap();
    env.run(&["calls.jsonl", "--resume", "--repeat-unknown", "-j1"]).is(0, "3 ok");
    assert_eq!(env.seen(), [("C", 2), ("G", 2), ("S", 2)].map(|(id, n)| (id.to_owned(), n)).into());
    assert_eq!(&env.last().body[..], br#"{"no":1.0}"#);
}

#[test]
fn calls_come_from_stdin_and_journals_of_parts_concatenate() {
    let env = BatchEnv::new();
    let parts =
        [[thing("POST", "1"), thing("POST", "2")].concat(), [thing("POST", "3"), thing("GET", "4")].concat()];
    let from_stdin = |part: &str, arguments: &[&str]| {
        let mut command = env.batch(&["-"]);
        let mut child = command.args(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(part.as_bytes()).unwrap();
        child.wait().unwrap().code()
    };
    for (part, name) in parts.iter().zip(["a.jsonl", "b.jsonl"]) {
        assert_eq!(from_stdin(part, &["-o", name]), Some(0));
    }
    let all = ["a.jsonl", "b.jsonl"].map(|name| env.read(name)).concat();
    assert_eq!(Journal::of(&all).outcomes().len(), 4);
    // Concatenated, they are the journal of all calls.
    env.write("calls.jsonl", parts.concat());
    env.write("calls.results.jsonl", all);
    env.run(&["calls.jsonl", "--resume"]).is(0, "4 ok");
    assert_eq!(from_stdin(&parts.concat(), &["-o", "calls.results.jsonl", "--resume"]), Some(0));
    assert_eq!(env.sandbox.requests().len(), 4);
}

#[test]
fn a_temporary_sandbox_resumes_only_its_own_journals() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("calls.jsonl"), "{\"method\":\"GET\",\"path\":\"v3/x\"}\n").unwrap();
    let run = |more: &[&str]| finish(program(home.path()).args(["calls.jsonl", "--sandbox"]).args(more));
    run(&[]).is(0, "1 ok");
    run(&["--resume"]).is(0, "1 ok");
    let journal = std::fs::read_to_string(home.path().join("calls.results.jsonl")).unwrap();
    assert!(journal.contains("\"platform\":\"sandbox\""), "{journal}");
}

#[test]
fn a_call_has_its_own_timeout_and_a_late_response_is_unknown() {
    let env = BatchEnv::new();
    env.sandbox.inject(Fault::Delay(Duration::from_secs(2)));
    env.write("calls.jsonl", thing("POST", "1").replace("}\n", ",\"timeout\":0.2}\n"));
    env.run(&["calls.jsonl"]).is(5, "0 ok, 0 refused, 1 unknown");
    let journal = env.journal();
    let message = journal.results()["1"]["message"].as_str().unwrap();
    assert!(message.contains("no complete response within 200ms"), "{message}");
}

#[test]
fn fields_are_encrypted_for_a_certificate_that_is_fetched_first() {
    let env = BatchEnv::new();
    let name = r#"{"method":"POST","path":"v3/things/1","body":{"name":"张三"},"encrypt":["/name"]}"#;
    env.write("calls.jsonl", name);
    let mut batch = env.batch(&["calls.jsonl"]);
    batch.env_remove("WECHATPAY_PUBLIC_KEY_ID").env_remove("WECHATPAY_PUBLIC_KEY");
    batch.env("WECHATPAY_AUTOMATIC_CERTIFICATES", "1").env("WECHATPAY_APIV3_KEY", env.sandbox.apiv3_key());
    finish(&mut batch).is(0, "1 ok");
    assert_eq!(env.last().headers["wechatpay-serial"], env.sandbox.platform_certificate_serial());
}
