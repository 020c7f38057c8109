//! One documented notification.

use std::sync::LazyLock;

use super::fields::Fields;
use super::operation::{fields, value, values};
use super::text::{self, Record};

static NOTIFICATIONS: LazyLock<Vec<Record>> = LazyLock::new(text::notifications);

/// A documented notification.
///
/// ```
/// use wechatpay_chain::catalogue::Catalogue;
///
/// let paid = Catalogue::notification("TRANSACTION.SUCCESS").ok_or("not documented")?;
/// assert!(!paid.title().is_empty());
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct DocumentedNotification {
    record: &'static Record,
}

pub(super) fn notifications() -> impl ExactSizeIterator<Item = DocumentedNotification> {
    NOTIFICATIONS.iter().map(|record| DocumentedNotification { record })
}

impl DocumentedNotification {
    /// Its name: the `event_type`, or a name of its own if several share it.
    pub fn event(&self) -> &'static str {
        self.record.second
    }

    /// The official Chinese title.
    pub fn title(&self) -> &'static str {
        value(self.record, "title").unwrap_or_default()
    }

    /// Whether it belongs to APIv2.
    pub fn is_v2(&self) -> bool {
        self.record.first == "v2"
    }

    /// The values of `event_type`.
    pub fn event_types(&self) -> impl Iterator<Item = &'static str> + use<> {
        values(self.record, "event-type").flat_map(|list| list.split(' '))
    }

    /// The value of `resource.original_type`.
    pub fn original_type(&self) -> Option<&'static str> {
        value(self.record, "original-type")
    }

    /// The value of `resource_type`.
    pub fn resource_type(&self) -> &'static str {
        value(self.record, "resource-type").unwrap_or("encrypt-resource")
    }

    /// The decrypted `resource`, for APIv3.
    pub fn resource(&self) -> Fields {
        fields(self.record, "resource")
    }

    /// The body, for APIv2.
    pub fn body(&self) -> Fields {
        fields(self.record, "body")
    }
}
