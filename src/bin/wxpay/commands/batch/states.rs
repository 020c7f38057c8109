//! Which calls there are, and how far each has come: less than 100 bytes a call, whatever is in it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sha2::{Digest as _, Sha256};

use super::calls::{Call, Id};
use super::outcome::{Next, Outcome, Summary};

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    New,
    /// Announced, and no word of it since.
    Sent,
    Ended(Outcome),
}

impl Phase {
    pub(super) fn next(self) -> Next {
        match self {
            Phase::New => Next::Send,
            Phase::Sent => Next::Ask,
            Phase::Ended(outcome) => outcome.next(),
        }
    }
}

/// Ids may be long: half of a SHA-256 stands for each.
type Key = [u8; 16];

struct Known {
    line: u64,
    digest: u64,
    phase: Phase,
}

#[derive(Default)]
pub(super) struct Ledger {
    calls: HashMap<Key, Known>,
}

impl Ledger {
    /// Enters a new call; `Err` is the line of another one with its id.
    pub(super) fn enter(&mut self, call: &Call) -> Result<(), u64> {
        match self.calls.entry(key(&call.id)) {
            Entry::Occupied(known) => Err(known.get().line),
            Entry::Vacant(place) => {
                place.insert(Known { line: call.line, digest: number(&call.digest), phase: Phase::New });
                Ok(())
            }
        }
    }

    /// Enters what a journal says of a call.
    pub(super) fn learn(&mut self, id: &Id, digest: &str, phase: Phase) -> Result<(), String> {
        let Some(known) = self.calls.get_mut(&key(id)) else {
            return Err(format!("{id} is not among the calls: this is the journal of another input"));
        };
        if known.digest != number(digest) {
            return Err(format!(
                "{id} was changed since it was sent: it is line {} of the calls",
                known.line
            ));
        }
        // An answer stays one, whatever the same call went through in another journal.
        if known.phase.next() != Next::Nothing {
            known.phase = phase;
        }
        Ok(())
    }

    /// How far a call has come, unless it is another one than was entered.
    pub(super) fn phase(&self, call: &Call) -> Option<Phase> {
        let known = self.calls.get(&key(&call.id))?;
        (known.digest == number(&call.digest)).then_some(known.phase)
    }

    /// Sets how far a call has come, and gives how far it was.
    pub(super) fn set(&mut self, id: &Id, phase: Phase) -> Phase {
        match self.calls.get_mut(&key(id)) {
            Some(known) => std::mem::replace(&mut known.phase, phase),
            None => Phase::New,
        }
    }

    pub(super) fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for known in self.calls.values() {
            summary.calls += 1;
            *match known.phase {
                Phase::New | Phase::Ended(Outcome::Limited | Outcome::Unsent) => &mut summary.left,
                Phase::Sent | Phase::Ended(Outcome::Unknown) => &mut summary.unknown,
                Phase::Ended(Outcome::Ok) => &mut summary.ok,
                Phase::Ended(Outcome::Refused) => &mut summary.refused,
                Phase::Ended(Outcome::Unverified) => &mut summary.unverified,
            } += 1;
        }
        summary
    }
}

fn key(id: &Id) -> Key {
    let digest = match id {
        Id::Line(line) => Sha256::new().chain_update(b"l").chain_update(line.to_le_bytes()),
        Id::Name(name) => Sha256::new().chain_update(b"n").chain_update(name),
    }
    .finalize();
    let mut key = Key::default();
    key.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    key
}

/// A digest that is none is not that of any line.
fn number(digest: &str) -> u64 {
    u64::from_str_radix(digest, 16).unwrap_or_default()
}
