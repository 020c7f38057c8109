//! The used nonces. Each is remembered for as long as its timestamp could be accepted.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};

/// From five minutes early to five minutes late.
const LIFETIME: Duration = Duration::from_secs(601);

/// The limit of a generation. RSA is too slow for more nonces in ten minutes of testing.
const MAX_NONCES: usize = 250_000;

/// SDKs send 10 to 64 characters; half a digest of each is kept.
const LENGTH: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Nonce([u8; LENGTH]);

impl Nonce {
    /// 1 to 64 printable ASCII characters.
    pub(crate) fn parse(text: &str) -> Option<Nonce> {
        if !(1..=64).contains(&text.len()) || !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return None;
        }
        let digest = Sha256::digest(text);
        let mut nonce = [0; LENGTH];
        nonce.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Some(Nonce(nonce))
    }
}

/// Two generations: a nonce is kept for one to two times `LIFETIME`, and dropping the old generation is cheap.
pub(crate) struct Nonces {
    young: HashSet<Nonce>,
    old: HashSet<Nonce>,
    since: Instant,
}

impl Nonces {
    pub(crate) fn new() -> Nonces {
        Nonces { young: HashSet::new(), old: HashSet::new(), since: Instant::now() }
    }

    pub(crate) fn contains(&self, nonce: Nonce) -> bool {
        self.young.contains(&nonce) || self.old.contains(&nonce)
    }

    /// Returns `false` if the nonce was used before.
    pub(crate) fn insert(&mut self, nonce: Nonce) -> bool {
        if self.contains(nonce) {
            return false;
        }
        if self.since.elapsed() > LIFETIME || self.young.len() >= MAX_NONCES {
            self.old = std::mem::take(&mut self.young);
            self.since = Instant::now();
        }
        self.young.insert(nonce)
    }
}
