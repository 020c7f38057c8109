//! A warning for a file with secrets that others can read.

use std::path::Path;

#[cfg(unix)]
pub(crate) fn check(what: &str, file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let others = |mode: u32| mode & 0o044 != 0;
    // One that is not there is told of where it is needed.
    if std::fs::metadata(file).is_ok_and(|found| others(found.permissions().mode())) {
        let shown = file.display();
        crate::output::warn(&format!("{what} `{shown}` can be read by others: chmod 600 '{shown}'"));
    }
}

/// Elsewhere access lists decide, which are not looked at.
#[cfg(not(unix))]
pub(crate) fn check(_: &str, _: &Path) {}
