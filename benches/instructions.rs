//! Instructions a call, by callgrind: `benches/instructions.sh` runs this under valgrind and does the sums.
//!
//! `instructions MODE CALLS`, where MODE is `floor`, `chain`, `warned` (the chain, with a subscriber for warnings, who
//! gets hints if the feature `catalogue` is on) or `crypto` (the bare signature and verification).
#![allow(missing_docs, unreachable_pub, dead_code, clippy::unwrap_used)]

mod common;

use common::floor::Floor;
use common::server::{RESPONSE_BODY, Server, platform_key, serve_if_asked, sign};

fn main() {
    serve_if_asked();
    let args: Vec<_> = std::env::args().collect();
    let [_, mode, calls] = &args[..] else {
        println!("run by benches/instructions.sh");
        return; // `cargo test --benches` starts it without arguments, or with its own
    };
    let Ok(calls) = calls.parse::<usize>() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if mode == "crypto" {
        let floor = Floor::new("http://127.0.0.1:9/");
        let body = common::order().to_string();
        let message = format!("POST\n/v3/pay/transactions/native\n1700000000\n{}\n{body}\n", "N".repeat(32));
        let signature = sign(&platform_key(), 1_700_000_000);
        let response = format!("1700000000\nNONCE\n{RESPONSE_BODY}\n");
        for _ in 0..calls {
            floor.sign(message.as_bytes());
            floor.verify(response.as_bytes(), &signature);
        }
        return;
    }
    let base = std::env::var("BASE").unwrap_or_default();
    let server = base.is_empty().then(Server::start);
    let base = server.as_ref().map_or(base, |s| s.base.clone());
    // Built once: what a caller does to make a body is not the SDK's. The chain takes it, so it gets a copy.
    let order = common::order();
    match mode.as_str() {
        "floor" => {
            let floor = Floor::new(&base);
            (0..calls).for_each(|_| drop(runtime.block_on(floor.call(&order))));
        }
        "chain" | "warned" => {
            if mode == "warned" {
                tracing::subscriber::set_global_default(Warnings).unwrap();
            }
            let wx = common::client(&base);
            let call =
                || async { wx["v3/pay/transactions/native"].post(order.clone()).await.unwrap().into_data() };
            (0..calls).for_each(|_| drop(runtime.block_on(call())));
        }
        _ => println!("MODE is floor, chain, warned or crypto"),
    }
}

/// Takes warnings, and keeps nothing.
struct Warnings;

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::WARN
    }
    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(tracing::level_filters::LevelFilter::WARN)
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}
