//! The merchant and the platform of a sandbox: ids, the APIv3 key and the first keys.

use std::{sync::Arc, thread};

use aws_lc_rs::error::Unspecified;

use super::{
    key_pair::{CertifiedKey, PublicKeyPair, Serials},
    random,
};
use crate::sandbox::http::sandbox_error::SandboxError;

pub(crate) struct Identity {
    pub(crate) mchid: String,
    pub(crate) apiv3_key: String,
    pub(crate) merchant: CertifiedKey,
    /// The platform's first certificate. The [`Keyring`](super::keyring::Keyring) has the current ones.
    pub(crate) platform_certificate: Arc<CertifiedKey>,
    /// The platform's first public key.
    pub(crate) platform_public_key: Arc<PublicKeyPair>,
}

impl Identity {
    /// New keys, on three threads: the search for primes dominates the time of a start.
    pub(crate) fn generate(
        mchid: String,
        apiv3_key: Option<String>,
        serials: Serials,
    ) -> Result<Identity, SandboxError> {
        let failed = |what| move |_: Unspecified| SandboxError::Generate { what };
        let apiv3_key = match apiv3_key {
            Some(key) => key,
            None => random::alphanumeric(32).map_err(failed("APIv3 key"))?,
        };
        let (merchant, platform, public) = thread::scope(|scope| {
            let merchant = scope.spawn(|| CertifiedKey::generate("merchant certificate", &mchid, serials));
            let platform = scope.spawn(|| CertifiedKey::platform(serials));
            let public = PublicKeyPair::generate();
            (merchant.join(), platform.join(), public)
        });
        let panicked = |what| move |_| SandboxError::Generate { what };
        Ok(Identity {
            mchid,
            apiv3_key,
            merchant: merchant.map_err(panicked("merchant certificate"))??,
            platform_certificate: Arc::new(platform.map_err(panicked("platform certificate"))??),
            platform_public_key: Arc::new(public?),
        })
    }
}
