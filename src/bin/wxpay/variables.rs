//! The `WECHATPAY_*` variables that configure a client, in one table: name and documentation.

use std::cmp::Reverse;
use std::fmt::Write as _;

const PREFIX: &str = "WECHATPAY_";

/// A folder that keeps the keys of the sandbox. Not part of a profile.
pub(crate) const SANDBOX_KEYS: &str = "WECHATPAY_SANDBOX_KEYS";

/// Defines a constant for each name, and the table of all of them.
macro_rules! variables {
    ($($constant:ident = $name:literal: $doc:literal;)*) => {
        $(pub(crate) const $constant: &str = $name;)*
        const TABLE: &[(&str, &str)] = &[$(($constant, $doc)),*];
    };
}

variables! {
    MCHID = "WECHATPAY_MCHID": "merchant number";
    SERIAL = "WECHATPAY_SERIAL": "serial of the merchant API certificate";
    CERTIFICATE = "WECHATPAY_CERTIFICATE": "merchant API certificate, instead of its serial";
    PRIVATE_KEY = "WECHATPAY_PRIVATE_KEY": "merchant private key: PEM text or file:// path";
    PASSPHRASE = "WECHATPAY_PASSPHRASE": "passphrase of the private key or the .p12 file";
    P12 = "WECHATPAY_P12": "path of apiclient_cert.p12, instead of private key and certificate";
    PUBLIC_KEY_ID = "WECHATPAY_PUBLIC_KEY_ID": "ID of the WeChat Pay public key (PUB_KEY_ID_…)";
    PUBLIC_KEY = "WECHATPAY_PUBLIC_KEY": "WeChat Pay public key";
    PLATFORM_SERIAL = "WECHATPAY_PLATFORM_SERIAL": "serial of the platform certificate";
    PLATFORM_CERTIFICATE = "WECHATPAY_PLATFORM_CERTIFICATE": "platform certificate";
    AUTOMATIC_CERTIFICATES = "WECHATPAY_AUTOMATIC_CERTIFICATES": "1: download and renew the platform certificates";
    APIV3_KEY = "WECHATPAY_APIV3_KEY": "APIv3 key, 32 bytes";
    BASE_URL = "WECHATPAY_BASE_URL": "base URL [default: https://api.mch.weixin.qq.com/]";
    ALLOW_HTTP = "WECHATPAY_ALLOW_HTTP": "1: permit a base URL with http:// on another machine";
    TIMEOUT = "WECHATPAY_TIMEOUT": "time limit of a call with all its attempts, in seconds [default: 30]";
}

/// The names of all variables.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(name, _)| *name)
}

/// A variable's key in a profile: its name in lower case, without the prefix.
pub(crate) fn key_of(name: &str) -> String {
    name.strip_prefix(PREFIX).unwrap_or(name).to_ascii_lowercase()
}

/// A message with the names of variables replaced by the keys of a profile.
pub(crate) fn with_keys(message: &str) -> String {
    // The longest name first: `WECHATPAY_PUBLIC_KEY` is a prefix of `WECHATPAY_PUBLIC_KEY_ID`.
    let mut names: Vec<_> = names().collect();
    names.sort_by_key(|name| Reverse(name.len()));
    names.iter().fold(message.to_owned(), |text, name| text.replace(name, &key_of(name)))
}

/// The section of `wxpay --help`.
pub(crate) fn help() -> String {
    let mut text = "Environment variables:".to_owned();
    let sandbox = (SANDBOX_KEYS, "folder that keeps the sandbox's keys [default: new keys for each run]");
    for (name, doc) in TABLE.iter().chain([&sandbox]) {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n  {name:32}  {doc}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_keys_of_a_profile() {
        assert_eq!(
            with_keys("`WECHATPAY_PUBLIC_KEY_ID` is set without `WECHATPAY_PUBLIC_KEY`"),
            "`public_key_id` is set without `public_key`"
        );
    }
}
