//! Mistakes in the input, exit codes, the summary, progress.

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use wechatpay_chain::sandbox::Fault;

use super::{BatchEnv, finish, thing};
use crate::support::has;

#[test]
fn an_invalid_line_is_reported_by_number_and_nothing_is_sent() {
    let env = BatchEnv::new();
    let good = thing("POST", "R1");
    let long = format!(r#"{{"method":"POST","path":"v3/x","body":"{}"}}"#, "x".repeat(8 << 20));
    for (line, part) in [
        ("nonsense", "line 3: expected"),
        (r#"{"method":"GET","path":"v3/x","path":"v3/y"}"#, "line 3: duplicate field `path`"),
        (r#"{"path":"v3/x"}"#, "line 3: missing field `method`"),
        (r#"{"method":"GET","path":"v3/x"} {}"#, "line 3: trailing characters"),
        (r#"{"id":"","method":"GET","path":"v3/x"}"#, "line 3: `id` is empty"),
        (r#"{"id":7,"method":"GET","path":"v3/x"}"#, "line 3: invalid type"),
        (r#"{"method":"GET","path":"v3/x","vars":{"y":1}}"#, "line 3"),
        (r#"{"method":"GET","path":"v3/x","headers":{"Host":"x"}}"#, "line 3: `headers.Host`"),
        (r#"{"method":"POST","path":"v3/x","body":{},"encrypt":["/a"]}"#, "line 3"),
        (r#"{"method":"GET","path":"v3/x","timeout":-1}"#, "line 3: `timeout`: expected seconds, found -1"),
        (r#"{"method":"GET","path":"v3/x","timeout":1e99}"#, "line 3: `timeout`"),
        ("\u{feff}{}", "line 3"),
        (&long, "line 3: line too long (limit 8388608 bytes)"),
    ] {
        env.write("calls.jsonl", format!("{good}\n{line}\n"));
        env.run(&["calls.jsonl"]).is(1, part);
    }
    env.write("calls.jsonl", [good.as_bytes(), b"\n{\"method\":\"GET\",\"path\":\"v3/\xff\"}"].concat());
    env.run(&["calls.jsonl"]).is(1, "line 3");
    env.run(&["."]).is(1, "cannot read");
    env.run(&["calls.jsonl", "-j", "0"]).is(1, "invalid value");
    assert_eq!(env.sandbox.requests().len(), 0);
    assert!(!env.path("calls.results.jsonl").exists());
}

#[test]
fn the_exit_code_is_that_of_the_worst_outcome() {
    let env = BatchEnv::new();
    let fresh = |verb: &str| {
        let _ = std::fs::remove_file(env.path("calls.results.jsonl"));
        env.calls(verb, ["1".to_owned(), "2".to_owned(), "3".to_owned()]);
    };
    let refusal = json!({"code": "NO_AUTH", "message": "not yours", "detail": {"field": "x"}});
    env.sandbox.on("POST", "v3/things/2", 403, refusal).unwrap();
    fresh("POST");
    env.run(&["calls.jsonl", "-j1"]).is(2, "3 calls: 2 ok, 1 refused, 0 unknown, 0 left");
    let journal = env.journal();
    let refused = journal.results()["2"].clone();
    assert_eq!(
        (&refused["outcome"], &refused["status"], &refused["code"], &refused["message"]),
        (&json!("refused"), &json!(403), &json!("NO_AUTH"), &json!("not yours"))
    );
    assert_eq!(refused["detail"], json!({"field": "x"}));
    // It has a response: not sent again.
    env.run(&["calls.jsonl", "--resume"]).is(2, "1 refused");
    assert_eq!(env.seen()["2"], 1);

    env.sandbox.inject(Fault::CutConnection);
    fresh("POST");
    env.run(&["calls.jsonl", "-j1"]).is(5, "3 calls: 1 ok, 1 refused, 1 unknown, 0 left");

    env.sandbox.inject(Fault::CutConnection);
    env.sandbox.inject(Fault::BadSignature);
    fresh("POST");
    env.run(&["calls.jsonl", "-j1"]).is(4, "1 ok, 0 refused, 1 unknown, 0 left, 1 unverified");
    assert_eq!(env.journal().outcomes()["2"], "unverified");

    let mut as_json = env.batch(&["calls.jsonl", "-o", "other.jsonl", "--json-errors"]);
    let done = finish(&mut as_json);
    let summary: Value = serde_json::from_str(&done.err).unwrap();
    let refusals = json!([{"code": "NO_AUTH", "message": "not yours", "count": 1, "ids": ["2"]}]);
    assert_eq!(
        summary,
        json!({"calls": 3, "ok": 2, "refused": 1, "unknown": 0, "unverified": 0, "left": 0, "refusals": refusals})
    );
}

#[test]
fn a_batch_in_which_nothing_works_stops_before_its_end() {
    let env = BatchEnv::new();
    env.calls("POST", (0..100).map(|id| id.to_string()));
    let mut unreachable = env.batch(&["calls.jsonl", "-j4"]);
    let done = finish(unreachable.env("WECHATPAY_BASE_URL", "http://127.0.0.1:9/"));
    done.is(3, "stopped early: 10 attempts in a row failed; the last one: ");
    assert!(env.journal().outcomes().len() < 20, "{done:?}");
}

#[test]
fn progress_shows_on_a_terminal_only() {
    let env = BatchEnv::new();
    env.calls("POST", (0..3).map(|id| id.to_string()));
    let plain = env.run(&["calls.jsonl", "-o", "plain.jsonl"]);
    assert!(plain.code == Some(0) && !plain.err.contains('\u{1b}'), "{plain:?}");
    // A pseudo-terminal, by `script` (util-linux).
    let line = format!("{} batch calls.jsonl", env!("CARGO_BIN_EXE_wxpay"));
    let batch = env.batch(&[]);
    let variables = batch.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let mut script = Command::new("script");
    script.env_clear().envs(variables).env("TERM", "xterm").env("PATH", std::env::var("PATH").unwrap());
    let drawn = script.current_dir(env.home.path()).args(["-qec", &line, "/dev/null"]).stdin(Stdio::null());
    if !has("script") {
        return;
    }
    let drawn = drawn.output().unwrap();
    let text = String::from_utf8_lossy(&drawn.stdout);
    assert!(text.contains("\u{1b}[2K") && text.contains("3 ok"), "{drawn:?}");
}
