//! The outcome of a call, and what it means for the batch.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use wechatpay_chain::{ApiError, Error, Response};

use crate::exit;

/// Error codes of rate limits (PROTOCOL, Errors and retry).
const RATE_LIMIT_CODES: [&str; 3] = ["FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "RATELIMIT_EXCEED"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// A verified response with success.
    Ok,
    /// The platform's own word that it does not carry out the call: verified, or its JSON with a `code`.
    Refused,
    /// Refused by a rate limit, so not carried out.
    Limited,
    /// The request was never sent, or was not authenticated (401): certainly not carried out.
    Unsent,
    /// It may have been carried out: there was no response, or a 5xx, which does not say (PROTOCOL, Errors and retry).
    Unknown,
    /// Not the platform's word (a wrong signature, a proxy's page); the call may have been carried out.
    Unverified,
}

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

impl Outcome {
    pub(super) fn of(result: &Result<Response, Error>) -> Outcome {
        match result {
            // A genuine success whose body is not the JSON that it says it is: the platform has carried it out.
            Ok(_) | Err(Error::Decode(_)) => Outcome::Ok,
            Err(Error::Api(e)) if e.status == 401 => Outcome::Unsent,
            Err(Error::Api(e)) if is_rate_limit(e) => Outcome::Limited,
            Err(Error::Api(e)) if e.status >= 500 => Outcome::Unknown,
            Err(Error::Api(e)) if e.verified || !e.code.is_empty() => Outcome::Refused,
            // A proxy's page, a captive portal's redirect: nothing says whether the platform received the call.
            Err(Error::Api(_)) => Outcome::Unverified,
            Err(Error::PlatformKeys(_)) => Outcome::Unsent,
            Err(Error::File(e)) if !e.maybe_sent() => Outcome::Unsent,
            Err(Error::Transport(e)) if !e.maybe_sent() => Outcome::Unsent,
            Err(Error::Config(_) | Error::Path(_) | Error::Key(_)) => Outcome::Unsent,
            Err(Error::Verify(_)) => Outcome::Unverified,
            // The enum is non-exhaustive: a new kind of error does not say whether the call was carried out.
            Err(_) => Outcome::Unknown,
        }
    }

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

fn is_rate_limit(error: &ApiError) -> bool {
    error.status == 429 || RATE_LIMIT_CODES.contains(&error.code.as_str())
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
