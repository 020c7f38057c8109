//! Where a download goes, and what is done with it on the way: decompressed, counted, hashed.

use std::io;
#[cfg(feature = "bill")]
use std::io::Write as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
#[cfg(feature = "bill")]
use flate2::write::MultiGzDecoder;
use tokio::fs::File;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::crypto::digest::hex;
use crate::error::Error;
use crate::sign;

/// How much is decompressed in one step: gzip makes at most about a thousand times as much of it.
#[cfg(feature = "bill")]
const STEP: usize = 2048;

/// Where it goes.
pub(crate) enum Sink {
    Path(PathBuf),
    Writer(Box<dyn AsyncWrite + Send + Unpin>),
}

/// Why a download ends early; the caller knows of which call.
pub(super) enum Stop {
    TooLarge(u64),
    Unwritten {
        to: String,
        source: io::Error,
    },
    #[cfg_attr(not(feature = "bill"), expect(dead_code, reason = "only `bill` decompresses"))]
    NoGzip(io::Error),
}

/// An open sink.
pub(super) enum Target {
    File {
        // Closed before `part` removes it: the order of these two matters where open files cannot be removed.
        file: File,
        part: Part,
    },
    Writer(Box<dyn AsyncWrite + Send + Unpin>),
}

/// The file beside the target, which is removed unless it gets the target's name.
pub(super) struct Part {
    temporary: PathBuf,
    target: PathBuf,
    kept: bool,
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.kept {
            // Nobody is left to be told.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

impl Target {
    /// Opened at once, not on the blocking pool: a future that is dropped meanwhile could not remove the file.
    pub(super) fn open(sink: Sink) -> Result<Target, Error> {
        let target = match sink {
            Sink::Writer(writer) => return Ok(Target::Writer(writer)),
            Sink::Path(path) => path,
        };
        let refuse =
            |reason: String| Error::config("save_to", format!("names `{}`, {reason}", target.display()));
        if target.file_name().is_none() {
            return Err(refuse("which is no file's name".to_owned()));
        }
        if target.is_dir() {
            return Err(refuse("which is a folder".to_owned()));
        }
        let unique = sign::nonce()?;
        let temporary =
            target.with_file_name(format!(".wechatpay-{}.part", unique.get(..16).unwrap_or(&unique)));
        let file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)
            .map_err(|e| refuse(format!("beside which no file can be made: {e}")))?;
        let part = Part { temporary, target, kept: false };
        Ok(Target::File { file: File::from_std(file), part })
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let result = match self {
            Target::File { file, .. } => file.write_all(bytes).await,
            Target::Writer(writer) => writer.write_all(bytes).await,
        };
        result.map_err(|source| self.unwritten(source))
    }

    async fn flush(&mut self) -> Result<(), Stop> {
        let result = match self {
            Target::File { file, .. } => file.flush().await,
            Target::Writer(writer) => writer.flush().await,
        };
        result.map_err(|source| self.unwritten(source))
    }

    /// Gives the file its name. It is on the disk before: a name must not stand for a file that a crash cut.
    pub(super) async fn keep(self) -> Result<Option<PathBuf>, Stop> {
        let Target::File { file, mut part } = self else { return Ok(None) };
        let unwritten = |source, path: &Path| Stop::Unwritten { to: format!("`{}`", path.display()), source };
        file.sync_all().await.map_err(|e| unwritten(e, &part.target))?;
        drop(file);
        std::fs::rename(&part.temporary, &part.target).map_err(|e| unwritten(e, &part.target))?;
        part.kept = true;
        Ok(Some(std::mem::take(&mut part.target)))
    }

    fn unwritten(&self, source: io::Error) -> Stop {
        let to = match self {
            Target::File { part, .. } => format!("`{}`", part.target.display()),
            Target::Writer(_) => "the writer".to_owned(),
        };
        Stop::Unwritten { to, source }
    }
}

/// What is on its way into the sink.
pub(super) struct Content {
    target: Target,
    #[cfg(feature = "bill")]
    gzip: Option<MultiGzDecoder<Vec<u8>>>,
    limit: u64,
    bytes: u64,
    sha1: Context,
}

/// What was written.
pub(super) struct Written {
    pub(super) target: Target,
    pub(super) bytes: u64,
    pub(super) sha1: String,
}

impl Content {
    pub(super) fn new(target: Target, limit: Option<u64>) -> Content {
        Content {
            target,
            #[cfg(feature = "bill")]
            gzip: None,
            limit: limit.unwrap_or(u64::MAX),
            bytes: 0,
            sha1: Context::new(&SHA1_FOR_LEGACY_USE_ONLY),
        }
    }

    #[cfg(feature = "bill")]
    pub(super) fn gunzip(mut self, gunzip: bool) -> Content {
        self.gzip = gunzip.then(|| MultiGzDecoder::new(Vec::new()));
        self
    }

    pub(super) async fn push(&mut self, chunk: &[u8]) -> Result<(), Stop> {
        #[cfg(feature = "bill")]
        if self.gzip.is_some() {
            return self.decompress(chunk).await;
        }
        self.put(chunk).await
    }

    #[cfg(feature = "bill")]
    async fn decompress(&mut self, chunk: &[u8]) -> Result<(), Stop> {
        // In small steps, so that a file made to expand does not do so in memory.
        for step in chunk.chunks(STEP) {
            if let Some(gzip) = &mut self.gzip {
                gzip.write_all(step).map_err(Stop::NoGzip)?;
            }
            self.put_decompressed().await?;
        }
        Ok(())
    }

    #[cfg(feature = "bill")]
    async fn put_decompressed(&mut self) -> Result<(), Stop> {
        let Some(gzip) = &mut self.gzip else { return Ok(()) };
        let mut bytes = std::mem::take(gzip.get_mut());
        self.put(&bytes).await?;
        bytes.clear();
        if let Some(gzip) = &mut self.gzip {
            *gzip.get_mut() = bytes;
        }
        Ok(())
    }

    async fn put(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        self.bytes += bytes.len() as u64;
        if self.bytes > self.limit {
            return Err(Stop::TooLarge(self.limit));
        }
        self.sha1.update(bytes);
        self.target.write(bytes).await
    }

    pub(super) async fn finish(mut self) -> Result<Written, Stop> {
        #[cfg(feature = "bill")]
        if let Some(gzip) = &mut self.gzip {
            gzip.try_finish().map_err(Stop::NoGzip)?;
            self.put_decompressed().await?;
        }
        self.target.flush().await?;
        Ok(Written { target: self.target, bytes: self.bytes, sha1: hex(self.sha1.finish().as_ref()) })
    }
}
