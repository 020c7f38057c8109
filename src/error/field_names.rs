//! The names of settings in errors: an error names a field as the caller wrote it.

use super::Error;

/// Where the settings came from, and so how errors name them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum FieldNames {
    /// The setters of the builder: the names that the code itself uses.
    #[default]
    Setters,
    /// The keys of PHP's factory array.
    Array,
    /// The `WECHATPAY_*` variables.
    Variables,
}

/// Setter, PHP's key, variable.
const NAMES: &[(&str, &str, &str)] = &[
    ("mchid", "mchid", "WECHATPAY_MCHID"),
    ("serial", "serial", "WECHATPAY_SERIAL"),
    ("private_key", "privateKey", "WECHATPAY_PRIVATE_KEY"),
    ("passphrase", "privateKey", "WECHATPAY_PASSPHRASE"),
    ("p12", "p12", "WECHATPAY_P12"),
    ("merchant_certificate", "merchantCertificate", "WECHATPAY_CERTIFICATE"),
    ("platform_key", "certs", "WECHATPAY_PUBLIC_KEY"),
    ("automatic_certificates", "automaticCertificates", "WECHATPAY_AUTOMATIC_CERTIFICATES"),
    ("apiv3_key", "apiv3Key", "WECHATPAY_APIV3_KEY"),
    #[cfg(feature = "v2")]
    ("apiv2_key", "secret", "WECHATPAY_APIV2_KEY"),
    #[cfg(feature = "v2")]
    ("client_certificate", "merchant", "WECHATPAY_CERTIFICATE"),
    ("base_url", "base_uri", "WECHATPAY_BASE_URL"),
    ("timeout", "timeout", "WECHATPAY_TIMEOUT"),
    ("allow_http", "allowHttp", "WECHATPAY_ALLOW_HTTP"),
];

impl FieldNames {
    /// `error` with its field, and the fields that its reason quotes, under these names.
    pub(crate) fn rename(self, error: Error) -> Error {
        match error {
            Error::Config(mut e) if self != FieldNames::Setters => {
                e.field = self.field(&e.field);
                e.reason = self.quoted(e.reason);
                e.advice = e.advice.map(|advice| self.quoted(advice.into_owned()).into());
                Error::Config(e)
            }
            Error::Key(mut e) if self != FieldNames::Setters => {
                e.name = self.field(&e.name);
                e.found = self.quoted(e.found);
                Error::Key(e)
            }
            other => other,
        }
    }

    /// PHP's keys and the variables.
    #[cfg(test)]
    pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
        NAMES.iter().map(|(_, array, variable)| (*array, *variable))
    }

    fn field(self, field: &str) -> String {
        let (name, index) = field.split_at(field.find('[').unwrap_or(field.len()));
        match NAMES.iter().find(|(setter, ..)| *setter == name) {
            Some((_, array, _)) if self == FieldNames::Array => format!("{array}{index}"),
            // An index is a setter's argument; the builder itself names the variable of a platform key.
            Some((_, _, variable)) if index.is_empty() => (*variable).to_owned(),
            _ => field.to_owned(),
        }
    }

    fn quoted(self, text: String) -> String {
        NAMES.iter().fold(text, |text, (setter, array, variable)| {
            let name = if self == FieldNames::Array { array } else { variable };
            text.replace(&format!("`{setter}`"), &format!("`{name}`"))
        })
    }
}
