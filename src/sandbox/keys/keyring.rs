//! The current keys of the platform. They can change while clients send requests.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rsa::PublicKey;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    identity::Identity,
    key_pair::{CertifiedKey, PrivateKey, PublicKeyPair, same_serial},
};
use crate::error::Excerpt;
use crate::sandbox::http::sandbox_error::SandboxError;

/// Of the platform, old and new. A wrong signature is tried with all of them.
const MAX_KEYS: usize = 50;

pub(crate) struct Keyring {
    keys: RwLock<Keys>,
}

/// The keys, oldest first.
struct Keys {
    certificates: Vec<Arc<CertifiedKey>>,
    public_keys: Vec<Arc<PublicKeyPair>>,
    /// The key of the last `sign_with`. It replaces both default signers.
    chosen: Option<SigningKey>,
}

/// A key that signs.
#[derive(Clone)]
pub(crate) enum SigningKey {
    Certificate(Arc<CertifiedKey>),
    PublicKey(Arc<PublicKeyPair>),
}

/// The default signer of a message that names no key.
#[derive(Clone, Copy)]
pub(crate) enum DefaultSigner {
    Response,
    Notification,
}

/// The serials of all keys and the default signers.
pub(crate) struct KeyList {
    pub(crate) serials: Vec<(String, KeyType)>,
    pub(crate) response_signer: Option<String>,
    pub(crate) notification_signer: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyType {
    Certificate,
    PublicKey,
}

/// A replacement of the platform's key: see [`Sandbox::rotate`](crate::sandbox::Sandbox::rotate).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rotation {
    /// To a new certificate. The certificate list contains it from now on.
    Certificate,
    /// To a new public key.
    PublicKey,
}

impl SigningKey {
    pub(crate) fn serial(&self) -> &str {
        match self {
            SigningKey::Certificate(certificate) => &certificate.serial,
            SigningKey::PublicKey(public) => &public.id,
        }
    }

    pub(crate) fn private_key(&self) -> &PrivateKey {
        match self {
            SigningKey::Certificate(certificate) => &certificate.key,
            SigningKey::PublicKey(public) => &public.key,
        }
    }
}

impl Keyring {
    pub(crate) fn new(identity: &Identity) -> Keyring {
        let keys = Keys {
            certificates: vec![Arc::clone(&identity.platform_certificate)],
            public_keys: vec![Arc::clone(&identity.platform_public_key)],
            chosen: None,
        };
        Keyring { keys: RwLock::new(keys) }
    }

    // A panic elsewhere must not stop the sandbox: no change is ever half-written.
    fn read(&self) -> RwLockReadGuard<'_, Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Keys> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn find(&self, serial: &str) -> Option<SigningKey> {
        self.read().find(serial)
    }

    /// The key with this serial, if one is given and exists; otherwise the default signer.
    pub(crate) fn signer(&self, serial: Option<&str>, default: DefaultSigner) -> Option<SigningKey> {
        let keys = self.read();
        serial.and_then(|serial| keys.find(serial)).or_else(|| keys.default_signer(default))
    }

    pub(crate) fn certificates(&self) -> Vec<Arc<CertifiedKey>> {
        self.read().certificates.clone()
    }

    /// The public halves of all keys, with their serials.
    pub(crate) fn public_keys(&self) -> Vec<(String, PublicKey)> {
        let keys = self.read();
        let certificates = keys.certificates.iter().cloned().map(SigningKey::Certificate);
        let public_keys = keys.public_keys.iter().cloned().map(SigningKey::PublicKey);
        certificates
            .chain(public_keys)
            .filter_map(|key| Some((key.serial().to_string(), key.private_key().public_key()?)))
            .collect()
    }

    pub(crate) fn list(&self) -> KeyList {
        let keys = self.read();
        let certificates = keys.certificates.iter().map(|key| (key.serial.clone(), KeyType::Certificate));
        let public_keys = keys.public_keys.iter().map(|key| (key.id.clone(), KeyType::PublicKey));
        let signer = |default| keys.default_signer(default).map(|key| key.serial().to_string());
        KeyList {
            serials: certificates.chain(public_keys).collect(),
            response_signer: signer(DefaultSigner::Response),
            notification_signer: signer(DefaultSigner::Notification),
        }
    }

    /// The public parts of the keys, for the control endpoint.
    pub(crate) fn to_json(&self) -> Value {
        let keys = self.read();
        let certificates =
            keys.certificates.iter().map(|key| json!({ "serial": key.serial, "pem": key.pem }));
        let public_keys = keys.public_keys.iter().map(|key| json!({ "serial": key.id, "pem": key.pem }));
        let signer = |default| keys.default_signer(default).map(|key| key.serial().to_string());
        json!({
            "certificates": certificates.collect::<Vec<_>>(),
            "public_keys": public_keys.collect::<Vec<_>>(),
            "answers_are_signed_with": signer(DefaultSigner::Response),
            "notifications_are_signed_with": signer(DefaultSigner::Notification),
        })
    }

    /// A rule of faults could rotate at every request.
    fn check_room(&self) -> Result<(), SandboxError> {
        let keys = self.read();
        if keys.certificates.len() + keys.public_keys.len() < MAX_KEYS {
            return Ok(());
        }
        let problem = format!("the platform has too many keys (limit {MAX_KEYS}): retire some of them");
        Err(SandboxError::Setting { name: "rotate", problem })
    }

    pub(crate) fn add_certificate(&self) -> Result<Arc<CertifiedKey>, SandboxError> {
        self.check_room()?;
        let certificate = Arc::new(CertifiedKey::platform()?);
        self.write().certificates.push(Arc::clone(&certificate));
        Ok(certificate)
    }

    pub(crate) fn add_public_key(&self) -> Result<Arc<PublicKeyPair>, SandboxError> {
        self.check_room()?;
        let public = Arc::new(PublicKeyPair::generate()?);
        self.write().public_keys.push(Arc::clone(&public));
        Ok(public)
    }

    pub(crate) fn sign_with(&self, serial: &str) -> Result<(), SandboxError> {
        let chosen = self.write().choose(serial);
        chosen.map_err(|problem| SandboxError::Setting { name: "sign_with", problem })
    }

    pub(crate) fn retire(&self, serial: &str) -> Result<(), SandboxError> {
        let retired = self.write().retire(serial);
        retired.map_err(|problem| SandboxError::Setting { name: "retire", problem })
    }

    /// Adds a key and makes it the default signer. Returns its serial.
    pub(crate) fn rotate(&self, rotation: Rotation) -> Result<String, SandboxError> {
        let serial = match rotation {
            Rotation::Certificate => self.add_certificate()?.serial.clone(),
            Rotation::PublicKey => self.add_public_key()?.id.clone(),
        };
        self.sign_with(&serial)?;
        Ok(serial)
    }
}

impl Keys {
    fn find(&self, serial: &str) -> Option<SigningKey> {
        let certificate = self.certificates.iter().find(|key| same_serial(&key.serial, serial));
        let public = self.public_keys.iter().find(|key| key.id == serial);
        let certificate = certificate.map(|key| SigningKey::Certificate(Arc::clone(key)));
        certificate.or_else(|| public.map(|key| SigningKey::PublicKey(Arc::clone(key))))
    }

    /// Without a chosen key, the newest certificate signs responses and the newest public key signs notifications, so
    /// that a client handles both.
    fn default_signer(&self, default: DefaultSigner) -> Option<SigningKey> {
        let certificate = || self.certificates.last().map(|key| SigningKey::Certificate(Arc::clone(key)));
        let public = || self.public_keys.last().map(|key| SigningKey::PublicKey(Arc::clone(key)));
        self.chosen.clone().or_else(|| match default {
            DefaultSigner::Response => certificate().or_else(public),
            DefaultSigner::Notification => public().or_else(certificate),
        })
    }

    fn choose(&mut self, serial: &str) -> Result<(), String> {
        let key = self.find(serial).ok_or_else(|| unknown(serial))?;
        self.chosen = Some(key);
        Ok(())
    }

    fn retire(&mut self, serial: &str) -> Result<(), String> {
        self.find(serial).ok_or_else(|| unknown(serial))?;
        if self.certificates.len() + self.public_keys.len() == 1 {
            return Err("the last key cannot be retired: it signs everything".into());
        }
        self.certificates.retain(|key| !same_serial(&key.serial, serial));
        self.public_keys.retain(|key| key.id != serial);
        self.chosen = self.chosen.take().filter(|key| !same_serial(key.serial(), serial));
        Ok(())
    }
}

fn unknown(serial: &str) -> String {
    format!("the platform has no key {}", Excerpt(serial))
}
