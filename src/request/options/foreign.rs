//! Guzzle's and axios' other options: the values that mean what happens here anyway, and what to use instead of all
//! others.

use std::time::Duration;

use serde_json::Value;

use crate::error::Error;
use crate::transport::{MAX_TIMEOUT, seconds};

/// Options with the same replacement, and whether a value means what happens here anyway.
type Row = (&'static [&'static str], fn(&Value) -> bool, &'static str);

const CLIENT: &str = "the HTTP client is `reqwest`, set up by `WeChatPay::builder()`";
const WHOLE_CLIENT: &str = "set it for the whole client: see `WeChatPay::builder()`";
const NO_REDIRECTS: &str = "redirects are never followed: they would send the signature to another host";
const STATUS: &str = "an error status is `Error::Api`, with the status, the code and the body";
const CREDENTIALS: &str = "the platform accepts only the signature as credentials";
const STREAM: &str = "use `.save_to(…)`, which streams and has `.progress(…)`";
const UNCHANGED: &str = "the bytes stay as they were signed: `Response::bytes`";
const OTHER_BODY: &str = "use `.media(…)` for a file, or `.body(content_type, bytes)`";
const OWN_TEXT: &str = "use `.body(…)`, or `.query(\"a=b\")` with encoded text";
const TIMEOUT: &str = "use `.timeout(…)`";
// A connection serves many calls, so how long it may take to make one is a setting of the client.
const CONNECT_TIMEOUT: &str =
    "set it for the whole client: `connect_timeout` of the factory array or of `WeChatPay::builder()`";
const LEAVE_OUT: &str = "leave it out";

/// `null` is fine for each of them.
const TABLE: &[Row] = &[
    (&["debug"], off, "use `prepare()` to see what would be sent"),
    (&["handler", "curl", "stream_context", "httpAgent", "httpsAgent"], empty, CLIENT),
    (&["adapter", "transport", "socketPath", "lookup", "family", "fetchOptions"], never, CLIENT),
    (&["proxy"], empty, "set it for the whole client: `proxy` or `no_proxy` of `WeChatPay::builder()`"),
    (&["verify"], on, WHOLE_CLIENT),
    (&["cert", "ssl_key", "crypto_method", "crypto_method_max"], never, WHOLE_CLIENT),
    (&["connect_timeout"], zero, CONNECT_TIMEOUT),
    (&["read_timeout"], zero, TIMEOUT),
    (&["allow_redirects", "maxRedirects"], no_redirects, NO_REDIRECTS),
    (&["beforeRedirect"], never, NO_REDIRECTS),
    (&["http_errors"], on, STATUS),
    (&["validateStatus"], never, STATUS),
    (&["cookies", "withCredentials", "withXSRFToken"], off, CREDENTIALS),
    (&["auth"], empty, CREDENTIALS),
    // Only browsers use them.
    (&["xsrfCookieName", "xsrfHeaderName"], Value::is_string, CREDENTIALS),
    (&["form_params", "multipart", "formSerializer"], never, OTHER_BODY),
    (&["meta"], never, "use `Media::meta`, and `.media(…)` for the file"),
    (&["delay"], zero, "sleep before the call"),
    (&["stream"], off, STREAM),
    (&["progress", "onDownloadProgress"], never, STREAM),
    (
        &["on_headers", "on_stats", "onUploadProgress"],
        never,
        "the response is read completely, then verified",
    ),
    // Nothing is encoded unless the caller asks for it with a header.
    (&["decode_content", "decompress"], Value::is_boolean, UNCHANGED),
    (&["responseEncoding"], utf8, UNCHANGED),
    (&["maxContentLength"], never, "use `max_body` of the builder"),
    (&["maxBodyLength"], unlimited, LEAVE_OUT),
    (&["cancelToken", "signal"], never, "drop the future"),
    (&["transformRequest", "paramsSerializer"], never, OWN_TEXT),
    (&["method", "url"], never, "the verb and the chain set it"),
    (&["version"], http_1_1, LEAVE_OUT),
    (&["synchronous", "idn_conversion"], Value::is_boolean, LEAVE_OUT),
    (&["expect", "insecureHTTPParser"], off, LEAVE_OUT),
    (&["allowAbsoluteUrls"], on, LEAVE_OUT),
    (
        &["force_ip_resolve", "maxRate", "transitional", "env", "timeoutErrorMessage", "parseReviver"],
        never,
        LEAVE_OUT,
    ),
];

fn never(_: &Value) -> bool {
    false
}

/// Also as PHP programs write it: 0.
fn off(value: &Value) -> bool {
    *value == Value::Bool(false) || *value == 0
}

/// Also as PHP programs write it: 1.
fn on(value: &Value) -> bool {
    *value == Value::Bool(true) || *value == 1
}

fn zero(value: &Value) -> bool {
    value.as_f64() == Some(0.0)
}

fn unlimited(value: &Value) -> bool {
    value.as_f64() == Some(-1.0)
}

/// An empty PHP array is a list.
fn empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(|map| map.is_empty())
}

/// `false`, `0`, and Guzzle's `['max' => 0]`.
fn no_redirects(value: &Value) -> bool {
    off(value) || zero(value) || value.get("max").is_some_and(zero)
}

fn utf8(value: &Value) -> bool {
    value.as_str().is_some_and(|name| name.eq_ignore_ascii_case("utf8") || name.eq_ignore_ascii_case("utf-8"))
}

fn http_1_1(value: &Value) -> bool {
    value.as_f64() == Some(1.1) || value == "1.1"
}

/// The names of all of them.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().flat_map(|(names, ..)| names.iter().copied())
}

/// `None` if it is not one of them; an error, with what to use instead, if the value means something else than what
/// happens here.
pub(crate) fn check(name: &str, value: &Value) -> Option<Result<(), String>> {
    let (_, same, instead) = TABLE.iter().find(|(names, ..)| names.contains(&name))?;
    match value.is_null() || same(value) {
        true => Some(Ok(())),
        false => Some(Err(format!("has no effect here: {instead}"))),
    }
}

/// Guzzle's and axios' `timeout`, of which 0 means no limit: the longest there is here.
pub(crate) fn timeout(field: &str, value: &Value) -> Result<Duration, Error> {
    if zero(value) { Ok(MAX_TIMEOUT) } else { seconds(field, value) }
}

/// Guzzle's `connect_timeout`, of which 0 means the default: `None`.
pub(crate) fn connect_timeout(field: &str, value: &Value) -> Result<Option<Duration>, Error> {
    if zero(value) { Ok(None) } else { seconds(field, value).map(Some) }
}
