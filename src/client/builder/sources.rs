//! The sources of settings: the builder, PHP's factory array, the environment.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::merchant::P12;
use super::{PlatformKeyConfig, WeChatPayBuilder};
use crate::client::WeChatPay;
use crate::error::{Error, Excerpt, FieldNames, kind_of};
use crate::transport::seconds;

impl WeChatPayBuilder {
    /// A builder with the settings of PHP's factory array.
    pub(super) fn from_array(array: Value) -> Result<WeChatPayBuilder, Error> {
        let Value::Object(array) = array else {
            return Err(Error::config("factory", format!("must be an object; it is {}", kind_of(&array))));
        };
        let mut builder = WeChatPayBuilder { names: FieldNames::Array, ..WeChatPayBuilder::default() };
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
                // APIv2's. They are checked, so that PHP's array can stay as it is, and not used by APIv3.
                "secret" => text(&key, value).map(|_| builder)?,
                "merchant" => object("merchant", value).map(|_| builder)?,
                _ => {
                    let known = "mchid serial privateKey p12 merchantCertificate certs automaticCertificates apiv3Key secret merchant base_uri (or baseURL) timeout";
                    return Err(Error::config(key, format!("is not a configuration key (known: {known})")));
                }
            };
        }
        Ok(builder)
    }

    /// A builder with the settings that `get` returns for the `WECHATPAY_*` names of [`WeChatPay::from_env`]: for
    /// variables that are not in the environment, and to add settings to them.
    ///
    /// ```no_run
    /// use wechatpay_chain::WeChatPayBuilder;
    /// # fn main() -> Result<(), wechatpay_chain::Error> {
    /// let wx = WeChatPayBuilder::from_variables(|name| std::env::var(name).ok())?.proxy("http://127.0.0.1:3128").build()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] for one of a pair without the other, and for a malformed value. [`build`](Self::build) checks the
    /// rest; its errors name the variables, too.
    pub fn from_variables(get: impl Fn(&str) -> Option<String>) -> Result<WeChatPayBuilder, Error> {
        let mut builder = WeChatPayBuilder { names: FieldNames::Variables, ..WeChatPayBuilder::default() };
        let set = |builder: WeChatPayBuilder,
                   name: &str,
                   with: fn(WeChatPayBuilder, String) -> WeChatPayBuilder| match get(name) {
            Some(value) => with(builder, value),
            None => builder,
        };
        builder = set(builder, "WECHATPAY_MCHID", WeChatPayBuilder::mchid);
        builder = set(builder, "WECHATPAY_SERIAL", WeChatPayBuilder::serial);
        builder = set(builder, "WECHATPAY_PRIVATE_KEY", WeChatPayBuilder::private_key);
        builder = set(builder, "WECHATPAY_PASSPHRASE", WeChatPayBuilder::passphrase);
        builder = set(builder, "WECHATPAY_CERTIFICATE", WeChatPayBuilder::merchant_certificate);
        builder.p12 = get("WECHATPAY_P12").map(|path| P12::new(path, None));
        builder = set(builder, "WECHATPAY_APIV3_KEY", WeChatPayBuilder::apiv3_key);
        builder = set(builder, "WECHATPAY_BASE_URL", WeChatPayBuilder::base_url);
        for (id, pem) in [
            ("WECHATPAY_PLATFORM_SERIAL", "WECHATPAY_PLATFORM_CERTIFICATE"),
            ("WECHATPAY_PUBLIC_KEY_ID", "WECHATPAY_PUBLIC_KEY"),
        ] {
            builder = match (get(id), get(pem)) {
                (Some(serial), Some(key)) => {
                    let (key, variables) = (Zeroizing::new(key), Some((id, pem)));
                    builder.platform_keys.push(PlatformKeyConfig { serial, pem: key, variables });
                    builder
                }
                (None, None) => builder,
                (None, Some(_)) => {
                    return Err(Error::config(id, format!("is missing, but `{pem}` is set")));
                }
                (Some(_), None) => {
                    return Err(Error::config(pem, format!("is missing, but `{id}` is set")));
                }
            };
        }
        builder = match get("WECHATPAY_AUTOMATIC_CERTIFICATES").as_deref() {
            Some("1" | "true") => builder.automatic_certificates(),
            Some("0" | "false") | None => builder,
            Some(other) => {
                let reason = format!("must be 1 or 0; it is {}", Excerpt(other));
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

/// The three sources of settings.
impl WeChatPay {
    /// A builder, to set everything from Rust: see [`WeChatPayBuilder`].
    pub fn builder() -> WeChatPayBuilder {
        WeChatPayBuilder::default()
    }

    /// A client from the array of PHP's `Builder::factory([...])`, with the same key names: `mchid serial privateKey certs
    /// secret merchant base_uri timeout`; also `apiv3Key automaticCertificates merchantCertificate p12`. A `privateKey` or
    /// `p12` with a passphrase is a list of two, as in PHP's `Rsa::from([$pem, $passphrase])`. `timeout` is in seconds, as
    /// in PHP. `secret` and `merchant` belong to APIv2 and have no effect on APIv3. Errors name PHP's keys.
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
    /// Those of [`WeChatPayBuilder::build`], and [`Error::Config`] for an unknown key or a value of the wrong type.
    pub fn factory(array: Value) -> Result<WeChatPay, Error> {
        WeChatPayBuilder::from_array(array)?.build()
    }

    /// A client from environment variables. Errors name the variables.
    ///
    /// | variable | value |
    /// |---|---|
    /// | `WECHATPAY_MCHID` | required |
    /// | `WECHATPAY_PRIVATE_KEY` with `WECHATPAY_SERIAL` or `WECHATPAY_CERTIFICATE` | required, unless `WECHATPAY_P12` is set |
    /// | `WECHATPAY_P12` | the path of the `.p12` file |
    /// | `WECHATPAY_PASSPHRASE` | of the private key or the `.p12` file, whose default is the merchant number |
    /// | `WECHATPAY_PUBLIC_KEY_ID` with `WECHATPAY_PUBLIC_KEY` | the platform's public key |
    /// | `WECHATPAY_PLATFORM_SERIAL` with `WECHATPAY_PLATFORM_CERTIFICATE` | a platform certificate |
    /// | `WECHATPAY_AUTOMATIC_CERTIFICATES` | `1`: download the platform certificates |
    /// | `WECHATPAY_APIV3_KEY` | 32 bytes |
    /// | `WECHATPAY_BASE_URL` | another base URL |
    /// | `WECHATPAY_TIMEOUT` | seconds |
    ///
    /// At least one of the public key, a platform certificate and automatic certificates is required. Keys are PEM text
    /// (with real line breaks or `\n`), `file://` paths or PHP's schemes.
    ///
    /// ```no_run
    /// let wx = wechatpay_chain::WeChatPay::from_env()?;
    /// # Ok::<(), wechatpay_chain::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`WeChatPayBuilder::build`], and [`Error::Config`] for one of a pair without the other.
    pub fn from_env() -> Result<WeChatPay, Error> {
        if let Some((name, _)) = std::env::vars_os().find(|(name, value)| {
            name.to_str().is_some_and(|name| name.starts_with("WECHATPAY_")) && value.to_str().is_none()
        }) {
            return Err(Error::config(name.to_string_lossy(), "is not UTF-8"));
        }
        // Shells and containers unset a variable by making it empty.
        WeChatPayBuilder::from_variables(|name| std::env::var(name).ok().filter(|v| !v.is_empty()))?.build()
    }
}

// Values are moved out of the array, not copied: the builder wipes its secrets when it is dropped.

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
        (Some(_), Some(_), None) => Err(wrong("a list that does not contain two strings")),
        _ => Err(wrong(&format!("a list of {count} items"))),
    }
}

fn certs(mut builder: WeChatPayBuilder, value: Value) -> Result<WeChatPayBuilder, Error> {
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
