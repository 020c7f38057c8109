//! Files that are no files, pipes where a pipe is meant, and byte order marks.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::program::{TestEnv, variables};

const ECHO: &str = "v3/security/echo";
const BODY: &str = r#"{"echo_message":"hi"}"#;
const CALL: &str = r#"{"id":"1","method":"POST","path":"v3/security/echo","body":{"echo_message":"hi"}}"#;

/// Runs a line of bash with `wxpay` in it; its output, and whether it ended well.
fn bash(env: &TestEnv, line: &str) -> (String, bool) {
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
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8(text).unwrap(), output.status.success())
}

#[test]
fn the_program_never_waits_for_a_file_that_is_none() {
    let env = TestEnv::new();
    assert!(Command::new("mkfifo").arg(env.home.path().join("pipe")).status().unwrap().success());
    std::fs::create_dir(env.home.path().join("folder")).unwrap();
    std::os::unix::fs::symlink("/dev/null", env.home.path().join("device")).unwrap();
    std::fs::File::create(env.home.path().join("sparse")).unwrap().set_len(1 << 41).unwrap();
    for (line, says) in [
        // A configuration is a regular file.
        ("wxpay get v3/certificates --config pipe", "`pipe`: it is a pipe"),
        ("wxpay get v3/certificates --config /dev/zero", "`/dev/zero`: it is a device"),
        ("wxpay get v3/certificates --config folder", "`folder`: it is a directory"),
        ("wxpay get v3/certificates --config sparse", "`sparse`: it is larger than 1 MiB"),
        ("wxpay get v3/certificates --config nothing", "`nothing`: it does not exist"),
        ("wxpay get v3/certificates --config <(cat)", "it is a pipe"),
        // A body may be a pipe; it has an end and a limit.
        ("wxpay post v3/security/echo -d @/dev/zero", "`/dev/zero`: it is larger than 64 MiB"),
        ("wxpay post v3/security/echo -d @folder", "`folder`: it is a directory"),
        ("wxpay post v3/security/echo -d @sparse", "`sparse`: it is larger than 64 MiB"),
        ("wxpay post v3/security/echo -d - < /dev/zero", "stdin is larger than 64 MiB"),
        ("wxpay post v3/security/echo -d @<(yes)", "it is larger than 64 MiB"),
        ("wxpay batch /dev/zero -o out", "line too long"),
        ("wxpay batch - -o out < /dev/zero", "line too long"),
        ("wxpay batch folder -o out", "`folder`: it is a directory"),
        ("wxpay upload pipe v3/merchant/media/upload", "is a pipe"),
        ("wxpay upload /dev/zero v3/merchant/media/upload", "is a device"),
        ("wxpay upload folder v3/merchant/media/upload --meta '{}'", "is a directory"),
        ("wxpay upload sparse v3/merchant/media/upload", "is larger than 1 GiB"),
        ("wxpay verify --headers /dev/zero /dev/null", "`/dev/zero`: it is larger than 64 MiB"),
        ("wxpay verify --headers <(echo 'a: b') /dev/zero", "`/dev/zero`: it is larger than 64 MiB"),
        ("WECHATPAY_PRIVATE_KEY=file://pipe wxpay get v3/certificates", "`pipe`, which is a pipe"),
        ("WECHATPAY_PUBLIC_KEY=file:///dev/zero wxpay get v3/certificates", "which is a device"),
        ("WECHATPAY_PRIVATE_KEY= WECHATPAY_SERIAL= WECHATPAY_P12=pipe wxpay get v3/x", "which is a pipe"),
        ("wxpay sandbox --script /dev/zero", "is larger than 64 MiB"),
        (
            "wxpay get v3/certificates --save pipe",
            "which is a pipe, not a regular file\nwxpay: hint: `-o -`, or no -o, is stdout",
        ),
        ("wxpay get v3/certificates --save device", "which is a device"),
        ("wxpay bill 2026-11-20 -o pipe", "which is a pipe"),
        ("wxpay sandbox --script folder", "is a directory"),
    ] {
        let started = Instant::now();
        let (output, well) = bash(&env, line);
        assert!(!well && output.contains(says), "{line}: {output}");
        assert!(started.elapsed() < Duration::from_secs(45), "{line}");
    }
    // Nothing of it was sent.
    assert!(env.sandbox.requests().is_empty());
}

#[test]
fn a_pipe_is_read_where_one_is_meant() {
    let env = TestEnv::new();
    env.file("body.json", BODY);
    env.file("calls.jsonl", CALL);
    for line in [
        "wxpay post v3/security/echo -d @/dev/stdin < body.json",
        "cat body.json | wxpay post v3/security/echo -d @/dev/stdin",
        "wxpay post v3/security/echo -d @<(cat body.json)",
        "cat body.json | wxpay post v3/security/echo -d -",
        "mkfifo pipe; (sleep 0.3; cat body.json > pipe) & wxpay post v3/security/echo -d @pipe",
        "wxpay batch <(cat calls.jsonl) -o a.jsonl",
        "cat calls.jsonl | wxpay batch /dev/stdin -o b.jsonl",
        "wxpay batch - -o c.jsonl < calls.jsonl",
    ] {
        let before = env.sandbox.requests().len();
        let (output, well) = bash(&env, line);
        assert!(well, "{line}: {output}");
        let requests = env.sandbox.requests();
        assert_eq!(requests.len(), before + 1, "{line}");
        assert!(output.contains("hi") || output.contains("1 ok"), "{line}: {output}");
    }
}

/// A pipe that nobody writes to is waited for, until a signal ends that.
#[test]
fn a_signal_ends_the_wait_for_a_pipe() {
    let env = TestEnv::new();
    assert!(Command::new("mkfifo").arg(env.home.path().join("pipe")).status().unwrap().success());
    env.file("body", BODY);
    env.file("headers", "a: b");
    for line in [
        "wxpay sandbox --script pipe",
        "wxpay post v3/security/echo -d @pipe",
        "wxpay batch pipe -o out",
        "wxpay verify --headers pipe body",
        "wxpay verify --headers headers pipe",
        "wxpay upload body v3/merchant/media/upload --meta @pipe",
    ] {
        // 124: it ended by the first signal; 137: only by SIGKILL.
        let (output, _) = bash(&env, &format!("timeout -k 20 2 {line}; echo \"code $?\""));
        assert!(output.contains("code 124"), "{line}: {output}");
    }
}

/// A byte order mark is the editor's, and is neither sent nor part of a value; UTF-16 is told.
#[test]
fn a_byte_order_mark_belongs_to_the_file() {
    let env = TestEnv::new();
    let marked = |text: &str| [b"\xef\xbb\xbf", text.as_bytes()].concat();
    let body = format!("@{}", env.file("body.json", marked(BODY)));
    let prepared = env.run(&["post", ECHO, "-d", &body, "--dry-run"]);
    let prepared: Value = serde_json::from_str(prepared.ok()).unwrap();
    assert_eq!(prepared["body"], BODY);
    let both: Value =
        serde_json::from_str(env.run(&["post", ECHO, "-d", &body, "a=b", "--dry-run"]).ok()).unwrap();
    assert_eq!(both["body"], r#"{"echo_message":"hi","a":"b"}"#);
    let calls = env.file("calls.jsonl", marked(&format!("{CALL}\r\n{}\r\n", CALL.replace("\"1\"", "\"2\""))));
    let (output, well) = bash(&env, &format!("wxpay batch {calls} -o out.jsonl"));
    assert!(well && output.contains("2 ok"), "{output}");
    // In the middle of a file it is an error, as anything else is.
    let calls = env.file("middle.jsonl", format!("{CALL}\n\u{feff}{CALL}\n"));
    env.run(&["batch", &calls]).fails(1, "line 2");

    let utf16: Vec<u8> =
        std::iter::once(0xfeff).chain(BODY.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let utf16 = env.file("utf16.json", utf16);
    env.run(&["post", ECHO, "-d", &format!("@{utf16}")]).fails(1, "UTF-16");
    env.run(&["verify", "--headers", &utf16, &utf16]).fails(1, "UTF-16");
    env.run(&["post", ECHO, "--config", &utf16]).fails(1, "UTF-16");
    let gbk = env.file("gbk.toml", b"# \xc9\xcc\xbb\xa7\n[default]\n");
    env.run(&["post", ECHO, "--config", &gbk]).fails(1, "as UTF-8");
}
