//! What became of a call.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use wechatpay_chain::{ApiError, Error, Response};

use crate::exit;

/// Codes of a rate limit (PROTOCOL, Errors and retry).
const RATE_LIMITS: [&str; 3] = ["FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "RATELIMIT_EXCEED"];

/// What became of a call, as far as this side knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// Answered with success.
    Ok,
    /// Answered with an error of the platform's.
    Refused,
    /// Turned away by a rate limit, and not carried out.
    Limited,
    /// Never left this machine.
    Unsent,
    /// It may have been carried out: no answer came, or a 5xx, which says nothing about it (PROTOCOL, Errors and
    /// retry).
    Unknown,
    /// An answer came that is not proved to be the platform's; it may have been carried out.
    Unverified,
}

/// What is to be done about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It was answered: never again.
    Nothing,
    /// It was certainly not carried out.
    Send,
    /// It may have been carried out: only where a repetition does no harm, or is asked for.
    Ask,
}

impl Outcome {
    pub(super) fn of(result: &Result<Response, Error>) -> Outcome {
        match result {
            Ok(_) => Outcome::Ok,
            Err(Error::Api(e)) if is_rate_limit(e) => Outcome::Limited,
            Err(Error::Api(e)) if e.status >= 500 => Outcome::Unknown,
            Err(Error::Api(_)) => Outcome::Refused,
            Err(Error::Transport(e)) if !e.maybe_sent() => Outcome::Unsent,
            Err(Error::Config(_) | Error::Path(_) | Error::Key(_)) => Outcome::Unsent,
            Err(Error::Verify(_)) => Outcome::Unverified,
            // A kind of error that is not known here says nothing about the call.
            Err(_) => Outcome::Unknown,
        }
    }

    pub(super) fn next(self) -> Next {
        match self {
            Outcome::Ok | Outcome::Refused => Next::Nothing,
            Outcome::Limited | Outcome::Unsent => Next::Send,
            Outcome::Unknown | Outcome::Unverified => Next::Ask,
        }
    }
}

fn is_rate_limit(error: &ApiError) -> bool {
    error.status == 429 || RATE_LIMITS.contains(&error.code.as_str())
}

/// How long a rate limit asks to wait.
pub(super) fn retry_after(result: &Result<Response, Error>) -> Option<Duration> {
    match result {
        Err(Error::Api(e)) => e.retry_after,
        _ => None,
    }
}

/// Whether the trouble is likely to be every call's: the line, the keys, the platform.
pub(super) fn is_general(outcome: Outcome, result: &Result<Response, Error>) -> bool {
    let unauthorized = matches!(result, Err(Error::Api(e)) if e.status == 401);
    unauthorized || matches!(outcome, Outcome::Unsent | Outcome::Unknown | Outcome::Unverified)
}

/// How many calls ended in which way.
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
    /// The worst that happened says how the batch ends.
    pub(super) fn code(&self) -> u8 {
        match self {
            Summary { unverified: 1.., .. } => exit::VERIFICATION,
            Summary { unknown: 1.., .. } | Summary { left: 1.., .. } => exit::TRANSPORT,
            Summary { refused: 1.., .. } => exit::REFUSED,
            _ => 0,
        }
    }
}
