//! Chain against floor, taken in turns, so that a noisy machine disturbs both alike: `cargo bench --bench paired`, or
//! with `-- pinned` only the cases whose name contains that word. `WECHATPAY_BENCH_ROUNDS` sets the rounds.
//!
//! Each line is the median over the rounds, and the median of the rounds' ratios.
#![allow(missing_docs, unreachable_pub, dead_code)]

mod common;

use std::pin::Pin;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use common::floor::Floor;
use common::server::{Server, serve_if_asked};
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use wechatpay_chain::WeChatPay;

const ROUNDS: &str = "WECHATPAY_BENCH_ROUNDS";
/// The base URL for this program when it was started again to be pinned to one core.
const PINNED: &str = "WECHATPAY_BENCH_PINNED";

fn main() {
    serve_if_asked();
    if let Ok(base) = std::env::var(PINNED) {
        return pinned(&base);
    }
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if arguments.iter().any(|arg| arg == "--test") {
        return;
    }
    let filters: Vec<_> = arguments.iter().filter(|arg| !arg.starts_with('-')).collect();
    let wanted = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(*filter));
    let server = Server::start();
    if wanted("one at a time") {
        one_at_a_time(&server.base);
    }
    if wanted("blocking") {
        blocking(&server.base);
    }
    if wanted("32 in flight, 32 tasks") {
        tasks(&server.base);
    }
    if wanted("32 in flight, one task") {
        one_task(&server.base);
    }
    if wanted("pinned") {
        start_pinned(&server);
    }
}

/// A floor and a chain of their own: a pooled connection belongs to the runtime that opened it.
fn clients(base: &str) -> (Arc<Floor>, WeChatPay) {
    (Arc::new(Floor::new(base)), common::client(base))
}

fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn one_at_a_time(base: &str) {
    let ((floor, wx), single, calls) = (clients(base), single(), 100);
    let samples = measure(
        calls,
        [&mut || (0..calls).for_each(|_| drop(single.block_on(floor.call(&common::order())))), &mut || {
            (0..calls).for_each(|_| drop(single.block_on(chain_call(&wx))))
        }],
    );
    report("one at a time, CPU µs a call (goal 1.03)", samples.cpu);
}

fn blocking(base: &str) {
    let ((floor, wx), single, calls) = (clients(base), single(), 100);
    let samples = measure(
        calls,
        [&mut || (0..calls).for_each(|_| drop(single.block_on(floor.call(&common::order())))), &mut || {
            (0..calls).for_each(|_| {
                drop(wx["v3/pay/transactions/native"].post_sync(common::order()).unwrap().into_data())
            });
        }],
    );
    report("blocking, CPU µs a call", samples.cpu);
}

fn tasks(base: &str) {
    let (clients, runtime) = (clients(base), Builder::new_multi_thread().enable_all().build().unwrap());
    report("32 in flight, 32 tasks, µs a call (goal 1.03)", in_tasks(&clients, &runtime).elapsed);
}

fn one_task(base: &str) {
    let (clients, runtime) = (clients(base), Builder::new_multi_thread().enable_all().build().unwrap());
    let joined = |make: &dyn Fn(usize) -> Call| {
        runtime.block_on(futures_util::future::join_all((0..32).map(|_| make(IN_FLIGHT / 32))));
    };
    let (floor, chain) = makers(&clients);
    let samples = measure(IN_FLIGHT, [&mut || joined(&floor), &mut || joined(&chain)]);
    report("32 in flight, one task, µs a call", samples.elapsed);
}

/// Starts this program again, pinned to one core, with the server on the others.
#[cfg(target_os = "linux")]
fn start_pinned(server: &Server) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let all = sched_getaffinity(None).unwrap();
    let mut cores = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core));
    let mut others = all;
    if let (Some(first), Some(_)) = (cores.next(), cores.next()) {
        others.unset(first);
    }
    let server_process = rustix::process::Pid::from_raw(server.child.id().try_into().unwrap());
    sched_setaffinity(server_process, &others).unwrap();
    let mut again = Command::new(std::env::current_exe().unwrap());
    assert!(again.env(PINNED, &server.base).status().unwrap().success());
    sched_setaffinity(server_process, &all).unwrap();
}

#[cfg(not(target_os = "linux"))]
fn start_pinned(_: &Server) {
    println!("pinned to one core: only on Linux");
}

/// The client on the first core: a container with one core, or a worker that a web server pins.
fn pinned(base: &str) {
    #[cfg(target_os = "linux")]
    {
        use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

        let all = sched_getaffinity(None).unwrap();
        let mut one = CpuSet::new();
        one.set((0..CpuSet::MAX_CPU).find(|core| all.is_set(*core)).unwrap());
        // No other thread has been started yet; later ones inherit it.
        sched_setaffinity(None, &one).unwrap();
    }
    let samples = in_tasks(&clients(base), &single());
    let per_second = samples.elapsed.map(|times| times.into_iter().map(|micros| 1e6 / micros).collect());
    report("pinned to one core, 32 tasks, calls a second (goal 0.97)", per_second);
    report("pinned to one core, 32 tasks, CPU µs a call (goal 1.03)", samples.cpu);
}

/// The calls of a round with many in flight.
const IN_FLIGHT: usize = 640;

fn in_tasks(clients: &(Arc<Floor>, WeChatPay), runtime: &Runtime) -> Samples {
    let run = |make: &dyn Fn(usize) -> Call| {
        let handles: Vec<_> = (0..32).map(|_| runtime.spawn(make(IN_FLIGHT / 32))).collect();
        runtime.block_on(async {
            for handle in handles {
                handle.await.unwrap();
            }
        });
    };
    let (floor, chain) = makers(clients);
    measure(IN_FLIGHT, [&mut || run(&floor), &mut || run(&chain)])
}

type Call = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Futures of a number of calls, one after another: the floor's, the chain's.
fn makers(
    (floor, wx): &(Arc<Floor>, WeChatPay),
) -> (impl Fn(usize) -> Call + use<>, impl Fn(usize) -> Call + use<>) {
    let (floor, wx) = (floor.clone(), wx.clone());
    let floor_calls = move |calls: usize| -> Call {
        let floor = floor.clone();
        Box::pin(async move {
            for _ in 0..calls {
                floor.call(&common::order()).await;
            }
        })
    };
    let chain_calls = move |calls: usize| -> Call {
        let wx = wx.clone();
        Box::pin(async move {
            for _ in 0..calls {
                chain_call(&wx).await;
            }
        })
    };
    (floor_calls, chain_calls)
}

async fn chain_call(wx: &WeChatPay) -> Value {
    wx["v3/pay/transactions/native"].post(common::order()).await.unwrap().into_data()
}

fn cpu_seconds() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// Microseconds a call, for each round: the floor's, the chain's.
#[derive(Default)]
struct Samples {
    elapsed: [Vec<f64>; 2],
    cpu: [Vec<f64>; 2],
}

fn measure(calls: usize, sides: [&mut dyn FnMut(); 2]) -> Samples {
    let rounds = std::env::var(ROUNDS).map_or(41, |rounds| rounds.parse().unwrap());
    let mut samples = Samples::default();
    for round in 0..rounds + 2 {
        for turn in 0..2 {
            let side = (round + turn) % 2; // who goes first changes, too
            let (started, cpu) = (Instant::now(), cpu_seconds());
            sides[side]();
            let (elapsed, cpu) = (started.elapsed().as_secs_f64(), cpu_seconds() - cpu);
            if round >= 2 {
                samples.elapsed[side].push(elapsed / calls as f64 * 1e6);
                samples.cpu[side].push(cpu / calls as f64 * 1e6);
            }
        }
    }
    samples
}

fn report(name: &str, samples: [Vec<f64>; 2]) {
    let ratios = samples[1].iter().zip(&samples[0]).map(|(chain, floor)| chain / floor).collect();
    let [floor, chain] = samples.map(median);
    println!("{name}: floor {floor:.1}, chain {chain:.1}, chain/floor {:.3}", median(ratios));
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
