//! The log of what the simulated payer did, for the timeline of an order. The log of requests has none of it.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

pub(super) const MAX_STEPS: usize = 10_000;

/// One step of the payer. The names of the fields are part of the state file.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PayerStep {
    /// By the machine's clock.
    pub(crate) at: SystemTime,
    /// Such as `pay`.
    pub(crate) action: String,
    /// The [`seq`](super::documents::Document::seq) of the changed document.
    pub(crate) seq: i64,
}

/// The newest steps.
#[derive(Default)]
pub(crate) struct PayerLog(Mutex<VecDeque<PayerStep>>);

impl PayerLog {
    fn steps(&self) -> MutexGuard<'_, VecDeque<PayerStep>> {
        // A panic elsewhere must not stop the sandbox: no change is ever half-written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, step: PayerStep) {
        let mut steps = self.steps();
        steps.push_back(step);
        if steps.len() > MAX_STEPS {
            steps.pop_front();
        }
    }

    /// The steps on these documents, oldest first.
    pub(crate) fn of(&self, documents: &[i64]) -> Vec<PayerStep> {
        self.steps().iter().filter(|step| documents.contains(&step.seq)).cloned().collect()
    }
}
