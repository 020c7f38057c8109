//! Responses of APIv2 (PROTOCOL-V2, section 5): the protocol's level, the business's level, the signature.

use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use super::sign::{self, Secret};
use super::unsigned::{Signing, signing_of};
use super::xml;
use crate::error::{ApiError, Error, VerifyError, VerifyReason, VerifySubject};
use crate::response::request_id;
use crate::transport::RawResponse;

/// The only path that responds in JSON.
const JSON_PATH: &str = "appauth/getaccesstoken";

/// A response that may be handed on.
pub(crate) struct Answer {
    /// The XML as a map of texts, or the JSON; `None` for a text that is neither (a bill).
    pub(crate) data: Option<Value>,
    pub(crate) verified: bool,
}

/// Checks a response; `path` is the request's, without the base URL's.
///
/// # Errors
/// [`Error::Api`] if the platform refused the call, [`Error::Verify`] without a valid signature where there must be one.
pub(crate) fn response(response: &RawResponse, path: &str, secret: &Secret) -> Result<Answer, Error> {
    let RawResponse { status, headers, body, .. } = response;
    let signing = signing_of(path);
    if path.trim_start_matches('/').eq_ignore_ascii_case(JSON_PATH) && !xml::looks_like_xml(body) {
        return access_token(*status, headers, body);
    }
    if signing == Signing::Never && !xml::looks_like_xml(body) && status.is_success() {
        return Ok(Answer { data: None, verified: false });
    }
    let fields = match xml::read(body) {
        Ok(fields) => fields,
        Err(_) if !status.is_success() => {
            let kind = headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            let kind = kind.unwrap_or("no declared type");
            let message = format!("{} bytes of {kind}, not the platform's XML", body.len());
            return Err(refused(*status, headers, body, (String::new(), message, Value::Null), false));
        }
        Err(error) => {
            return Err(failure(VerifyReason::MalformedXml { reason: error.to_string() }, headers, *status));
        }
    };
    let signature = fields.get("sign").map(|sign| sign.as_str().unwrap_or_default());
    let verified = match (signing, signature) {
        (Signing::Never, _) => Ok(false),
        (Signing::Always, None) => Err(VerifyReason::MissingSign),
        (Signing::IfPresent, None) => Ok(false),
        (_, Some(signature)) => check_signature(&fields, secret, signature).map(|()| true),
    };
    if let Some(error) = error_of(*status, &fields) {
        // What is signed is verified; an unsigned refusal is the platform's manner at the level of the protocol.
        return match verified {
            Err(reason @ VerifyReason::BadSign { .. }) => {
                let mut failed = failure(reason, headers, *status);
                if let Error::Verify(e) = &mut failed {
                    (e.claimed_code, e.claimed_message) = (Some(error.0), Some(error.1));
                }
                Err(failed)
            }
            verified => {
                let (code, message) = error;
                let details = (code, message, Value::Object(fields));
                Err(refused(*status, headers, body, details, verified == Ok(true)))
            }
        };
    }
    let verified = verified.map_err(|reason| failure(reason, headers, *status))?;
    Ok(Answer { data: Some(Value::Object(fields)), verified })
}

/// Verifies `sign` over all other fields.
pub(crate) fn check_signature(
    fields: &Map<String, Value>,
    secret: &Secret,
    signature: &str,
) -> Result<(), VerifyReason> {
    let mut texts = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        // A repeated or nested element has no one text that could have been signed.
        let Some(text) = value.as_str() else {
            return Err(VerifyReason::BadSign { element: Some(name.clone()) });
        };
        texts.push((name.as_str(), text));
    }
    match sign::verifies(&sign::message(texts), secret, signature) {
        true => Ok(()),
        false => Err(VerifyReason::BadSign { element: None }),
    }
}

/// The code and the message, if the response says that the call failed.
fn error_of(status: StatusCode, fields: &Map<String, Value>) -> Option<(String, String)> {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let first =
        |names: &[&str]| names.iter().map(|name| text(name)).find(|text| !text.is_empty()).map(str::to_owned);
    let level = match (text("return_code"), fields.get("result_code")) {
        ("SUCCESS", Some(code)) if code != "SUCCESS" => "result_code",
        ("SUCCESS", _) if status.is_success() => return None,
        ("SUCCESS", _) => "the HTTP status",
        _ => "return_code",
    };
    let message = match level {
        "return_code" => first(&["return_msg", "err_code_des", "error_code_des", "result_msg"]),
        _ => first(&["err_code_des", "error_code_des", "result_msg", "return_msg"]),
    };
    let code = first(&["err_code", "error_code"]).unwrap_or_default();
    Some((code, message.unwrap_or_else(|| format!("{level} is not a success, without a message"))))
}

/// `{"retcode": 0, …}`.
fn access_token(status: StatusCode, headers: &HeaderMap, body: &bytes::Bytes) -> Result<Answer, Error> {
    let data = crate::json::from_slice::<Value>(body).unwrap_or_default();
    let code = &data["retcode"];
    if status.is_success() && (code == 0 || code == "0") {
        return Ok(Answer { data: Some(data), verified: false });
    }
    let message = match data["retmsg"].as_str() {
        Some(message) => message.to_owned(),
        None => format!("{} bytes without a `retcode` of 0", body.len()),
    };
    Err(refused(status, headers, body, (sign::text_of(code), message, data), false))
}

fn refused(
    status: StatusCode,
    headers: &HeaderMap,
    body: &bytes::Bytes,
    (code, message, detail): (String, String, Value),
    verified: bool,
) -> Error {
    Error::Api(Box::new(ApiError {
        status: status.as_u16(),
        code,
        message,
        detail,
        request_id: request_id(headers).map(str::to_owned),
        verified,
        retry_after: None,
        did_you_mean: Vec::new(),
        body: body.clone(),
    }))
}

fn failure(reason: VerifyReason, headers: &HeaderMap, status: StatusCode) -> Error {
    Error::Verify(Box::new(VerifyError {
        reason,
        subject: VerifySubject::Response,
        status: Some(status.as_u16()),
        request_id: request_id(headers).map(str::to_owned),
        claimed_code: None,
        claimed_message: None,
        signed_by: None,
    }))
}
