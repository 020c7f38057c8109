//! One documented notification.

use std::sync::LazyLock;

use super::fields::Fields;
use super::operation::{document_address, fields, value, values};
use super::suggest::letters_apart;
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

pub(super) fn find(event: &str) -> Option<DocumentedNotification> {
    let of = |matches: &dyn Fn(&DocumentedNotification) -> bool| {
        notifications().filter(matches).min_by_key(DocumentedNotification::is_v2)
    };
    of(&|known| known.event().eq_ignore_ascii_case(event))
        .or_else(|| of(&|known| known.event_types().any(|kind| kind.eq_ignore_ascii_case(event))))
}

/// No name is nearly as long.
const LONGEST: usize = 96;
/// The least likeness of a suggestion, from 0 to 1.
const LEAST_LIKENESS: f64 = 0.6;
/// That of a name whose beginning was typed.
const OF_BEGINNING: f64 = 0.7;
const MOST: usize = 5;

pub(super) fn suggest(event: &str) -> Vec<DocumentedNotification> {
    let typed: String = event.trim().chars().take(LONGEST).collect::<String>().to_ascii_uppercase();
    let likeness = |known: &DocumentedNotification| {
        let name = known.event().to_ascii_uppercase();
        let longest = name.chars().count().max(typed.chars().count()).max(1);
        let alike = 1.0 - letters_apart(&name, &typed) / longest as f64;
        let is_part = typed.chars().count() > 1 && (name.contains(&typed) || known.title().contains(&typed));
        match is_part {
            true if name.starts_with(&typed) => alike.max(OF_BEGINNING),
            true => alike.max(LEAST_LIKENESS),
            false => alike,
        }
    };
    let mut found: Vec<_> = notifications().map(|known| (likeness(&known), known)).collect();
    found.retain(|(likeness, _)| *likeness >= LEAST_LIKENESS);
    // Stable: of equal ones, the order of the names, APIv3 first.
    found.sort_by_key(|(_, known)| known.is_v2());
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.into_iter().take(MOST).map(|(_, known)| known).collect()
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

    /// The addresses of its official documents, the present site first.
    pub fn docs(&self) -> impl Iterator<Item = String> + use<> {
        values(self.record, "docs").map(document_address)
    }

    /// Whether it belongs to APIv2.
    pub fn is_v2(&self) -> bool {
        self.record.first == "v2"
    }

    /// The values of `event_type`.
    pub fn event_types(&self) -> impl Iterator<Item = &'static str> + use<> {
        values(self.record, "event-type").flat_map(|list| list.split(' '))
    }

    /// The value of `resource.original_type`, where the documents say it.
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
