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
