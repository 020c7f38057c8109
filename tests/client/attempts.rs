//! The error of a call whose attempts failed in different ways: none hides that an earlier one was sent.

use std::future::IntoFuture as _;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wechatpay_chain::signer::{SignFuture, Signer};
use wechatpay_chain::{Error, Media, WeChatPay, WeChatPayBuilder};

use crate::support::{self, Recorder, TestServer, key, signed};

/// A platform that responds once, on its only connection, and then is gone: connections are refused.
fn once(response: Vec<u8>) -> TestServer {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    TestServer::on(listener, 1, move |mut stream, _| {
        let _ = stream.read(&mut [0; 8192]);
        stream.write_all(&response)
    })
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
        let server = || once(refusal(&format!("{status} X"), code));
        let wx = |server: &TestServer| impatient(support::builder(&server.base));
        let body = || json!({"out_refund_no": "R1"});
        let hosts: [_; 5] = std::array::from_fn(|_| server());
        refused("wait", wx(&hosts[0])["v3/x"].post(body()).retry(2).wait(), status);
        let request = wx(&hosts[1])["v3/x"].post(body()).retry(1);
        refused("await", runtime.block_on(request.into_future()), status);
        refused("GET", wx(&hosts[2])["v3/x"].get().retry(1).wait(), status);
        refused("download", wx(&hosts[3])["v3/x"].get().retry(1).save_to(&path).wait(), status);
        // Nor does the spare host, if it cannot be reached either.
        let spare = support::builder(&hosts[4].base).spare_base_url(closed_port());
        refused("spare", impatient(spare)["v3/x"].post(body()).retry(3).wait(), status);
    }
}

#[test]
fn a_get_that_broke_is_not_said_to_be_unsent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let hosts: [_; 3] = std::array::from_fn(|_| once(Vec::new()));
    let wx = |at: usize| support::builder(&hosts[at].base).spare_base_url(closed_port()).build().unwrap();
    let sent = |what: &str, result: Result<(), Error>| {
        let Err(Error::Transport(error)) = result else {
            panic!("{what}: not a Transport error: {result:?}")
        };
        assert!(error.maybe_sent() && !error.is_connect(), "{what}: {error}");
        assert!(error.to_string().contains("the connection closed before"), "{what}: {error}");
    };
    sent("wait", wx(0)["v3/x"].get_sync().map(drop));
    sent("await", runtime().block_on(wx(1)["v3/x"].get().into_future()).map(drop));
    sent("download", wx(2)["v3/x"].get().save_to(&path).wait().map(drop));
    // A kept connection that was closed, and then no other.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = TestServer::on(listener, 1, |mut stream, _| {
        let _ = stream.read(&mut [0; 8192])?;
        stream.write_all(&signed("200 OK", &[], b"{}"))?;
        stream.read(&mut [0; 8192]).map(drop)
    });
    let wx = support::client(&server.base);
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

/// How a host treats one request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Close,
    Busy,
    SystemError,
    Gateway,
    Probe,
    Cut,
    Fine,
    /// Fine, after a while.
    Slow,
    /// Never responds.
    Hang,
}

const QUICK: [Act; 7] =
    [Act::Close, Act::Busy, Act::SystemError, Act::Gateway, Act::Probe, Act::Cut, Act::Fine];

impl Act {
    fn response(self) -> Vec<u8> {
        let close = [("Connection", "close")];
        match self {
            Act::Close => Vec::new(),
            Act::Busy => refusal("429 X", "FREQUENCY_LIMITED"),
            Act::SystemError => system_error(),
            Act::Gateway => support::raw("502 X", &close, b"<html>"),
            Act::Probe => {
                let genuine = String::from_utf8(signed("200 OK", &close, b"{}")).unwrap();
                genuine
                    .replace("Wechatpay-Signature: ", "Wechatpay-Signature: WECHATPAY/SIGNTEST/")
                    .into_bytes()
            }
            Act::Cut => signed("200 OK", &close, b"{}")[..60].to_vec(),
            Act::Fine | Act::Slow | Act::Hang => signed("200 OK", &close, b"{}"),
        }
    }
}

/// A host that treats its requests so, one after another, and then is gone. Also what it received.
fn host(acts: &[Act]) -> (TestServer, Arc<Mutex<Vec<String>>>) {
    let received = Arc::<Mutex<Vec<String>>>::default();
    let (all, acts) = (Arc::clone(&received), acts.to_vec());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = TestServer::on(listener, acts.len(), move |mut stream, notes| {
        let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
        while !head.windows(4).any(|window| window == b"\r\n\r\n") {
            match stream.read(&mut buffer)? {
                0 => return Ok(()),
                read => head.extend_from_slice(&buffer[..read]),
            }
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        notes.request(head.lines().next().unwrap());
        let nonce = head.split("nonce_str=\"").nth(1).unwrap().split('"').next().unwrap();
        let act = {
            let mut all = all.lock().unwrap();
            all.push(nonce.to_owned());
            acts[all.len() - 1]
        };
        match act {
            Act::Slow => std::thread::sleep(Duration::from_millis(70)),
            // Until the client has had enough.
            Act::Hang => return stream.read(&mut [0; 64]).map(drop),
            _ => {}
        }
        stream.write_all(&act.response())
    });
    (server, received)
}

#[test]
fn whatever_the_hosts_do_the_error_is_true() {
    two_hosts(&QUICK, 400, Duration::from_secs(30));
}

/// A response that comes after the time must not have been waited for.
#[test]
fn whatever_the_hosts_do_the_call_ends_in_its_time() {
    two_hosts(&[&QUICK[..], &[Act::Slow, Act::Hang]].concat(), 60, Duration::from_millis(200));
}

/// Two hosts that do anything: no error says that nothing was sent if a host received something, a POST is repeated only
/// after a response that invites it, no nonce is used twice, and the call ends in time.
fn two_hosts(possible: &[Act], rounds: usize, timeout: Duration) {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for round in 0..rounds {
        let mut acts =
            || (0..random(4)).map(|_| possible[random(possible.len() as u64) as usize]).collect::<Vec<_>>();
        let (first, spare) = (acts(), acts());
        let hosts = [host(&first), host(&spare)];
        let wx = support::builder(&hosts[0].0.base).spare_base_url(&hosts[1].0.base);
        let wx = wx.retry_delay(timeout / 10_000).timeout(timeout).build().unwrap();
        let (post, download, retries) = (random(2) == 0, random(3) == 0, random(4) as u32);
        let request = if post { wx["v3/x"].post(json!({"out_trade_no": "P1"})) } else { wx["v3/x"].get() };
        let request = request.retry(retries);
        let began = Instant::now();
        let result = match download {
            true => request.save_to_writer(tokio::io::sink()).wait().map(drop),
            false => request.wait().map(drop),
        };
        assert!(began.elapsed() < timeout + Duration::from_secs(2), "{:?}", began.elapsed());
        let received: Vec<_> = hosts.iter().flat_map(|(_, all)| all.lock().unwrap().clone()).collect();
        let what = format!(
            "{round}: {first:?} {spare:?} POST {post} download {download} retry {retries}: {result:?}"
        );
        let unsent = match &result {
            Ok(()) => false,
            Err(Error::Transport(e)) => !e.maybe_sent(),
            Err(error) => {
                matches!(error, Error::Config(_) | Error::Path(_) | Error::Key(_) | Error::PlatformKeys(_))
            }
        };
        assert!(!unsent || received.is_empty(), "{received:?} {what}");
        assert!(received.len() <= retries as usize + 2, "{received:?} {what}");
        let distinct: std::collections::HashSet<_> = received.iter().collect();
        assert_eq!(distinct.len(), received.len(), "{what}");
        if post {
            // All but the last one that was received.
            let before = received.len().saturating_sub(1);
            let invited = |act: &Act| matches!(act, Act::Busy | Act::SystemError);
            let of_first = hosts[0].1.lock().unwrap().len();
            let seen: Vec<Act> =
                first[..of_first].iter().chain(&spare[..received.len() - of_first]).copied().collect();
            assert!(seen[..before].iter().all(invited), "{seen:?} {what}");
        }
    }
}
