//! Notifications: composing, queueing and delivering them.

pub(crate) mod allowed_hosts;
pub(crate) mod client;
pub(crate) mod delivery;
pub(crate) mod envelope;
pub(crate) mod outbox;
