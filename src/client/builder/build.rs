//! Builds the client: checks every setting and loads every key.

use std::sync::Arc;

use super::merchant::MerchantConfig;
use super::{PlatformKeyConfig, WeChatPayBuilder};
use crate::client::WeChatPay;
use crate::context::Context;
use crate::crypto::aes::Apiv3Key;
#[cfg(feature = "v2")]
use crate::error::FieldNames;
use crate::error::{Error, Excerpt};
#[cfg(feature = "v2")]
use crate::signer::MerchantKey;
use crate::transport::{Hosts, NetworkSettings, Transport, check_timeout, parse_base_url, parse_host};
use crate::v3::merchant::Merchant;
use crate::v3::platform::{self, Platform, PlatformKey, PlatformKeys};
use crate::v3::{self, Defaults};

impl WeChatPayBuilder {
    /// Checks the settings, loads the keys, and returns the client.
    ///
    /// ```
    /// use wechatpay_chain::{Error, WeChatPay};
    ///
    /// let Err(Error::Config(error)) = WeChatPay::builder().mchid("1900 000 109").build() else { panic!() };
    /// assert_eq!(error.field(), "mchid");
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] names the missing or wrong setting: no `mchid`, `serial`, `private_key` or `platform_key`; an
    /// APIv3 key that is not 32 bytes, or none for automatic certificates; a serial that is not the certificate's; a
    /// certificate of another key; the merchant's serial among the platform keys. [`Error::Key`] names the key that
    /// cannot be loaded.
    pub fn build(self) -> Result<WeChatPay, Error> {
        let names = self.names;
        self.context().map(WeChatPay::new).map_err(|error| names.rename(error))
    }

    fn context(self) -> Result<Context, Error> {
        let mchid = required("mchid", "the merchant number is required", self.mchid)?;
        alphanumeric("mchid", &mchid)?;
        let config = MerchantConfig {
            serial: self.serial,
            private_key: self.private_key,
            signer: self.signer,
            passphrase: self.passphrase,
            p12: self.p12,
            certificate: self.merchant_certificate,
        };
        #[cfg(feature = "v2")]
        let has_v3 = !(self.apiv2.is_set()
            && (config.is_empty() || config.is_certificate())
            && self.platform_keys.is_empty()
            && !self.automatic_certificates
            && self.apiv3_key.is_none());
        #[cfg(not(feature = "v2"))]
        let has_v3 = true;
        #[cfg(feature = "v2")]
        let (serial, key, certificate) = match !has_v3 && config.is_empty() {
            true => (String::new(), MerchantKey::Missing, None),
            false => config.load(&mchid)?,
        };
        #[cfg(not(feature = "v2"))]
        let (serial, key, certificate) = config.load(&mchid)?;
        #[cfg(feature = "v2")]
        let v2 =
            self.apiv2.load(&mchid, &key, certificate.as_ref(), has_v3 && self.names == FieldNames::Array)?;
        let merchant = Merchant::new(mchid, serial, key, certificate);
        if has_v3 && self.platform_keys.is_empty() && !self.automatic_certificates {
            return Err(platform::missing());
        }
        let mut platform: Vec<Arc<PlatformKey>> = Vec::with_capacity(self.platform_keys.len());
        for PlatformKeyConfig { serial, pem, variables } in &self.platform_keys {
            let (id_variable, key_variable) = variables.unzip();
            platform::check_serial(serial, &merchant).map_err(|error| named(error, id_variable))?;
            let key = platform::load(serial, pem, &merchant).map_err(|error| named(error, key_variable))?;
            if platform.iter().any(|known| known.serial == key.serial) {
                let error = Error::config(format!("platform_key[\"{serial}\"]"), "is given twice");
                return Err(named(error, id_variable));
            }
            platform.push(Arc::new(key));
        }
        let mut allowed_hosts = Vec::with_capacity(self.allowed_hosts.len());
        for host in &self.allowed_hosts {
            let reason = || {
                let found = Excerpt(host);
                format!("must be one host name without scheme, port, path or `*`; it is {found}")
            };
            allowed_hosts.push(parse_host(host).ok_or_else(|| Error::config("allow_host", reason()))?);
        }
        if self.max_body == 0 {
            return Err(Error::config("max_body", "must be more than 0 bytes"));
        }
        let wrong_length =
            |key: &str| Error::config("apiv3_key", format!("must be exactly 32 bytes; it is {}", key.len()));
        let apiv3_key = self
            .apiv3_key
            .as_ref()
            .map(|key| Apiv3Key::new(key).ok_or_else(|| wrong_length(key)))
            .transpose()?;
        if self.automatic_certificates && apiv3_key.is_none() {
            return Err(Error::config(
                "apiv3_key",
                "is missing: the platform certificates are encrypted with it",
            ));
        }
        for (field, value) in [("timeout", self.timeout), ("connect_timeout", self.connect_timeout)] {
            check_timeout(field, value)?;
        }
        let allow_http = self.network.allow_http;
        let base_url = parse_base_url("base_url", &self.base_url, allow_http)?;
        let spare = self.network.spare.as_deref();
        let spare = spare.map(|url| parse_base_url("spare_base_url", url, allow_http)).transpose()?;
        let retry_delay = self.network.retry_delay;
        let network: NetworkSettings = self.network.load(self.connect_timeout)?;
        let hosts = Hosts::new(&base_url, allowed_hosts, spare, allow_http);
        let v3 = v3::Context {
            merchant: Arc::new(merchant),
            platform: Platform::new(PlatformKeys::new(platform), self.automatic_certificates),
            apiv3_key,
            transport: Transport::new(&base_url, hosts, network)?,
            clock: self.clock,
            defaults: Defaults {
                base_url,
                timeout: self.timeout,
                retry_delay,
                max_body: self.max_body,
                trace_messages: self.trace_messages,
                names: self.names,
            },
            #[cfg(feature = "catalogue")]
            given_hints: crate::catalogue::given::Given::default(),
        };
        Ok(Context {
            v3: Arc::new(v3),
            #[cfg(feature = "v2")]
            v2,
        })
    }
}

/// `error` with the name of the variable, if the setting came from one.
fn named(error: Error, variable: Option<&str>) -> Error {
    match (error, variable) {
        (Error::Config(mut e), Some(variable)) => {
            e.field = variable.to_owned();
            Error::Config(e)
        }
        (Error::Key(mut e), Some(variable)) => {
            e.name = variable.to_owned();
            Error::Key(e)
        }
        (error, _) => error,
    }
}

fn required(field: &str, reason: &str, value: Option<String>) -> Result<String, Error> {
    value.filter(|v| !v.is_empty()).ok_or_else(|| Error::config(field, format!("is missing: {reason}")))
}

/// The value is written between quotes in the `Authorization` header.
pub(super) fn alphanumeric(field: &str, value: &str) -> Result<(), Error> {
    // Else a key that is given by mistake would be sent.
    const MAX_LENGTH: usize = 64;
    if value.len() > MAX_LENGTH {
        let reason = format!("must be at most {MAX_LENGTH} characters; it has {}", value.chars().count());
        return Err(Error::config(field, reason));
    }
    match value.chars().find(|c| !c.is_ascii_alphanumeric()) {
        Some(bad) => Err(Error::config(field, format!("must be ASCII letters and digits; it has {bad:?}"))),
        None => Ok(()),
    }
}
