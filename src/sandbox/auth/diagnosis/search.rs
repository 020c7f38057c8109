//! The search for the mistakes that give the message which was signed.

use super::{
    changes::{changes, rare_changes},
    message::{Change, MessageParts},
    mistake::Mistake,
    signature::Content,
};

/// The bytes of all messages that are tried for one signature. It takes about ten milliseconds.
const MAX_TRIED: usize = 16 << 20;

/// A message costs at least this much.
const MIN_COST: usize = 256;

pub(super) enum Outcome {
    /// Without a mistake, the list is empty.
    Found(Vec<Mistake>, Vec<u8>),
    NotFound,
    /// The message is too long to try every mistake.
    OutOfBudget,
}

/// First each mistake alone, then two together.
pub(super) fn search(parts: &MessageParts<'_>, content: &Content) -> Outcome {
    let mut budget = MAX_TRIED;
    // `None` ends the search.
    let mut tried = |mistakes: &[&Change]| {
        let message = parts.changed(mistakes);
        budget = budget.checked_sub(message.len().max(MIN_COST))?;
        Some(content.covers(&message).then_some(message))
    };
    let mut found = |mistakes: &[&Change]| match tried(mistakes) {
        None => Some(Outcome::OutOfBudget),
        Some(message) => message.map(|message| {
            let mut names: Vec<Mistake> = mistakes.iter().map(|change| change.mistake).collect();
            names.dedup();
            Outcome::Found(names, message)
        }),
    };
    if let Some(outcome) = found(&[]) {
        return outcome;
    }
    let changes = changes(parts);
    if let Some(outcome) = changes.iter().find_map(|change| found(&[change])) {
        return outcome;
    }
    if let Some(outcome) = rare_changes(parts).iter().find_map(|change| found(&[change])) {
        return outcome;
    }
    for (index, first) in changes.iter().enumerate() {
        for second in &changes[index + 1..] {
            if first.part.bits() & second.part.bits() == 0
                && let Some(outcome) = found(&[first, second])
            {
                return outcome;
            }
        }
    }
    Outcome::NotFound
}
