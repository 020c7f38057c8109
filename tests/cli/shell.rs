//! The spellings of other tools: supported where they can mean one thing only, otherwise refused with the right one.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::program::{Done, TestEnv, last, variables};

const ECHO: &str = "v3/security/echo";

pub(crate) fn bash(env: &TestEnv, line: &str) -> Done {
    let output = Command::new("bash")
        .args(["-c", &line.replace("wxpay", concat!("timeout 50 ", env!("CARGO_BIN_EXE_wxpay")))])
        .current_dir(env.home.path())
        .env_clear()
        .env("HOME", env.home.path())
        .env("PATH", std::env::var_os("PATH").unwrap())
        .envs(variables(&env.sandbox))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Done::from(output)
}

#[track_caller]
fn body(env: &TestEnv, arguments: &[&str]) -> Value {
    let shown = env.run(&[&["post", "v3/any"], arguments, &["--dry-run"]].concat()).json();
    serde_json::from_str(shown["body"].as_str().unwrap()).unwrap()
}

#[test]
fn names_in_brackets_and_query_parameters_are_those_of_httpie() {
    let env = TestEnv::new();
    let refund = [
        "amount[refund]:=1",
        "amount[currency]=CNY",
        "goods[0][id]=a",
        "goods[0][n]:=2",
        "tags[]=x",
        "tags[]=y",
    ];
    assert_eq!(
        body(&env, &refund),
        json!({"amount": {"refund": 1, "currency": "CNY"}, "goods": [{"id": "a", "n": 2}], "tags": ["x", "y"]})
    );
    assert_eq!(
        body(&env, &["-d", r#"{"amount":{"total":1}}"#, "amount[refund]:=1"]),
        json!({"amount": {"total": 1, "refund": 1}})
    );
    env.sandbox.on("GET", "v3/any", 200, json!({})).unwrap();
    env.sandbox.on("POST", "v3/any", 200, json!({})).unwrap();
    env.run(&["get", "v3/any", "page==2", "-q", "x=1", "name==粤 B"]).ok();
    assert_eq!(last(&env).target, "/v3/any?x=1&page=2&name=%E7%B2%A4%20B");
    env.run(&["post", "v3/any", "page==2", "a=b"]).ok();
    assert_eq!((&last(&env).target[..], &last(&env).body[..]), ("/v3/any?page=2", &br#"{"a":"b"}"#[..]));
}

#[test]
fn a_field_is_read_from_a_file_or_stdin() {
    let env = TestEnv::new();
    env.file("name.txt", "\u{feff}张三\r\n");
    env.file("two", "a\nb\n\n");
    env.file("n.json", "{\"total\": 1.10}\n");
    env.file("gbk", b"\xb2\xe8");
    assert_eq!(body(&env, &["name=@name.txt"]), json!({"name": "张三"}));
    assert_eq!(body(&env, &["name=@two"]), json!({"name": "a\nb\n"}));
    assert_eq!(
        body(&env, &["amount:=@n.json", "/list/-:=@n.json"]),
        json!({"amount": {"total": 1.10}, "list": [{"total": 1.10}]})
    );
    // A text that begins with `@`.
    for arguments in [["name:=\"@name.txt\""], ["name=@"], ["name=a@name.txt"]] {
        let text = arguments[0].trim_start_matches("name").trim_start_matches([':', '=']).trim_matches('"');
        assert_eq!(body(&env, &arguments), json!({ "name": text }));
    }
    let done = env.run(&["post", "v3/any", "name=@张三", "--dry-run", "--jq", ".body", "--raw"]);
    done.is(0, "warning: field `name`: there is no file `张三`");
    assert_eq!(done.out, "{\"name\":\"@张三\"}\n");
    for (field, part) in [
        ("name=@nothing.txt", "there is no file `nothing.txt`"),
        ("name=@./nothing", "there is no file"),
        ("name=@/nowhere/x", "there is no file"),
        ("name=@.", "is a directory"),
        ("name=@gbk", "UTF-8"),
        ("n:=@nothing", "cannot read"),
        ("n:=@name.txt", "expected JSON"),
    ] {
        env.run(&["post", "v3/any", field]).fails(1, part);
    }
    for (line, sent) in [
        ("echo 张三 | wxpay post v3/security/echo echo_message=@-", "张三"),
        ("echo '{\"echo_message\":\"a\"}' | wxpay post v3/security/echo -d @-", "a"),
        ("echo '\"b\"' | wxpay post v3/security/echo echo_message:=@-", "b"),
        ("wxpay post v3/security/echo echo_message=@<(printf c)", "c"),
    ] {
        assert_eq!(bash(&env, line).json()["echo_message"], sent, "{line}");
    }
    let twice = bash(&env, "echo 1 | wxpay post v3/security/echo -d - echo_message=@-");
    twice.fails(1, "stdin is read already");
    // A parameter of the query: personal data is not an argument.
    env.sandbox.on("GET", "v3/any", 200, json!({})).unwrap();
    for query in [&["-q", "account=@name.txt"][..], &["account==@name.txt"]] {
        env.run(&[&["get", "v3/any", "--encrypt", "account"], query].concat()).ok();
        let seen = last(&env);
        let url = url::Url::parse("http://localhost").unwrap().join(&seen.target).unwrap();
        let secret = url.query_pairs().next().unwrap().1.into_owned();
        let serial = seen.headers["wechatpay-serial"].to_str().unwrap();
        assert_eq!(env.sandbox.decrypt(serial, &secret).as_deref(), Some("张三"));
    }
}

#[test]
fn a_body_that_is_piped_is_not_ignored() {
    let env = TestEnv::new();
    env.file("body.json", r#"{"echo_message":"hi"}"#);
    for line in [
        "cat body.json | wxpay post v3/security/echo",
        "wxpay post v3/security/echo < body.json",
        "(sleep 0.4; cat body.json) | wxpay put v3/security/echo",
        "cat body.json | wxpay patch v3/security/echo page==2",
        "cat body.json | wxpay post v3/security/echo --dry-run",
        "sleep 3 | wxpay post v3/security/echo",
    ] {
        bash(&env, line).fails(1, "hint: `-d -` sends the content of stdin");
    }
    assert!(env.sandbox.requests().is_empty());
    // A shell's loop has its own stdin, which stays its own.
    env.sandbox.on("DELETE", "v3/any/{id}", 204, Value::Null).unwrap();
    env.sandbox.on("POST", "v3/any/{id}", 204, Value::Null).unwrap();
    for line in [
        "printf '1\\n2\\n3\\n' > ids; while read -r id; do wxpay post v3/any/$id a=b; done < ids",
        "printf '1\\n2\\n3\\n' | while read -r id; do wxpay delete v3/any/$id; done",
        "printf '1\\n2\\n3\\n' | while read -r id; do wxpay post v3/any/$id < /dev/null; done",
    ] {
        let before = env.sandbox.requests().len();
        bash(&env, line).ok();
        assert_eq!(env.sandbox.requests().len(), before + 3, "{line}");
    }
    bash(&env, ": | wxpay post v3/any/1").ok();
}

#[test]
fn a_filter_that_halts_prints_its_message_and_chooses_the_exit_code() {
    let env = TestEnv::new();
    let bad = "a\u{1b}[2Jb";
    env.sandbox.on("GET", "v3/x", 200, json!({"t": "text", "n": 1, "bad": bad})).unwrap();
    for (filter, code, out, err) in [
        ("halt", 0, "", ""),
        (".n, halt, .t", 0, "1\n", ""),
        ("halt_error", 5, "", "{\"t\":\"text\","),
        (".t|halt_error", 5, "", "text\n"),
        (".n, (.t|halt_error(7))", 7, "1\n", "text\n"),
        (".n|halt_error(1)", 1, "", "1\n"),
        (".t|halt_error(0)", 0, "", "text\n"),
        (".bad|halt_error(3)", 3, "", "a\\u{1b}[2Jb\n"),
        (".n|debug", 0, "1\n", "[\"DEBUG:\",1]\n"),
        (".t|stderr", 0, "\"text\"\n", "text\n"),
        ("error(\"no\")", 1, "", "no"),
    ] {
        let done = env.run(&["get", "v3/x", "--jq", filter]);
        assert_eq!((done.code, &done.out[..]), (Some(code), out), "{filter}: {done:?}");
        let fits = if err.ends_with('\n') { done.err == err } else { done.err.contains(err) };
        assert!(fits, "{filter}: {done:?}");
    }
    assert!(env.run(&["get", "v3/x", "--jq", ".t|halt_error"]).err == "text\n");
}

#[test]
fn a_curl_command_for_a_sandbox_that_ends_is_refused() {
    let env = TestEnv::new();
    for arguments in [
        vec!["post", ECHO, "echo_message=x", "--curl", "--sandbox"],
        vec!["--sandbox", "get", "v3/x", "--curl"],
        vec!["--sandbox", "get", "v3/x", "--curl", "--base-url", "https://apihk.mch.weixin.qq.com/"],
    ] {
        env.run(&arguments).fails(1, "--curl cannot be used with --sandbox");
    }
}

#[test]
fn a_path_that_the_sandbox_does_not_model_is_reported() {
    let env = TestEnv::new();
    env.file("licence.jpg", b"\xff\xd8\xff\xd9");
    env.file("calls.jsonl", r#"{"method":"POST","path":"v3/no/such/path","body":{}}"#);
    for arguments in [
        vec!["post", "v3/fund-app/operation/mch-transfer/transfer-bills", "a=1"],
        vec!["get", "v3/no/such/path", "--save", "x"],
        vec!["upload", "licence.jpg", "v3/no/such/upload"],
        vec!["batch", "calls.jsonl"],
    ] {
        env.run(&arguments).is(0, "the path is not modelled");
    }
    env.run(&["post", ECHO, "echo_message=x"]).ok();
}

#[test]
fn words_of_the_library_do_not_reach_the_shell() {
    let env = TestEnv::new();
    env.file("licence.jpg", "x");
    let commands: Vec<Vec<&str>> = vec![
        vec!["get", "v3/P12345"],
        vec!["get", "v3/{id}"],
        vec!["get", "v3/粤"],
        vec!["get", "v3//x"],
        vec!["get", "v3/../x"],
        vec!["get", "v3/{"],
        vec!["get", "v3/x", "--var", "id=1"],
        vec!["get", "v3/x", "-H", "Host: x"],
        vec!["get", "v3/x", "--retry", "9"],
        vec!["get", "v3/x", "--encrypt", "a"],
        vec!["get", "v3/x", "--save", "/"],
        vec!["get", "v3/x", "--save", "."],
        vec!["get", "https://example.com/x", "-H", "A: b"],
        vec!["post", "v3/x", "json:={}"],
        vec!["post", "v3/x", "-d", "{\"json\":{}}"],
        vec!["post", "v3/x", "a=b", "--encrypt", "/c"],
        vec!["get", "v3/x", "query==1"],
        vec!["upload", "nothing", "v3/x"],
        vec!["upload", "licence.jpg", "v3/x", "--meta", "[]"],
        vec!["upload", "licence.jpg", "v3/x", "--type", ""],
        vec!["upload", "/", "v3/x"],
    ];
    let words = [
        ".var(",
        ".query(",
        ".header(",
        ".media(",
        ".body(",
        ".json(",
        ".options(",
        ".filename(",
        ".chain(",
        "`media",
        "save_to",
        "`json`",
        "merchantCertificate",
        "privateKey",
        "axios",
    ];
    let mut found = Vec::new();
    for command in commands {
        let done = env.run(&command);
        let here = words.into_iter().filter(|word| done.err.contains(word));
        found.extend(here.map(|word| format!("{word} in {command:?}: {}", done.err)));
    }
    assert!(found.is_empty(), "{found:#?}");
}
