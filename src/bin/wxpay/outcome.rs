//! The outcome of a call: the one classification that exit codes and `wxpay batch` share.

use serde::{Deserialize, Serialize};
use wechatpay_chain::{ApiError, Error, Response};

use crate::apiv2;

/// Error codes of rate limits (PROTOCOL, Errors and retry).
const RATE_LIMIT_CODES: [&str; 4] =
    ["FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "RATELIMIT_EXCEED", "FREQ_LIMIT"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// A verified response with success.
    Ok,
    /// The platform's own word that it does not carry out the call: verified, or its JSON with a `code`, or its XML.
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

impl Outcome {
    pub(crate) fn of(result: &Result<Response, Error>) -> Outcome {
        match result {
            Ok(_) => Outcome::Ok,
            Err(error) => Outcome::of_error(error),
        }
    }

    pub(crate) fn of_error(error: &Error) -> Outcome {
        match error {
            // A genuine success whose body is not the JSON that it says it is: the platform has carried it out.
            Error::Decode(_) => Outcome::Ok,
            Error::Api(e) if e.status == 401 => Outcome::Unsent,
            Error::Api(e) if is_rate_limit(e) => Outcome::Limited,
            Error::Api(e) if e.status >= 500 || apiv2::is_undecided(e) => Outcome::Unknown,
            Error::Api(e) if is_platforms_word(e) => Outcome::Refused,
            // A proxy's page, a captive portal's redirect: nothing says whether the platform received the call.
            Error::Api(_) => Outcome::Unverified,
            Error::PlatformKeys(_) => Outcome::Unsent,
            Error::File(e) if !e.maybe_sent() => Outcome::Unsent,
            Error::Transport(e) if !e.maybe_sent() => Outcome::Unsent,
            Error::Config(_) | Error::Path(_) | Error::Key(_) => Outcome::Unsent,
            Error::Verify(_) => Outcome::Unverified,
            // The enum is non-exhaustive: a new kind of error does not say whether the call was carried out.
            _ => Outcome::Unknown,
        }
    }
}

/// Whether a refusal is the platform's own: verified, or in its form.
pub(crate) fn is_platforms_word(error: &ApiError) -> bool {
    error.verified || !error.code.is_empty() || apiv2::is_refusal(error)
}

fn is_rate_limit(error: &ApiError) -> bool {
    error.status == 429 || RATE_LIMIT_CODES.contains(&error.code.as_str())
}

/// Why the platform's certificates could not be downloaded.
pub(crate) fn platform_keys_cause(error: &dyn std::error::Error) -> Option<&Error> {
    error.source()?.downcast_ref::<Error>()
}
