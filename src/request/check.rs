//! What the documents say about a request: hints, and warnings of them.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{LazyLock, Mutex, PoisonError};

use http::header::CONTENT_TYPE;
use url::Position;

use super::Request;
use super::prepared::Prepared;
use crate::catalogue::Hint;
use crate::catalogue::check::Call;
use crate::error::Error;
use crate::path;
use crate::v3::OutgoingRequest;

/// Each warning is given once; after so many, none is.
const MOST_WARNINGS: usize = 1_000;

impl Request {
    /// Compares the request with the documents, and sends nothing: an undocumented path, a field that is missing, unknown,
    /// of another type or in the clear, an operation that another one has replaced. Empty if there is nothing to say.
    ///
    /// A hint is not an error: the documents have slips. The same hints are warnings of `tracing`, each once, when a request
    /// is sent.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/merchant_key.pem");
    /// # let public = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/platform_pub.pem");
    /// # let builder = wechatpay_chain::WeChatPay::builder().mchid("1900000109").serial("3775B6A4").private_key(key);
    /// # let wx = builder.platform_key("PUB_KEY_ID_1", public).build()?;
    /// # use serde_json::json;
    /// let hints = wx["v3/refund/domestic/refund"].post(json!({"out_refund_no": "R1"})).check()?;
    /// let hint = hints[0].to_string();
    /// assert!(hint.starts_with("no document has this path; did you mean POST `v3/refund/domestic/refunds`"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare).
    #[cfg_attr(docsrs, doc(cfg(feature = "catalogue")))]
    pub fn check(self) -> Result<Vec<Hint>, Error> {
        Ok(self.prepare()?.hints())
    }
}

impl Prepared {
    /// What the documents say about it: see [`Request::check`](crate::Request::check).
    #[cfg_attr(docsrs, doc(cfg(feature = "catalogue")))]
    pub fn hints(&self) -> Vec<Hint> {
        self.v3().map(hints).unwrap_or_default()
    }
}

fn hints(request: &OutgoingRequest) -> Vec<Hint> {
    // An address from a response, for a download.
    if path::is_absolute(&request.template) {
        return Vec::new();
    }
    let query: Vec<_> = request.url.query_pairs().map(|(name, value)| (name.into(), value.into())).collect();
    let is_json = request
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let body = is_json.then(|| serde_json::from_slice(&request.body).ok()).flatten();
    // The template, not the values: one may be empty, or have a slash.
    let base = &request.url[..Position::BeforePath];
    let prefix = request.url.path().get(..request.base_path_length).unwrap_or("/");
    let path = request.template.split('?').next().unwrap_or_default();
    let url = [base, prefix, path].concat();
    let call = Call { verb: request.method.as_str(), url: &url, query: &query, body: body.as_ref() };
    call.hints()
}

/// Warns of what the documents have otherwise.
pub(super) fn warn(request: &OutgoingRequest) {
    static GIVEN: LazyLock<Mutex<(RandomState, HashSet<u64>)>> = LazyLock::new(Mutex::default);
    if !tracing::enabled!(tracing::Level::WARN) {
        return;
    }
    for hint in hints(request) {
        let text = hint.to_string();
        let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
        let (hasher, known) = &mut *given;
        let id = hasher.hash_one((&request.method, &request.template, &text));
        if known.len() < MOST_WARNINGS && known.insert(id) {
            drop(given);
            tracing::warn!(method = %request.method, template = &*request.template, "{text}");
        }
    }
}
