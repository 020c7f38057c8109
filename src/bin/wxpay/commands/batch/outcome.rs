//! What the outcome of a call means for the batch.

use std::time::Duration;

use serde::Serialize;
use wechatpay_chain::{Error, Response};

use crate::exit;
pub(super) use crate::outcome::Outcome;

/// What to do with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextStep {
    /// It has a response: never send it again.
    Skip,
    /// It was certainly not carried out.
    Send,
    /// It may have been carried out: send it only if repeating it is harmless or requested.
    SendIfRepeatable,
}

/// What a batch does after a call.
impl Outcome {
    pub(super) fn next_step(self) -> NextStep {
        match self {
            Outcome::Ok | Outcome::Refused => NextStep::Skip,
            Outcome::Limited | Outcome::Unsent => NextStep::Send,
            Outcome::Unknown | Outcome::Unverified => NextStep::SendIfRepeatable,
        }
    }
}

/// Whether every call meets this error until a setting changes.
pub(super) fn is_permanent(error: &Error) -> bool {
    matches!(error, Error::PlatformKeys(e) if e.is_permanent())
}

/// Whether the same call would end in the same way.
pub(super) fn is_final(result: &Result<Response, Error>) -> bool {
    matches!(result, Err(Error::ResponseTooLarge(_)))
}

/// The pause that a rate limit asks for.
pub(super) fn retry_after(result: &Result<Response, Error>) -> Option<Duration> {
    match result {
        Err(Error::Api(e)) => e.retry_after,
        _ => None,
    }
}

impl Outcome {
    /// Whether other calls are likely to fail for the same reason: the network, the keys or the platform.
    pub(super) fn affects_other_calls(self) -> bool {
        matches!(self, Outcome::Unsent | Outcome::Unknown | Outcome::Unverified)
    }
}

/// Whether the same call may succeed a few seconds later. A wrong clock or a wrong key stays wrong.
pub(super) fn may_succeed_later(result: &Result<Response, Error>) -> bool {
    match result {
        Err(Error::Transport(_)) => true,
        Err(Error::PlatformKeys(keys)) => !keys.is_permanent(),
        Err(Error::Api(api)) => api.status >= 500,
        _ => false,
    }
}

/// The number of calls with each outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Summary {
    pub(super) calls: u64,
    pub(super) ok: u64,
    pub(super) refused: u64,
    pub(super) unknown: u64,
    pub(super) unverified: u64,
    /// Not carried out yet.
    pub(super) left: u64,
}

impl Summary {
    /// The exit code for the worst outcome.
    pub(super) fn code(&self) -> u8 {
        match self {
            Summary { unverified: 1.., .. } => exit::VERIFICATION,
            // Before `unknown`: a resumed run finishes these, and then says what is unknown.
            Summary { left: 1.., .. } => exit::TRANSPORT,
            Summary { unknown: 1.., .. } => exit::UNKNOWN,
            Summary { refused: 1.., .. } => exit::REFUSED,
            _ => exit::SUCCESS,
        }
    }
}
