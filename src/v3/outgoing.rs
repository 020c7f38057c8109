//! `OutgoingRequest`: a request with its path, headers and body, ready to be signed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method};
use url::{Position, Url};

use super::context::Context;
use super::platform::PlatformKeys;
use super::sign::{self, SigningInput};
use super::verify::SERIAL;
use crate::clock::Clock;
use crate::crypto::random::nonce;
use crate::error::Error;
use crate::transport::{AGENT, Upload};

/// The content types that a response may have (PROTOCOL, Request).
const ACCEPTED: HeaderValue = HeaderValue::from_static(
    "application/json, text/plain, application/x-gzip, application/pdf, image/png, image/*;q=0.5",
);

/// A request, complete but for the signature. Always boxed: each future on its way would have room for it twice.
#[derive(Clone)]
pub(crate) struct OutgoingRequest {
    pub(crate) method: Method,
    /// For errors and spans, without the values of the URL, which may be personal data.
    pub(crate) template: Arc<str>,
    pub(crate) url: Url,
    /// The length of the base URL's path: the table of unsigned paths compares paths without it.
    pub(crate) base_path_length: usize,
    pub(crate) headers: HeaderMap,
    /// The signed bytes. They are also the sent ones, unless there is an upload.
    pub(crate) body: Bytes,
    pub(crate) upload: Option<Upload>,
    /// Whether the host may receive a signature.
    pub(crate) authorize: bool,
    pub(crate) timeout: Duration,
    /// The most retries.
    pub(crate) retries: u32,
    /// Whether the response is a download, which has no timeout for the whole.
    pub(crate) streamed: bool,
    /// Whether it must go over a new connection.
    pub(crate) fresh: bool,
    /// The platform keys that verify the response.
    pub(crate) keys: Arc<PlatformKeys>,
}

/// Adds the headers that every request has, unless the caller set them.
pub(crate) fn add_headers(headers: &mut HeaderMap, platform_serial: Option<&HeaderValue>) {
    headers.reserve(5);
    headers.entry(ACCEPT).or_insert(ACCEPTED);
    headers.entry(USER_AGENT).or_insert(AGENT);
    if let Some(serial) = platform_serial {
        headers.entry(SERIAL).or_insert_with(|| serial.clone());
    }
}

impl OutgoingRequest {
    /// A GET that the client itself makes, of a path below the base URL.
    pub(super) fn get(context: &Context, path: &str) -> Result<Box<OutgoingRequest>, Error> {
        let base = &context.defaults.base_url;
        let url = base.join(path).map_err(|e| Error::config("base_url", e.to_string()))?;
        let keys = context.platform.keys();
        let mut headers = HeaderMap::new();
        add_headers(&mut headers, keys.requested.as_ref());
        Ok(Box::new(OutgoingRequest {
            method: Method::GET,
            template: path.into(),
            url,
            base_path_length: base.path().len(),
            headers,
            body: Bytes::new(),
            upload: None,
            authorize: true,
            timeout: context.defaults.timeout,
            retries: 0,
            streamed: false,
            fresh: false,
            keys,
        }))
    }

    /// Path and query as on the wire and in the signed message.
    pub(crate) fn target(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }

    /// The input of the signature, with a new timestamp and nonce.
    pub(crate) fn signing_input(&self, clock: &dyn Clock) -> Result<SigningInput, Error> {
        let timestamp = clock.unix_seconds().to_string();
        let nonce = nonce()?;
        let message = sign::message(self.method.as_str(), self.target(), &timestamp, &nonce, &self.body);
        Ok(SigningInput { timestamp, nonce, message })
    }
}
