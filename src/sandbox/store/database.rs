//! The state of the platform: documents and files in one SQLite database, in memory or in a file.
//!
//! What a request changes is one transaction: all of it is there afterwards, or none. A file is written through a
//! write-ahead log, so a killed process loses nothing that was answered. It is locked as long as it is open,
//! because two platforms that share one state would tell two stories.

mod documents;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::{SandboxError, refusal::Refusal};

pub(super) use documents::{Document, Documents};

/// `WXPS`: says in the file's header whose it is.
const APPLICATION: i32 = 0x5758_5053;

/// Of the tables below. A file of another version is refused, not guessed at.
const VERSION: i32 = 1;

/// `number` is the merchant's, unique within `scope` (the sub-merchant, or nothing); `own` is the platform's.
/// `parent` is the platform's number of the order that a refund or a share is taken from; `settled` is when the money
/// moved, in Unix seconds.
const TABLES: &str = "
    CREATE TABLE document (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        scope TEXT NOT NULL,
        number TEXT NOT NULL,
        own TEXT,
        parent TEXT,
        state TEXT NOT NULL,
        settled INTEGER,
        changed INTEGER NOT NULL,
        body TEXT NOT NULL,
        UNIQUE (kind, scope, number)
    ) STRICT;
    CREATE UNIQUE INDEX document_own ON document (kind, own, scope) WHERE own IS NOT NULL;
    CREATE INDEX document_parent ON document (parent, kind) WHERE parent IS NOT NULL;
    CREATE INDEX document_settled ON document (kind, settled) WHERE settled IS NOT NULL;
    CREATE INDEX document_number ON document (number, kind);
    CREATE TABLE file (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        media_type TEXT NOT NULL,
        content BLOB NOT NULL
    ) STRICT;
    CREATE TABLE notification (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        event TEXT NOT NULL
    ) STRICT;
";

pub(super) struct Store {
    connection: Mutex<Connection>,
    /// In memory, the oldest documents and files go when there are too many.
    bounded: bool,
}

impl Store {
    /// Gone with the process.
    pub(super) fn in_memory() -> Result<Store, SandboxError> {
        let made = Connection::open_in_memory().and_then(|connection| {
            prepare(&connection)?;
            create(&connection)?;
            Ok(connection)
        });
        let connection = made.map_err(|e| failed(":memory:".into(), &e))?;
        Ok(Store { connection: Mutex::new(connection), bounded: true })
    }

    /// Kept in this file, which is made if it is not there.
    pub(super) fn open(path: &Path) -> Result<Store, SandboxError> {
        // An absolute path is never one of SQLite's special names, as `:memory:` is.
        let path = std::path::absolute(path).map_err(|e| bad(path.into(), format!("is no path: {e}")))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection =
            Connection::open_with_flags(&path, flags).map_err(|e| failed(path.clone(), &e))?;
        match claim(&mut connection) {
            Ok(None) => Ok(Store { connection: Mutex::new(connection), bounded: false }),
            Ok(Some(problem)) => Err(bad(path, problem)),
            Err(e) => Err(failed(path, &e)),
        }
    }

    /// Runs one request's work as one transaction: an error undoes all of it.
    pub(super) fn change<T>(
        &self,
        work: impl FnOnce(&Documents<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        let result = work(&Documents::new(&transaction, self.bounded))?;
        transaction.commit()?;
        Ok(result)
    }

    /// Forgets a notification that need not be sent again. If that fails, it comes twice, as the platform's do.
    pub(super) fn delivered(&self, id: &str) {
        if self.bounded {
            return;
        }
        if let Err(refusal) = self.change(|documents| documents.remove_undelivered(id)) {
            tracing::warn!(error = refusal.message, "a notification cannot be marked as delivered");
        }
    }
}

/// Takes the file, looks at whose it is, and makes the tables in a new one. Gives back what is wrong with it.
fn claim(connection: &mut Connection) -> rusqlite::Result<Option<String>> {
    // SQLite opens what it cannot write for reading.
    if connection.is_readonly(rusqlite::MAIN_DB)? {
        return Ok(Some("cannot be written".into()));
    }
    connection.busy_timeout(std::time::Duration::ZERO)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    let number = |name| transaction.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    if (application, version, tables) == (0, 0, 0) {
        create(&transaction)?;
    } else if application != APPLICATION {
        return Ok(Some("is the database of another program".into()));
    } else if version != VERSION {
        return Ok(Some(format!("has version {version}, and this sandbox reads version {VERSION}")));
    }
    transaction.commit()?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Ok(Some(format!("cannot have a write-ahead log beside it (its journal is `{mode}`)")));
    }
    prepare(connection)?;
    Ok(None)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    // Without a sync for every request: a killed process loses nothing, a machine that loses its power may lose
    // the last requests, but never a part of one.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", VERSION)
}

fn failed(path: PathBuf, error: &rusqlite::Error) -> SandboxError {
    bad(
        path,
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                "is in use by another running sandbox".into()
            }
            Some(ErrorCode::NotADatabase) => "is no SQLite database".into(),
            Some(ErrorCode::DatabaseCorrupt) => "is a broken SQLite database".into(),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => "cannot be written".into(),
            Some(ErrorCode::CannotOpen) => "cannot be opened, nor made".into(),
            _ => format!("cannot be used: {error}"),
        },
    )
}

fn bad(path: PathBuf, problem: String) -> SandboxError {
    SandboxError::StateFile { path, problem }
}

/// A request can do nothing about a full disk; the platform's word for that is `SYSTEM_ERROR`.
impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Refusal {
        Refusal::new(500, "SYSTEM_ERROR", format!("the sandbox's state: {error}"))
    }
}
