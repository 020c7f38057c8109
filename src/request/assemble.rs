//! A `Request`, put together.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method};

use super::target::Target;
use super::{Body, Request};
use crate::client::Inner;
use crate::error::Error;
use crate::request::prepared::{self, Parts};
use crate::sensitive;
use crate::v3::verify;

const NO_BYTES: HeaderValue = HeaderValue::from_static("0");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl Request {
    /// Path, query, headers and body, put together. Nothing is signed yet.
    pub(crate) fn into_parts(mut self) -> Result<(Arc<Inner>, Box<Parts>), Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let first = self.template.split(['/', '?']).next().unwrap_or_default();
        if first.eq_ignore_ascii_case("v2") {
            return Err(Error::config("chain", "begins with `v2`: APIv2 (XML) is not spoken by this client"));
        }
        let base = self.base.as_ref().unwrap_or(&self.inner.base);
        let Target { url, prefix, authorize } = self.target(base)?;
        let mut headers = std::mem::take(&mut self.headers);
        let keys = self.inner.platform.keys();
        prepared::add_headers(&mut headers, keys.requested.as_ref().filter(|_| authorize));
        if !self.encrypt.is_empty() {
            let Body::Json(value) = &mut self.body else {
                return Err(Error::config("encrypt", "needs a JSON body"));
            };
            let named = headers.get(verify::SERIAL).map(|serial| serial.to_str().unwrap_or_default());
            let key = sensitive::encryption_key(&self.inner, &keys, named)?;
            sensitive::encrypt_fields(&key.key, value, &self.encrypt)?;
            let serial = HeaderValue::try_from(&key.serial)
                .map_err(|_| Error::config("certs", "has a serial that no HTTP header can hold"))?;
            headers.insert(verify::SERIAL, serial);
        }
        let mut upload = None;
        let body = match self.body {
            Body::Media(media) => {
                let media = upload.insert(media.into_upload()?);
                headers.insert(CONTENT_TYPE, media.content_type.clone());
                media.meta.clone()
            }
            Body::None => Bytes::new(),
            Body::Json(value) => {
                headers.entry(CONTENT_TYPE).or_insert(JSON);
                let json = serde_json::to_vec(&value)
                    .map_err(|e| Error::config("json", format!("cannot be written: {e}")))?;
                Bytes::from(json)
            }
            Body::Raw(Some(content_type), bytes) => {
                headers.insert(CONTENT_TYPE, content_type);
                bytes
            }
            Body::Raw(None, bytes) => {
                headers.entry(CONTENT_TYPE).or_insert(JSON);
                bytes
            }
        };
        // PHP and Node say so too; some gateways answer 411 otherwise (RFC 9110 section 8.6).
        if body.is_empty() && matches!(self.method, Method::POST | Method::PUT | Method::PATCH) {
            headers.insert(CONTENT_LENGTH, NO_BYTES);
        }
        let timeout = self.timeout.unwrap_or(self.inner.settings.timeout);
        let parts = Box::new(Parts {
            method: self.method,
            template: self.template,
            url,
            prefix,
            headers,
            body,
            upload,
            authorize,
            timeout,
            retry: self.retry,
            streamed: false,
            keys,
        });
        Ok((self.inner, parts))
    }
}
