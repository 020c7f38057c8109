//! The file or writer of a download; the content is decompressed, counted and hashed on its way there.

use std::io;
#[cfg(feature = "bill")]
use std::io::Write as _;
use std::path::{Path, PathBuf};

#[cfg(feature = "bill")]
use aws_lc_rs::digest::SHA256;
use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
#[cfg(feature = "bill")]
use flate2::write::MultiGzDecoder;
use tokio::fs::File;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::crypto::digest::{FileDigest, hex};
use crate::crypto::random::nonce;
use crate::error::{Error, Excerpt, FileError, VerifyReason};
use crate::files::{self, creation_reason, io_reason};

/// The bytes that are decompressed in one step: gzip expands them at most about a thousand times.
#[cfg(feature = "bill")]
const GUNZIP_STEP: usize = 2048;

/// The destination of a download.
pub(crate) enum Sink {
    Path(PathBuf),
    Writer(Box<dyn AsyncWrite + Send + Unpin>),
}

/// The reason why a download ends early.
pub(super) enum Stop {
    TooLarge(u64),
    Unwritten {
        /// The file's name; empty for a writer.
        to: String,
        source: io::Error,
    },
    #[cfg_attr(not(feature = "bill"), expect(dead_code, reason = "only `bill` decompresses"))]
    InvalidGzip(io::Error),
}

/// An open destination.
pub(super) enum OpenSink {
    File {
        // Declared before `part`, so it is closed before `part` removes it: some systems cannot remove an open file.
        file: File,
        part: PartFile,
    },
    Writer(Box<dyn AsyncWrite + Send + Unpin>),
}

/// The temporary file next to the target. It is removed unless it is renamed to the target.
pub(super) struct PartFile {
    temporary: PathBuf,
    /// The target, without links.
    place: PathBuf,
    /// As the caller named it.
    target: PathBuf,
    committed: bool,
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.committed {
            // No caller is left for an error.
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

impl OpenSink {
    /// Opens it on this thread, not on the blocking pool: a future that is dropped meanwhile could not remove the file.
    pub(super) fn open(sink: Sink) -> Result<OpenSink, Error> {
        let target = match sink {
            Sink::Writer(writer) => return Ok(OpenSink::Writer(writer)),
            Sink::Path(path) => path,
        };
        let refuse =
            |reason: &str| Error::config("save_to", format!("names {}, {reason}", Excerpt(&shown(&target))));
        if target.file_name().is_none() {
            return Err(refuse("which is not a file name"));
        }
        if target.is_dir() {
            return Err(refuse("which is a directory"));
        }
        // The rename at the end would put a file in its place: for root, in that of `/dev/null`, too.
        if let Some(kind) = files::not_a_file(&target) {
            return Err(
                refuse(&format!("which is {kind}, not a regular file")).advise("use `save_to_writer`")
            );
        }
        // A name that is too long, for example, which would show only once the content is here.
        if let Err(e) = std::fs::metadata(&target)
            && e.kind() != io::ErrorKind::NotFound
        {
            return Err(unopened(&target, &format!("cannot be created: {}", creation_reason(&e)), e));
        }
        let unique = nonce()?;
        // The file that a link names is replaced, not the link.
        let place = std::fs::canonicalize(&target).unwrap_or_else(|_| target.clone());
        let temporary =
            place.with_file_name(format!(".wechatpay-{}.part", unique.get(..16).unwrap_or(&unique)));
        let file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)
            .map_err(|e| unopened(&target, &format!("cannot be created: {}", creation_reason(&e)), e))?;
        let part = PartFile { temporary, place, target, committed: false };
        // It may be readable by its owner only.
        if let Ok(old) = std::fs::metadata(&part.place) {
            let kept = file.set_permissions(old.permissions());
            kept.map_err(|e| {
                unopened(&part.target, &format!("cannot keep its permissions: {}", io_reason(&e)), e)
            })?;
        }
        Ok(OpenSink::File { file: File::from_std(file), part })
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let result = match self {
            OpenSink::File { file, .. } => file.write_all(bytes).await,
            OpenSink::Writer(writer) => writer.write_all(bytes).await,
        };
        result.map_err(|source| self.unwritten(source))
    }

    async fn flush(&mut self) -> Result<(), Stop> {
        let result = match self {
            OpenSink::File { file, .. } => file.flush().await,
            OpenSink::Writer(writer) => writer.flush().await,
        };
        result.map_err(|source| self.unwritten(source))
    }

    /// Renames the file to the target, once it is on the disk: after a crash the target must not be incomplete.
    pub(super) async fn commit(self) -> Result<Option<PathBuf>, Stop> {
        let (file, mut part) = match self {
            OpenSink::File { file, part } => (file, part),
            OpenSink::Writer(_) => return Ok(None),
        };
        let unwritten = |source, path: &Path| Stop::Unwritten { to: shown(path), source };
        file.sync_all().await.map_err(|e| unwritten(e, &part.target))?;
        drop(file);
        std::fs::rename(&part.temporary, &part.place).map_err(|e| unwritten(e, &part.target))?;
        part.committed = true;
        Ok(Some(std::mem::take(&mut part.target)))
    }

    fn unwritten(&self, source: io::Error) -> Stop {
        let to = match self {
            OpenSink::File { part, .. } => shown(&part.target),
            OpenSink::Writer(_) => String::new(),
        };
        Stop::Unwritten { to, source }
    }
}

fn unopened(target: &Path, what: &str, e: io::Error) -> Error {
    Error::File(Box::new(FileError {
        file: shown(target),
        what: format!("{what}; nothing was sent"),
        maybe_sent: false,
        source: Some(e),
    }))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The content on its way into the target.
pub(super) struct ContentWriter {
    target: OpenSink,
    #[cfg(feature = "bill")]
    gzip: Option<MultiGzDecoder<Vec<u8>>>,
    limit: u64,
    bytes: u64,
    sha1: Context,
    /// Only for a digest that is to be checked.
    #[cfg(feature = "bill")]
    sha256: Option<Context>,
}

/// The completely written content.
pub(super) struct Written {
    pub(super) target: OpenSink,
    pub(super) bytes: u64,
    pub(super) sha1: String,
    #[cfg(feature = "bill")]
    pub(super) sha256: Option<String>,
}

impl Written {
    /// The error if the content does not have this digest.
    pub(super) fn differs(&self, expected: FileDigest) -> Option<VerifyReason> {
        let (algorithm, actual, expected) = match expected {
            FileDigest::Sha1(expected) => ("SHA-1", self.sha1.clone(), expected),
            #[cfg(feature = "bill")]
            FileDigest::Sha256(expected) => ("SHA-256", self.sha256.clone().unwrap_or_default(), expected),
        };
        let is_equal = expected.eq_ignore_ascii_case(&actual);
        (!is_equal).then_some(VerifyReason::BadDigest { algorithm, expected, actual })
    }
}

impl ContentWriter {
    pub(super) fn new(target: OpenSink, limit: Option<u64>) -> ContentWriter {
        ContentWriter {
            target,
            #[cfg(feature = "bill")]
            gzip: None,
            limit: limit.unwrap_or(u64::MAX),
            bytes: 0,
            sha1: Context::new(&SHA1_FOR_LEGACY_USE_ONLY),
            #[cfg(feature = "bill")]
            sha256: None,
        }
    }

    /// Computes what is needed to check these digests.
    #[cfg(feature = "bill")]
    pub(super) fn with_digests(mut self, expected: &[FileDigest]) -> ContentWriter {
        let needs_sha256 = expected.iter().any(|digest| matches!(digest, FileDigest::Sha256(_)));
        self.sha256 = needs_sha256.then(|| Context::new(&SHA256));
        self
    }

    #[cfg(feature = "bill")]
    pub(super) fn gunzip(mut self, gunzip: bool) -> ContentWriter {
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

    /// Decompresses in small steps, so that a file made to expand does not fill the memory.
    #[cfg(feature = "bill")]
    async fn decompress(&mut self, chunk: &[u8]) -> Result<(), Stop> {
        for step in chunk.chunks(GUNZIP_STEP) {
            if let Some(gzip) = &mut self.gzip {
                gzip.write_all(step).map_err(Stop::InvalidGzip)?;
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
        #[cfg(feature = "bill")]
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(bytes);
        }
        self.target.write(bytes).await
    }

    pub(super) async fn finish(mut self) -> Result<Written, Stop> {
        #[cfg(feature = "bill")]
        {
            if let Some(gzip) = &mut self.gzip {
                gzip.try_finish().map_err(Stop::InvalidGzip)?;
            }
            self.put_decompressed().await?;
        }
        self.target.flush().await?;
        Ok(Written {
            target: self.target,
            bytes: self.bytes,
            sha1: hex(self.sha1.finish().as_ref()),
            #[cfg(feature = "bill")]
            sha256: self.sha256.map(|sha256| hex(sha256.finish().as_ref())),
        })
    }
}
