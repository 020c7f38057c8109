//! The rows of a bill, without backquotes, and its summary; one row in memory at a time.

use std::io::Read;
use std::sync::Arc;

use super::fields::{Shape, SplitError, split};
use super::lines::{Line, Lines};
use crate::error::{DecodeError, Error};

/// The most columns. The platform's widest bill has about 30.
const MAX_COLUMNS: usize = 1000;

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
    lines: Lines<R>,
    names: Arc<[String]>,
    summary: Option<Record>,
    needs_summary: bool,
    done: bool,
}

/// Reads a bill in the platform's format: a header, rows whose fields begin with a backquote (which is removed), the
/// header of the summary, and the row of the summary.
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
/// **Fields.** The platform does not quote fields, so a comma in a product's name splits its field. The second part has
/// no backquote, and is joined to the first again. Some bills have columns without backquotes (a coupon's use-flow); they
/// are read, too. Only a row of such a bill that also has a comma inside a field cannot be split: that is an error with
/// the line, never a guess.
///
/// **Escapes.** The platform writes a line feed in a field as `\n`, a carriage return as `\r`, and a comma in a merchant's
/// own field as `\ ` (with a blank). They are undone. All other backslashes stay; `\\` stays as it is.
///
/// **Blanks.** Blank lines, blanks at the ends of a line, a byte order mark, CR LF or LF, and the title lines of the
/// merchant portal (`#…`, in front of the header) mean nothing.
///
/// **Limits.** A line has at most 1 MiB and 262,144 commas, the header at most 1,000 columns.
///
/// # Errors
/// [`Error::Decode`] with the line if the text is not a bill (JSON, HTML, gzip …), is not UTF-8, or has no header. The
/// iterator returns [`Error::Decode`] for a row that does not fit the header, and **for a bill that ends without its
/// summary**, which was cut. [`Error::File`] if `reader` fails.
pub fn rows<R: Read>(reader: R) -> Result<Rows<R>, Error> {
    let mut lines = Lines::new(reader);
    loop {
        let Some(line) = lines.next()? else { return Err(invalid("is empty: it has no header".to_owned())) };
        if line.first().starts_with('#') {
            continue;
        }
        let names = header(&line)?;
        return Ok(Rows { lines, names, summary: None, needs_summary: true, done: false });
    }
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

    /// Accepts a file without a summary, for a format that has none. Such a file may have been cut without notice.
    ///
    /// ```
    /// let file = "openid,金额\n`o1,`0.01\n";
    /// let mut rows = wechatpay_chain::bill::rows(file.as_bytes())?.allow_no_summary();
    /// assert_eq!(rows.next().unwrap()?.get("金额"), Some("0.01"));
    /// assert!(rows.next().is_none() && rows.summary().is_none());
    /// # Ok::<(), wechatpay_chain::Error>(())
    /// ```
    pub fn allow_no_summary(mut self) -> Rows<R> {
        self.needs_summary = false;
        self
    }
}

impl<R: Read> Rows<R> {
    fn read(&mut self) -> Result<Option<Record>, Error> {
        let Some(line) = self.lines.next()? else {
            let last = self.lines.number();
            return match self.needs_summary {
                true => Err(invalid(format!("is cut: it ends after line {last}, without its summary"))),
                false => Ok(None),
            };
        };
        let shape = Shape::of(&line);
        if !shape.is_bare() {
            return record(&self.names, &line, shape).map(Some);
        }
        let (names, number) = (summary_header(&line)?, line.number);
        let Some(line) = self.lines.next()? else {
            return Err(invalid(format!("is cut: it ends before its summary, after line {number}")));
        };
        let shape = Shape::of(&line);
        if shape.is_bare() {
            return Err(missing_backquotes(number));
        }
        let summary = record(&names, &line, shape)?;
        while let Some(line) = self.lines.next()? {
            if !line.first().starts_with('#') {
                return Err(invalid(format!("continues after its summary, in line {}", line.number)));
            }
        }
        self.summary = Some(summary);
        Ok(None)
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

/// The column names of the first line.
fn header(line: &Line<'_>) -> Result<Arc<[String]>, Error> {
    let number = line.number;
    let other = match line.first().as_bytes().first() {
        Some(b'{' | b'[') => Some("JSON"),
        Some(b'<') => Some("HTML or XML"),
        _ => None,
    };
    if let Some(other) = other {
        return Err(invalid(format!("is {other}, not the text of a bill")));
    }
    if !Shape::of(line).is_bare() {
        return Err(invalid(format!("begins with a row in line {number}, expected a header")));
    }
    names(line)?
        .ok_or_else(|| invalid(format!("has no header: line {number} does not consist of column names")))
}

/// The column names of a line without backquotes that follows the header.
fn summary_header(line: &Line<'_>) -> Result<Arc<[String]>, Error> {
    names(line)?.ok_or_else(|| missing_backquotes(line.number))
}

/// `None` for a line that cannot be one of names: one of them is empty, or begins like a number or a time. An empty last
/// one is only a comma at the end.
fn names(line: &Line<'_>) -> Result<Option<Arc<[String]>>, Error> {
    let count = line.pieces().count();
    if count > MAX_COLUMNS {
        let number = line.number;
        return Err(invalid(format!("has {count} columns in line {number} (limit {MAX_COLUMNS})")));
    }
    let names: Arc<[String]> = line.pieces().map(|name| name.trim().to_owned()).collect();
    let is_name = |(at, name): (usize, &String)| match name.chars().next() {
        None => at > 0 && at + 1 == count,
        Some(first) => {
            !first.is_ascii_digit() && !matches!(first, '-' | '+' | '.') && !name.contains(char::is_control)
        }
    };
    Ok(names.iter().enumerate().all(is_name).then_some(names))
}

fn record(names: &Arc<[String]>, line: &Line<'_>, shape: Shape) -> Result<Record, Error> {
    let (pieces, columns, number) = (shape.pieces, names.len(), line.number);
    let fields = split(line, shape, columns).map_err(|error| {
        invalid(match error {
            SplitError::TooFew if !line.terminated => {
                format!("is cut: it ends after {pieces} of {columns} fields in line {number}")
            }
            SplitError::TooFew => format!("has {pieces} fields in line {number}, but {columns} columns"),
            SplitError::TooManyFields => format!(
                "has {pieces} fields in line {number}, but {columns} columns: a value contains a comma and a backquote"
            ),
            SplitError::Ambiguous => format!(
                "has {pieces} fields in line {number}, but {columns} columns, and {} of the fields lack their \
                 backquote: a comma inside a value cannot be told from a separator",
                shape.bare
            ),
        })
    })?;
    Ok(Record { names: Arc::clone(names), fields })
}

fn missing_backquotes(line: u64) -> Error {
    invalid(format!(
        "has neither a row nor the header of a summary in line {line}: a row's fields begin with a backquote"
    ))
}

pub(super) fn invalid(what: String) -> Error {
    Error::Decode(Box::new(DecodeError {
        what: format!("the bill {what}"),
        request_id: None,
        source: None,
        headers: None,
    }))
}
