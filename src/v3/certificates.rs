//! Automatic platform certificates: downloaded before the first call, refreshed while calls are in flight.
//!
//! A download is trusted if it can be decrypted with the APIv3 key and then its own response verifies, with a downloaded
//! certificate or with a key that was trusted before (PROTOCOL, Keys). Until then the current set stays.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use serde::Deserialize;

use super::api_error::api_error;
use super::attempt::send_and_read;
use super::context::Context;
use super::outgoing::OutgoingRequest;
use super::platform::{self, PUBLIC_KEY_PREFIX, PlatformKey, PlatformKeys, RefreshHandle};
use super::{retry, verify};
use crate::crypto::aes::EncryptedResource;
use crate::error::{DecodeError, Error, PlatformKeysError, VerifyError, VerifyReason, json_reason};
use crate::response::request_id;
use crate::runtime::IoRuntime;

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

/// The download that a call waits for before it is sent: of the first certificates, if there is no key yet.
/// Certificates that are merely old are refreshed in the background.
pub(crate) fn initial_download(context: &Arc<Context>) -> Result<Option<RefreshHandle>, Error> {
    let Some(refresh) = &context.platform.refresh else { return Ok(None) };
    if context.platform.keys().is_empty() {
        return start_download(context);
    }
    if refresh.is_due(context.clock.unix_seconds())
        && let Err(error) = start_download(context)
    {
        tracing::warn!(%error, "the platform certificates cannot be refreshed");
    }
    Ok(None)
}

/// Waits for the download of [`initial_download`]. If it fails, the call is not sent.
pub(crate) async fn wait_for_keys(download: Option<RefreshHandle>) -> Result<(), Error> {
    match download {
        // Boxed: only the first call waits, and it would enlarge the future of every call.
        Some(handle) => Box::pin(handle.outcome()).await.map_err(keys_unavailable),
        None => Ok(()),
    }
}

/// The error of a call whose keys could not be downloaded. Never the cause itself: an `Api` error would look like the
/// platform's response to the call.
pub(crate) fn keys_unavailable(cause: Arc<Error>) -> Error {
    let what = match &*cause {
        Error::Api(api) if api.code == "RESOURCE_NOT_EXISTS" => {
            "this merchant has none; configure the platform's public key instead"
        }
        Error::Api(_) => "the platform refused the download",
        Error::Transport(_) => "the download failed",
        Error::Decrypt(_) => "the APIv3 key does not decrypt them",
        Error::Verify(_) => "the download could not be verified",
        _ => "the download was not usable",
    };
    let permanent = matches!(&*cause, Error::Decrypt(_) | Error::Config(_) | Error::Key(_))
        || cause.code() == Some("RESOURCE_NOT_EXISTS");
    Error::PlatformKeys(Box::new(PlatformKeysError {
        what: what.to_owned(),
        permanent,
        retry_after: None,
        cause: Some(cause),
    }))
}

/// Runs `check` again after it found the serial `unknown` in `keys`: with the current keys, then with downloaded ones.
/// Only the key may be newer: `check` uses the time at which the message arrived.
pub(super) async fn retry_with_fresh_keys<T>(
    context: &Arc<Context>,
    keys: &Arc<PlatformKeys>,
    unknown: VerifyReason,
    check: impl Fn(&Arc<PlatformKeys>) -> Result<T, VerifyReason>,
) -> Result<T, VerifyReason> {
    let VerifyReason::UnknownSerial { serial, known, .. } = unknown else { return Err(unknown) };
    let current = context.platform.keys();
    if !Arc::ptr_eq(&current, keys) && current.find(&serial).is_some() {
        return check(&current);
    }
    let failed =
        |reason: String| VerifyReason::UnknownSerial { serial: serial.clone(), known, refresh: Some(reason) };
    // A download contains certificates only, never a public key.
    let download = match start_download(context) {
        _ if serial.starts_with(PUBLIC_KEY_PREFIX) => None,
        Ok(download) => download,
        Err(error) => return Err(failed(error.to_string())),
    };
    match download {
        None => check(&current),
        Some(handle) => match handle.outcome().await {
            Ok(()) => check(&context.platform.keys()),
            Err(error) => Err(failed(error.to_string())),
        },
    }
}

/// Starts a download, or joins the running one; `None` unless the certificates are automatic.
pub(crate) fn start_download(context: &Arc<Context>) -> Result<Option<RefreshHandle>, Error> {
    let Some(refresh) = &context.platform.refresh else { return Ok(None) };
    let now = context.clock.unix_seconds();
    let without_keys = context.platform.keys().is_empty();
    let handle = refresh.start(now, without_keys, || {
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
    Ok(Some(handle))
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
    let spare = context.transport.hosts.on_spare(&request.url);
    let response = match (send_and_read(context, request.clone(), IoRuntime::Background).await, spare) {
        (Err(error), Some(url)) if retry::fails_over(&error, &Method::GET) => {
            let request = Box::new(OutgoingRequest { url, ..*request });
            send_and_read(context, request, IoRuntime::Background).await?
        }
        (result, _) => result?,
    };
    let now = context.clock.unix_seconds();
    if !response.status.is_success() {
        // Nothing depends on this error, so it need not be signed; but it says whether it is.
        let verified = verify::verify_signature(&response.headers, &response.body, now, &keys).is_ok();
        return Err(api_error(response, verified));
    }
    let request_id = request_id(&response.headers).map(str::to_owned);
    let downloaded = decrypt(context, &response.body, request_id.as_deref(), now)?;
    let candidates: Vec<_> = downloaded.iter().map(|downloaded| Arc::clone(&downloaded.key)).collect();
    let candidates = keys.merged_with(&candidates);
    verify::verify_signature(&response.headers, &response.body, now, &candidates).map_err(|reason| {
        Error::Verify(Box::new(VerifyError { reason, status: Some(response.status.as_u16()), request_id }))
    })?;
    Ok(downloaded)
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
        Error::Decode(Box::new(DecodeError { what, request_id: request_id.map(str::to_owned), source }))
    };
    let list: CertificateList = serde_json::from_slice(body).map_err(|e| {
        decode(format!("the response is not a list of certificates: {}", json_reason(&e)), Some(Box::new(e)))
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
