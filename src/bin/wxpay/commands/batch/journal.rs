//! Writes the journal. A record is on the disk before the call that it announces is sent, and before the result that it
//! holds counts.
//!
//! One thread does all writing. Records that arrive while it waits for the disk are written together, so that many
//! calls share one `fdatasync`.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

/// A larger buffer is freed after use.
const MAX_KEPT_BUFFER: usize = 1 << 20;

/// The journal cannot be written any more; [`close`](Journal::close) returns the reason.
#[derive(Debug)]
pub(super) struct WriteFailed;

struct Line {
    bytes: Vec<u8>,
    /// Notified once the line is on the disk.
    synced: Option<oneshot::Sender<()>>,
}

pub(super) struct Journal {
    lines: mpsc::Sender<Line>,
    error: Arc<OnceLock<io::Error>>,
    thread: JoinHandle<()>,
}

impl Journal {
    /// Writes from the file's position on. Up to `queue_length` lines wait for the disk.
    pub(super) fn start(file: File, queue_length: usize) -> io::Result<Journal> {
        // A pipe or a terminal (`-o -`) cannot be synced.
        let on_disk = file.metadata()?.is_file();
        let (lines, queue) = mpsc::channel(queue_length);
        let error = Arc::<OnceLock<io::Error>>::default();
        let shared = Arc::clone(&error);
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || {
            if let Err(error) = write_lines(&file, queue, on_disk) {
                // Cannot be set already: the thread ends at the first error.
                let _ = shared.set(error);
            }
        })?;
        Ok(Journal { lines, error, thread })
    }

    /// Writes a record, and returns once it is on the disk.
    pub(super) async fn write_and_sync(&self, record: &impl Serialize) -> Result<(), WriteFailed> {
        let (synced, wait) = oneshot::channel();
        self.push(record, Some(synced)).await?;
        wait.await.map_err(|_| WriteFailed)
    }

    /// Writes a record without waiting for the disk: the next [`write_and_sync`](Journal::write_and_sync), or the end,
    /// syncs it.
    pub(super) async fn write(&self, record: &impl Serialize) -> Result<(), WriteFailed> {
        self.push(record, None).await
    }

    async fn push(
        &self,
        record: &impl Serialize,
        synced: Option<oneshot::Sender<()>>,
    ) -> Result<(), WriteFailed> {
        let mut bytes = serde_json::to_vec(record).map_err(|_| WriteFailed)?;
        bytes.push(b'\n');
        self.lines.send(Line { bytes, synced }).await.map_err(|_| WriteFailed)
    }

    /// Waits until everything is on the disk.
    pub(super) fn close(self) -> io::Result<()> {
        drop(self.lines);
        let ended = self.thread.join().map_err(|_| io::Error::other("the journal's thread panicked"));
        match Arc::into_inner(self.error).and_then(OnceLock::into_inner) {
            Some(error) => Err(error),
            None => ended,
        }
    }
}

fn write_lines(mut file: &File, mut queue: mpsc::Receiver<Line>, on_disk: bool) -> io::Result<()> {
    let (mut bytes, mut waiting) = (Vec::new(), Vec::new());
    while let Some(line) = queue.blocking_recv() {
        let mut next = Some(line);
        while let Some(mut line) = next {
            bytes.append(&mut line.bytes);
            waiting.extend(line.synced);
            next = queue.try_recv().ok();
        }
        file.write_all(&bytes)?;
        bytes.clear();
        bytes.shrink_to(MAX_KEPT_BUFFER);
        // Results alone are not synced: the next announcement follows soon, and would have to wait for the busy disk.
        if on_disk && !waiting.is_empty() {
            file.sync_data()?;
        }
        for synced in waiting.drain(..) {
            // After Ctrl-C, the receiver may be gone.
            let _ = synced.send(());
        }
    }
    if on_disk { file.sync_data() } else { Ok(()) }
}
