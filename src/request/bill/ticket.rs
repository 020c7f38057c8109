//! The signed response to a bill request: the URL and the digest of the file.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::Value;

use super::asked::Asked;
use crate::crypto::digest::{FileDigest, is_sha1_hex, is_sha256_hex};
use crate::error::{DecodeError, Error, NotReadyError, Sanitized, kind_of};
use crate::path;
use crate::request::draft::Draft;
use crate::runtime::{Deadline, IoRuntime};
use crate::v3::exchange::exchange;
use crate::v3::{Context, OutgoingRequest};

/// The fields that may hold the file's address: bills and receipts; the flows of coupons.
const URL_FIELDS: [&str; 2] = ["download_url", "url"];

/// The fields that hold the state of a file that the platform makes on request.
const STATE_FIELDS: [&str; 3] = ["state", "receipt_state", "signature_status"];

/// The states of a file that is not made yet.
const PENDING: [&str; 2] = ["GENERATING", "ACCEPTED"];

/// The file of a bill.
pub(in crate::request) struct BillTicket {
    /// The request that downloads it.
    pub(in crate::request) file: Box<OutgoingRequest>,
    /// Its digest, over the decompressed content. `None` only if the caller allowed that.
    pub(in crate::request) digest: Option<FileDigest>,
}

/// Sends the bill request. With `allow_unverified` the response may lack a digest that can be checked.
pub(in crate::request) async fn request(
    context: &Arc<Context>,
    mut draft: Draft,
    runtime: IoRuntime,
    allow_unverified: bool,
    deadline: Deadline,
) -> Result<BillTicket, Error> {
    // For the pieces of the file; until its head, both requests share the deadline.
    let timeout = draft.timeout;
    let asked = Asked::of(&draft);
    draft.make_ready(context, &deadline).await?;
    let response = exchange(context, draft.assemble_to_send(context)?, runtime, deadline).await?;
    let request_id = || response.request_id().map(str::to_owned);
    let decode_error = |what: String| {
        let what = format!("the bill response {what}");
        let headers = Some(Box::new(response.headers().clone()));
        Error::Decode(Box::new(DecodeError { what, request_id: request_id(), source: None, headers }))
    };
    if !response.verified() {
        return Err(decode_error("is not signed, so its digest proves nothing".to_owned()));
    }
    let data = response.data();
    if let Some(contradiction) = asked.contradiction(data) {
        return Err(decode_error(contradiction));
    }
    let url = match url(data) {
        Ok(url) => url,
        Err(NoUrl::NotReady(state)) => {
            let error = NotReadyError { state: state.to_owned(), request_id: request_id() };
            return Err(Error::NotReady(Box::new(error)));
        }
        Err(NoUrl::Other(what)) => return Err(decode_error(what)),
    };
    let digest = match digest(data) {
        Ok(digest) => Some(digest),
        Err(NoDigest::Unknown(_)) if allow_unverified => None,
        Err(NoDigest::Unknown(what)) => {
            return Err(decode_error(format!(
                "{what}: the file cannot be verified (`allow_unverified` saves it anyway)"
            )));
        }
        Err(NoDigest::Malformed(what)) => return Err(decode_error(what)),
    };
    // The caller did not write this URL, so a wrong one is no error of the path.
    let file = file(context, url, timeout)
        .map_err(|e| decode_error(format!("has a URL that cannot be requested: {e}")))?;
    Ok(BillTicket { file, digest })
}

fn file(context: &Context, url: &str, timeout: Option<Duration>) -> Result<Box<OutgoingRequest>, Error> {
    let mut file = Draft::new(Method::GET, path::normalise(url)?.into(), None);
    file.timeout = timeout;
    file.assemble(context)
}

/// Why a response has no URL to download from.
enum NoUrl<'a> {
    /// The platform is still making the file.
    NotReady(&'a str),
    Other(String),
}

fn url(data: &Value) -> Result<&str, NoUrl<'_>> {
    let found =
        URL_FIELDS.into_iter().find_map(|name| Some((name, data.get(name).filter(|v| !v.is_null())?)));
    // The platform's own sample has a blank in front of the URL.
    match found.map(|(name, value)| (name, value.as_str().map(str::trim).ok_or(value))) {
        Some((_, Ok(url))) if path::is_absolute(url) => return Ok(url),
        Some((_, Ok(""))) | None => {}
        Some((name, Ok(_))) => return Err(NoUrl::Other(format!("has a `{name}` that is not a whole URL"))),
        Some((name, Err(value))) => {
            return Err(NoUrl::Other(format!("has a `{name}` that is {}, expected a URL", kind_of(value))));
        }
    }
    for name in STATE_FIELDS {
        match data.get(name).and_then(Value::as_str) {
            Some(state) if PENDING.contains(&state) => return Err(NoUrl::NotReady(state)),
            Some("FAILED") => {
                let reason = data.get("fail_reason").and_then(Value::as_str).unwrap_or("no reason given");
                let what = format!(
                    "says that the file could not be made: `{name}` is FAILED ({})",
                    Sanitized(reason)
                );
                return Err(NoUrl::Other(what));
            }
            _ => {}
        }
    }
    let parts = data.get("download_bill_list").and_then(Value::as_array);
    Err(NoUrl::Other(match parts {
        Some(parts) if parts.is_empty() => "has an empty `download_bill_list`: there is no bill".to_owned(),
        Some(parts) if parts.iter().any(|part| part.get("encrypt_key").is_some_and(|key| !key.is_null())) => {
            format!(
                "has a `download_bill_list`: an encrypted bill in {} part(s), each with its own `encrypt_key`, which \
                 this library does not decrypt",
                parts.len()
            )
        }
        Some(parts) => format!(
            "has a `download_bill_list` of {} part(s) instead of a `download_url`: fetch each with \
             `chain(download_url).get().save_to(…)`, and compare its digest",
            parts.len()
        ),
        None if data.is_object() => "has no `download_url` (and no `url`)".to_owned(),
        None => format!("is {}, expected an object with a `download_url`", kind_of(data)),
    }))
}

/// Why a response has no usable digest.
enum NoDigest {
    /// There is none, or one of an algorithm that is not supported.
    Unknown(String),
    /// There is one that cannot be right.
    Malformed(String),
}

fn digest(data: &Value) -> Result<FileDigest, NoDigest> {
    let text = |name: &str| match data.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(other) => {
            Err(NoDigest::Malformed(format!("has a `{name}` that is {}, expected a text", kind_of(other))))
        }
    };
    let (algorithm, value) = match (text("hash_type")?, text("hash_value")?) {
        (Some(algorithm), Some(value)) => (algorithm, value.to_owned()),
        (None, None) => {
            return Err(NoDigest::Unknown("has no digest (`hash_type`, `hash_value`)".to_owned()));
        }
        (None, Some(_)) => return Err(NoDigest::Unknown("has no `hash_type`".to_owned())),
        (Some(_), None) => return Err(NoDigest::Unknown("has no `hash_value`".to_owned())),
    };
    let length_error =
        |digits| Err(NoDigest::Malformed(format!("has no `hash_value` of {digits} hex digits")));
    match algorithm.to_ascii_uppercase().as_str() {
        "SHA1" | "SHA-1" if is_sha1_hex(&value) => Ok(FileDigest::Sha1(value)),
        "SHA1" | "SHA-1" => length_error(40),
        "SHA256" | "SHA-256" if is_sha256_hex(&value) => Ok(FileDigest::Sha256(value)),
        "SHA256" | "SHA-256" => length_error(64),
        _ => Err(NoDigest::Unknown(format!(
            "has the `hash_type` {}, expected SHA1 or SHA256",
            Sanitized(algorithm)
        ))),
    }
}
