//! The directory of an export. It is written file by file, each of them complete, and the index last. A list of the files
//! is written first, so that an export that was interrupted is one that can be repeated.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use crate::failure::{Failure, usage_error};
use crate::files;
use crate::text::{ShownPath, creation_text, io_text};

/// The list of the files, by which an earlier export is known.
const LIST: &str = "export.txt";
const HEADING: &str = "Files of `wxpay endpoints export`:";
/// In bytes; a list has about a hundred thousand.
const LONGEST_LIST: u64 = 4 << 20;

pub(super) struct Folder {
    path: PathBuf,
    /// The files of the earlier export.
    earlier: BTreeSet<String>,
}

impl Folder {
    /// Refuses a directory that has other things in it. Creates nothing yet.
    pub(super) fn open(path: &Path) -> Result<Folder, Failure> {
        let folder = Folder { path: path.to_owned(), earlier: BTreeSet::new() };
        let mut entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(folder),
            Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
                return Err(usage_error(format!("--html: {} is not a directory", ShownPath(path))));
            }
            Err(e) => {
                return Err(usage_error(format!("--html: cannot read {}: {}", ShownPath(path), io_text(&e))));
            }
        };
        if entries.next().is_none() {
            return Ok(folder);
        }
        let list =
            files::read(&path.join(LIST), LONGEST_LIST).ok().and_then(|list| String::from_utf8(list).ok());
        match list.as_deref().and_then(|list| list.strip_prefix(HEADING)) {
            Some(names) => {
                let earlier = names.lines().filter(|name| is_inside(name)).map(str::to_owned).collect();
                Ok(Folder { earlier, ..folder })
            }
            None => Err(usage_error(format!(
                "--html: {} is not empty, and not an earlier export",
                ShownPath(path)
            ))
            .with_hint("name a directory that is new or empty")),
        }
    }

    pub(super) fn write(&self, files: &BTreeMap<String, String>) -> Result<(), Failure> {
        let new: BTreeSet<String> = files.keys().cloned().collect();
        self.write_list(self.earlier.union(&new))?;
        let is_index = |name: &str| name.ends_with("index.html");
        let (indexes, pages): (Vec<_>, Vec<_>) = files.iter().partition(|(name, _)| is_index(name));
        for (name, content) in pages.into_iter().chain(indexes) {
            self.write_file(name, content)?;
        }
        for name in self.earlier.difference(&new) {
            self.remove(name);
        }
        self.write_list(new.iter())
    }

    fn write_list<'a>(&self, names: impl Iterator<Item = &'a String>) -> Result<(), Failure> {
        let names: String = names.map(|name| format!("\n{name}")).collect();
        self.write_file(LIST, &format!("{HEADING}{names}\n"))
    }

    /// A file that is the same already is left alone, so that its time stays.
    fn write_file(&self, name: &str, content: &str) -> Result<(), Failure> {
        let target = self.path.join(name);
        if fs::read(&target).is_ok_and(|found| found == content.as_bytes()) {
            return Ok(());
        }
        let write = || -> io::Result<()> {
            let folder = target.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder)?;
            let mut builder = tempfile::Builder::new();
            #[cfg(unix)]
            // The umask applies, too.
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
            let mut temporary = builder.tempfile_in(folder)?;
            temporary.write_all(content.as_bytes())?;
            temporary.persist(&target).map(drop).map_err(|e| e.error)
        };
        write().map_err(|e| {
            usage_error(format!("--html: cannot write {}: {}", ShownPath(&target), creation_text(&e)))
        })
    }

    /// Removes a file and the directories that are empty without it. What cannot be removed stays: nothing leads to it.
    fn remove(&self, name: &str) {
        let file = self.path.join(name);
        if fs::remove_file(&file).is_ok() {
            let above = file.ancestors().skip(1).take_while(|folder| *folder != self.path);
            above.take_while(|folder| fs::remove_dir(folder).is_ok()).for_each(drop);
        }
    }
}

/// Whether a listed name can only be a file of the directory.
fn is_inside(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}
