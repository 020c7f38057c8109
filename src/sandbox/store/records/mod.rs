//! The logs in the state file: a restart continues them.
//!
//! A request is recorded once its response is sent, which is after its transaction; so the logs are written twice a
//! second and at the end. A killed process loses the records of the last half second at most. What says whether a
//! notification was delivered, and the payer's steps, are in the transactions of these changes.

mod forms;
mod notification;
mod request;

use std::{collections::VecDeque, time::Duration};

use self::{notification::NotificationRecord, request::RequestRecord};
use super::{
    database::Database,
    documents::Documents,
    notification_log::NotificationLog,
    payer_log::{MAX_STEPS, PayerLog, PayerStep},
    request_log::RequestLog,
    sent_notification::SentNotification,
};
use crate::sandbox::http::{error_response::ErrorResponse, sandbox_error::SandboxError};

/// How often the logs are written.
pub(crate) const INTERVAL: Duration = Duration::from_millis(500);

/// The records of one transaction: requests wait for its end.
const BATCH: usize = 100;

/// No log has more.
const MAX_RECORDS: usize = 10_000;

/// The tables of the records. Not a part of the file's version: a sandbox that does not know them ignores them.
pub(super) const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS request_record (number INTEGER PRIMARY KEY, content TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS notification_record (number INTEGER PRIMARY KEY, content TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS payer_record (number INTEGER PRIMARY KEY, content TEXT NOT NULL) STRICT;
";

#[derive(Clone, Copy)]
enum RecordKind {
    Request,
    Notification,
    PayerStep,
}

impl RecordKind {
    fn table(self) -> &'static str {
        match self {
            RecordKind::Request => "request_record",
            RecordKind::Notification => "notification_record",
            RecordKind::PayerStep => "payer_record",
        }
    }
}

/// What a log has to write.
pub(super) struct Unsaved<T> {
    pub(super) records: Vec<(u64, T)>,
    /// The log has dropped the records with lower numbers.
    pub(super) oldest: u64,
    pub(super) more: bool,
}

/// Writes the changes of the logs since the last time. A failure is only reported: records are no part of the state.
pub(crate) fn save(database: &Database, requests: &RequestLog, notifications: &NotificationLog) {
    if !database.is_file() {
        return;
    }
    // The logs are read within the transaction, so that no older record replaces a newer one.
    let batch = || {
        database.transaction(|documents| {
            let more = requests.take_unsaved(BATCH).map_or(Ok(false), |unsaved| {
                put_all(documents, RecordKind::Request, &unsaved, |seen| text(&RequestRecord::new(seen)))
            })?;
            let further = notifications.take_unsaved(BATCH).map_or(Ok(false), |unsaved| {
                put_all(documents, RecordKind::Notification, &unsaved, |sent| {
                    text(&NotificationRecord::new(sent))
                })
            })?;
            Ok(more || further)
        })
    };
    loop {
        match batch() {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(error = error.message, "records of the sandbox cannot be written");
                return;
            }
        }
    }
}

fn put_all<T>(
    documents: &Documents<'_>,
    kind: RecordKind,
    unsaved: &Unsaved<T>,
    text: impl Fn(&T) -> Result<String, ErrorResponse>,
) -> Result<bool, ErrorResponse> {
    for (number, record) in &unsaved.records {
        documents.put_record(kind, Some(*number), &text(record)?)?;
    }
    documents.delete_records_below(kind, unsaved.oldest)?;
    Ok(unsaved.more)
}

/// Writes one notification, in the transaction that marks it as delivered.
pub(crate) fn save_notification(
    documents: &Documents<'_>,
    number: u64,
    sent: &SentNotification,
) -> Result<(), ErrorResponse> {
    documents.put_record(RecordKind::Notification, Some(number), &text(&NotificationRecord::new(sent))?)?;
    Ok(())
}

/// Writes a step of the payer, in the transaction of the step. Not in memory, where there is no later run.
pub(crate) fn save_step(documents: &Documents<'_>, step: &PayerStep) -> Result<(), ErrorResponse> {
    if documents.are_kept() {
        let number = documents.put_record(RecordKind::PayerStep, None, &text(step)?)?;
        documents.delete_records_below(RecordKind::PayerStep, number.saturating_sub(MAX_STEPS as u64))?;
    }
    Ok(())
}

impl Documents<'_> {
    /// Replaces the record with this number. `None` is the next number, which is returned.
    fn put_record(&self, kind: RecordKind, number: Option<u64>, text: &str) -> Result<u64, ErrorResponse> {
        let sql = format!("INSERT OR REPLACE INTO {} (number, content) VALUES (?1, ?2)", kind.table());
        let number = number.map(|number| i64::try_from(number).unwrap_or(i64::MAX));
        Ok(self.transaction.prepare_cached(&sql)?.insert((number, text))?.unsigned_abs())
    }

    fn delete_records_below(&self, kind: RecordKind, oldest: u64) -> Result<(), ErrorResponse> {
        let sql = format!("DELETE FROM {} WHERE number < ?1", kind.table());
        let oldest = i64::try_from(oldest).unwrap_or(i64::MAX);
        self.transaction.prepare_cached(&sql)?.execute((oldest,))?;
        Ok(())
    }

    /// The newest records, oldest first. `read` gets them from the newest on; with `None` it ends the list, with
    /// `Some(None)` it leaves one out.
    fn records<T>(
        &self,
        kind: RecordKind,
        mut read: impl FnMut(u64, &str) -> Option<Option<T>>,
    ) -> Result<Vec<T>, ErrorResponse> {
        let sql =
            format!("SELECT number, content FROM {} ORDER BY number DESC LIMIT {MAX_RECORDS}", kind.table());
        let mut statement = self.transaction.prepare(&sql)?;
        let mut rows = statement.query(())?;
        let mut records = VecDeque::new();
        while let Some(row) = rows.next()? {
            let (number, text) = (row.get::<_, i64>(0)?.unsigned_abs(), row.get_ref(1)?.as_str());
            match text.ok().and_then(|text| read(number, text)) {
                Some(record) => record.into_iter().for_each(|record| records.push_front(record)),
                None => break,
            }
        }
        Ok(records.into())
    }
}

fn text(record: &impl serde::Serialize) -> Result<String, ErrorResponse> {
    serde_json::to_string(record).map_err(|e| ErrorResponse::internal(format!("a record: {e}")))
}

/// Fills the logs with the records of the earlier runs. A record that cannot be read is left out: the state does not
/// depend on it.
pub(crate) fn load(
    database: &Database,
    requests: &mut RequestLog,
    notifications: &mut NotificationLog,
    steps: &PayerLog,
) -> Result<(), SandboxError> {
    if !database.is_file() {
        return Ok(());
    }
    let loaded = database.transaction(|documents| {
        requests.keep(documents.records(RecordKind::Request, |number, text| {
            let record: Option<RequestRecord> = serde_json::from_str(text).ok();
            Some(record.and_then(|record| record.into_seen(number)))
        })?);
        // Their numbers are their places in the log, so a gap ends it.
        let mut next = None;
        notifications.keep(documents.records(RecordKind::Notification, |number, text| {
            let sent = serde_json::from_str(text).ok().map(NotificationRecord::into_sent);
            let fits = next.is_none_or(|next| number == next);
            next = number.checked_sub(1);
            sent.filter(|_| fits).map(|sent| Some((number, sent)))
        })?);
        let all =
            documents.records(RecordKind::PayerStep, |_, text| Some(serde_json::from_str(text).ok()))?;
        all.into_iter().for_each(|step| steps.push(step));
        Ok(())
    });
    loaded.map_err(|error: ErrorResponse| SandboxError::state("the records", error))
}
