//! Input from an argument, a file or stdin.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::failure::{Failure, usage_error};
use crate::files::{self, Unreadable};
use crate::output;
use crate::text::{Excerpt, ShownPath, io_text, json_reason};

/// The limit of what is held in memory, in bytes: eight times the library's for a response.
const MAX_INPUT: u64 = 64 << 20;

/// The limit of a configuration file, in bytes.
const MAX_CONFIGURATION: u64 = 1 << 20;

/// Reads an option's value: the text itself, `@FILE`, or `@-` or `-` for stdin. A byte order mark at the beginning of a
/// file is left out.
pub(crate) fn read(option: &str, value: &str) -> Result<Vec<u8>, Failure> {
    match (value, value.strip_prefix('@')) {
        ("-", _) | (_, Some("-")) => stdin(option).map(without_mark),
        (_, Some("")) => Err(usage_error(format!("{option}: expected a file name after `@`"))),
        (_, Some(path)) => file(option, Path::new(path)).map(without_mark),
        (text, None) => Ok(text.as_bytes().to_vec()),
    }
}

/// Where a value stands that may be `@FILE`.
#[derive(Clone, Copy)]
pub(crate) enum AtSign {
    Field,
    Query,
}

impl AtSign {
    /// How a text that begins with `@` is written there without a doubt.
    fn spelling(self) -> &'static str {
        match self {
            AtSign::Field => "given as JSON, NAME:='\"@…\"'",
            AtSign::Query => "written into the path, PATH?NAME=%40…",
        }
    }
}

/// The parameters of `-q NAME=VALUE`.
pub(crate) fn query(pairs: &[(String, String)]) -> Result<Vec<(String, String)>, Failure> {
    let read = |(name, value): &(String, String)| {
        Ok((name.clone(), text_value(&format!("-q {}", Excerpt(name)), value, AtSign::Query)?))
    };
    pairs.iter().map(read).collect()
}

/// The text of a value that may be `@FILE` or `@-` (stdin), without the file's last line break.
///
/// A text may begin with `@`, too: it is one if no such file exists and it does not look like a path. That is reported,
/// with the spelling that leaves no doubt.
pub(crate) fn text_value(name: &str, value: &str, at: AtSign) -> Result<String, Failure> {
    let path = match value.strip_prefix('@') {
        None | Some("") => return Ok(value.to_owned()),
        Some("-") => {
            let bytes = stdin(name)?;
            return Ok(without_line_break(text(&format!("{name}: "), Path::new("stdin"), bytes)?));
        }
        Some(path) => path,
    };
    let missing = std::fs::metadata(path).is_err_and(|e| e.kind() != std::io::ErrorKind::PermissionDenied);
    match missing {
        false => text_file(name, Path::new(path)).map(without_line_break),
        true if path.contains(['/', '\\', '.']) => {
            Err(usage_error(format!("{name}: there is no file {}", Excerpt(path)))
                .with_hint(format!("a text that begins with `@` is {}", at.spelling())))
        }
        true => {
            output::warn(&format!(
                "{name}: there is no file {}, so {} is sent as text; to say so, it is {}",
                Excerpt(path),
                Excerpt(value),
                at.spelling()
            ));
            Ok(value.to_owned())
        }
    }
}

/// The value of `NAME:=JSON`, which may be `@FILE` or `@-` (stdin).
pub(crate) fn json_value(name: &str, value: &str) -> Result<Value, Failure> {
    match value.starts_with('@') {
        true => parse_json(name, &read(name, value)?),
        false => parse_json(name, value.as_bytes()),
    }
}

/// Editors and `echo` end a text with a line break that is not a part of it.
fn without_line_break(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

/// Whether stdin has content that nobody reads: a file that is not read to its end, or a pipe with content. A pipe that is
/// open gets a second; then it counts as one, because its content may come later. Nothing is read: the content may be the
/// rest of a shell's loop.
#[cfg(unix)]
pub(crate) fn stdin_is_waiting() -> bool {
    use std::io::Seek as _;
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::FileTypeExt as _;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let stdin = std::io::stdin();
    let Ok(mut file) = stdin.as_fd().try_clone_to_owned().map(std::fs::File::from) else { return false };
    let Ok(metadata) = file.metadata() else { return false };
    let kind = metadata.file_type();
    if kind.is_file() {
        return file.stream_position().is_ok_and(|position| position < metadata.len());
    }
    if !kind.is_fifo() && !kind.is_socket() {
        return false;
    }
    let second = Timespec { tv_sec: 1, tv_nsec: 0 };
    match poll(&mut [PollFd::new(&file, PollFlags::IN)], Some(&second)) {
        // Readable: content, or the end.
        Ok(1..) => rustix::io::ioctl_fionread(&file).is_ok_and(|available| available > 0),
        Ok(0) => true,
        Err(_) => false,
    }
}

#[cfg(not(unix))]
pub(crate) fn stdin_is_waiting() -> bool {
    false
}

/// Reads all of a file, or of a pipe such as `/dev/stdin` or `<(command)`; `name` says in an error what it is.
pub(crate) fn file(name: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    files::read_any(path, MAX_INPUT).map_err(|e| unreadable(&format!("{name}: "), path, &e))
}

/// Reads all of stdin; `name` says in an error what it was read for.
pub(crate) fn stdin(name: &str) -> Result<Vec<u8>, Failure> {
    static READ: AtomicBool = AtomicBool::new(false);
    if READ.swap(true, Ordering::Relaxed) {
        return Err(
            usage_error(format!("{name}: stdin is read already")).with_hint("use a file for one of the two")
        );
    }
    files::read_up_to(std::io::stdin().lock(), 0, MAX_INPUT).map_err(|e| match e {
        Unreadable::Failed(e) => usage_error(format!("{name}: cannot read stdin: {}", io_text(&e))),
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
        usage_error(format!("{name}{path} is in {encoding}, not in UTF-8")).with_hint("save it as UTF-8")
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
        Unreadable::Failed(e) => usage_error(format!("{name}cannot read {path}: {}", io_text(e))),
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
