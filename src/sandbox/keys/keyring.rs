//! The platform's keys in service. They can change while clients send requests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use rsa::PublicKey;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    identity::Identity,
    key_pair::{CertifiedKey, PrivateKey, PublicKeyPair, Serials, same_serial},
    mode::SigningMode,
    saved_keys::{self, SavedKeys},
};
use crate::error::Excerpt;
use crate::sandbox::http::sandbox_error::SandboxError;

/// Keys in service, of both kinds together. A platform has two or three; a wrong signature is tried with all of them.
pub(crate) const MAX_KEYS: usize = 50;

pub(crate) struct Keyring {
    /// What a change of the mode brings into service, if no other key of its kind is.
    first: (Arc<CertifiedKey>, Arc<PublicKeyPair>),
    keys: RwLock<Keys>,
    /// Whether the mode was not chosen: what signs is the public key until a client shows that it has certificates. Held from
    /// reading the keys until the changed ones are saved.
    follows: Mutex<bool>,
    saved: Option<SavedKeys>,
    serials: Serials,
}

/// The keys in service, oldest first; never empty.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) certificates: Vec<Arc<CertifiedKey>>,
    pub(crate) public_keys: Vec<Arc<PublicKeyPair>>,
    /// One of them: it signs notifications, and the responses to requests that name no key.
    pub(crate) signer: SigningKey,
}

/// A key that signs.
#[derive(Clone)]
pub(crate) enum SigningKey {
    Certificate(Arc<CertifiedKey>),
    PublicKey(Arc<PublicKeyPair>),
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

    pub(crate) fn pem(&self) -> &str {
        match self {
            SigningKey::Certificate(certificate) => &certificate.pem,
            SigningKey::PublicKey(public) => &public.pem,
        }
    }
}

impl Keyring {
    /// `mode` overrides that of the saved keys.
    pub(crate) fn new(
        identity: &Identity,
        mode: Option<SigningMode>,
        saved: Option<SavedKeys>,
        serials: Serials,
    ) -> Result<Keyring, SandboxError> {
        let first = (Arc::clone(&identity.platform_certificate), Arc::clone(&identity.platform_public_key));
        let before = saved.as_ref().map(|saved| saved.load(&first)).transpose()?.flatten();
        let mut keys = match &before {
            Some(keys) => keys.clone(),
            None => Keys::first(&first, mode.unwrap_or_default()),
        };
        let follows = before.is_none() && mode.is_none();
        if follows {
            keys.signer = SigningKey::PublicKey(Arc::clone(&first.1));
        }
        if let Some(mode) = mode {
            keys.set_mode(mode, &first);
        }
        // A mode that was chosen is not the default, even if it is the same.
        let was = before.map(|keys| keys.mode());
        if let Some(saved) = saved.as_ref().filter(|_| mode.is_some() && was != mode) {
            // The folder may be read-only: this start has what was asked for all the same.
            if let Err(error) = saved.save(&keys, &first) {
                tracing::warn!(%error, "the sandbox cannot keep the mode of its keys");
            }
        }
        Ok(Keyring { first, keys: RwLock::new(keys), follows: Mutex::new(follows), saved, serials })
    }

    /// The keys in service now.
    pub(crate) fn now(&self) -> Keys {
        // A panic elsewhere must not stop the sandbox: no change is ever half-written.
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn mode(&self) -> SigningMode {
        self.now().mode()
    }

    /// Whether the key that signs was not chosen yet.
    pub(crate) fn is_following(&self) -> bool {
        *self.follows()
    }

    pub(crate) fn find(&self, serial: &str) -> Option<SigningKey> {
        self.now().find(serial)
    }

    /// The file of the keys folder with the public part of this key.
    pub(crate) fn public_file(&self, key: &SigningKey) -> String {
        saved_keys::public_file(key, &self.first)
    }

    /// The key of the list of certificates, for a request that names none: a client without any key must be able to
    /// verify the list with what is in it.
    pub(crate) fn list_signer(&self, serial: Option<&str>) -> SigningKey {
        let keys = self.now();
        match (serial.and_then(|serial| keys.find(serial)), &keys.signer, keys.certificates.last()) {
            (Some(named), ..) => named,
            (None, SigningKey::PublicKey(_), Some(newest)) => SigningKey::Certificate(Arc::clone(newest)),
            (None, signer, _) => signer.clone(),
        }
    }

    /// The key with this serial, if one is given and in service; otherwise the one that signs by default.
    pub(crate) fn signer(&self, serial: Option<&str>) -> SigningKey {
        let keys = self.now();
        serial.and_then(|serial| keys.find(serial)).unwrap_or(keys.signer)
    }

    /// The public parts of the keys, for the control endpoint.
    pub(crate) fn to_json(&self) -> Value {
        let keys = self.now();
        let list = |keys: Vec<SigningKey>| -> Vec<Value> {
            keys.iter().map(|key| json!({ "serial": key.serial(), "pem": key.pem() })).collect()
        };
        json!({
            "mode": keys.mode(),
            "signs": keys.signer.serial(),
            "certificates": list(keys.certificates.iter().cloned().map(SigningKey::Certificate).collect()),
            "public_keys": list(keys.public_keys.iter().cloned().map(SigningKey::PublicKey).collect()),
        })
    }

    /// Brings a new key into service, without signing with it.
    pub(crate) fn publish(&self, rotation: Rotation) -> Result<SigningKey, SandboxError> {
        self.add(rotation, false)
    }

    /// Brings a new key into service and signs with it. Returns its serial.
    pub(crate) fn rotate(&self, rotation: Rotation) -> Result<String, SandboxError> {
        self.add(rotation, true).map(|key| key.serial().to_string())
    }

    fn add(&self, rotation: Rotation, signs: bool) -> Result<SigningKey, SandboxError> {
        let full = |keys: &Keys| keys.check_room().map_err(|problem| setting("rotate", problem));
        // A key takes long to generate: not for nothing, and not while others wait.
        full(&self.now())?;
        let key = match rotation {
            Rotation::Certificate => SigningKey::Certificate(Arc::new(CertifiedKey::platform(self.serials)?)),
            Rotation::PublicKey => SigningKey::PublicKey(Arc::new(PublicKeyPair::generate()?)),
        };
        self.change(|keys| {
            full(keys)?;
            keys.add(key.clone());
            if signs {
                keys.signer = key.clone();
            }
            Ok(())
        })?;
        Ok(key)
    }

    pub(crate) fn set_mode(&self, mode: SigningMode) -> Result<(), SandboxError> {
        self.change(|keys| {
            keys.set_mode(mode, &self.first);
            Ok(())
        })
    }

    pub(crate) fn sign_with(&self, serial: &str) -> Result<(), SandboxError> {
        self.change(|keys| {
            keys.signer =
                keys.find(serial).ok_or_else(|| setting("sign_with", keys.not_in_service(serial)))?;
            Ok(())
        })
    }

    pub(crate) fn retire(&self, serial: &str) -> Result<(), SandboxError> {
        self.change(|keys| keys.retire(serial).map_err(|problem| setting("retire", problem)))
    }

    /// A client has downloaded the certificates and named no key: it has no other way to verify.
    pub(crate) fn follow(&self) {
        let follows = self.follows();
        let mut keys = self.now();
        let Some(newest) = keys.certificates.last().filter(|_| *follows) else { return };
        keys.signer = SigningKey::Certificate(Arc::clone(newest));
        // The folder may be read-only: the client must be able to verify all the same, and a restart follows again.
        if let Err(error) = self.save(&keys) {
            tracing::warn!(%error, "the sandbox cannot keep the key that signs");
        }
        self.replace(follows, keys);
    }

    /// A change is visible once it is saved; if it cannot be, nothing changes.
    fn change(&self, change: impl FnOnce(&mut Keys) -> Result<(), SandboxError>) -> Result<(), SandboxError> {
        let follows = self.follows();
        let mut keys = self.now();
        change(&mut keys)?;
        self.save(&keys)?;
        self.replace(follows, keys);
        Ok(())
    }

    fn follows(&self) -> MutexGuard<'_, bool> {
        self.follows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn save(&self, keys: &Keys) -> Result<(), SandboxError> {
        self.saved.as_ref().map_or(Ok(()), |saved| saved.save(keys, &self.first))
    }

    fn replace(&self, mut follows: MutexGuard<'_, bool>, keys: Keys) {
        *follows = false;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }
}

impl Keys {
    fn first((certificate, public): &(Arc<CertifiedKey>, Arc<PublicKeyPair>), mode: SigningMode) -> Keys {
        Keys {
            certificates: if mode.has_certificates() { vec![Arc::clone(certificate)] } else { Vec::new() },
            public_keys: if mode.has_public_keys() { vec![Arc::clone(public)] } else { Vec::new() },
            signer: match mode {
                SigningMode::PublicKey => SigningKey::PublicKey(Arc::clone(public)),
                _ => SigningKey::Certificate(Arc::clone(certificate)),
            },
        }
    }

    pub(crate) fn mode(&self) -> SigningMode {
        match (self.public_keys.is_empty(), self.certificates.is_empty()) {
            (_, true) => SigningMode::PublicKey,
            (true, _) => SigningMode::Certificate,
            (false, false) => SigningMode::Migration,
        }
    }

    /// All of them, certificates first.
    pub(crate) fn all(&self) -> impl Iterator<Item = SigningKey> + '_ {
        let certificates = self.certificates.iter().cloned().map(SigningKey::Certificate);
        certificates.chain(self.public_keys.iter().cloned().map(SigningKey::PublicKey))
    }

    pub(crate) fn find(&self, serial: &str) -> Option<SigningKey> {
        let certificate = self.certificates.iter().find(|key| same_serial(&key.serial, serial));
        let public = self.public_keys.iter().find(|key| key.id == serial);
        let certificate = certificate.map(|key| SigningKey::Certificate(Arc::clone(key)));
        certificate.or_else(|| public.map(|key| SigningKey::PublicKey(Arc::clone(key))))
    }

    /// The public halves, with their serials.
    pub(crate) fn public_halves(&self) -> Vec<(String, PublicKey)> {
        self.all()
            .filter_map(|key| Some((key.serial().to_owned(), key.private_key().public_key()?)))
            .collect()
    }

    fn add(&mut self, key: SigningKey) {
        match key {
            SigningKey::Certificate(key) => self.certificates.push(key),
            SigningKey::PublicKey(key) => self.public_keys.push(key),
        }
    }

    fn check_room(&self) -> Result<(), String> {
        if self.all().count() < MAX_KEYS {
            return Ok(());
        }
        Err(format!("too many keys in service (limit {MAX_KEYS}): retire some"))
    }

    fn set_mode(
        &mut self,
        mode: SigningMode,
        (certificate, public): &(Arc<CertifiedKey>, Arc<PublicKeyPair>),
    ) {
        match (mode.has_certificates(), self.certificates.is_empty()) {
            (true, true) => self.certificates.push(Arc::clone(certificate)),
            (false, _) => self.certificates.clear(),
            _ => {}
        }
        match (mode.has_public_keys(), self.public_keys.is_empty()) {
            (true, true) => self.public_keys.push(Arc::clone(public)),
            (false, _) => self.public_keys.clear(),
            _ => {}
        }
        self.keep_signing();
    }

    fn retire(&mut self, serial: &str) -> Result<(), String> {
        self.find(serial).ok_or_else(|| self.not_in_service(serial))?;
        if self.all().count() == 1 {
            return Err("the last key cannot be retired: it signs everything".into());
        }
        self.certificates.retain(|key| !same_serial(&key.serial, serial));
        self.public_keys.retain(|key| key.id != serial);
        self.keep_signing();
        Ok(())
    }

    /// If the key that signs is not in service any more, the newest of its kind signs, or else of the other kind.
    fn keep_signing(&mut self) {
        if self.find(self.signer.serial()).is_some() {
            return;
        }
        let certificate = self.certificates.last().cloned().map(SigningKey::Certificate);
        let public = self.public_keys.last().cloned().map(SigningKey::PublicKey);
        let next = match self.signer {
            SigningKey::Certificate(_) => certificate.or(public),
            SigningKey::PublicKey(_) => public.or(certificate),
        };
        if let Some(next) = next {
            self.signer = next;
        }
    }

    /// Why a serial is refused.
    pub(crate) fn not_in_service(&self, serial: &str) -> String {
        let is_public = serial.starts_with("PUB_KEY_ID_");
        let hint = match self.mode() {
            SigningMode::PublicKey if !is_public => {
                ": the sandbox is in public-key mode (certificates: `--sign-with certificate`)"
            }
            SigningMode::Certificate if is_public => {
                ": the sandbox is in certificate mode (public keys: `--sign-with public-key`)"
            }
            _ => "",
        };
        format!("the platform has no key {}{hint}", Excerpt(serial))
    }
}

fn setting(name: &'static str, problem: String) -> SandboxError {
    SandboxError::Setting { name, problem }
}
