//! The platform's error response as an `ApiError`.

use std::time::Duration;

use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use serde_json::Value;

use crate::error::{ApiError, Error};
use crate::json;
use crate::response::request_id;
use crate::transport::RawResponse;

/// The error of a response whose status is not a success.
pub(super) fn api_error(response: RawResponse, verified: bool) -> Error {
    let RawResponse { status, headers, body, .. } = response;
    let parsed = json::from_slice::<Value>(&body).unwrap_or_default();
    let text = |name: &str| parsed[name].as_str().map(str::to_owned);
    let header = |name| headers.get(name).and_then(|v| v.to_str().ok());
    let message = text("message").unwrap_or_else(|| match (status.is_redirection(), header(LOCATION)) {
        // Only the host: the rest may contain a token.
        (true, Some(location)) => format!("a redirect to `{}`, which is not followed", origin_of(location)),
        _ => format!(
            "{} bytes of {}, not the platform's JSON",
            body.len(),
            header(CONTENT_TYPE).unwrap_or("no declared type")
        ),
    });
    Error::Api(Box::new(ApiError {
        status: status.as_u16(),
        code: text("code").unwrap_or_default(),
        message,
        detail: parsed["detail"].clone(),
        request_id: request_id(&headers).map(str::to_owned),
        verified,
        retry_after: header(RETRY_AFTER).and_then(|v| v.trim().parse().ok()).map(Duration::from_secs),
        body,
    }))
}

fn origin_of(location: &str) -> String {
    url::Url::parse(location)
        .map_or_else(|_| "another path".to_owned(), |url| url.origin().ascii_serialization())
}
