//! Input from an argument, a file or stdin.

use std::path::Path;

use serde_json::Value;

use crate::failure::{Failure, usage_error};
use crate::files::{self, Unreadable};
use crate::text::{ShownPath, json_reason};

/// The limit of what is held in memory, in bytes: eight times the library's for a response.
const MAX_INPUT: u64 = 64 << 20;

/// The limit of a configuration file, in bytes.
const MAX_CONFIGURATION: u64 = 1 << 20;

/// Reads an option's value: the text itself, `@FILE`, or `-` for stdin. A byte order mark at the beginning of a file is
/// left out.
pub(crate) fn read(option: &str, value: &str) -> Result<Vec<u8>, Failure> {
    match (value, value.strip_prefix('@')) {
        ("-", _) => stdin(option).map(without_mark),
        (_, Some("")) => Err(usage_error(format!("{option}: expected a file name after `@`"))),
        (_, Some(path)) => file(option, Path::new(path)).map(without_mark),
        (text, None) => Ok(text.as_bytes().to_vec()),
    }
}

/// Reads all of a file, or of a pipe such as `/dev/stdin` or `<(command)`; `name` says in an error what it is.
pub(crate) fn file(name: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    files::read_any(path, MAX_INPUT).map_err(|e| unreadable(&format!("{name}: "), path, &e))
}

/// Reads all of stdin; `name` says in an error what it was read for.
pub(crate) fn stdin(name: &str) -> Result<Vec<u8>, Failure> {
    files::read_up_to(std::io::stdin().lock(), 0, MAX_INPUT).map_err(|e| match e {
        Unreadable::Failed(e) => usage_error(format!("{name}: cannot read stdin: {e}")),
        other => usage_error(format!("{name}: stdin {other}")),
    })
}

/// Reads a text file, or a pipe: UTF-8, its byte order mark left out.
pub(crate) fn text_file(name: &str, path: &Path) -> Result<String, Failure> {
    text(&format!("{name}: "), path, file(name, path)?)
}

/// Reads a configuration file. Only a regular file is one.
pub(crate) fn configuration(path: &Path) -> Result<String, Failure> {
    let bytes = files::read(path, MAX_CONFIGURATION).map_err(|e| unreadable("", path, &e))?;
    text("", path, bytes)
}

fn text(name: &str, path: &Path, bytes: Vec<u8>) -> Result<String, Failure> {
    let encoding = not_utf8(&bytes);
    String::from_utf8(without_mark(bytes)).map_err(|_| {
        let (path, encoding) = (ShownPath(path), encoding.unwrap_or("another encoding"));
        usage_error(format!("{name}save {path} as UTF-8: it is in {encoding}"))
    })
}

/// The encoding of a text that is not UTF-8.
fn not_utf8(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        _ => str::from_utf8(bytes).is_err().then_some("another encoding"),
    }
}

/// An editor's byte order mark belongs to the file, not to the text.
pub(crate) fn without_mark(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    bytes
}

/// The error of a file that cannot be read. `name` ends with `: `, or is empty.
pub(crate) fn unreadable(name: &str, path: &Path, error: &Unreadable) -> Failure {
    let path = ShownPath(path);
    match error {
        // A path that exists can have more reasons than we name.
        Unreadable::Failed(e) if e.kind() != std::io::ErrorKind::NotFound => {
            usage_error(format!("{name}cannot read {path}: {e}"))
        }
        other => usage_error(format!("{name}cannot read {path}: it {other}")),
    }
}

pub(crate) fn parse_json(name: &str, text: &[u8]) -> Result<Value, Failure> {
    if let Some(encoding) = not_utf8(text) {
        return Err(usage_error(format!("{name}: expected JSON in UTF-8, found {encoding}")));
    }
    serde_json::from_slice(text)
        .map_err(|e| usage_error(format!("{name}: expected JSON: {}", json_reason(&e))))
}
