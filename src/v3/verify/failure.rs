//! A failed verification as an error: the check, whose signature it is, and the claims of the response.

use http::HeaderMap;

use super::super::api_error::ErrorBody;
use super::super::platform::PlatformKeys;
use super::SIGNATURE;
use crate::crypto::rsa::Origin;
use crate::error::{Error, Sanitized, SignedBy, VerifyError, VerifyReason, VerifySubject};
use crate::response::request_id;
use crate::transport::RawResponse;

/// Characters.
const MAX_CODE: usize = 64;
/// Characters.
const MAX_MESSAGE: usize = 500;

/// The error of a message that failed `reason` under `keys`. `status` is that of a response; a notification has none.
pub(crate) fn failure(
    reason: VerifyReason,
    headers: &HeaderMap,
    status: Option<u16>,
    keys: &PlatformKeys,
) -> Error {
    let signed_by = match &reason {
        VerifyReason::BadSignature { serial } => signed_by(serial, headers, keys),
        _ => None,
    };
    let request_id = request_id(headers).map(str::to_owned);
    let subject = if status.is_some() { VerifySubject::Response } else { VerifySubject::Notification };
    Error::Verify(Box::new(VerifyError {
        reason,
        subject,
        status,
        request_id,
        claimed_code: None,
        claimed_message: None,
        signed_by,
    }))
}

/// Whose signature it is: one operation with the public key tells a changed message from a wrong key.
fn signed_by(serial: &str, headers: &HeaderMap, keys: &PlatformKeys) -> Option<SignedBy> {
    let key = keys.find(serial)?;
    Some(match key.key.origin_of(headers.get(SIGNATURE)?.as_bytes()) {
        Origin::ThisKey => SignedBy::ThisKey,
        Origin::Damaged => SignedBy::Damaged,
        // A certificate has its serial in itself; a bare public key is under the ID that the caller gave it.
        Origin::OtherKey if key.validity.is_none() => SignedBy::NotThisPublicKey,
        Origin::OtherKey => SignedBy::NotThisCertificate,
    })
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
