//! A caller's file: opened without waiting for anyone, checked by what was opened, and read up to a limit.
//!
//! It uses the standard library only: the program includes this file, too.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

/// Why a file cannot be read. The text follows "the file `…`, which".
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// A folder, a pipe, a device.
    NotAFile(&'static str),
    TooLarge {
        /// Bytes.
        limit: u64,
    },
    Failed(io::Error),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::NotAFile(kind) => write!(f, "is {kind}, not a regular file"),
            Unreadable::TooLarge { limit } => {
                let unit = [(30, "GiB"), (20, "MiB")]
                    .into_iter()
                    .find(|(shift, _)| *limit > 0 && limit.trailing_zeros() >= *shift);
                let (shift, unit) = unit.unwrap_or((0, "bytes"));
                write!(f, "is larger than {} {unit}", limit >> shift)
            }
            Unreadable::Failed(e) => match io_reason(e) {
                "it does not exist" => f.write_str("does not exist"),
                reason => write!(f, "cannot be read: {reason}"),
            },
        }
    }
}

impl std::error::Error for Unreadable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Unreadable::Failed(e) => Some(e),
            _ => None,
        }
    }
}

impl From<io::Error> for Unreadable {
    fn from(e: io::Error) -> Self {
        Unreadable::Failed(e)
    }
}

/// The reason of a failed operation on a file or folder, in our words, after its name.
pub(crate) fn io_reason(error: &io::Error) -> &'static str {
    known_reason(error).unwrap_or("the operating system reports an error")
}

/// The reason why a file cannot be created, in our words, after its name.
pub(crate) fn creation_reason(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "its directory does not exist",
        _ => io_reason(error),
    }
}

/// `None` for an error that only the operating system can word.
pub(crate) fn known_reason(error: &io::Error) -> Option<&'static str> {
    Some(match error.kind() {
        io::ErrorKind::NotFound => "it does not exist",
        io::ErrorKind::PermissionDenied => "permission denied",
        io::ErrorKind::AlreadyExists => "it already exists",
        io::ErrorKind::IsADirectory => "it is a directory",
        io::ErrorKind::NotADirectory => "a part of its path is not a directory",
        io::ErrorKind::StorageFull => "no space is left on the disk",
        io::ErrorKind::QuotaExceeded => "the disk quota is used up",
        io::ErrorKind::FileTooLarge => "the system allows no larger file",
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        io::ErrorKind::InvalidFilename => "the file system does not allow its name",
        io::ErrorKind::InvalidInput => "its name is not valid",
        io::ErrorKind::BrokenPipe => "its reader has closed it",
        io::ErrorKind::InvalidData => "it is not UTF-8",
        io::ErrorKind::Unsupported => "it is not a regular file",
        _ => return None,
    })
}

/// How a regular file is opened for reading: a pipe without a writer must not be waited for. It does not change how a
/// regular file is read.
pub(crate) fn read_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    options
}

/// Opens a regular file, and returns its length.
pub(crate) fn open(path: &Path) -> Result<(File, u64), Unreadable> {
    let file = read_options().open(path).map_err(|e| {
        // Windows refuses to open a directory, and Unix a socket.
        not_a_file(path).map_or(Unreadable::Failed(e), Unreadable::NotAFile)
    })?;
    let metadata = file.metadata()?;
    match special(metadata.file_type()) {
        Some(kind) => Err(Unreadable::NotAFile(kind)),
        None => Ok((file, metadata.len())),
    }
}

/// Reads a regular file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Unreadable> {
    let (file, length) = open(path)?;
    read_up_to(file, length, limit)
}

/// Reads a regular file, or what a pipe or a device gives until its end, of at most `limit` bytes. As every program
/// does, it waits for a pipe's writer.
#[cfg(any(feature = "sandbox", test))]
pub(crate) fn read_any(path: &Path, limit: u64) -> Result<Vec<u8>, Unreadable> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(Unreadable::NotAFile("a directory"));
    }
    read_up_to(file, metadata.len(), limit)
}

/// Reads `source` to its end, which `expected` bytes are before; it may have up to `limit`.
pub(crate) fn read_up_to(source: impl Read, expected: u64, limit: u64) -> Result<Vec<u8>, Unreadable> {
    if expected > limit {
        return Err(Unreadable::TooLarge { limit });
    }
    // Room for one byte more, so that the end is seen without growing: a buffer that grows leaves copies of a key that
    // are not wiped.
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0).saturating_add(64));
    source.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(Unreadable::TooLarge { limit });
    }
    Ok(bytes)
}

/// What is at this path, if there is something that is no file: a directory, a pipe, a device.
pub(crate) fn not_a_file(path: &Path) -> Option<&'static str> {
    std::fs::metadata(path).ok().and_then(|found| special(found.file_type()))
}

/// What a file is that is not a regular one.
fn special(kind: std::fs::FileType) -> Option<&'static str> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        for (is, name) in [
            (kind.is_fifo(), "a pipe"),
            (kind.is_socket(), "a socket"),
            (kind.is_char_device() || kind.is_block_device(), "a device"),
        ] {
            if is {
                return Some(name);
            }
        }
    }
    match () {
        () if kind.is_dir() => Some("a directory"),
        () if kind.is_file() => None,
        () => Some("something else"),
    }
}

/// The path of a `file://` text, as PHP and URLs write it; blanks and one pair of quotes around it are taken off, since
/// environment files keep them. `None` for any other text.
pub(crate) fn path_of(text: &str) -> Option<&str> {
    let text = unquoted(text);
    let rest = text.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("file://")).and(text.get(7..))?;
    Some(local_path(rest, cfg!(windows)))
}

/// `text` without blanks and one pair of quotes around it.
pub(crate) fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = |quote: char| text.strip_prefix(quote).and_then(|inner| inner.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).map_or(text, str::trim)
}

/// The path after `file://`. On Windows, `/C:/x` is the drive's `C:/x`.
fn local_path(rest: &str, windows: bool) -> &str {
    let path = match rest.get(..10) {
        Some(host) if host.eq_ignore_ascii_case("localhost/") => rest.get(9..).unwrap_or(rest),
        _ => rest,
    };
    match path.strip_prefix('/').filter(|_| windows) {
        Some(drive) if has_drive(drive) => drive,
        _ => path,
    }
}

/// Whether a path begins with a drive of Windows.
pub(crate) fn has_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [letter, b':', rest @ ..]
        if letter.is_ascii_alphabetic() && matches!(rest.first(), None | Some(b'/' | b'\\')))
}

#[cfg(test)]
#[path = "files/tests.rs"]
mod tests;
