//! Automatic platform certificates: fetched before the first call, renewed while calls go on.
//!
//! A download is trusted because it opens under the APIv3 key, and then its own answer must verify with the
//! certificates that it brought, or with a key that was trusted before (PROTOCOL, Keys). The set that held until then
//! stays until that is so.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use serde::Deserialize;

use crate::blocking;
use crate::client::{Inner, Lane, WeChatPay};
use crate::crypto::aes::EncryptedResource;
use crate::crypto::keys::Validity;
use crate::deferred::Deferred;
use crate::error::{DecodeError, Error, TransportError, VerifyError, VerifyReason};
use crate::platform::{self, PUBLIC_KEY_PREFIX, PlatformKey, PlatformKeys, Run};
use crate::prepared::Parts;
use crate::response::request_id;
use crate::retry;
use crate::verify;
use crate::wire;

const PATH: &str = "v3/certificates";

#[derive(Deserialize)]
struct List {
    data: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    serial_no: String,
    encrypt_certificate: EncryptedResource,
}

impl WeChatPay {
    /// Fetches the platform's certificates now, unless that was done within the last minute. With
    /// [`Builder::automatic_certificates`](crate::Builder::automatic_certificates) the client does it by itself: before
    /// its first call, every 12 hours, and when the platform signs with a certificate that is not known. Call it at
    /// the start of a program to have the first call answered sooner, or what is wrong told before it.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// let wx = wechatpay_chain::WeChatPay::builder()
    ///     .mchid(sandbox.mchid())
    ///     .serial(sandbox.serial())
    ///     .private_key(sandbox.merchant_key_pem())
    ///     .apiv3_key(sandbox.apiv3_key())
    ///     .automatic_certificates()
    ///     .base_url(sandbox.base_url())
    ///     .build()?;
    /// wx.refresh_certificates().wait()?;
    /// assert_eq!(wx.platform_serials(), [sandbox.platform_certificate_serial()]);
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] unless the certificates are automatic. [`Error::Transport`] when they could not be had; its
    /// source says why: no connection, an answer that does not verify, certificates that do not open with this APIv3
    /// key, or a merchant who has none (404 `RESOURCE_NOT_EXISTS`).
    pub fn refresh_certificates(&self) -> Deferred<()> {
        let inner = Arc::clone(&self.inner);
        Deferred::new(async move {
            match begin(&inner)? {
                Some(run) => run.outcome().await.map_err(unavailable),
                None => {
                    Err(Error::config("certificates", "are not automatic: `Builder::automatic_certificates`"))
                }
            }
        })
    }
}

impl WeChatPay {
    /// Downloads the platform's certificates: verified as an answer, decrypted with the APIv3 key, and those that are
    /// still valid. It asks the platform every time, and leaves the client's own keys as they are; a client that is to
    /// use certificates has [`Builder::automatic_certificates`](crate::Builder::automatic_certificates).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// for certificate in wx.platform_certificates().wait()? {
    ///     assert_eq!(certificate.serial, sandbox.platform_certificate_serial());
    ///     assert_eq!(certificate.pem, sandbox.platform_certificate_pem());
    /// }
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] without an APIv3 key, [`Error::Api`] for a merchant who has no certificates (404
    /// `RESOURCE_NOT_EXISTS`), [`Error::Decrypt`] when they do not open with this APIv3 key; and every other of a call.
    pub fn platform_certificates(&self) -> Deferred<Vec<PlatformCertificate>> {
        let inner = Arc::clone(&self.inner);
        Deferred::new(async move {
            if inner.settings.apiv3_key.is_none() {
                return Err(no_key());
            }
            let public = |Fetched { key, pem }: Fetched| {
                let Validity { not_before, not_after } = key.validity.as_ref()?;
                let (not_before, not_after) = (*not_before, *not_after);
                Some(PlatformCertificate { serial: key.serial.clone(), not_before, not_after, pem })
            };
            // On the background runtime, so that it can be asked from anywhere.
            let download = blocking::on_background(async move { download(&inner).await })?;
            Ok(download.await?.into_iter().filter_map(public).collect())
        })
    }
}

/// A certificate of the platform: [`WeChatPay::platform_certificates`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlatformCertificate {
    /// Its serial, upper-case hex: what an answer's `Wechatpay-Serial` names.
    pub serial: String,
    /// Since when it is valid, Unix seconds.
    pub not_before: u64,
    /// Until when it is valid, Unix seconds, this one included.
    pub not_after: u64,
    /// The certificate, as the platform gave it.
    pub pem: String,
}

/// A certificate that came, and the text that it came as.
struct Fetched {
    key: Arc<PlatformKey>,
    pem: String,
}

/// What a call waits for before it is sent: the first certificates, when nothing could be verified without them.
/// Certificates that are merely old are renewed while it goes on.
pub(crate) fn awaited(inner: &Arc<Inner>) -> Result<Option<Run>, Error> {
    let Some(refresh) = &inner.platform.refresh else { return Ok(None) };
    if inner.platform.keys().is_empty() {
        return begin(inner);
    }
    if refresh.is_due(inner.clock.unix_seconds())
        && let Err(error) = begin(inner)
    {
        tracing::warn!(%error, "the platform certificates cannot be renewed");
    }
    Ok(None)
}

/// Waits for what [`awaited`] gave. Nothing was sent of a call that this fails.
pub(crate) async fn arrive(run: Option<Run>) -> Result<(), Error> {
    match run {
        // Boxed: only the first call waits, and every other would carry it about.
        Some(run) => Box::pin(run.outcome()).await.map_err(unavailable),
        None => Ok(()),
    }
}

/// Never the cause itself: an `Api` error, say, would pass for the platform's answer to the call.
fn unavailable(cause: Arc<Error>) -> Error {
    let hint = match cause.code() {
        Some("RESOURCE_NOT_EXISTS") => "; this merchant has none: configure the platform's public key",
        _ => "",
    };
    Error::Transport(Box::new(TransportError {
        call: format!("GET {PATH}"),
        what: format!("no platform certificates, without which no answer could be verified ({cause}){hint}"),
        request_id: None,
        maybe_sent: false,
        broken: false,
        source: Some(Box::new(cause)),
    }))
}

/// Runs `check` with newer keys, because it found the serial to be `unknown` in `keys`: with those that were added
/// meanwhile, then with those that the platform has now. The key is what is missing, not the time: `check` goes by the
/// time at which the message came.
pub(crate) async fn with_newer_keys<T>(
    inner: &Arc<Inner>,
    keys: &Arc<PlatformKeys>,
    unknown: VerifyReason,
    check: impl Fn(&Arc<PlatformKeys>) -> Result<T, VerifyReason>,
) -> Result<T, VerifyReason> {
    let VerifyReason::UnknownSerial { serial, known, .. } = unknown else { return Err(unknown) };
    let current = inner.platform.keys();
    if !Arc::ptr_eq(&current, keys) && current.find(&serial).is_some() {
        return check(&current);
    }
    let failed =
        |why: String| VerifyReason::UnknownSerial { serial: serial.clone(), known, refresh: Some(why) };
    // A download brings certificates only.
    let run = match begin(inner) {
        _ if serial.starts_with(PUBLIC_KEY_PREFIX) => None,
        Ok(run) => run,
        Err(error) => return Err(failed(error.to_string())),
    };
    match run {
        None => check(&current),
        Some(run) => match run.outcome().await {
            Ok(()) => check(&inner.platform.keys()),
            Err(error) => Err(failed(error.to_string())),
        },
    }
}

/// Begins a download, or joins one; `None` unless the certificates are automatic.
pub(crate) fn begin(inner: &Arc<Inner>) -> Result<Option<Run>, Error> {
    let Some(refresh) = &inner.platform.refresh else { return Ok(None) };
    let now = inner.clock.unix_seconds();
    let without_keys = inner.platform.keys().is_empty();
    let run = refresh.begin(now, without_keys, || {
        let inner = Arc::clone(inner);
        async move {
            let result = renew(&inner).await;
            match &result {
                Ok(()) => {
                    tracing::info!(known = inner.platform.keys().known(), "platform certificates renewed")
                }
                Err(error) => tracing::warn!(%error, "the platform certificates could not be renewed"),
            }
            result
        }
    })?;
    Ok(Some(run))
}

async fn renew(inner: &Arc<Inner>) -> Result<(), Error> {
    let fetched: Vec<_> = download(inner).await?.into_iter().map(|fetched| fetched.key).collect();
    inner.platform.change(|keys| Ok(keys.renewed(&fetched)))?;
    if let Some(refresh) = &inner.platform.refresh {
        refresh.succeeded(inner.clock.unix_seconds());
    }
    Ok(())
}

/// The certificates that hold now, their answer verified.
async fn download(inner: &Arc<Inner>) -> Result<Vec<Fetched>, Error> {
    let keys = inner.platform.keys();
    let parts = Parts::get(inner, PATH)?;
    let spare = inner.hosts.on_spare(&parts.url);
    let answer = match (wire::once(inner, parts.clone(), Lane::Background).await, spare) {
        (Err(error), Some(url)) if retry::fails_over(&error, &Method::GET) => {
            wire::once(inner, Box::new(Parts { url, ..*parts }), Lane::Background).await?
        }
        (result, _) => result?,
    };
    let now = inner.clock.unix_seconds();
    if !answer.status.is_success() {
        // Nobody acts on it, so that it may be anybody's; but it says what it is.
        let verified = verify::signature(&answer.headers, &answer.body, now, &keys).is_ok();
        return Err(answer.into_api_error(verified));
    }
    let request_id = request_id(&answer.headers).map(str::to_owned);
    let fetched = open(inner, &answer.body, request_id.as_deref(), now)?;
    let brought: Vec<_> = fetched.iter().map(|fetched| Arc::clone(&fetched.key)).collect();
    verify::signature(&answer.headers, &answer.body, now, &keys.beside(&brought)).map_err(|reason| {
        Error::Verify(Box::new(VerifyError { reason, status: Some(answer.status.as_u16()), request_id }))
    })?;
    Ok(fetched)
}

fn no_key() -> Error {
    Error::config("apiv3Key", "is missing: the platform certificates are encrypted under it")
}

/// The certificates of an answer that have not expired. One that cannot be read spoils the whole: a set with a gap
/// would show only later.
fn open(inner: &Inner, body: &Bytes, request_id: Option<&str>, now: u64) -> Result<Vec<Fetched>, Error> {
    let decode = |what: String, source: Option<Box<dyn std::error::Error + Send + Sync>>| {
        Error::Decode(Box::new(DecodeError { what, request_id: request_id.map(str::to_owned), source }))
    };
    let list: List = serde_json::from_slice(body)
        .map_err(|e| decode(format!("the answer is no list of certificates: {e}"), Some(Box::new(e))))?;
    let apiv3_key = inner.settings.apiv3_key.as_ref().ok_or_else(no_key)?;
    let mut fetched = Vec::with_capacity(list.data.len());
    for Entry { serial_no, encrypt_certificate } in list.data {
        let refuse =
            |why: String| Error::Decrypt(format!("certificate {}: {why}", serial_no.escape_debug()).into());
        let pem = apiv3_key.decrypt_resource(&encrypt_certificate).map_err(refuse)?;
        let pem = String::from_utf8(pem).map_err(|_| refuse("opens, but is no text".to_owned()))?;
        let key = platform::load_certificate(&serial_no, &pem, &inner.identity)?;
        if key.validity.as_ref().is_some_and(|validity| validity.not_after >= now) {
            fetched.push(Fetched { key: Arc::new(key), pem });
        }
    }
    match fetched.is_empty() {
        true => Err(decode("the answer has no certificate that is still valid".to_owned(), None)),
        false => Ok(fetched),
    }
}
