//! The CPU time of a process from its start to its first verified response over plain HTTP, and its floor:
//! `cargo bench --bench startup`.
//!
//! This program starts itself again and again; each child makes one call and says what its CPU clock shows then. The
//! platform is another process. What goes into AWS-LC's first random number is shown by itself: it is nearly all of
//! it, unless the program was built with `AWS_LC_SYS_NO_JITTER_ENTROPY=1` (docs/reliability.md). With the feature `cli`,
//! the time in which `wxpay` prints its help follows.
#![allow(missing_docs, unreachable_pub, dead_code, clippy::unwrap_used)]

mod common;

use std::process::Command;
use std::time::{Duration, Instant};

use common::cpu::CpuTime;
use common::floor::Floor;
use common::server::{Server, serve_if_asked};
use common::{client, order};
use criterion::measurement::Measurement as _;

const CHILD: &str = "WECHATPAY_BENCH_CHILD";
const BASE: &str = "WECHATPAY_BENCH_BASE";
const ROUNDS: usize = 50;

/// The work of a child, given the platform's base URL.
type Task = fn(&str);

const CHILDREN: [(&str, Task); 5] = [
    ("nothing at all", |_| {}),
    ("one random number", |_| aws_lc_rs::rand::fill(&mut [0]).unwrap()),
    ("floor: reqwest and aws-lc-rs by hand", |base| {
        let floor = Floor::new(base);
        assert!(on_a_runtime(floor.call(&order()))["code_url"].is_string());
    }),
    ("chain, async", |base| {
        let wx = client(base);
        let response = on_a_runtime(wx["v3/pay/transactions/native"].post(order()).into_future()).unwrap();
        assert!(response.data()["code_url"].is_string());
    }),
    ("chain, blocking", |base| {
        let response = client(base)["v3/pay/transactions/native"].post_sync(order()).unwrap();
        assert!(response.data()["code_url"].is_string());
    }),
];

fn main() {
    serve_if_asked();
    if let Ok(child) = std::env::var(CHILD) {
        let (_, run) = CHILDREN[child.parse::<usize>().unwrap()];
        run(&std::env::var(BASE).unwrap());
        // The clock began with the process, so the start of the program itself is counted, its end is not.
        println!("{}", CpuTime.start());
        return;
    }
    let server = Server::start();
    let mut spent = CHILDREN.map(|_| Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        // One of each in turn, so that a slow moment of the machine meets them all.
        for (child, spent) in spent.iter_mut().enumerate() {
            let output = Command::new(std::env::current_exe().unwrap())
                .env(CHILD, child.to_string())
                .env(BASE, &server.base)
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            spent.push(String::from_utf8(output.stdout).unwrap().trim().parse::<u64>().unwrap());
        }
    }
    println!("{:<38} {:>9} {:>9}", "CPU time of a process that does", "median", "least");
    for ((name, _), mut spent) in CHILDREN.into_iter().zip(spent) {
        spent.sort_unstable();
        let ms = |nanoseconds: u64| nanoseconds as f64 / 1e6;
        println!("{name:<38} {:>6.2} ms {:>6.2} ms", ms(spent[ROUNDS / 2]), ms(spent[0]));
    }
    if let Some(wxpay) = option_env!("CARGO_BIN_EXE_wxpay") {
        let mut times: Vec<_> = (0..ROUNDS).map(|_| time_of_help(wxpay)).collect();
        times.sort_unstable();
        println!("{:<38} {:>9.2?} {:>9.2?}", "time of `wxpay --help`", times[ROUNDS / 2], times[0]);
    }
}

/// Help needs no keys, no runtime and no random number.
fn time_of_help(wxpay: &str) -> Duration {
    let begun = Instant::now();
    assert!(Command::new(wxpay).arg("--help").output().unwrap().status.success());
    begun.elapsed()
}

fn on_a_runtime<T>(call: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(call)
}
