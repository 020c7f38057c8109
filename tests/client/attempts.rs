//! The error of a call whose attempts failed in different ways: none hides that an earlier one was sent.

use std::future::IntoFuture as _;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use wechatpay_chain::signer::{SignFuture, Signer};
use wechatpay_chain::{Error, Media, WeChatPay, WeChatPayBuilder};

use crate::support::{self, Recorder, key, signed};

/// A platform that responds once, on its only connection, and then is gone: connections are refused.
fn once(response: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        drop(listener);
        let _ = stream.read(&mut [0; 8192]);
        let _ = stream.write_all(&response);
    });
    base
}

fn closed_port() -> String {
    format!("http://{}/", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap())
}

fn refusal(status: &str, code: &str) -> Vec<u8> {
    let body = json!({"code": code, "message": "later"}).to_string();
    signed(status, &[("Connection", "close")], body.as_bytes())
}

fn system_error() -> Vec<u8> {
    refusal("500 Internal Server Error", "SYSTEM_ERROR")
}

fn impatient(builder: WeChatPayBuilder) -> WeChatPay {
    builder.retry_delay(Duration::from_millis(20)).build().unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The platform's refusal, although a later attempt was not sent.
fn refused(what: &str, result: Result<impl std::fmt::Debug, Error>, status: u16) {
    match result {
        Err(Error::Api(e)) if e.status == status && e.verified => {}
        other => panic!("{what}: not the {status} of the attempt that was sent: {other:?}"),
    }
}

#[test]
fn an_attempt_that_was_not_sent_does_not_hide_one_that_was() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let path = folder.path().join("file");
    for (status, code) in [(500, "SYSTEM_ERROR"), (503, "RATELIMIT_EXCEED"), (429, "FREQUENCY_LIMITED")] {
        let wx = || impatient(support::builder(&once(refusal(&format!("{status} X"), code))));
        let body = || json!({"out_refund_no": "R1"});
        refused("wait", wx()["v3/x"].post(body()).retry(2).wait(), status);
        refused("await", runtime.block_on(wx()["v3/x"].post(body()).retry(1).into_future()), status);
        refused("GET", wx()["v3/x"].get().retry(1).wait(), status);
        refused("download", wx()["v3/x"].get().retry(1).save_to(&path).wait(), status);
        // Nor does the spare host, if it cannot be reached either.
        let spare =
            support::builder(&once(refusal(&format!("{status} X"), code))).spare_base_url(closed_port());
        refused("spare", impatient(spare)["v3/x"].post(body()).retry(3).wait(), status);
    }
}

#[test]
fn a_get_that_broke_is_not_said_to_be_unsent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let wx = || support::builder(&once(Vec::new())).spare_base_url(closed_port()).build().unwrap();
    let sent = |what: &str, result: Result<(), Error>| {
        let Err(Error::Transport(error)) = result else {
            panic!("{what}: not a Transport error: {result:?}")
        };
        assert!(error.maybe_sent() && !error.is_connect(), "{what}: {error}");
        assert!(error.to_string().contains("the connection closed before"), "{what}: {error}");
    };
    sent("wait", wx()["v3/x"].get_sync().map(drop));
    sent("await", runtime().block_on(wx()["v3/x"].get().into_future()).map(drop));
    sent("download", wx()["v3/x"].get().save_to(&path).wait().map(drop));
    // A kept connection that was closed, and then no other.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let wx = support::client(&format!("http://{}/", listener.local_addr().unwrap()));
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        drop(listener);
        let _ = stream.read(&mut [0; 8192]);
        stream.write_all(&signed("200 OK", &[], b"{}")).unwrap();
        let _ = stream.read(&mut [0; 8192]);
    });
    wx["v3/x"].get_sync().unwrap();
    sent("kept", wx["v3/x"].get_sync().map(drop));
}

/// Signs correctly the first time. Then it fails, or never responds.
struct Once {
    asked: AtomicUsize,
    fails: bool,
}

impl Signer for Once {
    fn sign(&self, message: Vec<u8>) -> SignFuture {
        let (first, fails) = (self.asked.fetch_add(1, Ordering::SeqCst) == 0, self.fails);
        Box::pin(async move {
            if !first && fails {
                return Err("the HSM is gone".into());
            }
            if !first {
                std::future::pending::<()>().await;
            }
            let pem = pem::parse(key("merchant_key.pem"))?;
            let pair = aws_lc_rs::rsa::KeyPair::from_pkcs8(pem.contents())?;
            let mut signature = vec![0; pair.public_modulus_len()];
            let random = aws_lc_rs::rand::SystemRandom::new();
            pair.sign(&aws_lc_rs::signature::RSA_PKCS1_SHA256, &random, &message, &mut signature)?;
            Ok(signature)
        })
    }
}

fn with_signer(signer: impl Signer, base: &str) -> WeChatPayBuilder {
    WeChatPay::builder()
        .mchid(support::MCHID)
        .serial(support::MERCHANT_SERIAL)
        .signer(signer)
        .platform_key(support::PLATFORM_SERIAL, key("platform_cert.pem"))
        .base_url(base)
}

#[test]
fn a_second_signature_that_is_not_made_does_not_hide_the_first_attempt() {
    for fails in [true, false] {
        let server = Recorder::start(|_| system_error());
        let wx = || {
            let signer = Once { asked: AtomicUsize::new(0), fails };
            impatient(with_signer(signer, &server.base).timeout(Duration::from_secs(2)))
        };
        let what = if fails { "fails" } else { "is silent" };
        refused(what, wx()["v3/x"].post(json!({})).retry(1).wait(), 500);
        let request = wx()["v3/x"].post(json!({})).retry(3);
        refused(what, runtime().block_on(request.into_future()), 500);
        assert_eq!(server.seen().len(), 2);
    }
}

#[test]
fn a_file_that_is_gone_at_the_second_attempt_does_not_hide_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = Arc::<Path>::from(folder.path().join("a.png"));
    let removed = Arc::clone(&path);
    let server = Recorder::start(move |_| {
        std::fs::remove_file(&removed).unwrap();
        system_error()
    });
    let wx = impatient(support::builder(&server.base));
    std::fs::write(&path, b"png").unwrap();
    let upload = wx["v3/merchant/media/upload"].post(Value::Null).media(Media::file(&path)).retry(1);
    refused("upload", upload.wait(), 500);
    assert_eq!(server.seen().len(), 1);
}

/// Never signs.
struct Silent;

impl Signer for Silent {
    fn sign(&self, _: Vec<u8>) -> SignFuture {
        Box::pin(std::future::pending())
    }
}

/// Two limits of the same length must not race: the outer one would say that the request may have been sent.
#[test]
fn a_download_that_is_not_signed_in_time_was_not_sent() {
    let server = Recorder::no_content();
    let wx = with_signer(Silent, &server.base).timeout(Duration::from_millis(15)).build().unwrap();
    let runtime = runtime();
    for round in 0..60 {
        let download = || wx["v3/x"].get().save_to_writer(tokio::io::sink());
        for result in [runtime.block_on(download().into_future()), download().wait()] {
            let Err(Error::Transport(error)) = result else { panic!("not a Transport error: {result:?}") };
            assert!(!error.maybe_sent() && error.to_string().contains("no signature"), "{round}: {error}");
        }
    }
    assert!(server.seen().is_empty());
}
