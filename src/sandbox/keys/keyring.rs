//! The platform's keys as they are now: they change while clients go on calling.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Sandbox, SandboxError,
    keys::{Certified, Identity, PrivateKey, PublicKey},
    platform::Platform,
};

/// In the order in which they came.
pub(super) struct Keyring {
    certificates: Vec<Arc<Certified>>,
    public_keys: Vec<Arc<PublicKey>>,
    /// Signs what names no key of its own, once somebody chose it.
    chosen: Option<Signing>,
}

/// A key that signs.
#[derive(Clone)]
pub(super) enum Signing {
    Certificate(Arc<Certified>),
    PublicKey(Arc<PublicKey>),
}

impl Signing {
    pub(super) fn serial(&self) -> &str {
        match self {
            Signing::Certificate(certificate) => &certificate.serial,
            Signing::PublicKey(public) => &public.id,
        }
    }

    pub(super) fn key(&self) -> &PrivateKey {
        match self {
            Signing::Certificate(certificate) => &certificate.key,
            Signing::PublicKey(public) => &public.key,
        }
    }
}

/// What is signed without being asked for a key.
#[derive(Clone, Copy)]
pub(super) enum Unasked {
    Answer,
    Notification,
}

impl Keyring {
    pub(super) fn new(identity: &Identity) -> Keyring {
        Keyring {
            certificates: vec![Arc::clone(&identity.platform)],
            public_keys: vec![Arc::clone(&identity.public)],
            chosen: None,
        }
    }

    pub(super) fn find(&self, serial: &str) -> Option<Signing> {
        let certificate = self.certificates.iter().find(|key| key.serial == serial);
        let public = self.public_keys.iter().find(|key| key.id == serial);
        let certificate = certificate.map(|key| Signing::Certificate(Arc::clone(key)));
        certificate.or_else(|| public.map(|key| Signing::PublicKey(Arc::clone(key))))
    }

    /// The key that was chosen; else a certificate signs answers and the public key notifications, so that a client
    /// meets both.
    pub(super) fn signing(&self, what: Unasked) -> Option<Signing> {
        let certificate = || self.certificates.last().map(|key| Signing::Certificate(Arc::clone(key)));
        let public = || self.public_keys.last().map(|key| Signing::PublicKey(Arc::clone(key)));
        self.chosen.clone().or_else(|| match what {
            Unasked::Answer => certificate().or_else(public),
            Unasked::Notification => public().or_else(certificate),
        })
    }

    /// The keys as the control endpoint shows them: nothing private.
    pub(super) fn list(&self) -> Value {
        let certificates =
            self.certificates.iter().map(|key| json!({ "serial": key.serial, "pem": key.pem }));
        let public_keys = self.public_keys.iter().map(|key| json!({ "serial": key.id, "pem": key.pem }));
        let signs = |what| self.signing(what).map(|key| key.serial().to_string());
        json!({
            "certificates": certificates.collect::<Vec<_>>(),
            "public_keys": public_keys.collect::<Vec<_>>(),
            "answers_are_signed_with": signs(Unasked::Answer),
            "notifications_are_signed_with": signs(Unasked::Notification),
        })
    }

    /// All serials, and whether each is a certificate's.
    pub(super) fn serials(&self) -> impl Iterator<Item = (&str, bool)> {
        let certificates = self.certificates.iter().map(|key| (key.serial.as_str(), true));
        certificates.chain(self.public_keys.iter().map(|key| (key.id.as_str(), false)))
    }

    pub(super) fn certificates(&self) -> &[Arc<Certified>] {
        &self.certificates
    }

    fn choose(&mut self, serial: &str) -> Result<(), String> {
        let key = self.find(serial).ok_or_else(|| unknown(serial))?;
        self.chosen = Some(key);
        Ok(())
    }

    fn retire(&mut self, serial: &str) -> Result<(), String> {
        self.find(serial).ok_or_else(|| unknown(serial))?;
        if self.certificates.len() + self.public_keys.len() == 1 {
            return Err("it is the last key, without which nothing could be signed".into());
        }
        self.certificates.retain(|key| key.serial != serial);
        self.public_keys.retain(|key| key.id != serial);
        self.chosen = self.chosen.take().filter(|key| key.serial() != serial);
        Ok(())
    }
}

fn unknown(serial: &str) -> String {
    format!("the platform has no key {serial:?}")
}

/// A change-over of the platform's keys: see [`Sandbox::rotate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rotation {
    /// To a new certificate, which the list of certificates has from now on.
    Certificate,
    /// To a new public key.
    PublicKey,
}

impl Platform {
    fn add_certificate(&self) -> Result<Arc<Certified>, SandboxError> {
        let certificate = Arc::new(Certified::platform()?);
        self.keyring_mut().certificates.push(Arc::clone(&certificate));
        Ok(certificate)
    }

    fn add_public_key(&self) -> Result<Arc<PublicKey>, SandboxError> {
        let public = Arc::new(PublicKey::generate()?);
        self.keyring_mut().public_keys.push(Arc::clone(&public));
        Ok(public)
    }

    pub(super) fn sign_with(&self, serial: &str) -> Result<(), SandboxError> {
        let chosen = self.keyring_mut().choose(serial);
        chosen.map_err(|problem| SandboxError::Setting { name: "sign_with", problem })
    }

    pub(super) fn retire(&self, serial: &str) -> Result<(), SandboxError> {
        let retired = self.keyring_mut().retire(serial);
        retired.map_err(|problem| SandboxError::Setting { name: "retire", problem })
    }

    pub(super) fn rotate(&self, rotation: Rotation) -> Result<String, SandboxError> {
        let serial = match rotation {
            Rotation::Certificate => self.add_certificate()?.serial.clone(),
            Rotation::PublicKey => self.add_public_key()?.id.clone(),
        };
        self.sign_with(&serial)?;
        Ok(serial)
    }
}

/// Key rotation. The keys folder keeps the first keys only.
impl Sandbox {
    /// Makes a new platform certificate, which the list of certificates (`GET v3/certificates`) has from now on, and
    /// gives its serial. It signs only what names it, until [`sign_with`](Sandbox::sign_with).
    ///
    /// # Errors
    /// A key that cannot be made.
    pub fn add_certificate(&self) -> Result<String, SandboxError> {
        self.server.platform.add_certificate().map(|certificate| certificate.serial.clone())
    }

    /// Makes a new public key and gives its `PUB_KEY_ID_…` and its SPKI PEM, as the merchant platform's page shows
    /// them. It signs only answers to requests that name it, until [`sign_with`](Sandbox::sign_with).
    ///
    /// # Errors
    /// A key that cannot be made.
    pub fn add_public_key(&self) -> Result<(String, String), SandboxError> {
        self.server.platform.add_public_key().map(|public| (public.id.clone(), public.pem.clone()))
    }

    /// Lets this key sign what names no other: answers to requests without `Wechatpay-Serial`, and notifications.
    ///
    /// # Errors
    /// A serial that no key has.
    pub fn sign_with(&self, serial: &str) -> Result<(), SandboxError> {
        self.server.platform.sign_with(serial)
    }

    /// Takes a key out of use: it signs nothing any more, the list of certificates does not have it, and a request
    /// that names it is refused.
    ///
    /// # Errors
    /// A serial that no key has, or the last key.
    pub fn retire(&self, serial: &str) -> Result<(), SandboxError> {
        self.server.platform.retire(serial)
    }

    /// Changes over to a new key at once: makes it and signs with it what names no other. Gives its serial. The old
    /// ones are still there, until [`retire`](Sandbox::retire). [`Fault::RotateCertificate`](super::Fault) and its
    /// sister do the same at a request of their own.
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
    /// A key that cannot be made.
    pub fn rotate(&self, rotation: Rotation) -> Result<String, SandboxError> {
        self.server.platform.rotate(rotation)
    }
}
