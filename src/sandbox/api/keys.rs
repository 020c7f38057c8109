//! [`Sandbox`]: the platform's keys and their rotation, sensitive fields.

use super::sandbox::Sandbox;
use crate::sandbox::{
    http::sandbox_error::SandboxError,
    keys::{cipher, keyring::Rotation, mode::SigningMode},
};

/// Modes and rotation of the platform's keys. The keys folder keeps them, unless
/// [`keep_rotation`](crate::sandbox::SandboxBuilder::keep_rotation) is off.
impl Sandbox {
    /// Which kinds of platform keys are in service.
    pub fn mode(&self) -> SigningMode {
        self.platform().keyring.mode()
    }

    /// Changes which kinds of platform keys are in service. Keys of the other kind are retired; if none of a kind is in
    /// service, the first one is. The key that signs remains, as long as it is in service.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use wechatpay_chain::sandbox::{Sandbox, SigningMode};
    /// let sandbox = Sandbox::builder().sign_with(SigningMode::Certificate).start()?;
    /// // A merchant moves to the public key: first both are in service …
    /// sandbox.set_mode(SigningMode::Migration)?;
    /// sandbox.sign_with(sandbox.platform_public_key_id())?;
    /// // … and then only the public key is.
    /// sandbox.set_mode(SigningMode::PublicKey)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The keys folder cannot be written.
    pub fn set_mode(&self, mode: SigningMode) -> Result<(), SandboxError> {
        self.platform().keyring.set_mode(mode)
    }

    /// Adds a new platform certificate and returns its serial. The certificate list (`GET v3/certificates`) contains it
    /// from now on. It signs only responses to requests that name it, until [`sign_with`](Sandbox::sign_with).
    ///
    /// # Errors
    /// The key cannot be generated, there are too many (limit 50), or the keys folder cannot be written.
    pub fn add_certificate(&self) -> Result<String, SandboxError> {
        self.platform().keyring.publish(Rotation::Certificate).map(|key| key.serial().to_owned())
    }

    /// Adds a new public key and returns its `PUB_KEY_ID_…` and its SPKI PEM, as the merchant platform's website shows
    /// them. It signs only responses to requests that name it, until [`sign_with`](Sandbox::sign_with).
    ///
    /// # Errors
    /// As [`add_certificate`](Sandbox::add_certificate).
    pub fn add_public_key(&self) -> Result<(String, String), SandboxError> {
        let key = self.platform().keyring.publish(Rotation::PublicKey)?;
        Ok((key.serial().to_owned(), key.pem().to_owned()))
    }

    /// Makes this key sign by default: notifications, and responses to requests without `Wechatpay-Serial`.
    ///
    /// # Errors
    /// No key in service has this serial, or the keys folder cannot be written.
    pub fn sign_with(&self, serial: &str) -> Result<(), SandboxError> {
        self.platform().keyring.sign_with(serial)
    }

    /// Retires a key: it no longer signs, the certificate list no longer contains it, and requests that name it are
    /// rejected.
    ///
    /// # Errors
    /// No key in service has this serial, it is the last key, or the keys folder cannot be written.
    pub fn retire(&self, serial: &str) -> Result<(), SandboxError> {
        self.platform().keyring.retire(serial)
    }

    /// Adds a new key, signs with it by default, and returns its serial. The old keys remain until
    /// [`retire`](Sandbox::retire). [`Fault::RotateCertificate`](crate::sandbox::Fault) and
    /// [`Fault::RotatePublicKey`](crate::sandbox::Fault) do the same at a certain request. A new key of the other kind
    /// begins a [migration](SigningMode::Migration).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use wechatpay_chain::sandbox::{Rotation, Sandbox};
    /// let sandbox = Sandbox::start()?;
    /// let new = sandbox.rotate(Rotation::PublicKey)?;
    /// sandbox.retire(sandbox.platform_public_key_id())?;
    /// assert_ne!(new, sandbox.platform_public_key_id());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`add_certificate`](Sandbox::add_certificate).
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
