//! The documents and files of the database, and their SQL.

use rusqlite::{OptionalExtension, Params, Row, Transaction, params};
use serde_json::{Map, Value};

use super::{
    database::{SANDBOX_FULL, full},
    event::{Event, QueuedEvent},
    page::{Page, Window},
    search::Search,
};
use crate::sandbox::http::error_response::ErrorResponse;

/// A page is one of the newest documents only.
const SEARCHED: i64 = 50_000;

/// The uploads that are kept in memory, and the bills that are kept: the newest.
const UPLOADS: Ring = Ring { condition: "id NOT GLOB 'bill-*'", count: 1_000, bytes: 128 << 20 };
const BILLS: Ring = Ring { condition: "id GLOB 'bill-*'", count: 100, bytes: 64 << 20 };

/// The type of what was created by an operation without a flow. No list shows it.
pub(crate) const DOCUMENTED: &str = "documented";

/// How the token of a bill begins. No other file begins so.
pub(crate) const BILL: &str = "bill-";

/// The bytes of the documents of one bill: it is made in memory.
const MAX_BILL: i64 = 64 << 20;

/// Files of which the oldest are deleted. The newest is always kept.
struct Ring {
    condition: &'static str,
    count: i64,
    bytes: i64,
}

/// A stored resource: an order, a refund, a permission.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    /// Rises with every creation; 0 for a document that is not stored yet.
    pub(crate) seq: i64,
    pub(crate) resource_type: String,
    /// The sub-merchant (or for a part of a combined order, another merchant), or empty.
    pub(crate) scope: String,
    /// The merchant's number. It is unique within type and scope.
    pub(crate) merchant_no: String,
    pub(crate) platform_id: Option<String>,
    /// The platform's id of the order that a refund or a profit share belongs to.
    pub(crate) parent_id: Option<String>,
    pub(crate) state: String,
    /// When money moved, in Unix seconds.
    pub(crate) settled_at: Option<i64>,
    /// In Unix seconds.
    pub(crate) changed_at: i64,
    pub(crate) body: Value,
}

/// The documents and files, within one transaction.
pub(crate) struct Documents<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    /// The bytes of the state above which nothing new is stored; `None` for a state file.
    limit: Option<i64>,
}

const COLUMNS: &str = "seq, kind, scope, number, own, parent, state, settled, changed, body";

impl<'a> Documents<'a> {
    pub(crate) fn new(transaction: &'a Transaction<'a>, limit: Option<i64>) -> Documents<'a> {
        Documents { transaction, limit }
    }

    /// Whether a later run can have the state.
    pub(crate) fn are_kept(&self) -> bool {
        self.limit.is_none()
    }

    /// An error if the state is full. A resource that exists can still change: the database itself has a higher limit.
    fn check_room(&self) -> Result<(), ErrorResponse> {
        let Some(limit) = self.limit else { return Ok(()) };
        let sql = "SELECT (page_count - freelist_count) * page_size \
                   FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
        let used: i64 = self.transaction.prepare_cached(sql)?.query_row((), |row| row.get(0))?;
        if used < limit { Ok(()) } else { Err(full()) }
    }

    pub(crate) fn by_merchant_no(
        &self,
        resource_type: &str,
        scope: &str,
        merchant_no: &str,
    ) -> Result<Option<Document>, ErrorResponse> {
        self.one("kind = ?1 AND scope = ?2 AND number = ?3", (resource_type, scope, merchant_no))
    }

    /// In any scope: the newest.
    pub(crate) fn newest_by_merchant_no(
        &self,
        resource_type: &str,
        merchant_no: &str,
    ) -> Result<Option<Document>, ErrorResponse> {
        self.one("kind = ?1 AND number = ?2 ORDER BY seq DESC LIMIT 1", (resource_type, merchant_no))
    }

    pub(crate) fn by_platform_id(
        &self,
        resource_type: &str,
        scope: &str,
        platform_id: &str,
    ) -> Result<Option<Document>, ErrorResponse> {
        self.one("kind = ?1 AND own = ?2 AND scope = ?3", (resource_type, platform_id, scope))
    }

    /// In any scope: the newest.
    pub(crate) fn newest_by_platform_id(
        &self,
        resource_type: &str,
        platform_id: &str,
    ) -> Result<Option<Document>, ErrorResponse> {
        self.one("kind = ?1 AND own = ?2 ORDER BY seq DESC LIMIT 1", (resource_type, platform_id))
    }

    /// Oldest first.
    pub(crate) fn children(
        &self,
        resource_type: &str,
        parent_id: &str,
    ) -> Result<Vec<Document>, ErrorResponse> {
        self.all("kind = ?1 AND parent = ?2 ORDER BY seq", (resource_type, parent_id))
    }

    /// The documents of these types and this scope (`None`: any) that were settled in `from..to` (Unix seconds), by time.
    /// More than fit into a bill are an error.
    pub(crate) fn settled_between(
        &self,
        resource_types: &[&str],
        scope: Option<&str>,
        from: i64,
        to: i64,
    ) -> Result<Vec<Document>, ErrorResponse> {
        let condition = "kind IN (SELECT value FROM json_each(?1)) AND settled >= ?2 AND settled < ?3 \
                         AND (?4 IS NULL OR scope = ?4)";
        let resource_types = Value::from(resource_types).to_string();
        let sql = format!("SELECT coalesce(sum(length(body)), 0) FROM document WHERE {condition}");
        let mut statement = self.transaction.prepare_cached(&sql)?;
        let bytes: i64 = statement.query_row((&resource_types, from, to, scope), |row| row.get(0))?;
        if bytes > MAX_BILL {
            let message = format!(
                "the resources of this day have {bytes} bytes, too many for a bill (limit {MAX_BILL})"
            );
            return Err(ErrorResponse::new(507, SANDBOX_FULL, message));
        }
        self.all(&format!("{condition} ORDER BY settled, seq"), (&resource_types, from, to, scope))
    }

    /// The total of the amounts of a scope that were settled before this second. `amount` is a JSON path of SQLite
    /// without its `$`.
    pub(crate) fn settled_total(
        &self,
        resource_type: &str,
        scope: &str,
        amount: &str,
        before: i64,
    ) -> Result<i64, ErrorResponse> {
        let sql = "SELECT coalesce(sum(json_extract(body, '$' || ?3)), 0) FROM document \
                   WHERE kind = ?1 AND scope = ?2 AND settled < ?4";
        let mut statement = self.transaction.prepare_cached(sql)?;
        Ok(statement.query_row((resource_type, scope, amount, before), |row| row.get(0))?)
    }

    /// A page of the documents of all types in this state in whose body this text is found, or whose scope it is; empty:
    /// any. Only the newest 50,000 documents are searched.
    pub(crate) fn page(
        &self,
        contains: &str,
        state: &str,
        window: Window,
    ) -> Result<Page<Document>, ErrorResponse> {
        let search = Search::new(contains);
        // Without a search, no body is read.
        let sql = "SELECT seq, scope = ?3, iif(?3 = '', '', body) FROM document \
                   WHERE seq > (SELECT max(seq) FROM document) - ?1 AND kind <> 'documented' AND (?2 = '' OR state = ?2) \
                   AND (?3 = '' OR scope = ?3 OR instr(body, ?4) > 0) ORDER BY seq DESC";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let mut rows = statement.query((SEARCHED, state, contains, search.part()))?;
        let mut numbers = Vec::new();
        while let Some(row) = rows.next()? {
            if row.get::<_, bool>(1)? || search.is_in_body(row.get_ref(2)?.as_str().unwrap_or_default()) {
                numbers.push(row.get::<_, i64>(0)?.unsigned_abs());
            }
        }
        let (indices, place) = window.place(&numbers);
        let mut items = Vec::with_capacity(indices.len());
        for index in indices {
            items.extend(self.by_seq(numbers[index])?);
        }
        Ok(Page { items, place })
    }

    /// The numbers (`seq`) of the documents of a type in this state that were last changed at this second or before, oldest
    /// first.
    pub(crate) fn unchanged_since(
        &self,
        resource_type: &str,
        state: &str,
        until: i64,
        limit: usize,
    ) -> Result<Vec<u64>, ErrorResponse> {
        let sql =
            "SELECT seq FROM document WHERE kind = ?1 AND state = ?2 AND changed <= ?3 ORDER BY seq LIMIT ?4";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let numbers =
            statement.query_map((resource_type, state, until, limit), |row| row.get::<_, i64>(0))?;
        Ok(numbers.map(|number| number.map(i64::unsigned_abs)).collect::<Result<_, _>>()?)
    }

    /// The number of documents that a [`page`](Documents::page) without conditions has.
    pub(crate) fn count(&self) -> Result<usize, ErrorResponse> {
        let sql = "SELECT count(*) FROM document WHERE seq > (SELECT max(seq) FROM document) - ?1";
        let mut statement = self.transaction.prepare_cached(sql)?;
        Ok(usize::try_from(statement.query_row((SEARCHED,), |row| row.get::<_, i64>(0))?).unwrap_or(0))
    }

    pub(crate) fn by_seq(&self, seq: u64) -> Result<Option<Document>, ErrorResponse> {
        self.one("seq = ?1", (i64::try_from(seq).unwrap_or(i64::MAX),))
    }

    /// Inserts a new document, or updates the one with its `seq`.
    pub(crate) fn save(&self, document: &mut Document) -> Result<(), ErrorResponse> {
        let d = document;
        let body = d.body.to_string();
        if d.seq != 0 {
            let sql = "UPDATE document SET own = ?2, parent = ?3, state = ?4, settled = ?5, changed = ?6, body = ?7 \
                       WHERE seq = ?1";
            let values =
                params![d.seq, d.platform_id, d.parent_id, d.state, d.settled_at, d.changed_at, body];
            self.transaction.prepare_cached(sql)?.execute(values)?;
            return Ok(());
        }
        self.check_room()?;
        let sql = "INSERT INTO document (kind, scope, number, own, parent, state, settled, changed, body) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let values = params![
            d.resource_type,
            d.scope,
            d.merchant_no,
            d.platform_id,
            d.parent_id,
            d.state,
            d.settled_at,
            d.changed_at,
            body
        ];
        d.seq = self.transaction.prepare_cached(sql)?.insert(values)?;
        Ok(())
    }

    pub(crate) fn delete(&self, document: &Document) -> Result<(), ErrorResponse> {
        self.transaction.prepare_cached("DELETE FROM document WHERE seq = ?1")?.execute((document.seq,))?;
        Ok(())
    }

    pub(crate) fn put_file(&self, id: &str, media_type: &str, content: &[u8]) -> Result<(), ErrorResponse> {
        self.check_room()?;
        let sql = "INSERT OR REPLACE INTO file (id, media_type, content) VALUES (?1, ?2, ?3)";
        self.transaction.prepare_cached(sql)?.insert((id, media_type, content))?;
        if id.starts_with(BILL) {
            return self.shorten(&BILLS);
        }
        if self.limit.is_some() { self.shorten(&UPLOADS) } else { Ok(()) }
    }

    fn shorten(&self, ring: &Ring) -> Result<(), ErrorResponse> {
        let sql = format!(
            "DELETE FROM file WHERE seq IN (SELECT seq FROM (\
                 SELECT seq, row_number() OVER newer AS place, sum(length(content)) OVER newer AS bytes \
                 FROM file WHERE {} WINDOW newer AS (ORDER BY seq DESC)\
             ) WHERE place > ?1 OR (bytes > ?2 AND place > 1))",
            ring.condition
        );
        self.transaction.prepare_cached(&sql)?.execute((ring.count, ring.bytes))?;
        Ok(())
    }

    /// Why there is no file with this id, to follow "there is none".
    pub(crate) fn why_no_file(&self, id: &str) -> String {
        let bill = id.starts_with(BILL);
        if !bill && self.limit.is_none() {
            return String::new();
        }
        let (ring, kind) = if bill { (BILLS, "bills") } else { (UPLOADS, "uploads") };
        format!(" (the sandbox keeps the newest {} {kind}, of at most {} bytes)", ring.count, ring.bytes)
    }

    /// Keeps a notification until it is delivered. In memory there is no later run that could send it.
    pub(crate) fn save_undelivered(&self, queued: &QueuedEvent) -> Result<(), ErrorResponse> {
        if !self.are_kept() {
            return Ok(());
        }
        let text = serde_json::to_string(&queued.event)
            .map_err(|e| ErrorResponse::internal(format!("the notification: {e}")))?;
        let sql = "INSERT INTO notification (id, event) VALUES (?1, ?2)";
        self.transaction.prepare_cached(sql)?.execute((&queued.id, text))?;
        Ok(())
    }

    pub(crate) fn delete_undelivered(&self, id: &str) -> Result<(), ErrorResponse> {
        self.transaction.prepare_cached("DELETE FROM notification WHERE id = ?1")?.execute((id,))?;
        Ok(())
    }

    /// The undelivered notifications of the previous run, oldest first.
    pub(crate) fn undelivered(&self) -> Result<Vec<QueuedEvent>, ErrorResponse> {
        let mut statement =
            self.transaction.prepare_cached("SELECT id, event FROM notification ORDER BY seq")?;
        let rows = statement.query_map((), |row| {
            let event: Event = serde_json::from_str(&row.get::<_, String>(1)?).map_err(|e| {
                rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(e))
            })?;
            Ok(QueuedEvent { id: row.get(0)?, event })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The seconds that the business clock was advanced by.
    pub(crate) fn advanced(&self) -> Result<i64, ErrorResponse> {
        let mut statement = self.transaction.prepare_cached("SELECT advanced FROM clock")?;
        Ok(statement.query_row((), |row| row.get(0)).optional()?.unwrap_or(0))
    }

    pub(crate) fn set_advanced(&self, seconds: i64) -> Result<(), ErrorResponse> {
        let sql = "INSERT OR REPLACE INTO clock (one, advanced) VALUES (1, ?1)";
        self.transaction.prepare_cached(sql)?.execute((seconds,))?;
        Ok(())
    }

    /// The media type and the bytes.
    pub(crate) fn file(&self, id: &str) -> Result<Option<(String, Vec<u8>)>, ErrorResponse> {
        let sql = "SELECT media_type, content FROM file WHERE id = ?1";
        let mut statement = self.transaction.prepare_cached(sql)?;
        Ok(statement.query_row((id,), |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    }

    fn one(&self, condition: &str, values: impl Params) -> Result<Option<Document>, ErrorResponse> {
        let sql = format!("SELECT {COLUMNS} FROM document WHERE {condition}");
        Ok(self.transaction.prepare_cached(&sql)?.query_row(values, read).optional()?)
    }

    fn all(&self, condition: &str, values: impl Params) -> Result<Vec<Document>, ErrorResponse> {
        let sql = format!("SELECT {COLUMNS} FROM document WHERE {condition}");
        let mut statement = self.transaction.prepare_cached(&sql)?;
        let documents = statement.query_map(values, read)?.collect::<Result<_, _>>()?;
        Ok(documents)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Document> {
    let text: String = row.get(9)?;
    // Every stored body is an object.
    let body: Map<String, Value> = serde_json::from_str(&text).map_err(|e| {
        rusqlite::Error::FromSqlConversionFailure(9, rusqlite::types::Type::Text, Box::new(e))
    })?;
    Ok(Document {
        seq: row.get(0)?,
        resource_type: row.get(1)?,
        scope: row.get(2)?,
        merchant_no: row.get(3)?,
        platform_id: row.get(4)?,
        parent_id: row.get(5)?,
        state: row.get(6)?,
        settled_at: row.get(7)?,
        changed_at: row.get(8)?,
        body: Value::Object(body),
    })
}
