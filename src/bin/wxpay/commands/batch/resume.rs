//! Opens a journal: locks the file, and reads the results of earlier runs.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use fs4::{FileExt, TryLockError};

use super::records::{Record, RunRecord, VERSION};
use super::refusals::Refusals;
use super::states::{Mismatch, State, States};
use crate::complete_file::folder_of;
use crate::failure::{Failure, usage_error};
use crate::output;
use crate::text::{Message, ShownPath, creation_text, io_text};

/// Enough for the longest response, escaped, and the other members.
const MAX_LINE_BYTES: u64 = 64 << 20;

/// Opens the journal for this process only, restores the states of the calls from it, and discards an incomplete last
/// line.
pub(super) fn open(
    path: &Path,
    resume: bool,
    run: &RunRecord,
    states: &mut States,
    refusals: &mut Refusals,
) -> Result<File, Failure> {
    let shown = ShownPath(path).to_string();
    let failed =
        |e: io::Error| usage_error(format!("cannot open the journal {shown}: {}", creation_text(&e)));
    let existed = path.exists();
    let mut options = OpenOptions::new();
    // Not for appending: on Windows such a file cannot be cut. The lock keeps other writers out.
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600); // responses hold personal data
    }
    let file = options.open(path).map_err(failed)?;
    // Qualified: since Rust 1.89, the standard library has a method of the same name.
    match FileExt::try_lock(&file) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(usage_error(format!("the journal {shown} is in use by another batch")));
        }
        Err(TryLockError::Error(e)) => {
            return Err(usage_error(format!("cannot lock the journal {shown}: {}", io_text(&e))));
        }
    }
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(usage_error(format!("expected a regular file for the journal, found {shown}")));
    }
    let length = metadata.len();
    if length > 0 && !resume {
        return Err(usage_error(format!("the journal {shown} already exists"))
            .with_hint("continue it with --resume, or name another file with -o"));
    }
    restrict(&file, &shown);
    let complete = read(&file, &shown, run, states, refusals)?;
    if complete < length {
        file.set_len(complete).and_then(|()| file.sync_data()).map_err(failed)?;
        let discarded = length - complete;
        output::warn(&format!("discarded the incomplete last line of {shown} ({discarded} bytes)"));
    }
    (&file).seek(SeekFrom::Start(complete)).map_err(failed)?;
    if !existed {
        if resume {
            output::warn(&format!("the journal {shown} does not exist yet: all calls will be sent"));
        }
        // The file's name must be on the disk, too.
        sync_folder(path).map_err(failed)?;
    }
    Ok(file)
}

/// Reads the records, and returns the length of the complete lines.
fn read(
    file: &File,
    shown: &str,
    run: &RunRecord,
    states: &mut States,
    refusals: &mut Refusals,
) -> Result<u64, Failure> {
    let mut reader = BufReader::new(file);
    reader.rewind().map_err(|e| usage_error(format!("cannot read {shown}: {}", io_text(&e))))?;
    let (mut complete, mut text) = (0, Vec::new());
    for line in 1_u64.. {
        let invalid = |reason: &str| usage_error(format!("{shown}, line {line}: {reason}"));
        text.clear();
        let length = (&mut reader)
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut text)
            .map_err(|e| invalid(&format!("cannot read the line: {}", io_text(&e))))?;
        let Some(record) = text.strip_suffix(b"\n") else {
            if length as u64 == MAX_LINE_BYTES {
                return Err(invalid(&format!("line too long (limit {MAX_LINE_BYTES} bytes)")));
            }
            break;
        };
        complete += length as u64;
        let record = match Record::parse(record) {
            Ok(record) => Ok(record),
            Err(reason) => match after_torn_record(record) {
                Some(run) => {
                    output::warn(&format!("{shown}, line {line}: skipped an incomplete record before `run`"));
                    Ok(run)
                }
                None => Err(invalid(&format!("the journal is damaged, or not a journal: {reason}"))),
            },
        }?;
        match record {
            Record::Run(earlier) if earlier.run != VERSION => {
                Err(format!("expected a journal of version {VERSION}, found version {}", earlier.run).into())
            }
            Record::Run(earlier) if earlier != *run => Err(Mismatch::from(format!(
                "the journal belongs to merchant {} at {}, but this is merchant {} at {}",
                Message(&earlier.mchid),
                Message(&earlier.platform),
                Message(&run.mchid),
                Message(&run.platform)
            ))),
            Record::Run(_) => Ok(()),
            _ if line == 1 => Err("not a journal: its first record must be `run`".to_owned().into()),
            Record::Sent { id, digest } => states.restore(&id, &digest, State::Sent).map(drop),
            Record::Result { id, digest, outcome, refusal } => {
                states.restore(&id, &digest, State::Finished(outcome)).map(|open| {
                    if let Some(refusal) = refusal.filter(|_| open) {
                        refusals.add(&id, refusal);
                    }
                })
            }
        }
        .map_err(|Mismatch { fault, fix }| match fix {
            "" => invalid(&fault),
            fix => invalid(&fault).with_hint(fix),
        })?;
    }
    Ok(complete)
}

/// The `run` record on a line that begins with an incomplete record: journals were concatenated, and one of them ended in
/// the middle of a line. An incomplete `sent` was not followed by sending, and an incomplete result leaves its call
/// `sent`, so nothing is lost.
fn after_torn_record(line: &[u8]) -> Option<Record> {
    const RUN: &[u8] = b"{\"run\":";
    let at = line.windows(RUN.len()).rposition(|window| window == RUN)?;
    match Record::parse(line.get(at..)?) {
        Ok(run @ Record::Run(_)) if at > 0 => Some(run),
        _ => None,
    }
}

/// Responses hold personal data. A journal that a shell wrote (`cat a b > c`) is readable by others.
#[cfg(unix)]
fn restrict(file: &File, shown: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let Ok(metadata) = file.metadata() else { return };
    if metadata.permissions().mode() & 0o077 == 0 {
        return;
    }
    match file.set_permissions(std::fs::Permissions::from_mode(0o600)) {
        Ok(()) => output::warn(&format!("other users could read the journal {shown}: its mode is 0600 now")),
        Err(e) => {
            let reason = io_text(&e);
            output::warn(&format!(
                "other users can read the journal {shown}; its mode cannot be changed: {reason}"
            ));
        }
    }
}

#[cfg(not(unix))]
fn restrict(_: &File, _: &str) {}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

/// Other systems cannot open a folder.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
