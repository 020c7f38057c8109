//! Where a handle keeps the chains that it indexed: append-only, so that a reference stays good as long as the handle.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::chain::Chain;

/// More nodes than a program has fixed paths: values are being indexed.
const MANY: usize = 1_000;

/// A hash trie whose slots are filled once and never change. Safe code, and no lock on the way to a node.
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
    /// The chain under `key`, made by `make` the first time.
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
        if self.count.fetch_add(1, Ordering::Relaxed) == MANY {
            tracing::warn!(
                nodes = MANY + 1,
                "a handle keeps every path it is indexed with: pass values as template variables instead"
            );
        }
    }
}

#[cfg(test)]
mod tests;
