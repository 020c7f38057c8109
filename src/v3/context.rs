//! `Context`: what all handles of one client share.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::merchant::Merchant;
use super::platform::Platform;
use crate::clock::Clock;
use crate::crypto::aes::Apiv3Key;
use crate::error::FieldNames;
use crate::transport::Transport;

/// What all handles of one client share.
pub(crate) struct Context {
    pub(crate) merchant: Arc<Merchant>,
    pub(crate) platform: Platform,
    pub(crate) apiv3_key: Option<Apiv3Key>,
    pub(crate) transport: Transport,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) defaults: Defaults,
    /// What the client has told of calls that differ from the documents.
    #[cfg(feature = "catalogue")]
    pub(crate) given_hints: crate::catalogue::given::Given,
}

/// The settings that a request may override, and the limits of all.
pub(crate) struct Defaults {
    pub(crate) base_url: Url,
    /// The longest that the caller of a call waits.
    pub(crate) timeout: Duration,
    /// The pause before the first retry.
    pub(crate) retry_delay: Duration,
    /// The largest response that is read into memory, in bytes.
    pub(crate) max_body: usize,
    /// Whether requests and responses are trace events.
    pub(crate) trace_messages: bool,
    /// How errors name the settings.
    pub(crate) names: FieldNames,
}
