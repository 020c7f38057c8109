//! [`Sandbox`]: the platform's keys and their rotation, sensitive fields.

use super::sandbox::Sandbox;
use crate::sandbox::{
    http::sandbox_error::SandboxError,
    keys::{cipher, keyring::Rotation},
};

/// Key rotation. The keys folder keeps only the first keys.
impl Sandbox {
    /// Adds a new platform certificate and returns its serial. The certificate list (`GET v3/certificates`) contains it
    /// from now on. It signs only responses to requests that name it, until [`sign_with`](Sandbox::sign_with).
    ///
    /// # Errors
    /// The key cannot be generated.
    pub fn add_certificate(&self) -> Result<String, SandboxError> {
        self.platform().keyring.add_certificate().map(|certificate| certificate.serial.clone())
    }

    /// Adds a new public key and returns its `PUB_KEY_ID_…` and its SPKI PEM, as the merchant platform's website shows
    /// them. It signs only responses to requests that name it, until [`sign_with`](Sandbox::sign_with).
    ///
    /// # Errors
    /// The key cannot be generated.
    pub fn add_public_key(&self) -> Result<(String, String), SandboxError> {
        self.platform().keyring.add_public_key().map(|public| (public.id.clone(), public.pem.clone()))
    }

    /// Makes this key the default signer: of responses to requests without `Wechatpay-Serial`, and of notifications.
    ///
    /// # Errors
    /// No key has this serial.
    pub fn sign_with(&self, serial: &str) -> Result<(), SandboxError> {
        self.platform().keyring.sign_with(serial)
    }

    /// Retires a key: it no longer signs, the certificate list no longer contains it, and requests that name it are
    /// rejected.
    ///
    /// # Errors
    /// No key has this serial, or it is the last key.
    pub fn retire(&self, serial: &str) -> Result<(), SandboxError> {
        self.platform().keyring.retire(serial)
    }

    /// Adds a new key, makes it the default signer, and returns its serial. The old keys remain until
    /// [`retire`](Sandbox::retire). [`Fault::RotateCertificate`](crate::sandbox::Fault) and
    /// [`Fault::RotatePublicKey`](crate::sandbox::Fault) do the same at a certain request.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use wechatpay_chain::sandbox::{Rotation, Sandbox};
    /// let sandbox = Sandbox::start()?;
    /// let new = sandbox.rotate(Rotation::Certificate)?;
    /// sandbox.retire(sandbox.platform_certificate_serial())?;
    /// assert_ne!(new, sandbox.platform_certificate_serial());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The key cannot be generated.
    pub fn rotate(&self, rotation: Rotation) -> Result<String, SandboxError> {
        self.platform().keyring.rotate(rotation)
    }

    /// Decrypts a field that a client encrypted for the platform, with the key of this serial. `None` if it cannot be
    /// decrypted.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// let ciphertext = wx.encrypt("张三")?;
    /// assert_eq!(sandbox.decrypt(sandbox.platform_public_key_id(), &ciphertext).as_deref(), Some("张三"));
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn decrypt(&self, serial: &str, ciphertext: &str) -> Option<String> {
        let key = self.platform().keyring.find(serial)?;
        cipher::decrypt_field(key.private_key(), ciphertext)
    }

    /// Encrypts a field of a response for the merchant, as the platform does. The result is Base64.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// assert_eq!(wx.decrypt(&sandbox.encrypt("张三")?)?, "张三");
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The text is too long for the key, or there are no random numbers.
    pub fn encrypt(&self, text: &str) -> Result<String, SandboxError> {
        cipher::encrypt_field(&self.identity().merchant.public_key, text)
            .ok_or(SandboxError::Generate { what: "encrypted field" })
    }
}
