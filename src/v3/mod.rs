//! APIv3's rules: sign, verify, platform keys and certificates, attempts and retries, errors of the platform.
//!
//! From the bottom up: `merchant` and `sign`, `platform` and `verify`, `context`, `outgoing`, `attempt`, `attempts`,
//! `certificates`, `exchange`.

mod api_error;
pub(crate) mod attempt;
mod attempts;
pub(crate) mod certificates;
pub(crate) mod context;
pub(crate) mod exchange;
pub(crate) mod merchant;
pub(crate) mod outgoing;
pub(crate) mod platform;
mod retry;
pub(crate) mod sign;
pub(crate) mod verify;

pub(crate) use context::{Context, Defaults};
pub(crate) use outgoing::OutgoingRequest;
pub(crate) use retry::MAX_RETRIES;
