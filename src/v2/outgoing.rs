//! A request of APIv2: its fields as texts, signed (PROTOCOL-V2, section 2).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Map, Value};
use url::Url;

use super::sign::{self, Secret, SignType};
use super::xml;
use crate::crypto::random::nonce;
use crate::error::{Error, Excerpt};
use crate::transport::{AGENT, CallInfo};

const ACCEPTED: HeaderValue =
    HeaderValue::from_static("text/xml, text/plain, application/json, application/x-gzip");
const XML: HeaderValue = HeaderValue::from_static("text/xml; charset=utf-8");

/// The names of the merchant number; a call has one of them.
const MERCHANT_NUMBERS: [&str; 3] = ["mch_id", "mchid", "combine_mch_id"];

/// A signed request, ready to be sent, and to be sent again unchanged.
#[derive(Clone)]
pub(crate) struct OutgoingRequest {
    pub(crate) method: Method,
    /// For errors and spans.
    pub(crate) template: Arc<str>,
    pub(crate) url: Url,
    /// The length of the base URL's path: the table of unsigned paths compares paths without it.
    pub(crate) base_path_length: usize,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What traces must not show: whoever has it can send the request again. Empty for a body that is sent as it is.
    pub(crate) sign: String,
    /// Whether the call presents the merchant's certificate.
    pub(crate) with_certificate: bool,
    pub(crate) timeout: Duration,
    pub(crate) retries: u32,
}

impl OutgoingRequest {
    /// The call that errors name.
    pub(crate) fn call_info(&self) -> CallInfo {
        CallInfo { method: self.method.clone(), template: Arc::clone(&self.template), timeout: self.timeout }
    }
}

/// Adds the headers that every request has, unless the caller set them.
pub(crate) fn add_headers(headers: &mut HeaderMap) {
    headers.entry(ACCEPT).or_insert(ACCEPTED);
    headers.entry(USER_AGENT).or_insert(AGENT);
    headers.entry(CONTENT_TYPE).or_insert(XML);
}

/// The fields of a request as texts, and what was signed.
pub(crate) struct SignedFields {
    /// In the caller's order; `nonce_str` and `sign` are the last.
    pub(crate) fields: Vec<(String, String)>,
    /// The text without the key.
    pub(crate) message: String,
}

impl SignedFields {
    /// The fields as XML.
    pub(crate) fn to_xml(&self) -> Bytes {
        xml::write(xml::ROOT, self.fields.iter().map(|(name, text)| (name.as_str(), text.as_str()))).into()
    }

    /// The value of a field; empty if there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, text)| text)
    }
}

/// Signs `fields`.
///
/// # Errors
/// [`Error::Config`] names the field: an unknown `sign_type`, a name or a
/// character that XML cannot carry.
pub(crate) fn sign_fields(
    fields: &Map<String, Value>,
    secret: &Secret,
    nonceless: bool,
) -> Result<SignedFields, Error> {
    let sign_type = match fields.get("sign_type") {
        None | Some(Value::Null) => SignType::Md5,
        Some(name) => {
            let found = sign::text_of(name);
            SignType::of(&found).ok_or_else(|| {
                Error::config(
                    "sign_type",
                    format!("must be `MD5` or `HMAC-SHA256`; it is {}", Excerpt(&found)),
                )
            })?
        }
    };
    let mut texts = Vec::with_capacity(fields.len() + 2);
    for (name, value) in
        fields.iter().filter(|(name, value)| *name != "sign" && !(*name == "nonce_str" && value.is_null()))
    {
        let text = sign::text_of(value);
        check_field(name, &text)?;
        texts.push((name.clone(), text));
    }
    if !nonceless && !texts.iter().any(|(name, _)| name == "nonce_str") {
        texts.push(("nonce_str".to_owned(), nonce()?));
    }
    let message = sign::message(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    texts.push(("sign".to_owned(), sign::sign(&message, secret, sign_type)));
    Ok(SignedFields { fields: texts, message })
}

/// The fields must have the number of the merchant whose secret signs: the platform would tell a wrong one late.
///
/// # Errors
/// [`Error::Config`] names the field.
pub(crate) fn check_merchant(fields: &Map<String, Value>, mchid: &str) -> Result<(), Error> {
    let given =
        MERCHANT_NUMBERS.iter().find_map(|name| Some((*name, fields.get(*name).filter(|v| !v.is_null())?)));
    let Some((name, value)) = given else {
        let reason = format!("is missing (or `mchid`, or `combine_mch_id`): this client signs for {mchid}");
        return Err(Error::config("mch_id", reason));
    };
    let found = sign::text_of(value);
    match found == mchid {
        true => Ok(()),
        false => {
            Err(Error::config(name, format!("is {}, but this client signs for {mchid}", Excerpt(&found))))
        }
    }
}

fn check_field(name: &str, text: &str) -> Result<(), Error> {
    if !xml::is_name(name) {
        let reason =
            "is no name of an element: letters, digits, `.`, `_` and `-`, with a letter or `_` in front";
        return Err(Error::config(format!("xml.{}", name.escape_debug()), reason));
    }
    match text.chars().find(|c| !xml::is_xml_char(*c)) {
        Some(c) => Err(Error::config(
            format!("xml.{name}"),
            format!("has a character that XML cannot carry ({c:?})"),
        )),
        None => Ok(()),
    }
}
