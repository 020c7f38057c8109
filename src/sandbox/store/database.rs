//! The state of the platform: documents and files in an SQLite database, in memory or in a file.
//!
//! All changes of a request are one transaction. The file uses a write-ahead log, so a killed process loses no change
//! that a client got a response for. It is locked while it is open, because two sandboxes on one state would contradict
//! each other.

#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::{documents::Documents, records};
use crate::sandbox::http::{error_response::ErrorResponse, sandbox_error::SandboxError};

/// The bytes of the state in memory above which nothing new is stored.
const MAX_STATE: i64 = 256 << 20;

/// The code of the errors about a limit of the sandbox. The platform has no such error, and no client repeats it.
pub(crate) const SANDBOX_FULL: &str = "SANDBOX_FULL";

/// `WXPS`: identifies the file in its header.
const APPLICATION_ID: i32 = 0x5758_5053;

/// The smallest page of SQLite: the size of every database is a multiple of it.
const MIN_PAGE: u64 = 512;

/// The version of the tables below. Files of another version are rejected.
const VERSION: i32 = 1;

/// [`Document`](super::documents::Document) explains the columns: `kind` is its `resource_type`, `number` its
/// `merchant_no`, `own` its `platform_id`, `parent` its `parent_id`, `settled` and `changed` its times.
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

/// One row: the seconds that the business clock was advanced by.
const CLOCK: &str = "CREATE TABLE IF NOT EXISTS clock (one INTEGER PRIMARY KEY CHECK (one = 1), advanced INTEGER NOT NULL) STRICT";

pub(crate) struct Database {
    connection: Mutex<Connection>,
    /// The bytes above which nothing new is stored; `None` for a file.
    limit: Option<i64>,
}

impl Database {
    pub(crate) fn in_memory() -> Result<Database, SandboxError> {
        Database::in_memory_up_to(MAX_STATE)
    }

    /// A quarter more is reserved for changes of what is stored.
    fn in_memory_up_to(limit: i64) -> Result<Database, SandboxError> {
        let opened = Connection::open_in_memory().and_then(|connection| {
            prepare(&connection)?;
            create(&connection)?;
            let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
            connection.pragma_update(None, "max_page_count", (limit + limit / 4) / page)?;
            connection.execute_batch(CLOCK)?;
            Ok(connection)
        });
        let connection = opened.map_err(|e| failed(":memory:".into(), &e))?;
        Ok(Database { connection: Mutex::new(connection), limit: Some(limit) })
    }

    /// Opens this file, or creates it.
    pub(crate) fn open(path: &Path) -> Result<Database, SandboxError> {
        // An absolute path is never a special name of SQLite, such as `:memory:`.
        let path =
            std::path::absolute(path).map_err(|e| bad(path.into(), format!("is not a valid path: {e}")))?;
        create_private(&path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection =
            Connection::open_with_flags(&path, flags).map_err(|e| failed(path.clone(), &e))?;
        match lock_and_check(&path, &mut connection) {
            Ok(None) => Ok(Database { connection: Mutex::new(connection), limit: None }),
            Ok(Some(problem)) => Err(bad(path, problem)),
            Err(e) => Err(failed(path, &e)),
        }
    }

    /// Runs `work` as one transaction. An error rolls it back.
    pub(crate) fn transaction<T>(
        &self,
        work: impl FnOnce(&Documents<'_>) -> Result<T, ErrorResponse>,
    ) -> Result<T, ErrorResponse> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        let result = work(&Documents::new(&transaction, self.limit))?;
        transaction.commit()?;
        Ok(result)
    }

    /// Whether a later run can have the state.
    pub(crate) fn is_file(&self) -> bool {
        self.limit.is_none()
    }
}

/// Creates the file, unless it exists, so that only its owner can read it: it has the state of a shop. SQLite gives its
/// write-ahead log the same permissions.
fn create_private(path: &Path) -> Result<(), SandboxError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(bad(path.into(), format!("cannot be opened or created: {e}")))
        }
        _ => Ok(()),
    }
}

/// A file of an earlier version, or its write-ahead log. Some file systems have no permissions, and another user's
/// file keeps its own.
fn make_private(path: &Path) {
    #[cfg(unix)]
    {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        for path in [path, Path::new(&log)].into_iter().filter(|path| path.exists()) {
            let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            if let Err(error) = std::fs::set_permissions(path, permissions) {
                tracing::warn!(path = %path.display(), %error, "other users could read the sandbox's state file");
            }
        }
    }
    let _ = path;
}

/// SQLite fills up a file whose end is missing. The file must not be opened here: closing it would drop the locks of
/// another sandbox in this process.
fn cut(path: &Path) -> Option<String> {
    let length = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let problem =
        if length < MIN_PAGE { "is not an SQLite database" } else { "is a damaged SQLite database" };
    (!length.is_multiple_of(MIN_PAGE)).then(|| problem.into())
}

/// Locks the file, checks that it belongs to the sandbox, and creates the tables in a new file. Returns the problem
/// with the file, if there is one.
fn lock_and_check(path: &Path, connection: &mut Connection) -> rusqlite::Result<Option<String>> {
    // SQLite opens a write-protected file read-only.
    if connection.is_readonly(rusqlite::MAIN_DB)? {
        return Ok(Some("cannot be written".into()));
    }
    connection.busy_timeout(std::time::Duration::ZERO)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    let number = |name| transaction.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    if let Some(problem) = cut(path) {
        return Ok(Some(problem));
    }
    if (application, version, tables) == (0, 0, 0) {
        create(&transaction)?;
    } else if application != APPLICATION_ID {
        return Ok(Some("is the database of another program".into()));
    } else if version != VERSION {
        return Ok(Some(format!("has version {version}, and this sandbox reads version {VERSION}")));
    }
    let check: String = transaction.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?;
    if check != "ok" {
        return Ok(Some(format!("is a damaged SQLite database ({check})")));
    }
    transaction.commit()?;
    make_private(path);
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Ok(Some(format!("cannot use a write-ahead log (its journal mode is `{mode}`)")));
    }
    prepare(connection)?;
    // Not a part of `TABLES`: files that are older than these tables have the same version.
    connection.execute_batch(CLOCK)?;
    connection.execute_batch(records::TABLES)?;
    Ok(None)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    // No sync for every request: a killed process loses nothing. A power failure can lose the last requests, but never
    // a part of one.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", VERSION)
}

fn failed(path: PathBuf, error: &rusqlite::Error) -> SandboxError {
    bad(
        path,
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                "is in use by another running sandbox".into()
            }
            Some(ErrorCode::NotADatabase) => "is not an SQLite database".into(),
            Some(ErrorCode::DatabaseCorrupt) => "is a damaged SQLite database".into(),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => "cannot be written".into(),
            Some(ErrorCode::CannotOpen) => "cannot be opened or created".into(),
            _ => format!("cannot be used: {error}"),
        },
    )
}

fn bad(path: PathBuf, problem: String) -> SandboxError {
    SandboxError::StateFile { path, problem }
}

/// A full disk, for example, is not the fault of the request.
impl From<rusqlite::Error> for ErrorResponse {
    fn from(error: rusqlite::Error) -> ErrorResponse {
        if error.sqlite_error_code() == Some(ErrorCode::DiskFull) {
            return full();
        }
        ErrorResponse::internal(format!("the sandbox's state: {error}"))
    }
}

/// The state reached its limit in memory, or its disk is full. Nothing was changed.
pub(crate) fn full() -> ErrorResponse {
    let limit = MAX_STATE >> 20;
    let message = format!(
        "the sandbox is full and stores nothing new: in memory it keeps {limit} MiB, so restart it, or keep its state in \
         a file (--state FILE) on a disk with free space"
    );
    ErrorResponse::new(507, SANDBOX_FULL, message)
}
