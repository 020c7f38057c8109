//! Servers that answer with everything but the platform's word; and limits of one call.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use super::{BatchEnv, finish, thing};
use crate::support::{self, Recorder};

/// The id in `/v3/things/{id}`.
fn id_of(target: &str) -> String {
    target.rsplit('/').next().unwrap().to_owned()
}

/// An unsigned response, as a proxy or a gateway makes it.
fn unsigned(status: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    head.into_bytes()
}

/// What comes back for a call with this id.
fn response(id: &str) -> Vec<u8> {
    let html = ("Content-Type", "text/html");
    let page = "<html><body>blocked by policy</body></html>";
    let json = ("Content-Type", "application/json");
    match id {
        "html-403" => unsigned("403 Forbidden", &[html], page),
        "html-404" => unsigned("404 Not Found", &[html], page),
        "redirect-302" => unsigned("302 Found", &[("Location", "http://portal.example/login")], ""),
        "empty-408" => unsigned("408 Request Timeout", &[], ""),
        "html-413" => unsigned("413 Content Too Large", &[html], page),
        "empty-401" => unsigned("401 Unauthorized", &[], ""),
        "sign-401" => unsigned("401 Unauthorized", &[json], r#"{"code":"SIGN_ERROR","message":"wrong"}"#),
        "html-502" => unsigned("502 Bad Gateway", &[html], page),
        "portal-200" => unsigned("200 OK", &[html], page),
        "empty-200" => unsigned("200 OK", &[], ""),
        "empty-400" => unsigned("400 Bad Request", &[], ""),
        "other-json-403" => unsigned("403 Forbidden", &[json], r#"{"error":"forbidden"}"#),
        "json-400" => unsigned("400 Bad Request", &[json], r#"{"code":"PARAM_ERROR","message":"bad"}"#),
        "signed-400" => support::signed("400 Bad Request", &[], b"{}"),
        "limited" => support::signed(
            "429 Too Many Requests",
            &[],
            br#"{"code":"FREQUENCY_LIMITED","message":"later"}"#,
        ),
        _ => support::signed("200 OK", &[], b"{}"),
    }
}

/// The outcome of each, by the manual's table.
const OUTCOMES: &[(&str, &str)] = &[
    ("html-403", "unverified"),
    ("html-404", "unverified"),
    ("redirect-302", "unverified"),
    ("empty-408", "unverified"),
    ("html-413", "unverified"),
    ("empty-401", "unsent"),
    ("sign-401", "unsent"),
    ("html-502", "unknown"),
    ("portal-200", "unverified"),
    ("empty-200", "unverified"),
    ("empty-400", "unverified"),
    ("other-json-403", "unverified"),
    ("json-400", "refused"),
    ("signed-400", "refused"),
    ("limited", "limited"),
];

/// One after the other, good calls between them; interrupted after each run and resumed until nothing changes.
#[test]
fn only_the_platforms_word_ends_a_call() {
    let server = Recorder::start(|seen| response(&id_of(&seen.target)));
    let env = BatchEnv::new();
    let lines: String = OUTCOMES
        .iter()
        .map(|(id, _)| [thing("POST", id), thing("POST", &format!("good-{id}"))].concat())
        .collect();
    env.write("calls.jsonl", lines);
    let run = |arguments: &[&str]| finish(env.elsewhere(arguments).env("WECHATPAY_BASE_URL", &server.base));
    run(&["calls.jsonl", "-j1"]).is(4, "15 ok, 2 refused, 1 unknown, 3 left, 9 unverified");
    let expected: BTreeMap<String, String> = OUTCOMES
        .iter()
        .flat_map(|(id, outcome)| {
            [((*id).to_owned(), (*outcome).to_owned()), (format!("good-{id}"), "ok".to_owned())]
        })
        .collect();
    assert_eq!(env.journal().outcomes(), expected);

    // Resumed: only what was certainly not carried out is sent again.
    let before = server.seen().len();
    run(&["calls.jsonl", "-j1", "--resume"]).is(4, "15 ok, 2 refused, 1 unknown, 3 left, 9 unverified");
    let mut again: Vec<_> = server.seen()[before..].iter().map(|seen| id_of(&seen.target)).collect();
    again.sort();
    assert_eq!(again, ["empty-401", "limited", "limited", "limited", "sign-401"]);
    assert_eq!(env.journal().outcomes(), expected);
}

/// The same calls, four at a time, in batches that are killed and resumed: ten kills, a hundred with
/// `WECHATPAY_TESTS_FULL`.
#[test]
fn killed_between_such_responses_each_call_ends_rightly_and_none_is_sent_twice() {
    let kills = if std::env::var_os("WECHATPAY_TESTS_FULL").is_some() { 100 } else { 10 };
    let mut random = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64 | 1;
    println!("seed {random}");
    let server = Recorder::start(|seen| {
        std::thread::sleep(Duration::from_millis(5));
        response(&id_of(&seen.target))
    });
    let env = BatchEnv::new();
    let good = OUTCOMES.iter().map(|(id, _)| (format!("good-{id}"), "ok"));
    let expected: BTreeMap<String, &str> =
        OUTCOMES.iter().map(|(id, outcome)| ((*id).to_owned(), *outcome)).chain(good).collect();
    env.calls("POST", expected.keys().cloned());
    let command = |arguments: &[&str]| {
        let mut command = env.elsewhere(arguments);
        command.env("WECHATPAY_BASE_URL", &server.base);
        command
    };
    let began = Instant::now();
    finish(command(&["-h"]).stdout(std::process::Stdio::null()));
    let start = began.elapsed();
    let (mut killed, mut lost) = (0, 0);
    while killed < kills {
        let before = server.seen().len();
        let code = loop {
            let mut child = command(&["calls.jsonl", "-j4", "--resume"])
                .stderr(std::process::Stdio::null())
                .spawn()
                .unwrap();
            // Xorshift (Marsaglia 2003). All but the limited call end within about 50 ms.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let moment = if killed % 3 == 2 { 4_000 } else { 80 };
            std::thread::sleep(start + Duration::from_millis(random % moment));
            if killed < kills {
                child.kill().unwrap();
            }
            match child.wait().unwrap().code() {
                Some(code) => break code,
                None => killed += 1,
            }
        };
        assert_eq!(code, 4, "unverified responses come before all others");
        let mut times = HashMap::<_, usize>::new();
        server.seen()[before..].iter().for_each(|seen| *times.entry(id_of(&seen.target)).or_default() += 1);
        let journal = env.journal();
        let outcomes = journal.outcomes();
        assert_eq!(outcomes.len(), expected.len(), "a call is lost: {outcomes:?}");
        for (id, outcome) in &outcomes {
            let (story, times) = (journal.story(id), times.get(id).copied().unwrap_or_default());
            let announced = story.iter().filter(|word| **word == "sent").count();
            // Killed between the announcement and the record of the response.
            if outcome == "unknown" && expected[id] != "unknown" {
                assert_eq!(story[story.len() - 2..], ["sent", "unknown"], "{id}: {story:?}");
                lost += 1;
            } else {
                assert_eq!(outcome, expected[id], "{id}: {story:?}");
            }
            match expected[id] {
                // Certainly not carried out, so it may be sent again.
                "unsent" => assert!(times <= announced, "{id}: {story:?}, {times} times"),
                "limited" => assert!(times <= 3 * announced, "{id}: {story:?}, {times} times"),
                _ => assert!(announced == 1 && times <= 1, "{id}: {story:?}, {times} times"),
            }
        }
        std::fs::remove_file(env.path("calls.results.jsonl")).unwrap();
    }
    println!("{killed} kills; {lost} calls ended as unknown");
}

/// A call whose first attempt may have been carried out: a later one that certainly was not changes nothing about that.
#[test]
fn what_may_have_been_carried_out_once_stays_unknown() {
    for (first, unknown) in [("html-502", true), ("html-403", false)] {
        for second in ["empty-401", "limited"] {
            let now = std::sync::Arc::new(Mutex::new(first));
            let shared = std::sync::Arc::clone(&now);
            let server = Recorder::start(move |_| response(*shared.lock().unwrap()));
            let env = BatchEnv::new();
            env.calls("POST", ["1".to_owned()]);
            let run = |arguments: &[&str]| {
                let arguments = [&["calls.jsonl", "-j1"], arguments].concat();
                finish(env.elsewhere(&arguments).env("WECHATPAY_BASE_URL", &server.base))
            };
            let stays = |done: &crate::program::Done| match unknown {
                true => done.is(5, "0 ok, 0 refused, 1 unknown, 0 left"),
                false => done.is(4, "0 ok, 0 refused, 0 unknown, 0 left, 1 unverified"),
            };
            stays(&run(&[]));
            *now.lock().unwrap() = second;
            stays(&run(&["--resume", "--repeat-unknown"]));
            let sent = server.seen().len();
            assert!(sent >= 2, "{first} {second}");
            // Without being asked to, it is never repeated.
            stays(&run(&["--resume"]));
            assert_eq!(server.seen().len(), sent, "{first} {second}");
            // Nor after a run that was killed during such a repetition.
            let journal = env.read("calls.results.jsonl");
            let announced = journal.lines().find(|line| line.starts_with("{\"sent\"")).unwrap();
            env.write("calls.results.jsonl", format!("{journal}{announced}\n"));
            run(&["--resume"]);
            assert_eq!(server.seen().len(), sent, "{first} {second}");
        }
    }
}

/// The same within one run.
#[test]
fn an_unknown_attempt_counts_within_a_run() {
    let server = Recorder::script(["html-502", "empty-401"].map(response));
    let env = BatchEnv::new();
    env.calls("POST", ["1".to_owned()]);
    let run = |arguments: &[&str]| finish(env.elsewhere(arguments).env("WECHATPAY_BASE_URL", &server.base));
    run(&["calls.jsonl", "--repeat-unknown"]).is(5, "0 ok, 0 refused, 1 unknown, 0 left");
    assert_eq!(server.seen().len(), 2);
    // Sends nothing, which would be beyond the script.
    run(&["calls.jsonl", "--resume"]).is(5, "0 ok, 0 refused, 1 unknown, 0 left");
}

/// 200 refunds through a proxy that blocks: they are not "refused", and most are not even tried.
#[test]
fn a_proxy_that_blocks_stops_the_batch() {
    let server = Recorder::start(|_| response("html-403"));
    let env = BatchEnv::new();
    env.calls("POST", (0..200).map(|id| id.to_string()));
    let run =
        |base: &str, arguments: &[&str]| finish(env.elsewhere(arguments).env("WECHATPAY_BASE_URL", base));
    let done = run(&server.base, &["calls.jsonl", "-j4"]);
    done.is(4, "stopped early: 10 attempts in a row failed; the last one: 403");
    assert!(done.err.contains("0 ok, 0 refused"), "{done:?}");
    assert!(server.seen().len() <= 14, "{}", server.seen().len());
}

/// A wrong clock: every call is refused with 401, and none is lost.
#[test]
fn after_401_all_calls_are_left() {
    let wrong = Mutex::new(true);
    let server = Recorder::start(move |seen| {
        let mut wrong = wrong.lock().unwrap();
        if seen.target.ends_with("/repaired") {
            *wrong = false;
        }
        response(if *wrong { "sign-401" } else { "good" })
    });
    let env = BatchEnv::new();
    env.calls("POST", (0..60).map(|id| id.to_string()));
    let run = |arguments: &[&str]| finish(env.elsewhere(arguments).env("WECHATPAY_BASE_URL", &server.base));
    let began = Instant::now();
    run(&["calls.jsonl", "-j4"]).is(3, "0 ok, 0 refused, 0 unknown, 60 left");
    // Not repeated by itself: a wrong clock stays wrong.
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    env.write("repair.jsonl", thing("POST", "repaired"));
    run(&["repair.jsonl"]).is(0, "1 ok");
    run(&["calls.jsonl", "-j4", "--resume"]).is(0, "60 ok, 0 refused, 0 unknown, 0 left");
}

/// A limit of one order: three tries, and the other calls keep their pace.
#[test]
fn one_call_that_is_always_limited_does_not_hold_up_the_others() {
    for retry_after in [None, Some("900")] {
        let server = Recorder::start(move |seen| match (id_of(&seen.target).as_str(), retry_after) {
            ("limited", Some(seconds)) => {
                support::signed("429 Too Many Requests", &[("Retry-After", seconds)], b"{}")
            }
            (id, _) => response(id),
        });
        let env = BatchEnv::new();
        env.calls("POST", std::iter::once("limited".to_owned()).chain((0..300).map(|id| id.to_string())));
        let began = Instant::now();
        let done = finish(env.elsewhere(&["calls.jsonl", "-j2"]).env("WECHATPAY_BASE_URL", &server.base));
        done.is(3, "300 ok, 0 refused, 0 unknown, 1 left");
        assert!(!done.err.contains("slowed down") && !done.err.contains("stopped early"), "{done:?}");
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
        let tries = server.seen().iter().filter(|seen| id_of(&seen.target) == "limited").count();
        assert_eq!(tries, if retry_after.is_some() { 1 } else { 3 });
    }
}

#[test]
fn refusals_are_grouped_and_the_line_that_lists_them_works() {
    let env = BatchEnv::new();
    let refuse = |id: &str, code: &str, message: &str| {
        let body = json!({"code": code, "message": message});
        env.sandbox.on("POST", &format!("v3/things/{id}"), 403, body).unwrap();
    };
    for id in ["a", "b", "c", "d", "e"] {
        refuse(id, "NOT_ENOUGH", "余额不足");
    }
    refuse("f", "NO_AUTH", "no\u{1b}[31m\nright");
    let ids = ["a", "1", "b", "c", "d", "e", "f"].map(str::to_owned);
    env.calls("POST", ids);
    let name = "it's.jsonl";
    let done = env.run(&["calls.jsonl", "-j1", "-o", name]);
    done.is(2, "5 refused with NOT_ENOUGH: 余额不足 (a, b, c, …)");
    assert!(done.err.contains("1 refused with NO_AUTH: no [31m right (f)"), "{done:?}");
    assert!(!done.err.contains('\u{1b}'));
    // The groups are the same when everything was read from the journal.
    env.run(&["calls.jsonl", "--resume", "-o", name])
        .is(2, "5 refused with NOT_ENOUGH: 余额不足 (a, b, c, …)");
    let line = done.err.lines().find_map(|line| line.trim().strip_prefix("list them: jq ")).unwrap();
    // The program's own `--jq` reads the same language.
    let (filter, file) = line.strip_prefix("-c '").unwrap().split_once("' ").unwrap();
    assert_eq!((filter, file), (r#"select(.outcome == "refused")"#, r"'it'\''s.jsonl'"));
}

#[test]
fn input_as_it_comes() {
    let env = BatchEnv::new();
    let mut text = String::from("\u{feff}");
    for (at, method) in ["get", "Post", "PUT", "patch", "dElEtE"].iter().enumerate() {
        text.push_str(&format!(
            "{{\"method\":\"{method}\",\"path\":\"v3/things/{{id}}\",\"vars\":{{\"id\":{at}}}}}\r\n"
        ));
    }
    env.write("calls.jsonl", text);
    env.run(&["calls.jsonl"]).is(0, "5 ok");
    let changed = env.read("calls.jsonl").replace("\"id\":3", "\"id\":33");
    env.write("calls.jsonl", changed);
    env.run(&["calls.jsonl", "--resume"]).is(1, "give the new call an `id` of its own");
}

/// Records come on stdout as they are made, for another program.
#[test]
fn the_journal_can_go_to_stdout() {
    let env = BatchEnv::new();
    env.calls("POST", (0..5).map(|id| id.to_string()));
    let done = crate::program::Done::from(env.batch(&["calls.jsonl", "-o", "-"]).output().unwrap());
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.err.contains("the journal is on stdout"), "{done:?}");
    let records: Vec<Value> = done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let outcomes: HashMap<_, _> = records
        .iter()
        .filter_map(|record| Some((record["id"].as_str()?, record["outcome"].as_str()?)))
        .collect();
    assert!(outcomes.len() == 5 && outcomes.values().all(|outcome| *outcome == "ok"), "{records:?}");
    assert!(!env.path("-").exists() && !env.path("calls.results.jsonl").exists());
    env.run(&["calls.jsonl", "-o", "-", "--resume"]).is(1, "use -o FILE with --resume");
}
