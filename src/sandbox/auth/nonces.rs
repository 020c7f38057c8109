//! The used nonces. Each is remembered for as long as its timestamp could be accepted.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

/// From five minutes early to five minutes late.
const LIFETIME: Duration = Duration::from_secs(601);

/// The limit of a generation. RSA is too slow for more nonces in ten minutes of testing.
const MAX_NONCES: usize = 250_000;

pub(crate) const LENGTH: usize = 32;

/// Two generations: a nonce is kept for one to two times `LIFETIME`, and dropping the old generation is cheap.
pub(crate) struct Nonces {
    young: HashSet<[u8; LENGTH]>,
    old: HashSet<[u8; LENGTH]>,
    since: Instant,
}

impl Nonces {
    pub(crate) fn new() -> Nonces {
        Nonces { young: HashSet::new(), old: HashSet::new(), since: Instant::now() }
    }

    pub(crate) fn contains(&self, nonce: &[u8; LENGTH]) -> bool {
        self.young.contains(nonce) || self.old.contains(nonce)
    }

    /// Returns `false` if the nonce was used before.
    pub(crate) fn insert(&mut self, nonce: [u8; LENGTH]) -> bool {
        if self.contains(&nonce) {
            return false;
        }
        if self.since.elapsed() > LIFETIME || self.young.len() >= MAX_NONCES {
            self.old = std::mem::take(&mut self.young);
            self.since = Instant::now();
        }
        self.young.insert(nonce)
    }
}
