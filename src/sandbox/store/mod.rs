//! Storage: the database of resources, files and undelivered notifications, and the logs of requests and
//! notifications.

pub(crate) mod database;
pub(crate) mod documents;
pub(crate) mod event;
pub(crate) mod expectations;
pub(crate) mod notification_log;
pub(crate) mod page;
pub(crate) mod payer_log;
pub(crate) mod records;
pub(crate) mod request_hint;
pub(crate) mod request_log;
pub(crate) mod search;
pub(crate) mod seen_request;
pub(crate) mod sent_notification;
pub(crate) mod watcher;
