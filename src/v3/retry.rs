//! Whether and when a call is tried again (PROTOCOL, Errors and retry): with the same body, signed afresh.

use std::time::Duration;

use http::Method;

use crate::error::{ApiError, Error, VerifyReason};

/// The most retries that a request may ask for.
pub(crate) const MAX_RETRIES: u32 = 3;

/// If the server asks for a longer pause, its response is returned.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// Codes that invite a retry with the same numbers.
const RETRYABLE: &[&str] = &["SYSTEM_ERROR", "FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "RATELIMIT_EXCEED"];

/// The pauses before the retries of a call: 1 s, 2 s, 4 s, unless the first is configured.
pub(super) struct Pauses {
    left: u32,
    next: Duration,
}

impl Pauses {
    pub(super) fn new(retries: u32, first: Duration) -> Pauses {
        Pauses { left: retries, next: first }
    }

    /// The number of retries left.
    pub(super) fn left(&self) -> u32 {
        self.left
    }

    /// The pause before the next retry; `None` if `error` is final.
    pub(super) fn before_retry(&mut self, error: &Error, method: &Method) -> Option<Duration> {
        let retry_after = match error {
            Error::Api(api) if is_retryable(api) => api.retry_after,
            // The platform tests whether the response is refused. The next one is genuine; but only a GET may be repeated
            // after a response that could be one.
            Error::Verify(e) if e.reason == VerifyReason::SignatureProbe && *method == Method::GET => None,
            _ => return None,
        };
        self.left = self.left.checked_sub(1)?;
        let pause = self.next;
        self.next = pause.saturating_mul(2).min(MAX_PAUSE);
        let pause = retry_after.map_or(pause, |asked| asked.max(pause));
        (pause <= MAX_PAUSE).then_some(pause)
    }
}

/// Whether the spare host may be tried: the connection could not be made, or it broke and the request is a GET. A
/// failure before the connection (of a signer, for example) would be the same on any host.
pub(super) fn fails_over(error: &Error, method: &Method) -> bool {
    matches!(error, Error::Transport(e) if e.broken && (!e.maybe_sent || *method == Method::GET))
}

/// Whether the call may be made once more on a new connection: a GET over a kept connection, which the server may have
/// closed while the request was on its way.
pub(super) fn was_stale(error: &Error, method: &Method) -> bool {
    matches!(error, Error::Transport(e) if e.stale && *method == Method::GET)
}

fn is_retryable(api: &ApiError) -> bool {
    api.status == 429 || (api.status >= 500 && RETRYABLE.contains(&api.code.as_str()))
}

/// Whether the platform's error says that the same request may succeed later.
pub(super) fn is_temporary(api: &ApiError) -> bool {
    is_retryable(api) || RETRYABLE.contains(&api.code.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(first: u64, retry_after: Option<u64>) -> Vec<u64> {
        let mut pauses = Pauses::new(3, Duration::from_secs(first));
        let error = Error::Api(Box::new(ApiError {
            status: 429,
            code: String::new(),
            message: String::new(),
            detail: serde_json::Value::Null,
            request_id: None,
            verified: true,
            did_you_mean: Vec::new(),
            retry_after: retry_after.map(Duration::from_secs),
            body: bytes::Bytes::new(),
        }));
        std::iter::from_fn(|| pauses.before_retry(&error, &Method::POST))
            .map(|pause| pause.as_secs())
            .collect()
    }

    #[test]
    fn pauses_double_and_a_longer_one_than_a_minute_is_not_made() {
        assert_eq!(pauses(1, None), [1, 2, 4]);
        assert_eq!(pauses(40, None), [40, 60, 60]);
        assert!(pauses(90, None).is_empty());
        assert_eq!(pauses(1, Some(3)), [3, 3, 4]);
        assert!(pauses(1, Some(61)).is_empty());
    }
}
