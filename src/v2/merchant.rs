//! The merchant's credentials of APIv2: the secret that signs, and the certificate of some calls.

use std::sync::OnceLock;

use super::sign::Secret;
use crate::error::Error;
use crate::transport::{ClientCertificate, Transport};

/// A setting that is given, or not, or wrong: then the error is told when a call needs it.
pub(crate) type Setting<T> = Result<Option<T>, Fault>;

/// What is wrong with a setting.
pub(crate) struct Fault(pub(crate) String);

/// The credentials of APIv2; a merchant of APIv3 alone has none.
pub(crate) struct Merchant {
    secret: Setting<Secret>,
    certificate: Setting<ClientCertificate>,
    /// The connections with the certificate, made at the first call that needs them.
    with_certificate: OnceLock<Transport>,
}

impl Merchant {
    pub(crate) fn new(secret: Setting<Secret>, certificate: Setting<ClientCertificate>) -> Merchant {
        Merchant { secret, certificate, with_certificate: OnceLock::new() }
    }

    /// # Errors
    /// [`Error::Config`] if there is none, or if it is wrong.
    pub(crate) fn secret(&self) -> Result<&Secret, Error> {
        let advice = "give the 32 bytes of the APIv2 key (`apiv2_key`)";
        let missing = || Error::config_with("apiv2_key", "is missing, and APIv2 signs with it", advice);
        given(&self.secret, "apiv2_key")?.ok_or_else(missing)
    }

    /// The connections that present the merchant's certificate, to the same hosts as `plain`.
    ///
    /// # Errors
    /// [`Error::Config`] if there is no certificate.
    pub(crate) fn transport_with_certificate(&self, plain: &Transport) -> Result<&Transport, Error> {
        if let Some(transport) = self.with_certificate.get() {
            return Ok(transport);
        }
        let certificate = given(&self.certificate, "client_certificate")?.ok_or_else(|| {
            let advice =
                "give `client_certificate` (`apiclient_cert.pem` and `apiclient_key.pem`), or a `p12`";
            Error::config_with("client_certificate", "is missing, and this call has to present it", advice)
        })?;
        let transport = plain.with_certificate(certificate)?;
        Ok(self.with_certificate.get_or_init(|| transport))
    }
}

fn given<'a, T>(setting: &'a Setting<T>, field: &str) -> Result<Option<&'a T>, Error> {
    match setting {
        Ok(value) => Ok(value.as_ref()),
        Err(Fault(reason)) => Err(Error::config(field, reason.clone())),
    }
}
