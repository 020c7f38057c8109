//! Which hints a client has given already: a loop of calls says each once.

use std::collections::hash_map::{Entry, RandomState};
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};

use super::hint::Hint;
use super::operation::Operation;

/// Of each operation, so many calls are compared. Later ones cost next to nothing.
const COMPARED_CALLS: u8 = 16;
/// Of each operation, so many hints are given.
const MOST_HINTS: usize = 20;
/// So many undocumented paths are told apart: with values in them, each call may have another one.
const MOST_UNKNOWN: usize = 256;
/// More paths than a caller writes down.
const MOST_SETTLED: usize = 2_048;

/// The hints that a client has given.
#[derive(Debug, Default)]
pub(crate) struct Given {
    hasher: RandomState,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    paths: HashMap<u64, Path>,
    unknown: usize,
    /// Verbs and paths as callers write them that need no look any more.
    settled: HashSet<u64>,
}

/// An operation, or an undocumented path.
#[derive(Debug, Default)]
struct Path {
    calls: u8,
    hints: Vec<u64>,
}

impl Given {
    /// Whether all was said of the calls that a caller writes so.
    pub(crate) fn is_settled(&self, verb: &str, written: &str) -> bool {
        let id = self.hasher.hash_one((verb, written));
        self.state.lock().unwrap_or_else(PoisonError::into_inner).settled.contains(&id)
    }

    /// Those hints of a call that were not given before. `compare` makes them, and is called for the first calls only.
    pub(crate) fn new_hints(
        &self,
        operation: Option<Operation>,
        verb: &str,
        path: &str,
        written: &str,
        compare: impl FnOnce() -> Vec<Hint>,
    ) -> Vec<Hint> {
        let template = operation.map_or(path, |operation| operation.template());
        let id = self.hasher.hash_one((verb, template));
        if !self.is_due(id, operation.is_some()) {
            let written = self.hasher.hash_one((verb, written));
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.settled.len() < MOST_SETTLED {
                state.settled.insert(written);
            }
            return Vec::new();
        }
        let mut hints = compare();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let given = &mut state.paths.entry(id).or_default().hints;
        hints.retain(|hint| {
            let kind = self.hasher.hash_one(hint.subject());
            let is_new = given.len() < MOST_HINTS && !given.contains(&kind);
            given.extend(is_new.then_some(kind));
            is_new
        });
        hints
    }

    /// Counts a call, and says whether it is to be compared.
    fn is_due(&self, id: u64, is_documented: bool) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { paths, unknown, .. } = &mut *state;
        let path = match paths.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(_) if !is_documented && *unknown >= MOST_UNKNOWN => return false,
            Entry::Vacant(new) => {
                *unknown += usize::from(!is_documented);
                new.insert(Path::default())
            }
        };
        let is_due = path.calls < COMPARED_CALLS;
        path.calls += u8::from(is_due);
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Catalogue, FieldHint, FieldProblem};

    fn hint(field: String) -> Vec<Hint> {
        vec![Hint::Field(FieldHint { place: "body", field, problem: FieldProblem::Missing })]
    }

    #[test]
    fn a_hint_is_given_once_for_an_operation() {
        let given = Given::default();
        let refund = Catalogue::find("POST", "v3/refund/domestic/refunds");
        let new = |field: &str| given.new_hints(refund, "POST", "", "", || hint(field.to_owned())).len();
        assert_eq!((new("/a"), new("/a"), new("/b"), new("/list/0/c"), new("/list/12/c")), (1, 0, 1, 1, 0));
        // Another operation, and another client.
        let other = Catalogue::find("GET", "v3/certificates");
        assert_eq!(given.new_hints(other, "GET", "", "", || hint("/a".to_owned())).len(), 1);
        assert_eq!(Given::default().new_hints(refund, "POST", "", "", || hint("/a".to_owned())).len(), 1);
    }

    #[test]
    fn of_a_loop_only_the_first_calls_are_compared() {
        let given = Given::default();
        let operation = Catalogue::find("GET", "v3/certificates");
        let mut compared = 0_u8;
        for number in 0..1_000 {
            given.new_hints(operation, "GET", "", "v3/certificates", || {
                compared += 1;
                hint(format!("/name_{number}"))
            });
        }
        assert_eq!(compared, COMPARED_CALLS);
        assert!(given.is_settled("GET", "v3/certificates"));
        assert!(!given.is_settled("POST", "v3/certificates") && !given.is_settled("GET", "v3/certificates/"));
    }

    #[test]
    fn undocumented_paths_without_end_take_no_memory_and_no_turn_of_documented_ones() {
        let given = Given::default();
        for number in 0..10_000 {
            let path = format!("v3/x/{number}");
            let found = given.new_hints(None, "GET", &path, &path, || hint("/a".to_owned()));
            assert_eq!(found.len(), usize::from(number < MOST_UNKNOWN), "{number}");
        }
        let state = given.state.lock().unwrap();
        assert_eq!((state.paths.len(), state.settled.len()), (MOST_UNKNOWN, MOST_SETTLED));
        drop(state);
        let documented = Catalogue::find("GET", "v3/certificates");
        assert_eq!(given.new_hints(documented, "GET", "", "", || hint("/a".to_owned())).len(), 1);
        let many = || (0..500).flat_map(|number| hint(format!("/name_{number}_"))).collect();
        let other = Catalogue::find("POST", "v3/refund/domestic/refunds");
        assert_eq!(given.new_hints(other, "POST", "", "", many).len(), MOST_HINTS);
    }
}
