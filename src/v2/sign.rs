//! The signature of APIv2 (PROTOCOL-V2, Signing a request): MD5 or HMAC-SHA256 over the sorted fields and the secret.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use md5::{Digest as _, Md5};
use serde_json::Value;
use zeroize::Zeroizing;

/// The APIv2 key of the merchant. It never shows.
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    /// `None` unless it has 32 bytes, as each APIv2 key has.
    pub(crate) fn new(secret: &str) -> Option<Secret> {
        (secret.len() == 32).then(|| Secret(Zeroizing::new(secret.to_owned())))
    }

    /// 32 hex digits: the AES key of `req_info`.
    pub(crate) fn md5_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex(&Md5::digest(self.0.as_bytes()), false))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// `sign_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignType {
    /// `MD5`.
    Md5,
    /// `HMAC-SHA256`.
    HmacSha256,
}

impl SignType {
    /// The type of this name, in capitals as the platform has it; `None` for another name.
    pub(crate) fn of(name: &str) -> Option<SignType> {
        match name {
            "MD5" => Some(SignType::Md5),
            "HMAC-SHA256" => Some(SignType::HmacSha256),
            _ => None,
        }
    }

    /// The name, as in `sign_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            SignType::Md5 => "MD5",
            SignType::HmacSha256 => "HMAC-SHA256",
        }
    }

    /// The type of a signature that was received, by its length.
    pub(crate) fn of_signature(sign: &str) -> SignType {
        if sign.len() == 64 { SignType::HmacSha256 } else { SignType::Md5 }
    }
}

/// The text of a value: an object or a list is its JSON, as the fields `detail` or `receivers` want it. `null` is empty.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The text that is signed, without the key: `a=1&b=2`, by the bytes of the names; empty values and `sign` are left out.
pub(crate) fn message<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut fields: Vec<_> =
        fields.into_iter().filter(|(name, text)| *name != "sign" && !text.is_empty()).collect();
    fields.sort_unstable();
    let mut message =
        String::with_capacity(fields.iter().map(|(name, text)| name.len() + text.len() + 2).sum());
    for (name, text) in fields {
        if !message.is_empty() {
            message.push('&');
        }
        message.extend([name, "=", text]);
    }
    message
}

/// The signature of [`message`] in capital hex digits.
pub(crate) fn sign(message: &str, secret: &Secret, kind: SignType) -> String {
    let keyed = Zeroizing::new([message, "&key=", &secret.0].concat());
    match kind {
        SignType::Md5 => hex(&Md5::digest(keyed.as_bytes()), true),
        SignType::HmacSha256 => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.0.as_bytes());
            hex(hmac::sign(&key, keyed.as_bytes()).as_ref(), true)
        }
    }
}

/// Whether `sign` is the signature, in constant time.
pub(crate) fn verifies(message: &str, secret: &Secret, signature: &str) -> bool {
    let expected = sign(message, secret, SignType::of_signature(signature));
    constant_time::verify_slices_are_equal(expected.as_bytes(), signature.as_bytes()).is_ok()
}

fn hex(bytes: &[u8], capitals: bool) -> String {
    let digits: &[u8; 16] = if capitals { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
    let digit = |nibble: u8| digits.get(usize::from(nibble)).map_or('0', |digit| char::from(*digit));
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
