//! The parts of the signed message, and the message with some of them changed.

use super::{changes::Part, mistake::Mistake};

/// The parts of the expected message.
#[derive(Clone, Copy)]
pub(crate) struct MessageParts<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) timestamp: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) body: &'a [u8],
    /// The `Host` header.
    pub(crate) host: &'a str,
    /// The body as received. It differs from `body` only for an upload.
    pub(crate) raw_body: &'a [u8],
}

/// The path, and the query with its question mark.
pub(super) fn split(target: &str) -> (&str, &str) {
    target.split_at(target.find('?').unwrap_or(target.len()))
}

/// A mistake, and the part of the message that it changes.
pub(super) struct Change {
    pub(super) mistake: Mistake,
    pub(super) part: Part,
}

impl MessageParts<'_> {
    /// The message that the signature should cover.
    pub(crate) fn message(&self) -> Vec<u8> {
        self.changed(&[])
    }

    /// The message with these changes, each of another part.
    pub(super) fn changed(&self, changes: &[&Change]) -> Vec<u8> {
        let (mut path, mut query) = split(self.target);
        let (mut method, mut timestamp, mut nonce, mut body) =
            (self.method, self.timestamp, self.nonce, self.body);
        let (mut line_end, mut end, mut convert, mut body_line) = ("\n", "\n", None, true);
        for change in changes {
            match &change.part {
                Part::Method(text) => method = text,
                Part::Stamp(first, second) => (timestamp, nonce) = (first, second),
                Part::Path(text) => path = text,
                Part::Query(text) => query = text,
                Part::Target(text) => (path, query) = split(text),
                Part::Body(bytes) => body = bytes,
                Part::LineEnds(between, last) => (line_end, end) = (between, last),
                Part::WithoutBodyLine => body_line = false,
                Part::Converted(function) => convert = Some(function),
            }
        }
        let mut message = Vec::with_capacity(body.len() + path.len() + query.len() + 128);
        let nonce_end = if body_line { line_end } else { "" };
        for (line, end) in
            [(method, line_end), (path, ""), (query, line_end), (timestamp, line_end), (nonce, nonce_end)]
        {
            message.extend_from_slice(line.as_bytes());
            message.extend_from_slice(end.as_bytes());
        }
        if body_line {
            message.extend_from_slice(body);
            message.extend_from_slice(end.as_bytes());
        }
        match convert {
            Some(convert) => convert(&message),
            None => message,
        }
    }
}
