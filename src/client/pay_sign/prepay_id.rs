//! `PrepayId`: what a cashier opens. Whatever is not one is refused here; the app would fail later, without a reason.

use std::borrow::Cow;

use serde_json::Value;

use crate::error::{Error, Excerpt, kind_of};

/// The `prepay_id` of an order, for [`jsapi_params`](crate::WeChatPay::jsapi_params) and
/// [`app_params`](crate::WeChatPay::app_params): made from a text, or from the value in the response.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # #[cfg(feature = "sandbox")] {
/// # use serde_json::json;
/// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
/// # let wx = sandbox.client()?;
/// # sandbox.on("POST", "v3/pay/transactions/jsapi", 200, json!({"prepay_id": "wx26112221580621e9b071c00d9e093b0000"}))?;
/// # let body = json!({});
/// let order = wx["v3/pay/transactions/jsapi"].post_sync(body)?;
/// let params = wx.jsapi_params("wxd678efh567hg6787", &order.data()["prepay_id"]).wait()?;
/// assert_eq!(params["package"], "prepay_id=wx26112221580621e9b071c00d9e093b0000");
/// // A text that is not a prepay_id is refused:
/// for wrong in ["prepay_id=wx26", "\"wx26\"", "null", ""] {
///     assert!(wx.jsapi_params("wxd678efh567hg6787", wrong).wait().is_err());
/// }
/// # }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct PrepayId(Result<String, &'static str>);

/// The length of a `prepay_id` in the platform's documents.
const MAX_LENGTH: usize = 64;

/// The length of an `appid` there.
const MAX_APPID: usize = 32;

impl PrepayId {
    /// The id, if it can be one.
    ///
    /// # Errors
    /// [`Error::Config`] that says what to pass.
    pub(in crate::client) fn check(self) -> Result<String, Error> {
        match self.0 {
            Ok(id) => check_prepay_id(&id).map(|()| id),
            Err(found) => {
                let reason = format!(
                    "must be the text of the response's `prepay_id`; it is {found}: pass \
                     `&response.data()[\"prepay_id\"]`"
                );
                Err(Error::config("prepay_id", reason))
            }
        }
    }
}

/// Refuses a text that the platform never sends as a `prepay_id`.
pub(super) fn check_prepay_id(id: &str) -> Result<(), Error> {
    let refuse = |reason: String| Err(Error::config("prepay_id", reason));
    let from_response = "pass `&response.data()[\"prepay_id\"]`, or its `as_str()`";
    if is_nothing(id) {
        return refuse(format!("is {}: the order has no prepay_id; {from_response}", shown(id)));
    }
    if id.to_ascii_lowercase().starts_with("prepay_id=") {
        return refuse("begins with `prepay_id=`: pass the bare id, the prefix is added".to_owned());
    }
    if id.starts_with(['"', '\'']) {
        return refuse(format!(
            "is in quotation marks (`to_string()` of a JSON value adds them): {from_response}"
        ));
    }
    if id.starts_with(['{', '[']) {
        return refuse(format!("is JSON: {from_response}"));
    }
    if id.contains("://") {
        let reason = "is a URL: a `code_url` or `h5_url` is opened as it is, without a signature";
        return refuse(reason.to_owned());
    }
    if id.len() > MAX_LENGTH {
        return refuse(format!("is {} bytes long (limit {MAX_LENGTH}): {from_response}", id.len()));
    }
    match id.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-')) {
        Some(character) => {
            refuse(format!("has the character {character:?}, which no prepay_id has: {from_response}"))
        }
        None if !has_letter_and_digit(id) => {
            refuse(format!("is {}; a prepay_id has letters and digits: {from_response}", shown(id)))
        }
        None => Ok(()),
    }
}

/// Refuses a text that cannot be an `appid`.
pub(in crate::client) fn check_appid(appid: &str) -> Result<(), Error> {
    let refuse = |reason: String| Err(Error::config("appid", reason));
    if is_nothing(appid) {
        return refuse(format!("is {}: pass the appid of the page or app, `wx…`", shown(appid)));
    }
    if appid.len() > MAX_APPID {
        return refuse(format!(
            "is {} bytes long (limit {MAX_APPID}): the appid is the first value, the prepay_id the second",
            appid.len()
        ));
    }
    match appid.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-')) {
        Some(character) => {
            refuse(format!("has the character {character:?}, which no appid has: pass the bare appid, `wx…`"))
        }
        None if appid.starts_with("gh_") => {
            refuse("is the original ID (原始ID) of an account: pass its appid, `wx…`".to_owned())
        }
        None if !has_letter_and_digit(appid) => {
            refuse(format!("is {}; an appid has letters and digits: pass the appid, `wx…`", shown(appid)))
        }
        None => Ok(()),
    }
}

/// As all that the platform gives out. A merchant number, or a field's own name, has not.
fn has_letter_and_digit(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_alphabetic()) && text.contains(|c: char| c.is_ascii_digit())
}

/// What languages and templates write for a value that is not there.
fn is_nothing(text: &str) -> bool {
    const WORDS: &[&str] =
        &["null", "(null)", "undefined", "none", "nil", "nan", "true", "false", "[object object]"];
    let text = text.trim();
    text.is_empty() || WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn shown(text: &str) -> String {
    match text.trim().is_empty() {
        true => "empty".to_owned(),
        false => Excerpt(text.trim()).to_string(),
    }
}

impl From<&str> for PrepayId {
    fn from(id: &str) -> Self {
        PrepayId(Ok(id.to_owned()))
    }
}

impl From<String> for PrepayId {
    fn from(id: String) -> Self {
        PrepayId(Ok(id))
    }
}

impl From<&String> for PrepayId {
    fn from(id: &String) -> Self {
        PrepayId(Ok(id.clone()))
    }
}

impl From<&&str> for PrepayId {
    fn from(id: &&str) -> Self {
        PrepayId(Ok((*id).to_owned()))
    }
}

impl From<Cow<'_, str>> for PrepayId {
    fn from(id: Cow<'_, str>) -> Self {
        PrepayId(Ok(id.into_owned()))
    }
}

impl From<&Value> for PrepayId {
    fn from(id: &Value) -> Self {
        PrepayId(match id {
            Value::String(id) => Ok(id.clone()),
            other => Err(kind_of(other)),
        })
    }
}

impl From<Value> for PrepayId {
    fn from(id: Value) -> Self {
        PrepayId::from(&id)
    }
}

/// Nothing, as `as_str()` and `get("prepay_id")` return it, is refused with the others.
impl<T: Into<PrepayId>> From<Option<T>> for PrepayId {
    fn from(id: Option<T>) -> Self {
        id.map_or(PrepayId(Err("missing")), Into::into)
    }
}
