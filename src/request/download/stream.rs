//! The response of a download: its head, then its content, piece by piece.

use std::sync::Arc;

use super::Progress;
use super::sink::{ContentWriter, Stop};
use crate::crypto::digest::FileDigest;
use crate::error::{DecodeError, Error, FileError};
use crate::files::io_reason;
use crate::response::{Saved, request_id};
use crate::runtime::{Deadline, IoRuntime};
use crate::transport::{CallInfo, RawResponse, read};
use crate::v3::attempt::send_signed;
use crate::v3::exchange::{VerifyContext, into_response, verify_with_refresh};
use crate::v3::platform::PlatformKeys;
use crate::v3::verify::{self, StreamVerifier};
use crate::v3::{Context, OutgoingRequest};

/// The proof that a file is the platform's.
#[cfg_attr(not(feature = "bill"), expect(dead_code, reason = "the other proofs are those of bills"))]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// Its own signature.
    Signature,
    /// A digest from a signed response.
    SignedDigest,
    /// None, as the caller allowed. A signature that is there all the same is verified.
    None,
}

/// A response whose head is verified, and whose body is still to come.
pub(super) struct Opened {
    response: reqwest::Response,
    /// Its body is empty: it is not kept.
    head: RawResponse,
    verifier: StreamVerifier,
    /// The keys that verified the head.
    keys: Arc<PlatformKeys>,
}

/// One attempt, up to the head of the response. An error status is read completely, and an error already.
pub(super) async fn open(
    context: &Arc<Context>,
    request: Box<OutgoingRequest>,
    runtime: IoRuntime,
    call: &CallInfo,
    deadline: &Deadline,
    proof: Proof,
) -> Result<Opened, Error> {
    let verification = VerifyContext::of(&request);
    let mut response = send_signed(context, request, runtime, call, deadline).await?;
    if !response.status().is_success() {
        let limit = context.defaults.max_body;
        let body = deadline.bound(read(&mut response, limit, call)).await;
        let late = || call.late(format!("no complete response within {:?}", deadline.allowed()), true);
        let body = body.unwrap_or_else(|| Err(late()))?;
        let response = RawResponse::new(response, body);
        return into_response(context, &verification, response, deadline).await.and_then(|_| {
            Err(call.error("the status is neither a success nor an error".to_owned(), true, None))
        });
    }
    let head = RawResponse::head(&response);
    let view = verification.view(&head, context.clock.unix_seconds());
    let status = Some(head.status.as_u16());
    // A signature that is there is verified whatever else proves the file.
    let may_be_unsigned = proof != Proof::Signature;
    let (verifier, keys) =
        verify_with_refresh(context, &verification.keys, &head.headers, status, deadline, |keys| {
            StreamVerifier::new(&view, may_be_unsigned, keys).map(|verifier| (verifier, Arc::clone(keys)))
        })
        .await?;
    Ok(Opened { response, head, verifier, keys })
}

/// The content on its way into the sink.
pub(super) struct Stream<'c> {
    keys: Arc<PlatformKeys>,
    call: &'c CallInfo,
    head: RawResponse,
    verifier: StreamVerifier,
    content: ContentWriter,
}

impl<'c> Stream<'c> {
    pub(super) fn new(
        opened: Opened,
        call: &'c CallInfo,
        content: ContentWriter,
    ) -> (reqwest::Response, Self) {
        let Opened { response, head, verifier, keys } = opened;
        (response, Stream { keys, call, head, verifier, content })
    }

    pub(super) async fn receive(
        &mut self,
        mut response: reqwest::Response,
        limit: Option<u64>,
        mut progress: Option<Progress>,
    ) -> Result<(), Error> {
        let (total, mut received) = (response.content_length(), 0);
        let too_large = |length: u64| limit.filter(|limit| length > *limit).map(Stop::TooLarge);
        if let Some(stop) = total.and_then(too_large) {
            return Err(self.stopped(stop));
        }
        loop {
            let call = self.call;
            let next = async { response.chunk().await.map_err(|e| call.transport_error(e)) };
            let Some(chunk) = call.within("next piece", next).await? else { return Ok(()) };
            received += chunk.len() as u64;
            if let Some(stop) = too_large(received) {
                return Err(self.stopped(stop));
            }
            self.verifier.update(&chunk);
            self.content.push(&chunk).await.map_err(|stop| self.stopped(stop))?;
            if let Some(progress) = &mut progress {
                progress(received, total);
            }
        }
    }

    pub(super) async fn finish(self, expected: Vec<FileDigest>, proof: Proof) -> Result<Saved, Error> {
        let Stream { keys, call, head, verifier, content } = self;
        let written = content.finish().await.map_err(|stop| stopped(stop, call, &head))?;
        let unverified = |reason| verify::failure(reason, &head.headers, Some(head.status.as_u16()), &keys);
        let verified =
            verifier.finish(&head.headers, &keys).map_err(unverified)? || proof == Proof::SignedDigest;
        if let Some(reason) = expected.into_iter().find_map(|digest| written.differs(digest)) {
            return Err(unverified(reason));
        }
        let path = written.target.commit().await.map_err(|stop| stopped(stop, call, &head))?;
        let (bytes, sha1) = (written.bytes, written.sha1);
        Ok(Saved { path, bytes, sha1, verified, status: head.status.as_u16(), headers: head.headers })
    }

    fn stopped(&self, stop: Stop) -> Error {
        stopped(stop, self.call, &self.head)
    }
}

fn stopped(stop: Stop, call: &CallInfo, head: &RawResponse) -> Error {
    match stop {
        Stop::TooLarge(limit) => call.too_large(limit, head.status, &head.headers),
        Stop::Unwritten { to, source } => Error::File(Box::new(FileError {
            file: to,
            what: format!("cannot be written: {}", io_reason(&source)),
            maybe_sent: true,
            source: Some(source),
        })),
        Stop::InvalidGzip(source) => {
            let what = "the content is not valid gzip".to_owned();
            let request_id = request_id(&head.headers).map(str::to_owned);
            Error::Decode(Box::new(DecodeError {
                what,
                request_id,
                source: Some(source.into()),
                headers: None,
            }))
        }
    }
}
