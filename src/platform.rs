//! The platform's keys, side by side, each under its serial.

use crate::crypto::rsa::PublicKey;

/// What the serial of a public key begins with; a certificate's is plain hex (PROTOCOL, Keys).
pub(crate) const PUBLIC_KEY_PREFIX: &str = "PUB_KEY_ID_";

/// The platform's public keys and certificates. There are two or three at most, so a list it is.
pub(crate) struct PlatformKeys(Vec<(String, PublicKey)>);

impl PlatformKeys {
    pub(crate) fn new(keys: Vec<(String, PublicKey)>) -> PlatformKeys {
        PlatformKeys(keys)
    }

    pub(crate) fn get(&self, serial: &str) -> Option<&PublicKey> {
        self.find(serial).map(|(_, key)| key)
    }

    /// The public key that answers should be signed with: the one added last, if there is any.
    pub(crate) fn newest_public_key_id(&self) -> Option<&str> {
        self.serials().filter(|s| s.starts_with(PUBLIC_KEY_PREFIX)).last()
    }

    /// The key under `serial`, with the serial as it is kept.
    pub(crate) fn find(&self, serial: &str) -> Option<(&str, &PublicKey)> {
        self.0.iter().find(|(s, _)| s == serial).map(|(s, key)| (s.as_str(), key))
    }

    /// The key that sensitive fields are encrypted with: the newest public key, else the newest certificate.
    pub(crate) fn encryption_key(&self) -> Option<(&str, &PublicKey)> {
        match self.newest_public_key_id() {
            Some(serial) => self.find(serial),
            None => self.0.last().map(|(s, key)| (s.as_str(), key)),
        }
    }

    pub(crate) fn serials(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(serial, _)| serial.as_str())
    }
}
