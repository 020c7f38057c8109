//! Wrong settings and wrong keys.

use std::borrow::Cow;
use std::fmt;

use super::key_text::may_be_key;
use super::{Cause, Message, Sanitized};

/// A wrong setting of the client or of one request.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError {
    pub(crate) field: String,
    pub(crate) reason: String,
    pub(crate) advice: Option<Cow<'static, str>>,
}

impl ConfigError {
    /// The wrong field, as the caller wrote it: the setter's name for the builder (`private_key`), PHP's key for
    /// [`WeChatPay::factory`](crate::WeChatPay::factory) (`privateKey`), the variable for
    /// [`WeChatPay::from_env`](crate::WeChatPay::from_env) (`WECHATPAY_PRIVATE_KEY`); `options.query` for an option.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The fault, as it follows the field in the message: `must be at most 3; it is 4`.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// How to fix it, if there is a way that the fault does not say: the end of the message. For a setting of the client it
    /// names other settings as the caller does; for a setting of a request it may name a setter of this crate, for which a
    /// program whose users do not write Rust has words of its own.
    pub fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", Message(&self.field), Message(&self.reason))?;
        self.advice().map_or(Ok(()), |advice| write!(f, ": {advice}"))
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigError")
            .field("field", &Message(&self.field))
            .field("reason", &Message(&self.reason))
            .field("advice", &self.advice)
            .finish()
    }
}

impl std::error::Error for ConfigError {}

/// The name of a setting on one line, without the caller's part of it (`platform_key["…"]`, `headers.…`) if that may be a
/// key.
pub(super) fn without_key(field: String) -> String {
    match field.split_once(['[', '.']) {
        Some((name, part)) if !may_be_key(name) => match may_be_key(part.trim_matches(['[', ']', '"'])) {
            true => format!("{name}[…]"),
            false => Sanitized(&field).to_string(),
        },
        None if !may_be_key(&field) => Sanitized(&field).to_string(),
        _ => "…".to_owned(),
    }
}

/// A key that cannot be loaded or used.
#[derive(thiserror::Error)]
#[error("{}: expected {expected}, found {}", Message(name), Message(found))]
#[non_exhaustive]
pub struct KeyError {
    /// The key, named like a [`ConfigError::field`]: `private_key`, `platform_key["PUB_KEY_ID_…"]` …
    pub name: String,
    /// The accepted forms.
    pub expected: &'static str,
    /// The form that was found; never the key itself.
    pub found: String,
    /// The cause: an unreadable file, a DER error, the error of a [`Signer`](crate::Signer).
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// A signer failed.
    pub(crate) signer: bool,
}

impl KeyError {
    /// Whether a [`Signer`](crate::Signer) failed. Its own error is the `source`, if it returned one, and alone says
    /// whether the same call may succeed later. `false`: the key is wrong, or cannot do the operation.
    pub fn is_signer(&self) -> bool {
        self.signer
    }
}

impl fmt::Debug for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyError")
            .field("name", &Message(&self.name))
            .field("expected", &self.expected)
            .field("found", &Message(&self.found))
            .field("source", &Cause(self.source.as_deref()))
            .finish_non_exhaustive()
    }
}
