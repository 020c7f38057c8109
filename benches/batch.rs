//! `wxpay batch` compared with the floor: `cargo bench --features cli --bench batch`.
//!
//! 10,000 calls, 32 in flight. The program's time is that of its process, from its start to its end: it reads the calls
//! twice and has each of them on the disk twice, before it is sent and after its response. The floor, a hand-written
//! client, makes the calls and keeps nothing. The platform is another process. Peak memory is the kernel's `VmHWM`.
#![allow(missing_docs, unreachable_pub, dead_code, clippy::unwrap_used)]

mod common;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::floor::Floor;
use common::server::{Server, serve_if_asked};

const CALLS: usize = 10_000;
const IN_FLIGHT: usize = 32;
const ROUNDS: usize = 5;

fn main() {
    serve_if_asked();
    let server = Server::start();
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut calls = std::io::BufWriter::new(std::fs::File::create(home.path().join("calls.jsonl")).unwrap());
    for number in 0..CALLS {
        let mut body = common::order();
        body["out_trade_no"] = format!("P{number:012}").into();
        writeln!(
            calls,
            "{{\"id\":\"P{number:012}\",\"method\":\"POST\",\"path\":\"v3/pay/transactions/native\",\"body\":{body}}}"
        )
        .unwrap();
    }
    calls.flush().unwrap();
    println!("{CALLS} calls, {IN_FLIGHT} in flight");
    // A journal in memory shows how much of the time the disk takes.
    let memory = Path::new("/dev/shm").is_dir().then(|| tempfile::tempdir_in("/dev/shm").unwrap());
    let mut rates = [Vec::new(), Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        let floor = floor(&server.base);
        let (on_disk, peak) = batch(home.path(), home.path(), &server.base);
        let in_memory = memory.as_ref().map(|folder| batch(home.path(), folder.path(), &server.base).0);
        // The first round warms up.
        if round > 0 {
            let shown = in_memory.unwrap_or(f64::NAN);
            println!(
                "floor {floor:.0} calls/s, batch {on_disk:.0}, without a disk {shown:.0}; peak {peak} KiB"
            );
            assert!(peak < 64 << 10, "the promise is 64 MB");
            let all = [Some(floor), Some(on_disk), in_memory];
            rates.iter_mut().zip(all).for_each(|(rates, rate)| rates.extend(rate));
        }
    }
    let [floor, on_disk, in_memory] = rates.map(median);
    println!(
        "median: floor {floor:.0} calls/s; batch {on_disk:.0}, {:.2} of it; without a disk {in_memory:.0}, {:.2}",
        on_disk / floor,
        in_memory / floor
    );
}

fn floor(base: &str) -> f64 {
    let floor = Arc::new(Floor::new(base));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let start = Instant::now();
    let task = |floor: Arc<Floor>| async move {
        for _ in 0..CALLS / IN_FLIGHT {
            floor.call(&common::order()).await;
        }
    };
    let tasks: Vec<_> = (0..IN_FLIGHT).map(|_| runtime.spawn(task(floor.clone()))).collect();
    for task in tasks {
        runtime.block_on(task).unwrap();
    }
    CALLS as f64 / start.elapsed().as_secs_f64()
}

/// Calls a second, and KiB.
fn batch(home: &Path, journals: &Path, base: &str) -> (f64, u64) {
    let journal = journals.join("results.jsonl");
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_wxpay"))
        .args(["batch", "calls.jsonl", "-j"])
        .arg(IN_FLIGHT.to_string())
        .arg("-o")
        .arg(&journal)
        .current_dir(home)
        .stderr(Stdio::piped())
        .env_clear()
        .envs([
            ("HOME", home.to_str().unwrap()),
            ("WECHATPAY_MCHID", common::MCHID),
            ("WECHATPAY_SERIAL", common::MERCHANT_SERIAL),
            ("WECHATPAY_PRIVATE_KEY", &common::key("merchant_key.pem")),
            ("WECHATPAY_PLATFORM_SERIAL", common::PLATFORM_SERIAL),
            ("WECHATPAY_PLATFORM_CERTIFICATE", &common::key("platform_cert.pem")),
            ("WECHATPAY_BASE_URL", base),
        ])
        .spawn()
        .unwrap();
    let mut peak = 0;
    // It only grows, so the last look that succeeds tells the peak.
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(peak);
        std::thread::sleep(Duration::from_millis(20));
    }
    let spent = start.elapsed().as_secs_f64();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::remove_file(journal).unwrap();
    (CALLS as f64 / spent, peak)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
