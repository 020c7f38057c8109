//! The settings of APIv2: the secret, and the certificate of the calls that present one.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::WeChatPayBuilder;
use super::merchant::P12;
use super::sources::{text, with_passphrase};
use crate::crypto::keys::{self, CertificateData};
use crate::error::{Error, kind_of};
use crate::files;
use crate::signer::MerchantKey;
use crate::transport::ClientCertificate;
use crate::v2::Merchant;
use crate::v2::merchant::Fault;
use crate::v2::sign::Secret;

/// The settings as given; [`Apiv2::load`] checks them.
#[derive(Default)]
pub(super) struct Apiv2 {
    pub(super) secret: Option<Zeroizing<String>>,
    certificate: Option<CertificateConfig>,
}

enum CertificateConfig {
    Pem { certificate: Zeroizing<String>, key: Zeroizing<String>, passphrase: Option<Zeroizing<String>> },
    P12(P12),
}

impl WeChatPayBuilder {
    /// The APIv2 key (API密钥), 32 bytes: it signs and verifies APIv2, whose paths begin with `v2/`. A client may have the
    /// credentials of APIv2, of APIv3, or of both.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use serde_json::json;
    /// use wechatpay_chain::WeChatPay;
    ///
    /// let wx = WeChatPay::builder().mchid("1900000109").apiv2_key("0123456789abcdef0123456789abcdef").build()?;
    /// let query = json!({"appid": "wx8888888888888888", "mch_id": "1900000109", "out_trade_no": "P1", "nonce_str": "N1"});
    /// let prepared = wx["v2/pay/orderquery"].post(query).prepare()?;
    /// assert_eq!(prepared.target(), "/pay/orderquery");
    /// assert_eq!(prepared.message(), "appid=wx8888888888888888&mch_id=1900000109&nonce_str=N1&out_trade_no=P1");
    /// # Ok(()) }
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "v2")))]
    pub fn apiv2_key(mut self, key: impl Into<String>) -> Self {
        self.apiv2.secret = Some(Zeroizing::new(key.into()));
        self
    }

    /// The merchant's certificate (`apiclient_cert.pem`) and its key (`apiclient_key.pem`), which refunds and transfers of
    /// APIv2 present ([`Request::client_certificate`](crate::Request::client_certificate)); PEM text or `file://` paths.
    /// Not needed if the client has them for APIv3: [`p12`](Self::p12), or
    /// [`merchant_certificate`](Self::merchant_certificate) with [`private_key`](Self::private_key).
    #[cfg_attr(docsrs, doc(cfg(feature = "v2")))]
    pub fn client_certificate(mut self, certificate: impl Into<String>, key: impl Into<String>) -> Self {
        let (certificate, key) = (Zeroizing::new(certificate.into()), Zeroizing::new(key.into()));
        self.apiv2.certificate = Some(CertificateConfig::Pem { certificate, key, passphrase: None });
        self
    }

    /// [`client_certificate`](Self::client_certificate) from a PKCS#12 file (`apiclient_cert.p12`), by its path. The
    /// passphrase of the platform's files is the merchant number.
    #[cfg(feature = "p12")]
    #[cfg_attr(docsrs, doc(cfg(all(feature = "p12", feature = "v2"))))]
    pub fn client_p12(mut self, path: impl Into<String>, passphrase: impl Into<String>) -> Self {
        let p12 = P12::new(path.into(), Some(passphrase.into()));
        self.apiv2.certificate = Some(CertificateConfig::P12(p12));
        self
    }

    /// PHP's `merchant` (`cert`, `key`, each a path or `[path, passphrase]`), and Node's (`pfx`, `passphrase`).
    pub(super) fn client_certificate_of(mut self, field: &str, value: Value) -> Result<Self, Error> {
        let mut settings = match value {
            Value::Object(settings) => settings,
            Value::Array(list) if list.is_empty() => Map::new(),
            other => {
                return Err(Error::config(field, format!("must be an object; it is {}", kind_of(&other))));
            }
        };
        settings.retain(|_, value| !value.is_null() && value.as_str() != Some(""));
        let known = ["cert", "key", "pfx", "passphrase"];
        if let Some(name) = settings.keys().find(|name| !known.contains(&name.as_str())) {
            let reason = format!("has no effect here (known: {})", known.join(" "));
            return Err(Error::config(format!("{field}[\"{}\"]", name.escape_debug()), reason));
        }
        let mut take = |name: &str| {
            let value = settings.remove(name)?;
            Some(with_passphrase(&format!("{field}[\"{name}\"]"), value))
        };
        let (certificate, key, pfx) =
            (take("cert").transpose()?, take("key").transpose()?, take("pfx").transpose()?);
        let passphrase =
            settings.remove("passphrase").map(|value| text(&format!("{field}[\"passphrase\"]"), value));
        let passphrase = passphrase.transpose()?;
        self.apiv2.certificate = match (certificate, key, pfx) {
            (None, None, None) => return Ok(self),
            (None, None, Some((path, own))) => {
                Some(CertificateConfig::P12(P12::new(path, own.or(passphrase))))
            }
            (Some((certificate, _)), Some((key, own)), None) => Some(CertificateConfig::Pem {
                certificate: Zeroizing::new(as_url(certificate)),
                key: Zeroizing::new(as_url(key)),
                passphrase: own.or(passphrase).map(Zeroizing::new),
            }),
            (Some(_), None, None) => return Err(Error::config(field, "has a `cert` without its `key`")),
            (None, Some(_), None) => return Err(Error::config(field, "has a `key` without its `cert`")),
            _ => {
                return Err(Error::config(
                    field,
                    "has a `pfx`, which holds what `cert` and `key` do: give one of them",
                ));
            }
        };
        Ok(self)
    }
}

/// PHP takes the path as it is.
fn as_url(text: String) -> String {
    match text.contains("-----BEGIN") || files::path_of(&text).is_some() {
        true => text,
        false => format!("file://{text}"),
    }
}

impl Apiv2 {
    /// Whether there is a secret.
    pub(super) fn is_set(&self) -> bool {
        self.secret.is_some()
    }

    /// The credentials. Without a certificate of their own, calls present that of APIv3, which is the same one. PHP's SDK
    /// reads `secret` and `merchant` only for a call that needs them, so with `lazy` a wrong one is told then.
    pub(super) fn load(
        self,
        mchid: &str,
        key: &MerchantKey,
        certificate: Option<&CertificateData>,
        lazy: bool,
    ) -> Result<Merchant, Error> {
        let secret = self.secret.filter(|secret| !secret.is_empty()).map(|secret| {
            let wrong =
                || Error::config("apiv2_key", format!("must be exactly 32 bytes; it is {}", secret.len()));
            Secret::new(&secret).ok_or_else(wrong)
        });
        let certificate = match (self.certificate, &secret) {
            // A client of APIv3 alone presents none.
            (None, None) => Ok(None),
            (config, _) => client_certificate(config, mchid, key, certificate),
        };
        match lazy {
            true => Ok(Merchant::new(secret.transpose().map_err(fault), certificate.map_err(fault))),
            false => Ok(Merchant::new(Ok(secret.transpose()?), Ok(certificate?))),
        }
    }
}

fn fault(error: Error) -> Fault {
    Fault(match error {
        Error::Config(e) => e.reason().to_owned(),
        other => other.to_string(),
    })
}

fn client_certificate(
    config: Option<CertificateConfig>,
    mchid: &str,
    key: &MerchantKey,
    certificate: Option<&CertificateData>,
) -> Result<Option<ClientCertificate>, Error> {
    match config {
        Some(CertificateConfig::Pem { certificate, key, passphrase }) => {
            let loaded = keys::certificate("client_certificate", &certificate)?;
            let passphrase = passphrase.as_ref().map(|text| text.as_str());
            let key = keys::private_key("client_certificate", &key, passphrase)?;
            if !key.matches(&loaded.key) {
                return Err(Error::config("client_certificate", "does not belong to its key"));
            }
            loaded.certificate.map(|data| presented(&data, key.pkcs8())).transpose()
        }
        Some(CertificateConfig::P12(P12 { path, passphrase })) => {
            let passphrase = passphrase.as_ref().map_or(mchid, |text| text.as_str());
            let loaded = keys::p12("client_certificate", &path, passphrase)?;
            let Some(data) = loaded.certificate else {
                let reason = "is a PKCS#12 file without a certificate";
                return Err(Error::config("client_certificate", reason));
            };
            presented(&data, loaded.key.pkcs8()).map(Some)
        }
        None => match (key, certificate) {
            (MerchantKey::Local(key), Some(data)) => presented(data, key.pkcs8()).map(Some),
            _ => Ok(None),
        },
    }
}

fn presented<E>(
    data: &CertificateData,
    key: Result<Zeroizing<Vec<u8>>, E>,
) -> Result<ClientCertificate, Error> {
    let unusable = || Error::config("client_certificate", "cannot be used for TLS");
    let key = key.map_err(|_| unusable())?;
    ClientCertificate::new(data.der.clone(), &key).map_err(|_| unusable())
}
