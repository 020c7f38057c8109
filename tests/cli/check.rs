//! `--check`, and the hints about paths that are not documented.

use serde_json::{Value, json};

use crate::program::{Done, TestEnv, wxpay};

const REFUND: &str = "v3/refund/domestic/refunds";
const COMPLETE: [&str; 5] =
    ["out_trade_no=P1", "out_refund_no=R1", "amount[refund]:=1", "amount[total]:=1", "amount[currency]=CNY"];

/// Nothing is configured, and nothing can be sent.
fn check(arguments: &[&str], stdin: &str) -> Done {
    let home = tempfile::tempdir().unwrap();
    Done::of(wxpay(home.path()).args(arguments).arg("--check").write_stdin(stdin))
}

#[test]
fn a_call_that_the_documents_have_gives_nothing() {
    assert_eq!(check(&[&["post", REFUND], &COMPLETE[..]].concat(), "").ok(), "");
    assert_eq!(check(&[&["post", REFUND, "--json"], &COMPLETE[..]].concat(), "").ok(), "[]\n");
    let query = ["get", "v3/pay/transactions/id/{transaction_id}", "--var", "transaction_id=4200"];
    assert_eq!(check(&[&query[..], &["mchid==1900000109"]].concat(), "").ok(), "");
    let encrypted =
        ["post", "v3/profitsharing/receivers/add", "appid=wx1", "type=PERSONAL_OPENID", "account=o1"];
    let encrypted = [&encrypted[..], &["relation_type=STAFF", "name=张三", "--encrypt", "/name"]].concat();
    assert_eq!(check(&encrypted, "").ok(), "");
}

#[test]
fn every_verb_has_its_hints() {
    for (arguments, expected) in [
        (
            &["post", "v3/refund/domestic/refund", "a=1"][..],
            "no document has this path; did you mean POST `v3/refund/",
        ),
        (&["get", REFUND], "the documents have this path with POST\n"),
        (&["put", REFUND, "a=1"], "the documents have this path with POST\n"),
        (&["patch", "v3/x"], "no document has this path\n"),
        (&["delete", "v3/x"], "no document has this path\n"),
        (
            &["post", REFUND, "outRefundNo=R1"],
            "did you mean `out_refund_no`? No document has the field `/outRefundNo`\n",
        ),
        (
            &["post", REFUND, "amount[total]=1"],
            "the field `/amount/total` is of the type integer; found: string\n",
        ),
        (
            &["post", "v3/profitsharing/receivers/add", "name=张三"],
            "encrypt the field `/name` with `--encrypt /name`: it is in the clear\n",
        ),
        (
            &["get", REFUND, "--base-url", "https://apihk.mch.weixin.qq.com/"],
            "the documents have this path with POST\n",
        ),
        (
            &["post", "v3/refund/domestic/refunds", "--base-url", "https://apihk.mch.weixin.qq.com/"],
            "the documents have this path at https://api.mch.weixin.qq.com/\n",
        ),
    ] {
        let done = check(arguments, "");
        assert_eq!((done.code, done.err.as_str()), (Some(6), ""), "{arguments:?}: {done:?}");
        assert!(done.out.contains(expected), "{arguments:?}: {done:?}");
    }
}

#[test]
fn json_and_files_for_programs() {
    let done = check(&["post", REFUND, "out_trade_no=P1", "outRefundNo=R1", "--json"], "");
    assert_eq!((done.code, done.err.as_str()), (Some(6), ""));
    let hints: Vec<Value> = serde_json::from_str(&done.out).unwrap();
    let missing = json!({"kind": "missing", "text": "add the field `/out_refund_no`: it is required",
        "place": "body", "field": "/out_refund_no", "reliable": true});
    assert!(hints.contains(&missing), "{hints:?}");
    let done =
        check(&["post", "v3/refund/domestic/refund", "-d", "{}", "--json", "--jq", ".[0].documented[0]"], "");
    assert_eq!((done.code, done.out.as_str()), (Some(6), "\"POST v3/refund/domestic/refunds\"\n"));
    // The file keeps what stdout would have; that of a GET is not a download.
    let env = TestEnv::new();
    for verb in ["get", "delete"] {
        let file = env.path(verb);
        let done = env.run(&[verb, "v3/x", "--check", "-o", &file]);
        assert_eq!((done.code, done.out.as_str(), done.err.as_str()), (Some(6), "", ""));
        assert_eq!(std::fs::read_to_string(file).unwrap(), "no document has this path\n");
    }
    assert!(env.sandbox.requests().is_empty(), "nothing is sent");
    // What a terminal would obey stays text.
    let done = check(&["post", REFUND, "-d", "{\"\u{9b}2J\": \"\\u001b[2J\", \"\\u001b[2J\": 1}"], "");
    assert!(done.code == Some(6) && !done.out.contains(['\u{9b}', '\u{1b}']), "{done:?}");
}

#[test]
fn options_without_a_use_are_refused() {
    for (arguments, part) in [
        (&["get", "v3/x", "--json"][..], "--check"),
        (&["get", "v3/x", "--check", "--dry-run"], "cannot be used with"),
        (&["get", "v3/x", "--check", "--curl"], "cannot be used with"),
        (&["get", "v3/x", "--check", "-i"], "--include cannot be used with --check, which sends nothing"),
        (&["get", "v3/x", "--check", "--jq", "."], "--jq cannot be used with --check"),
        (&["get", "v3/x", "--check", "--retry", "1"], "--retry cannot be used with --check"),
        (&["batch", "x", "--check", "--resume"], "cannot be used with"),
        (&["batch", "x", "--check", "-j", "2"], "cannot be used with"),
        // As for a call that is sent.
        (&["post", "v3/x", "--check", "--profile", "none"], "config.toml`: it does not exist"),
        (&["get", "v3/{id}", "--check"], "has no value"),
        (&["get", "v3/x", "--check", "--base-url", "x"], "--base-url"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let done = Done::of(wxpay(home.path()).args(arguments));
        assert_eq!((done.code, done.out.as_str()), (Some(1), ""), "{arguments:?}: {done:?}");
        assert!(done.err.contains(part), "{arguments:?}: {done:?}");
    }
}

#[test]
fn a_batch_is_checked_line_by_line() {
    let lines = [
        r#"{"id":"R1","method":"POST","path":"v3/refund/domestic/refunds","body":{"out_trade_no":"P1","out_refund_no":"R1","amount":{"refund":1,"total":1,"currency":"CNY"}}}"#,
        r#"{"id":"A1","method":"POST","path":"v3/profitsharing/receivers/add","body":{"appid":"wx1","type":"PERSONAL_OPENID","account":"o1","relation_type":"STAFF","name":"张三"}}"#,
        r#"{"method":"GET","path":"v3/certificate"}"#,
    ];
    let done = check(&["batch", "-"], &lines.join("\n"));
    assert_eq!((done.code, done.err.as_str()), (Some(6), ""));
    let found: Vec<_> = done.out.lines().collect();
    assert_eq!(
        found[0],
        "stdin, line 2: encrypt the field `/name` with `\"encrypt\": [\"/name\"]`: it is in the clear"
    );
    assert!(
        found[1].starts_with("stdin, line 3: no document has this path; did you mean GET `v3/certificates`")
    );
    assert_eq!(found.len(), 2, "{found:?}");
    let done = check(&["batch", "-", "--json"], &lines.join("\n"));
    let found: Vec<Value> = done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&found[0]["id"], &found[0]["line"]), (&json!("A1"), &json!(2)));
    assert_eq!(found[0]["hints"][0]["kind"], "not_encrypted");
    assert_eq!((&found[1]["id"], &found[1]["hints"][0]["kind"]), (&json!(3), &json!("unknown_path")));
    assert_eq!(check(&["batch", "-"], lines[0]).ok(), "");
    // A line that cannot be a call is an error, as ever.
    check(&["batch", "-"], r#"{"method":"GET"}"#).is(1, "stdin, line 1");
}

#[test]
fn a_path_that_is_not_documented_is_told_once() {
    let env = TestEnv::new();
    let hint = "wxpay: hint: no document has this path; did you mean POST `v3/refund/domestic/refunds`";
    let path = "v3/refund/domestic/refund";
    let found = |done: &Done| done.err.matches("did you mean").count();
    // A success, a 404 and another refusal; with -v, too.
    let not_found = json!({"code": "RESOURCE_NOT_EXISTS", "message": "no"});
    for (status, body, code) in [
        (200, json!({}), 0),
        (404, not_found.clone(), 2),
        (400, json!({"code": "PARAM_ERROR", "message": "no"}), 2),
    ] {
        env.sandbox.on("POST", path, status, body).unwrap();
        for more in [&[][..], &["-v"]] {
            let done = env.run(&[&["post", path, "a=1"], more].concat());
            assert_eq!((done.code, found(&done)), (Some(code), 1), "{done:?}");
            assert!(done.err.contains(hint), "{done:?}");
        }
    }
    let done = env.run(&["post", path, "a=1", "--json-errors"]);
    let error: Value = serde_json::from_str(&done.err).unwrap();
    assert!(error["hint"].as_str().unwrap().contains("did you mean"), "{error}");
    // Another verb; an upload; a bill.
    env.run(&["get", REFUND]).is(2, "wxpay: hint: the documents have this path with POST");
    let file = env.file("a.jpg", "x");
    env.run(&["upload", &file, "v3/merchant/media/uploads"])
        .is(0, "did you mean POST `v3/merchant/media/upload`");
    env.sandbox.on("GET", "v3/bill/tradebil", 404, not_found.clone()).unwrap();
    let done = env.run(&["bill", "--path", "v3/bill/tradebil"]);
    done.is(2, "did you mean GET `v3/bill/tradebill`");
    assert_eq!(found(&done), 1, "{done:?}");
    // A documented path, and one that is like none.
    env.sandbox.on("GET", "v3/pay/transactions/id/4200", 404, not_found).unwrap();
    let done = env.run(&["get", "v3/pay/transactions/id/4200", "mchid==1"]);
    assert!(done.code == Some(2) && !done.err.contains("document"), "{done:?}");
    env.sandbox.on("GET", "v3/x", 200, json!({})).unwrap();
    env.run(&["get", "v3/x"]).ok();
}

#[test]
fn a_batch_tells_each_path_once() {
    let env = TestEnv::new();
    let line = |path: &str| format!("{{\"method\":\"POST\",\"path\":\"{path}\",\"body\":{{\"a\":1}}}}\n");
    let calls = [line("v3/refund/domestic/refund").repeat(3), line("v3/security/ecko")].concat();
    let done = env.run(&["batch", &env.file("calls.jsonl", calls), "-v"]);
    assert_eq!(done.err.matches("did you mean POST `v3/refund/domestic/refunds`").count(), 1, "{done:?}");
    assert!(
        done.err.contains("line 4: no document has this path; did you mean POST `v3/security/echo`"),
        "{done:?}"
    );
}

#[test]
fn v_shows_the_other_hints_in_words() {
    let env = TestEnv::new();
    let done = env.run(&["post", REFUND, "out_trade_no=P1", "-v"]);
    let hint = format!("* POST {REFUND}: add the field `/out_refund_no`: it is required\n");
    assert!(done.err.contains(&hint) && !done.err.contains("template:"), "{done:?}");
}

#[test]
fn every_result_can_go_into_a_file() {
    let env = TestEnv::new();
    for (number, arguments) in [
        &["endpoints", "退款"][..],
        &["endpoints", "退款", "--json"],
        &["endpoints", "suggest", "v3/refund/x"],
        &["endpoints", "show", REFUND, "--lang", "en"],
        &["endpoints", "show", REFUND, "--json"],
        &["endpoints", "show", REFUND, "--skeleton"],
        &["config", "path"],
        &["config", "list"],
    ]
    .into_iter()
    .enumerate()
    {
        let config = env.file("config.toml", "[default]\nmchid = \"1\"\n");
        let arguments = match arguments[0] {
            "config" => [arguments, &["--config", &config]].concat(),
            _ => arguments.to_vec(),
        };
        let expected = env.run(&arguments).out;
        let file = env.path(&format!("out-{number}"));
        let done = env.run(&[&arguments[..], &["-o", &file]].concat());
        assert_eq!((done.code, done.out.as_str()), (Some(0), ""), "{arguments:?}: {done:?}");
        assert_eq!(std::fs::read_to_string(file).unwrap(), expected, "{arguments:?}");
        assert_eq!(env.run(&[&arguments[..], &["-o", "-"]].concat()).out, expected, "{arguments:?}");
        env.run(&[&arguments[..], &["-o", "/nowhere/x"]].concat()).fails(1, "-o");
    }
    let file = env.path("queries");
    let done = Done::of(
        wxpay(env.home.path()).args(["endpoints", "-", "--json", "-o", &file]).write_stdin("退款\n"),
    );
    assert_eq!(done.ok(), "");
    assert_eq!(std::fs::read_to_string(file).unwrap().lines().count(), 1);
}
