use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::span;

use super::WeChatPay;
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

#[test]
fn more_than_a_thousand_nodes_are_warned_of_once() {
    let key =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/merchant_key.pem")).unwrap();
    let platform =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/platform_pub.pem")).unwrap();
    let builder = WeChatPay::builder().mchid("1").serial("AB").private_key(key);
    let wx = builder.platform_key("PUB_KEY_ID_1", platform).build().unwrap();
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
