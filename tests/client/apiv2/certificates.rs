//! Calls that present the merchant's certificate (mTLS).

use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};

use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;
use wechatpay_chain::{Error, WeChatPay, WeChatPayBuilder};

use super::{SECRET, signed_xml};
use crate::support::MCHID;
use crate::support::{self, TestServer, key, raw};

/// An https server that asks for a certificate of its authority, and keeps whether it got one.
struct MutualTls {
    base: String,
    /// The server's, and the merchant's.
    certificate: String,
    merchant: String,
    presented: Arc<Mutex<Vec<bool>>>,
    _server: TestServer,
}

impl MutualTls {
    fn start(required: bool) -> MutualTls {
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
            let body = signed_xml(&[("return_code", "SUCCESS"), ("result_code", "SUCCESS")], SECRET);
            tls.write_all(&raw("200 OK", &[("Connection", "close")], body.as_bytes()))?;
            tls.conn.send_close_notify();
            tls.flush()
        });
        let base = server.base.replace("http://127.0.0.1", "https://localhost");
        MutualTls { base, certificate: cert.pem(), merchant, presented, _server: server }
    }

    fn client(&self, builder: WeChatPayBuilder) -> WeChatPay {
        builder
            .mchid(MCHID)
            .apiv2_key(SECRET)
            .base_url(&self.base)
            .root_certificate(&self.certificate)
            .no_proxy()
            .build()
            .unwrap()
    }

    fn refund(&self, wx: &WeChatPay, with: bool) -> bool {
        let request = wx["v2/secapi/pay/refund"].post(json!({"mch_id": MCHID}));
        if with { request.client_certificate() } else { request }.wait().unwrap();
        self.presented.lock().unwrap().pop().unwrap()
    }
}

#[test]
fn the_certificate_is_presented_when_a_call_asks_for_it() {
    let server = MutualTls::start(false);
    let pem = WeChatPay::builder().client_certificate(&server.merchant, key("merchant_key.pem"));
    let wx = server.client(pem);
    assert!(!server.refund(&wx, false) && server.refund(&wx, true) && !server.refund(&wx, false));
    // PHP's option.
    let options = json!({"xml": {"mch_id": MCHID}, "security": true});
    wx["v2/secapi/pay/refund"].post(json!(null)).options(options).wait().unwrap();
    assert_eq!(server.presented.lock().unwrap().pop(), Some(true));
}

#[test]
fn apiv3_has_the_same_certificate() {
    let server = MutualTls::start(true);
    let v3 = WeChatPay::builder()
        .private_key(key("merchant_key.pem"))
        .merchant_certificate(&server.merchant)
        .platform_key(support::PLATFORM_SERIAL, key("platform_cert.pem"));
    let wx = server.client(v3);
    assert!(server.refund(&wx, true));
    let error = wx["v2/secapi/pay/refund"].post(json!({"mch_id": MCHID})).wait().unwrap_err();
    assert!(error.to_string().contains("add `.client_certificate()` to the call"), "{error}");
}

#[test]
fn a_certificate_that_the_server_refuses_is_told() {
    let server = MutualTls::start(true);
    let other = WeChatPay::builder().client_certificate(key("merchant_cert.pem"), key("merchant_key.pem"));
    let wx = server.client(other);
    let error =
        wx["v2/secapi/pay/refund"].post(json!({"mch_id": MCHID})).client_certificate().wait().unwrap_err();
    assert!(error.to_string().contains("refused the merchant's certificate"), "{error}");
}

/// PHP's array, with paths as PHP takes them, and Node's.
#[test]
fn from_the_factory_arrays() {
    let folder = format!("{}/tests/keys", env!("CARGO_MANIFEST_DIR"));
    let root = format!("{folder}/merchant_cert.pem");
    let mut merchants = vec![json!({"cert": root, "key": format!("{folder}/merchant_key.pem")})];
    merchants.push(json!({"cert": format!("file://{root}"), "key": [key("merchant_key.pem"), null]}));
    #[cfg(feature = "p12")]
    merchants.push(json!({"pfx": format!("{folder}/merchant.p12"), "passphrase": support::MCHID}));
    for merchant in merchants {
        let array = json!({"mchid": MCHID, "secret": SECRET, "merchant": merchant});
        let wx = WeChatPay::factory(array).unwrap();
        assert!(wx["v2/secapi/pay/refund"].post(json!({"mch_id": MCHID})).prepare().is_ok());
    }
    for (merchant, field) in [
        (json!({"cert": root}), "merchant"),
        (json!({"key": root}), "merchant"),
        (json!({"cert": root, "key": format!("{folder}/weak_key.pem")}), "merchant"),
        (json!({"cert": "/nowhere.pem", "key": root}), "merchant"),
        (json!({"crt": root}), "merchant[\"crt\"]"),
        (json!("x"), "merchant"),
    ] {
        let array = json!({"mchid": MCHID, "secret": SECRET, "merchant": merchant});
        let found = match WeChatPay::factory(array) {
            Err(Error::Config(error)) => error.field().to_owned(),
            Err(Error::Key(error)) => error.name.clone(),
            other => panic!("{merchant}: {other:?}"),
        };
        assert_eq!(found, field, "{merchant}");
    }
    assert!(WeChatPay::factory(json!({"mchid": MCHID, "secret": SECRET, "merchant": []})).is_ok());
}
