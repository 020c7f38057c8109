//! The platform's keys, each under its serial. A set is immutable; an update replaces it while calls are in flight.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};

use http::HeaderValue;

use crate::crypto::keys::Validity;
use crate::crypto::rsa::PublicKey;
use crate::crypto::serial;
use crate::error::Error;

mod load;
mod refresh;
mod unavailable;

pub(crate) use load::{check_serial, load, load_certificate};
pub(crate) use refresh::{Need, Refresh, RefreshHandle, Wish};
pub(crate) use unavailable::WantedBy;

/// The prefix of a public key's serial; a certificate's serial is plain hex (PROTOCOL, Keys).
pub(crate) const PUBLIC_KEY_PREFIX: &str = "PUB_KEY_ID_";

/// A public key or a certificate of the platform.
pub(crate) struct PlatformKey {
    pub(crate) serial: String,
    pub(crate) key: PublicKey,
    /// `None` for a bare public key.
    pub(crate) validity: Option<Validity>,
    /// Of the certificate's subject.
    pub(crate) common_name: Option<String>,
    /// Whether it was downloaded: the next download replaces it. A configured key stays.
    pub(crate) fetched: bool,
}

/// The keys at one moment: a call uses one set from its beginning to its end. There are two or three at most, hence a
/// list.
#[derive(Default)]
pub(crate) struct PlatformKeys {
    keys: Vec<Arc<PlatformKey>>,
    /// The `Wechatpay-Serial` of requests: the public key's, if there is one.
    pub(crate) requested: Option<HeaderValue>,
}

/// Whether this is the serial of a certificate: hex, at most 20 bytes (RFC 5280, section 4.1.2.2).
pub(crate) fn is_certificate_serial(serial: &str) -> bool {
    (1..=40).contains(&serial.len()) && serial.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A caller's serial as that of a key is kept: tools write one in many ways.
fn as_configured(serial: &str) -> Cow<'_, str> {
    serial::normalized(serial).map_or(Cow::Borrowed(serial.trim()), Cow::Owned)
}

impl PlatformKeys {
    pub(crate) fn new(keys: Vec<Arc<PlatformKey>>) -> PlatformKeys {
        let newest = keys.iter().rev().find(|key| key.serial.starts_with(PUBLIC_KEY_PREFIX));
        // `load` accepts only letters, digits and `_`.
        let requested = newest.and_then(|key| HeaderValue::try_from(&key.serial).ok());
        PlatformKeys { keys, requested }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key of this serial. Serials are numbers: a leading zero and the letter case make no difference.
    pub(crate) fn find(&self, serial: &str) -> Option<&PlatformKey> {
        self.keys.iter().find(|key| serial::same(&key.serial, serial)).map(|key| &**key)
    }

    /// The key that encrypts sensitive fields: the public key added last, else the newest certificate that is valid at
    /// `now` (PROTOCOL, Keys). A bare key under a certificate's serial counts as valid, and as the oldest.
    pub(crate) fn preferred_key(&self, now: u64) -> Option<&PlatformKey> {
        let public = self.keys.iter().rev().find(|key| key.serial.starts_with(PUBLIC_KEY_PREFIX));
        let valid = self.keys.iter().filter(|key| key.validity.as_ref().is_none_or(|v| v.holds(now)));
        let newest = || valid.max_by_key(|key| key.validity.as_ref().map(|v| v.not_before));
        public.or_else(newest).map(|key| &**key)
    }

    /// The key that the request's own `Wechatpay-Serial` header names, else the preferred one.
    ///
    /// # Errors
    /// [`Error::Config`] if there is no key yet, if the named key is unknown, or if no key is valid at `now`.
    pub(crate) fn encryption_key(&self, header: Option<&str>, now: u64) -> Result<&PlatformKey, Error> {
        if self.is_empty() {
            let advice = "call `refresh_certificates` first, or make any other call";
            return Err(Error::config_with("automatic_certificates", "are not downloaded yet", advice));
        }
        match header {
            // The request then names the key as the platform does, however the caller wrote it.
            Some(serial) => self.find(&as_configured(serial)).ok_or_else(|| {
                let reason = format!("names an unknown platform key; known: {}", self.known());
                Error::config("headers.Wechatpay-Serial", reason)
            }),
            None => self.preferred_key(now).ok_or_else(|| {
                let reason =
                    format!("has no key that is valid now, to encrypt with; known: {}", self.known());
                Error::config("platform_key", reason)
            }),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &PlatformKey> {
        self.keys.iter().map(|key| &**key)
    }

    pub(crate) fn serials(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| key.serial.as_str())
    }

    /// The serials as one text, for error messages.
    pub(crate) fn known(&self) -> String {
        match self.serials().collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "none".to_owned(),
            serials => serials,
        }
    }

    /// This set with `key` added at the end; it replaces a key of the same serial.
    pub(crate) fn with(&self, key: PlatformKey) -> PlatformKeys {
        let others = self.keys.iter().filter(|other| !serial::same(&other.serial, &key.serial)).cloned();
        let mut keys: Vec<_> = others.collect();
        keys.push(Arc::new(key));
        PlatformKeys::new(keys)
    }

    /// This set without the key of this serial.
    pub(crate) fn without(&self, serial: &str) -> PlatformKeys {
        PlatformKeys::new(
            self.keys.iter().filter(|key| !serial::same(&key.serial, serial)).cloned().collect(),
        )
    }

    /// This set with the downloaded keys added, to verify the download itself.
    pub(crate) fn merged_with(&self, fetched: &[Arc<PlatformKey>]) -> PlatformKeys {
        self.merged(fetched, |_| true)
    }

    /// The configured keys and the downloaded ones, which replace the earlier downloaded ones.
    pub(crate) fn replace_fetched(&self, fetched: &[Arc<PlatformKey>]) -> PlatformKeys {
        self.merged(fetched, |key| !key.fetched)
    }

    /// A configured key has precedence over a downloaded one of the same serial.
    fn merged(&self, fetched: &[Arc<PlatformKey>], keep: impl Fn(&PlatformKey) -> bool) -> PlatformKeys {
        let mut keys: Vec<_> = self.keys.iter().filter(|key| keep(key)).cloned().collect();
        for key in fetched {
            if !keys.iter().any(|known| serial::same(&known.serial, &key.serial)) {
                keys.push(Arc::clone(key));
            }
        }
        PlatformKeys::new(keys)
    }
}

/// The error of a client without any platform key.
pub(crate) fn missing() -> Error {
    let reason = "is missing, and without a platform key no response can be verified, so no request is sent";
    let advice = "give the serial with the public key or certificate, or enable `automatic_certificates`";
    Error::config_with("platform_key", reason, advice)
}

/// The current keys, and their automatic refresh.
pub(crate) struct Platform {
    current: RwLock<Arc<PlatformKeys>>,
    /// Only with automatic certificates.
    pub(crate) refresh: Option<Refresh>,
}

impl Platform {
    pub(crate) fn new(keys: PlatformKeys, automatic: bool) -> Platform {
        Platform { current: RwLock::new(Arc::new(keys)), refresh: automatic.then(Refresh::default) }
    }

    pub(crate) fn keys(&self) -> Arc<PlatformKeys> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the current set by the one that `update` makes of it.
    pub(crate) fn update(
        &self,
        update: impl FnOnce(&PlatformKeys) -> Result<PlatformKeys, Error>,
    ) -> Result<(), Error> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(update(&current)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
