//! Sensitive fields, one value at a time. `Request::encrypt` and `Response::decrypt` do whole bodies.

use super::WeChatPay;
use crate::error::Error;
use crate::sensitive::{self, Padding};

impl WeChatPay {
    /// Encrypts a sensitive text for the platform, in base64, with the key that [`platform_serial`] names. An empty text
    /// stays empty. The request that carries it needs the serial in its `Wechatpay-Serial` header;
    /// [`Request::encrypt`](crate::Request::encrypt) does both.
    ///
    /// [`platform_serial`]: WeChatPay::platform_serial
    ///
    /// # Errors
    /// [`Error::Config`] if the text is too long for the key (214 bytes with 2048 bits).
    pub fn encrypt(&self, text: &str) -> Result<String, Error> {
        self.encrypt_with(text, Padding::Oaep)
    }

    /// [`encrypt`](Self::encrypt) for the Hong Kong endpoints whose documents ask for RSAES-PKCS1-v1_5.
    ///
    /// # Errors
    /// [`Error::Config`] if the text is too long for the key (245 bytes with 2048 bits).
    pub fn encrypt_pkcs1v15(&self, text: &str) -> Result<String, Error> {
        self.encrypt_with(text, Padding::Pkcs1v15)
    }

    fn encrypt_with(&self, text: &str, padding: Padding) -> Result<String, Error> {
        let (keys, now) = (self.context.v3.platform.keys(), self.context.v3.clock.unix_seconds());
        let key = keys.encryption_key(None, now).map_err(|e| self.context.v3.defaults.names.rename(e))?;
        sensitive::encrypt(&key.key, "text", text, padding)
    }

    /// Decrypts a sensitive field of a response, base64, with the merchant's private key. An empty text stays empty.
    ///
    /// # Errors
    /// [`Error::Decrypt`] if it cannot be decrypted, [`Error::Key`] if the private key is in a
    /// [`Signer`](crate::signer::Signer).
    pub fn decrypt(&self, ciphertext: &str) -> Result<String, Error> {
        self.decrypt_with(ciphertext, Padding::Oaep)
    }

    /// [`decrypt`](Self::decrypt) for the Hong Kong endpoints whose documents ask for RSAES-PKCS1-v1_5.
    ///
    /// Give it only ciphertexts from signed responses, and never tell their sender whether one could be decrypted: with
    /// this padding, that answers questions about other ciphertexts (a padding oracle).
    ///
    /// # Errors
    /// As [`decrypt`](Self::decrypt), and the same one for every ciphertext that cannot be decrypted.
    pub fn decrypt_pkcs1v15(&self, ciphertext: &str) -> Result<String, Error> {
        self.decrypt_with(ciphertext, Padding::Pkcs1v15)
    }

    fn decrypt_with(&self, ciphertext: &str, padding: Padding) -> Result<String, Error> {
        sensitive::decrypt(&self.context.v3.merchant.key, "the ciphertext", ciphertext, padding)
            .map_err(|e| self.context.v3.defaults.names.rename(e))
    }

    /// The serial of the platform key that encrypts sensitive fields now: the public key's, if there is one, else the
    /// newest valid certificate's. Keys may be added and refreshed at any time: compare the serial before and after
    /// [`encrypt`](WeChatPay::encrypt), or use [`Request::encrypt`](crate::Request::encrypt), which does both at once.
    pub fn platform_serial(&self) -> Option<String> {
        let (keys, now) = (self.context.v3.platform.keys(), self.context.v3.clock.unix_seconds());
        keys.preferred_key(now).map(|key| key.serial.clone())
    }
}
