//! Automatic platform certificates: downloaded before the first call, refreshed while calls are in flight.
//!
//! A download is trusted if it can be decrypted with the APIv3 key and then its own response verifies, with a downloaded
//! certificate or with a key that was trusted before (PROTOCOL, Keys). Until then the current set stays.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;

use http::Method;
use tracing::Instrument as _;

use super::api_error::api_error;
use super::attempt::send_and_read;
use super::context::Context;
use super::exchange::Call;
use super::outgoing::OutgoingRequest;
use super::platform::{self, Need, PlatformKey, PlatformKeys, RefreshHandle, WantedBy, Wish};
use super::verify::{self, ResponseView};
use crate::crypto::aes::EncryptedResource;
use crate::error::{DecodeError, Error, VerifyReason, json_reason, json_source};
use crate::json;
use crate::response::request_id;
use crate::runtime::{Deadline, IoRuntime};
use crate::transport::RawResponse;

const PATH: &str = "v3/certificates";

#[derive(Deserialize)]
struct CertificateList {
    data: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    serial_no: String,
    encrypt_certificate: EncryptedResource,
}

/// A downloaded certificate and its text.
pub(crate) struct DownloadedCertificate {
    pub(crate) key: Arc<PlatformKey>,
    pub(crate) pem: String,
}

/// The download that a call waits for before it is sent, and a notification before it is verified: of the first
/// certificates, if there is no key yet. Certificates that are merely old are refreshed in the background.
pub(crate) fn initial_download(
    context: &Arc<Context>,
    wanted: WantedBy,
) -> Result<Option<RefreshHandle>, Error> {
    let Some(refresh) = &context.platform.refresh else { return Ok(None) };
    if context.platform.keys().is_empty() {
        return match start_download(context, Need::FirstKeys)? {
            Some(Wish::Granted(handle)) => Ok(Some(handle)),
            // Unless another call's download has just brought them.
            Some(Wish::HeldBack(held)) if context.platform.keys().is_empty() => Err(wanted.held_back(held)),
            Some(Wish::HeldBack(_)) | None => Ok(None),
        };
    }
    if refresh.is_due(context.clock.unix_seconds())
        && let Err(error) = start_download(context, Need::Renewal)
    {
        tracing::warn!(%error, "the platform certificates cannot be refreshed");
    }
    Ok(None)
}

/// Waits for the download of [`initial_download`]. If it fails, or does not end in time, the call is not sent.
pub(crate) async fn wait_for_keys(
    download: Option<RefreshHandle>,
    deadline: &Deadline,
    wanted: WantedBy,
) -> Result<(), Error> {
    match download {
        // Boxed: only the first call waits, and it would enlarge the future of every call.
        Some(handle) => Box::pin(wait_for(handle, deadline, wanted)).await,
        None => Ok(()),
    }
}

/// Waits for a download, which goes on for others if it does not end in time.
async fn wait_for(handle: RefreshHandle, deadline: &Deadline, wanted: WantedBy) -> Result<(), Error> {
    match deadline.bound_anywhere(handle.outcome()).await? {
        Some(outcome) => outcome.map_err(|failed| wanted.failed(failed)),
        None => Err(wanted.late(deadline.allowed())),
    }
}

/// Downloads the certificates because the caller asks; `None` unless they are automatic.
///
/// # Errors
/// [`Error::PlatformKeys`] if the download fails, does not end in time, or is held back.
pub(crate) async fn refresh_now(context: &Arc<Context>, deadline: &Deadline) -> Result<Option<()>, Error> {
    let need = if context.platform.keys().is_empty() { Need::FirstKeys } else { Need::Newer };
    match start_download(context, need)? {
        None => Ok(None),
        Some(Wish::Granted(handle)) => wait_for(handle, deadline, WantedBy::Refresh).await.map(Some),
        Some(Wish::HeldBack(held)) => Err(WantedBy::Refresh.held_back(held)),
    }
}

/// Runs `check` again after it found the serial `unknown` in `keys`: with the current keys, then with downloaded ones.
/// Only the key may be newer: `check` uses the time at which the message arrived.
pub(super) async fn retry_with_fresh_keys<T>(
    context: &Arc<Context>,
    keys: &Arc<PlatformKeys>,
    unknown: VerifyReason,
    deadline: &Deadline,
    check: impl Fn(&Arc<PlatformKeys>) -> Result<T, VerifyReason>,
) -> Result<T, VerifyReason> {
    let VerifyReason::UnknownSerial { serial, .. } = &unknown else { return Err(unknown) };
    let current = context.platform.keys();
    if !Arc::ptr_eq(&current, keys) && current.find(serial).is_some() {
        return check(&current);
    }
    let why = match start_for_serial(context, serial) {
        Ok(Some(Wish::Granted(handle))) => match deadline.bound_anywhere(handle.outcome()).await {
            Ok(Some(Ok(()))) => "the certificates that were downloaded just now do not include it".to_owned(),
            Ok(Some(Err(failed))) => failed.in_words(),
            Ok(None) => {
                let allowed = deadline.allowed();
                format!("newer certificates were not downloaded within {allowed:?}; the download goes on")
            }
            Err(error) => format!("newer certificates could not be downloaded: {error}"),
        },
        Ok(Some(Wish::HeldBack(held))) => held.in_words(),
        Ok(None) => return check(&current),
        Err(error) => format!("newer certificates could not be downloaded: {error}"),
    };
    // Also if it was held back: another call's download may just have brought the key.
    check(&context.platform.keys()).map_err(|reason| with_refresh(reason, why))
}

/// What comes of the wish for a newer certificate, without waiting for it; `None` if there cannot be one.
pub(crate) fn refresh_for(context: &Arc<Context>, unknown: VerifyReason) -> VerifyReason {
    let VerifyReason::UnknownSerial { serial, .. } = &unknown else { return unknown };
    let why = match start_for_serial(context, serial) {
        Ok(None) => return unknown,
        Ok(Some(Wish::Granted(_))) => {
            "a download of newer certificates is running: verify it again".to_owned()
        }
        Ok(Some(Wish::HeldBack(held))) => held.in_words(),
        Err(error) => format!("newer certificates could not be downloaded: {error}"),
    };
    with_refresh(unknown, why)
}

fn with_refresh(reason: VerifyReason, why: String) -> VerifyReason {
    match reason {
        VerifyReason::UnknownSerial { serial, known, .. } => {
            VerifyReason::UnknownSerial { serial, known, refresh: Some(why) }
        }
        other => other,
    }
}

/// A download contains certificates only, never a public key; anything else is no serial of the platform's.
fn start_for_serial(context: &Arc<Context>, serial: &str) -> Result<Option<Wish>, Error> {
    match platform::is_certificate_serial(serial) {
        true => start_download(context, Need::Newer),
        false => Ok(None),
    }
}

/// Starts a download, or joins the running one, unless it is held back; `None` unless the certificates are automatic.
fn start_download(context: &Arc<Context>, need: Need) -> Result<Option<Wish>, Error> {
    let Some(refresh) = &context.platform.refresh else { return Ok(None) };
    let now = context.clock.unix_seconds();
    let wish = refresh.start(now, need, || {
        let context = Arc::clone(context);
        async move {
            let result = refresh_keys(&context).await;
            match &result {
                Ok(()) => {
                    tracing::info!(known = context.platform.keys().known(), "platform certificates refreshed")
                }
                Err(error) => tracing::warn!(%error, "the platform certificates could not be refreshed"),
            }
            result
        }
    })?;
    Ok(Some(wish))
}

async fn refresh_keys(context: &Arc<Context>) -> Result<(), Error> {
    let downloaded: Vec<_> = download(context).await?.into_iter().map(|downloaded| downloaded.key).collect();
    context.platform.update(|keys| Ok(keys.replace_fetched(&downloaded)))?;
    if let Some(refresh) = &context.platform.refresh {
        refresh.succeeded(context.clock.unix_seconds());
    }
    Ok(())
}

/// Downloads the certificates that are valid now, and verifies the response.
pub(crate) async fn download(context: &Arc<Context>) -> Result<Vec<DownloadedCertificate>, Error> {
    let keys = context.platform.keys();
    let request = OutgoingRequest::get(context, PATH)?;
    let mut call = Call::begin(context, &request, Deadline::after(request.timeout));
    let span = call.span.clone();
    let attempts = async {
        let mut next = request;
        loop {
            let repeat = call.attempts.start(&next);
            let sent = send_and_read(context, next, IoRuntime::Background, &call.attempts.deadline).await;
            let Some(again) = call.attempts.next(&sent, repeat).await else {
                break call.attempts.outcome(sent);
            };
            call.attempts.keep(sent);
            next = again;
        }
    };
    let result = attempts.instrument(span).await;
    call.end(result.as_ref().map(|response| (response.status.as_u16(), request_id(&response.headers))));
    let response = result?;
    let now = context.clock.unix_seconds();
    if !response.status.is_success() {
        return Err(refused(response, &keys, now));
    }
    let request_id = request_id(&response.headers).map(str::to_owned);
    let downloaded = decrypt(context, &response.body, request_id.as_deref(), now)?;
    let candidates: Vec<_> = downloaded.iter().map(|downloaded| Arc::clone(&downloaded.key)).collect();
    let candidates = keys.merged_with(&candidates);
    verify::verify_signature(&response.headers, &response.body, now, &candidates).map_err(|reason| {
        verify::failure(reason, &response.headers, Some(response.status.as_u16()), &candidates)
    })?;
    Ok(downloaded)
}

/// The error of a download that the platform refused. Its signature is verified like that of any error; before the first
/// certificate there is no key for that, and nothing depends on this error but the advice that it gives.
fn refused(response: RawResponse, keys: &PlatformKeys, now: u64) -> Error {
    if keys.is_empty() {
        return api_error(response, false);
    }
    let (headers, body) = (&response.headers, &response.body[..]);
    let view = ResponseView { method: &Method::GET, path: PATH, success: false, headers, body, now };
    match verify::response(&view, keys) {
        Ok(verified) => api_error(response, verified),
        Err(reason) => {
            let failed = verify::failure(reason, headers, Some(response.status.as_u16()), keys);
            verify::claimed(failed, &response)
        }
    }
}

/// The error of a client that has no APIv3 key for the certificates.
pub(crate) fn apiv3_key_missing() -> Error {
    Error::config("apiv3_key", "is missing: the platform certificates are encrypted with it")
}

/// The certificates of a response that have not expired. One that cannot be read fails the whole download: a set with a
/// missing certificate would show only later.
fn decrypt(
    context: &Context,
    body: &Bytes,
    request_id: Option<&str>,
    now: u64,
) -> Result<Vec<DownloadedCertificate>, Error> {
    let decode = |what: String, source: Option<Box<dyn std::error::Error + Send + Sync>>| {
        Error::Decode(Box::new(DecodeError {
            what,
            request_id: request_id.map(str::to_owned),
            source,
            headers: None,
        }))
    };
    let list: CertificateList = json::from_slice(body).map_err(|e| {
        decode(
            format!("the response is not a list of certificates: {}", json_reason(&e)),
            Some(json_source(&e)),
        )
    })?;
    let apiv3_key = context.apiv3_key.as_ref().ok_or_else(apiv3_key_missing)?;
    let mut downloaded = Vec::with_capacity(list.data.len());
    for Entry { serial_no, encrypt_certificate } in list.data {
        let refuse = |reason: String| {
            Error::Decrypt(format!("certificate {}: {reason}", serial_no.escape_debug()).into())
        };
        let pem = apiv3_key.decrypt_resource(&encrypt_certificate).map_err(refuse)?;
        let pem =
            String::from_utf8(pem).map_err(|_| refuse("decrypts to bytes that are not text".to_owned()))?;
        let key = platform::load_certificate(&serial_no, &pem, &context.merchant)?;
        if key.validity.as_ref().is_some_and(|validity| validity.not_after >= now) {
            downloaded.push(DownloadedCertificate { key: Arc::new(key), pem });
        }
    }
    match downloaded.is_empty() {
        true => Err(decode("the response has no certificate that is still valid".to_owned(), None)),
        false => Ok(downloaded),
    }
}
