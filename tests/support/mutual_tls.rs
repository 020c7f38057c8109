//! Servers that ask for a certificate of their client.

use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};

use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::{APIV2_KEY, TestServer, key, raw, signed_xml};

/// An https server that asks for a certificate of its authority, and keeps whether it got one.
pub(crate) struct MutualTls {
    pub(crate) base: String,
    /// The server's, and the merchant's.
    pub(crate) certificate: String,
    pub(crate) merchant: String,
    pub(crate) presented: Arc<Mutex<Vec<bool>>>,
    _server: TestServer,
}

impl MutualTls {
    pub(crate) fn start(required: bool) -> MutualTls {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        // The merchant's certificate, issued for the key in tests/keys.
        let mut params = rcgen::CertificateParams::new([]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer_key = rcgen::KeyPair::generate().unwrap();
        let root = params.self_signed(&issuer_key).unwrap();
        let issuer = rcgen::Issuer::new(params, issuer_key);
        let merchant_key = rcgen::KeyPair::from_pem(&key("merchant_key.pem")).unwrap();
        let merchant = rcgen::CertificateParams::new([]).unwrap().signed_by(&merchant_key, &issuer).unwrap();
        let (merchant, expected) = (merchant.pem(), merchant.der().clone());
        let mut roots = RootCertStore::empty();
        roots.add(root.der().clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let verifier = if required { verifier } else { verifier.allow_unauthenticated() };
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(
                vec![cert.der().clone()],
                PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap(),
            )
            .unwrap();
        let (config, presented) = (Arc::new(config), Arc::<Mutex<Vec<bool>>>::default());
        let seen = presented.clone();
        let server = TestServer::start(move |stream, notes| {
            let mut tls = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"</xml>") {
                match tls.read(&mut byte) {
                    Ok(1) => head.push(byte[0]),
                    // A client that the server refused: closed once it has read the alert.
                    _ => {
                        std::io::copy(&mut tls.sock, &mut std::io::sink())?;
                        return Ok(());
                    }
                }
            }
            notes.request(String::from_utf8_lossy(&head).lines().next().unwrap_or_default());
            let got = tls.conn.peer_certificates().is_some_and(|chain| chain == [expected.clone()]);
            seen.lock().unwrap().push(got);
            let body = signed_xml(&[("return_code", "SUCCESS"), ("result_code", "SUCCESS")], APIV2_KEY);
            tls.write_all(&raw("200 OK", &[("Connection", "close")], body.as_bytes()))?;
            tls.conn.send_close_notify();
            tls.flush()
        });
        let base = server.base.replace("http://127.0.0.1", "https://localhost");
        MutualTls { base, certificate: cert.pem(), merchant, presented, _server: server }
    }
}
