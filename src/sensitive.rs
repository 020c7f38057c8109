//! Sensitive fields: encrypted for the platform, decrypted for the merchant (RSAES-OAEP with SHA-1; PROTOCOL, Keys).

use serde_json::Value;

use crate::client::{Inner, WeChatPay};
use crate::crypto::rsa::PublicKey;
use crate::error::{Error, kind_of};
use crate::v3::platform::{PlatformKey, PlatformKeys};

impl WeChatPay {
    /// Encrypts a sensitive text for the platform, in base64, with the key that [`platform_serial`] names. An empty
    /// text stays empty. The request that carries it must say the serial in `Wechatpay-Serial`:
    /// [`Request::encrypt`](crate::Request::encrypt) does both.
    ///
    /// [`platform_serial`]: WeChatPay::platform_serial
    ///
    /// # Errors
    /// [`Error::Config`] when the text is longer than the key can take (214 bytes with 2048 bits).
    pub fn encrypt(&self, text: &str) -> Result<String, Error> {
        let keys = self.inner.platform.keys();
        encrypt(&encryption_key(&self.inner, &keys, None)?.key, "text", text)
    }

    /// Decrypts a sensitive field of an answer, base64, with the merchant's private key. An empty text stays empty.
    ///
    /// # Errors
    /// [`Error::Decrypt`] when it does not open, [`Error::Key`] when a [`Signer`](crate::Signer) stands in for the
    /// private key.
    pub fn decrypt(&self, ciphertext: &str) -> Result<String, Error> {
        decrypt(&self.inner, "the ciphertext", ciphertext)
    }

    /// The serial of the platform key that sensitive fields are encrypted with now: the public key's, if there is one,
    /// else that of the newest valid certificate. Keys may be added and renewed meanwhile: ask for the serial before
    /// [`encrypt`](WeChatPay::encrypt), and again after it, or leave both to
    /// [`Request::encrypt`](crate::Request::encrypt).
    pub fn platform_serial(&self) -> Option<String> {
        let (keys, now) = (self.inner.platform.keys(), self.inner.clock.unix_seconds());
        keys.encryption_key(now).map(|key| key.serial.clone())
    }
}

/// The key that `header`, the request's own `Wechatpay-Serial`, names; else the one that the client prefers.
pub(crate) fn encryption_key<'k>(
    inner: &Inner,
    keys: &'k PlatformKeys,
    header: Option<&str>,
) -> Result<&'k PlatformKey, Error> {
    if keys.is_empty() {
        let reason = "are not there yet: they come with the first call, or with `refresh_certificates`";
        return Err(Error::config("certificates", reason));
    }
    match header {
        Some(serial) => keys.find(serial).ok_or_else(|| {
            let reason = format!("names a platform key that is not known; known: {}", keys.known());
            Error::config("headers.Wechatpay-Serial", reason)
        }),
        None => keys.encryption_key(inner.clock.unix_seconds()).ok_or_else(|| {
            let reason = format!("has no key that is valid now, to encrypt with; known: {}", keys.known());
            Error::config("certs", reason)
        }),
    }
}

fn encrypt(key: &PublicKey, field: &str, text: &str) -> Result<String, Error> {
    if text.is_empty() {
        return Ok(String::new());
    }
    key.encrypt_base64(text.as_bytes()).ok_or_else(|| {
        let reason =
            format!("is {} bytes long; at most {} can be encrypted", text.len(), key.max_plaintext());
        Error::config(field, reason)
    })
}

fn decrypt(inner: &Inner, what: &str, ciphertext: &str) -> Result<String, Error> {
    if ciphertext.is_empty() {
        return Ok(String::new());
    }
    let plain = inner.identity.key.local()?.decrypt_base64(ciphertext);
    let refuse = |why: &str| Error::Decrypt(format!("{what} {why}").into());
    let plain = plain.ok_or_else(|| refuse("does not open with the merchant's private key"))?;
    String::from_utf8(plain).map_err(|_| refuse("opens, but is not UTF-8"))
}

/// Encrypts the strings that `pointers` lead to.
pub(crate) fn encrypt_fields(key: &PublicKey, body: &mut Value, pointers: &[String]) -> Result<(), Error> {
    for pointer in pointers {
        at_each(body, pointer, &mut |text| encrypt(key, pointer, text))?;
    }
    Ok(())
}

/// Decrypts the strings that `pointers` lead to.
pub(crate) fn decrypt_fields(inner: &Inner, data: &mut Value, pointers: &[&str]) -> Result<(), Error> {
    for pointer in pointers {
        if !is_empty(data, pointer) {
            at_each(data, pointer, &mut |text| decrypt(inner, &format!("`{pointer}`"), text))?;
        }
    }
    Ok(())
}

/// Whether an answer simply has nothing there: a `*` over an empty list, or null.
fn is_empty(data: &Value, pointer: &str) -> bool {
    let (list, field) = match pointer.split_once("/*") {
        Some((list, _)) => (data.pointer(list), None),
        None => (None, data.pointer(pointer)),
    };
    list.and_then(Value::as_array).is_some_and(Vec::is_empty) || field.is_some_and(Value::is_null)
}

/// Changes each string that a JSON pointer (RFC 6901) leads to; `*` stands for every element of an array.
fn at_each(
    value: &mut Value,
    pointer: &str,
    change: &mut dyn FnMut(&str) -> Result<String, Error>,
) -> Result<(), Error> {
    let Some(path) = pointer.strip_prefix('/') else {
        return Err(Error::config(pointer, "is not a JSON pointer: it begins with `/` (RFC 6901)"));
    };
    let tokens: Vec<_> = path.split('/').map(|token| token.replace("~1", "/").replace("~0", "~")).collect();
    match walk(value, &tokens, pointer, change)? {
        0 => Err(Error::config(pointer, "leads to nothing in the body")),
        _ => Ok(()),
    }
}

/// How many strings were changed.
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
                format!("must lead to a string; it leads to {}", kind_of(value)),
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
