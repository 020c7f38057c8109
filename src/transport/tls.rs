//! TLS: one configuration for all connection pools of a client. The root certificates are needed for https only, so a
//! machine without any can do everything else.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};

use super::failure::causes;
use crate::error::Error;

/// The root certificates that the configuration names.
#[derive(Clone)]
pub(crate) struct RootCertificates {
    additional: Vec<CertificateDer<'static>>,
    bundled: Option<&'static [CertificateDer<'static>]>,
}

impl RootCertificates {
    /// `additional` certificates, in DER; `bundled` ones replace the operating system's.
    ///
    /// # Errors
    /// [`Error::Config`] for an additional one that cannot be used.
    pub(crate) fn new(
        additional: Vec<CertificateDer<'static>>,
        bundled: Option<&'static [CertificateDer<'static>]>,
    ) -> Result<RootCertificates, Error> {
        let mut store = RootCertStore::empty();
        for certificate in &additional {
            store
                .add(certificate.clone())
                .map_err(|_| Error::config("root_certificate", "is not a valid certificate"))?;
        }
        Ok(RootCertificates { additional, bundled })
    }
}

/// The merchant's certificate and its key, with which the client proves who it is (mTLS).
#[cfg(feature = "v2")]
#[derive(Clone)]
pub(crate) struct ClientCertificate(Arc<rustls::sign::CertifiedKey>);

/// Without its key.
#[cfg(feature = "v2")]
impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate").finish_non_exhaustive()
    }
}

#[cfg(feature = "v2")]
impl rustls::client::ResolvesClientCert for ClientCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<rustls::sign::CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[cfg(feature = "v2")]
impl ClientCertificate {
    /// `certificate` in DER; `key` in PKCS#8.
    ///
    /// # Errors
    /// The TLS library's, for a key that it cannot use. Whether the key is the certificate's is the caller's to check.
    pub(crate) fn new(certificate: Vec<u8>, key: &[u8]) -> Result<ClientCertificate, rustls::Error> {
        let chain = vec![CertificateDer::from(certificate)];
        let key = rustls::pki_types::PrivateKeyDer::Pkcs8(key.to_vec().into());
        let key = provider().key_provider.load_private_key(key)?;
        Ok(ClientCertificate(Arc::new(rustls::sign::CertifiedKey::new(chain, key))))
    }
}

/// A program may have chosen a provider for the whole process.
fn provider() -> Arc<CryptoProvider> {
    CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()))
}

/// The configuration that all connection pools of a client share, with its root certificates and its TLS sessions.
pub(super) struct Tls {
    config: ClientConfig,
    verifier: Arc<LazyVerifier>,
}

impl Tls {
    /// # Errors
    /// [`Error::Config`] for settings that the TLS library refuses.
    pub(super) fn new(roots: RootCertificates) -> Result<Tls, Error> {
        let provider = provider();
        let verifier =
            Arc::new(LazyVerifier { provider: Arc::clone(&provider), roots, loaded: OnceLock::new() });
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| Error::config("tls", "cannot be set up: the TLS provider has no usable version"))?
            .dangerous() // the name that rustls gives to every verifier of one's own
            .with_custom_certificate_verifier(Arc::clone(&verifier) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Tls { config, verifier })
    }

    /// As this one, with a certificate of the client's, and with TLS sessions of its own.
    #[cfg(feature = "v2")]
    pub(super) fn with_certificate(&self, certificate: &ClientCertificate) -> Tls {
        let mut config = self.config.clone();
        config.client_auth_cert_resolver = Arc::new(certificate.clone());
        config.resumption = rustls::client::Resumption::default();
        Tls { config, verifier: Arc::clone(&self.verifier) }
    }

    /// The configuration; a copy shares all its parts.
    pub(super) fn config(&self) -> ClientConfig {
        self.config.clone()
    }

    /// Loads the root certificates now, so that the first call does not wait for the disk. A failure shows when they are
    /// needed.
    pub(super) fn load(&self) {
        if let Err(error) = self.verifier.get() {
            tracing::debug!(%error, "no root certificates yet");
        }
    }
}

/// Verifies certificates as the operating system would; its root certificates are loaded for the first one.
struct LazyVerifier {
    provider: Arc<CryptoProvider>,
    roots: RootCertificates,
    loaded: OnceLock<Arc<dyn ServerCertVerifier>>,
}

impl LazyVerifier {
    fn get(&self) -> Result<&Arc<dyn ServerCertVerifier>, rustls::Error> {
        if let Some(verifier) = self.loaded.get() {
            return Ok(verifier);
        }
        // A failure is not kept: the certificates may be installed meanwhile.
        let verifier = self.load().map_err(|cause| OtherError(Arc::new(NoRootCertificates { cause })))?;
        Ok(self.loaded.get_or_init(|| verifier))
    }

    fn load(&self) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
        let provider = Arc::clone(&self.provider);
        let additional = self.roots.additional.iter().cloned();
        if let Some(bundled) = self.roots.bundled {
            let mut store = RootCertStore::empty();
            store.add_parsable_certificates(bundled.iter().cloned().chain(additional));
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider).build();
            return Ok(verifier.map_err(|e| OtherError(Arc::new(e)))?);
        }
        Ok(Arc::new(system_verifier(additional, provider)?))
    }
}

#[cfg(not(target_os = "android"))]
fn system_verifier(
    additional: impl Iterator<Item = CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<rustls_platform_verifier::Verifier, rustls::Error> {
    rustls_platform_verifier::Verifier::new_with_extra_roots(additional, provider)
}

/// Android's certificates cannot be added to.
#[cfg(target_os = "android")]
fn system_verifier(
    mut additional: impl Iterator<Item = CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
) -> Result<rustls_platform_verifier::Verifier, rustls::Error> {
    match additional.next() {
        Some(_) => Err(rustls::Error::General("Android accepts no additional root certificate".to_owned())),
        None => rustls_platform_verifier::Verifier::new(provider),
    }
}

impl ServerCertVerifier for LazyVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.get()?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl fmt::Debug for LazyVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazyVerifier").finish_non_exhaustive()
    }
}

/// Without root certificates no server can be told from another.
#[derive(Debug, thiserror::Error)]
#[error(
    "this machine has no root certificates: install them (the package `ca-certificates`), or use the cargo feature \
     `bundled-roots` and `bundled_roots()` of the builder"
)]
struct NoRootCertificates {
    #[source]
    cause: rustls::Error,
}

/// What an error of the HTTP library says about missing root certificates, if they are its cause.
pub(super) fn missing_roots(error: &reqwest::Error) -> Option<String> {
    let tls = causes(error).find_map(|cause| cause.downcast_ref())?;
    let rustls::Error::Other(OtherError(cause)) = tls else { return None };
    Some(cause.downcast_ref::<NoRootCertificates>()?.to_string())
}
