//! The journal: JSON lines that are on the disk before what they announce is done, and before what they tell counts.
//!
//! A thread of its own writes them. While it waits for the disk, what comes meanwhile gathers, and goes out together:
//! many calls share one `fdatasync`.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

/// A buffer that grew beyond this is not kept.
const KEPT: usize = 1 << 20;

/// The journal cannot be written any more; why, it says at its [`close`](Journal::close).
#[derive(Debug)]
pub(super) struct Broken;

struct Line {
    bytes: Vec<u8>,
    /// Told once the line is on the disk.
    written: Option<oneshot::Sender<()>>,
}

pub(super) struct Journal {
    lines: mpsc::Sender<Line>,
    why: Arc<OnceLock<io::Error>>,
    thread: JoinHandle<()>,
}

impl Journal {
    /// Goes on at the end of this file; `waiting` lines may wait for the disk.
    pub(super) fn start(file: File, waiting: usize) -> io::Result<Journal> {
        let (lines, queue) = mpsc::channel(waiting);
        let why = Arc::<OnceLock<io::Error>>::default();
        let told = Arc::clone(&why);
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || {
            if let Err(error) = commit(&file, queue) {
                // The first one, and the only one: the thread ends.
                let _ = told.set(error);
            }
        })?;
        Ok(Journal { lines, why, thread })
    }

    /// Writes a record, and comes back once it is on the disk.
    pub(super) async fn write(&self, record: &impl Serialize) -> Result<(), Broken> {
        let (written, wait) = oneshot::channel();
        self.push(record, Some(written)).await?;
        wait.await.map_err(|_| Broken)
    }

    /// Writes a record that nothing waits for but the end: it goes to the disk with the next one that is waited for.
    pub(super) async fn tell(&self, record: &impl Serialize) -> Result<(), Broken> {
        self.push(record, None).await
    }

    async fn push(
        &self,
        record: &impl Serialize,
        written: Option<oneshot::Sender<()>>,
    ) -> Result<(), Broken> {
        let mut bytes = serde_json::to_vec(record).map_err(|_| Broken)?;
        bytes.push(b'\n');
        self.lines.send(Line { bytes, written }).await.map_err(|_| Broken)
    }

    /// Waits until all of it is on the disk.
    pub(super) fn close(self) -> io::Result<()> {
        drop(self.lines);
        let ended = self.thread.join().map_err(|_| io::Error::other("its thread broke"));
        match Arc::into_inner(self.why).and_then(OnceLock::into_inner) {
            Some(error) => Err(error),
            None => ended,
        }
    }
}

fn commit(mut file: &File, mut queue: mpsc::Receiver<Line>) -> io::Result<()> {
    let (mut bytes, mut waiting) = (Vec::new(), Vec::new());
    while let Some(line) = queue.blocking_recv() {
        let mut next = Some(line);
        while let Some(mut line) = next {
            bytes.append(&mut line.bytes);
            waiting.extend(line.written);
            next = queue.try_recv().ok();
        }
        file.write_all(&bytes)?;
        bytes.clear();
        bytes.shrink_to(KEPT);
        // A result is followed by the next announcement, and that would have to wait for a disk that is busy with it.
        if !waiting.is_empty() {
            file.sync_data()?;
        }
        for written in waiting.drain(..) {
            // Nobody listens after a Ctrl-C.
            let _ = written.send(());
        }
    }
    file.sync_data()
}
