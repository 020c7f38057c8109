//! The platform's keys, side by side, each under its serial; replaced as a whole while calls are under way.

use std::sync::{Arc, PoisonError, RwLock};

use http::HeaderValue;

use crate::client::WeChatPay;
use crate::crypto::keys::Validity;
use crate::crypto::rsa::PublicKey;
use crate::error::Error;

mod load;
mod refresh;

pub(crate) use load::{load, load_certificate, same_serial};
pub(crate) use refresh::{Refresh, Run};

/// What the serial of a public key begins with; a certificate's is plain hex (PROTOCOL, Keys).
pub(crate) const PUBLIC_KEY_PREFIX: &str = "PUB_KEY_ID_";

/// A public key or a certificate of the platform.
pub(crate) struct PlatformKey {
    pub(crate) serial: String,
    pub(crate) key: PublicKey,
    /// A certificate's.
    pub(crate) validity: Option<Validity>,
    /// Whether it was fetched: the next download takes its place. One that was given stays.
    pub(crate) fetched: bool,
}

/// The keys as they are at one moment: a call sees one set from its beginning to its end. There are two or three at
/// most, so a list it is.
#[derive(Default)]
pub(crate) struct PlatformKeys {
    keys: Vec<Arc<PlatformKey>>,
    /// The `Wechatpay-Serial` that requests carry: the public key's, when there is one.
    pub(crate) requested: Option<HeaderValue>,
}

impl PlatformKeys {
    pub(crate) fn new(keys: Vec<Arc<PlatformKey>>) -> PlatformKeys {
        let newest = keys.iter().rev().find(|key| key.serial.starts_with(PUBLIC_KEY_PREFIX));
        // `load` takes letters, digits and `_` only.
        let requested = newest.and_then(|key| HeaderValue::try_from(&key.serial).ok());
        PlatformKeys { keys, requested }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn find(&self, serial: &str) -> Option<&PlatformKey> {
        self.keys.iter().find(|key| key.serial == serial).map(|key| &**key)
    }

    /// The key that sensitive fields are encrypted with: the public key added last, else the newest certificate that
    /// is valid at `now` (PROTOCOL, Keys). One that was given as a bare key counts as valid, and as the oldest.
    pub(crate) fn encryption_key(&self, now: u64) -> Option<&PlatformKey> {
        let public = self.keys.iter().rev().find(|key| key.serial.starts_with(PUBLIC_KEY_PREFIX));
        let valid = self.keys.iter().filter(|key| key.validity.as_ref().is_none_or(|v| v.holds(now)));
        let newest = || valid.max_by_key(|key| key.validity.as_ref().map(|v| v.not_before));
        public.or_else(newest).map(|key| &**key)
    }

    pub(crate) fn serials(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| key.serial.as_str())
    }

    /// The serials as one text, for messages.
    pub(crate) fn known(&self) -> String {
        match self.serials().collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "none".to_owned(),
            serials => serials,
        }
    }

    /// These keys and, at the end, this one; one of the same serial goes.
    fn with(&self, key: PlatformKey) -> PlatformKeys {
        let others = self.keys.iter().filter(|other| other.serial != key.serial).cloned();
        let mut keys: Vec<_> = others.collect();
        keys.push(Arc::new(key));
        PlatformKeys::new(keys)
    }

    fn without(&self, serial: &str) -> PlatformKeys {
        PlatformKeys::new(self.keys.iter().filter(|key| key.serial != serial).cloned().collect())
    }

    /// These keys and the fetched ones, to verify the download itself with.
    pub(crate) fn beside(&self, fetched: &[Arc<PlatformKey>]) -> PlatformKeys {
        self.merged(fetched, |_| true)
    }

    /// The given keys and the fetched ones: what was fetched before goes.
    pub(crate) fn renewed(&self, fetched: &[Arc<PlatformKey>]) -> PlatformKeys {
        self.merged(fetched, |key| !key.fetched)
    }

    /// What was given under a serial counts for more than what was fetched.
    fn merged(&self, fetched: &[Arc<PlatformKey>], keep: impl Fn(&PlatformKey) -> bool) -> PlatformKeys {
        let mut keys: Vec<_> = self.keys.iter().filter(|key| keep(key)).cloned().collect();
        for key in fetched {
            if !keys.iter().any(|known| known.serial == key.serial) {
                keys.push(Arc::clone(key));
            }
        }
        PlatformKeys::new(keys)
    }
}

/// The keys that hold now, and how they are kept up to date.
pub(crate) struct Platform {
    current: RwLock<Arc<PlatformKeys>>,
    /// With automatic certificates only.
    pub(crate) refresh: Option<Refresh>,
}

impl Platform {
    pub(crate) fn new(keys: PlatformKeys, automatic: bool) -> Platform {
        Platform { current: RwLock::new(Arc::new(keys)), refresh: automatic.then(Refresh::default) }
    }

    pub(crate) fn keys(&self) -> Arc<PlatformKeys> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another set in the place of the current one, of which it is made.
    pub(crate) fn change(
        &self,
        to: impl FnOnce(&PlatformKeys) -> Result<PlatformKeys, Error>,
    ) -> Result<(), Error> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(to(&current)?);
        Ok(())
    }
}

impl WeChatPay {
    /// Adds a platform key while the client is in use, or replaces the one with this serial, for this handle and all
    /// its clones: as [`Builder::platform_key`](crate::Builder::platform_key). Calls that are under way keep the keys
    /// that they began with, and take the new one as well.
    ///
    /// The last public key added is the one that requests name and that encrypts: this is how a merchant moves from
    /// certificates to a public key, or to another public key, without a restart.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # let (id, pem) = sandbox.add_public_key()?; // what the merchant platform's page shows
    /// wx.add_platform_key(&id, &pem)?;
    /// assert_eq!(wx.platform_serial(), Some(id));
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Builder::build`](crate::Builder::build) for such a key; the keys are then as they were.
    pub fn add_platform_key(&self, serial: impl AsRef<str>, pem: impl AsRef<str>) -> Result<(), Error> {
        let key = load(serial.as_ref(), pem.as_ref(), &self.inner.identity)?;
        self.inner.platform.change(|keys| Ok(keys.with(key)))
    }

    /// Takes a platform key away, once the platform no longer uses it. Calls that are under way still take it.
    ///
    /// # Errors
    /// [`Error::Config`] when no key has this serial, and when it is the last one, without which nothing could be
    /// verified (with automatic certificates it may go).
    pub fn remove_platform_key(&self, serial: impl AsRef<str>) -> Result<(), Error> {
        let serial = serial.as_ref();
        let refuse =
            |reason: &str| Err(Error::config(format!("certs[\"{}\"]", serial.escape_debug()), reason));
        self.inner.platform.change(|keys| {
            let left = keys.without(serial);
            match left.serials().count() {
                count if count == keys.serials().count() => refuse("is not there"),
                0 if self.inner.platform.refresh.is_none() => {
                    refuse("is the last platform key: without one no answer could be verified")
                }
                _ => Ok(left),
            }
        })
    }

    /// The serials of the platform keys that answers are taken under now.
    pub fn platform_serials(&self) -> Vec<String> {
        self.inner.platform.keys().serials().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests;
