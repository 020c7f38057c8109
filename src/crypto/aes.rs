//! AES-256-GCM with the APIv3 key: how the platform encrypts notifications and certificates.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// The APIv3 key; its 32 bytes are the AES key. AWS-LC wipes its copy on drop.
pub(crate) struct Apiv3Key(LessSafeKey);

/// The only algorithm of APIv3.
const ALGORITHM: &str = "AEAD_AES_256_GCM";

/// An encrypted object: a notification's `resource`, or `encrypt_certificate`.
#[derive(Deserialize)]
pub(crate) struct EncryptedResource {
    algorithm: String,
    ciphertext: String,
    nonce: String,
    #[serde(default)]
    associated_data: Option<String>,
}

/// Why a ciphertext cannot be decrypted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum OpenError {
    Base64,
    /// The nonce's length in bytes; it must be 12.
    NonceLength(usize),
    /// Another key, or a changed ciphertext, nonce or associated data.
    Tag,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Base64 => f.write_str("the ciphertext is not base64"),
            OpenError::NonceLength(length) => write!(f, "the nonce must be 12 bytes; it is {length}"),
            OpenError::Tag => f.write_str(
                "the ciphertext cannot be decrypted: it was encrypted with another APIv3 key, or it was changed",
            ),
        }
    }
}

impl Apiv3Key {
    /// `None` unless `key` has exactly 32 bytes.
    pub(crate) fn new(key: &str) -> Option<Apiv3Key> {
        Apiv3Key::from_bytes(key.as_bytes())
    }

    fn from_bytes(key: &[u8]) -> Option<Apiv3Key> {
        UnboundKey::new(&AES_256_GCM, key).ok().map(|key| Apiv3Key(LessSafeKey::new(key)))
    }

    /// Decrypts an object of the platform; the error says what is wrong with it.
    pub(crate) fn decrypt_resource(&self, resource: &EncryptedResource) -> Result<Vec<u8>, String> {
        if resource.algorithm != ALGORITHM {
            return Err(format!("the algorithm must be {ALGORITHM}; it is {:?}", resource.algorithm));
        }
        let associated_data = resource.associated_data.as_deref().unwrap_or_default();
        self.decrypt(&resource.nonce, associated_data, &resource.ciphertext)
            .map_err(|error| error.to_string())
    }

    /// Decrypts base64 that ends with a tag of 16 bytes; a shorter tag is refused.
    pub(crate) fn decrypt(
        &self,
        nonce: &str,
        associated_data: &str,
        ciphertext: &str,
    ) -> Result<Vec<u8>, OpenError> {
        let text = STANDARD.decode(ciphertext).map_err(|_| OpenError::Base64)?;
        self.open(nonce.as_bytes(), associated_data.as_bytes(), text)
    }

    /// Encrypts to base64, with a tag of 16 bytes; `None` unless the nonce has 12 bytes.
    pub(crate) fn encrypt(&self, nonce: &str, associated_data: &str, text: &[u8]) -> Option<String> {
        let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes()).ok()?;
        let mut text = text.to_vec();
        self.0.seal_in_place_append_tag(nonce, Aad::from(associated_data.as_bytes()), &mut text).ok()?;
        Some(STANDARD.encode(text))
    }

    fn open(&self, nonce: &[u8], associated_data: &[u8], mut text: Vec<u8>) -> Result<Vec<u8>, OpenError> {
        let nonce =
            Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError::NonceLength(nonce.len()))?;
        let plain = self.0.open_in_place(nonce, Aad::from(associated_data), &mut text);
        let length = plain.map_err(|_| OpenError::Tag)?.len();
        text.truncate(length);
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
