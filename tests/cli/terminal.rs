//! The program `wxpay` on a terminal, and the same output in a pipe.

use serde_json::{Value, json};

use crate::program::{Done, TestEnv, variables};
use crate::support::has;

/// Runs a command on a pseudo-terminal, by `script` (util-linux); stdout and stderr are one there.
fn on_a_terminal(env: &TestEnv, line: &str, term: &str) -> Done {
    let command = format!("{} {line}", env!("CARGO_BIN_EXE_wxpay"));
    let mut script = assert_cmd::Command::new("script");
    script
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("TERM", term)
        .current_dir(env.home.path());
    script.envs(variables(&env.sandbox)).timeout(std::time::Duration::from_secs(60));
    env.finish(script.args(["-qec", &command, "/dev/null"]))
}

#[test]
fn json_is_set_out_and_coloured_for_people() {
    if !has("script") {
        return;
    }
    let env = TestEnv::new();
    env.sandbox.on("GET", "v3/x", 200, json!({"a": [1, "茶"]})).unwrap();
    let plain = |text: &str| text.replace('\r', "");
    let coloured = on_a_terminal(&env, "get v3/x", "xterm");
    assert!(coloured.out.contains("\u{1b}[") && coloured.out.contains("\n  "), "{coloured:?}");
    let set_out = "{\n  \"a\": [\n    1,\n    \"茶\"\n  ]\n}\n";
    assert_eq!(plain(&on_a_terminal(&env, "get v3/x --color never", "xterm").out), set_out);
    assert_eq!(plain(&on_a_terminal(&env, "get v3/x", "dumb").out), set_out);
    let compact = "{\"a\":[1,\"茶\"]}\n";
    assert_eq!(plain(&on_a_terminal(&env, "get v3/x --compact --color never", "xterm").out), compact);
    assert_eq!(plain(&on_a_terminal(&env, "--compact get v3/x", "dumb").out), compact);
    let coloured = on_a_terminal(&env, "get v3/x --compact", "xterm");
    assert!(coloured.out.contains("\u{1b}[") && coloured.out.lines().count() == 1, "{coloured:?}");
    assert_eq!(on_a_terminal(&env, "get v3/x | cat", "xterm").out.trim_end(), "{\"a\":[1,\"茶\"]}");
}

#[test]
fn the_doctor_prints_text_on_a_terminal() {
    if !has("script") {
        return;
    }
    let env = TestEnv::new();
    let reported = on_a_terminal(&env, "doctor", "xterm");
    assert_eq!(reported.code, Some(0));
    assert!(reported.out.lines().any(|line| line.starts_with("ok       echo ")), "{reported:?}");
    assert!(serde_json::from_str::<Value>(reported.out.lines().next().unwrap()).is_err());
}

#[test]
fn a_progress_bar_is_drawn_on_a_terminal_only() {
    if !has("script") {
        return;
    }
    let env = TestEnv::new();
    let day = env.paid_day();
    let drawn = on_a_terminal(&env, &format!("bill {day} -o bill.csv"), "xterm");
    assert_eq!(drawn.code, Some(0), "{drawn:?}");
    assert!(drawn.out.contains("\u{1b}[2K"), "{drawn:?}");
    assert_eq!(env.run(&["bill", &day, "-o", "bill.csv"]).err, "");
}

/// A run on a terminal, with its escape sequences as text.
fn shown(done: Done) -> Done {
    Done { out: done.out.replace('\r', "").replace('\u{1b}', "␛"), ..done }
}

#[test]
fn colours() {
    if !has("script") {
        return;
    }
    let env = TestEnv::new();
    env.sandbox
        .on("GET", "v3/x", 200, json!({"text": "茶", "list": [1, -0.5, true, null], "none": {}}))
        .unwrap();
    let run = |line: &str| shown(on_a_terminal(&env, line, "xterm"));
    snapshot!(run("get v3/x"), @r#"
    exit 0
    --- stdout
    ␛[1;39m{␛[0m
      ␛[1;34m"text"␛[0m␛[1;39m:␛[0m ␛[32m"茶"␛[0m,
      ␛[1;34m"list"␛[0m␛[1;39m:␛[0m ␛[1;39m[␛[0m
        ␛[39m1␛[0m,
        ␛[39m-0.5␛[0m,
        ␛[39mtrue␛[0m,
        ␛[90mnull␛[0m
      ␛[1;39m]␛[0m,
      ␛[1;34m"none"␛[0m␛[1;39m:␛[0m ␛[1;39m{␛[0m␛[1;39m}␛[0m
    ␛[1;39m}␛[0m
    --- stderr
    "#);
    snapshot!(run("get v3/x --compact"), @r#"
    exit 0
    --- stdout
    ␛[1;39m{␛[0m␛[1;34m"text"␛[0m␛[1;39m:␛[0m␛[32m"茶"␛[0m,␛[1;34m"list"␛[0m␛[1;39m:␛[0m␛[1;39m[␛[0m␛[39m1␛[0m,␛[39m-0.5␛[0m,␛[39mtrue␛[0m,␛[90mnull␛[0m␛[1;39m]␛[0m,␛[1;34m"none"␛[0m␛[1;39m:␛[0m␛[1;39m{␛[0m␛[1;39m}␛[0m␛[1;39m}␛[0m
    --- stderr
    "#);
    snapshot!(run("get v3/x --color never"), @r#"
    exit 0
    --- stdout
    {
      "text": "茶",
      "list": [
        1,
        -0.5,
        true,
        null
      ],
      "none": {}
    }
    --- stderr
    "#);
    snapshot!(run("get v3/x --color always | cat"), @r#"
    exit 0
    --- stdout
    ␛[1;39m{␛[0m
      ␛[1;34m"text"␛[0m␛[1;39m:␛[0m ␛[32m"茶"␛[0m,
      ␛[1;34m"list"␛[0m␛[1;39m:␛[0m ␛[1;39m[␛[0m
        ␛[39m1␛[0m,
        ␛[39m-0.5␛[0m,
        ␛[39mtrue␛[0m,
        ␛[90mnull␛[0m
      ␛[1;39m]␛[0m,
      ␛[1;34m"none"␛[0m␛[1;39m:␛[0m ␛[1;39m{␛[0m␛[1;39m}␛[0m
    ␛[1;39m}␛[0m
    --- stderr
    "#);
    // Errors and hints have no colours.
    snapshot!(run("get v3/{id}"), @"
    exit 1
    --- stdout
    wxpay: error: the variable `id` of `v3/{id}` has no value
    wxpay: hint: give it with `--var id=VALUE`
    --- stderr
    ");
    snapshot!(run("man nope"), @"
    exit 1
    --- stdout
    wxpay: error: no such command: `nope`
    wxpay: hint: `wxpay help` lists the commands
    --- stderr
    ");
    snapshot!(run("get --nope"), @"
    exit 1
    --- stdout
    wxpay: error: unexpected argument '--nope' found
    wxpay: hint: to pass '--nope' as a value, use '-- --nope'
    wxpay: hint: usage: wxpay get [OPTIONS] <PATH> [NAME==VALUE]...; more with --help
    --- stderr
    ");
    snapshot!(run("help exit-codes"), @"
    exit 0
    --- stdout
    Exit codes of every command but batch:
      0    success
      1    wrong argument, setting, key or file; or output that cannot be written
      2    the platform refused the call: see its code
      3    safe to repeat later: no connection, a rate limit, or a GET that failed
      4    not the platform's word, or cannot be decrypted; a write may have been carried out
      5    a write was sent and its result is unknown: query it before you repeat it
      6    `--check` found something to look at; nothing was sent
      129  ended by SIGHUP: the terminal was closed
      130  ended by Ctrl-C
      143  ended by SIGTERM

    Exit codes of batch:
      0    every call is `ok`
      1    wrong argument, line, setting or journal: no call can be sent until it is fixed
      2    some calls are `refused`
      3    some calls are left (`limited`, `unsent`, not begun): `--resume` later; or the journal failed
      4    some calls are `unverified`: query them
      5    some calls are `unknown`, all others are done: query them
      6    `--check` found something to look at; nothing was sent
      129  SIGHUP, and some calls are left
      130  Ctrl-C, and some calls are left
      143  SIGTERM, and some calls are left
    --- stderr
    ");
    snapshot!(run("version -h"), @"
    exit 0
    --- stdout
    Print the version

    ␛[1m␛[4mUsage:␛[0m ␛[1mwxpay version␛[0m

    ␛[1m␛[4mOptions:␛[0m
      ␛[1m-h␛[0m, ␛[1m--help␛[0m  Print help

    Examples:
      wxpay version

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    ");
    for line in ["version -h --color never", "--color=never version -h"] {
        let plain = run(line);
        assert!(plain.out.contains("\nUsage: wxpay version\n"), "{plain:?}");
    }
}
