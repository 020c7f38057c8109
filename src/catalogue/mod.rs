//! The documented operations of WeChat Pay as data: paths, fields, limits, addresses of the official documents.
//!
//! It hints, and never stands between a caller and the platform: a path that is not here is sent as any other. Nothing is
//! read before it is first used. [How to find, check and correct one](crate::guide::endpoints).

pub(crate) mod check;
pub(crate) mod examples;
mod fields;
#[cfg(test)]
mod form;
pub(crate) mod given;
mod hint;
mod index;
mod notification;
mod operation;
mod search;
mod skeleton;
mod suggest;
#[cfg(test)]
mod tests;
mod text;

pub use examples::Spelling;
pub use fields::{EncryptedFor, Field, FieldType, Fields};
pub use hint::{FieldHint, FieldProblem, Hint};
pub use notification::DocumentedNotification;
pub use operation::{Availability, EitherOr, Operation, OperationKind};
pub use search::{Found, Search};
pub use skeleton::Include;
pub use suggest::Suggestion;

/// The documented operations and notifications.
///
/// ```
/// use wechatpay_chain::catalogue::Catalogue;
///
/// let found = Catalogue::find("GET", "v3/pay/transactions/id/4200001234").ok_or("not documented")?;
/// assert_eq!(found.template(), "v3/pay/transactions/id/{transaction_id}");
///
/// let meant = Catalogue::suggest(Some("POST"), "v3/refunds/domestic/refund");
/// assert_eq!(meant[0].operation().template(), "v3/refund/domestic/refunds");
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug)]
pub enum Catalogue {}

impl Catalogue {
    /// All operations: about 1,020 of APIv3 and 136 of APIv2, sorted by template.
    pub fn operations() -> impl ExactSizeIterator<Item = Operation> {
        index::operations()
    }

    /// The operation of a verb and a path. The path is a template, or one with values; it may be a complete URL, whose
    /// beginning then chooses between operations of the same path.
    pub fn find(verb: &str, path: &str) -> Option<Operation> {
        index::find(verb, path, None)
    }

    /// [`find`](Self::find) at a base URL (`https://apihk.mch.weixin.qq.com/`).
    pub fn find_at(base: &str, verb: &str, path: &str) -> Option<Operation> {
        index::find(verb, path, Some(base))
    }

    /// The operations of a path, with any verb and base URL.
    pub fn at(path: &str) -> Vec<Operation> {
        index::at(index::Parsed::new(path).path).collect()
    }

    /// Operations that a mistyped path may mean, the nearest first, at most ten: another spelling, another verb, a slash
    /// at the end, another base URL, the other API version.
    pub fn suggest(verb: Option<&str>, path: &str) -> Vec<Suggestion> {
        suggest::suggest(verb, path)
    }

    /// Operations about something, in words, the best first: `退款`, `refund query`, a field, a part of a path.
    ///
    /// ```
    /// use wechatpay_chain::catalogue::{Catalogue, Search};
    ///
    /// let found = Catalogue::search("退钱", &Search::default());
    /// assert_eq!(found[0].operation().template(), "v3/refund/domestic/refunds");
    /// ```
    pub fn search(words: &str, search: &Search) -> Vec<Found> {
        search::search(words, search)
    }

    /// All notifications: about 102 of APIv3 and 10 of APIv2.
    pub fn notifications() -> impl ExactSizeIterator<Item = DocumentedNotification> {
        notification::notifications()
    }

    /// The notification of this name, or the first of this `event_type`. Of a name that both APIs have, that of APIv3.
    pub fn notification(event: &str) -> Option<DocumentedNotification> {
        notification::find(event)
    }

    /// Notifications that a mistyped name may mean, the nearest first, at most five; words of a title do, too.
    ///
    /// ```
    /// use wechatpay_chain::catalogue::Catalogue;
    ///
    /// assert_eq!(Catalogue::suggest_notifications("REFUND.SUCESS")[0].event(), "REFUND.SUCCESS");
    /// ```
    pub fn suggest_notifications(event: &str) -> Vec<DocumentedNotification> {
        notification::suggest(event)
    }
}
