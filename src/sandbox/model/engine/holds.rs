//! What waits for a trigger from outside instead of happening by itself.

use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// A refund stays `PROCESSING`.
    Refunds,
    /// The user of a payment code enters a password: the order stays `USERPAYING`.
    CodePayments,
}

impl Hold {
    pub(crate) const ALL: [Hold; 2] = [Hold::Refunds, Hold::CodePayments];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Hold::Refunds => "refunds",
            Hold::CodePayments => "code_payments",
        }
    }
}

/// It can change while the sandbox runs.
#[derive(Debug, Default)]
pub(crate) struct Holds([AtomicBool; Hold::ALL.len()]);

impl Holds {
    pub(crate) fn new(active: &[Hold]) -> Holds {
        let holds = Holds::default();
        active.iter().for_each(|hold| holds.set(*hold, true));
        holds
    }

    pub(crate) fn get(&self, hold: Hold) -> bool {
        self.0[hold as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, hold: Hold, active: bool) {
        self.0[hold as usize].store(active, Ordering::Relaxed);
    }
}
