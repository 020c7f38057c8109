//! The chains that a handle indexed. Append-only, so a reference stays valid as long as the handle lives.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Chain;

/// A program has fewer constant paths than this; more nodes mean that it indexes values.
pub(crate) const NODE_WARNING: usize = 1_000;

/// A hash trie whose slots are filled once and never change: no `unsafe`, and no lock on a lookup.
#[derive(Default)]
pub(crate) struct Nodes {
    root: Slot,
    hasher: OnceLock<RandomState>,
    count: AtomicUsize,
}

type Slot = OnceLock<Box<Node>>;

struct Node {
    key: Box<str>,
    chain: Chain,
    children: [Slot; 4],
}

impl Nodes {
    /// The chain under `key`; `make` creates it the first time.
    pub(crate) fn get_or_insert(&self, key: &str, make: impl Fn() -> Chain) -> &Chain {
        let mut hash = self.hasher.get_or_init(RandomState::new).hash_one(key);
        let mut slot = &self.root;
        loop {
            let node = slot.get_or_init(|| {
                self.count_one();
                Box::new(Node { key: key.into(), chain: make(), children: Default::default() })
            });
            if &*node.key == key {
                return &node.chain;
            }
            slot = &node.children[(hash & 3) as usize];
            hash >>= 2;
        }
    }

    fn count_one(&self) {
        if self.count.fetch_add(1, Ordering::Relaxed) == NODE_WARNING {
            tracing::warn!(
                nodes = NODE_WARNING + 1,
                "a handle caches every path that it is indexed with: pass values as template variables instead"
            );
        }
    }
}
