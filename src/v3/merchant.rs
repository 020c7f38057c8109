//! The merchant: mchid, certificate serial, and the key that signs.

use std::sync::Arc;

use crate::crypto::keys::CertificateData;
use crate::error::Error;
use crate::runtime::{CallGuard, CallTracker, Deadline, on_signing_thread, run_foreign};
use crate::signer::{self, MerchantKey};

/// The merchant that signs the requests.
pub(crate) struct Merchant {
    pub(crate) mchid: String,
    /// The serial of the merchant's API certificate.
    pub(crate) serial: String,
    pub(crate) key: MerchantKey,
    /// The certificate, if it was given: as a file of its own, or in a `.p12`.
    pub(crate) certificate: Option<CertificateData>,
    /// The calls in flight: they decide which thread signs.
    pub(crate) calls: CallTracker,
}

impl Merchant {
    pub(crate) fn new(
        mchid: String,
        serial: String,
        key: MerchantKey,
        certificate: Option<CertificateData>,
    ) -> Merchant {
        Merchant { mchid, serial, key, certificate, calls: CallTracker::default() }
    }

    /// The signature of `message` in base64; `None` if it was not made by the deadline. A local key signs on this thread,
    /// unless that would delay another call in flight: an RSA signature keeps a core busy for about 0.4 ms.
    pub(crate) async fn sign(
        &self,
        message: Vec<u8>,
        call: Option<&CallGuard<'_>>,
        deadline: &Deadline,
    ) -> Result<Option<String>, Error> {
        match &self.key {
            MerchantKey::Local(key) if call.is_some_and(CallGuard::shares_its_thread) => {
                let key = Arc::clone(key);
                let signing = on_signing_thread(move || signer::sign_locally(&key, &message));
                // Boxed, as below: most calls need no room for it.
                Box::pin(deadline.bound(signing)).await.transpose()?.transpose()
            }
            MerchantKey::Local(key) => signer::sign_locally(key, &message).map(Some),
            #[cfg(feature = "v2")]
            MerchantKey::Missing => Err(signer::missing()),
            MerchantKey::Remote(signer) => {
                let signing = run_foreign(signer::sign_remotely(Arc::clone(signer), message));
                let signed = Box::pin(deadline.bound_anywhere(signing)).await?;
                signed.transpose()?.transpose()
            }
        }
    }
}
