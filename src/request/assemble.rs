//! From a `Draft` to an `OutgoingRequest`: path, query, headers and body.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method};

use super::draft::{Body, Draft};
use super::target::RequestTarget;
use crate::error::{Error, json_reason, shown_template};
#[cfg(feature = "v2")]
use crate::signer::{self, MerchantKey};
use crate::v3::platform;
use crate::v3::verify::SERIAL;
use crate::v3::{Context, OutgoingRequest, outgoing};

const NO_BYTES: HeaderValue = HeaderValue::from_static("0");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Most templates may be shown as they are.
pub(super) fn shown(template: Arc<str>) -> Arc<str> {
    match shown_template(&template) {
        Cow::Borrowed(shown) if shown.len() == template.len() => template,
        shown => Arc::from(&*shown),
    }
}

impl Draft {
    /// The request that is about to be sent: warns of what the documents have otherwise.
    pub(super) fn assemble_to_send(self, context: &Context) -> Result<Box<OutgoingRequest>, Error> {
        let request = self.assemble(context)?;
        #[cfg(feature = "catalogue")]
        super::check::warn(context, &request);
        Ok(request)
    }

    /// The request, complete but for the signature.
    pub(super) fn assemble(mut self, context: &Context) -> Result<Box<OutgoingRequest>, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.is_v2() {
            return Err(match cfg!(feature = "v2") {
                false => Error::config("chain", "begins with `v2`: APIv2 needs the cargo feature `v2`"),
                true => Error::config("chain", "begins with `v2`: a call of APIv2 has no such download"),
            });
        }
        #[cfg(feature = "v2")]
        if matches!(context.merchant.key, MerchantKey::Missing) {
            return Err(context.defaults.names.rename(signer::missing()));
        }
        // A client of APIv2, whose key is that of the certificate that its calls present.
        let keys = context.platform.keys();
        if keys.is_empty() && context.platform.refresh.is_none() {
            return Err(context.defaults.names.rename(platform::missing()));
        }
        let base = self.base.as_ref().unwrap_or(&context.defaults.base_url);
        let RequestTarget { mut url, base_path_length, authorize } =
            self.target(base, &context.transport.hosts)?;
        let mut headers = std::mem::take(&mut self.headers);
        outgoing::add_headers(&mut headers, keys.requested.as_ref().filter(|_| authorize));
        if !self.encrypt.is_empty() {
            let serial = self.encrypt_fields(context, &keys, &headers, &mut url, authorize)?;
            headers.insert(SERIAL, serial);
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
                let json = serde_json::to_vec(&value).map_err(|e| {
                    Error::config("json", format!("cannot be serialized: {}", json_reason(&e)))
                })?;
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
        // As in PHP and Node; some gateways respond 411 otherwise (RFC 9110 section 8.6).
        if body.is_empty() && matches!(self.method, Method::POST | Method::PUT | Method::PATCH) {
            headers.insert(CONTENT_LENGTH, NO_BYTES);
        }
        let template = shown(self.template);
        Ok(Box::new(OutgoingRequest {
            method: self.method,
            template,
            url,
            base_path_length,
            headers,
            body,
            upload,
            authorize,
            timeout: self.timeout.unwrap_or(context.defaults.timeout),
            retries: self.retries,
            streamed: false,
            fresh: false,
            keys,
        }))
    }
}
