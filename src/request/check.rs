//! What the documents say about a request: hints, and warnings of them.

use http::header::CONTENT_TYPE;
use serde_json::Value;
use url::Position;

use super::Request;
use super::prepared::Prepared;
use crate::catalogue::check::{Call, is_documented_base};
use crate::catalogue::{Catalogue, FieldHint, Hint};
use crate::error::Error;
use crate::path;
use crate::v3::{Context, OutgoingRequest};

/// A longer body is not compared: no documented one is nearly as long.
const LONGEST_BODY: usize = 1 << 20;
/// The target of the warnings.
const TARGET: &str = "wechatpay_chain::hints";

impl Request {
    /// Compares the request with the documents, and sends nothing: an undocumented path, a field that is missing, unknown,
    /// of another type or in the clear, an operation that another one has replaced. Empty if there is nothing to say.
    ///
    /// A hint is not an error: the documents have slips. The same hints are warnings of `tracing`, with the target
    /// `wechatpay_chain::hints`, when a request is sent: each once for an operation and a client, at the first calls.
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
    match documented_url(request) {
        Some(url) => hints_at(request, &url),
        None => Vec::new(),
    }
}

fn hints_at(request: &OutgoingRequest, url: &str) -> Vec<Hint> {
    let query: Vec<_> = request.url.query_pairs().map(|(name, value)| (name.into(), value.into())).collect();
    let body = json_body(request);
    let known = body.as_ref().ok().and_then(Option::as_ref);
    let mut hints = Call { verb: request.method.as_str(), url, query: &query, body: known }.hints();
    if body.is_err() {
        hints.retain(|hint| !matches!(hint, Hint::Field(FieldHint { place: "body", .. })));
    }
    hints
}

/// A body that is not JSON, and cannot be compared.
struct NotJson;

/// The JSON of the body; `None` if it has none.
fn json_body(request: &OutgoingRequest) -> Result<Option<Value>, NotJson> {
    if request.body.is_empty() && request.upload.is_none() {
        return Ok(None);
    }
    let kind = request.headers.get(CONTENT_TYPE).map_or(&[][..], |kind| kind.as_bytes());
    let media_type = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let is_json = media_type.eq_ignore_ascii_case(b"application/json");
    if !is_json || request.body.len() > LONGEST_BODY {
        return Err(NotJson);
    }
    serde_json::from_slice(&request.body).map(Some).map_err(|_| NotJson)
}

/// The path by which the documents may know the request, behind its base URL if that is one of theirs. `None`: it is an
/// address from a response.
fn documented_url(request: &OutgoingRequest) -> Option<String> {
    if path::is_absolute(&request.template) {
        return None;
    }
    let whole = request.url.path();
    let (prefix, sent) = whole.split_at_checked(request.base_path_length).unwrap_or(("/", whole));
    let template = request.template.split('?').next().unwrap_or_default();
    // The sent path has values where the template has variables, and a variable may stand for a documented segment. But
    // a value may be empty or have a slash, which the documents cannot know. A proxy may have the version in its base URL.
    let behind_proxy = whole.rfind("/v3/").map_or(("/", sent), |at| whole.split_at(at + 1));
    let candidates = [(prefix, sent), (prefix, template), behind_proxy];
    let verb = request.method.as_str();
    let is_documented = |(_, path): &&(&str, &str)| Catalogue::find(verb, path).is_some();
    let has_other_verb = |(_, path): &&(&str, &str)| !Catalogue::at(path).is_empty();
    let known = candidates.iter().find(is_documented).or_else(|| candidates.iter().find(has_other_verb));
    let (prefix, path) = *known.unwrap_or(&candidates[1]);
    let base = [&request.url[..Position::BeforePath], prefix].concat();
    // Not the base URL of a test server or a proxy.
    Some(if is_documented_base(&base) { [&base, path].concat() } else { path.to_owned() })
}

/// Warns of what the documents have otherwise.
pub(super) fn warn(context: &Context, request: &OutgoingRequest) {
    let (given, verb) = (&context.given_hints, request.method.as_str());
    if !tracing::enabled!(target: TARGET, tracing::Level::WARN) || given.is_settled(verb, &request.template) {
        return;
    }
    let Some(url) = documented_url(request) else { return };
    let operation = Catalogue::find(verb, &url);
    let compare = || hints_at(request, &url);
    for hint in given.new_hints(operation, verb, &url, &request.template, compare) {
        let (method, template) = (&request.method, &*request.template);
        tracing::warn!(target: TARGET, %method, template, kind = hint.kind(), "{hint}");
    }
}
