//! The form of bytes, headers and faults in a record.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::sandbox::{faults::fault::Fault, http::secret_headers::is_secret};

/// The bytes of a body or a message that a record has.
const MAX_BYTES: usize = 64 << 10;

/// Text as it is, other bytes as Base64.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Content {
    Text(String),
    Other { base64: String },
}

impl Content {
    pub(super) fn new(bytes: &[u8]) -> Content {
        let bytes = &bytes[..bytes.len().min(MAX_BYTES)];
        match std::str::from_utf8(bytes) {
            Ok(text) => Content::Text(text.into()),
            Err(_) => Content::Other { base64: STANDARD.encode(bytes) },
        }
    }

    pub(super) fn into_bytes(self) -> Bytes {
        match self {
            Content::Text(text) => text.into(),
            Content::Other { base64 } => STANDARD.decode(base64).unwrap_or_default().into(),
        }
    }
}

pub(super) fn headers(headers: &HeaderMap) -> Vec<(String, Content)> {
    let shown = headers.iter().filter(|(name, _)| !is_secret(name));
    shown.map(|(name, value)| (name.to_string(), Content::new(value.as_bytes()))).collect()
}

pub(super) fn into_headers(list: Vec<(String, Content)>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in list {
        if let (Ok(name), Ok(value)) =
            (HeaderName::try_from(name), HeaderValue::from_maybe_shared(value.into_bytes()))
        {
            headers.append(name, value);
        }
    }
    headers
}

pub(super) fn faults(faults: &[Fault]) -> Vec<String> {
    faults.iter().map(ToString::to_string).collect()
}

pub(super) fn into_faults(names: &[String]) -> Vec<Fault> {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

/// The value with this name.
pub(super) fn named<T: Copy>(all: &[T], name_of: impl Fn(T) -> &'static str, name: &str) -> Option<T> {
    all.iter().copied().find(|one| name_of(*one) == name)
}
