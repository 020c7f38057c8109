//! `wxpay batch` against the sandbox: what is sent and kept, each ending, rate limits, the documents' scripts.
#![cfg(all(feature = "cli", unix))]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod desk;
mod support;

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use desk::{Desk, Done, Journal, THINGS, program, thing};
use serde_json::{Value, json};
use wechatpay_chain::sandbox::{Answer, Fault};

#[test]
fn calls_are_sent_as_they_are_written_and_their_answers_kept() {
    let desk = Desk::new();
    let exact = r#"{"n": 1.10, "big":123456789012345678901234567890}"#;
    desk.write(
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
    desk.sandbox.on_with("PUT", "v3/text", Answer::new(200).body("text/csv", "a,b\n1,2\n")).unwrap();
    desk.run(&["calls.jsonl", "-j", "1"])
        .is(0, "5 calls: 5 ok, 0 refused, 0 unknown, 0 left; the journal is `calls.results.jsonl`");

    let seen = desk.sandbox.requests();
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
    assert_eq!(seen[2].headers["wechatpay-serial"], desk.sandbox.platform_public_key_id());
    assert!(seen[3].body.is_empty());

    let journal = desk.journal();
    assert_eq!(
        journal.records[0],
        json!({"run": 1, "mchid": "1900000109", "platform": desk.sandbox.base_url()})
    );
    let results = journal.results();
    assert_eq!(results.keys().collect::<Vec<_>>(), ["3", "none", "one", "secret", "text"]);
    assert_eq!(results["one"]["body"], json!({"done": true}));
    assert_eq!(results["text"]["text"], "a,b\n1,2\n");
    assert_eq!((&results["3"]["status"], &results["3"]["verified"]), (&json!(200), &json!(true)));
    assert!(results["3"]["request_id"].is_string());
    // Announced before, and with no word of what was in it.
    assert_eq!(journal.story("secret"), ["sent", "ok"]);
    assert!(!desk.read("calls.results.jsonl").contains("张三"));
    let mode = std::fs::metadata(desk.path("calls.results.jsonl")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    // Done is done.
    let before = desk.sandbox.requests().len();
    desk.run(&["calls.jsonl"]).is(1, "--resume");
    desk.run(&["calls.jsonl", "--resume"]).is(0, "5 ok");
    assert_eq!(desk.sandbox.requests().len(), before);
}

#[test]
fn a_mistake_on_any_line_is_told_by_its_line_and_nothing_is_sent() {
    let desk = Desk::new();
    let good = thing("POST", "R1");
    let long = format!(r#"{{"method":"POST","path":"v3/x","body":"{}"}}"#, "x".repeat(8 << 20));
    for (line, part) in [
        ("{", "line 3: EOF while parsing an object, column 1"),
        ("[]", "line 3"),
        ("nonsense", "line 3: expected"),
        (r#"{"method":"GET","path":"v3/x","url":1}"#, "line 3: unknown field `url`"),
        (r#"{"method":"GET","path":"v3/x","path":"v3/y"}"#, "line 3: duplicate field `path`"),
        (r#"{"method":"GET"}"#, "line 3: missing field `path`"),
        (r#"{"path":"v3/x"}"#, "line 3: missing field `method`"),
        (r#"{"method":"get","path":"v3/x"}"#, "line 3: unknown variant `get`, expected one of `GET`"),
        (r#"{"method":"GET","path":"v3/x"} {}"#, "line 3: trailing characters"),
        (r#"{"id":"R1","method":"GET","path":"v3/x"}"#, "line 3: its `id` is already used on line 1"),
        (r#"{"id":"","method":"GET","path":"v3/x"}"#, "line 3: `id` is empty"),
        (r#"{"id":7,"method":"GET","path":"v3/x"}"#, "line 3: invalid type"),
        (r#"{"method":"GET","path":"v3/P123"}"#, "line 3: the segment `P123`"),
        (r#"{"method":"GET","path":"v3/{id}"}"#, "line 3"),
        (r#"{"method":"GET","path":"v3/x","vars":{"y":1}}"#, "line 3"),
        (r#"{"method":"GET","path":"v3/x","headers":{"Host":"x"}}"#, "line 3: `headers.Host`"),
        (r#"{"method":"POST","path":"v3/x","body":{},"encrypt":["/a"]}"#, "line 3"),
        (r#"{"method":"POST","path":"v3/x","encrypt":["/a"]}"#, "line 3: `encrypt` needs a JSON body"),
        (r#"{"method":"GET","path":"v3/x","timeout":-1}"#, "line 3: `timeout`: expected seconds, found -1"),
        (r#"{"method":"GET","path":"v3/x","timeout":0}"#, "line 3: `timeout`"),
        (r#"{"method":"GET","path":"v3/x","timeout":1e99}"#, "line 3: `timeout`"),
        ("\u{feff}{}", "line 3"),
        (&long, "line 3: line too long (limit 8388608 bytes)"),
    ] {
        desk.write("calls.jsonl", format!("{good}\n{line}\n"));
        desk.run(&["calls.jsonl"]).is(1, part);
    }
    desk.write("calls.jsonl", [good.as_bytes(), b"\n{\"method\":\"GET\",\"path\":\"v3/\xff\"}"].concat());
    desk.run(&["calls.jsonl"]).is(1, "line 3");
    desk.run(&["nowhere.jsonl"]).is(1, "cannot read `nowhere.jsonl`");
    desk.run(&["."]).is(1, "cannot read");
    desk.run(&["-"]).is(1, "use -o to name the journal");
    desk.run(&["calls.jsonl", "-j", "0"]).is(1, "invalid value");
    desk.write("calls.jsonl", good);
    desk.run(&["calls.jsonl", "-o", "/dev/null"])
        .is(1, "expected a regular file for the journal, found `/dev/null`");
    desk.run(&["calls.jsonl", "-o", "/nowhere/r.jsonl"]).is(1, "cannot open the journal `/nowhere/r.jsonl`");
    assert_eq!(desk.sandbox.requests().len(), 0);
    assert!(!desk.path("calls.results.jsonl").exists());

    // No call at all is no mistake.
    desk.write("calls.jsonl", "\n");
    desk.run(&["calls.jsonl"]).is(0, "0 calls");
}

#[test]
fn the_exit_code_tells_the_worst_that_happened() {
    let desk = Desk::new();
    let fresh = |verb: &str| {
        let _ = std::fs::remove_file(desk.path("calls.results.jsonl"));
        desk.calls(verb, ["1".to_owned(), "2".to_owned(), "3".to_owned()]);
    };
    let refusal = json!({"code": "NO_AUTH", "message": "not yours", "detail": {"field": "x"}});
    desk.sandbox.on("POST", "v3/things/2", 403, refusal).unwrap();
    fresh("POST");
    desk.run(&["calls.jsonl", "-j1"]).is(2, "3 calls: 2 ok, 1 refused, 0 unknown, 0 left");
    let journal = desk.journal();
    let refused = journal.results()["2"].clone();
    assert_eq!(
        (&refused["outcome"], &refused["status"], &refused["code"], &refused["message"]),
        (&json!("refused"), &json!(403), &json!("NO_AUTH"), &json!("not yours"))
    );
    assert_eq!(refused["detail"], json!({"field": "x"}));
    // It was answered: not sent again.
    desk.run(&["calls.jsonl", "--resume"]).is(2, "1 refused");
    assert_eq!(desk.seen()["2"], 1);

    desk.sandbox.inject(Fault::CutConnection);
    fresh("POST");
    desk.run(&["calls.jsonl", "-j1"]).is(3, "3 calls: 1 ok, 1 refused, 1 unknown, 0 left");

    desk.sandbox.inject(Fault::CutConnection);
    desk.sandbox.inject(Fault::BadSignature);
    fresh("POST");
    desk.run(&["calls.jsonl", "-j1"]).is(4, "1 ok, 0 refused, 1 unknown, 0 left, 1 unverified");
    assert_eq!(desk.journal().outcomes()["2"], "unverified");

    // Nobody there: nothing was sent, so all of it is left.
    fresh("POST");
    desk.sandbox.clear_requests();
    let mut nobody = desk.batch(&["calls.jsonl"]);
    Done::of(nobody.env("WECHATPAY_BASE_URL", "http://127.0.0.1:9/"))
        .is(3, "0 ok, 0 refused, 0 unknown, 3 left");
    assert_eq!(desk.journal().outcomes()["1"], "unsent");

    let mut as_json = desk.batch(&["calls.jsonl", "-o", "other.jsonl", "--json-errors"]);
    let done = Done::of(&mut as_json);
    let summary: Value = serde_json::from_str(&done.err).unwrap();
    assert_eq!(summary, json!({"calls": 3, "ok": 2, "refused": 1, "unknown": 0, "unverified": 0, "left": 0}));
}

#[test]
fn a_batch_in_which_nothing_works_stops_before_its_end() {
    let desk = Desk::new();
    desk.calls("POST", (0..100).map(|id| id.to_string()));
    let mut nobody = desk.batch(&["calls.jsonl", "-j4"]);
    let done = Done::of(nobody.env("WECHATPAY_BASE_URL", "http://127.0.0.1:9/"));
    done.is(3, "stopped early: 10 calls in a row failed");
    assert!(desk.journal().outcomes().len() < 20, "{done:?}");
}

/// A server that is not there yet.
#[test]
fn a_call_that_never_left_is_sent_again() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let desk = Desk::new();
    desk.calls("POST", ["1".to_owned()]);
    let mut batch = desk.elsewhere(&["calls.jsonl"]);
    let child =
        batch.env("WECHATPAY_BASE_URL", format!("http://{port}/")).stderr(Stdio::piped()).spawn().unwrap();
    while !desk.path("calls.results.jsonl").exists() || !desk.read("calls.results.jsonl").contains("unsent") {
        std::thread::sleep(Duration::from_millis(5));
    }
    let listener = TcpListener::bind(port).unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 4096];
        assert!(stream.read(&mut head).unwrap() > 0);
        stream.write_all(&support::signed("204 No Content", &[], b"")).unwrap();
    });
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(desk.journal().story("1"), ["sent", "unsent", "sent", "ok"]);
}

#[test]
fn what_may_have_been_carried_out_is_repeated_only_if_it_is_a_get_or_asked_for() {
    let desk = Desk::new();
    let broken = json!({"code": "SYSTEM_ERROR", "message": "later"});
    desk.sandbox.on("POST", "v3/things/S", 500, broken).unwrap();
    desk.write(
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
        desk.sandbox.inject(fault);
    }
    desk.run(&["calls.jsonl", "-j1"]).is(3, "1 ok, 0 refused, 2 unknown, 0 left");
    assert_eq!(desk.seen(), [("C", 1), ("G", 2), ("S", 1)].map(|(id, n)| (id.to_owned(), n)).into());
    let journal = desk.journal();
    assert_eq!(journal.story("G"), ["sent", "unknown", "sent", "ok"]);
    assert_eq!(journal.story("S"), ["sent", "unknown"]);
    assert_eq!(journal.results()["S"]["code"], "SYSTEM_ERROR");

    desk.run(&["calls.jsonl", "--resume"]).is(3, "1 ok, 0 refused, 2 unknown");
    assert_eq!(desk.seen()["C"], 1);
    desk.sandbox.on("POST", "v3/things/S", 200, json!({})).unwrap();
    desk.run(&["calls.jsonl", "--resume", "--repeat-unknown", "-j1"]).is(0, "3 ok");
    assert_eq!(desk.seen(), [("C", 2), ("G", 2), ("S", 2)].map(|(id, n)| (id.to_owned(), n)).into());
    assert_eq!(&desk.last().body[..], br#"{"no":1.0}"#);
}

/// A platform with a quota, on raw sockets.
#[test]
fn a_rate_limit_slows_all_calls_down_and_none_is_lost() {
    const QUOTA: usize = 10;
    let (times, refusals) = (Mutex::new(VecDeque::<Instant>::new()), Mutex::new(0));
    let server = support::Recorder::start(move |_| {
        let (mut times, mut refusals) = (times.lock().unwrap(), refusals.lock().unwrap());
        let now = Instant::now();
        while times.front().is_some_and(|at| now - *at > Duration::from_secs(1)) {
            times.pop_front();
        }
        if times.len() < QUOTA {
            times.push_back(now);
            return support::signed("200 OK", &[], b"{}");
        }
        *refusals += 1;
        let body = br#"{"code":"FREQUENCY_LIMITED","message":"later"}"#;
        // The first one says how long; the code tells it, too, whatever the status.
        match *refusals {
            1 => support::signed("429 Too Many Requests", &[("Retry-After", "2")], body),
            n if n % 2 == 0 => support::signed("429 Too Many Requests", &[], body),
            _ => support::signed("403 Forbidden", &[], body),
        }
    });
    let desk = Desk::new();
    desk.calls("POST", (0..25).map(|id| id.to_string()));
    let began = Instant::now();
    let done = Done::of(desk.elsewhere(&["calls.jsonl", "-j4"]).env("WECHATPAY_BASE_URL", &server.base));
    done.is(0, "25 ok, 0 refused, 0 unknown, 0 left");
    assert!(done.err.contains("slowed down"), "{done:?}");
    assert!(began.elapsed() > Duration::from_secs(2), "{:?}", began.elapsed());
    let journal = desk.journal();
    let count = |word| journal.records.iter().filter(|record| record["outcome"] == word).count();
    assert_eq!(count("ok"), 25);
    // Two quotas have to be waited for, and only the calls in flight met each wall.
    assert_eq!(server.seen().len(), 25 + count("limited"));
    assert!((1..=12).contains(&count("limited")), "{}", count("limited"));
    // Those that were in flight aside, nobody asks while the two seconds last.
    let at = |record: &Value| record["at"].as_u64().unwrap();
    let first = journal.records.iter().find(|record| record["outcome"] == "limited").map(at).unwrap();
    let sent = |record: &&Value| !record["sent"].is_null() && (first + 1..first + 2).contains(&at(record));
    assert_eq!(journal.records.iter().filter(sent).count(), 0);
}

#[test]
fn calls_come_from_stdin_and_journals_of_parts_concatenate() {
    let desk = Desk::new();
    let parts =
        [[thing("POST", "1"), thing("POST", "2")].concat(), [thing("POST", "3"), thing("GET", "4")].concat()];
    let from_stdin = |part: &str, arguments: &[&str]| {
        let mut command = desk.batch(&["-"]);
        let mut child = command.args(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(part.as_bytes()).unwrap();
        child.wait().unwrap().code()
    };
    for (part, name) in parts.iter().zip(["a.jsonl", "b.jsonl"]) {
        assert_eq!(from_stdin(part, &["-o", name]), Some(0));
    }
    let all = ["a.jsonl", "b.jsonl"].map(|name| desk.read(name)).concat();
    assert_eq!(Journal::of(&all).outcomes().len(), 4);
    // Together they are the journal of the calls together.
    desk.write("calls.jsonl", parts.concat());
    desk.write("calls.results.jsonl", all);
    desk.run(&["calls.jsonl", "--resume"]).is(0, "4 ok");
    assert_eq!(from_stdin(&parts.concat(), &["-o", "calls.results.jsonl", "--resume"]), Some(0));
    assert_eq!(desk.sandbox.requests().len(), 4);
}

#[test]
fn the_sandbox_of_its_own_goes_on_only_with_journals_of_such() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("calls.jsonl"), "{\"method\":\"GET\",\"path\":\"v3/certificates\"}\n")
        .unwrap();
    let run = |more: &[&str]| Done::of(program(home.path()).args(["calls.jsonl", "--sandbox"]).args(more));
    run(&[]).is(0, "1 ok");
    run(&["--resume"]).is(0, "1 ok");
    let journal = std::fs::read_to_string(home.path().join("calls.results.jsonl")).unwrap();
    assert!(journal.contains("\"platform\":\"sandbox\""), "{journal}");
}

#[test]
fn no_more_calls_are_in_flight_than_allowed() {
    let most = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let counted = Arc::clone(&most);
    let server = support::Recorder::start(move |_| {
        let (now, most) = &*counted;
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(30));
        now.fetch_sub(1, Ordering::SeqCst);
        support::signed("200 OK", &[], b"{}")
    });
    let desk = Desk::new();
    desk.calls("POST", (0..24).map(|id| id.to_string()));
    Done::of(desk.elsewhere(&["calls.jsonl", "-j6"]).env("WECHATPAY_BASE_URL", &server.base)).is(0, "24 ok");
    assert_eq!((most.1.load(Ordering::SeqCst), server.seen().len()), (6, 24));
}

#[test]
fn a_call_has_its_own_timeout_and_a_late_answer_is_unknown() {
    let desk = Desk::new();
    desk.sandbox.inject(Fault::Delay(Duration::from_secs(2)));
    desk.write("calls.jsonl", thing("POST", "1").replace("}\n", ",\"timeout\":0.2}\n"));
    desk.run(&["calls.jsonl"]).is(3, "0 ok, 0 refused, 1 unknown");
    let journal = desk.journal();
    let message = journal.results()["1"]["message"].as_str().unwrap();
    assert!(message.contains("no whole answer within 200ms"), "{message}");
}

#[test]
fn fields_are_encrypted_for_a_certificate_that_is_fetched_first() {
    let desk = Desk::new();
    let name = r#"{"method":"POST","path":"v3/things/1","body":{"name":"张三"},"encrypt":["/name"]}"#;
    desk.write("calls.jsonl", name);
    let mut batch = desk.batch(&["calls.jsonl"]);
    batch.env_remove("WECHATPAY_PUBLIC_KEY_ID").env_remove("WECHATPAY_PUBLIC_KEY");
    batch.env("WECHATPAY_AUTOMATIC_CERTIFICATES", "1").env("WECHATPAY_APIV3_KEY", desk.sandbox.apiv3_key());
    Done::of(&mut batch).is(0, "1 ok");
    assert_eq!(desk.last().headers["wechatpay-serial"], desk.sandbox.platform_certificate_serial());
}

#[test]
fn progress_shows_on_a_terminal_only() {
    let desk = Desk::new();
    desk.calls("POST", (0..3).map(|id| id.to_string()));
    let plain = desk.run(&["calls.jsonl", "-o", "plain.jsonl"]);
    assert!(plain.code == Some(0) && !plain.err.contains('\u{1b}'), "{plain:?}");
    // A terminal of `script`'s (util-linux).
    let line = format!("{} batch calls.jsonl", env!("CARGO_BIN_EXE_wxpay"));
    let batch = desk.batch(&[]);
    let variables = batch.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let mut script = Command::new("script");
    script.env_clear().envs(variables).env("TERM", "xterm").env("PATH", std::env::var("PATH").unwrap());
    let drawn = script.current_dir(desk.home.path()).args(["-qec", &line, "/dev/null"]).stdin(Stdio::null());
    let Ok(drawn) = drawn.output() else {
        println!("skipped: there is no `script`");
        return;
    };
    let text = String::from_utf8_lossy(&drawn.stdout);
    assert!(text.contains("\u{1b}[2K") && text.contains("3 ok"), "{drawn:?}");
}

/// A stand-in where GNU parallel is not installed.
const PARALLEL: &str = r#"#!/bin/bash
command=(); while [ "$1" != ::: ]; do command+=("$1"); shift; done; shift
for part; do "${command[@]/\{\}/$part}" & done
for job in $(jobs -p); do wait "$job" || exit 1; done
"#;

#[test]
fn the_scripts_of_the_documents_run() {
    let script = |language: &str, word: &str| {
        let name = format!("{}/docs/cli{language}.md", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(name).unwrap();
        let mut blocks =
            text.split("```bash\n").skip(1).map(|block| block.split("```").next().unwrap().to_owned());
        blocks.find(|block| block.contains(word)).unwrap()
    };
    for language in ["", ".zh-CN"] {
        let desk = Desk::new();
        let put = |name: &str, text: &str| {
            std::fs::create_dir_all(desk.path(name).parent().unwrap()).unwrap();
            desk.write(name, text);
            std::fs::set_permissions(desk.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        // The machine's own programs go first.
        put("bin/wxpay", &format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_wxpay")));
        put("bin/parallel", PARALLEL);
        let run = |script: &str| {
            let path = format!("{}:{}", std::env::var("PATH").unwrap(), desk.path("bin").display());
            let batch = desk.batch(&[]);
            let variables = batch.get_envs().filter_map(|(name, value)| Some((name, value?)));
            let mut bash = Command::new("bash");
            bash.env_clear().envs(variables).env("PATH", path).current_dir(desk.home.path());
            bash.args(["-e", "-c", script]).output().unwrap()
        };
        desk.calls("POST", (0..40).map(|id| id.to_string()));
        let output = run(&script(language, "parallel"));
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("wxpay: 40 calls: 40 ok"), "{output:?}");
        assert!(desk.seen().len() == 40 && desk.seen().values().all(|times| *times == 1));
        let part =
            |letter| Journal::of(&desk.read(&format!("part.a{letter}.results.jsonl"))).outcomes().len();
        assert_eq!(["a", "b", "c", "d"].map(part).iter().sum::<usize>(), 40);

        desk.sandbox
            .on("POST", "v3/things/late", 500, json!({"code": "SYSTEM_ERROR", "message": "later"}))
            .unwrap();
        put("queue/a.jsonl", &thing("POST", "a"));
        put("queue/b.jsonl", "no call");
        put("queue/c.jsonl", &[thing("POST", "c"), thing("POST", "late")].concat());
        let work = script(language, "queue/*.jsonl");
        for _ in 0..2 {
            let output = run(&work);
            assert!(output.status.success(), "{output:?}");
        }
        for place in
            ["done/a.jsonl", "failed/b.jsonl", "queue/c.jsonl", "journals/a.jsonl", "journals/c.jsonl"]
        {
            assert!(desk.path(place).exists(), "{place}");
        }
        assert_eq!((desk.seen()["c"], desk.seen()["late"]), (1, 1));
    }
}
