//! The sources of settings: the builder, PHP's factory array, the environment.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::merchant::P12;
use super::{PlatformKeyConfig, WeChatPayBuilder};
use crate::client::WeChatPay;
use crate::error::{Error, Excerpt, FieldNames, kind_of};
use crate::request::options::{foreign, near};
use crate::transport::seconds_of_text;

/// Sets a value of the factory array; the text is the key, for errors.
type SetValue = fn(WeChatPayBuilder, &str, Value) -> Result<WeChatPayBuilder, Error>;

/// The keys of the factory array. Tests, hints and errors get them from here.
const KEYS: &[(&str, SetValue)] = &[
    ("mchid", |builder, key, value| Ok(builder.mchid(text(key, value)?))),
    ("serial", |builder, key, value| Ok(builder.serial(text(key, value)?))),
    ("privateKey", |builder, key, value| {
        Ok(match with_passphrase(key, value)? {
            (pem, Some(passphrase)) => builder.private_key(pem).passphrase(passphrase),
            (pem, None) => builder.private_key(pem),
        })
    }),
    ("p12", |mut builder, key, value| {
        let (path, passphrase) = with_passphrase(key, value)?;
        builder.p12 = Some(P12::new(path, passphrase));
        Ok(builder)
    }),
    ("merchantCertificate", |builder, key, value| Ok(builder.merchant_certificate(text(key, value)?))),
    ("certs", |builder, _, value| certs(builder, value)),
    ("automaticCertificates", |builder, key, value| {
        Ok(if boolean(key, &value)? { builder.automatic_certificates() } else { builder })
    }),
    ("apiv3Key", |builder, key, value| Ok(builder.apiv3_key(text(key, value)?))),
    #[cfg(feature = "v2")]
    ("secret", |builder, key, value| Ok(builder.apiv2_key(text(key, value)?))),
    #[cfg(feature = "v2")]
    ("merchant", |builder, key, value| builder.client_certificate_of(key, value)),
    // APIv2's. They are checked, so that PHP's array can stay as it is.
    #[cfg(not(feature = "v2"))]
    ("secret", |builder, key, value| text(key, value).map(|_| builder)),
    #[cfg(not(feature = "v2"))]
    ("merchant", |builder, key, value| object(key, value).map(|_| builder)),
    ("base_uri", |builder, key, value| Ok(builder.base_url(text(key, value)?))),
    ("baseURL", |builder, key, value| Ok(builder.base_url(text(key, value)?))),
    ("allowHttp", |builder, key, value| {
        Ok(if boolean(key, &value)? { builder.allow_http() } else { builder })
    }),
    ("timeout", |builder, key, value| Ok(builder.timeout(foreign::timeout(key, &value)?))),
    ("connect_timeout", |builder, key, value| {
        Ok(match foreign::connect_timeout(key, &value)? {
            Some(timeout) => builder.connect_timeout(timeout),
            None => builder,
        })
    }),
];

/// Sets the value of a variable; the text is the variable, for errors.
type SetVariable = fn(WeChatPayBuilder, &str, String) -> Result<WeChatPayBuilder, Error>;

/// The variables. Tests get them from what `from_variables` asks for.
const VARIABLES: &[(&str, SetVariable)] = &[
    ("WECHATPAY_MCHID", |builder, _, value| Ok(builder.mchid(value))),
    ("WECHATPAY_SERIAL", |builder, _, value| Ok(builder.serial(value))),
    ("WECHATPAY_PRIVATE_KEY", |builder, _, value| Ok(builder.private_key(value))),
    ("WECHATPAY_PASSPHRASE", |builder, _, value| Ok(builder.passphrase(value))),
    ("WECHATPAY_CERTIFICATE", |builder, _, value| Ok(builder.merchant_certificate(value))),
    ("WECHATPAY_P12", |mut builder, _, value| {
        builder.p12 = Some(P12::new(value, None));
        Ok(builder)
    }),
    ("WECHATPAY_APIV3_KEY", |builder, _, value| Ok(builder.apiv3_key(value))),
    #[cfg(feature = "v2")]
    ("WECHATPAY_APIV2_KEY", |builder, _, value| Ok(builder.apiv2_key(value))),
    ("WECHATPAY_BASE_URL", |builder, _, value| Ok(builder.base_url(value))),
    ("WECHATPAY_AUTOMATIC_CERTIFICATES", |builder, name, value| {
        Ok(if is_set(name, &value)? { builder.automatic_certificates() } else { builder })
    }),
    ("WECHATPAY_ALLOW_HTTP", |builder, name, value| {
        Ok(if is_set(name, &value)? { builder.allow_http() } else { builder })
    }),
    ("WECHATPAY_TIMEOUT", |builder, name, value| Ok(builder.timeout(seconds_of_text(name, &value)?))),
];

/// The variables of a platform key: its ID or serial, and the key.
const PLATFORM_KEYS: [(&str, &str); 2] = [
    ("WECHATPAY_PLATFORM_SERIAL", "WECHATPAY_PLATFORM_CERTIFICATE"),
    ("WECHATPAY_PUBLIC_KEY_ID", "WECHATPAY_PUBLIC_KEY"),
];

/// Other names of these keys: in the platform's pages, in other SDKs and in this one's builder.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("mch_id", "mchid"),
    ("merchant_id", "mchid"),
    ("merchantId", "mchid"),
    ("serial_no", "serial"),
    ("serialNo", "serial"),
    ("merchant_serial", "serial"),
    ("key", "apiv3Key"),
    ("v3key", "apiv3Key"),
    ("v3Key", "apiv3Key"),
    ("api_v3_key", "apiv3Key"),
    ("platform_key", "certs"),
    ("platformKey", "certs"),
    ("platform_certs", "certs"),
    ("public_key", "certs"),
    ("publicKey", "certs"),
    ("base_url", "base_uri"),
];

impl WeChatPayBuilder {
    /// A builder with the settings of PHP's factory array.
    pub(super) fn from_array(array: Value) -> Result<WeChatPayBuilder, Error> {
        let Value::Object(array) = array else {
            return Err(Error::config("factory", format!("must be an object; it is {}", kind_of(&array))));
        };
        let mut builder = WeChatPayBuilder { names: FieldNames::Array, ..WeChatPayBuilder::default() };
        for (key, value) in array {
            if value.is_null() {
                continue;
            }
            match KEYS.iter().find(|(known, _)| *known == key) {
                Some((_, set)) => builder = set(builder, &key, value)?,
                None => other_key(key, &value)?,
            }
        }
        Ok(builder)
    }

    /// A builder with the settings that `get` returns for the `WECHATPAY_*` names of [`WeChatPay::from_env`]: for
    /// variables that are not in the environment, and to add settings to them. An empty value is an unset variable.
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
        // Shells and containers unset a variable by making it empty.
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        let mut builder = WeChatPayBuilder { names: FieldNames::Variables, ..WeChatPayBuilder::default() };
        for (name, set) in VARIABLES {
            if let Some(value) = get(name) {
                builder = set(builder, name, value)?;
            }
        }
        for (id, pem) in PLATFORM_KEYS {
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
    /// secret merchant base_uri timeout connect_timeout`; also `apiv3Key automaticCertificates merchantCertificate p12
    /// allowHttp`. A `privateKey` or
    /// `p12` with a passphrase is a list of two, as in PHP's `Rsa::from([$pem, $passphrase])`. `timeout` is in seconds, as
    /// in PHP; 0 is the longest, an hour. `connect_timeout` is in seconds, too; 0 is the default, as in Guzzle. `secret` and
    /// `merchant` belong to APIv2. Guzzle's
    /// and axios' options are accepted at a value that means what happens here anyway (`http_errors: true`, null). Errors
    /// name PHP's keys.
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
    /// | `WECHATPAY_APIV2_KEY` | 32 bytes; with it alone the client speaks APIv2 only |
    /// | `WECHATPAY_BASE_URL` | another base URL |
    /// | `WECHATPAY_ALLOW_HTTP` | `1`: `http://` to other machines, too: see [`WeChatPayBuilder::allow_http`] |
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
        WeChatPayBuilder::from_variables(|name| std::env::var(name).ok())?.build()
    }
}

// Values are moved out of the array, not copied: the builder wipes its secrets when it is dropped.

pub(super) fn text(field: &str, value: Value) -> Result<String, Error> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(Error::config(field, format!("must be a string; it is {}", kind_of(&other)))),
    }
}

fn is_set(variable: &str, value: &str) -> Result<bool, Error> {
    match value {
        "1" | "true" => Ok(true),
        "0" | "false" => Ok(false),
        other => Err(Error::config(variable, format!("must be 1 or 0; it is {}", Excerpt(other)))),
    }
}

fn boolean(field: &str, value: &Value) -> Result<bool, Error> {
    let wrong = || Error::config(field, format!("must be true or false; it is {}", kind_of(value)));
    value.as_bool().ok_or_else(wrong)
}

/// A string, or a list of it and its passphrase.
pub(super) fn with_passphrase(field: &str, value: Value) -> Result<(String, Option<String>), Error> {
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

fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|(key, _)| *key)
}

/// Guzzle's and axios' options, at a value that means what happens here anyway; everything else is refused.
fn other_key(key: String, value: &Value) -> Result<(), Error> {
    let foreign = match foreign::check(&key, value) {
        None if key == "headers" => Some(match is_empty(value) {
            true => Ok(()),
            false => Err("cannot be set here: use `.header(…)` on each request".to_owned()),
        }),
        foreign => foreign,
    };
    let reason = match foreign {
        Some(Ok(())) => return Ok(()),
        Some(Err(reason)) => reason,
        None => {
            let other = OTHER_NAMES.iter().find(|(name, _)| *name == key).map(|(_, meant)| *meant);
            match other.or_else(|| near(&key, keys().chain(["headers"]))) {
                Some(meant) => format!("is not a configuration key: did you mean `{meant}`?"),
                None => {
                    format!("is not a configuration key (known: {})", keys().collect::<Vec<_>>().join(" "))
                }
            }
        }
    };
    Err(Error::config(key, reason))
}

/// An empty PHP array is a list.
fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty)
}

fn certs(mut builder: WeChatPayBuilder, value: Value) -> Result<WeChatPayBuilder, Error> {
    let certs = match value {
        Value::Object(certs) => certs,
        Value::Array(list) if list.is_empty() => return Ok(builder),
        other => {
            let reason = format!(
                "must be an object; it is {}: give each key under its id, as in {{\"PUB_KEY_ID_…\": \"file://…\"}}, or \
                 under the certificate's serial",
                kind_of(&other)
            );
            return Err(Error::config("certs", reason));
        }
    };
    for (serial, pem) in certs {
        let pem = text(&format!("certs[\"{serial}\"]"), pem)?;
        builder = builder.platform_key(serial, pem);
    }
    Ok(builder)
}

#[cfg(not(feature = "v2"))]
fn object(field: &str, value: Value) -> Result<Map<String, Value>, Error> {
    match value {
        Value::Object(object) => Ok(object),
        Value::Array(list) if list.is_empty() => Ok(Map::new()),
        other => Err(Error::config(field, format!("must be an object; it is {}", kind_of(&other)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names in errors are names of settings.
    #[test]
    fn every_name_in_an_error_is_that_of_a_setting() {
        for (key, variable) in FieldNames::all() {
            assert!(keys().any(|known| known == key), "{key}");
            let pairs = PLATFORM_KEYS.iter().map(|(_, pem)| *pem);
            assert!(
                VARIABLES.iter().map(|(name, _)| *name).chain(pairs).any(|known| known == variable),
                "{variable}"
            );
        }
    }
}
