//! An upload on its way out: the head, the file in chunks, the tail.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use aws_lc_rs::digest::{self, Digest, SHA256};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::fs::File;
use tokio::io::{AsyncRead as _, ReadBuf};

use super::{CHUNK, Source, Upload, refuse, unreadable};
use crate::error::Error;

impl Upload {
    /// The body, from its beginning: another attempt asks for another one.
    pub(crate) async fn body(&self) -> Result<reqwest::Body, Error> {
        let file = match &self.source {
            Source::Bytes(bytes) => Content::Bytes(bytes.clone()),
            Source::File(path) => {
                let file = File::open(path).await.map_err(|e| unreadable(path, &e))?;
                let now = file.metadata().await.map_err(|e| unreadable(path, &e))?.len();
                if now != self.found.length {
                    let reason = format!(
                        "has changed: the file had {} bytes when it was first read, and has {now} now",
                        self.found.length
                    );
                    return Err(refuse(&reason));
                }
                Content::File(Box::new(Streamed {
                    file,
                    left: now,
                    digest: self.found.sha256.map(|expected| (digest::Context::new(&SHA256), expected)),
                    buffer: vec![0; CHUNK],
                }))
            }
        };
        let left = self.head.len() as u64 + self.found.length + self.tail.len() as u64;
        Ok(reqwest::Body::wrap(Parts {
            head: self.head.clone(),
            content: file,
            tail: self.tail.clone(),
            left,
        }))
    }
}

struct Parts {
    head: Bytes,
    content: Content,
    tail: Bytes,
    left: u64,
}

enum Content {
    Bytes(Bytes),
    File(Box<Streamed>),
    Done,
}

struct Streamed {
    file: File,
    left: u64,
    /// Made once more on the way, when the meta has it: the end of a file that was changed is never sent.
    digest: Option<(digest::Context, Digest)>,
    buffer: Vec<u8>,
}

impl Streamed {
    /// The next chunk; empty at the end of a file that is still what it was.
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        let mut buffer = ReadBuf::new(&mut self.buffer);
        ready!(Pin::new(&mut self.file).poll_read(context, &mut buffer))?;
        let read = buffer.filled();
        let changed = |how: &str| io::Error::other(format!("the file {how} while it was sent"));
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

impl Body for Parts {
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
                Content::Bytes(bytes) => {
                    let bytes = std::mem::take(bytes);
                    this.content = Content::Done;
                    bytes
                }
                Content::File(file) => {
                    let chunk = ready!(file.poll_chunk(context))?;
                    if chunk.is_empty() {
                        this.content = Content::Done;
                    }
                    chunk
                }
                Content::Done if this.tail.is_empty() => return Poll::Ready(None),
                Content::Done => std::mem::take(&mut this.tail),
            };
        }
        this.left = this.left.saturating_sub(next.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(next))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    /// Exact: the platform is told a `Content-Length`.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
