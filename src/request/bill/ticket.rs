//! The signed response to a bill request: the URL and the digest of the file.

use std::sync::Arc;

use http::Method;
use serde_json::Value;

use super::asked::Asked;
use crate::crypto::digest::is_sha1_hex;
use crate::error::{DecodeError, Error};
use crate::path;
use crate::request::draft::Draft;
use crate::runtime::{Deadline, IoRuntime};
use crate::v3::Context;
use crate::v3::exchange::exchange;

/// The file of a bill.
pub(in crate::request) struct BillTicket {
    /// The request that downloads it.
    pub(in crate::request) file: Draft,
    /// Its digest, hex, over the decompressed content.
    pub(in crate::request) sha1: String,
}

/// Sends the bill request.
pub(in crate::request) async fn request(
    context: &Arc<Context>,
    mut draft: Draft,
    runtime: IoRuntime,
    deadline: Deadline,
) -> Result<BillTicket, Error> {
    // For the pieces of the file; until its head, both requests share the deadline.
    let timeout = draft.timeout;
    let asked = Asked::of(&draft);
    draft.make_ready(context, &deadline).await?;
    let response = exchange(context, draft.assemble(context)?, runtime, deadline).await?;
    let data = response.data();
    let decode_error = |what: &str| {
        let (what, request_id) =
            (format!("the bill response {what}"), response.request_id().map(str::to_owned));
        Error::Decode(Box::new(DecodeError { what, request_id, source: None }))
    };
    let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default();
    if !response.verified() {
        return Err(decode_error("is not signed, so its digest proves nothing"));
    }
    if let Some(contradiction) = asked.contradiction(&data) {
        return Err(decode_error(&contradiction));
    }
    if !text("hash_type").eq_ignore_ascii_case("SHA1") {
        return Err(decode_error("has a `hash_type` other than SHA1"));
    }
    let sha1 = text("hash_value").to_owned();
    if !is_sha1_hex(&sha1) {
        return Err(decode_error("has no `hash_value` of 40 hex digits"));
    }
    let url = text("download_url");
    if !path::is_absolute(url) {
        return Err(decode_error("has no `download_url`"));
    }
    let mut file = Draft::new(Method::GET, path::normalise(url)?.into(), None);
    file.timeout = timeout;
    Ok(BillTicket { file, sha1 })
}
