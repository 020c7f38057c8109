//! The doors: the typed one, PHP's factory array, the environment.

use serde_json::{Map, Value};

use super::merchant::P12;
use super::{Builder, seconds};
use crate::client::WeChatPay;
use crate::error::{Error, kind_of};

impl Builder {
    /// A builder filled from PHP's factory array.
    pub(super) fn from_array(array: Value) -> Result<Builder, Error> {
        let Value::Object(array) = array else {
            return Err(Error::config(
                "factory",
                format!("takes an object; it was given {}", kind_of(&array)),
            ));
        };
        let mut builder = Builder::default();
        for (key, value) in array {
            builder = match key.as_str() {
                _ if value.is_null() => builder,
                "mchid" => builder.mchid(text(&key, value)?),
                "serial" => builder.serial(text(&key, value)?),
                "privateKey" => match with_passphrase(&key, value)? {
                    (pem, Some(passphrase)) => builder.private_key(pem).passphrase(passphrase),
                    (pem, None) => builder.private_key(pem),
                },
                "p12" => {
                    let (path, passphrase) = with_passphrase(&key, value)?;
                    builder.p12 = Some(P12::new(path, passphrase));
                    builder
                }
                "merchantCertificate" => builder.merchant_certificate(text(&key, value)?),
                "apiv3Key" => builder.apiv3_key(text(&key, value)?),
                "base_uri" | "baseURL" => builder.base_url(text(&key, value)?),
                "certs" => certs(builder, value)?,
                "automaticCertificates" => match value {
                    Value::Bool(true) => builder.automatic_certificates(),
                    Value::Bool(false) => builder,
                    other => {
                        let reason = format!("must be true or false; it is {}", kind_of(&other));
                        return Err(Error::config(key, reason));
                    }
                },
                "timeout" => builder.timeout(seconds("timeout", &value)?),
                // APIv2's: checked, so that PHP's array can stay as it is, and not needed for APIv3.
                "secret" => text(&key, value).map(|_| builder)?,
                "merchant" => object("merchant", value).map(|_| builder)?,
                _ => {
                    let known = "mchid serial privateKey p12 merchantCertificate certs automaticCertificates apiv3Key secret merchant base_uri (or baseURL) timeout";
                    return Err(Error::config(
                        key,
                        format!("is not a configuration key; known are: {known}"),
                    ));
                }
            };
        }
        Ok(builder)
    }

    /// A builder filled from what `get` returns for the `WECHATPAY_*` names of [`WeChatPay::from_env`]: for variables
    /// that are kept somewhere else than in the environment, and for setting more than they say.
    ///
    /// ```no_run
    /// use wechatpay_chain::Builder;
    /// # fn main() -> Result<(), wechatpay_chain::Error> {
    /// let wx = Builder::from_variables(|name| std::env::var(name).ok())?.proxy("http://127.0.0.1:3128").build()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] for one of a pair without the other, and for a value that is none of its kind. The rest comes
    /// out of [`build`](Builder::build), which then names the variables, too.
    pub fn from_variables(get: impl Fn(&str) -> Option<String>) -> Result<Builder, Error> {
        let mut builder = Builder { by_variable: true, ..Builder::default() };
        let set = |builder: Builder, name: &str, with: fn(Builder, String) -> Builder| match get(name) {
            Some(value) => with(builder, value),
            None => builder,
        };
        builder = set(builder, "WECHATPAY_MCHID", Builder::mchid);
        builder = set(builder, "WECHATPAY_SERIAL", Builder::serial);
        builder = set(builder, "WECHATPAY_PRIVATE_KEY", Builder::private_key);
        builder = set(builder, "WECHATPAY_PASSPHRASE", Builder::passphrase);
        builder = set(builder, "WECHATPAY_CERTIFICATE", Builder::merchant_certificate);
        builder.p12 = get("WECHATPAY_P12").map(|path| P12::new(path, None));
        builder = set(builder, "WECHATPAY_APIV3_KEY", Builder::apiv3_key);
        builder = set(builder, "WECHATPAY_BASE_URL", Builder::base_url);
        for (id, pem) in [
            ("WECHATPAY_PLATFORM_SERIAL", "WECHATPAY_PLATFORM_CERTIFICATE"),
            ("WECHATPAY_PUBLIC_KEY_ID", "WECHATPAY_PUBLIC_KEY"),
        ] {
            builder = match (get(id), get(pem)) {
                (Some(id), Some(pem)) => builder.platform_key(id, pem),
                (None, None) => builder,
                (None, Some(_)) => {
                    return Err(Error::config(id, format!("is missing: `{pem}` is set without it")));
                }
                (Some(_), None) => {
                    return Err(Error::config(pem, format!("is missing: `{id}` is set without it")));
                }
            };
        }
        builder = match get("WECHATPAY_AUTOMATIC_CERTIFICATES").as_deref() {
            Some("1" | "true") => builder.automatic_certificates(),
            Some("0" | "false") | None => builder,
            Some(other) => {
                let reason = format!("must be 1 or 0; it is {other:?}");
                return Err(Error::config("WECHATPAY_AUTOMATIC_CERTIFICATES", reason));
            }
        };
        if let Some(text) = get("WECHATPAY_TIMEOUT") {
            let value = text.parse::<f64>().map_or(Value::String(text), Value::from);
            builder = builder.timeout(seconds("WECHATPAY_TIMEOUT", &value)?);
        }
        Ok(builder)
    }
}

/// The doors.
impl WeChatPay {
    /// The typed door; see [`Builder`].
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// PHP's door: `Builder::factory([...])` with the same key names: `mchid serial privateKey certs secret merchant
    /// base_uri timeout`, and `apiv3Key`, `automaticCertificates`, `merchantCertificate`, `p12`. A `privateKey` or `p12` with a passphrase is a
    /// list of two, as PHP's `Rsa::from([$pem, $passphrase])`. `timeout` is in seconds, as in PHP. `secret` and
    /// `merchant` belong to APIv2 and have no effect on APIv3.
    ///
    /// ```no_run
    /// # use serde_json::json;
    /// # use wechatpay_chain::WeChatPay;
    /// # fn main() -> Result<(), wechatpay_chain::Error> {
    /// let wx = WeChatPay::factory(json!({
    ///     "mchid": "1900000109",
    ///     "serial": "3775B6A45ACD588826D15E583A95F5DD12345678",
    ///     "privateKey": "file:///etc/wxpay/apiclient_key.pem",
    ///     "certs": {"PUB_KEY_ID_0114232134912410000000000000": "file:///etc/wxpay/pub_key.pem"},
    /// }))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`Builder::build`], and [`Error::Config`] for a key that is not known or has the wrong type.
    pub fn factory(array: Value) -> Result<WeChatPay, Error> {
        Builder::from_array(array)?.build()
    }

    /// The environment's door: `WECHATPAY_MCHID`; `WECHATPAY_SERIAL` or `WECHATPAY_CERTIFICATE` with
    /// `WECHATPAY_PRIVATE_KEY`, or `WECHATPAY_P12` for both; one or both of `WECHATPAY_PUBLIC_KEY_ID` with `WECHATPAY_PUBLIC_KEY` and `WECHATPAY_PLATFORM_SERIAL` with
    /// `WECHATPAY_PLATFORM_CERTIFICATE`; optionally `WECHATPAY_AUTOMATIC_CERTIFICATES` (1; in the place of a platform key, or beside one), `WECHATPAY_PASSPHRASE` (of the private key or the p12, for which it is the merchant number
    /// unless set), `WECHATPAY_APIV3_KEY`, `WECHATPAY_BASE_URL`, `WECHATPAY_TIMEOUT`
    /// (seconds). Keys are PEM text (`\n` may be written out), `file://` paths or PHP's schemes.
    ///
    /// ```no_run
    /// let wx = wechatpay_chain::WeChatPay::from_env()?;
    /// # Ok::<(), wechatpay_chain::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Builder::build`], and [`Error::Config`] for one of a pair without the other.
    pub fn from_env() -> Result<WeChatPay, Error> {
        if let Some((name, _)) = std::env::vars_os().find(|(name, value)| {
            name.to_str().is_some_and(|name| name.starts_with("WECHATPAY_")) && value.to_str().is_none()
        }) {
            return Err(Error::config(name.to_string_lossy(), "is not UTF-8"));
        }
        // An empty variable is an unset one: that is how shells and containers unset them.
        Builder::from_variables(|name| std::env::var(name).ok().filter(|v| !v.is_empty()))?.build()
    }
}

/// The variable that fills a field, for messages.
const VARIABLES: &[(&str, &str)] = &[
    ("mchid", "WECHATPAY_MCHID"),
    ("serial", "WECHATPAY_SERIAL"),
    ("privateKey", "WECHATPAY_PRIVATE_KEY"),
    ("merchantCertificate", "WECHATPAY_CERTIFICATE"),
    ("p12", "WECHATPAY_P12"),
    ("certs", "WECHATPAY_PUBLIC_KEY"),
    ("apiv3Key", "WECHATPAY_APIV3_KEY"),
    ("base_uri", "WECHATPAY_BASE_URL"),
];

pub(super) fn by_variable(error: Error) -> Error {
    let variable =
        |field: &str| VARIABLES.iter().find(|(name, _)| *name == field).map(|(_, name)| (*name).to_owned());
    match error {
        Error::Config(mut e) => {
            e.field = variable(&e.field).unwrap_or(e.field);
            Error::Config(e)
        }
        Error::Key(mut e) => {
            e.name = variable(&e.name).unwrap_or(e.name);
            Error::Key(e)
        }
        other => other,
    }
}

// Values are moved out of the array, not copied: the builder wipes what it holds.

fn text(field: &str, value: Value) -> Result<String, Error> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(Error::config(field, format!("must be a string; it is {}", kind_of(&other)))),
    }
}

/// A string, or a list of it and its passphrase.
fn with_passphrase(field: &str, value: Value) -> Result<(String, Option<String>), Error> {
    let wrong = |found: &str| {
        Error::config(field, format!("must be a string or [string, passphrase]; it is {found}"))
    };
    let list = match value {
        Value::String(text) => return Ok((text, None)),
        Value::Array(list) => list,
        other => return Err(wrong(kind_of(&other))),
    };
    let count = list.len();
    let mut list = list.into_iter();
    match (list.next(), list.next(), list.next()) {
        (Some(Value::String(text)), Some(Value::String(passphrase)), None) => Ok((text, Some(passphrase))),
        // PHP's passphrase may be null: the key has none.
        (Some(Value::String(text)), Some(Value::Null), None) => Ok((text, None)),
        (Some(_), Some(_), None) => Err(wrong("a list of other things than two strings")),
        _ => Err(wrong(&format!("a list of {count}"))),
    }
}

fn certs(mut builder: Builder, value: Value) -> Result<Builder, Error> {
    for (serial, pem) in object("certs", value)? {
        let pem = text(&format!("certs[\"{serial}\"]"), pem)?;
        builder = builder.platform_key(serial, pem);
    }
    Ok(builder)
}

fn object(field: &str, value: Value) -> Result<Map<String, Value>, Error> {
    match value {
        Value::Object(object) => Ok(object),
        other => Err(Error::config(field, format!("must be an object; it is {}", kind_of(&other)))),
    }
}
