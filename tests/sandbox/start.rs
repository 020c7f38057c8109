//! The start of the program: address, port, ready file, a command.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use wechatpay_chain::{
    WeChatPayBuilder,
    sandbox::{Sandbox, SandboxError},
};

use crate::program::{Running, fails, program};
use crate::support::{has, sandbox_builder};

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

fn address(running: &Running) -> String {
    let base = running.exports()["WECHATPAY_BASE_URL"].clone();
    base.trim_start_matches("http://").trim_end_matches('/').to_owned()
}

/// The status of the control endpoint for these headers.
fn status(address: &str, headers: &str) -> u16 {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /_sandbox/keys HTTP/1.1\r\n{headers}Connection: close\r\n\r\n").unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_start_on_a_taken_port_leaves_nothing_behind() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let arguments =
        ["--keys", &path("keys"), "--state", &path("state"), "--ready-file", &path("ready"), "--port", &port];
    let (code, message) = fails(&arguments);
    assert!(code == 1 && message.contains(&format!("port {port} of 127.0.0.1")), "{message}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    // Nor is a command run.
    let (code, _) = fails(&["--port", &port, "--", "touch", &path("touched")]);
    assert_eq!((code, fs::read_dir(folder.path()).unwrap().count()), (1, 0));

    let error = sandbox_builder().port(taken.local_addr().unwrap().port()).start().unwrap_err();
    assert!(matches!(error, SandboxError::Port { .. }), "{error}");
    let free = sandbox_builder().prefer_port(taken.local_addr().unwrap().port()).start().unwrap();
    assert_ne!(free.address(), taken.local_addr().unwrap());
    let preferred = free.address().port();
    drop(free);
    assert_eq!(sandbox_builder().prefer_port(preferred).start().unwrap().address().port(), preferred);
}

#[test]
fn the_default_port_is_fixed_and_a_free_one_if_it_is_taken() {
    // If that fails, the port is taken, too.
    let _taken = TcpListener::bind("127.0.0.1:8933");
    let running = Running::start(&[]);
    assert!(running.printed.contains("# port 8933 is taken"), "{}", running.printed);
    assert!(!address(&running).ends_with(":8933"));
    running.end("-TERM");
    let running = Running::start(&["--port", "0"]);
    assert!(!running.printed.contains("8933 is taken"), "{}", running.printed);
}

#[test]
fn a_ready_file_is_there_while_it_listens() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("ready.json");
    let arguments = ["--port", "0", "--ready-file", file.to_str().unwrap()];
    let read = || -> Value { serde_json::from_slice(&fs::read(&file).unwrap()).unwrap() };
    let running = Running::start(&arguments);
    let ready = read();
    assert_eq!(ready["address"], address(&running));
    assert_eq!(ready["pid"], running.child.id());
    let variables: std::collections::HashMap<String, String> =
        serde_json::from_value(ready["variables"].clone()).unwrap();
    assert_eq!(variables, running.exports());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    running.end("-TERM");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    // Of one that was killed: gone before the next one listens. Of one that runs: replaced, and not removed by it.
    let mut killed = Running::start(&arguments);
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    let stale = read();
    let (code, _) = fails(&["--ready-file", file.to_str().unwrap(), "--script", "/nowhere/x"]);
    assert!(code == 1 && !file.exists(), "{stale}");
    // Another program has its port meanwhile.
    let port = stale["address"].as_str().unwrap();
    if let Ok(_other) = TcpListener::bind(port) {
        fs::write(&file, stale.to_string()).unwrap();
        let (code, _) = fails(&["--ready-file", file.to_str().unwrap(), "--script", "/nowhere/x"]);
        assert!(code == 1 && !file.exists(), "{stale}");
    }
    let first = Running::start(&arguments);
    let second = Running::start(&arguments);
    assert_eq!(read()["pid"], second.child.id());
    first.end("-INT");
    assert_eq!(read()["pid"], second.child.id());
    second.end("-HUP");
    assert!(!file.exists());

    // What is not a ready file stays as it is.
    let config = r#"{"address": "127.0.0.1:1", "base_url": "http://127.0.0.1:1/", "pid": 0}"#;
    for content in ["", "{}", "orders", r#"{"address": "x"}"#, r#"{"address": "127.0.0.1:1"}"#, config] {
        fs::write(&file, content).unwrap();
        let (code, message) = fails(&arguments);
        assert!(code == 1 && message.contains("not the ready file"), "{message}");
        assert_eq!(fs::read_to_string(&file).unwrap(), content);
    }
    let (code, message) = fails(&["--ready-file", folder.path().to_str().unwrap()]);
    assert!(code == 1 && message.contains("not the ready file"), "{message}");
    let (code, message) =
        fails(&["--port", "0", "--ready-file", folder.path().join("none/x").to_str().unwrap()]);
    assert!(code == 1 && message.contains("none/x"), "{message}");
}

/// Runs a command in the sandbox, with a foreign setting in the environment.
fn command(options: &[&str], script: &str) -> Command {
    let mut command = Command::new(program());
    command.args(["--port", "0"]).args(options).args(["--", "sh", "-c", script]);
    command.env("WECHATPAY_PLATFORM_SERIAL", "1234").env("WECHATPAY_PROXY", "http://127.0.0.1:1");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn a_command_gets_the_variables_and_its_exit_code_is_the_programs() {
    let output =
        command(&[], "env | grep ^WECHATPAY_; test -e \"${WECHATPAY_PRIVATE_KEY#file://}\" && exit 7")
            .output()
            .unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(7), ""));
    let text = String::from_utf8(output.stdout).unwrap();
    let variables: Vec<(&str, &str)> = text.lines().map(|line| line.split_once('=').unwrap()).collect();
    let value = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
    assert!(value("WECHATPAY_PLATFORM_SERIAL").is_some_and(|serial| serial != "1234"));
    assert_eq!(value("WECHATPAY_PROXY"), None);
    // The sandbox has ended, and its keys are gone.
    let base = value("WECHATPAY_BASE_URL").unwrap();
    assert!(TcpStream::connect(base.trim_start_matches("http://").trim_end_matches('/')).is_err());
    let key = value("WECHATPAY_PRIVATE_KEY").unwrap();
    assert!(!Path::new(key.trim_start_matches("file://")).exists());

    assert_eq!(command(&[], "exit 0").output().unwrap().status.code(), Some(0));
    assert_eq!(command(&[], "kill -9 $$").output().unwrap().status.code(), Some(137));
    // A client that reads its environment works in it.
    let output = command(&["--sign-with", "certificate"], "env").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("WECHATPAY_AUTOMATIC_CERTIFICATES=1") && !text.contains("WECHATPAY_PUBLIC_KEY"),
        "{text}"
    );
}

#[test]
fn a_command_that_cannot_run_leaves_nothing_behind() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (keys, state, ready) = (path("keys"), path("state"), path("ready"));
    fs::create_dir(path("bin")).unwrap();
    fs::write(path("bin/plain"), "not executable").unwrap();
    let (plain, bin) = (path("bin/plain"), path("bin"));
    for command in ["/nowhere/program", "no-such-program", "plain", &plain, &bin, ""] {
        let output = Command::new(program())
            .args([
                "--port",
                "0",
                "--keys",
                &keys,
                "--state",
                &state,
                "--ready-file",
                &ready,
                "--",
                command,
                "x",
            ])
            .env("PATH", &bin)
            .output()
            .unwrap();
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && message.contains("the command"), "{command}: {message}");
        assert!(message.contains(command), "{command}: {message}");
        let left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["bin"], "{command}");
    }
    // A program of PATH is found, also behind a folder that does not exist.
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(&plain, "#!/bin/sh\nexit 5\n").unwrap();
    let mut found = Command::new(program());
    found.args(["--port", "0", "--", "plain"]).env("PATH", format!("/nowhere:{bin}"));
    assert_eq!(found.status().unwrap().code(), Some(5));
}

/// A terminal sends Ctrl-C to the command, too, wherever the outputs go: once is enough, since many programs take a
/// second one as "at once".
#[test]
fn ctrl_c_reaches_a_command_once() {
    if !has("script") {
        return;
    }
    for redirected in ["", " 2>/dev/null", " </dev/null >/dev/null 2>&1"] {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        let counts = "trap 'echo got >>\"$FOLDER/got\"' INT; touch \"$FOLDER/ready\"; \
                      for _ in 1 2 3 4 5 6 7 8; do sleep 0.1; done; exit 4";
        fs::write(path("counts.sh"), counts).unwrap();
        let line = format!("exec \"$PROGRAM\" --port 0 -- sh \"$FOLDER/counts.sh\"{redirected}");
        let mut terminal = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .env("PROGRAM", program())
            .env("FOLDER", folder.path())
            .env("SHELL", "/bin/sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !path("ready").exists() {
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not start");
            thread::sleep(Duration::from_millis(10));
        }
        terminal.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
        assert_eq!(terminal.wait().unwrap().code(), Some(4), "{redirected}");
        assert_eq!(fs::read_to_string(path("got")).unwrap(), "got\n", "{redirected}");
    }
}

#[test]
fn signals_are_passed_on_to_a_command() {
    for (name, number) in
        [("-TERM", 15), ("-INT", 2), ("-HUP", 1), ("-USR1", 10), ("-USR2", 12), ("-QUIT", 3)]
    {
        // The shell ends with its own code: the signal reached it, and the sandbox waited for it.
        let trap = format!(
            "trap 'echo got; exit {number}' {}; echo ready; while :; do sleep 0.05; done",
            &name[1..]
        );
        let mut child = command(&[], &trap).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "{name}");
        signal(&child, name);
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("got\n", Some(number)), "{name}");
    }
    // Without a trap: as a shell reports it.
    let mut child = command(&[], "echo ready; exec sleep 60").spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[test]
fn sigterm_with_idle_connections_ends_at_once() {
    let running = Running::start(&["--port", "0"]);
    let address = address(&running);
    // Kept alive after a response, without any request, and in the middle of one.
    let mut kept = TcpStream::connect(&address).unwrap();
    write!(kept, "GET /_sandbox/keys HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut part = [0; 64];
    assert!(kept.read(&mut part).unwrap() > 0);
    let _silent = TcpStream::connect(&address).unwrap();
    let mut half = TcpStream::connect(&address).unwrap();
    write!(half, "POST /v3/x HTTP/1.1\r\nHost: {address}\r\nContent-Length: 9\r\n\r\n{{").unwrap();
    thread::sleep(Duration::from_millis(100));
    let began = Instant::now();
    running.end("-TERM");
    assert!(began.elapsed() < Duration::from_millis(400), "{:?}", began.elapsed());
}

/// This machine's address in a network, if it has one. Nothing is sent.
fn own_address() -> Option<std::net::IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

#[test]
fn other_addresses_only_by_an_option_and_with_a_warning() {
    let mut running = Running::start(&[
        "--port",
        "0",
        "--host",
        "0.0.0.0",
        "--allow-host",
        "Platform",
        "--allow-host",
        "[::1]",
    ]);
    let local = address(&running);
    let port = local.strip_prefix("127.0.0.1:").expect("a base URL for this machine").to_owned();
    let mut addresses = vec![local.clone()];
    addresses.extend(own_address().map(|ip| format!("{ip}:{port}")));
    for address in &addresses {
        let status = |headers: &str| status(address, headers);
        let own = format!("Host: {address}\r\n");
        for accepted in [
            own.clone(),
            format!("Host: localhost:{port}\r\n"),
            "Host: platform\r\n".into(),
            "Host: PLATFORM:18080\r\n".into(),
            "Host: [::1]:7\r\n".into(),
            "Host: platform:1\r\nOrigin: http://platform:1\r\n".into(),
            "Host: platform\r\nOrigin: https://platform\r\n".into(),
        ] {
            assert_eq!(status(&accepted), 200, "{address}: {accepted}");
        }
        for refused in [
            "Host: localhost\r\n".to_owned(),
            "Host: localhost:1\r\n".into(),
            "Host: platform.evil.example\r\n".into(),
            "Host: evil.example:80\r\n".into(),
            "Host: platform:x\r\n".into(),
            "Host: platform:\r\n".into(),
            "Host: 0.0.0.0\r\n".into(),
            "Host: platform\r\nOrigin: http://evil.example\r\n".into(),
            format!("{own}Origin: https://{address}\r\n"),
            format!("{own}Origin: null\r\n"),
        ] {
            assert_eq!(status(&refused), 403, "{address}: {refused}");
        }
    }
    signal(&running.child, "-TERM");
    running.child.wait().unwrap();
    let mut warning = String::new();
    running.child.stderr.take().unwrap().read_to_string(&mut warning).unwrap();
    assert!(warning.contains("# warning: 0.0.0.0:") && warning.contains("control endpoint"), "{warning}");

    // All addresses of both families.
    if let Ok(all) = sandbox_builder().host("::".parse().unwrap()).start() {
        let port = all.address().port();
        for address in [format!("127.0.0.1:{port}"), format!("[::1]:{port}")] {
            assert_eq!(status(&address, &format!("Host: {address}\r\n")), 200, "{address}");
            assert_eq!(status(&address, &format!("Host: 192.0.2.1:{port}\r\n")), 403, "{address}");
        }
    }

    // Loopback addresses need none.
    let loopback = Running::start(&["--port", "0", "--host", "127.0.0.2"]);
    assert!(address(&loopback).starts_with("127.0.0.2:"));
    let (code, message) = fails(&["--host", "192.0.2.1"]);
    assert!(code == 1 && message.contains("192.0.2.1"), "{message}");
    let (code, message) = fails(&["--host", "platform"]);
    assert!(code == 2 && message.contains("--host"), "{message}");
    for name in ["", "platform:80", "http://platform", "a b", "a/b"] {
        let error = Sandbox::builder().allow_host(name).start().unwrap_err();
        assert!(matches!(error, SandboxError::Setting { name: "allow_host", .. }), "{name}: {error}");
    }
}

#[test]
fn clients_of_another_address_may_use_http() {
    let Some(ip) = own_address() else { return };
    let sandbox = sandbox_builder().host(ip).start().unwrap();
    assert!(sandbox.base_url().starts_with(&format!("http://{ip}:")) || ip.is_ipv6());
    let value =
        |name: &str| sandbox.variables().into_iter().find(|(n, _)| *n == name).map(|(_, value)| value);
    for wx in [sandbox.client().unwrap(), WeChatPayBuilder::from_variables(value).unwrap().build().unwrap()] {
        wx["v3/security/echo"].post_sync(json!({"echo_message": "hello"})).unwrap();
    }
}
