//! Wrong settings and wrong keys.

use std::fmt;

use super::Sanitized;

/// A wrong setting of the client or of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    pub(crate) field: String,
    pub(crate) reason: String,
}

impl ConfigError {
    /// The wrong field, as the caller wrote it: the setter's name for the builder (`private_key`), PHP's key for
    /// [`WeChatPay::factory`](crate::WeChatPay::factory) (`privateKey`), the variable for
    /// [`WeChatPay::from_env`](crate::WeChatPay::from_env) (`WECHATPAY_PRIVATE_KEY`); `options.query` for an option.
    pub fn field(&self) -> &str {
        &self.field
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", Sanitized(&self.field), Sanitized(&self.reason))
    }
}

impl std::error::Error for ConfigError {}

/// A key that cannot be loaded or used.
#[derive(Debug, thiserror::Error)]
#[error("{name}: expected {expected}, found {found}")]
#[non_exhaustive]
pub struct KeyError {
    /// The key, named like a [`ConfigError::field`]: `private_key`, `platform_key["PUB_KEY_ID_…"]` …
    pub name: String,
    /// The accepted forms.
    pub expected: &'static str,
    /// The form that was found; never the key itself.
    pub found: String,
    /// The cause: an unreadable file, a DER error.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}
