//! A caller's path in a message.

use std::fmt;
use std::path::Path;

use super::Excerpt;

/// The path of a file that exists, or whose folder does: of a long one its name, since the end says more than the
/// beginning. Of any other the beginning: it may not be a path at all.
pub(crate) struct ShownPath<'a>(pub(crate) &'a Path);

impl fmt::Display for ShownPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX_CHARS: usize = 64;
        let path = self.0;
        let text = path.to_string_lossy();
        let is_path = || path.parent().is_some_and(|folder| folder.as_os_str().is_empty() || folder.is_dir());
        match path.file_name() {
            Some(name) if text.chars().count() > MAX_CHARS && is_path() => {
                fmt::Display::fmt(&Excerpt(&name.to_string_lossy()), f)
            }
            _ => fmt::Display::fmt(&Excerpt(&text), f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_long_path_is_shown_if_it_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("a".repeat(50)).join("b".repeat(50));
        std::fs::create_dir_all(&long).unwrap();
        assert_eq!(ShownPath(&long.join("key.pem")).to_string(), "`key.pem`");
        let missing = format!("/{}/{}", "no".repeat(40), "secret");
        let shown = ShownPath(Path::new(&missing)).to_string();
        assert!(shown.starts_with("`/no") && !shown.contains("secret"), "{shown}");
        assert_eq!(ShownPath(Path::new("/etc/key.pem")).to_string(), "`/etc/key.pem`");
    }
}
