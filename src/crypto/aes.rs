//! AES-256-GCM under the APIv3 key, as it is: what the platform encrypts for the merchant.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// The APIv3 key, ready for use. AWS-LC wipes its copy when it is dropped.
pub(crate) struct Apiv3Key(LessSafeKey);

/// The only algorithm that APIv3 has.
const ALGORITHM: &str = "AEAD_AES_256_GCM";

/// What the platform encrypted, as it stands in notifications and beside certificates.
#[derive(Deserialize)]
pub(crate) struct Sealed {
    algorithm: String,
    ciphertext: String,
    nonce: String,
    #[serde(default)]
    associated_data: Option<String>,
}

/// What is wrong with a ciphertext.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    Base64,
    /// The nonce's length in bytes; 12 are taken.
    Nonce(usize),
    /// Another key, or a changed ciphertext, nonce or associated data.
    Tag,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Base64 => f.write_str("the ciphertext is not base64"),
            Damage::Nonce(length) => write!(f, "the nonce must be 12 bytes; it is {length}"),
            Damage::Tag => f.write_str(
                "the ciphertext does not open: it was encrypted under another APIv3 key, or it was changed",
            ),
        }
    }
}

impl Apiv3Key {
    /// `None` unless there are exactly 32 bytes.
    pub(crate) fn new(key: &str) -> Option<Apiv3Key> {
        Apiv3Key::from_bytes(key.as_bytes())
    }

    fn from_bytes(key: &[u8]) -> Option<Apiv3Key> {
        UnboundKey::new(&AES_256_GCM, key).ok().map(|key| Apiv3Key(LessSafeKey::new(key)))
    }

    /// Opens what the platform encrypted; the error says what is wrong with it.
    pub(crate) fn open_sealed(&self, sealed: &Sealed) -> Result<Vec<u8>, String> {
        if sealed.algorithm != ALGORITHM {
            return Err(format!("the algorithm must be {ALGORITHM}; it is {:?}", sealed.algorithm));
        }
        let associated_data = sealed.associated_data.as_deref().unwrap_or_default();
        self.decrypt(&sealed.nonce, associated_data, &sealed.ciphertext).map_err(|damage| damage.to_string())
    }

    /// Opens a base64 ciphertext that ends with its whole tag of 16 bytes; a shorter one is refused.
    pub(crate) fn decrypt(
        &self,
        nonce: &str,
        associated_data: &str,
        ciphertext: &str,
    ) -> Result<Vec<u8>, Damage> {
        let text = STANDARD.decode(ciphertext).map_err(|_| Damage::Base64)?;
        self.open(nonce.as_bytes(), associated_data.as_bytes(), text)
    }

    fn open(&self, nonce: &[u8], associated_data: &[u8], mut text: Vec<u8>) -> Result<Vec<u8>, Damage> {
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Damage::Nonce(nonce.len()))?;
        let opened = self.0.open_in_place(nonce, Aad::from(associated_data), &mut text);
        let length = opened.map_err(|_| Damage::Tag)?.len();
        text.truncate(length);
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
