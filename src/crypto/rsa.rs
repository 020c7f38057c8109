//! RSASSA-PKCS1-v1_5 with SHA-256, RSAES-OAEP with SHA-1, and RSAES-PKCS1-v1_5. A key is parsed once, when it is loaded.

use std::sync::OnceLock;

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    KeyPair, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey,
    Pkcs1PrivateDecryptingKey, Pkcs1PublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::BoxedUint;
use rsa::hazmat::rsa_encrypt;
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::traits::PublicKeyParts as _;

/// The largest accepted modulus, in bytes: 8192 bits.
const MAX_MODULUS: usize = 1024;

/// The smallest accepted modulus, in bytes: 2048 bits.
const MIN_MODULUS: usize = 256;

/// How a sensitive text is padded before RSA.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Padding {
    /// RSAES-OAEP with SHA-1 and MGF1 with SHA-1: every endpoint but the next.
    Oaep,
    /// RSAES-PKCS1-v1_5: some endpoints of Hong Kong.
    Pkcs1v15,
}

/// The merchant's private key. AWS-LC signs and decrypts with it in constant time.
pub(crate) struct PrivateKey {
    pair: KeyPair,
    decrypting: OaepPrivateDecryptingKey,
    /// Made at the first use: few merchants need it.
    decrypting_pkcs1: OnceLock<Option<Pkcs1PrivateDecryptingKey>>,
}

impl PrivateKey {
    pub(super) fn new(pair: KeyPair) -> Result<PrivateKey, String> {
        let unusable = |e: Unspecified| e.to_string();
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(unusable)?;
        let decrypting = PrivateDecryptingKey::from_pkcs8(pkcs8.as_ref()).map_err(|e| e.to_string())?;
        let decrypting = OaepPrivateDecryptingKey::new(decrypting).map_err(unusable)?;
        Ok(PrivateKey { pair, decrypting, decrypting_pkcs1: OnceLock::new() })
    }

    /// The key as PKCS#8, for TLS.
    #[cfg(feature = "v2")]
    pub(crate) fn pkcs8(&self) -> Result<zeroize::Zeroizing<Vec<u8>>, Unspecified> {
        let der: Pkcs8V1Der<'_> = self.pair.as_der()?;
        Ok(zeroize::Zeroizing::new(der.as_ref().to_vec()))
    }

    /// Decrypts base64; `None` if it was not encrypted for this key and with this padding.
    pub(crate) fn decrypt_base64(&self, ciphertext: &str, padding: Padding) -> Option<Vec<u8>> {
        let ciphertext = STANDARD.decode(ciphertext).ok()?;
        let mut plain = vec![0; self.decrypting.min_output_size()];
        let length = match padding {
            Padding::Oaep => {
                self.decrypting.decrypt(&OAEP_SHA1_MGF1SHA1, &ciphertext, &mut plain, None).ok()?.len()
            }
            Padding::Pkcs1v15 => self.pkcs1()?.decrypt(&ciphertext, &mut plain).ok()?.len(),
        };
        plain.truncate(length);
        Some(plain)
    }

    fn pkcs1(&self) -> Option<&Pkcs1PrivateDecryptingKey> {
        let key = || {
            let pkcs8: Pkcs8V1Der<'_> = self.pair.as_der().ok()?;
            Pkcs1PrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(pkcs8.as_ref()).ok()?).ok()
        };
        self.decrypting_pkcs1.get_or_init(key).as_ref()
    }

    /// The length of a ciphertext, in bytes.
    pub(crate) fn modulus_length(&self) -> usize {
        self.pair.public_modulus_len()
    }

    /// Signs `message`; the signature is base64.
    pub(crate) fn sign_base64(&self, message: &[u8]) -> Result<String, Unspecified> {
        let mut signature = [0; MAX_MODULUS];
        let signature = signature.get_mut(..self.pair.public_modulus_len()).ok_or(Unspecified)?;
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, signature)?;
        Ok(STANDARD.encode(signature))
    }

    /// Whether `public` is the public key of this private key.
    pub(crate) fn matches(&self, public: &PublicKey) -> bool {
        let (ours, theirs) = (self.pair.public_key().as_der(), public.verifying.as_der());
        matches!((ours, theirs), (Ok(ours), Ok(theirs)) if ours.as_ref() == theirs.as_ref())
    }
}

/// A platform's public key: verifies and encrypts.
pub(crate) struct PublicKey {
    verifying: ParsedPublicKey,
    encrypting: OaepPublicEncryptingKey,
}

impl PublicKey {
    /// Reads a PKCS#1 `RSAPublicKey` of at least 2048 bits.
    pub(super) fn from_pkcs1_der(der: &[u8]) -> Result<PublicKey, String> {
        let unusable = |e: Unspecified| e.to_string();
        let verifying = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).map_err(|e| e.to_string())?;
        let spki: PublicKeyX509Der<'_> = verifying.as_der().map_err(unusable)?;
        let encrypting = PublicEncryptingKey::from_der(spki.as_ref()).map_err(|e| e.to_string())?;
        let encrypting = OaepPublicEncryptingKey::new(encrypting).map_err(unusable)?;
        Ok(PublicKey { verifying, encrypting })
    }

    /// Encrypts `text` to base64; `None` when it is too long.
    pub(crate) fn encrypt_base64(&self, text: &[u8], padding: Padding) -> Option<String> {
        let mut ciphertext = vec![0; self.encrypting.ciphertext_size()];
        let ciphertext = match padding {
            Padding::Oaep => {
                self.encrypting.encrypt(&OAEP_SHA1_MGF1SHA1, text, &mut ciphertext, None).ok()?
            }
            Padding::Pkcs1v15 => self.pkcs1()?.encrypt(text, &mut ciphertext).ok()?,
        };
        Some(STANDARD.encode(ciphertext))
    }

    fn pkcs1(&self) -> Option<Pkcs1PublicEncryptingKey> {
        let spki: PublicKeyX509Der<'_> = self.verifying.as_der().ok()?;
        Pkcs1PublicEncryptingKey::new(PublicEncryptingKey::from_der(spki.as_ref()).ok()?).ok()
    }

    /// The longest text that can be encrypted, in bytes.
    pub(crate) fn max_plaintext(&self, padding: Padding) -> usize {
        match padding {
            Padding::Oaep => self.encrypting.max_plaintext_size(&OAEP_SHA1_MGF1SHA1),
            // RFC 8017, section 7.2.1.
            Padding::Pkcs1v15 => self.encrypting.key_size_bytes() - 11,
        }
    }

    /// Whether `signature` (base64) is valid for the concatenated parts of a message; `false` for malformed input.
    pub(crate) fn verifies(&self, message: &[&[u8]], signature: &[u8]) -> bool {
        // Hashed part by part: the body may be large and is not copied.
        let mut context = digest::Context::new(&digest::SHA256);
        for part in message {
            context.update(part);
        }
        self.verifies_digest(context, signature)
    }

    /// As [`verifies`](Self::verifies), for a message that was hashed (SHA-256) while it was read.
    pub(crate) fn verifies_digest(&self, message: digest::Context, signature: &[u8]) -> bool {
        let mut raw = [0; MAX_MODULUS];
        let Ok(length) = STANDARD.decode_slice(signature, &mut raw) else { return false };
        raw.get(..length).is_some_and(|raw| self.verifying.verify_digest_sig(&message.finish(), raw).is_ok())
    }

    /// Whose signature (base64) it is, if it is not valid for a message: the public key recovers the signed digest, and from
    /// a signature of another key it recovers noise.
    pub(crate) fn origin_of(&self, signature: &[u8]) -> Origin {
        match STANDARD.decode(signature) {
            Ok(signature) if signature.len() >= MIN_MODULUS => match self.recover(&signature) {
                Some(padded) if is_padded_sha256(&padded) => Origin::ThisKey,
                _ => Origin::OtherKey,
            },
            _ => Origin::Damaged,
        }
    }

    /// The padded digest in a signature that may be this key's: of its length, and below its modulus.
    fn recover(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let key = rsa::PublicKey::from_pkcs1_der(self.verifying.as_ref()).ok()?;
        if signature.len() != key.size() {
            return None;
        }
        let number = BoxedUint::from_be_slice(signature, key.n_bits_precision()).ok()?;
        let padded = (number < *key.n().as_ref()).then(|| rsa_encrypt(&key, &number).ok())??;
        Some(padded.to_be_bytes_trimmed_vartime().to_vec())
    }

    #[cfg(test)]
    pub(super) fn pkcs1_der(&self) -> Vec<u8> {
        self.verifying.as_ref().to_vec()
    }
}

/// Whose signature it is that is not valid for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// This key's, for another message.
    ThisKey,
    OtherKey,
    /// Not base64, or shorter than every signature.
    Damaged,
}

/// Whether this is the padding of PKCS#1 v1.5 around a SHA-256 digest (RFC 8017, section 9.2), without its first byte,
/// which is zero.
fn is_padded_sha256(padded: &[u8]) -> bool {
    const PREFIX: &[u8] = b"\x00\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    let Some(rest) = padded.strip_prefix(&[1]) else { return false };
    let filled = rest.iter().take_while(|byte| **byte == 0xff).count();
    let info = rest.get(filled..).unwrap_or_default();
    filled >= 8 && info.starts_with(PREFIX) && info.len() == PREFIX.len() + 32
}

#[cfg(test)]
mod tests;
