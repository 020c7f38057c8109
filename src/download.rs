//! Downloads: streamed to a file, verified and compared before the file gets its name.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
#[cfg(feature = "bill")]
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use tokio::io::AsyncWrite;
use tokio::runtime::Handle;
use tracing::Instrument as _;

#[cfg(feature = "bill")]
use crate::bill;
use crate::blocking;
use crate::client::{Inner, Lane};
use crate::error::{Error, VerifyError, VerifyReason};
use crate::exchange::{self, Asked, Call};
use crate::platform::PlatformKeys;
use crate::prepared::Parts;
use crate::request::Request;
use crate::response::{Response, request_id};
use crate::verify::{self, Streamed};
use crate::wire::{self, Answer, Sent};

mod sink;

pub(crate) use sink::Sink;
use sink::{Content, Stop, Target};

/// A download, being put together by [`Request::save_to`]: a future, and [`wait`](Download::wait) runs it blocking.
///
/// The answer is streamed, in constant memory and without the limit of [`Builder::max_body`](crate::Builder::max_body),
/// into a `.part` file beside the target, which gets its name only when everything held: the signature, for a path
/// that the platform signs, and the digest, where one is known. After an error, and when the future is dropped,
/// nothing is left behind, and a file that stood there before is still there. An error status is
/// [`Error::Api`] as ever.
///
/// **Timeout.** A whole gigabyte has no sensible one, so the timeout (the client's, or [`Request::timeout`]) is how
/// long the answer's head may take, and then every next piece.
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
    what: What,
    sink: Sink,
    #[cfg(feature = "bill")]
    gunzip: bool,
    sha1: Option<String>,
    max_bytes: Option<u64>,
    progress: Option<Progress>,
}

type Progress = Box<dyn FnMut(u64, Option<u64>) + Send>;

pub(crate) enum What {
    /// This answer.
    Answer(Request),
    /// The file that this answer tells of, asked for within the timeout, if it has one of its own.
    #[cfg(feature = "bill")]
    Bill(Request, Option<Duration>),
}

impl What {
    fn request(&self) -> &Request {
        match self {
            What::Answer(request) => request,
            #[cfg(feature = "bill")]
            What::Bill(request, _) => request,
        }
    }
}

/// A file that is there, whole and checked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Saved {
    /// Where it is; `None` for a writer.
    pub path: Option<PathBuf>,
    /// How many bytes were written: the decompressed ones, with [`Download::gunzip`].
    pub bytes: u64,
    /// The SHA-1 of what was written, in lower-case hex.
    pub sha1: String,
    /// Whether the platform vouches for the content: by a signature, or by a digest that a signed answer gave.
    pub verified: bool,
    /// The HTTP status.
    pub status: u16,
    /// The answer's headers.
    pub headers: HeaderMap,
}

impl Download {
    pub(crate) fn new(what: What, sink: Sink) -> Download {
        Download {
            what,
            sink,
            #[cfg(feature = "bill")]
            gunzip: false,
            sha1: None,
            max_bytes: None,
            progress: None,
        }
    }

    /// Decompresses gzip on the way. The digest is that of the decompressed content, as in the platform's bills; a
    /// signature is over what came.
    #[cfg(feature = "bill")]
    pub fn gunzip(mut self, gunzip: bool) -> Download {
        self.gunzip = gunzip;
        self
    }

    /// The SHA-1 that the (decompressed) content must have, in hex. Another one is
    /// [`VerifyReason::BadDigest`](crate::VerifyReason::BadDigest).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # use wechatpay_chain::{Error, VerifyReason, sandbox::Answer};
    /// sandbox.on_with("GET", "v3/billdownload/file", Answer::new(200).body("text/csv", "abc").unsigned())?;
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

    /// The most that is taken, before and after decompression. There is no limit otherwise.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # use wechatpay_chain::Error;
    /// let download = wx["v3/certificates"].get().save_to_writer(tokio::io::sink()).max_bytes(10);
    /// assert!(matches!(download.wait(), Err(Error::Transport(_))));
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn max_bytes(mut self, bytes: u64) -> Download {
        self.max_bytes = Some(bytes);
        self
    }

    /// Is told, after every piece, how many bytes came (compressed, if they are), and how many there are to come in
    /// all, when the answer says so.
    pub fn progress(mut self, progress: impl FnMut(u64, Option<u64>) + Send + 'static) -> Download {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Downloads; `.await` on the download does the same.
    ///
    /// # Errors
    /// Every variant of [`Error`] can come out of a call. [`Error::Config`] names `save_to` when the file cannot be
    /// made, and then nothing was sent; [`Error::Transport`] is a broken connection, a limit, or a disk that takes no
    /// more; [`Error::Verify`] a signature or digest that does not hold; [`Error::Decode`] no gzip where it should be.
    pub async fn send(self) -> Result<Saved, Error> {
        if Handle::try_current().is_ok() {
            self.run(Lane::Caller).await
        } else {
            blocking::on_background(self.run(Lane::Background))?.await
        }
    }

    /// Downloads, blocking this thread, with a runtime or without one.
    ///
    /// # Errors
    /// As [`send`](Download::send).
    pub fn wait(self) -> Result<Saved, Error> {
        blocking::wait(self.run(Lane::Background))
    }

    async fn run(self, lane: Lane) -> Result<Saved, Error> {
        if self.sha1.as_ref().is_some_and(|hex| !is_sha1(hex)) {
            return Err(Error::config("sha1", "must be 40 hex digits"));
        }
        // First of all: what cannot be written is not asked for.
        let target = Target::open(self.sink)?;
        let (request, signed_digest) = match self.what {
            What::Answer(request) => (request, None),
            #[cfg(feature = "bill")]
            What::Bill(request, timeout) => {
                let bill = bill::ask(request, lane).await?;
                let file = timeout.into_iter().fold(bill.file, Request::timeout);
                (file, Some(bill.sha1))
            }
        };
        let vouched = signed_digest.is_some();
        // The caller's digest is checked as well as the signed one, never replaced by it.
        let expected: Vec<String> = self.sha1.into_iter().chain(signed_digest).collect();
        let (inner, parts) = request.into_stream().await?;
        let sent = Sent {
            method: parts.method.clone(),
            template: Arc::clone(&parts.template),
            timeout: parts.timeout,
        };
        let mut call = Call::begin(&inner, &parts);
        let span = call.span.clone();
        let result = async {
            // What comes before the first byte may be tried again; a file that broke off is not.
            let mut next = parts;
            let Opened { answer, head, seal, keys } = loop {
                let kept = call.keep(&next);
                let opened = open(&inner, next, lane, &sent, vouched).await;
                match call.again(&opened, kept).await {
                    Some(again) => next = again,
                    None => break opened?,
                }
            };
            let content = Content::new(target, self.max_bytes);
            #[cfg(feature = "bill")]
            let content = content.gunzip(self.gunzip);
            let mut stream = Stream { keys, sent: &sent, head, seal, content };
            stream.receive(answer, self.max_bytes, self.progress).await?;
            stream.finish(expected, vouched).await
        };
        let result = result.instrument(span).await;
        call.end(result.as_ref().map(|saved| (saved.status, request_id(&saved.headers))));
        result
    }
}

/// A file that is on its way: its head is verified.
struct Opened {
    answer: reqwest::Response,
    /// Without a body, which is not kept.
    head: Answer,
    seal: Streamed,
    /// Those under which the head was verified.
    keys: Arc<PlatformKeys>,
}

/// One attempt, up to the answer's head. An error status is an error already, read whole.
async fn open(
    inner: &Arc<Inner>,
    parts: Box<Parts>,
    lane: Lane,
    sent: &Sent,
    vouched: bool,
) -> Result<Opened, Error> {
    let asked = Asked::of(&parts);
    let mut answer = sent.within("answer", wire::send(inner, parts, lane, sent)).await?;
    if !answer.status().is_success() {
        let limit = inner.settings.max_body;
        let body = sent.within("whole answer", wire::read(&mut answer, limit, sent)).await?;
        return exchange::check(inner, &asked, Answer::new(answer, body)).await.and_then(|_| {
            Err(sent.broken("a status that is neither success nor error".to_owned(), true, None))
        });
    }
    let head = Answer::head(&answer);
    let (seal, keys) = match vouched {
        true => (Streamed::Unsigned, asked.keys),
        false => {
            let looked_at = asked.looked_at(&head, inner.clock.unix_seconds());
            let status = Some(head.status.as_u16());
            exchange::under(inner, &asked.keys, &head.headers, status, |keys| {
                verify::begin(&looked_at, keys).map(|seal| (seal, Arc::clone(keys)))
            })
            .await?
        }
    };
    Ok(Opened { answer, head, seal, keys })
}

struct Stream<'s> {
    keys: Arc<PlatformKeys>,
    sent: &'s Sent,
    head: Answer,
    seal: Streamed,
    content: Content,
}

impl Stream<'_> {
    async fn receive(
        &mut self,
        mut answer: reqwest::Response,
        limit: Option<u64>,
        mut progress: Option<Progress>,
    ) -> Result<(), Error> {
        let (total, mut received) = (answer.content_length(), 0);
        let too_large = |length: u64| limit.filter(|limit| length > *limit).map(Stop::TooLarge);
        if let Some(stop) = total.and_then(too_large) {
            return Err(self.stopped(stop));
        }
        loop {
            let sent = self.sent;
            let next = async { answer.chunk().await.map_err(|e| sent.transport(e)) };
            let Some(chunk) = self.sent.within("next piece", next).await? else { return Ok(()) };
            received += chunk.len() as u64;
            if let Some(stop) = too_large(received) {
                return Err(self.stopped(stop));
            }
            self.seal.update(&chunk);
            self.content.push(&chunk).await.map_err(|stop| self.stopped(stop))?;
            if let Some(progress) = &mut progress {
                progress(received, total);
            }
        }
    }

    async fn finish(self, expected: Vec<String>, vouched: bool) -> Result<Saved, Error> {
        let Stream { keys, sent, head, seal, content } = self;
        let written = content.finish().await.map_err(|stop| stopped(stop, sent, &head))?;
        let unproved = |reason| {
            let request_id = request_id(&head.headers).map(str::to_owned);
            Error::Verify(Box::new(VerifyError { reason, status: Some(head.status.as_u16()), request_id }))
        };
        let verified = seal.finish(&head.headers, &keys).map_err(unproved)? || vouched;
        if let Some(expected) =
            expected.into_iter().find(|digest| !digest.eq_ignore_ascii_case(&written.sha1))
        {
            let actual = written.sha1.clone();
            return Err(unproved(VerifyReason::BadDigest { algorithm: "SHA-1", expected, actual }));
        }
        let path = written.target.keep().await.map_err(|stop| stopped(stop, sent, &head))?;
        let (bytes, sha1) = (written.bytes, written.sha1);
        Ok(Saved { path, bytes, sha1, verified, status: head.status.as_u16(), headers: head.headers })
    }

    fn stopped(&self, stop: Stop) -> Error {
        stopped(stop, self.sent, &self.head)
    }
}

fn stopped(stop: Stop, sent: &Sent, head: &Answer) -> Error {
    match stop {
        Stop::TooLarge(limit) => sent.broken(
            format!("the answer is larger than {limit} bytes, the most that is taken"),
            true,
            None,
        ),
        Stop::Unwritten { to, source } => sent.broken(
            format!("the answer cannot be written to {to}: {source}"),
            true,
            Some(Box::new(source)),
        ),
        Stop::NoGzip(source) => {
            let what = format!("what came is no whole gzip ({source})");
            let request_id = request_id(&head.headers).map(str::to_owned);
            let source = Some(source.into());
            Error::Decode(Box::new(crate::error::DecodeError { what, request_id, source }))
        }
    }
}

impl Sent {
    /// A timeout for each step, since there is none for the whole.
    async fn within<T>(&self, what: &str, step: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let late = || self.broken(format!("no {what} within {:?}", self.timeout), true, None);
        tokio::time::timeout(self.timeout, step).await.unwrap_or_else(|_| Err(late()))
    }
}

pub(crate) fn is_sha1(hex: &str) -> bool {
    hex.len() == 40 && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

impl IntoFuture for Download {
    type Output = Result<Saved, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'static>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl Request {
    /// Streams the answer into a file, instead of into memory: see [`Download`].
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("certificates.json");
    /// let saved = wx["v3/certificates"].get().save_to(&path).wait()?;
    /// assert!(saved.verified && std::fs::metadata(&path)?.len() == saved.bytes);
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn save_to(self, path: impl Into<PathBuf>) -> Download {
        Download::new(What::Answer(self), Sink::Path(path.into()))
    }

    /// Streams the answer into a writer: see [`Download`].
    ///
    /// The writer is given everything *before* it is verified: throw away what it got unless the download succeeds.
    ///
    /// ```no_run
    /// # async fn f(wx: &wechatpay_chain::WeChatPay) -> Result<(), wechatpay_chain::Error> {
    /// let saved = wx["v3/certificates"].get().save_to_writer(tokio::io::sink()).await?;
    /// println!("{} bytes", saved.bytes);
    /// # Ok(()) }
    /// ```
    pub fn save_to_writer(self, writer: impl AsyncWrite + Send + Unpin + 'static) -> Download {
        Download::new(What::Answer(self), Sink::Writer(Box::new(writer)))
    }
}

impl Saved {
    /// The answer that PHP's `sink` leaves: everything but the body.
    pub(crate) fn into_response(mut self, inner: Arc<Inner>) -> Response {
        let headers = std::mem::take(&mut self.headers);
        let status = StatusCode::from_u16(self.status).unwrap_or_default();
        Response::new(inner, status, headers, Bytes::new(), self.verified).with_saved(self)
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Download");
        debug.field("request", self.what.request());
        #[cfg(feature = "bill")]
        debug.field("gunzip", &self.gunzip);
        debug.field("sha1", &self.sha1).field("max_bytes", &self.max_bytes).finish_non_exhaustive()
    }
}
