//! The program `examples/sandbox.rs`, started as a user starts it.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::OnceLock,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use wechatpay_chain::WeChatPay;

use crate::support::has;

const FEATURES: &str = if cfg!(all(feature = "bundled-roots", feature = "cli")) {
    "--all-features"
} else {
    "--features=sandbox"
};

/// Built here, because `cargo test --test` does not build examples: with the features of this run, so that usually
/// nothing is left to build.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let profile = test.ancestors().nth(2).unwrap();
        let release = profile.file_name().unwrap() == "release";
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["build", "--locked", "--quiet", FEATURES, "--example", "sandbox", "--target-dir"])
            .arg(profile.parent().unwrap())
            .args(release.then_some("--release"))
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(cargo.status().unwrap().success());
        profile.join("examples/sandbox")
    })
}

pub(crate) fn fails(arguments: &[&str]) -> (i32, String) {
    let Output { status, stderr, stdout } = Command::new(program()).args(arguments).output().unwrap();
    assert!(stdout.is_empty(), "{}", String::from_utf8_lossy(&stdout));
    (status.code().unwrap(), String::from_utf8(stderr).unwrap())
}

/// The running program, and its output up to the line with its address.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) printed: String,
}

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Running {
        let child = Command::new(program())
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut running = Running { child, printed: String::new() };
        let lines = BufReader::new(running.child.stdout.take().unwrap()).lines();
        for line in lines {
            let line = line.unwrap();
            running.printed += &format!("{line}\n");
            if line.starts_with("# listening on ") {
                return running;
            }
        }
        let mut reason = String::new();
        let _ = running.child.stderr.take().unwrap().read_to_string(&mut reason);
        panic!("it ended: {} {reason}", running.printed);
    }

    /// As a shell reads them.
    pub(crate) fn exports(&self) -> HashMap<String, String> {
        let lines: Vec<&str> =
            self.printed.lines().filter(|line| line.starts_with("export WECHATPAY_")).collect();
        let script = format!("{}\nenv", lines.join("\n"));
        let output = Command::new("sh").args(["-c", &script]).env_clear().output().unwrap();
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .filter_map(|line| line.split_once('='))
            .filter(|(name, _)| name.starts_with("WECHATPAY_"))
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect()
    }

    /// What `WeChatPay::from_env` would make of them; a test cannot set its own process's variables safely.
    pub(crate) fn client(&self) -> WeChatPay {
        let env = self.exports();
        WeChatPay::factory(json!({
            "mchid": env["WECHATPAY_MCHID"],
            "serial": env["WECHATPAY_SERIAL"],
            "privateKey": env["WECHATPAY_PRIVATE_KEY"],
            "certs": {(env["WECHATPAY_PUBLIC_KEY_ID"].as_str()): env["WECHATPAY_PUBLIC_KEY"]},
            "apiv3Key": env["WECHATPAY_APIV3_KEY"],
            "base_uri": env["WECHATPAY_BASE_URL"],
        }))
        .unwrap()
    }

    pub(crate) fn end(mut self, signal: &str) {
        let kill = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
    }
}

impl Drop for Running {
    /// Also when the test fails.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_exports_make_a_client_and_the_keys_go_with_the_program() {
    let running = Running::start(&[]);
    let echo =
        running.client().chain("v3/security/echo").post_sync(json!({ "echo_message": "你好" })).unwrap();
    assert_eq!(*echo.data(), json!({ "echo_message": "你好" }));

    let env = running.exports();
    assert_eq!(env.len(), 9, "{env:?}");
    let key = PathBuf::from(env["WECHATPAY_PRIVATE_KEY"].strip_prefix("file://").unwrap());
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(running.printed.starts_with(&format!("# web page      {} ", env["WECHATPAY_BASE_URL"])));
    for part in ["Builder::factory", "Wechatpay(", "WeChatPay::builder"] {
        assert!(!running.printed.contains(part), "no snippet unless asked: {}", running.printed);
    }
    running.end("-INT");
    assert!(!key.exists() && !key.parent().unwrap().exists());
}

#[test]
fn all_options_reach_the_sandbox() {
    let folder = TempDir::new().unwrap();
    // A name that needs quoting in every language.
    let keys = folder.path().join("it's \"my\" keys");
    let script = folder.path().join("script.jsonl");
    fs::write(&script, r#"{"method":"GET","template":"v3/x/{id}","body":{"id":"{{var.id}}"}}"#).unwrap();
    let options = [
        "--keys",
        keys.to_str().unwrap(),
        "--script",
        script.to_str().unwrap(),
        "--strict",
        "--time-scale",
        "1000",
        "--notify-host",
        "shop.example",
        "--seed",
        "7",
        "--fault",
        "rate-limited=1 path=v3/limited",
        "--fault",
        "delay=1",
        "--clock-skew",
        "-20",
        "--hold-refunds",
        "--hold-code-payments",
    ];
    let running = Running::start(&options);
    let wx = running.client();
    assert_eq!(*wx.chain("v3/x/7").get_sync().unwrap().data(), json!({ "id": "7" }));
    let status = |result: Result<_, wechatpay_chain::Error>| match result {
        Err(wechatpay_chain::Error::Api(error)) => error.status,
        other => panic!("{other:?}"),
    };
    assert_eq!(status(wx.chain("v3/none").get_sync()), 404);
    assert_eq!(status(wx.chain("v3/limited").get_sync()), 429);
    assert!(running.printed.contains("# seed          7\n"));
    let paid = wx.chain("v3/pay/transactions/codepay").post_sync(json!({
        "appid": "wxd678efh567hg6787", "mchid": wx.mchid(), "description": "d", "out_trade_no": "P1000000",
        "payer": {"auth_code": "130061098828009406"}, "amount": {"total": 1}, "scene_info": {"store_info": {"id": "1"}},
    }));
    assert_eq!(paid.unwrap().data()["trade_state"], "USERPAYING");
    let before = running.exports();
    running.end("-TERM");
    assert!(keys.join("apiclient_key.pem").exists(), "a folder that was named stays");

    // The same again, on a port of one's own.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let running = Running::start(&["--keys", keys.to_str().unwrap(), "--port", &port.to_string()]);
    let after = running.exports();
    assert_eq!(after["WECHATPAY_BASE_URL"], format!("http://127.0.0.1:{port}/"));
    for name in ["WECHATPAY_SERIAL", "WECHATPAY_APIV3_KEY", "WECHATPAY_PUBLIC_KEY_ID"] {
        assert_eq!(after[name], before[name]);
    }
    assert!(running.client().chain("v3/none").get_sync().is_ok());
}

#[test]
fn a_failed_start_is_reported_on_stderr() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, message) = fails(&["--port", &port]);
    assert!(
        code == 1 && message.contains(&format!("port {port}")) && message.contains("in use"),
        "{message}"
    );

    let folder = TempDir::new().unwrap();
    let script = folder.path().join("broken.jsonl");
    fs::write(&script, "\n{\"method\":\"GET\"}\n").unwrap();
    let (code, message) = fails(&["--script", script.to_str().unwrap()]);
    assert!(
        code == 1 && message.contains("broken.jsonl`, line 2: ") && message.contains("template"),
        "{message}"
    );

    // A file stands where the folder should be: not even root can write there.
    let below = script.join("keys");
    let (code, message) = fails(&["--keys", below.to_str().unwrap()]);
    assert!(code == 1 && message.contains("broken.jsonl"), "{message}");

    for (arguments, part) in [
        (["--fault", "no-such-fault"], "no such fault"),
        (["--fault", "cut-body nth=0"], "from 1"),
        (["--port", "65536"], "65536"),
        (["--seed", "x"], "x"),
        (["--snippet", "perl"], "python"),
    ] {
        let (code, message) = fails(&arguments);
        assert!(code == 2 && message.contains(part), "{arguments:?}: {message}");
    }
    for (arguments, part) in
        [(["--time-scale", "0"], "time_scale"), (["--notify-host", "a b"], "notify_host")]
    {
        let (code, message) = fails(&arguments);
        assert!(code == 1 && message.contains(part), "{arguments:?}: {message}");
    }
}

#[test]
fn a_closed_stdout_does_not_end_the_sandbox() {
    let mut child = Command::new(program()).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert!(child.try_wait().unwrap().is_none());
    let running = Running { child, printed: String::new() };
    running.end("-INT");
}

/// The lines on stderr, until one contains this text.
fn lines_until(stderr: impl Read, part: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for line in BufReader::new(stderr).lines() {
        lines.push(line.unwrap());
        if lines.last().unwrap().contains(part) {
            return lines;
        }
    }
    panic!("{lines:?} have no {part}");
}

#[test]
fn it_prints_a_line_for_each_request_and_notification() {
    let mut running = Running::start(&["--fault", "rate-limited path=v3/certificates"]);
    let wx = running.client();
    wx["v3/certificates"].get_sync().unwrap_err();
    wx["v3/mistyped"].get_sync().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let order = json!({
        "appid": "wxd678efh567hg6787", "mchid": wx.mchid(), "description": "tea", "out_trade_no": "P12345",
        "notify_url": format!("http://{closed}/notify"), "amount": { "total": 100 },
    });
    wx["v3/pay/transactions/native"].post_sync(order).unwrap();
    let base = running.exports()["WECHATPAY_BASE_URL"].clone();
    let mut stream = std::net::TcpStream::connect(base[7..].trim_end_matches('/')).unwrap();
    std::io::Write::write_all(&mut stream, b"GET /v3/\x1b[31m HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut stream = std::net::TcpStream::connect(base[7..].trim_end_matches('/')).unwrap();
    std::io::Write::write_all(&mut stream, b"GET /v3/stray HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut stray = [0; 12];
    stream.read_exact(&mut stray).unwrap();
    assert_eq!(&stray, b"HTTP/1.1 401");
    let mut stream = std::net::TcpStream::connect(base[7..].trim_end_matches('/')).unwrap();
    let pay = r#"{"do":"pay","number":"P12345"}"#;
    let head = format!("POST /_sandbox/payer HTTP/1.1\r\nHost: {}\r\n", base[7..].trim_end_matches('/'));
    std::io::Write::write_all(
        &mut stream,
        format!("{head}Content-Length: {}\r\n\r\n{pay}", pay.len()).as_bytes(),
    )
    .unwrap();

    let lines = lines_until(running.child.stderr.take().unwrap(), "attempt 1");
    let started =
        |text: &str| lines.iter().find(|line| line.starts_with(text)).unwrap_or_else(|| panic!("{lines:?}"));
    assert!(started("#1 GET /v3/certificates 429 disturbed, fault rate-limited, ").ends_with(" ms"));
    let mistyped = started("#2 GET /v3/mistyped 200 accepted, not modelled, ");
    assert!(mistyped.contains(" ms; hint: no document has this path"), "{mistyped}");
    started("#3 POST /v3/pay/transactions/native 200 accepted, ");
    assert!(started("#4 GET /v3/stray 401 SIGN_ERROR, not modelled, ").contains(" ms: Http"));
    started(&format!("notification TRANSACTION.SUCCESS to http://{closed}/notify, attempt 1: "));
    assert!(lines.iter().all(|line| !line.contains('\x1b')));
    assert_eq!(lines.len(), 5, "{lines:?}");
    running.end("-TERM");
}

#[test]
fn a_stderr_that_nobody_reads_stops_nothing() {
    let running = Running::start(&[]);
    let wx = running.client();
    // More than a pipe holds.
    let long = format!("v3/{}", "x".repeat(400));
    for _ in 0..400 {
        wx.chain(&long).get_sync().unwrap();
    }
    running.end("-TERM");
}

#[test]
fn the_snippet_for_node_is_javascript() {
    if !has("node") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let keys = folder.path().join("it's here");
    let running = Running::start(&["--keys", keys.to_str().unwrap(), "--snippet", "node"]);
    let (_, rest) = running.printed.split_once("// Node:").unwrap();
    let (snippet, _) = rest.split_once("\n# listening").unwrap();
    // The SDK itself is replaced by a class that prints its configuration.
    let snippet = snippet.replace(
        "const { Wechatpay } = require('wechatpay-axios-plugin');",
        "class Wechatpay { constructor(given) { console.log(JSON.stringify(given, (k, v) => v.type === 'Buffer' ? Buffer.from(v).toString() : v)) } }",
    );
    let output = Command::new("node").args(["-e", &format!("//{snippet}")]).output().unwrap();
    let given: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let env = running.exports();
    assert_eq!(given["baseURL"], env["WECHATPAY_BASE_URL"]);
    assert!(given["privateKey"].as_str().unwrap().contains("PRIVATE KEY"));
    let public = given["certs"][&env["WECHATPAY_PUBLIC_KEY_ID"]].as_str().unwrap();
    let mut expected = String::new();
    fs::File::open(keys.join("pub_key.pem")).unwrap().read_to_string(&mut expected).unwrap();
    assert_eq!(public, expected);
}
