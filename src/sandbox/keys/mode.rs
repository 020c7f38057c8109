//! Which kinds of platform keys are in service.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::error::Excerpt;
use crate::sandbox::http::sandbox_error::SandboxError;

/// Which kinds of platform keys are in service: they sign responses and notifications, decrypt sensitive fields, and are
/// what a request's `Wechatpay-Serial` may name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SigningMode {
    /// Public keys only, as for a new merchant. `GET v3/certificates` is 404 `RESOURCE_NOT_EXISTS`.
    PublicKey,
    /// Platform certificates only. `GET v3/certificates` lists them.
    Certificate,
    /// Both, while a merchant moves from certificates to the public key: a response is signed with the key that the
    /// request's `Wechatpay-Serial` names. Notifications, and responses to requests that name no key, are signed with the
    /// key that signed before; a sandbox that is started in this mode signs them with the certificate.
    ///
    /// A sandbox for which no mode was chosen is in this one, and signs them with the public key. It changes to the
    /// certificate when a client downloads the certificates without naming a key.
    #[default]
    Migration,
}

/// As in `--sign-with` and at the control endpoint.
const NAMES: [(&str, SigningMode); 3] = [
    ("public-key", SigningMode::PublicKey),
    ("certificate", SigningMode::Certificate),
    ("migration", SigningMode::Migration),
];

impl SigningMode {
    pub(crate) fn has_public_keys(self) -> bool {
        self != SigningMode::Certificate
    }

    pub(crate) fn has_certificates(self) -> bool {
        self != SigningMode::PublicKey
    }
}

/// `public-key`, `certificate` or `migration`.
impl FromStr for SigningMode {
    type Err = SandboxError;

    fn from_str(text: &str) -> Result<SigningMode, SandboxError> {
        let found = NAMES.iter().find(|(name, _)| *name == text);
        found.map(|(_, mode)| *mode).ok_or_else(|| SandboxError::Setting {
            name: "sign_with",
            problem: format!("expected public-key, certificate or migration, found {}", Excerpt(text)),
        })
    }
}

/// `public-key`, `certificate` or `migration`.
impl fmt::Display for SigningMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = NAMES.iter().find(|(_, mode)| mode == self);
        f.write_str(found.map_or("", |(name, _)| name))
    }
}
