//! That large files pass in small memory: each in a child process of its own, whose peak is read from the kernel.

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;

use serde_json::Value;
use wechatpay_chain::Media;

const DOWNLOAD: usize = 300 << 20;
const UPLOAD: usize = 200 << 20;
const MAY_GROW: u64 = 32 << 10; // KiB

/// The peak of this process' memory, in KiB.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// A server in a thread: counts what comes, and sends what is asked for. It holds no file in memory, either.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") {
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
            let piece = vec![b'x'; 64 << 10];
            if head.starts_with("get /v3/billdownload/file") {
                let length = if head.contains("small") { piece.len() } else { DOWNLOAD };
                write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n")
                    .unwrap();
                for _ in 0..length / piece.len() {
                    stream.write_all(&piece).unwrap();
                }
            } else {
                let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
                let (mut left, mut piece) = (length.parse::<usize>().unwrap(), piece);
                while left > 0 {
                    let n = left.min(piece.len());
                    stream.read_exact(&mut piece[..n]).unwrap();
                    left -= n;
                }
                let body = format!("{{\"length\":{length}}}");
                stream
                    .write_all(&support::signed("200 OK", &[("Connection", "close")], body.as_bytes()))
                    .unwrap();
            }
        }
    });
    base
}

fn grown(before: u64) -> u64 {
    peak().unwrap() - before
}

/// What the children run; on its own it does nothing.
#[test]
fn child() {
    let Ok(task) = std::env::var("WECHATPAY_MEMORY_TASK") else { return };
    let wx = support::client(&serve());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    let small = folder.path().join("small");
    std::fs::write(&small, "small").unwrap();
    // Everything that is set up once, first.
    wx["v3/billdownload/file"]
        .get()
        .query("token=small")
        .save_to(folder.path().join("first"))
        .wait()
        .unwrap();
    wx["v3/x"].post(Value::Null).media(Media::file(&small)).wait().unwrap();
    let bytes = match task.as_str() {
        "download" => {
            let before = peak().unwrap();
            let saved = wx["v3/billdownload/file"].get().save_to(&path).wait().unwrap();
            println!("GREW {} from {before}", grown(before));
            assert_eq!(std::fs::metadata(&path).unwrap().len(), saved.bytes);
            assert_eq!(saved.bytes, DOWNLOAD as u64);
            saved.bytes
        }
        _ => {
            std::fs::File::create(&path).unwrap().set_len(UPLOAD as u64).unwrap();
            let before = peak().unwrap();
            let answer = wx["v3/x"].post(Value::Null).media(Media::file(&path)).wait().unwrap();
            println!("GREW {} from {before}", grown(before));
            let length = answer.data()["length"].as_u64().unwrap();
            assert!((UPLOAD as u64..UPLOAD as u64 + 1000).contains(&length));
            length
        }
    };
    println!("BYTES {bytes}");
}

#[test]
fn large_files_pass_in_small_memory() {
    if peak().is_none() {
        println!("skipped: no /proc/self/status here");
        return;
    }
    for task in ["download", "upload"] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact", "--nocapture"])
            .env("WECHATPAY_MEMORY_TASK", task)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        let grew = text.split("GREW ").nth(1).unwrap().lines().next().unwrap();
        let (grew, before) = grew.split_once(" from ").unwrap();
        println!("{task}: peak memory grew by {grew} KiB from {before} KiB");
        let grew: u64 = grew.parse().unwrap();
        assert!(grew < MAY_GROW, "{task}: {grew} KiB");
    }
}
