//! A multipart body that is streamed: the head, the file in chunks, the tail.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use aws_lc_rs::digest::{self, Digest, SHA256};
use bytes::Bytes;
use http::HeaderValue;
use http_body::{Body, Frame, SizeHint};
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncRead as _, ReadBuf};

use crate::error::{Error, FileError};
use crate::files::{self, Unreadable};

/// How many bytes of a file are in memory at a time.
pub(crate) const CHUNK: usize = 128 * 1024;

/// The file of an upload.
#[derive(Clone)]
pub(crate) enum FileSource {
    File(PathBuf),
    Bytes(Bytes),
}

/// The length and the digest of the file when it was first read.
#[derive(Clone, Copy)]
pub(crate) struct FileFacts {
    pub(crate) length: u64,
    /// Only computed if the part `meta` contains it.
    pub(crate) sha256: Option<Digest>,
}

/// A multipart body: as large as the file, but in memory only if the caller had it there.
#[derive(Clone)]
pub(crate) struct Upload {
    /// The text of the part `meta`.
    pub(crate) meta: Bytes,
    pub(crate) content_type: HeaderValue,
    pub(crate) head: Bytes,
    pub(crate) tail: Bytes,
    pub(crate) source: FileSource,
    pub(crate) facts: FileFacts,
}

pub(crate) fn upload_error(reason: &str) -> Error {
    Error::config("media", reason)
}

/// An upload's file that cannot be read: nothing was sent.
pub(crate) fn unreadable_file(path: &Path, e: Unreadable) -> Error {
    let what = format!("an upload's file {e}; nothing was sent");
    let source = match e {
        Unreadable::Failed(e) => Some(e),
        _ => None,
    };
    file_error(path, what, source)
}

/// Opens the file of an upload. A pipe in its place must not be waited for.
async fn open(path: &Path) -> Result<(File, u64), Unreadable> {
    let file = OpenOptions::from(files::read_options()).open(path).await?;
    let metadata = file.metadata().await?;
    match metadata.is_file() {
        true => Ok((file, metadata.len())),
        false => Err(Unreadable::NotAFile("something else")),
    }
}

fn file_error(path: &Path, what: String, source: Option<io::Error>) -> Error {
    Error::File(Box::new(FileError { file: path.display().to_string(), what, maybe_sent: false, source }))
}

/// The reason why the body of an upload ends early. The HTTP library passes it on as a cause.
#[derive(Debug)]
pub(super) struct UploadFailure {
    pub(super) file: PathBuf,
    pub(super) how: &'static str,
    pub(super) kind: Option<io::ErrorKind>,
}

impl std::fmt::Display for UploadFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a file {} while it was sent", self.how)
    }
}

impl std::error::Error for UploadFailure {}

impl Upload {
    /// The body, from its beginning; each attempt asks for its own.
    pub(crate) async fn body(&self) -> Result<reqwest::Body, Error> {
        let content = match &self.source {
            FileSource::Bytes(bytes) => UploadContent::Bytes(bytes.clone()),
            FileSource::File(path) => {
                let (file, now) = open(path).await.map_err(|e| unreadable_file(path, e))?;
                if now != self.facts.length {
                    let what = format!(
                        "has changed: it had {} bytes when it was first read, and has {now} now; nothing was sent",
                        self.facts.length
                    );
                    return Err(file_error(path, what, None));
                }
                UploadContent::File(Box::new(FileStream {
                    file,
                    path: path.clone(),
                    left: now,
                    digest: self.facts.sha256.map(|expected| (digest::Context::new(&SHA256), expected)),
                    buffer: vec![0; CHUNK],
                }))
            }
        };
        let left = self.head.len() as u64 + self.facts.length + self.tail.len() as u64;
        let (head, tail) = (self.head.clone(), self.tail.clone());
        Ok(reqwest::Body::wrap(MultipartBody { head, content, tail, left }))
    }
}

struct MultipartBody {
    head: Bytes,
    content: UploadContent,
    tail: Bytes,
    left: u64,
}

enum UploadContent {
    Bytes(Bytes),
    File(Box<FileStream>),
    Done,
}

struct FileStream {
    file: File,
    path: PathBuf,
    left: u64,
    /// Computed again while sending, if `meta` contains it: the end of a changed file is never sent.
    digest: Option<(digest::Context, Digest)>,
    buffer: Vec<u8>,
}

impl FileStream {
    /// The next chunk; empty at the end of an unchanged file.
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        let mut buffer = ReadBuf::new(&mut self.buffer);
        let failed = |how, kind| io::Error::other(UploadFailure { file: self.path.clone(), how, kind });
        ready!(Pin::new(&mut self.file).poll_read(context, &mut buffer))
            .map_err(|e| failed("could not be read", Some(e.kind())))?;
        let read = buffer.filled();
        let changed = |how| failed(how, None);
        match self.left.checked_sub(read.len() as u64) {
            None => return Poll::Ready(Err(changed("became longer"))),
            Some(left) if read.is_empty() && left > 0 => return Poll::Ready(Err(changed("became shorter"))),
            Some(left) => self.left = left,
        }
        if let Some((sum, _)) = &mut self.digest {
            sum.update(read);
        }
        if read.is_empty()
            && let Some((sum, expected)) = self.digest.take()
            && sum.finish().as_ref() != expected.as_ref()
        {
            return Poll::Ready(Err(changed("was changed")));
        }
        Poll::Ready(Ok(Bytes::copy_from_slice(read)))
    }
}

impl Body for MultipartBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        let mut next = std::mem::take(&mut this.head);
        while next.is_empty() {
            next = match &mut this.content {
                UploadContent::Bytes(bytes) => {
                    let bytes = std::mem::take(bytes);
                    this.content = UploadContent::Done;
                    bytes
                }
                UploadContent::File(file) => {
                    let chunk = ready!(file.poll_chunk(context))?;
                    if chunk.is_empty() {
                        this.content = UploadContent::Done;
                    }
                    chunk
                }
                UploadContent::Done if this.tail.is_empty() => return Poll::Ready(None),
                UploadContent::Done => std::mem::take(&mut this.tail),
            };
        }
        this.left = this.left.saturating_sub(next.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(next))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    /// Exact: it becomes the `UploadContent-Length`.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
