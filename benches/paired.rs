//! Chain against floor, taken in turns, so that a noisy machine disturbs both alike: `cargo bench --bench paired`.
//!
//! Each line is the median over the rounds, and the median of the rounds' ratios.
#![allow(missing_docs, unreachable_pub, dead_code)]

mod common;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use common::floor::Floor;
use common::server::{Server, serve_if_asked};
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;
use wechatpay_chain::WeChatPay;

const ROUNDS: usize = 41;

fn main() {
    serve_if_asked();
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let server = Server::start();
    let floor = Arc::new(Floor::new(&server.base));
    let wx = common::client(&server.base);
    let single = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let multi = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();

    let calls = 100;
    paired(
        "one at a time, CPU µs a call (goal 1.03)",
        calls,
        cpu_seconds,
        [&mut || (0..calls).for_each(|_| drop(single.block_on(floor.call(&common::order())))), &mut || {
            (0..calls).for_each(|_| drop(single.block_on(chain_call(&wx))))
        }],
    );
    paired(
        "blocking, CPU µs a call",
        calls,
        cpu_seconds,
        [&mut || (0..calls).for_each(|_| drop(single.block_on(floor.call(&common::order())))), &mut || {
            (0..calls).for_each(|_| {
                drop(wx["v3/pay/transactions/native"].post_sync(common::order()).unwrap().into_data())
            });
        }],
    );
    // Other clients: a pooled connection belongs to the runtime that opened it.
    let (floor, wx) = (Arc::new(Floor::new(&server.base)), common::client(&server.base));
    let calls = 640;
    let start = Instant::now();
    let elapsed = move || start.elapsed().as_secs_f64();
    let floor_calls = |calls: usize| -> Call {
        let floor = floor.clone();
        Box::pin(async move {
            for _ in 0..calls {
                floor.call(&common::order()).await;
            }
        })
    };
    let chain_calls = |calls: usize| -> Call {
        let wx = wx.clone();
        Box::pin(async move {
            for _ in 0..calls {
                chain_call(&wx).await;
            }
        })
    };
    let tasks = |make: &dyn Fn(usize) -> Call| {
        let handles: Vec<_> = (0..32).map(|_| multi.spawn(make(calls / 32))).collect();
        multi.block_on(async {
            for handle in handles {
                handle.await.unwrap();
            }
        });
    };
    let joined = |make: &dyn Fn(usize) -> Call| {
        multi.block_on(futures_util::future::join_all((0..32).map(|_| make(calls / 32))));
    };
    paired(
        "32 in flight, 32 tasks, µs a call (goal 1.03)",
        calls,
        elapsed,
        [&mut || tasks(&floor_calls), &mut || tasks(&chain_calls)],
    );
    paired(
        "32 in flight, one task, µs a call",
        calls,
        elapsed,
        [&mut || joined(&floor_calls), &mut || joined(&chain_calls)],
    );
}

type Call = Pin<Box<dyn Future<Output = ()> + Send>>;

async fn chain_call(wx: &WeChatPay) -> Value {
    wx["v3/pay/transactions/native"].post(common::order()).await.unwrap().into_data()
}

fn cpu_seconds() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

fn paired(name: &str, calls: usize, clock: impl Fn() -> f64, sides: [&mut dyn FnMut(); 2]) {
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS + 2 {
        for turn in 0..2 {
            let side = (round + turn) % 2; // who goes first changes, too
            let before = clock();
            sides[side]();
            let spent = (clock() - before) / calls as f64 * 1e6;
            if round >= 2 {
                times[side].push(spent);
            }
        }
    }
    let ratios = times[1].iter().zip(&times[0]).map(|(chain, floor)| chain / floor).collect();
    let [floor, chain] = times.map(median);
    println!("{name}: floor {floor:.1}, chain {chain:.1}, chain/floor {:.3}", median(ratios));
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
