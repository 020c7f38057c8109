//! What a setting must be like.

use std::time::Duration;

use serde_json::Value;
use url::Url;

use super::PLATFORM_HOSTS;
use crate::error::{Error, kind_of};

const MAX_TIMEOUT: Duration = Duration::from_secs(3600);

pub(super) fn required(field: &str, why: &str, value: Option<String>) -> Result<String, Error> {
    value.filter(|v| !v.is_empty()).ok_or_else(|| Error::config(field, format!("is missing: {why}")))
}

/// What stands in the `Authorization` header between quotes.
pub(super) fn alphanumeric(field: &str, value: &str) -> Result<(), Error> {
    match value.chars().find(|c| !c.is_ascii_alphanumeric()) {
        Some(bad) => Err(Error::config(field, format!("must be ASCII letters and digits; it has {bad:?}"))),
        None => Ok(()),
    }
}

/// A time in seconds, as PHP gives it.
pub(crate) fn seconds(field: &str, value: &Value) -> Result<Duration, Error> {
    let seconds = value.as_f64().ok_or_else(|| {
        Error::config(field, format!("must be a number of seconds; it is {}", kind_of(value)))
    })?;
    let duration = Duration::try_from_secs_f64(seconds)
        .map_err(|_| Error::config(field, format!("must be a number of seconds; it is {seconds}")))?;
    check_timeout(field, duration)?;
    Ok(duration)
}

pub(crate) fn check_timeout(field: &str, value: Duration) -> Result<(), Error> {
    if value.is_zero() || value > MAX_TIMEOUT {
        let reason =
            "must be more than 0 and at most 3600 seconds (axios counts milliseconds: divide by 1000)";
        return Err(Error::config(field, format!("{reason}; it is {value:?}")));
    }
    Ok(())
}

/// A base URL with its path ended by a slash, so that a prefix (`…/hk`) is one, with or without it.
pub(crate) fn parse_base_url(field: &str, text: &str) -> Result<Url, Error> {
    let fail =
        |why: &str| Error::config(field, format!("must be an https:// or http:// URL without query; {why}"));
    let mut url = Url::parse(text).map_err(|e| fail(&e.to_string()))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(fail(&format!("its scheme is `{}`", url.scheme())));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(fail("it has a query or a fragment"));
    }
    if url.scheme() == "http" && url.host_str().is_some_and(|host| PLATFORM_HOSTS.contains(&host)) {
        return Err(fail("the platform is asked over https only"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(fail("it has a user name or a password"));
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}
