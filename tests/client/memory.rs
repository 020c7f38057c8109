//! Large files take little memory. Each is sent in a child process, whose peak is read from the kernel.
//!
//! The sizes that the project promises, 500 MB up and bills of 1 GB down, take a minute:
//! `cargo test --features sandbox --test client memory -- --ignored --nocapture`.

use std::io::{Read as _, Write as _};

use aws_lc_rs::digest;
use serde_json::{Value, json};
use wechatpay_chain::Media;

use crate::support::{self, TestServer, skipped};

const MIB: usize = 1 << 20;
const MAY_GROW: u64 = 32 << 10; // KiB
const TASK: &str = "WECHATPAY_MEMORY_TASK";
const SIZE: &str = "WECHATPAY_MEMORY_MIB";

/// A figure of this process's memory, in KiB: `VmHWM` is its peak.
fn memory(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// Rows of a bill, one MiB of them.
fn rows() -> Vec<u8> {
    let mut rows = Vec::with_capacity(MIB + 128);
    for number in 0_u64.. {
        if rows.len() >= MIB {
            break;
        }
        let order = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        write!(
            rows,
            "`2026-11-20 08:15:30,`wxd678efh567hg6787,`P{order:020},`{}.00,`SUCCESS\r\n",
            order % 997
        )
        .unwrap();
    }
    rows.resize(MIB, b'\n');
    rows
}

/// A server in a thread: counts what comes, and sends `size` MiB of rows. It keeps no file in memory either: it
/// sends one piece again and again, for gzip as one member (RFC 1952 section 2.2) after another.
fn serve(size: usize) -> TestServer {
    let plain = rows();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).unwrap();
    let gzip = gzip.finish().unwrap();
    let sha1 = |count| {
        let mut sha1 = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
        (0..count).for_each(|_| sha1.update(&plain));
        sha1.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let (small, large) = (sha1(1), sha1(size));
    TestServer::start(move |mut stream, notes| {
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let line = head.lines().next().unwrap();
        notes.request(line);
        let count = if line.contains("small") { 1 } else { size };
        let piece = if line.contains("gzip") { &gzip } else { &plain };
        let signed =
            |body: Value| support::signed("200 OK", &[("Connection", "close")], body.to_string().as_bytes());
        if line.starts_with("get /v3/billdownload/file") {
            let length = count * piece.len();
            write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n")?;
            for _ in 0..count {
                stream.write_all(piece)?;
            }
        } else if line.starts_with("get ") {
            let hash = if count == 1 { &small } else { &large };
            let query = line.split(' ').nth(1).unwrap().split_once('?').unwrap().1;
            let url = format!("http://{}/v3/billdownload/file?{query}", stream.local_addr()?);
            let response = json!({"hash_type": "SHA1", "hash_value": hash, "download_url": url});
            stream.write_all(&signed(response))?;
        } else {
            let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
            let (mut left, mut piece) = (length.parse::<usize>().unwrap(), vec![0; 64 << 10]);
            while left > 0 {
                let n = left.min(piece.len());
                stream.read_exact(&mut piece[..n])?;
                left -= n;
            }
            stream.write_all(&signed(json!({"length": length})))?;
        }
        Ok(())
    })
}

/// The body of the child processes; on its own it does nothing.
#[test]
fn child() {
    let Ok(task) = std::env::var(TASK) else { return };
    let size: usize = std::env::var(SIZE).unwrap().parse().unwrap();
    let server = serve(size);
    let wx = support::client(&server.base);
    let folder = tempfile::tempdir().unwrap();
    let path = |name| folder.path().join(name);
    let bill = |name| {
        let bill = wx.bill("v3/bill/tradebill").query(json!({ "size": name }));
        let bill = if task == "gzip bill" { bill.gzip() } else { bill };
        bill.save_to(path(name)).wait().unwrap().bytes
    };
    let upload = |name, length: usize| {
        std::fs::File::create(path(name)).unwrap().set_len(length as u64).unwrap();
        let response = wx["v3/x"].post(Value::Null).media(Media::file(path(name))).wait().unwrap();
        let sent = response.data()["length"].as_str().unwrap().parse::<usize>().unwrap();
        assert!((length..length + 1000).contains(&sent)); // with the other part
        length as u64
    };
    let run = |name, length| if task == "upload" { upload(name, length) } else { bill(name) };
    // First a small one, which sets up everything; then the peak is reset, if the kernel allows it.
    run("small", MIB);
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let before = memory("VmHWM").unwrap();
    assert_eq!(run("large", size * MIB), (size * MIB) as u64);
    println!("GREW {} from {before}", memory("VmHWM").unwrap() - before);
    if task != "upload" {
        assert_eq!(std::fs::metadata(path("large")).unwrap().len(), (size * MIB) as u64);
    }
}

fn pass(tasks: &[(&str, usize)]) {
    if memory("VmHWM").is_none() {
        skipped("no /proc/self/status here");
        return;
    }
    for (task, size) in tasks {
        let output = support::alone(module_path!(), "child")
            .env(TASK, task)
            .env(SIZE, size.to_string())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        let grew = text.split("GREW ").nth(1).unwrap().lines().next().unwrap();
        let (grew, before) = grew.split_once(" from ").unwrap();
        println!("{task} of {size} MiB: peak memory grew by {grew} KiB from {before} KiB");
        let grew: u64 = grew.parse().unwrap();
        assert!(grew < MAY_GROW, "{task}: {grew} KiB");
    }
}

#[test]
fn large_files_pass_in_small_memory() {
    pass(&[("bill", 300), ("gzip bill", 64), ("upload", 200)]);
}

#[test]
#[ignore = "takes a minute, and 2 GB of disk"]
fn the_largest_files_pass_in_small_memory() {
    pass(&[("bill", 1024), ("gzip bill", 1024), ("upload", 500)]);
}
