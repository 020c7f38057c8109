//! A failed verification as an error: the check, the key that may be the wrong one, and the claims of the response.

use http::HeaderMap;

use super::super::api_error::ErrorBody;
use super::super::platform::PlatformKeys;
use crate::error::{Error, Sanitized, VerifyError, VerifyReason};
use crate::response::request_id;
use crate::transport::RawResponse;

/// Characters.
const MAX_CODE: usize = 64;
/// Characters.
const MAX_MESSAGE: usize = 500;

/// The error of a message that failed `reason` under `keys`. `status` is that of a response.
pub(crate) fn failure(
    reason: VerifyReason,
    headers: &HeaderMap,
    status: Option<u16>,
    keys: &PlatformKeys,
) -> Error {
    // A certificate brings its serial along; a bare public key is under the ID that the caller gave it.
    let key_may_be_wrong = match &reason {
        VerifyReason::BadSignature { serial } => keys.find(serial).is_some_and(|key| key.validity.is_none()),
        _ => false,
    };
    let request_id = request_id(headers).map(str::to_owned);
    Error::Verify(Box::new(VerifyError {
        reason,
        status,
        request_id,
        claimed_code: None,
        claimed_message: None,
        key_may_be_wrong,
    }))
}

/// `error` with what the error response claims that could not be verified: usually it explains the failure.
pub(crate) fn claimed(mut error: Error, response: &RawResponse) -> Error {
    if let (Error::Verify(failed), false) = (&mut error, response.status.is_success()) {
        let ErrorBody { code, message, .. } = ErrorBody::unverified(&response.body);
        failed.claimed_code = code.map(|code| excerpt(&code, MAX_CODE));
        failed.claimed_message = message.map(|message| excerpt(&message, MAX_MESSAGE));
    }
    error
}

/// The beginning of a foreign text, on one line.
fn excerpt(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", Sanitized(&text[..end])),
        None => Sanitized(text).to_string(),
    }
}
