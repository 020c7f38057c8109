//! Whether, and when, a call is tried again (PROTOCOL, Errors and retry): always the same body, signed afresh.

use std::time::Duration;

use http::Method;

use crate::error::{ApiError, Error};

/// More tries than these do not help.
pub(crate) const MOST: u32 = 3;

/// A server that wants more patience than this gets its answer passed on.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Codes that ask for another try with the same numbers.
const RETRYABLE: &[&str] = &["SYSTEM_ERROR", "FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "RATELIMIT_EXCEED"];

/// The pauses before further tries: 1 s, 2 s, 4 s, unless the first is configured.
pub(crate) struct Waits {
    left: u32,
    next: Duration,
}

impl Waits {
    pub(crate) fn len(&self) -> u32 {
        self.left
    }
}

pub(crate) fn waits(tries: u32, first: Duration) -> Waits {
    Waits { left: tries, next: first }
}

/// Whether the spare host may be asked: the connection could not be made, or it broke and asking twice does no harm.
/// What failed before there was a connection (a signer, say) fails on any host.
pub(crate) fn fails_over(error: &Error, method: &Method) -> bool {
    matches!(error, Error::Transport(e) if e.broken && (!e.maybe_sent || *method == Method::GET))
}

/// How long to wait before the next try; `None` when there is none.
pub(crate) fn wait_before(error: &Error, waits: &mut Waits) -> Option<Duration> {
    let Error::Api(api) = error else { return None };
    if !is_retryable(api) {
        return None;
    }
    waits.left = waits.left.checked_sub(1)?;
    let pause = waits.next;
    waits.next = pause.saturating_mul(2).min(LONGEST_WAIT);
    let wait = api.retry_after.map_or(pause, |asked| asked.max(pause));
    (wait <= LONGEST_WAIT).then_some(wait)
}

fn is_retryable(api: &ApiError) -> bool {
    api.status == 429 || (api.status >= 500 && RETRYABLE.contains(&api.code.as_str()))
}
