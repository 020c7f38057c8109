//! APIv2's rules (PROTOCOL-V2): XML, signatures with the secret, responses, notifications. It stands beside `v3/`, and
//! neither imports the other.
//!
//! From the bottom up: `xml` and `sign`, `merchant`, `unsigned` and `verify`, `outgoing`, `exchange`.

pub(crate) mod exchange;
pub(crate) mod merchant;
pub(crate) mod notification;
pub(crate) mod outgoing;
pub(crate) mod sign;
#[cfg(test)]
mod tests;
mod unsigned;
pub(crate) mod verify;
pub(crate) mod xml;

pub(crate) use exchange::exchange;
pub(crate) use merchant::Merchant;
pub(crate) use outgoing::OutgoingRequest;
