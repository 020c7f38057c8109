//! The lines of a bill: numbered, bounded, without blank lines and without blanks at their ends.

use std::io::{BufRead as _, BufReader, Read};

use crate::error::{Error, FileError};

use super::rows::invalid;

/// The longest line, in bytes. The longest value of the platform has 2,048 characters.
pub(super) const MAX_LINE: usize = 1024 * 1024;

/// Begins some files that editors write.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Other files that are taken for a bill, by their first bytes.
const OTHER_FORMATS: [(&[u8], &str); 5] = [
    (b"\x1f\x8b", "is still compressed (gzip): download it with `.gzip()`, or decompress it first"),
    (b"PK\x03\x04", "is a ZIP archive or an Excel file, not the text of a bill"),
    (b"%PDF-", "is a PDF file, not the text of a bill"),
    (b"\xff\xfe", "is UTF-16, expected UTF-8"),
    (b"\xfe\xff", "is UTF-16, expected UTF-8"),
];

pub(super) struct Lines<R> {
    reader: BufReader<R>,
    buffer: Vec<u8>,
    number: u64,
    is_first: bool,
}

/// A line that is not blank.
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    /// Counted from 1, with the blank lines.
    pub(super) number: u64,
    /// Whether a line feed ends it; if not, it is the last line, and may be cut.
    pub(super) terminated: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(reader: R) -> Lines<R> {
        Lines { reader: BufReader::new(reader), buffer: Vec::new(), number: 0, is_first: true }
    }

    /// The number of the line that was read last.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>, Error> {
        loop {
            self.buffer.clear();
            let limit = MAX_LINE as u64 + 1;
            let length =
                (&mut self.reader).take(limit).read_until(b'\n', &mut self.buffer).map_err(unreadable)?;
            if length == 0 {
                return Ok(None);
            }
            self.number += 1;
            if length > MAX_LINE {
                let number = self.number;
                return Err(invalid(format!("has more than {MAX_LINE} bytes in line {number}")));
            }
            let is_first = std::mem::take(&mut self.is_first);
            if is_first
                && let Some((_, found)) =
                    OTHER_FORMATS.iter().find(|(start, _)| self.buffer.starts_with(start))
            {
                return Err(invalid((*found).to_owned()));
            }
            if !self.buffer.iter().all(u8::is_ascii_whitespace) {
                break;
            }
        }
        let (number, terminated) = (self.number, self.buffer.ends_with(b"\n"));
        let text = std::str::from_utf8(&self.buffer)
            .map_err(|_| invalid(format!("is not UTF-8 (line {number})")))?
            .trim_start_matches([BYTE_ORDER_MARK, ' ', '\t']);
        Ok(Some(Line { text: trim_end(text), number, terminated }))
    }
}

/// Without the line's end and blanks, but with the blank of the escape `\ `.
fn trim_end(text: &str) -> &str {
    let trimmed = text.trim_end_matches([' ', '\t', '\r', '\n']);
    let with_blank = text.get(..trimmed.len() + 1).filter(|text| text.ends_with("\\ "));
    with_blank.unwrap_or(trimmed)
}

fn unreadable(source: std::io::Error) -> Error {
    let what = "cannot be read".to_owned();
    Error::File(Box::new(FileError {
        file: "the bill".to_owned(),
        what,
        maybe_sent: false,
        source: Some(source),
    }))
}
