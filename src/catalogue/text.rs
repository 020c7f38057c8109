//! The two files of facts, decompressed when they are first used, and cut into records.

use std::io::Read as _;
use std::sync::LazyLock;

static OPERATIONS: LazyLock<String> =
    LazyLock::new(|| decompress(include_bytes!(concat!(env!("OUT_DIR"), "/operations.gz"))));
static NOTIFICATIONS: LazyLock<String> =
    LazyLock::new(|| decompress(include_bytes!(concat!(env!("OUT_DIR"), "/notifications.gz"))));

fn decompress(bytes: &[u8]) -> String {
    let mut text = String::new();
    let read = flate2::read::GzDecoder::new(bytes).read_to_string(&mut text);
    // The bytes are compiled in, and a test reads all of them.
    debug_assert!(read.is_ok());
    text
}

/// A line without indentation, split at its first space, and the indented lines below it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    pub(super) first: &'static str,
    pub(super) second: &'static str,
    pub(super) lines: &'static str,
}

pub(super) fn operations() -> Vec<Record> {
    records(&OPERATIONS)
}

pub(super) fn notifications() -> Vec<Record> {
    records(&NOTIFICATIONS)
}

fn records(text: &'static str) -> Vec<Record> {
    let mut records = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = end_of_record(rest);
        let (record, tail) = rest.split_at(end);
        let (head, lines) = record.split_once('\n').unwrap_or((record, ""));
        let (first, second) = head.split_once(' ').unwrap_or((head, ""));
        records.push(Record { first, second, lines });
        rest = tail;
    }
    records
}

/// Where the next line without indentation begins.
fn end_of_record(text: &str) -> usize {
    let newlines = text.match_indices('\n').map(|(at, _)| at + 1);
    newlines.into_iter().find(|at| !text[*at..].starts_with(' ')).unwrap_or(text.len())
}
