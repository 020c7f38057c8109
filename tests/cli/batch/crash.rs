//! `wxpay batch` interrupted, killed and resumed; its journal cut off, damaged, locked or of another merchant. The
//! sandbox's record shows what was sent.

use std::fs::Permissions;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use wechatpay_chain::sandbox::Fault;

use super::{BatchEnv, finish, program, thing};

fn signal(child: &Child, name: &str) {
    let kill = format!("kill -{name} {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

/// Runs until the sandbox has so many requests.
fn running(
    env: &BatchEnv,
    requests: usize,
    arguments: &[&str],
) -> (Child, BufReader<std::process::ChildStderr>) {
    let before = env.sandbox.requests().len();
    let mut child = env.batch(arguments).stderr(Stdio::piped()).spawn().unwrap();
    let err = BufReader::new(child.stderr.take().unwrap());
    while env.sandbox.requests().len() < before + requests {
        std::thread::sleep(Duration::from_millis(1));
    }
    (child, err)
}

#[test]
fn ctrl_c_lets_calls_in_flight_end_and_the_rest_is_left() {
    let env = BatchEnv::new();
    env.calls("POST", (0..40).map(|id| id.to_string()));
    env.sandbox.inject_always(Fault::Delay(Duration::from_millis(300)));
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let (mut child, err) = running(&env, 6, &["calls.jsonl", "-j4", "--resume"]);
        signal(&child, name);
        let err: Vec<_> = err.lines().map(Result::unwrap).collect();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{err:?}");
        assert!(err.iter().any(|line| line.contains("no new calls; waiting for 4 in flight")), "{err:?}");
        assert!(err.iter().any(|line| line.contains("stopped early: ended by")), "{err:?}");
        assert!(err.iter().any(|line| line.contains(" 0 unknown,")), "{err:?}");
    }
    let sent = env.seen();
    assert!(sent.len() < 40 && sent.values().all(|times| *times == 1), "{sent:?}");
    // Each of them has its response in the journal.
    assert_eq!(env.journal().outcomes().keys().collect::<Vec<_>>(), sent.keys().collect::<Vec<_>>());
    env.sandbox.clear_faults();
    env.run(&["calls.jsonl", "--resume"]).is(0, "40 ok");
    assert!(env.seen().len() == 40 && env.seen().values().all(|times| *times == 1));
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let env = BatchEnv::new();
    env.calls("POST", (0..8).map(|id| id.to_string()));
    env.sandbox.inject_always(Fault::Delay(Duration::from_secs(20)));
    let (mut child, mut err) = running(&env, 2, &["calls.jsonl", "-j2"]);
    let began = Instant::now();
    signal(&child, "INT");
    let mut line = String::new();
    err.read_line(&mut line).unwrap();
    assert!(line.contains("no new calls"), "{line}");
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(5));
    // Two were announced: their outcome is unknown.
    env.sandbox.clear_faults();
    env.run(&["calls.jsonl", "--resume"]).is(5, "6 ok, 0 refused, 2 unknown, 0 left");
    assert_eq!(env.journal().story("0"), ["sent", "unknown"]);
    assert!(env.seen().values().all(|times| *times == 1));
}

/// A hundred kills with `WECHATPAY_TESTS_FULL`, else ten, or as many as it takes to hit a call in flight.
#[test]
fn killed_at_random_moments_nothing_is_lost_and_nothing_answered_is_sent_twice() {
    const CALLS: usize = 8;
    let enough = if std::env::var_os("WECHATPAY_TESTS_FULL").is_some() { 100 } else { 10 };
    let seed = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    println!("seed {seed}");
    let mut random = seed | 1;
    let mut next = move |below: u64| {
        // Xorshift (Marsaglia 2003).
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    let env = BatchEnv::new();
    env.sandbox.inject_always(Fault::Delay(Duration::from_millis(3)));
    // How long the program takes to start, and for a whole batch, so that each moment is met.
    let takes = |calls: usize| {
        env.calls("POST", (0..calls).map(|id| id.to_string()));
        let began = Instant::now();
        env.run(&["calls.jsonl", "-j4"]).is(0, &format!("{calls} ok"));
        std::fs::remove_file(env.path("calls.results.jsonl")).unwrap();
        u64::try_from(began.elapsed().as_micros()).unwrap()
    };
    let (start, whole) = (takes(0), takes(CALLS));

    let (mut kills, mut batches, mut unknown) = (0, 0, 0);
    while kills < enough || (unknown == 0 && kills < 100) {
        let verb = ["POST", "GET"][batches % 2];
        let all: Vec<_> = (0..CALLS).map(|id| format!("{batches}-{id}")).collect();
        batches += 1;
        env.calls(verb, all.clone());
        env.sandbox.clear_requests();
        // Each kill of a batch comes a little later on average: on a machine that became slower, it ends all the same.
        let mut patience = 0;
        let code = loop {
            patience += whole / 16;
            let mut child =
                env.batch(&["calls.jsonl", "-j4", "--resume"]).stderr(Stdio::null()).spawn().unwrap();
            // One in four while it starts, too.
            let from = if next(4) == 0 { 0 } else { start.min(whole / 2) };
            std::thread::sleep(Duration::from_micros(from + next(whole + patience - from)));
            child.kill().unwrap();
            let status = child.wait().unwrap();
            match status.code() {
                Some(code) => break code,
                None => kills += u32::from(status.signal() == Some(9)),
            }
        };
        // Requests that a killed client left behind may still be on their way.
        std::thread::sleep(Duration::from_millis(5));
        let (journal, seen) = (env.journal(), env.seen());
        let outcomes = journal.outcomes();
        assert_eq!(outcomes.len(), CALLS, "a call is lost: {outcomes:?}");
        for id in &all {
            let (outcome, story) = (outcomes[id].as_str(), journal.story(id));
            let times = seen.get(id).copied().unwrap_or_default();
            let announced = story.iter().filter(|word| **word == "sent").count();
            assert!(times <= announced, "{id} was sent before it was announced: {story:?}, {times} times");
            match (verb, outcome) {
                ("POST", "ok") => assert_eq!((times, announced), (1, 1), "{id}: {story:?}"),
                ("POST", "unknown") => {
                    assert!(times <= 1 && announced == 1, "{id}: {story:?}, {times} times")
                }
                ("GET", "ok") => {
                    assert!(times >= 1);
                    // Nothing after its response.
                    assert_eq!(
                        story.iter().position(|word| *word == "ok"),
                        Some(story.len() - 1),
                        "{story:?}"
                    );
                }
                other => panic!("{id}: {other:?}"),
            }
        }
        let lost = outcomes.values().filter(|outcome| *outcome == "unknown").count();
        unknown += lost;
        assert_eq!(code, if lost == 0 { 0 } else { 5 });
        std::fs::remove_file(env.path("calls.results.jsonl")).unwrap();
    }
    println!("{kills} kills in {batches} batches of {CALLS}; {unknown} calls ended as unknown");
    assert!(unknown > 0, "no kill hit a call in flight");
}

#[test]
fn an_incomplete_last_line_is_discarded_and_a_damaged_one_is_an_error() {
    let env = BatchEnv::new();
    env.calls("POST", ["1".to_owned(), "2".to_owned()]);
    env.run(&["calls.jsonl", "-j1"]).is(0, "2 ok");
    let whole = env.read("calls.results.jsonl");
    let lines: Vec<_> = whole.lines().collect();
    assert_eq!(lines.len(), 5);
    // The line with the second result is incomplete: the call was sent, its outcome is unknown.
    for keep in [1, lines[4].len() / 2, lines[4].len()] {
        let torn = format!("{}\n{}", lines[..4].join("\n"), &lines[4][..keep]);
        env.write("calls.results.jsonl", &torn);
        let done = env.run(&["calls.jsonl", "--resume"]);
        done.is(5, "1 ok, 0 refused, 1 unknown, 0 left");
        assert!(
            done.err.contains(&format!("incomplete last line of `calls.results.jsonl` ({keep} bytes)")),
            "{done:?}"
        );
        assert_eq!(env.journal().story("2"), ["sent", "unknown"]);
    }
    // Blocks that a crash of the machine left empty.
    env.write("calls.results.jsonl", format!("{}\n{}", lines[..4].join("\n"), "\0".repeat(4096)));
    env.run(&["calls.jsonl", "--resume"]).is(5, "1 unknown");
    // An announcement is incomplete: the call was not sent yet, so it is sent now.
    env.write("calls.results.jsonl", format!("{}\n{{\"sent\":\"2\"", lines[..3].join("\n")));
    assert!(lines[3].starts_with("{\"sent\":\"2\""), "{}", lines[3]);
    env.run(&["calls.jsonl", "--resume"]).is(0, "2 ok");
    assert_eq!(env.seen()["2"], 2);

    let damaged = |line: usize, text: &str| {
        let mut lines = lines.clone();
        lines[line] = text;
        env.write("calls.results.jsonl", lines.join("\n") + "\n");
        env.sandbox.clear_requests();
        let done = env.run(&["calls.jsonl", "--resume"]);
        assert_eq!(env.sandbox.requests().len(), 0);
        // Nothing of it is changed.
        assert_eq!(env.read("calls.results.jsonl"), lines.join("\n") + "\n");
        done
    };
    damaged(2, "{\"id\":\"1\",\"outc").is(1, "`calls.results.jsonl`, line 3: the journal is damaged");
    damaged(1, "").is(1, "line 2: the journal is damaged");
    damaged(0, lines[1]).is(1, "line 1: not a journal: its first record must be `run`");
    damaged(4, "{\"id\":\"2\"}").is(1, "line 5: the journal is damaged");
    damaged(0, &lines[0].replace("1900000109", "1900000110")).is(1, "merchant 1900000110");
    damaged(0, &lines[0].replace("127.0.0.1", "127.0.0.2"))
        .is(1, "this is merchant 1900000109 at http://127.0.0.1");
    damaged(0, &lines[0].replace("\"run\":1", "\"run\":2"))
        .is(1, "expected a journal of version 1, found version 2");
    // Another file by mistake.
    env.run(&["calls.jsonl", "-o", "calls.jsonl", "--resume"]).is(1, "not a journal");
}

/// `cat a b > c`: the last line of `a` is incomplete, so the first line of `b` continues it. And the shell's file can be
/// read by others.
#[test]
fn concatenated_journals_may_have_an_incomplete_record_between_them() {
    let env = BatchEnv::new();
    let part = |name: &str, ids: [&str; 2]| {
        env.calls("POST", ids.map(str::to_owned));
        env.run(&["calls.jsonl", "-j1", "-o", name]).is(0, "2 ok");
        env.read(name)
    };
    let (first, second) = (part("a.jsonl", ["1", "2"]), part("b.jsonl", ["3", "4"]));
    env.calls("POST", ["1", "2", "3", "4"].map(str::to_owned));
    let lines: Vec<_> = first.lines().collect();
    for (torn, state) in [(&lines[..5], "result"), (&lines[..4], "announcement")] {
        let (last, whole) = torn.split_last().unwrap();
        for keep in [1, last.len() / 2, last.len() - 1] {
            env.write("c.jsonl", format!("{}\n{}{second}", whole.join("\n"), &last[..keep]));
            std::fs::set_permissions(env.path("c.jsonl"), Permissions::from_mode(0o644)).unwrap();
            env.sandbox.clear_requests();
            let done = env.run(&["calls.jsonl", "--resume", "-o", "c.jsonl"]);
            assert!(done.err.contains("skipped an incomplete record before `run`"), "{done:?}");
            assert!(done.err.contains("its mode is 0600 now"), "{done:?}");
            assert_eq!(std::fs::metadata(env.path("c.jsonl")).unwrap().permissions().mode() & 0o777, 0o600);
            match state {
                // The call was sent, and its result is lost.
                "result" => done.is(5, "3 ok, 0 refused, 1 unknown, 0 left"),
                // It was not sent, so it is sent now.
                _ => done.is(0, "4 ok"),
            }
            let sent: Vec<_> = env.seen().into_keys().collect();
            assert_eq!(sent, if state == "result" { vec![] } else { vec!["2".to_owned()] });
        }
    }
    // A line that is damaged otherwise stays an error, with `run` somewhere in it, too.
    env.write("c.jsonl", format!("{}\n{{\"run\":1,\"mchid\n", lines[..4].join("\n")));
    env.run(&["calls.jsonl", "--resume", "-o", "c.jsonl"]).is(1, "line 5: the journal is damaged");
}

/// A disk that is full: what cannot be announced is not sent.
#[test]
fn a_journal_that_cannot_grow_ends_the_batch() {
    let env = BatchEnv::new();
    env.calls("POST", (0..20).map(|id| id.to_string()));
    // The shell's blocks have 512 or 1,024 bytes; a program that ignores the signal gets an error.
    let limited = "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\"";
    let batch = env.batch(&["calls.jsonl", "-j1"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", limited]).arg(batch.get_program()).args(batch.get_args()).current_dir(env.home.path());
    shell.env_clear().envs(batch.get_envs().filter_map(|(name, value)| Some((name, value?))));
    finish(&mut shell)
        .is(3, "cannot write the journal `calls.results.jsonl`: the system allows no larger file");
    let sent = env.seen().len();
    assert!((1..20).contains(&sent), "{sent}");
    // There was no room for the last result: only that call is unknown.
    let done = env.run(&["calls.jsonl", "--resume"]);
    assert!(done.err.contains(" 0 unknown") || done.err.contains("19 ok, 0 refused, 1 unknown"), "{done:?}");
    assert!(env.seen().len() >= 19 && env.seen().values().all(|times| *times == 1));
}

#[test]
fn calls_that_change_under_a_running_batch_end_it() {
    let env = BatchEnv::new();
    env.sandbox.inject_always(Fault::Delay(Duration::from_millis(500)));
    // More than one read takes.
    let filler =
        |word: &str| thing("POST", "2").replace("}\n", &format!(",\"body\":\"{}\"}}\n", word.repeat(9_000)));
    env.write("calls.jsonl", [thing("POST", "1"), filler("a"), thing("POST", "3")].concat());
    let (mut child, mut err) = running(&env, 1, &["calls.jsonl", "-j1", "--json-errors"]);
    env.write("calls.jsonl", [thing("POST", "1"), filler("b"), thing("POST", "3")].concat());
    let mut line = String::new();
    err.read_line(&mut line).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3), "{line}");
    assert!(line.contains("`calls.jsonl`, line 2: the line changed while the batch was running"), "{line}");
    assert_eq!(env.seen(), [("1".to_owned(), 1)].into());
}

#[test]
fn changed_calls_other_calls_and_a_journal_in_use_are_errors() {
    let env = BatchEnv::new();
    let plain = "{\"method\":\"POST\",\"path\":\"v3/things/7\"}\n";
    env.write("calls.jsonl", [&thing("POST", "1"), plain].concat());
    env.run(&["calls.jsonl"]).is(0, "2 ok");
    let changed = thing("POST", "1").replace("}}", "},\"body\":{}}");
    env.write("calls.jsonl", [&changed, plain].concat());
    env.run(&["calls.jsonl", "--resume"]).is(1, "the call `1` has changed since it was sent (line 1 of the input)\nwxpay: hint: give the new call an `id` of its own");
    env.write(
        "calls.jsonl",
        [&thing("POST", "1"), "{\"method\":\"POST\",\"path\":\"v3/things/8\"}\n"].concat(),
    );
    env.run(&["calls.jsonl", "--resume"]).is(1, "the call on line 2 has changed since it was sent");
    env.write("calls.jsonl", [thing("POST", "2"), thing("POST", "3")].concat());
    env.run(&["calls.jsonl", "--resume"]).is(1, "is not in the input: this journal belongs to other calls");
    assert_eq!(env.sandbox.requests().len(), 2);
    // Calls that were not sent yet may change, and new ones may be added.
    env.write("calls.jsonl", [&thing("POST", "1"), plain, &thing("POST", "2")].concat());
    env.run(&["calls.jsonl", "--resume"]).is(0, "3 ok");
    // With `--sandbox`, whose sandbox has executed none of the calls.
    let done = finish(program(env.home.path()).args(["calls.jsonl", "--resume", "--sandbox"]));
    done.is(1, "this is merchant 1900000109 at sandbox");

    std::fs::remove_file(env.path("calls.results.jsonl")).unwrap();
    env.sandbox.inject_always(Fault::Delay(Duration::from_secs(1)));
    let (mut child, _err) = running(&env, 1, &["calls.jsonl"]);
    env.run(&["calls.jsonl", "--resume"]).is(1, "is in use by another batch");
    assert!(child.wait().unwrap().success());
}
