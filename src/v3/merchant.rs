//! The merchant: mchid, certificate serial, and the key that signs.

use crate::error::Error;
use crate::runtime::CallTracker;
use crate::signer::{self, MerchantKey};

/// The merchant that signs the requests.
pub(crate) struct Merchant {
    pub(crate) mchid: String,
    /// The serial of the merchant's API certificate.
    pub(crate) serial: String,
    pub(crate) key: MerchantKey,
    /// The calls in flight: they decide which thread signs.
    pub(crate) calls: CallTracker,
}

impl Merchant {
    pub(crate) fn new(mchid: String, serial: String, key: MerchantKey) -> Merchant {
        Merchant { mchid, serial, key, calls: CallTracker::default() }
    }

    /// The signature of `message` in base64. A local key signs on this thread.
    pub(crate) async fn sign(&self, message: Vec<u8>) -> Result<String, Error> {
        match &self.key {
            MerchantKey::Local(key) => signer::sign_locally(key, &message),
            MerchantKey::Remote(signer) => signer::sign_remotely(&**signer, message).await,
        }
    }
}
