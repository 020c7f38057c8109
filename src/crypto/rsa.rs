//! RSASSA-PKCS1-v1_5 with SHA-256, on keys that were parsed once.

use aws_lc_rs::digest;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The largest modulus that is accepted: 8192 bits.
const MAX_MODULUS: usize = 1024;

/// The merchant's private key: signs, in constant time, on AWS-LC.
pub(crate) struct PrivateKey(pub(super) KeyPair);

impl PrivateKey {
    /// The signature of `message`, in base64.
    pub(crate) fn sign_base64(&self, message: &[u8]) -> Result<String, aws_lc_rs::error::Unspecified> {
        let mut signature = [0; MAX_MODULUS];
        let signature =
            signature.get_mut(..self.0.public_modulus_len()).ok_or(aws_lc_rs::error::Unspecified)?;
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, signature)?;
        Ok(STANDARD.encode(signature))
    }

    /// Whether `public` is this key's other half.
    pub(crate) fn matches(&self, public: &PublicKey) -> bool {
        let (ours, theirs) = (self.0.public_key().as_der(), public.0.as_der());
        matches!((ours, theirs), (Ok(ours), Ok(theirs)) if ours.as_ref() == theirs.as_ref())
    }
}

/// A platform key: verifies.
pub(crate) struct PublicKey(pub(super) ParsedPublicKey);

impl PublicKey {
    /// Reads a PKCS#1 `RSAPublicKey` of at least 2048 bits.
    pub(super) fn from_pkcs1_der(der: &[u8]) -> Result<PublicKey, aws_lc_rs::error::KeyRejected> {
        ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).map(PublicKey)
    }

    /// Whether `signature` (base64) holds for the parts of a message, put together; `false` for anything malformed.
    pub(crate) fn verifies(&self, message: &[&[u8]], signature: &[u8]) -> bool {
        // The body may be large, and is never copied into a message of its own.
        let mut context = digest::Context::new(&digest::SHA256);
        for part in message {
            context.update(part);
        }
        self.verifies_digest(context, signature)
    }

    /// The same for a message that was read into a SHA-256 as it came.
    pub(crate) fn verifies_digest(&self, message: digest::Context, signature: &[u8]) -> bool {
        let mut raw = [0; MAX_MODULUS];
        let Ok(length) = STANDARD.decode_slice(signature, &mut raw) else { return false };
        raw.get(..length).is_some_and(|raw| self.0.verify_digest_sig(&message.finish(), raw).is_ok())
    }
}
