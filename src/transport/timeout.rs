//! Checks of timeouts.

use std::time::Duration;

use serde_json::Value;

use crate::error::{Error, Excerpt, kind_of};

/// The longest timeout.
pub(crate) const MAX_TIMEOUT: Duration = Duration::from_secs(3600);

/// A timeout in seconds, as in PHP.
pub(crate) fn seconds(field: &str, value: &Value) -> Result<Duration, Error> {
    let seconds = value.as_f64().ok_or_else(|| {
        Error::config(field, format!("must be a number of seconds; it is {}", kind_of(value)))
    })?;
    let duration = Duration::try_from_secs_f64(seconds)
        .map_err(|_| Error::config(field, format!("must be a number of seconds; it is {seconds}")))?;
    check_timeout(field, duration)
        .map_err(|e| e.advise("axios counts milliseconds, so divide them by 1000"))?;
    Ok(duration)
}

/// A timeout in seconds, as a text.
pub(crate) fn seconds_of_text(field: &str, text: &str) -> Result<Duration, Error> {
    let seconds = text.trim().parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let duration = seconds.ok_or_else(|| {
        Error::config(field, format!("must be a number of seconds, such as 30; it is {}", Excerpt(text)))
    })?;
    check_timeout(field, duration)?;
    Ok(duration)
}

pub(crate) fn check_timeout(field: &str, value: Duration) -> Result<(), Error> {
    if value.is_zero() || value > MAX_TIMEOUT {
        let reason = "must be more than 0 and at most 3600 seconds";
        return Err(Error::config(field, format!("{reason}; it is {}", value.as_secs_f64())));
    }
    Ok(())
}
