//! `Draft`: a request as plain data, before it is assembled.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use url::Url;

use super::media::Media;
use super::options::is_options_array;
use crate::error::{Error, Excerpt, shown_template};
use crate::path::Query;
use crate::sensitive::Padding;
use crate::transport::{Hosts, check_timeout, parse_base_url};
use crate::v3::MAX_RETRIES;

/// No endpoint needs more than a few.
const MAX_HEADERS: usize = 100;

/// Headers that the client sets itself.
const RESERVED: [HeaderName; 5] = [AUTHORIZATION, HOST, CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION];

/// A request as the caller described it. Its setters return the error, and [`Draft::keep`] keeps the first one.
pub(super) struct Draft {
    pub(super) method: Method,
    pub(super) template: Arc<str>,
    pub(super) vars: Vec<(String, Value)>,
    pub(super) query: Query,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    pub(super) base: Option<Url>,
    pub(super) timeout: Option<Duration>,
    pub(super) retries: u32,
    /// Pointers to sensitive fields.
    pub(super) encrypt: Vec<(String, Padding)>,
    /// APIv2: whether the call presents the merchant's certificate (PHP's `security`), and goes without `nonce_str`.
    #[cfg(feature = "v2")]
    pub(super) with_certificate: bool,
    #[cfg(feature = "v2")]
    pub(super) nonceless: bool,
    /// PHP's `sink`.
    pub(super) sink: Option<PathBuf>,
    pub(super) error: Option<Error>,
}

pub(super) enum Body {
    None,
    Json(Value),
    /// Without a content type of its own, the caller's header counts, and then JSON, as in PHP's SDK.
    Raw(Option<HeaderValue>, Bytes),
    Media(Box<Media>),
}

impl Draft {
    pub(super) fn new(method: Method, template: Arc<str>, error: Option<Error>) -> Draft {
        Draft {
            method,
            template,
            vars: Vec::new(),
            query: Query::default(),
            headers: HeaderMap::new(),
            body: Body::None,
            base: None,
            timeout: None,
            retries: 0,
            encrypt: Vec::new(),
            #[cfg(feature = "v2")]
            with_certificate: false,
            #[cfg(feature = "v2")]
            nonceless: false,
            sink: None,
            error,
        }
    }

    /// Whether it is a call of APIv2. This is the only place that chooses the protocol: by the path's first segment.
    pub(super) fn is_v2(&self) -> bool {
        self.template.split(['/', '?']).next().is_some_and(|first| first.eq_ignore_ascii_case("v2"))
    }

    /// Keeps the first error until the request is sent.
    pub(super) fn keep(&mut self, result: Result<(), Error>) {
        if let Err(error) = result {
            self.error.get_or_insert(error);
        }
    }

    pub(super) fn var(&mut self, name: String, value: Value) {
        self.vars.push((name, value));
    }

    pub(super) fn query(&mut self, field: &str, value: &Value) -> Result<(), Error> {
        if let Value::Object(map) = value
            && let Some((name @ ("query" | "params"), Value::Object(_))) =
                map.iter().next().filter(|_| map.len() == 1).map(|(name, value)| (name.as_str(), value))
        {
            let reason = format!("is given as a parameter `{name}`");
            let advice = "pass only the object in it, or all to `.options(…)`";
            return Err(Error::config_with(field, reason, advice));
        }
        self.query
            .append(value)
            .map_err(|found| Error::config(field, format!("must be an object or a string; it is {found}")))
    }

    pub(super) fn header(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let refuse = |reason: &str| Err(Error::config(format!("headers.{}", name.escape_debug()), reason));
        let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
            return refuse("is not a header name");
        };
        if RESERVED.contains(&header) {
            return refuse("is set by the client itself");
        }
        let Ok(value) = HeaderValue::from_str(value) else {
            return refuse(
                "has a character that is not allowed in a header (a line break, or another control character)",
            );
        };
        if self.headers.len() >= MAX_HEADERS {
            return Err(Error::config("headers", format!("are too many (limit {MAX_HEADERS})")));
        }
        self.headers.insert(header, value);
        Ok(())
    }

    pub(super) fn json(&mut self, body: Value) -> Result<(), Error> {
        if is_options_array(&self.template, &body) {
            let reason = "is an `$options` array with the key `json`, not the body itself";
            let advice = "pass it to `.options(…)`; `.body(\"application/json\", …)` sends such a body";
            return Err(Error::config_with("json", reason, advice));
        }
        self.body = match body {
            Value::Null => Body::None,
            value => Body::Json(value),
        };
        Ok(())
    }

    pub(super) fn body(&mut self, content_type: &str, bytes: Bytes) -> Result<(), Error> {
        let content_type = HeaderValue::from_str(content_type)
            .map_err(|_| Error::config("content_type", "has a character that is not allowed in a header"))?;
        self.body = Body::Raw(Some(content_type), bytes);
        Ok(())
    }

    pub(super) fn base_url(&mut self, field: &str, url: &str, hosts: &Hosts) -> Result<(), Error> {
        let url = parse_base_url(field, url, hosts.allow_http)?;
        if !hosts.trusts(&url) {
            let host = url.host_str().unwrap_or_default();
            let reason = format!("has the host {}, which may not receive a signature", Excerpt(host));
            return Err(Error::config_with(field, reason, "allow it with `allow_host` of the builder"));
        }
        self.base = Some(url);
        Ok(())
    }

    pub(super) fn timeout(&mut self, timeout: Duration) -> Result<(), Error> {
        check_timeout("timeout", timeout)?;
        self.timeout = Some(timeout);
        Ok(())
    }

    pub(super) fn retry(&mut self, times: u32) -> Result<(), Error> {
        if times > MAX_RETRIES {
            return Err(Error::config("retry", format!("must be at most {MAX_RETRIES}; it is {times}")));
        }
        self.retries = times;
        Ok(())
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("template", &shown_template(&self.template))
            .field("vars", &self.vars.iter().map(|(name, _)| Excerpt(name)).collect::<Vec<_>>())
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}
