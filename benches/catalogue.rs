//! The catalogue: finding the operation of a path, suggestions for a mistyped one, a search, the hints of a call.
//!
//! `cargo bench --features catalogue --bench catalogue`; the first use, which decompresses the data, is printed before.

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use wechatpay_chain::catalogue::{Catalogue, Search};

fn catalogue(c: &mut Criterion) {
    first_use();
    let paths = [
        ("template", "GET", "v3/pay/transactions/id/{transaction_id}"),
        ("values", "POST", "v3/pay/transactions/out-trade-no/P20261128/close"),
        ("long", "GET", "v3/fund-app/mch-transfer/transfer-bills/out-bill-no/plfk2020042013"),
        ("url", "POST", "https://api.mch.weixin.qq.com/v3/refund/domestic/refunds"),
        ("unknown", "GET", "v3/not/documented/at/all"),
    ];
    for (name, verb, path) in paths {
        c.bench_function(&format!("find/{name}"), |b| {
            b.iter(|| Catalogue::find(black_box(verb), black_box(path)))
        });
    }
    // All of them in turn, with a value for each variable: what a call finds on the average.
    let all: Vec<_> = Catalogue::operations()
        .map(|operation| {
            let segments = operation.template().split('/');
            let with_values: Vec<_> = segments
                .map(|segment| if segment.starts_with('{') { "4200001234" } else { segment })
                .collect();
            (operation.verb(), with_values.join("/"))
        })
        .collect();
    let mut next = all.iter().cycle();
    c.bench_function("find/each in turn", |b| {
        b.iter(|| next.next().map(|(verb, path)| Catalogue::find(black_box(verb), black_box(path))));
    });
    c.bench_function("suggest/typo", |b| {
        b.iter(|| Catalogue::suggest(Some("POST"), black_box("v3/refunds/domestic/refund")));
    });
    for (name, words) in [("chinese", "退款"), ("english", "refund query"), ("sentence", "怎么给用户打款")]
    {
        c.bench_function(&format!("search/{name}"), |b| {
            b.iter(|| Catalogue::search(black_box(words), &Search::default()));
        });
    }
}

/// Each includes what the ones before it have prepared.
fn first_use() {
    let timed = |name: &str, run: &dyn Fn()| {
        let begin = Instant::now();
        run();
        println!("first {name}: {:.2?}", begin.elapsed());
    };
    timed("find", &|| {
        black_box(Catalogue::find("GET", "v3/certificates"));
    });
    timed("suggest", &|| {
        black_box(Catalogue::suggest(None, "v3/certificate"));
    });
    timed("search", &|| {
        black_box(Catalogue::search("退款", &Search::default()));
    });
}

criterion_group!(benches, catalogue);
criterion_main!(benches);
