//! Deliberate faults: which exist, when they apply, and their effect on the execution of a request.

pub(crate) mod active;
pub(crate) mod drawn;
pub(crate) mod effects;
pub(crate) mod fault;
pub(crate) mod hits;
pub(crate) mod rule;
