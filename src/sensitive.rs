//! Sensitive fields: encrypted for the platform, decrypted for the merchant (PROTOCOL, Keys).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

pub(crate) use crate::crypto::rsa::Padding;
use crate::crypto::rsa::PublicKey;
use crate::error::{Error, Excerpt};
use crate::signer::MerchantKey;

mod pointer;

use pointer::Walk;
pub(crate) use pointer::tokens;

/// `text` encrypted, in base64. An empty text stays empty. `field` names the text in errors.
pub(crate) fn encrypt(key: &PublicKey, field: &str, text: &str, padding: Padding) -> Result<String, Error> {
    if text.is_empty() {
        return Ok(String::new());
    }
    key.encrypt_base64(text.as_bytes(), padding).ok_or_else(|| {
        let reason =
            format!("is {} bytes long; this key encrypts at most {}", text.len(), key.max_plaintext(padding));
        Error::config(field, reason)
    })
}

/// `ciphertext`, base64, decrypted. An empty one stays empty. `field` names it in errors.
///
/// One error for every failure: whoever sends ciphertexts must not learn how far one came (a padding oracle).
pub(crate) fn decrypt(
    key: &MerchantKey,
    field: &str,
    ciphertext: &str,
    padding: Padding,
) -> Result<String, Error> {
    if ciphertext.is_empty() {
        return Ok(String::new());
    }
    let plaintext = key.local()?.decrypt_base64(ciphertext, padding);
    plaintext.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
        Error::Decrypt(format!("{field} cannot be decrypted with the merchant's private key").into())
    })
}

/// Encrypts the strings at `pointer`. One that selects nothing is an error: a mistyped name would send the text in clear.
pub(crate) fn encrypt_field(
    key: &PublicKey,
    body: &mut Value,
    pointer: &str,
    padding: Padding,
) -> Result<usize, Error> {
    let mut encrypt = |text: &str| encrypt(key, pointer, text, padding);
    let mut walk = Walk::new(pointer, false, &mut encrypt);
    walk.visit(body, &tokens(pointer)?)?;
    Ok(walk.changed)
}

/// Decrypts the strings at `pointers`. What is missing or null stays so.
pub(crate) fn decrypt_fields(
    key: &MerchantKey,
    data: &mut Value,
    pointers: &[&str],
    padding: Padding,
) -> Result<(), Error> {
    let mut missing = Vec::new();
    for &pointer in pointers {
        let tokens = tokens(pointer)?;
        let mut decrypt = |text: &str| decrypt(key, &Excerpt(pointer).to_string(), text, padding);
        let mut walk = Walk::new(pointer, true, &mut decrypt);
        walk.visit(data, &tokens)?;
        let (changed, lost) = (walk.changed, walk.lost);
        match lost {
            Some(reason) if !is_empty(data, pointer) => return Err(Error::config(pointer, reason)),
            None if changed == 0 && !tokens.iter().any(|token| token == "*") => missing.push(pointer),
            _ => {}
        }
    }
    // Only now: what another pointer selects is not encrypted any more.
    match missing.into_iter().find(|pointer| has_encrypted_neighbour(key, data, pointer)) {
        Some(pointer) => {
            let reason =
                "matches nothing in the response, which has an encrypted field there by another name";
            Err(Error::config(pointer, reason))
        }
        None => Ok(()),
    }
}

/// Whether a response has no fields to decrypt: no body, or a page that only says so (`{"total_count": 0, …}`).
fn is_empty(data: &Value, pointer: &str) -> bool {
    match data {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => {
            let counts = fields.values().all(Value::is_number);
            let zero = fields.values().any(|value| value.as_u64() == Some(0));
            fields.is_empty() || (counts && zero && pointer.contains('*'))
        }
        _ => false,
    }
}

/// Whether the field at `pointer` is missing from an object that has a value which is still encrypted.
fn has_encrypted_neighbour(key: &MerchantKey, data: &Value, pointer: &str) -> bool {
    if data.pointer(pointer).is_some() {
        return false;
    }
    let parent = pointer.rsplit_once('/').and_then(|(parent, _)| data.pointer(parent));
    let (Some(Value::Object(fields)), Ok(key)) = (parent, key.local()) else { return false };
    let length = key.modulus_length();
    fields.values().filter_map(Value::as_str).any(|text| {
        text.len() == length.div_ceil(3) * 4 && STANDARD.decode(text).is_ok_and(|bytes| bytes.len() == length)
    })
}
