//! A journal's file: locked, and read for what an earlier run left in it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _};
use std::path::Path;

use fs4::{FileExt, TryLockError};

use super::records::{Read, Record, Run, VERSION};
use super::states::{Ledger, Phase};
use crate::exit::{Failure, usage};

/// An answer of the largest size, escaped, and what stands around it.
const LONGEST_LINE: u64 = 64 << 20;

/// Opens the journal for one process alone, reads what is in it into the ledger, and cuts off a torn last line.
pub(super) fn open(path: &Path, resume: bool, run: &Run, ledger: &mut Ledger) -> Result<File, Failure> {
    let shown = format!("`{}`", path.display());
    let wrong = |e: io::Error| usage(format!("the journal {shown} cannot be opened: {e}"));
    let there = path.exists();
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600); // answers hold personal data
    }
    let file = options.open(path).map_err(wrong)?;
    // By its full name: the standard library has one of that name since Rust 1.89.
    match FileExt::try_lock(&file) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(usage(format!("the journal {shown} is in use: another batch is running on it")));
        }
        Err(TryLockError::Error(e)) => {
            return Err(usage(format!("the journal {shown} cannot be locked: {e}")));
        }
    }
    let metadata = file.metadata().map_err(wrong)?;
    if !metadata.is_file() {
        return Err(usage(format!("the journal {shown} is no regular file: it could not be read again")));
    }
    let length = metadata.len();
    if length > 0 && !resume {
        return Err(usage(format!(
            "the journal {shown} is there already: go on with it by --resume, or name another one with -o"
        )));
    }
    let whole = read(&file, &shown, run, ledger)?;
    if whole < length {
        file.set_len(whole).and_then(|()| file.sync_data()).map_err(wrong)?;
        crate::output::warn(&format!(
            "the last line of {shown} was torn ({} bytes) and is cut off",
            length - whole
        ));
    }
    if !there {
        if resume {
            crate::output::warn(&format!("there is no journal {shown} yet: all calls are sent"));
        }
        // Its name has to be on the disk, too.
        sync_folder(path).map_err(wrong)?;
    }
    Ok(file)
}

/// How much of the file is whole lines.
fn read(file: &File, shown: &str, run: &Run, ledger: &mut Ledger) -> Result<u64, Failure> {
    let mut reader = BufReader::new(file);
    reader.rewind().map_err(|e| usage(format!("{shown} cannot be read: {e}")))?;
    let (mut whole, mut text) = (0, Vec::new());
    for line in 1_u64.. {
        let wrong = |why: &str| usage(format!("{shown}, line {line}: {why}"));
        text.clear();
        let length = (&mut reader)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut text)
            .map_err(|e| wrong(&format!("cannot be read: {e}")))?;
        let Some(record) = text.strip_suffix(b"\n") else {
            if length as u64 == LONGEST_LINE {
                return Err(wrong(&format!("is longer than {LONGEST_LINE} bytes")));
            }
            break;
        };
        whole += length as u64;
        let record = Record::parse(record)
            .map_err(|why| wrong(&format!("the journal is damaged, or no journal: {why}")))?;
        match record {
            Read::Run(earlier) if earlier.run != VERSION => {
                return Err(wrong(&format!(
                    "a journal of the form {}; this program knows {VERSION}",
                    earlier.run
                )));
            }
            Read::Run(earlier) if earlier != *run => {
                return Err(wrong(&format!(
                    "the journal is that of merchant {} at {}; this is merchant {} at {}",
                    earlier.mchid, earlier.platform, run.mchid, run.platform
                )));
            }
            Read::Run(_) => Ok(()),
            _ if line == 1 => Err("no journal begins like this".to_owned()),
            Read::Sent(id, digest) => ledger.learn(&id, &digest, Phase::Sent),
            Read::Ended(id, digest, outcome) => ledger.learn(&id, &digest, Phase::Ended(outcome)),
        }
        .map_err(|why| wrong(&why))?;
    }
    Ok(whole)
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
