//! Notifications of APIv2 (PROTOCOL-V2, section 7): signed XML; the result of a refund is not signed, but encrypted.

use serde_json::{Map, Value};

use super::sign::Secret;
use super::{verify, xml};
use crate::crypto::aes::Apiv3Key;
use crate::crypto::ecb;
use crate::error::VerifyReason;
use crate::json;

/// Why a notification is not handed on.
pub(crate) enum Refusal {
    NotXml(xml::XmlError),
    /// Not the platform's, as far as its signature tells.
    Verify(VerifyReason),
    /// The field that cannot be decrypted, and why.
    Decrypt(&'static str, String),
    /// `event_ciphertext` needs the APIv3 key, and there is none.
    NoApiv3Key,
}

/// The fields of a notification, verified, with `req_info` and `event_ciphertext` opened in their places.
pub(crate) fn open(
    body: &[u8],
    secret: &Secret,
    key: Option<&Apiv3Key>,
) -> Result<Map<String, Value>, Refusal> {
    let mut fields = xml::read(body).map_err(Refusal::NotXml)?;
    match fields.get("sign").map(|sign| sign.as_str().unwrap_or_default()) {
        Some(signature) => verify::check_signature(&fields, secret, signature).map_err(Refusal::Verify)?,
        // Only who has the secret can have encrypted it.
        None if fields.contains_key("req_info") => {}
        None => return Err(Refusal::Verify(VerifyReason::MissingSign)),
    }
    if let Some(info) = fields.get_mut("req_info") {
        *info = refund(info.as_str().unwrap_or_default(), secret)
            .map_err(|why| Refusal::Decrypt("req_info", why))?;
    }
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    if fields.contains_key("event_ciphertext") {
        let key = key.ok_or(Refusal::NoApiv3Key)?;
        let refuse = |why: String| Refusal::Decrypt("event_ciphertext", why);
        let (nonce, data) = (text("event_nonce"), text("event_associated_data"));
        let plain =
            key.decrypt(nonce, data, text("event_ciphertext")).map_err(|error| refuse(error.to_string()))?;
        let event =
            json::from_slice(&plain).map_err(|_| refuse("the decrypted text is not JSON".to_owned()))?;
        fields.insert("event_ciphertext".to_owned(), event);
    }
    Ok(fields)
}

/// The result of a refund: AES-256-ECB, whose key is the MD5 of the secret in hex.
fn refund(info: &str, secret: &Secret) -> Result<Value, String> {
    let plain = ecb::decrypt(info, secret.md5_hex().as_bytes())
        .ok_or("it was encrypted with another APIv2 key, or it was changed")?;
    let fields = xml::read(&plain).map_err(|error| format!("the decrypted text is not XML: {error}"))?;
    Ok(Value::Object(fields))
}
