//! The rows of a bill, without backquotes, and its summary; one row in memory at a time.

use std::io::Read;
use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord, StringRecordsIntoIter};

use crate::error::{DecodeError, Error};

/// One row of a bill, with its fields by the column names of the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    names: Arc<[String]>,
    fields: Vec<String>,
}

impl Record {
    /// The field in this column: `商户订单号`.
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.names.iter().position(|known| known == name)?;
        self.fields.get(at).map(String::as_str)
    }

    /// All fields, in the header's order.
    pub fn fields(&self) -> &[String] {
        &self.fields
    }

    /// The column names, one for each field.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// The rows of a bill: an iterator of [`Record`]s. After the last row, [`summary`](Rows::summary) is available. After an
/// error the iterator ends.
pub struct Rows<R> {
    records: StringRecordsIntoIter<R>,
    names: Arc<[String]>,
    summary: Option<Record>,
    done: bool,
}

/// Reads a bill in the platform's format: a header, rows whose fields begin with a backquote (which is removed), the
/// header of the summary, and the row of the summary.
///
/// The platform does not quote fields, so a comma in a product's name splits its field. The second part has no backquote,
/// and is joined to the first again.
///
/// ```
/// let bill = "交易时间,商户订单号,商品名称\n`2026-11-20 08:00:00,`P1,`茶, 绿\n总交易单数,订单总金额\n`1,`0.01\n";
/// let mut rows = wechatpay_chain::bill::rows(bill.as_bytes())?;
/// let row = rows.next().unwrap()?;
/// assert_eq!((row.get("商户订单号"), row.get("商品名称")), (Some("P1"), Some("茶, 绿")));
/// assert!(rows.next().is_none());
/// assert_eq!(rows.summary().unwrap().get("总交易单数"), Some("1"));
/// # Ok::<(), wechatpay_chain::Error>(())
/// ```
///
/// # Errors
/// [`Error::Decode`] if the bill cannot be read, is not UTF-8, or has no header.
pub fn rows<R: Read>(reader: R) -> Result<Rows<R>, Error> {
    let reader = ReaderBuilder::new().has_headers(false).flexible(true).quoting(false).from_reader(reader);
    let mut records = reader.into_records();
    let header = records.next().ok_or_else(|| invalid("is empty".to_owned()))?.map_err(unreadable)?;
    if is_row(&header) {
        return Err(invalid("begins with a row, expected a header".to_owned()));
    }
    Ok(Rows { records, names: names(&header), summary: None, done: false })
}

impl<R> Rows<R> {
    /// The names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The summary, once all rows were read.
    ///
    /// ```
    /// let bill = "订单号,金额\n`P1,`0.01\n总单数,总金额\n`1,`0.01\n";
    /// let mut rows = wechatpay_chain::bill::rows(bill.as_bytes())?;
    /// assert_eq!((rows.by_ref().count(), rows.summary().and_then(|row| row.get("总金额"))), (1, Some("0.01")));
    /// # Ok::<(), wechatpay_chain::Error>(())
    /// ```
    pub fn summary(&self) -> Option<&Record> {
        self.summary.as_ref()
    }
}

impl<R: Read> Rows<R> {
    fn read(&mut self) -> Result<Option<Record>, Error> {
        let Some(line) = self.records.next() else { return Ok(None) };
        let line = line.map_err(unreadable)?;
        if is_row(&line) {
            return record(&self.names, &line).map(Some);
        }
        let names = names(&line);
        let last = self.records.next().ok_or_else(|| invalid("ends before its summary".to_owned()))?;
        self.summary = Some(record(&names, &last.map_err(unreadable)?)?);
        match self.records.next() {
            None => Ok(None),
            Some(more) => {
                let at = more.map_err(unreadable)?.position().map_or(0, csv::Position::line);
                Err(invalid(format!("continues after its summary, in line {at}")))
            }
        }
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.read().transpose();
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}

impl<R> std::fmt::Debug for Rows<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rows").field("names", &self.names).finish_non_exhaustive()
    }
}

fn is_row(line: &StringRecord) -> bool {
    line.get(0).is_some_and(|first| first.starts_with('`'))
}

fn names(line: &StringRecord) -> Arc<[String]> {
    line.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_owned()).collect()
}

fn record(names: &Arc<[String]>, line: &StringRecord) -> Result<Record, Error> {
    let mut fields: Vec<String> = Vec::with_capacity(names.len());
    let mut surplus = line.len().saturating_sub(names.len());
    for piece in line {
        match (piece.strip_prefix('`'), fields.last_mut()) {
            (None, Some(last)) if surplus > 0 => {
                last.push(',');
                last.push_str(piece);
                surplus -= 1;
            }
            (field, _) => fields.push(field.unwrap_or(piece).to_owned()),
        }
    }
    if fields.len() != names.len() {
        let at = line.position().map_or(0, csv::Position::line);
        return Err(invalid(format!(
            "has {} fields in line {at}, but {} columns",
            fields.len(),
            names.len()
        )));
    }
    Ok(Record { names: Arc::clone(names), fields })
}

fn invalid(what: String) -> Error {
    Error::Decode(Box::new(DecodeError { what: format!("the bill {what}"), request_id: None, source: None }))
}

fn unreadable(e: csv::Error) -> Error {
    let what = format!("the bill cannot be read: {e}");
    Error::Decode(Box::new(DecodeError { what, request_id: None, source: Some(Box::new(e)) }))
}
