//! The environment variables, in one table: the environment, the profiles, the help and `wxpay config` read it, and
//! tests compare the documents, the library and the sandbox with it.

use std::cmp::Reverse;

const PREFIX: &str = "WECHATPAY_";

pub(crate) struct Variable {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) doc: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A setting of the client, and so a key of a profile, too.
    Setting,
    /// A setting that must not be shown.
    Secret,
    /// For the program itself; never in a profile.
    Program,
}

/// Defines a constant for each name, and the table of all of them.
macro_rules! variables {
    ($($constant:ident = $name:literal, $kind:ident: $doc:literal;)*) => {
        $(pub(crate) const $constant: &str = $name;)*
        pub(crate) const TABLE: &[Variable] =
            &[$(Variable { name: $constant, kind: Kind::$kind, doc: $doc }),*];
    };
}

variables! {
    MCHID = "WECHATPAY_MCHID", Setting: "merchant number";
    SERIAL = "WECHATPAY_SERIAL", Setting: "serial of the merchant API certificate";
    CERTIFICATE = "WECHATPAY_CERTIFICATE", Setting: "merchant API certificate, instead of its serial";
    PRIVATE_KEY = "WECHATPAY_PRIVATE_KEY", Secret: "merchant private key: PEM text or file:// path";
    PASSPHRASE = "WECHATPAY_PASSPHRASE", Secret: "passphrase of the private key or the .p12 file";
    P12 = "WECHATPAY_P12", Setting: "path of apiclient_cert.p12, instead of private key and certificate";
    PUBLIC_KEY_ID = "WECHATPAY_PUBLIC_KEY_ID", Setting: "ID of the WeChat Pay public key (PUB_KEY_ID_…)";
    PUBLIC_KEY = "WECHATPAY_PUBLIC_KEY", Setting: "WeChat Pay public key";
    PLATFORM_SERIAL = "WECHATPAY_PLATFORM_SERIAL", Setting: "serial of the platform certificate";
    PLATFORM_CERTIFICATE = "WECHATPAY_PLATFORM_CERTIFICATE", Setting: "platform certificate";
    AUTOMATIC_CERTIFICATES = "WECHATPAY_AUTOMATIC_CERTIFICATES", Setting:
        "1: download and renew the platform certificates";
    APIV3_KEY = "WECHATPAY_APIV3_KEY", Secret: "APIv3 key, 32 bytes";
    APIV2_KEY = "WECHATPAY_APIV2_KEY", Secret: "APIv2 key, 32 bytes";
    BASE_URL = "WECHATPAY_BASE_URL", Setting: "base URL (default: api.mch.weixin.qq.com)";
    ALLOW_HTTP = "WECHATPAY_ALLOW_HTTP", Setting: "1: permit a base URL with http:// on another machine";
    TIMEOUT = "WECHATPAY_TIMEOUT", Setting:
        "time limit of a call with all its attempts, in seconds (default: 30)";
    SANDBOX_KEYS = "WECHATPAY_SANDBOX_KEYS", Program:
        "folder that keeps the sandbox's keys (default: new keys for each run)";
    PROFILE = "WXPAY_PROFILE", Program: "profile of config.toml, as --profile";
    NO_COLOR = "NO_COLOR", Program: "not empty: no colours, unless --color asks for them";
}

impl Variable {
    /// Its key in a profile: the name in lower case, without the prefix.
    pub(crate) fn key(&self) -> Option<String> {
        (self.kind != Kind::Program).then(|| key_of(self.name))
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.kind == Kind::Secret
    }
}

/// The variables that are settings of the client, and so the keys of a profile.
pub(crate) fn settings() -> impl Iterator<Item = &'static Variable> {
    TABLE.iter().filter(|variable| variable.kind != Kind::Program)
}

/// The names of [`settings`].
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    settings().map(|variable| variable.name)
}

/// A setting's key in a profile.
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

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use wechatpay_chain::WeChatPayBuilder;

    use super::*;

    #[test]
    fn messages_name_the_keys_of_a_profile() {
        assert_eq!(
            with_keys("`WECHATPAY_PUBLIC_KEY_ID` is set without `WECHATPAY_PUBLIC_KEY`"),
            "`public_key_id` is set without `public_key`"
        );
    }

    #[test]
    fn the_table_has_the_settings_that_the_library_reads() {
        let read = RefCell::new(BTreeSet::new());
        let builder = WeChatPayBuilder::from_variables(|name| {
            read.borrow_mut().insert(name.to_owned());
            None
        });
        assert!(builder.is_ok());
        assert_eq!(read.into_inner(), names().map(str::to_owned).collect());
    }
}
