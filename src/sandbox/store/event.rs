//! An event that the platform notifies a merchant of.

use aws_lc_rs::error::Unspecified;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::sandbox::keys::random;

/// The `resource_type` of nearly all notifications.
pub(crate) const RESOURCE_TYPE: &str = "encrypt-resource";

// The field names are part of the state file.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) notify_url: String,
    pub(crate) event_type: String,
    pub(crate) original_type: String,
    /// `None`: [`RESOURCE_TYPE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resource_type: Option<String>,
    pub(crate) summary: String,
    pub(crate) resource: Value,
}

/// An event with the id of its notification.
#[derive(Clone)]
pub(crate) struct QueuedEvent {
    pub(crate) id: String,
    pub(crate) event: Event,
}

impl Event {
    /// The bytes of the resource and the URL.
    pub(crate) fn size(&self) -> usize {
        self.resource.to_string().len() + self.notify_url.len()
    }

    pub(crate) fn with_new_id(self) -> Result<QueuedEvent, Unspecified> {
        Ok(QueuedEvent { id: new_id()?, event: self })
    }
}

/// The id of a notification.
pub(crate) fn new_id() -> Result<String, Unspecified> {
    random::digits(32)
}
