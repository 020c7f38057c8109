//! `wxpay batch`: its summaries, and lines that are no calls.

use serde_json::json;
use wechatpay_chain::sandbox::{Fault, SandboxResponse};

use crate::batch::{BatchEnv, Journal, thing};
use crate::program::Done;

#[test]
fn summaries() {
    let env = BatchEnv::new();
    let run = |output: &str, more: &[&str]| env.run(&[&["calls.jsonl", "-j1", "-o", output], more].concat());
    env.calls("POST", (1..4).map(|id| id.to_string()));
    snapshot!(run("ok.jsonl", &[]), @"
    exit 0
    --- stdout
    --- stderr
    wxpay: 3 calls: 3 ok, 0 refused, 0 unknown, 0 left; the journal is `ok.jsonl`
      sent 3 in [N] s ([N] a second)
    ");
    snapshot!(run("ok.jsonl", &[]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: the journal `ok.jsonl` already exists
    wxpay: hint: continue it with --resume, or name another file with -o
    ");
    snapshot!(run("ok.jsonl", &["--resume"]), @"
    exit 0
    --- stdout
    --- stderr
    wxpay: 3 calls: 3 ok, 0 refused, 0 unknown, 0 left; the journal is `ok.jsonl`
    ");
    env.sandbox.on("POST", "v3/things/2", 403, json!({"code": "NO_AUTH", "message": "not yours"})).unwrap();
    snapshot!(run("refused.jsonl", &[]), @r#"
    exit 2
    --- stdout
    --- stderr
    wxpay: 3 calls: 2 ok, 1 refused, 0 unknown, 0 left; the journal is `refused.jsonl`
      sent 3 in [N] s ([N] a second)
      1 refused with NO_AUTH: not yours (2)
      list them: jq -c 'select(.outcome == "refused")' 'refused.jsonl'
    "#);
    snapshot!(run("json.jsonl", &["--json-errors"]), @r#"
    exit 2
    --- stdout
    --- stderr
    {"calls":3,"ok":2,"refused":1,"unknown":0,"unverified":0,"left":0,"refusals":[{"code":"NO_AUTH","message":"not yours","count":1,"ids":["2"]}]}
    "#);
    env.sandbox.inject(Fault::CutConnection);
    snapshot!(run("unknown.jsonl", &[]), @r#"
    exit 5
    --- stdout
    --- stderr
    wxpay: 3 calls: 1 ok, 1 refused, 1 unknown, 0 left; the journal is `unknown.jsonl`
      sent 3 in [N] s ([N] a second)
      1 refused with NO_AUTH: not yours (2)
      list them: jq -c 'select(.outcome == "refused")' 'unknown.jsonl'
      query the calls that are unknown or unverified by their order or refund numbers, or use --resume --repeat-unknown to send them again
    "#);
    let page = SandboxResponse::new(403).body("text/html", "<html>").unsigned();
    env.sandbox.on_with("POST", "v3/things/3", page).unwrap();
    snapshot!(run("unverified.jsonl", &[]), @r#"
    exit 4
    --- stdout
    --- stderr
    wxpay: 3 calls: 1 ok, 1 refused, 0 unknown, 0 left, 1 unverified; the journal is `unverified.jsonl`
      sent 3 in [N] s ([N] a second)
      1 refused with NO_AUTH: not yours (2)
      list them: jq -c 'select(.outcome == "refused")' 'unverified.jsonl'
      query the calls that are unknown or unverified by their order or refund numbers, or use --resume --repeat-unknown to send them again
    "#);
    // No server: nothing was sent, so all calls are left.
    let mut unreachable = env.batch(&["calls.jsonl", "-j1", "-o", "left.jsonl"]);
    unreachable.env("WECHATPAY_BASE_URL", "http://127.0.0.1:9/");
    snapshot!(Done::from(unreachable.output().unwrap()), @"
    exit 3
    --- stdout
    --- stderr
    wxpay: 3 calls: 0 ok, 0 refused, 0 unknown, 3 left; the journal is `left.jsonl`
      sent 3 in [N] s ([N] a second)
      stopped early: 10 attempts in a row failed; the last one: POST v3/things/{id}: connection refused by `127.0.0.1:[PORT]`; nothing was sent
      use --resume to send the calls that are left
    ");
    assert_eq!(Journal::of(&env.read("left.jsonl")).outcomes()["1"], "unsent");
    env.write("calls.jsonl", "\n");
    snapshot!(run("none.jsonl", &[]), @"
    exit 0
    --- stdout
    --- stderr
    wxpay: 0 calls: 0 ok, 0 refused, 0 unknown, 0 left; the journal is `none.jsonl`
    ");
}

#[test]
fn lines_that_are_no_calls() {
    let env = BatchEnv::new();
    let line = |line: &str| {
        env.write("calls.jsonl", format!("{}{line}\n", thing("POST", "R1")));
        env.run(&["calls.jsonl"])
    };
    snapshot!(line("{"), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: `calls.jsonl`, line 2: it ends too early, column 1
    ");
    snapshot!(line("[]"), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: `calls.jsonl`, line 2: expected an object, found an array
    wxpay: hint: write one call a line, for example with `jq -c '.[]' calls.json > calls.jsonl`
    ");
    snapshot!(line(r#"{"method":"GET"}"#), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: `calls.jsonl`, line 2: missing field `path`, column 16
    ");
    snapshot!(line(r#"{"method":"GET","path":"v3/x","url":1}"#), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: `calls.jsonl`, line 2: unknown field `url`; expected one of `id`, `method`, `path`, `vars`, `query`, `body`, `headers`, `encrypt`, `client_certificate`, `timeout`, column 35
    ");
    snapshot!(line(r#"{"method":"HEAD","path":"v3/x"}"#), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: `calls.jsonl`, line 2: `method`: expected GET, POST, PUT, PATCH or DELETE, found `HEAD`
    ");
    snapshot!(line(r#"{"id":"R1","method":"GET","path":"v3/x"}"#), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: `calls.jsonl`, line 2: its `id` is already used on line 1
    wxpay: hint: give each call an id of its own; one without an id is known by its line
    ");
    snapshot!(line(r#"{"method":"GET","path":"v3/{id}"}"#), @r#"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: `calls.jsonl`, line 2: the variable `id` of `v3/{id}` has no value
    wxpay: hint: give it with `"vars": {"id": …}`
    "#);
    snapshot!(line(r#"{"method":"GET","path":"v3/P123"}"#), @r#"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: `calls.jsonl`, line 2: the segment `P123` of the path looks like a value
    wxpay: hint: write {name} in the path, and its value as `"vars": {"name": …}`
    "#);
    snapshot!(line(r#"{"method":"POST","path":"v3/x","encrypt":["/a"]}"#), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: `calls.jsonl`, line 2: `encrypt` needs a JSON body, or a query: the pointer matches nothing
    ");
    snapshot!(line(r#"{"method":"GET","path":"v3/x","timeout":0}"#), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: `calls.jsonl`, line 2: `timeout` must be more than 0 and at most 3600 seconds; it is 0
    ");
    env.write("calls.jsonl", thing("POST", "R1"));
    snapshot!(env.run(&["calls.jsonl", "-o", "/nowhere/r.jsonl"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: cannot open the journal `/nowhere/r.jsonl`: its directory does not exist
    ");
    snapshot!(env.run(&["calls.jsonl", "-o", "/dev/null"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: expected a regular file for the journal, found `/dev/null`
    ");
    assert_eq!(env.sandbox.requests().len(), 0);
    assert!(!env.path("calls.results.jsonl").exists());
}
