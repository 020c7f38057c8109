//! Notifications: verify, then decrypt, in one call. Nothing is decrypted that was not verified.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::certificates;
use crate::client::{Inner, WeChatPay};
use crate::crypto::aes::EncryptedResource;
use crate::deferred::Deferred;
use crate::error::{DecodeError, Error};
use crate::exchange;
use crate::verify;

/// A notification that is proved to come from the platform, its resource decrypted.
///
/// The same `id` may come more than once: what a receiver does must be done once (PROTOCOL, Notifications).
#[derive(Clone)]
#[non_exhaustive]
pub struct Notification {
    /// The notification's own id.
    pub id: String,
    /// What happened: `TRANSACTION.SUCCESS`, `REFUND.SUCCESS` …
    pub event_type: String,
    /// When it was made, RFC 3339.
    pub create_time: String,
    /// The kind of resource: `encrypt-resource`.
    pub resource_type: String,
    /// A text for people.
    pub summary: String,
    /// What the resource is: `transaction`, `refund` …
    pub original_type: String,
    /// The resource itself, decrypted.
    pub resource: Value,
}

#[derive(Deserialize)]
struct Envelope {
    id: String,
    event_type: String,
    #[serde(default)]
    create_time: String,
    #[serde(default)]
    resource_type: String,
    #[serde(default)]
    summary: String,
    resource: Resource,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(flatten)]
    sealed: EncryptedResource,
    #[serde(default)]
    original_type: String,
}

impl WeChatPay {
    /// Verifies a notification (clock window, serial, signature, probe) and then decrypts its resource with the APIv3
    /// key. `headers` is an [`http::HeaderMap`] by reference, or any list of name/value pairs, in any letter case;
    /// `body` is the raw body as it came.
    ///
    /// Answer [`Notification::accept`] within 5 s, or [`Notification::reject`]; the platform tries again for a day.
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
    /// [`Error::Config`] without an APIv3 key, [`Error::Verify`] when it is not proved to be the platform's,
    /// [`Error::Decode`] when it is no notification, [`Error::Decrypt`] when the resource does not open.
    pub fn notification<I, N, V>(&self, headers: I, body: impl Into<Bytes>) -> Deferred<Notification>
    where
        I: IntoIterator<Item = (N, V)>,
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            // What is no header cannot be one of the four either.
            let name = HeaderName::from_bytes(name.as_ref().as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_ref())) {
                map.append(name, value);
            }
        }
        let (inner, body) = (Arc::clone(&self.inner), body.into());
        Deferred::new(async move {
            // Said first, so that a receiver that is not set up does not wait for its first genuine notification.
            if inner.settings.apiv3_key.is_none() {
                return Err(no_key());
            }
            certificates::arrive(certificates::awaited(&inner)?).await?;
            let (keys, now) = (inner.platform.keys(), inner.clock.unix_seconds());
            exchange::under(&inner, &keys, &map, None, |keys| verify::signature(&map, &body, now, keys))
                .await?;
            open(&inner, &map, &body)
        })
    }
}

fn no_key() -> Error {
    Error::config("apiv3Key", "is missing: a notification is encrypted under the APIv3 key")
}

fn open(inner: &Inner, headers: &HeaderMap, body: &[u8]) -> Result<Notification, Error> {
    let key = inner.settings.apiv3_key.as_ref().ok_or_else(no_key)?;
    let decode = |what: &str, e: serde_json::Error| {
        let request_id = crate::response::request_id(headers).map(str::to_owned);
        Error::Decode(Box::new(DecodeError {
            what: format!("{what}: {e}"),
            request_id,
            source: Some(Box::new(e)),
        }))
    };
    let envelope: Envelope =
        serde_json::from_slice(body).map_err(|e| decode("the body is no notification", e))?;
    let Resource { sealed, original_type } = envelope.resource;
    let refuse = |why| Error::Decrypt(format!("notification {}: {why}", envelope.id).into());
    let plain = key.decrypt_resource(&sealed).map_err(refuse)?;
    Ok(Notification {
        id: envelope.id,
        event_type: envelope.event_type,
        create_time: envelope.create_time,
        resource_type: envelope.resource_type,
        summary: envelope.summary,
        original_type,
        resource: serde_json::from_slice(&plain)
            .map_err(|e| decode("the decrypted resource is not JSON", e))?,
    })
}

impl Notification {
    /// The resource as a type of yours.
    ///
    /// # Errors
    /// [`Error::Decode`] says what does not fit.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(&self.resource).map_err(|e| {
            let what =
                format!("the resource of {} does not fit {}: {e}", self.id, std::any::type_name::<T>());
            Error::Decode(Box::new(DecodeError { what, request_id: None, source: Some(Box::new(e)) }))
        })
    }

    /// The reply that ends the matter: 204, no body.
    pub fn accept(&self) -> Reply {
        Reply { status: 204, body: String::new() }
    }

    /// The reply after which the platform tries again: 500 with the FAIL body. See [`Reply::reject`].
    pub fn reject(&self, message: &str) -> Reply {
        Reply::reject(message)
    }
}

/// The resource may hold personal data and stays out.
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

/// What a receiver answers to a notification. `http::Response::<String>::from(reply)` is the whole answer, which axum
/// and others take as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    status: u16,
    body: String,
}

impl Reply {
    /// 500 with `{"code":"FAIL","message":"…"}`: also the answer to a notification that did not verify.
    ///
    /// ```
    /// let reply = wechatpay_chain::Reply::reject("no \"order\"");
    /// assert_eq!((reply.status(), reply.body()), (500, r#"{"code":"FAIL","message":"no \"order\""}"#));
    /// ```
    pub fn reject(message: &str) -> Reply {
        Reply { status: 500, body: json!({"code": "FAIL", "message": message}).to_string() }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The body: empty, or JSON.
    pub fn body(&self) -> &str {
        &self.body
    }
}

impl From<Reply> for http::Response<String> {
    fn from(reply: Reply) -> Self {
        let json = !reply.body.is_empty();
        let mut response = http::Response::new(reply.body);
        *response.status_mut() =
            http::StatusCode::from_u16(reply.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        if json {
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(http::header::CONTENT_TYPE, json);
        }
        response
    }
}
