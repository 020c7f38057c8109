//! The lines of a bill, split at their commas by `csv-core`: numbered, bounded, without blank lines and without blanks at
//! their ends.
//!
//! `csv-core` writes into buffers of its caller, so they are the bounds. The reader of `csv` has none (a line of 100 MiB
//! of commas takes 3 GiB), and neither counts the lines of CR LF files right nor tells whether the last line was cut.

use std::io::{BufRead as _, BufReader, ErrorKind, Read};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

use crate::error::{Error, FileError};

use super::rows::invalid;

/// The most bytes of a line, without its commas. The longest value of the platform has 2,048 characters.
const MAX_LINE: usize = 1024 * 1024;

/// The most pieces between the commas of a line. A value may contain any number of commas.
const MAX_PIECES: usize = 256 * 1024;

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
    splitter: Reader,
    /// The pieces of a line, one after the other.
    text: Vec<u8>,
    /// Where each piece ends in the text.
    ends: Vec<usize>,
    /// The number of the line that was read last.
    number: u64,
    is_first: bool,
}

/// A line that is not blank.
pub(super) struct Line<'a> {
    text: &'a str,
    ends: &'a [usize],
    /// Counted from 1, with the blank lines.
    pub(super) number: u64,
    /// Whether a line feed ends it; if not, it is the last line, and may be cut.
    pub(super) terminated: bool,
}

impl<'a> Line<'a> {
    /// The texts between the commas; there is one at least.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let (text, ends) = (self.text, self.ends);
        let starts = [0].into_iter().chain(ends.iter().copied());
        starts.zip(ends).enumerate().map(move |(at, (start, &end))| {
            let mut piece = text.get(start..end).unwrap_or_default();
            if at == 0 {
                piece = piece.trim_start_matches([BYTE_ORDER_MARK, ' ', '\t']);
            }
            if at + 1 == ends.len() {
                piece = trim_end(piece);
            }
            piece
        })
    }

    pub(super) fn first(&self) -> &'a str {
        self.pieces().next().unwrap_or_default()
    }
}

/// What was read of a line.
struct Found {
    length: usize,
    pieces: usize,
    terminated: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(reader: R) -> Lines<R> {
        // Nothing is quoted; the platform writes a line break in a value as `\n` or `\r`.
        let mut splitter = ReaderBuilder::new().quoting(false).terminator(Terminator::Any(b'\n')).build();
        let (mut text, mut ends) = (vec![0; 4096], vec![0; 64]);
        // `csv-core` takes a first piece of input that is only a byte order mark for the end (0.1.13). After a blank line
        // it leaves byte order marks alone.
        splitter.read_record(b"\n", &mut text, &mut ends);
        splitter.set_line(1);
        Lines { reader: BufReader::new(reader), splitter, text, ends, number: 0, is_first: true }
    }

    /// The number of the line that was read last.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>, Error> {
        let (length, pieces, terminated) = loop {
            let Some(Found { length, pieces, terminated }) = self.read()? else { return Ok(None) };
            self.number = self.splitter.line() - u64::from(terminated);
            let bytes = self.text.get(..length).unwrap_or_default();
            if std::mem::take(&mut self.is_first)
                && let Some((_, found)) = OTHER_FORMATS.iter().find(|(start, _)| bytes.starts_with(start))
            {
                return Err(invalid((*found).to_owned()));
            }
            if pieces > 1 || !bytes.iter().all(u8::is_ascii_whitespace) {
                break (length, pieces, terminated);
            }
        };
        let number = self.number;
        let not_utf8 = || invalid(format!("is not UTF-8 (line {number})"));
        let bytes = self.text.get(..length).unwrap_or_default();
        let text = std::str::from_utf8(bytes).map_err(|_| not_utf8())?;
        let ends = self.ends.get(..pieces).unwrap_or_default();
        // A comma between the bytes of a character is not there any more.
        if !ends.iter().all(|end| text.is_char_boundary(*end)) {
            return Err(not_utf8());
        }
        Ok(Some(Line { text, ends, number, terminated }))
    }

    /// Reads a line into the buffers, which grow up to their limits.
    fn read(&mut self) -> Result<Option<Found>, Error> {
        let (mut length, mut pieces) = (0, 0);
        loop {
            let input = match self.reader.fill_buf() {
                Ok(input) => input,
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => return Err(unreadable(e)),
            };
            let is_end = input.is_empty();
            let text = self.text.get_mut(length..).unwrap_or_default();
            let ends = self.ends.get_mut(pieces..).unwrap_or_default();
            let (result, read, written, ended) = self.splitter.read_record(input, text, ends);
            self.reader.consume(read);
            length += written;
            pieces += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if length < MAX_LINE => {
                    self.text.resize(MAX_LINE.min(length * 2), 0);
                }
                ReadRecordResult::OutputEndsFull if pieces < MAX_PIECES => {
                    self.ends.resize(MAX_PIECES.min(pieces * 2), 0);
                }
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    let number = self.splitter.line();
                    let reason =
                        format!("has more than {MAX_LINE} bytes, or {MAX_PIECES} commas, in line {number}");
                    return Err(invalid(reason));
                }
                ReadRecordResult::Record => return Ok(Some(Found { length, pieces, terminated: !is_end })),
                ReadRecordResult::End => return Ok(None),
            }
        }
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
