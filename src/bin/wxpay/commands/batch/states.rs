//! The state of every call of a batch, in less than 100 bytes per call, whatever is in it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sha2::{Digest as _, Sha256};

use super::calls::{Call, Id};
use super::outcome::{NextStep, Outcome, Summary};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    New,
    /// Announced in the journal, without a result so far.
    Sent,
    Finished(Outcome),
}

impl State {
    pub(super) fn next_step(self) -> NextStep {
        match self {
            State::New => NextStep::Send,
            State::Sent => NextStep::SendIfRepeatable,
            State::Finished(outcome) => outcome.next_step(),
        }
    }
}

/// A record of a journal that does not fit the input.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    pub(super) fault: String,
    /// Empty if there is none.
    pub(super) fix: &'static str,
}

impl From<String> for Mismatch {
    fn from(fault: String) -> Self {
        Mismatch { fault, fix: "" }
    }
}

/// Half of the SHA-256 of an id: ids may be long.
type Key = [u8; 16];

struct Entered {
    line: u64,
    digest: u64,
    state: State,
    /// The outcome of an earlier attempt that may have been carried out.
    doubt: Option<Outcome>,
}

impl Entered {
    fn enter(&mut self, state: State) {
        if state == State::Sent {
            self.doubt = match self.state {
                // Announced, without a result: a run that was killed.
                State::Sent => Some(Outcome::Unknown),
                State::Finished(outcome) => outcome.doubt().or(self.doubt),
                State::New => self.doubt,
            };
        }
        self.state = match state {
            State::Finished(outcome) => State::Finished(after(self.doubt, outcome)),
            state => state,
        };
    }
}

impl Outcome {
    /// This outcome, if the call may have been carried out.
    pub(super) fn doubt(self) -> Option<Outcome> {
        matches!(self, Outcome::Unknown | Outcome::Unverified).then_some(self)
    }
}

/// The outcome of a call whose last attempt ended as `last`. That one was certainly not carried out does not mean that an
/// earlier one was not.
pub(super) fn after(doubt: Option<Outcome>, last: Outcome) -> Outcome {
    match (last, doubt) {
        (Outcome::Unsent | Outcome::Limited, Some(doubt)) => doubt,
        _ => last,
    }
}

#[derive(Default)]
pub(super) struct States {
    calls: HashMap<Key, Entered>,
}

impl States {
    /// Adds a new call. If its id is taken, the error is the line of the call that has it.
    pub(super) fn add(&mut self, call: &Call) -> Result<(), u64> {
        match self.calls.entry(key(&call.id)) {
            Entry::Occupied(entered) => Err(entered.get().line),
            Entry::Vacant(vacant) => {
                vacant.insert(Entered {
                    line: call.line,
                    digest: parse_digest(&call.digest),
                    state: State::New,
                    doubt: None,
                });
                Ok(())
            }
        }
    }

    /// Sets the state that a journal records for a call; false if its state is final already.
    pub(super) fn restore(&mut self, id: &Id, digest: &str, state: State) -> Result<bool, Mismatch> {
        let Some(entered) = self.calls.get_mut(&key(id)) else {
            return Err(Mismatch {
                fault: format!("{id} is not in the input: this journal belongs to other calls"),
                fix: "continue it with the file of its calls, or name another journal with -o",
            });
        };
        if entered.digest != parse_digest(digest) {
            let line = entered.line;
            return Err(Mismatch {
                fault: format!("{id} has changed since it was sent (line {line} of the input)"),
                fix: "give the new call an `id` of its own, and keep the old line",
            });
        }
        // A response is final, even if the same call also occurs in another journal.
        let open = entered.state.next_step() != NextStep::Skip;
        if open {
            entered.enter(state);
        }
        Ok(open)
    }

    /// The state of a call; none if it is not the call that was added.
    pub(super) fn get(&self, call: &Call) -> Option<State> {
        let entered = self.calls.get(&key(&call.id))?;
        (entered.digest == parse_digest(&call.digest)).then_some(entered.state)
    }

    /// Sets the state of a call, and returns the previous one.
    pub(super) fn set(&mut self, id: &Id, state: State) -> State {
        match self.calls.get_mut(&key(id)) {
            Some(entered) => {
                let before = entered.state;
                entered.enter(state);
                before
            }
            None => State::New,
        }
    }

    pub(super) fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for entered in self.calls.values() {
            summary.calls += 1;
            *match entered.state {
                State::New | State::Finished(Outcome::Limited | Outcome::Unsent) => &mut summary.left,
                State::Sent | State::Finished(Outcome::Unknown) => &mut summary.unknown,
                State::Finished(Outcome::Ok) => &mut summary.ok,
                State::Finished(Outcome::Refused) => &mut summary.refused,
                State::Finished(Outcome::Unverified) => &mut summary.unverified,
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

/// An invalid digest becomes 0, which equals the digest of no line.
fn parse_digest(digest: &str) -> u64 {
    u64::from_str_radix(digest, 16).unwrap_or_default()
}
