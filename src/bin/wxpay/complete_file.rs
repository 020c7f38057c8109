//! A file that appears only once it is complete. A signal leaves the file from before, or the complete new one.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::exit;
use crate::failure::{Failure, usage_error};
use crate::files;
use crate::signals::Signals;
use crate::text::{ShownPath, creation_text, io_text};

pub(crate) struct CompleteFile {
    /// The option or the command, for errors.
    name: &'static str,
    /// Without links: a link stays a link.
    target: PathBuf,
    access: Access,
}

/// Who may read the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// As any other new file; a file that is replaced keeps its mode.
    Usual,
    /// Its owner only, also if it replaces another.
    Owner,
}

/// Whether a file's name stands for stdout, or for stdin.
pub(crate) fn is_standard_stream(file: &Path) -> bool {
    file.as_os_str() == "-"
}

/// The folder of a file; that of a plain name is the current one.
pub(crate) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

impl CompleteFile {
    /// Checks that the file can be written, and leaves nothing: without a place for its output, a command sends nothing.
    pub(crate) fn new(name: &'static str, path: &Path, access: Access) -> Result<CompleteFile, Failure> {
        // The complete file would take its place: for root, that of `/dev/null`, too.
        if let Some(kind) = files::not_a_file(path) {
            return Err(usage_error(format!("{name}: {} is {kind}, not a regular file", ShownPath(path))));
        }
        let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let file = CompleteFile { name, target, access };
        // It has no name, so no signal leaves it.
        tempfile::tempfile_in(folder_of(&file.target)).map_err(|e| file.failed(creation_text(&e)))?;
        match std::fs::metadata(&file.target) {
            // A name that is too long, for example.
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(file.failed(creation_text(&e))),
            _ => Ok(file),
        }
    }

    /// Writes the whole content. A signal meanwhile ends the program after that.
    pub(crate) fn write(&self, content: &[u8]) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| self.failed(io_text(&e)))?;
        runtime.block_on(async {
            let mut signals = Signals::listen().map_err(|e| self.failed(io_text(&e)))?;
            self.replace(content).map_err(|e| self.failed(creation_text(&e)))?;
            match tokio::time::timeout(Duration::from_millis(1), signals.next()).await {
                Ok((number, _)) => Err(Failure::Reported(exit::after_signal(number))),
                Err(_) => Ok(()),
            }
        })
    }

    fn replace(&self, content: &[u8]) -> io::Result<()> {
        let mut temporary = self.temporary()?;
        temporary.write_all(content)?;
        // After a crash the file must not be incomplete.
        temporary.as_file().sync_all()?;
        temporary.persist(&self.target).map(drop).map_err(|e| e.error)
    }

    #[cfg(unix)]
    fn temporary(&self) -> io::Result<NamedTempFile> {
        use std::fs::Permissions;
        use std::os::unix::fs::PermissionsExt as _;
        // The umask applies, too.
        let mode = if self.access == Access::Owner { 0o600 } else { 0o666 };
        let folder = folder_of(&self.target);
        let temporary =
            tempfile::Builder::new().permissions(Permissions::from_mode(mode)).tempfile_in(folder)?;
        if let (Access::Usual, Ok(old)) = (self.access, std::fs::metadata(&self.target)) {
            temporary.as_file().set_permissions(old.permissions())?;
        }
        Ok(temporary)
    }

    /// Other systems use access lists, which a file gets from its folder.
    #[cfg(not(unix))]
    fn temporary(&self) -> io::Result<NamedTempFile> {
        NamedTempFile::new_in(folder_of(&self.target))
    }

    fn failed(&self, reason: String) -> Failure {
        usage_error(format!("{}: cannot write {}: {reason}", self.name, ShownPath(&self.target)))
    }
}
