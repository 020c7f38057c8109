//! Downloads: streamed to a file, and verified before the file gets its name.

mod sink;
mod stream;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use tokio::runtime::Handle;
use tracing::Instrument as _;

#[cfg(feature = "bill")]
use super::bill::ticket;
use super::draft::Draft;
#[cfg(feature = "bill")]
use crate::crypto::digest::is_sha256_hex;
use crate::crypto::digest::{FileDigest, is_sha1_hex};
use crate::error::{Error, Excerpt};
use crate::response::{Saved, request_id};
use crate::runtime::{InRuntime, IoRuntime, background};
use crate::v3::Context;
use crate::v3::exchange::Call;
pub(crate) use sink::Sink;
use sink::{ContentWriter, OpenSink};
use stream::{Proof, Stream, open};

/// A download, made by [`Request::save_to`](crate::Request::save_to): a builder that is a future. `.await` runs it;
/// [`wait`](Download::wait) runs it and blocks.
///
/// The response is streamed in constant memory, without the limit of
/// [`max_body`](crate::WeChatPayBuilder::max_body), into a `.part` file next to the target. The file gets its name only
/// if everything is right: the signature, for a path that the platform signs, and the digest, if one is known. After an
/// error, and if the future is dropped, the `.part` file is removed and an existing target is unchanged. An error status
/// is [`Error::Api`], as for every call.
///
/// **Timeout.** A gigabyte has no sensible one. So the timeout (the client's, or
/// [`Request::timeout`](crate::Request::timeout)) applies to everything up to the head of the response (certificates,
/// signature, attempts, pauses; for a bill the first request, too), and then to each next piece.
///
/// ```no_run
/// # async fn f(wx: &wechatpay_chain::WeChatPay) -> Result<(), wechatpay_chain::Error> {
/// let saved = wx
///     .chain("v3/merchant-service/images/{+media_id}")
///     .get()
///     .var("media_id", "ChsyMDAyMDA4MDAy")
///     .save_to("image.jpg")
///     .progress(|received, total| println!("{received} of {total:?}"))
///     .await?;
/// println!("{} bytes, SHA-1 {}", saved.bytes, saved.sha1);
/// # Ok(()) }
/// ```
#[must_use = "a download is started by `.await`, `.send()` or `.wait()`"]
pub struct Download {
    context: Arc<Context>,
    source: DownloadSource,
    sink: Sink,
    #[cfg(feature = "bill")]
    gunzip: bool,
    sha1: Option<String>,
    #[cfg(feature = "bill")]
    sha256: Option<String>,
    max_bytes: Option<u64>,
    progress: Option<Progress>,
}

type Progress = Box<dyn FnMut(u64, Option<u64>) + Send>;

/// The response that is saved.
enum DownloadSource {
    /// The response of this request.
    Request(Draft),
    /// The file that the response of this request names.
    #[cfg(feature = "bill")]
    Bill { draft: Draft, allow_unverified: bool },
}

impl DownloadSource {
    fn draft(&self) -> &Draft {
        match self {
            DownloadSource::Request(draft) => draft,
            #[cfg(feature = "bill")]
            DownloadSource::Bill { draft, .. } => draft,
        }
    }
}

impl Download {
    pub(super) fn new(context: Arc<Context>, draft: Draft, sink: Sink) -> Download {
        Download::of(context, DownloadSource::Request(draft), sink)
    }

    /// A download of the file that the response of `draft` names.
    #[cfg(feature = "bill")]
    pub(super) fn of_bill(
        context: Arc<Context>,
        draft: Draft,
        allow_unverified: bool,
        sink: Sink,
    ) -> Download {
        Download::of(context, DownloadSource::Bill { draft, allow_unverified }, sink)
    }

    fn of(context: Arc<Context>, source: DownloadSource, sink: Sink) -> Download {
        Download {
            context,
            source,
            sink,
            #[cfg(feature = "bill")]
            gunzip: false,
            sha1: None,
            #[cfg(feature = "bill")]
            sha256: None,
            max_bytes: None,
            progress: None,
        }
    }

    /// Decompresses gzip while downloading. A digest is that of the decompressed content, as in the platform's bills; a
    /// signature covers the received bytes.
    #[cfg(feature = "bill")]
    pub fn gunzip(mut self, gunzip: bool) -> Download {
        self.gunzip = gunzip;
        self
    }

    /// Sets the SHA-1, in hex, that the (decompressed) content must have. Otherwise the download fails with
    /// [`VerifyReason::BadDigest`](crate::error::VerifyReason::BadDigest).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # use wechatpay_chain::{Error, error::VerifyReason, sandbox::SandboxResponse};
    /// sandbox.on_with("GET", "v3/billdownload/file", SandboxResponse::new(200).body("text/csv", "abc").unsigned())?;
    /// let download = || wx["v3/billdownload/file"].get().save_to_writer(tokio::io::sink());
    /// assert_eq!(download().sha1("a9993e364706816aba3e25717850c26c9cd0d89d").wait()?.bytes, 3);
    /// let Err(Error::Verify(error)) = download().sha1("0".repeat(40)).wait() else { panic!() };
    /// assert!(matches!(error.reason, VerifyReason::BadDigest { .. }));
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn sha1(mut self, hex: impl Into<String>) -> Download {
        self.sha1 = Some(hex.into());
        self
    }

    /// Sets the SHA-256, in hex, as [`sha1`](Download::sha1).
    #[cfg(feature = "bill")]
    pub fn sha256(mut self, hex: impl Into<String>) -> Download {
        self.sha256 = Some(hex.into());
        self
    }

    /// Sets a limit, in bytes, for the content before and after decompression. By default there is none.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # use wechatpay_chain::Error;
    /// let download = wx["v3/certificates"].get().save_to_writer(tokio::io::sink()).max_bytes(10);
    /// assert!(matches!(download.wait(), Err(Error::ResponseTooLarge(_))));
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn max_bytes(mut self, bytes: u64) -> Download {
        self.max_bytes = Some(bytes);
        self
    }

    /// Calls `progress` after every piece with the number of received bytes (compressed, if they are), and with the total
    /// if the response declares it.
    pub fn progress(mut self, progress: impl FnMut(u64, Option<u64>) + Send + 'static) -> Download {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Downloads; `.await` on the download does the same.
    ///
    /// # Errors
    /// Every variant of [`Error`] is possible. [`Error::Config`] for `save_to`: it does not name a file. [`Error::File`]:
    /// the file cannot be created, and nothing was sent; or the content cannot be written.
    /// [`Error::ResponseTooLarge`]: [`max_bytes`](Self::max_bytes) is exceeded. [`Error::Transport`]: the connection broke.
    /// [`Error::Verify`]: the signature or the digest does not match. [`Error::Decode`]: the content is not valid gzip, or
    /// the response to a bill request has no URL or no digest. [`Error::NotReady`]: the platform is still making the file.
    pub async fn send(self) -> Result<Saved, Error> {
        match Handle::try_current() {
            Ok(runtime) => InRuntime::new(runtime, self.run(IoRuntime::Caller)).await,
            Err(_) => background::on_background(self.run(IoRuntime::Background))?.await,
        }
    }

    /// Downloads, and blocks this thread, inside a tokio runtime or outside.
    ///
    /// # Errors
    /// Those of [`send`](Download::send).
    pub fn wait(self) -> Result<Saved, Error> {
        background::wait(self.run(IoRuntime::Background))
    }

    async fn run(self, runtime: IoRuntime) -> Result<Saved, Error> {
        if self.sha1.as_ref().is_some_and(|hex| !is_sha1_hex(hex)) {
            return Err(Error::config("sha1", "must be 40 hex digits"));
        }
        #[cfg(feature = "bill")]
        if self.sha256.as_ref().is_some_and(|hex| !is_sha256_hex(hex)) {
            return Err(Error::config("sha256", "must be 64 hex digits"));
        }
        let deadline = self.source.draft().deadline(&self.context);
        // First: if the file cannot be created, nothing is sent.
        let target = OpenSink::open(self.sink)?;
        let context = self.context;
        let (mut request, proof, signed_digest) = match self.source {
            DownloadSource::Request(mut draft) => {
                draft.make_ready(&context, &deadline).await?;
                (draft.assemble_to_send(&context)?, Proof::Signature, None)
            }
            #[cfg(feature = "bill")]
            DownloadSource::Bill { draft, allow_unverified } => {
                // Boxed: only a bill needs it, and it would enlarge the future of every download.
                let ticket =
                    Box::pin(ticket::request(&context, draft, runtime, allow_unverified, deadline)).await?;
                let proof = if ticket.digest.is_some() { Proof::SignedDigest } else { Proof::None };
                (ticket.file, proof, ticket.digest)
            }
        };
        // The caller's digest is checked as well as the signed one, never replaced by it.
        let expected: Vec<FileDigest> =
            self.sha1.map(FileDigest::Sha1).into_iter().chain(signed_digest).collect();
        #[cfg(feature = "bill")]
        let expected: Vec<FileDigest> =
            expected.into_iter().chain(self.sha256.map(FileDigest::Sha256)).collect();
        request.streamed = true;
        let info = request.call_info();
        let mut call = Call::begin(&context, &request, deadline);
        let span = call.span.clone();
        let result = async {
            // The call may be repeated up to the first byte; a file that breaks off is not.
            let mut next = request;
            let opened = loop {
                let repeat = call.attempts.start(&next);
                let opened = open(&context, next, runtime, &info, &deadline, proof).await;
                let Some(again) = call.attempts.next(&opened, repeat).await else {
                    break call.attempts.outcome(opened)?;
                };
                call.attempts.keep(opened);
                next = again;
            };
            let content = ContentWriter::new(target, self.max_bytes);
            #[cfg(feature = "bill")]
            let content = content.gunzip(self.gunzip).with_digests(&expected);
            let (response, mut stream) = Stream::new(opened, &info, content);
            stream.receive(response, self.max_bytes, self.progress).await?;
            stream.finish(expected, proof).await
        };
        let result = result.instrument(span).await;
        call.end(result.as_ref().map(|saved| (saved.status, request_id(&saved.headers))));
        result
    }
}

impl IntoFuture for Download {
    type Output = Result<Saved, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'static>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Download");
        debug.field("request", self.source.draft());
        #[cfg(feature = "bill")]
        debug.field("gunzip", &self.gunzip);
        debug
            .field("sha1", &self.sha1.as_deref().map(Excerpt))
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}
