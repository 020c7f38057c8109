//! A caller's signer or clock may block: only its own call waits for it.

use std::future::IntoFuture as _;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use wechatpay_chain::{Clock, Error};

use super::*;
use crate::support::{Recorder, start_sandbox};

const SHORT: Duration = Duration::from_millis(300);

/// A blocking call of another client, which needs the thread that drives all connections.
fn another_blocking_call() {
    ends("a blocking call", || {
        let server = Recorder::no_content();
        assert_eq!(support::client(&server.base)["v3/x"].get_sync().unwrap().status(), 204);
    });
}

#[test]
fn a_blocking_signer_costs_a_blocking_call_its_time_and_no_more() {
    let (server, signer) = (Recorder::no_content(), Blocking::default());
    let gate = signer.gate.clone();
    let wx = signed_by(signer, &server.base).timeout(SHORT).build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (plain, path) = (wx.clone(), folder.path().join("file"));
    let errors = ends("calls with a blocking signer", move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        [
            plain["v3/x"].get_sync().map(drop),
            runtime.block_on(async { plain["v3/x"].get_sync().map(drop) }),
            plain["v3/x"].get().save_to(path).wait().map(drop),
            plain.jsapi_params("wx1", "wx2").wait().map(drop),
            plain["v3/x"].get().prepare().unwrap().authorization().wait().map(drop),
        ]
    });
    another_blocking_call();
    for error in errors.map(Result::unwrap_err) {
        let Error::Transport(e) = &error else { panic!("{error:?}") };
        assert!(!e.maybe_sent() && error.to_string().contains("no signature within 300ms"), "{error}");
    }
    assert!(server.seen().is_empty());
    gate.open();
}

#[test]
fn a_signer_that_blocks_during_a_download_stops_no_other_call() {
    let (server, signer) = (Recorder::no_content(), Blocking::default());
    let wx = WeChatPay::builder()
        .mchid(MCHID)
        .serial(MERCHANT_SERIAL)
        .signer(signer.clone())
        .apiv3_key(support::APIV3_KEY)
        .automatic_certificates()
        .base_url(&server.base)
        .timeout(Duration::from_secs(2))
        .build()
        .unwrap();
    let call = std::thread::spawn(move || wx["v3/x"].get_sync().map(drop));
    assert!(signer.asked.pass(), "the signer was not asked");
    another_blocking_call();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let other = support::client(&server.base);
    assert_eq!(runtime.block_on(other["v3/x"].get().into_future()).unwrap().status(), 204);
    // The call that needs the signer has its time.
    let error = ends("the call", move || call.join().unwrap()).unwrap_err();
    assert!(matches!(error, Error::PlatformKeys(_)), "{error:?}");
    signer.gate.open();
}

/// Blocks from a certain moment on.
#[derive(Clone, Default)]
struct BlockingClock {
    blocks: Arc<AtomicBool>,
    gate: Gate,
    asked: Gate,
}

impl Clock for BlockingClock {
    fn unix_seconds(&self) -> u64 {
        if self.blocks.load(Ordering::SeqCst) {
            self.asked.open();
            self.gate.pass();
        }
        support::now()
    }
}

#[test]
fn a_clock_that_blocks_during_a_download_stops_no_other_call() {
    let clock = BlockingClock::default();
    // Blocks as soon as the download has arrived at the server: from then on only the download asks for the time.
    let arrived = clock.blocks.clone();
    let server = Recorder::start(move |_| {
        arrived.store(true, Ordering::SeqCst);
        support::signed("200 OK", &[], b"{}")
    });
    let wx = automatic_at(&server.base).clock(clock.clone()).timeout(Duration::from_secs(2)).build().unwrap();
    let call = std::thread::spawn(move || wx["v3/x"].get_sync().map(drop));
    assert!(clock.asked.pass(), "the clock was not asked");
    another_blocking_call();
    assert!(ends("the call", move || call.join().unwrap()).is_err());
    clock.gate.open();
}

/// Signs with a blocking call of its own: to a signing service that is called through this crate.
struct Service(WeChatPay);

impl Signer for Service {
    fn sign(&self, message: Vec<u8>) -> SignFuture {
        let wx = self.0.clone();
        Box::pin(async move {
            let echo = wx["v3/security/echo"].post_sync(json!({"echo_message": "sign this"}))?;
            assert_eq!(echo.data()["echo_message"], "sign this");
            // A runtime of its own, too, as blocking HTTP libraries have.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let pem = pem::parse(key("merchant_key.pem"))?;
            let pair = aws_lc_rs::rsa::KeyPair::from_pkcs8(pem.contents())?;
            let mut signature = vec![0; pair.public_modulus_len()];
            let random = aws_lc_rs::rand::SystemRandom::new();
            pair.sign(&aws_lc_rs::signature::RSA_PKCS1_SHA256, &random, &message, &mut signature)?;
            let nap = async { tokio::time::sleep(Duration::from_millis(1)).await };
            std::thread::spawn(move || runtime.block_on(nap)).join().unwrap();
            Ok(signature)
        })
    }
}

#[test]
fn a_signer_may_make_blocking_calls_everywhere() {
    let sandbox = start_sandbox();
    let service = sandbox.client().unwrap();
    let server = Recorder::no_content();
    let base = server.base.clone();
    ends("calls with a signer that makes blocking calls", move || {
        let wx = signed_by(Service(service.clone()), &base).build().unwrap();
        assert_eq!(wx["v3/x"].get_sync().unwrap().status(), 204);
        assert_eq!(wx.sign("a\n").wait().unwrap().len(), 344);
        for mut builder in
            [tokio::runtime::Builder::new_current_thread(), tokio::runtime::Builder::new_multi_thread()]
        {
            let runtime = builder.enable_all().build().unwrap();
            assert_eq!(runtime.block_on(wx["v3/x"].get().into_future()).unwrap().status(), 204);
            assert_eq!(runtime.block_on(async { wx["v3/x"].get_sync() }).unwrap().status(), 204);
        }
        // During a download of certificates. The list is not genuine: it matters only that it is asked for.
        let wx = WeChatPay::builder()
            .mchid(MCHID)
            .serial(MERCHANT_SERIAL)
            .signer(Service(service))
            .apiv3_key(support::APIV3_KEY)
            .automatic_certificates()
            .base_url(&base)
            .build()
            .unwrap();
        assert!(matches!(wx["v3/x"].get_sync(), Err(Error::PlatformKeys(_))));
    });
    let targets: Vec<_> = server.seen().into_iter().map(|request| request.target).collect();
    assert_eq!(targets.last().map(String::as_str), Some("/v3/certificates"), "{targets:?}");
}

/// Counts the signatures that are being waited for.
#[derive(Clone, Default)]
struct Counting(Arc<std::sync::atomic::AtomicUsize>);

impl Signer for Counting {
    fn sign(&self, _: Vec<u8>) -> SignFuture {
        struct Waiting(Counting);
        impl Drop for Waiting {
            fn drop(&mut self) {
                self.0.0.fetch_sub(1, Ordering::SeqCst);
            }
        }
        self.0.fetch_add(1, Ordering::SeqCst);
        let waiting = Waiting(self.clone());
        Box::pin(async move {
            let _waiting = waiting;
            std::future::pending().await
        })
    }
}

#[test]
fn a_signature_that_no_call_waits_for_is_given_up() {
    let (server, signer) = (Recorder::no_content(), Counting::default());
    let wx = signed_by(signer.clone(), &server.base).timeout(Duration::from_millis(50)).build().unwrap();
    for _ in 0..20 {
        wx["v3/x"].get_sync().unwrap_err();
    }
    // Its thread notices it a moment later.
    for _ in 0..1000 {
        if signer.0.load(Ordering::SeqCst) == 0 {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{} signatures are still waited for", signer.0.load(Ordering::SeqCst));
}

#[cfg(target_os = "linux")]
#[test]
fn an_hsm_that_hangs_does_not_cost_a_thread_for_each_call() {
    let output =
        support::alone(module_path!(), "calls_while_an_hsm_hangs").args(["--ignored"]).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs a process of its own"]
fn calls_while_an_hsm_hangs() {
    let signer = Blocking::default();
    let wx =
        signed_by(signer.clone(), "http://127.0.0.1:9/").timeout(Duration::from_millis(1)).build().unwrap();
    for _ in 0..800 {
        let error = wx["v3/x"].get_sync().unwrap_err();
        assert!(error.to_string().contains("within 1ms"), "{error}");
    }
    let threads = std::fs::read_dir("/proc/self/task").unwrap().count();
    assert!(threads < 600, "{threads} threads");
    signer.gate.open();
}

struct Panics;

impl Signer for Panics {
    fn sign(&self, _: Vec<u8>) -> SignFuture {
        panic!("the signer panics")
    }
}

#[test]
fn a_signers_panic_reaches_its_caller_and_no_other() {
    let server = Recorder::no_content();
    let wx = signed_by(Panics, &server.base).build().unwrap();
    for _ in 0..3 {
        let call = std::panic::AssertUnwindSafe(|| wx["v3/x"].get_sync());
        let panic = std::panic::catch_unwind(call).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"the signer panics"));
        another_blocking_call();
    }
}
