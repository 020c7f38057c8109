use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span;

use super::WeChatPay;
use super::builder::WeChatPayBuilder;
use crate::chain::NODE_WARNING;

/// Counts the warnings of a thread.
struct Warnings(Arc<AtomicUsize>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

fn builder() -> WeChatPayBuilder {
    let key =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/merchant_key.pem")).unwrap();
    let platform =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/platform_pub.pem")).unwrap();
    let builder = WeChatPay::builder().mchid("1").serial("AB").private_key(key);
    builder.platform_key("PUB_KEY_ID_1", platform)
}

#[test]
fn more_than_a_thousand_nodes_are_warned_of_once() {
    let wx = builder().build().unwrap();
    let warnings = Arc::new(AtomicUsize::new(0));
    tracing::subscriber::with_default(Warnings(Arc::clone(&warnings)), || {
        for n in 0..NODE_WARNING {
            assert_eq!(wx[format!("v3/n{n}").as_str()].path(), format!("v3/n{n}"));
        }
        assert_eq!(warnings.load(Ordering::SeqCst), 0);
        for n in 0..2 * NODE_WARNING {
            let _ = &wx[format!("v3/m{n}").as_str()];
        }
        // Owned nodes are not kept.
        let _ = (0..2 * NODE_WARNING).map(|n| wx.chain(&format!("v3/o{n}"))).count();
    });
    assert_eq!(warnings.load(Ordering::SeqCst), 1);
}

/// Collects all spans and events of a thread, with all their fields.
#[derive(Clone, Default)]
struct Everything(Arc<Mutex<String>>);

impl Visit for Everything {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.lock().unwrap().push_str(&format!("{}={value}\n", field.name()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.lock().unwrap().push_str(&format!("{}={value:?}\n", field.name()));
    }
}

impl tracing::Subscriber for Everything {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("wechatpay_chain")
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        attributes.record(&mut self.clone());
        span::Id::from_u64(1)
    }

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[test]
fn messages_are_traced_on_request_and_without_their_signature() {
    let traced = |builder: WeChatPayBuilder| {
        // Nothing listens there: the request is traced before it is sent.
        let wx = builder.base_url("http://127.0.0.1:9/").build().unwrap();
        let everything = Everything::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        tracing::subscriber::with_default(everything.clone(), || {
            let call = wx["v3/x/{id}"].post(json!({"name": "张三"})).var("id", "P1").header("Cookie", "c=1");
            runtime.block_on(call.send()).unwrap_err();
        });
        std::mem::take(&mut *everything.0.lock().unwrap())
    };
    let by_default = traced(builder());
    assert!(by_default.contains("host=127.0.0.1\n") && by_default.contains("template="), "{by_default}");
    for personal in ["P1", "张三", "c=1", "authorization"] {
        assert!(!by_default.contains(personal), "{personal} in {by_default}");
    }
    let all = traced(builder().trace_messages());
    for part in
        ["path=/v3/x/P1", "host=127.0.0.1:9", "authorization: …", "cookie: …", r#"body={"name":"张三"}"#]
    {
        assert!(all.contains(part), "{part} is not in {all}");
    }
    for secret in ["c=1", "signature=", "nonce_str"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}
