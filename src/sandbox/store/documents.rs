use rusqlite::{OptionalExtension, Params, Row, Transaction, params};
use serde_json::{Map, Value};

use super::super::{delivery::Event, refusal::Refusal};

/// How many documents are kept in memory; the oldest go first.
const MOST_DOCUMENTS: i64 = 50_000;

/// How many files, and how many bytes of them, are kept in memory.
const MOST_FILES: i64 = 1_000;
const MOST_FILE_BYTES: i64 = 128 << 20;

/// One resource of the platform: an order, a refund, a permission.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    /// Rises with the creation; 0 for one that is not stored yet.
    pub(crate) seq: i64,
    pub(crate) kind: String,
    pub(crate) scope: String,
    pub(crate) number: String,
    pub(crate) own: Option<String>,
    pub(crate) parent: Option<String>,
    pub(crate) state: String,
    pub(crate) settled: Option<i64>,
    pub(crate) changed: i64,
    pub(crate) body: Value,
}

/// The documents and files as one transaction sees them.
pub(crate) struct Documents<'a> {
    transaction: &'a Transaction<'a>,
    bounded: bool,
}

const COLUMNS: &str = "seq, kind, scope, number, own, parent, state, settled, changed, body";

impl<'a> Documents<'a> {
    pub(super) fn new(transaction: &'a Transaction<'a>, bounded: bool) -> Documents<'a> {
        Documents { transaction, bounded }
    }

    /// By the merchant's number.
    pub(crate) fn numbered(
        &self,
        kind: &str,
        scope: &str,
        number: &str,
    ) -> Result<Option<Document>, Refusal> {
        self.one("kind = ?1 AND scope = ?2 AND number = ?3", (kind, scope, number))
    }

    /// By the merchant's number in any scope: the newest.
    pub(crate) fn newest(&self, kind: &str, number: &str) -> Result<Option<Document>, Refusal> {
        self.one("kind = ?1 AND number = ?2 ORDER BY seq DESC LIMIT 1", (kind, number))
    }

    /// By the platform's number.
    pub(crate) fn owned(&self, kind: &str, scope: &str, own: &str) -> Result<Option<Document>, Refusal> {
        self.one("kind = ?1 AND own = ?2 AND scope = ?3", (kind, own, scope))
    }

    /// By the platform's number in any scope: the newest.
    pub(crate) fn anyones(&self, kind: &str, own: &str) -> Result<Option<Document>, Refusal> {
        self.one("kind = ?1 AND own = ?2 ORDER BY seq DESC LIMIT 1", (kind, own))
    }

    /// What was taken from this parent, oldest first.
    pub(crate) fn children(&self, kind: &str, parent: &str) -> Result<Vec<Document>, Refusal> {
        self.all("kind = ?1 AND parent = ?2 ORDER BY seq", (kind, parent))
    }

    /// Those whose money moved in these seconds, the last excluded; by time.
    pub(crate) fn settled(&self, kind: &str, from: i64, to: i64) -> Result<Vec<Document>, Refusal> {
        self.all("kind = ?1 AND settled >= ?2 AND settled < ?3 ORDER BY settled, seq", (kind, from, to))
    }

    /// What the amounts come to whose money moved before this second; the amount as SQLite's JSON path.
    pub(crate) fn sum(&self, kind: &str, amount: &str, before: i64) -> Result<i64, Refusal> {
        let sql =
            "SELECT coalesce(sum(json_extract(body, ?2)), 0) FROM document WHERE kind = ?1 AND settled < ?3";
        let mut statement = self.transaction.prepare_cached(sql)?;
        Ok(statement.query_row((kind, amount, before), |row| row.get(0))?)
    }

    /// All kinds, newest first.
    pub(crate) fn list(&self, most: usize) -> Result<Vec<Document>, Refusal> {
        self.all("true ORDER BY seq DESC LIMIT ?1", (i64::try_from(most).unwrap_or(i64::MAX),))
    }

    /// Adds it, or writes over what is there under its `seq`.
    pub(crate) fn put(&self, document: &mut Document) -> Result<(), Refusal> {
        let d = document;
        let body = d.body.to_string();
        if d.seq != 0 {
            let sql = "UPDATE document SET own = ?2, parent = ?3, state = ?4, settled = ?5, changed = ?6, body = ?7 \
                       WHERE seq = ?1";
            let values = params![d.seq, d.own, d.parent, d.state, d.settled, d.changed, body];
            self.transaction.prepare_cached(sql)?.execute(values)?;
            return Ok(());
        }
        let sql = "INSERT INTO document (kind, scope, number, own, parent, state, settled, changed, body) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let values = params![d.kind, d.scope, d.number, d.own, d.parent, d.state, d.settled, d.changed, body];
        d.seq = self.transaction.prepare_cached(sql)?.insert(values)?;
        if self.bounded {
            let sql = "DELETE FROM document WHERE seq <= ?1";
            self.transaction.prepare_cached(sql)?.execute((d.seq - MOST_DOCUMENTS,))?;
        }
        Ok(())
    }

    pub(crate) fn remove(&self, document: &Document) -> Result<(), Refusal> {
        self.transaction.prepare_cached("DELETE FROM document WHERE seq = ?1")?.execute((document.seq,))?;
        Ok(())
    }

    pub(crate) fn put_file(&self, id: &str, media_type: &str, content: &[u8]) -> Result<(), Refusal> {
        let sql = "INSERT INTO file (id, media_type, content) VALUES (?1, ?2, ?3)";
        let seq = self.transaction.prepare_cached(sql)?.insert((id, media_type, content))?;
        if self.bounded {
            let sql = "DELETE FROM file WHERE seq <= ?1 OR seq IN (SELECT seq FROM (SELECT seq, \
                       sum(length(content)) OVER (ORDER BY seq DESC) AS bytes FROM file) WHERE bytes > ?2 AND seq < ?3)";
            let values = (seq - MOST_FILES, MOST_FILE_BYTES, seq);
            self.transaction.prepare_cached(sql)?.execute(values)?;
        }
        Ok(())
    }

    /// Keeps a notification until it is delivered; in memory there is no later run that could send it.
    pub(crate) fn put_undelivered(&self, id: &str, event: &Event) -> Result<(), Refusal> {
        if self.bounded {
            return Ok(());
        }
        let text = serde_json::to_string(event)
            .map_err(|e| Refusal::new(500, "SYSTEM_ERROR", format!("the notification: {e}")))?;
        let sql = "INSERT INTO notification (id, event) VALUES (?1, ?2)";
        self.transaction.prepare_cached(sql)?.execute((id, text))?;
        Ok(())
    }

    pub(crate) fn remove_undelivered(&self, id: &str) -> Result<(), Refusal> {
        self.transaction.prepare_cached("DELETE FROM notification WHERE id = ?1")?.execute((id,))?;
        Ok(())
    }

    /// What a former run left, oldest first.
    pub(crate) fn undelivered(&self) -> Result<Vec<(String, Event)>, Refusal> {
        let mut statement =
            self.transaction.prepare_cached("SELECT id, event FROM notification ORDER BY seq")?;
        let rows = statement.query_map((), |row| {
            let event = serde_json::from_str(&row.get::<_, String>(1)?).map_err(|e| {
                rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(e))
            })?;
            Ok((row.get(0)?, event))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The media type and the bytes.
    pub(crate) fn file(&self, id: &str) -> Result<Option<(String, Vec<u8>)>, Refusal> {
        let sql = "SELECT media_type, content FROM file WHERE id = ?1";
        let mut statement = self.transaction.prepare_cached(sql)?;
        Ok(statement.query_row((id,), |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }

    fn one(&self, rest: &str, values: impl Params) -> Result<Option<Document>, Refusal> {
        let sql = format!("SELECT {COLUMNS} FROM document WHERE {rest}");
        Ok(self.transaction.prepare_cached(&sql)?.query_row(values, read).optional()?)
    }

    fn all(&self, rest: &str, values: impl Params) -> Result<Vec<Document>, Refusal> {
        let sql = format!("SELECT {COLUMNS} FROM document WHERE {rest}");
        let mut statement = self.transaction.prepare_cached(&sql)?;
        let documents = statement.query_map(values, read)?.collect::<Result<_, _>>()?;
        Ok(documents)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Document> {
    let text: String = row.get(9)?;
    // An object, as every body that was written.
    let body: Map<String, Value> = serde_json::from_str(&text).map_err(|e| {
        rusqlite::Error::FromSqlConversionFailure(9, rusqlite::types::Type::Text, Box::new(e))
    })?;
    Ok(Document {
        seq: row.get(0)?,
        kind: row.get(1)?,
        scope: row.get(2)?,
        number: row.get(3)?,
        own: row.get(4)?,
        parent: row.get(5)?,
        state: row.get(6)?,
        settled: row.get(7)?,
        changed: row.get(8)?,
        body: Value::Object(body),
    })
}
