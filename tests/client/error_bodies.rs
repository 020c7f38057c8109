//! Error responses that nobody signed, made to take memory: each is read in a child process, whose peak is measured.

use std::io::{Read as _, Write as _};

use wechatpay_chain::Error;

use crate::support::{self, TestServer, skipped};

/// Almost the largest response that is read into memory.
const LENGTH: usize = (8 << 20) - 64;
/// The body itself, twice while its buffer grows, and what is parsed of it: KiB.
const MAY_GROW: u64 = 40 << 10;
const TASK: &str = "WECHATPAY_ERROR_BODY";

/// The beginning, what is repeated, and the end.
const BODIES: [(&str, [&str; 3]); 6] = [
    ("objects", [r#"{"code":"C","message":"m","detail":["#, r#"{"":0},"#, "0]}"]),
    ("objects first", [r#"{"detail":["#, r#"{"":0},"#, r#"0],"code":"C"}"#]),
    ("arrays", [r#"{"code":"C","message":"m","detail":["#, "[],", "0]}"]),
    ("depth", [r#"{"code":"C","message":"m","detail":"#, "[", ""]),
    ("members", [r#"{"code":"C","message":"m""#, r#","detail":{"a":[[],[]]}"#, "}"]),
    ("text", [r#"{"code":"C","message":""#, "\\n", r#""}"#]),
];

/// Sends the body again and again, without keeping it whole.
fn serve([begin, piece, end]: [&'static str; 3], signature: &'static str) -> TestServer {
    TestServer::start(move |mut stream, _| {
        let _ = stream.read(&mut [0; 8192])?;
        let count = (LENGTH - begin.len() - end.len()) / piece.len();
        let length = begin.len() + count * piece.len() + end.len();
        let head =
            format!("HTTP/1.1 500 X\r\nConnection: close\r\n{signature}Content-Length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes())?;
        stream.write_all(begin.as_bytes())?;
        let block = piece.repeat(1_000);
        for _ in 0..count / 1_000 {
            stream.write_all(block.as_bytes())?;
        }
        stream.write_all(piece.repeat(count % 1_000).as_bytes())?;
        stream.write_all(end.as_bytes())
    })
}

/// The peak of this process's memory, in KiB.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// The body of the child processes; on its own it does nothing.
#[test]
fn child() {
    let Ok(task) = std::env::var(TASK) else { return };
    let (_, body) = BODIES.into_iter().find(|(name, _)| *name == task).unwrap();
    let bad = "Wechatpay-Timestamp: 1\r\nWechatpay-Nonce: N\r\nWechatpay-Serial: A\r\nWechatpay-Signature: AAAA\r\n";
    let servers = ["", bad].map(|signature| serve(body, signature));
    let clients = servers.each_ref().map(|server| support::client(&server.base));
    // A small one sets up everything.
    let warm = support::Recorder::start(|_| support::raw("500 X", &[], b"{}"));
    assert!(support::client(&warm.base)["v3/x"].get().wait().is_err());
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let before = peak().unwrap();
    let unsigned = clients[0]["v3/x"].get().wait().unwrap_err();
    let Error::Api(e) = &unsigned else { panic!("{unsigned}") };
    assert!(!e.verified && e.status == 500 && e.body.len() > LENGTH - 100);
    if task != "objects first" {
        assert_eq!(e.code, "C");
    }
    drop(unsigned);
    let wrong = clients[1]["v3/x"].get().wait().unwrap_err();
    assert!(matches!(wrong, Error::Verify(_)), "{wrong}");
    println!("GREW {}", peak().unwrap() - before);
}

#[test]
fn an_unverified_error_takes_little_more_memory_than_its_text() {
    if peak().is_none() {
        skipped("no /proc/self/status here");
        return;
    }
    for (task, _) in BODIES {
        let output = support::alone(module_path!(), "child").env(TASK, task).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        let grew: u64 = text.split("GREW ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
        println!("{task}: {grew} KiB");
        assert!(grew < MAY_GROW, "{task}: {grew} KiB");
    }
}
