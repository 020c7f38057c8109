//! The faults that were drawn for one request or notification. A fault counts once it is known to apply: a response may
//! have no signature to damage, a notification may never be sent.

use super::{fault::Fault, hits::HitTarget};

/// Must be settled: see [`ActiveFaults::settle`](super::active::ActiveFaults::settle).
pub(crate) struct Drawn {
    /// How often the faults had been cleared: later ones have the same numbers.
    pub(super) clears: u64,
    pub(super) by: HitTarget,
    pub(super) parts: Vec<Part>,
}

pub(super) struct Part {
    pub(super) source: Source,
    pub(super) fault: Fault,
    pub(super) applied: bool,
}

/// Where a fault comes from, with its number there.
#[derive(Clone, Copy)]
pub(super) enum Source {
    Rule(u64),
    Queue(u64),
}

impl Drawn {
    pub(crate) fn none(by: HitTarget) -> Drawn {
        Drawn { clears: 0, by, parts: Vec::new() }
    }

    /// All that were drawn.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        self.parts.iter().map(|part| part.fault.clone()).collect()
    }

    /// Those that applied.
    pub(crate) fn applied(&self) -> Vec<Fault> {
        self.parts.iter().filter(|part| part.applied).map(|part| part.fault.clone()).collect()
    }

    /// Notes that these faults applied.
    pub(crate) fn apply(&mut self, mut did: impl FnMut(&Fault) -> bool) {
        for part in &mut self.parts {
            part.applied |= did(&part.fault);
        }
    }
}
