//! Which nonces were used, remembered for as long as their timestamp could still be accepted.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

/// From five minutes early to five minutes late.
const LIFE: Duration = Duration::from_secs(601);

/// Per generation. At the pace of RSA, more than this within ten minutes is no test any more.
const MOST: usize = 250_000;

pub(super) const LENGTH: usize = 32;

/// Two generations: a nonce lives for one to two times `LIFE`, and forgetting costs nothing.
pub(super) struct Nonces {
    young: HashSet<[u8; LENGTH]>,
    old: HashSet<[u8; LENGTH]>,
    since: Instant,
}

impl Nonces {
    pub(super) fn new() -> Nonces {
        Nonces { young: HashSet::new(), old: HashSet::new(), since: Instant::now() }
    }

    pub(super) fn contains(&self, nonce: &[u8; LENGTH]) -> bool {
        self.young.contains(nonce) || self.old.contains(nonce)
    }

    /// `false` when the nonce is there already.
    pub(super) fn insert(&mut self, nonce: [u8; LENGTH]) -> bool {
        if self.contains(&nonce) {
            return false;
        }
        if self.since.elapsed() > LIFE || self.young.len() >= MOST {
            self.old = std::mem::take(&mut self.young);
            self.since = Instant::now();
        }
        self.young.insert(nonce)
    }
}
