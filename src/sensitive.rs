//! Sensitive fields: encrypted for the platform, decrypted for the merchant (RSAES-OAEP with SHA-1; PROTOCOL, Keys).

use serde_json::Value;

use crate::crypto::rsa::PublicKey;
use crate::error::{Error, kind_of};
use crate::signer::MerchantKey;

/// `text` encrypted, in base64. An empty text stays empty. `field` names the text in errors.
pub(crate) fn encrypt(key: &PublicKey, field: &str, text: &str) -> Result<String, Error> {
    if text.is_empty() {
        return Ok(String::new());
    }
    key.encrypt_base64(text.as_bytes()).ok_or_else(|| {
        let reason =
            format!("is {} bytes long; this key encrypts at most {}", text.len(), key.max_plaintext());
        Error::config(field, reason)
    })
}

/// `ciphertext`, base64, decrypted. An empty one stays empty. `field` names it in errors.
pub(crate) fn decrypt(key: &MerchantKey, field: &str, ciphertext: &str) -> Result<String, Error> {
    if ciphertext.is_empty() {
        return Ok(String::new());
    }
    let plaintext = key.local()?.decrypt_base64(ciphertext);
    let refuse = |reason: &str| Error::Decrypt(format!("{field} {reason}").into());
    let plaintext = plaintext.ok_or_else(|| refuse("cannot be decrypted with the merchant's private key"))?;
    String::from_utf8(plaintext).map_err(|_| refuse("decrypts to text that is not UTF-8"))
}

/// Encrypts the strings at `pointers`.
pub(crate) fn encrypt_fields(key: &PublicKey, body: &mut Value, pointers: &[String]) -> Result<(), Error> {
    for pointer in pointers {
        map_strings(body, pointer, &mut |text| encrypt(key, pointer, text))?;
    }
    Ok(())
}

/// Decrypts the strings at `pointers`.
pub(crate) fn decrypt_fields(key: &MerchantKey, data: &mut Value, pointers: &[&str]) -> Result<(), Error> {
    for pointer in pointers {
        if !is_empty(data, pointer) {
            map_strings(data, pointer, &mut |text| decrypt(key, &format!("`{pointer}`"), text))?;
        }
    }
    Ok(())
}

/// Whether a response has nothing at `pointer`: a `*` over an empty list, or null.
fn is_empty(data: &Value, pointer: &str) -> bool {
    let (list, field) = match pointer.split_once("/*") {
        Some((list, _)) => (data.pointer(list), None),
        None => (None, data.pointer(pointer)),
    };
    list.and_then(Value::as_array).is_some_and(Vec::is_empty) || field.is_some_and(Value::is_null)
}

/// Replaces each string at a JSON pointer (RFC 6901); `*` stands for every element of an array.
fn map_strings(
    value: &mut Value,
    pointer: &str,
    change: &mut dyn FnMut(&str) -> Result<String, Error>,
) -> Result<(), Error> {
    let Some(path) = pointer.strip_prefix('/') else {
        return Err(Error::config(pointer, "is not a JSON pointer, which begins with `/` (RFC 6901)"));
    };
    let tokens: Vec<_> = path.split('/').map(|token| token.replace("~1", "/").replace("~0", "~")).collect();
    match walk(value, &tokens, pointer, change)? {
        0 => Err(Error::config(pointer, "matches nothing in the body")),
        _ => Ok(()),
    }
}

/// The number of replaced strings.
fn walk(
    value: &mut Value,
    tokens: &[String],
    pointer: &str,
    change: &mut dyn FnMut(&str) -> Result<String, Error>,
) -> Result<usize, Error> {
    let Some((token, rest)) = tokens.split_first() else {
        let Value::String(text) = value else {
            return Err(Error::config(
                pointer,
                format!("must point to a string; it points to {}", kind_of(value)),
            ));
        };
        *text = change(text)?;
        return Ok(1);
    };
    match value {
        Value::Array(items) if token == "*" => {
            items.iter_mut().try_fold(0, |count, item| Ok(count + walk(item, rest, pointer, change)?))
        }
        Value::Array(items) => match token.parse::<usize>().ok().and_then(|at| items.get_mut(at)) {
            Some(item) => walk(item, rest, pointer, change),
            None => Ok(0),
        },
        Value::Object(map) => match map.get_mut(token) {
            Some(item) => walk(item, rest, pointer, change),
            None => Ok(0),
        },
        _ => Ok(0),
    }
}
