//! TLS: a machine without root certificates, and one configuration for all connection pools.

use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};

use rustls::pki_types::PrivateKeyDer;
use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};
use wechatpay_chain::Error;

use crate::support::{self, Recorder, TestServer, alone, signed};

/// An https server with a certificate of its own.
struct TlsServer {
    base: String,
    certificate: String,
    handshakes: Arc<Mutex<Vec<HandshakeKind>>>,
    _server: TestServer,
}

impl TlsServer {
    fn start() -> TlsServer {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let handshakes = Arc::<Mutex<Vec<HandshakeKind>>>::default();
        let seen = handshakes.clone();
        let server = TestServer::start(move |stream, notes| {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut tls = StreamOwned::new(connection, stream);
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") {
                if tls.read(&mut byte)? == 0 {
                    return Ok(());
                }
                head.push(byte[0]);
            }
            notes.request(String::from_utf8_lossy(&head).lines().next().unwrap_or_default());
            seen.lock().unwrap().extend(tls.conn.handshake_kind());
            tls.write_all(&signed("204 No Content", &[("Connection", "close")], b""))?;
            tls.conn.send_close_notify();
            tls.flush()
        });
        let base = server.base.replace("http://127.0.0.1", "https://localhost");
        TlsServer { base, certificate: cert.pem(), handshakes, _server: server }
    }
}

#[test]
fn all_pools_share_one_tls_configuration() {
    let server = TlsServer::start();
    let wx = support::builder(&server.base).root_certificate(&server.certificate).no_proxy().build().unwrap();
    for _ in 0..4 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { wx["v3/x"].get().await }).unwrap();
    }
    wx["v3/x"].get_sync().unwrap();
    // A configuration of its own would know no session of another pool's.
    let handshakes = server.handshakes.lock().unwrap().clone();
    assert_eq!(handshakes.len(), 5);
    assert!(handshakes[1..].iter().all(|kind| *kind == HandshakeKind::Resumed), "{handshakes:?}");
}

const CHILD: &str = "WECHATPAY_TEST_ROOTS";

/// The body of the child process, on a machine without root certificates; on its own it does nothing.
#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    // Plain http on this machine.
    let recorder = Recorder::no_content();
    let plain = support::client(&recorder.base);
    assert_eq!(plain["v3/x"].get_sync().unwrap().status(), 204);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(async { plain["v3/x"].get().await }).unwrap().status(), 204);
    #[cfg(feature = "sandbox")]
    {
        let sandbox = support::start_sandbox();
        let echo = serde_json::json!({"echo_message": "hi"});
        assert_eq!(sandbox.client().unwrap()["v3/security/echo"].post_sync(echo).unwrap().status(), 200);
    }
    // Everything but the call itself, for a client of an https platform.
    let server = TlsServer::start();
    let wx = support::builder(&server.base).no_proxy().build().unwrap();
    let prepared = wx["v3/x"].get().prepare().unwrap();
    assert!(prepared.authorization().wait().unwrap().is_some());
    assert_eq!(wx.sign("text").wait().unwrap().len(), 344);
    assert!(support::builder("https://api.mch.weixin.qq.com/").build().is_ok());
    // The call says what is missing.
    let refused = |error: Error| {
        let Error::Transport(error) = error else { panic!("not a Transport error: {error}") };
        let text = error.to_string();
        assert!(
            !error.maybe_sent()
                && error.is_connect()
                && text.contains("ca-certificates")
                && text.contains("bundled_roots"),
            "{text}"
        );
        assert!(std::error::Error::source(&*error).is_some());
    };
    refused(wx["v3/x"].get_sync().unwrap_err());
    refused(runtime.block_on(async { wx["v3/x"].post(serde_json::json!({})).await }).unwrap_err());
    let folder = tempfile::tempdir().unwrap();
    refused(wx["v3/x"].get().save_to(folder.path().join("a")).wait().unwrap_err());
    // A root certificate of one's own is enough.
    let own =
        support::builder(&server.base).no_proxy().root_certificate(&server.certificate).build().unwrap();
    assert_eq!(own["v3/x"].get_sync().unwrap().status(), 204);
    // So are the compiled ones, which do not know this server.
    #[cfg(feature = "bundled-roots")]
    {
        let bundled = || support::builder(&server.base).no_proxy().bundled_roots();
        let unknown = bundled().build().unwrap()["v3/x"].get_sync().unwrap_err().to_string();
        assert!(!unknown.contains("ca-certificates"), "{unknown}");
        let both = bundled().root_certificate(&server.certificate).build().unwrap();
        assert_eq!(both["v3/x"].get_sync().unwrap().status(), 204);
    }
    println!("done");
}

#[test]
fn without_root_certificates_only_https_fails() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for file in [empty.as_path(), &folder.path().join("none.pem")] {
        let mut child = alone(module_path!(), "child");
        child.env(CHILD, "1").env("SSL_CERT_FILE", file).env("SSL_CERT_DIR", folder.path().join("none"));
        let output = child.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("done"),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn a_wrong_root_certificate_shows_at_construction() {
    let wrong =
        support::builder("https://example.com/").root_certificate(support::key("merchant_pub.pem")).build();
    assert!(matches!(wrong, Err(Error::Key(e)) if e.name == "root_certificate"));
}
