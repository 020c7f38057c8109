//! The AES helpers of PHP's SDK, with the client's own keys.

use super::WeChatPay;
use crate::crypto::aes::Apiv3Key;
#[cfg(feature = "v2")]
use crate::crypto::ecb;
use crate::error::Error;

impl WeChatPay {
    /// Decrypts base64 of AES-256-GCM with the APIv3 key, as PHP's `AesGcm::decrypt($ciphertext, $key, $nonce, $aad)`: for a
    /// resource that did not come as a notification.
    ///
    /// # Errors
    /// [`Error::Config`] without an APIv3 key; [`Error::Decrypt`] if it was encrypted with another key, or changed.
    pub fn decrypt_aes_gcm(
        &self,
        ciphertext: &str,
        nonce: &str,
        associated_data: &str,
    ) -> Result<Vec<u8>, Error> {
        let key = self.aes_gcm_key()?;
        key.decrypt(nonce, associated_data, ciphertext)
            .map_err(|error| Error::Decrypt(error.to_string().into()))
    }

    /// Encrypts to base64 of AES-256-GCM with the APIv3 key, as PHP's `AesGcm::encrypt($text, $key, $nonce, $aad)`. `nonce`
    /// has 12 bytes, and must be another one for each text: two texts under one nonce reveal each other.
    ///
    /// # Errors
    /// [`Error::Config`] without an APIv3 key, or for a nonce of another length.
    pub fn encrypt_aes_gcm(&self, text: &[u8], nonce: &str, associated_data: &str) -> Result<String, Error> {
        let wrong = || Error::config("nonce", format!("must be 12 bytes; it is {}", nonce.len()));
        self.aes_gcm_key()?.encrypt(nonce, associated_data, text).ok_or_else(wrong)
    }

    fn aes_gcm_key(&self) -> Result<&Apiv3Key, Error> {
        let missing = || Error::config("apiv3_key", "is missing: it is the key of AES-256-GCM");
        let context = &self.context.v3;
        context.apiv3_key.as_ref().ok_or_else(|| context.defaults.names.rename(missing()))
    }

    /// Decrypts base64 of AES-256-ECB with the MD5 of the APIv2 key, as PHP's `AesEcb::decrypt($text, Hash::md5($secret))`:
    /// `req_info` of a refund. [`notification_v2`](Self::notification_v2) does it by itself.
    ///
    /// # Errors
    /// [`Error::Config`] without an APIv2 key; [`Error::Decrypt`] if it was encrypted with another key, or changed.
    #[cfg(feature = "v2")]
    #[cfg_attr(docsrs, doc(cfg(feature = "v2")))]
    pub fn decrypt_aes_ecb(&self, ciphertext: &str) -> Result<Vec<u8>, Error> {
        let secret =
            self.context.v2.secret().map_err(|error| self.context.v3.defaults.names.rename(error))?;
        let other = || Error::Decrypt("it was encrypted with another APIv2 key, or it was changed".into());
        ecb::decrypt(ciphertext, secret.md5_hex().as_bytes()).ok_or_else(other)
    }

    /// Encrypts to base64 of AES-256-ECB with the MD5 of the APIv2 key, as PHP's `AesEcb::encrypt($text, Hash::md5($secret))`:
    /// to make a `req_info` for a test.
    ///
    /// # Errors
    /// [`Error::Config`] without an APIv2 key.
    #[cfg(feature = "v2")]
    #[cfg_attr(docsrs, doc(cfg(feature = "v2")))]
    pub fn encrypt_aes_ecb(&self, text: &[u8]) -> Result<String, Error> {
        let secret =
            self.context.v2.secret().map_err(|error| self.context.v3.defaults.names.rename(error))?;
        let unusable = || Error::config("text", "cannot be encrypted");
        ecb::encrypt(text, secret.md5_hex().as_bytes()).ok_or_else(unusable)
    }
}
