//! The hot path and its floor, in one run: `cargo bench --bench call`.
//!
//! `prepare`, `sign` and `verify` and `call_one_at_a_time` are measured in CPU time of this process, over all its
//! threads; `call_32_in_flight` in elapsed time. The server is another process. `paired` compares the calls in turns.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout
)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::cpu::CpuTime;
use common::floor::Floor;
use common::server::{RESPONSE_BODY, Server, platform_key, serve_if_asked, sign};
use criterion::{Criterion, Throughput};
use serde_json::{Value, json};

fn main() {
    serve_if_asked();
    let server = Server::start();
    let floor = Arc::new(Floor::new(&server.base));
    let wx = common::client(&server.base);

    let mut cpu = Criterion::default()
        .with_measurement(CpuTime)
        .measurement_time(Duration::from_secs(8))
        .sample_size(60)
        .configure_from_args();
    pure(&mut cpu, &floor, &wx);
    one_at_a_time(&mut cpu, &floor, &wx);
    cpu.final_summary();

    let mut wall =
        Criterion::default().measurement_time(Duration::from_secs(10)).sample_size(30).configure_from_args();
    // Other clients: a pooled connection belongs to the runtime that opened it.
    in_flight(&mut wall, &Arc::new(Floor::new(&server.base)), &common::client(&server.base));
    wall.final_summary();
}

fn pure(c: &mut Criterion<CpuTime>, floor: &Floor, wx: &wechatpay_chain::WeChatPay) {
    let mut group = c.benchmark_group("prepare");
    group.bench_function("post", |b| {
        b.iter(|| wx["v3/pay/transactions/native"].post(common::order()).prepare().unwrap());
    });
    group.bench_function("get with a variable and a query", |b| {
        b.iter(|| {
            wx["v3/pay/transactions/out-trade-no/{out_trade_no}"]
                .get()
                .var("out_trade_no", "1217752501201407033233368018")
                .query(json!({"mchid": common::MCHID}))
                .prepare()
                .unwrap()
        });
    });
    group.finish();

    let mut group = c.benchmark_group("sign");
    group.bench_function("floor", |b| b.iter(|| floor.authorization(&common::order().to_string())));
    group.bench_function("chain", |b| {
        b.iter(|| {
            wx["v3/pay/transactions/native"]
                .post(common::order())
                .prepare()
                .unwrap()
                .authorization()
                .wait()
                .unwrap()
        });
    });
    group.finish();

    let timestamp = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let signature = sign(&platform_key(), timestamp);
    let message = format!("{timestamp}\nNONCE\n{RESPONSE_BODY}\n");
    let mut headers = http::HeaderMap::new();
    headers.insert("Wechatpay-Timestamp", timestamp.into());
    headers.insert("Wechatpay-Nonce", "NONCE".parse().unwrap());
    headers.insert("Wechatpay-Serial", common::PLATFORM_SERIAL.parse().unwrap());
    headers.insert("Wechatpay-Signature", signature.parse().unwrap());
    let mut group = c.benchmark_group("verify");
    group.bench_function("floor", |b| b.iter(|| floor.verify(message.as_bytes(), &signature)));
    group.bench_function("chain", |b| b.iter(|| wx.verify(&headers, RESPONSE_BODY.as_bytes()).unwrap()));
    group.finish();
}

fn one_at_a_time(c: &mut Criterion<CpuTime>, floor: &Floor, wx: &wechatpay_chain::WeChatPay) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut group = c.benchmark_group("call_one_at_a_time");
    // A call is long, and its CPU time is short of a tick of noise: many rounds, taken in turns by criterion's samples.
    group.measurement_time(Duration::from_secs(20)).sample_size(100);
    group.bench_function("floor", |b| b.iter(|| runtime.block_on(floor.call(&common::order()))));
    group.bench_function("chain", |b| b.iter(|| runtime.block_on(chain_call(wx))));
    group.bench_function("chain, blocking", |b| {
        b.iter(|| wx["v3/pay/transactions/native"].post_sync(common::order()).unwrap().into_data());
    });
    group.finish();
}

async fn chain_call(wx: &wechatpay_chain::WeChatPay) -> Value {
    wx["v3/pay/transactions/native"].post(common::order()).await.unwrap().into_data()
}

fn in_flight(c: &mut Criterion, floor: &Arc<Floor>, wx: &wechatpay_chain::WeChatPay) {
    const CALLS: usize = 320;
    const IN_FLIGHT: usize = 32;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut group = c.benchmark_group("call_32_in_flight");
    group.throughput(Throughput::Elements(CALLS as u64));
    let tasks = |call: &dyn Fn() -> tokio::task::JoinHandle<()>| {
        let handles: Vec<_> = (0..IN_FLIGHT).map(|_| call()).collect();
        runtime.block_on(async {
            for handle in handles {
                handle.await.unwrap();
            }
        });
    };
    group.bench_function("floor, 32 tasks", |b| {
        b.iter(|| {
            tasks(&|| {
                let floor = floor.clone();
                runtime.spawn(async move {
                    for _ in 0..CALLS / IN_FLIGHT {
                        floor.call(&common::order()).await;
                    }
                })
            });
        });
    });
    group.bench_function("chain, 32 tasks", |b| {
        b.iter(|| {
            tasks(&|| {
                let wx = wx.clone();
                runtime.spawn(async move {
                    for _ in 0..CALLS / IN_FLIGHT {
                        chain_call(&wx).await;
                    }
                })
            });
        });
    });
    // All 32 in one task, as `join_all` does it: the floor signs on one thread.
    let joined = |futures: &dyn Fn() -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>>| {
        let all: Vec<_> = (0..IN_FLIGHT).map(|_| futures()).collect();
        runtime.block_on(async move { runtime_join(all).await });
    };
    group.bench_function("floor, joined in one task", |b| {
        b.iter(|| {
            joined(&|| {
                let floor = floor.clone();
                Box::pin(async move {
                    for _ in 0..CALLS / IN_FLIGHT {
                        floor.call(&common::order()).await;
                    }
                })
            });
        });
    });
    group.bench_function("chain, joined in one task", |b| {
        b.iter(|| {
            joined(&|| {
                let wx = wx.clone();
                Box::pin(async move {
                    for _ in 0..CALLS / IN_FLIGHT {
                        chain_call(&wx).await;
                    }
                })
            });
        });
    });
    group.finish();
}

async fn runtime_join(all: Vec<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>>) {
    futures_util::future::join_all(all).await;
}
