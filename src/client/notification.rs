//! Notifications: verified, then decrypted, in one call. Only verified notifications are decrypted.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::WeChatPay;
use crate::crypto::aes::EncryptedResource;
use crate::error::{DecodeError, Error, Sanitized, json_reason, json_source};
use crate::json;
use crate::response::request_id;
use crate::runtime::{Deadline, Deferred};
use crate::v3::platform::WantedBy;
use crate::v3::{Context, certificates, exchange, verify};

mod headers;

/// A verified notification, with its resource decrypted.
///
/// The same `id` may arrive more than once: make the receiver idempotent
/// ([PROTOCOL, Notifications](crate::guide::protocol#notifications)).
#[derive(Clone)]
#[non_exhaustive]
pub struct Notification {
    /// The notification's id.
    pub id: String,
    /// The event: `TRANSACTION.SUCCESS`, `REFUND.SUCCESS` …
    pub event_type: String,
    /// The time of the event, RFC 3339; empty if the platform left it out.
    pub create_time: String,
    /// The kind of resource: `encrypt-resource`; empty if the platform left it out.
    pub resource_type: String,
    /// A summary for people; empty if the platform left it out.
    pub summary: String,
    /// The type of the decrypted resource: `transaction`, `refund` …; empty if the platform left it out.
    pub original_type: String,
    /// The decrypted resource. Half of a character in it (`"\ud83d"`, half an emoji) is U+FFFD.
    pub resource: Value,
    /// Whether it is one of APIv2, which gets its reply in XML.
    #[cfg(feature = "v2")]
    pub(super) xml: bool,
}

#[derive(Deserialize)]
struct Envelope {
    id: String,
    event_type: String,
    #[serde(default, deserialize_with = "optional_text")]
    create_time: String,
    #[serde(default, deserialize_with = "optional_text")]
    resource_type: String,
    #[serde(default, deserialize_with = "optional_text")]
    summary: String,
    resource: Resource,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(flatten)]
    encrypted: EncryptedResource,
    #[serde(default, deserialize_with = "optional_text")]
    original_type: String,
}

/// A field that is told to people: null, or of another type, it is not a reason to refuse a genuine notification.
fn optional_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    })
}

impl WeChatPay {
    /// Verifies a notification (clock window, serial, signature, probe), then decrypts its resource with the APIv3 key.
    /// `headers` is a reference to an [`http::HeaderMap`], or any list of name/value pairs, in any letter case, also as CGI
    /// writes them (`HTTP_WECHATPAY_NONCE`: PHP, Django); `body` is the raw body as received.
    ///
    /// Reply within 5 s: [`Notification::accept`], or [`Notification::reject`], after which the platform sends it again,
    /// for up to a day.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # use serde_json::json;
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// let order = json!({"out_trade_no": "P12345", "trade_state": "SUCCESS"});
    /// let (headers, body) = sandbox.notification("TRANSACTION.SUCCESS", "transaction", &order)?;
    /// let notification = wx.notification(&headers, body).wait()?;
    /// assert_eq!(notification.event_type, "TRANSACTION.SUCCESS");
    /// assert_eq!(notification.resource["out_trade_no"], "P12345");
    /// let reply = notification.accept();
    /// assert_eq!((reply.status(), reply.body()), (204, ""));
    /// # }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] without an APIv3 key, [`Error::PlatformKeys`] if the platform's first certificates could not be
    /// downloaded, [`Error::Verify`] if it could not be authenticated, [`Error::Decode`] if it is not a notification,
    /// [`Error::Decrypt`] if the resource cannot be decrypted.
    pub fn notification<I, N, V>(&self, headers: I, body: impl Into<Bytes>) -> Deferred<Notification>
    where
        I: IntoIterator<Item = (N, V)>,
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        let map = headers::of_signature(headers);
        let (context, body) = (Arc::clone(&self.context.v3), body.into());
        Deferred::new(async move {
            // Checked first, so that a missing key shows before the first genuine notification.
            if context.apiv3_key.is_none() {
                return Err(context.defaults.names.rename(apiv3_key_missing()));
            }
            let deadline = Deadline::after(context.defaults.timeout);
            let download = certificates::initial_download(&context, WantedBy::Notification)?;
            certificates::wait_for_keys(download, &deadline, WantedBy::Notification).await?;
            let (keys, now) = (context.platform.keys(), context.clock.unix_seconds());
            exchange::verify_with_refresh(&context, &keys, &map, None, &deadline, |keys| {
                verify::verify_signature(&map, &body, now, keys)
            })
            .await?;
            decrypt(&context, &map, &body)
        })
    }
}

fn apiv3_key_missing() -> Error {
    Error::config("apiv3_key", "is missing: notifications are encrypted with the APIv3 key")
}

fn decrypt(context: &Context, headers: &HeaderMap, body: &[u8]) -> Result<Notification, Error> {
    let key = context.apiv3_key.as_ref().ok_or_else(apiv3_key_missing)?;
    let decode = |what: &str, e: serde_json::Error| {
        let request_id = request_id(headers).map(str::to_owned);
        Error::Decode(Box::new(DecodeError {
            what: format!("{what}: {}", json_reason(&e)),
            request_id,
            source: Some(json_source(&e)),
            headers: None,
        }))
    };
    let envelope: Envelope =
        json::from_slice(body).map_err(|e| decode("the body is not a notification", e))?;
    let Resource { encrypted, original_type } = envelope.resource;
    let refuse =
        |reason| Error::Decrypt(format!("notification {}: {reason}", Sanitized(&envelope.id)).into());
    let plaintext = key.decrypt_resource(&encrypted).map_err(refuse)?;
    Ok(Notification {
        id: envelope.id,
        event_type: envelope.event_type,
        create_time: envelope.create_time,
        resource_type: envelope.resource_type,
        summary: envelope.summary,
        original_type,
        resource: json::from_slice(&plaintext)
            .map_err(|e| decode("the decrypted resource is not JSON", e))?,
        #[cfg(feature = "v2")]
        xml: false,
    })
}

impl Notification {
    /// The resource as a type of your own.
    ///
    /// # Errors
    /// [`Error::Decode`] names a field that is missing, or the type that does not fit.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(&self.resource).map_err(|e| {
            let (id, name) = (Sanitized(&self.id), std::any::type_name::<T>());
            let what = format!("the resource of {id} does not match {name}: {}", json_reason(&e));
            Error::Decode(Box::new(DecodeError {
                what,
                request_id: None,
                source: Some(json_source(&e)),
                headers: None,
            }))
        })
    }

    /// The reply that acknowledges the notification: 204, no body; for APIv2 200 with `SUCCESS` in XML.
    pub fn accept(&self) -> Reply {
        #[cfg(feature = "v2")]
        if self.xml {
            return Reply::xml("SUCCESS", "OK");
        }
        Reply { status: 204, body: String::new() }
    }

    /// The reply after which the platform sends the notification again: 500 with the FAIL body. See [`Reply::reject`].
    pub fn reject(&self, message: &str) -> Reply {
        #[cfg(feature = "v2")]
        if self.xml {
            return Reply::reject_v2(message);
        }
        Reply::reject(message)
    }
}

/// Leaves out the resource, which may hold personal data.
impl fmt::Debug for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notification")
            .field("id", &self.id)
            .field("event_type", &self.event_type)
            .field("create_time", &self.create_time)
            .field("original_type", &self.original_type)
            .finish_non_exhaustive()
    }
}

/// The HTTP reply to a notification. `http::Response::<String>::from(reply)` is the whole response, which axum and other
/// frameworks accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Reply {
    /// 500 with `{"code":"FAIL","message":"…"}`: also the reply to a notification that could not be verified.
    ///
    /// ```
    /// let reply = wechatpay_chain::notification::Reply::reject("no \"order\"");
    /// assert_eq!((reply.status(), reply.body()), (500, r#"{"code":"FAIL","message":"no \"order\""}"#));
    /// ```
    pub fn reject(message: &str) -> Reply {
        Reply { status: 500, body: json!({"code": "FAIL", "message": message}).to_string() }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body: empty, JSON, or XML for APIv2.
    pub fn body(&self) -> &str {
        &self.body
    }
}

impl From<Reply> for http::Response<String> {
    fn from(reply: Reply) -> Self {
        let kind = match reply.body.as_bytes().first() {
            None => None,
            Some(b'<') => Some("text/xml; charset=utf-8"),
            Some(_) => Some("application/json"),
        };
        let mut response = http::Response::new(reply.body);
        *response.status_mut() =
            http::StatusCode::from_u16(reply.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(kind) = kind {
            response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        response
    }
}
