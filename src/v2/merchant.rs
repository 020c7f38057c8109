//! The merchant's credentials of APIv2: the secret that signs, and the certificate of some calls.

use std::sync::OnceLock;

use super::sign::Secret;
use crate::error::Error;
use crate::transport::{ClientCertificate, Transport};

/// The credentials of APIv2; a merchant of APIv3 alone has none.
#[derive(Default)]
pub(crate) struct Merchant {
    secret: Option<Secret>,
    certificate: Option<ClientCertificate>,
    /// The connections with the certificate, made at the first call that needs them.
    with_certificate: OnceLock<Transport>,
}

impl Merchant {
    pub(crate) fn new(secret: Option<Secret>, certificate: Option<ClientCertificate>) -> Merchant {
        Merchant { secret, certificate, with_certificate: OnceLock::new() }
    }

    /// # Errors
    /// [`Error::Config`] if there is none.
    pub(crate) fn secret(&self) -> Result<&Secret, Error> {
        let advice = "give the 32 bytes of the APIv2 key (`apiv2_key`)";
        self.secret
            .as_ref()
            .ok_or_else(|| Error::config_with("apiv2_key", "is missing, and APIv2 signs with it", advice))
    }

    /// The connections that present the merchant's certificate, to the same hosts as `plain`.
    ///
    /// # Errors
    /// [`Error::Config`] if there is no certificate.
    pub(crate) fn transport_with_certificate(&self, plain: &Transport) -> Result<&Transport, Error> {
        if let Some(transport) = self.with_certificate.get() {
            return Ok(transport);
        }
        let certificate = self.certificate.as_ref().ok_or_else(|| {
            let advice =
                "give `client_certificate` (`apiclient_cert.pem` and `apiclient_key.pem`), or a `p12`";
            Error::config_with("client_certificate", "is missing, and this call has to present it", advice)
        })?;
        let transport = plain.with_certificate(certificate)?;
        Ok(self.with_certificate.get_or_init(|| transport))
    }
}
