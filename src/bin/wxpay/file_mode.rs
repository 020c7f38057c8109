//! A warning for files with secrets that other users can read.

use std::path::Path;

#[cfg(unix)]
pub(crate) fn warn_if_readable_by_others(description: &str, file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    const GROUP_OR_OTHERS_READ: u32 = 0o044;
    // A missing file is reported by the code that reads it.
    if std::fs::metadata(file).is_ok_and(|found| found.permissions().mode() & GROUP_OR_OTHERS_READ != 0) {
        let path = file.display();
        crate::output::warn(&format!(
            "run `chmod 600 '{path}'`: other users can read {description} `{path}`"
        ));
    }
}

/// Other systems use access lists, which are not checked.
#[cfg(not(unix))]
pub(crate) fn warn_if_readable_by_others(_: &str, _: &Path) {}
