//! A download goes on for others when the call that started it is dropped, or its runtime ends.

use std::future::{Future, IntoFuture as _};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use wechatpay_chain::sandbox::{Fault, FaultRule};
use wechatpay_chain::signer::{SignFuture, Signer, SignerError};

use super::*;
use crate::support::{MCHID, MERCHANT_SERIAL, Recorder, key, start_sandbox};

const SLOW: Duration = Duration::from_millis(800);

/// A platform whose certificates take a while.
fn slow() -> (Sandbox, WeChatPay) {
    let sandbox = start_sandbox();
    sandbox.sign_with(sandbox.platform_certificate_serial()).unwrap();
    sandbox.inject_rule(FaultRule::new(Fault::Delay(SLOW)).path("v3/certificates")).unwrap();
    let wx = automatic(&sandbox).build().unwrap();
    (sandbox, wx)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Begins the call on `runtime`, and drops it before the certificates are there.
fn begin_and_drop(runtime: &Runtime, wx: &WeChatPay) {
    runtime.block_on(async {
        tokio::select! {
            result = echo(wx).into_future() => panic!("{result:?}"),
            () = tokio::time::sleep(SLOW / 8) => {}
        }
    });
    assert!(wx.platform_serials().is_empty());
}

#[test]
fn a_dropped_call_does_not_end_the_download_that_others_wait_for() {
    let (sandbox, wx) = slow();
    let first = runtime();
    begin_and_drop(&first, &wx);
    // Blocking, on another runtime, and on the same one.
    let blocking = std::thread::spawn({
        let wx = wx.clone();
        move || echo(&wx).wait().map(drop)
    });
    runtime().block_on(echo(&wx).into_future()).unwrap();
    first.block_on(echo(&wx).into_future()).unwrap();
    blocking.join().unwrap().unwrap();
    assert_eq!(downloads(&sandbox), 1);
}

#[test]
fn a_runtime_that_ends_does_not_end_the_download() {
    let (sandbox, wx) = slow();
    let first = runtime();
    begin_and_drop(&first, &wx);
    // Together with a task that waits for it.
    first.spawn(echo(&wx).into_future());
    first.block_on(tokio::task::yield_now());
    first.shutdown_background();
    runtime().block_on(echo(&wx).into_future()).unwrap();
    let calls = targets(&sandbox).into_iter().filter(|target| target == "/v3/security/echo").count();
    assert_eq!((downloads(&sandbox), calls), (1, 1));
}

#[test]
fn a_download_ends_also_if_no_one_waits_any_more() {
    let (sandbox, wx) = slow();
    begin_and_drop(&runtime(), &wx);
    for _ in 0..200 {
        if !wx.platform_serials().is_empty() {
            assert_eq!(downloads(&sandbox), 1);
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("no certificates");
}

/// Under an executor without tokio, the future is polled and dropped outside any runtime.
#[test]
fn a_future_may_be_dropped_outside_a_runtime_at_any_moment() {
    let server = Recorder::start(|_| {
        std::thread::sleep(Duration::from_millis(10));
        crate::support::signed("200 OK", &[], b"{}")
    });
    for polls in 1..12 {
        // A client of its own: the first connection of a pool is a case for itself.
        let wx = crate::support::client(&server.base);
        for _ in 0..2 {
            let mut future: Pin<Box<dyn Future<Output = _>>> = wx["v3/x"].get().into_future();
            for _ in 0..polls {
                if let Poll::Ready(result) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    result.unwrap();
                    break;
                }
                std::thread::sleep(Duration::from_millis(4));
            }
            std::thread::sleep(Duration::from_millis(20)); // the response arrives
            drop(future);
        }
        let folder = tempfile::tempdir().unwrap();
        let mut download = wx["v3/x"].get().save_to(folder.path().join("a")).into_future();
        for _ in 0..polls {
            if download.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                break;
            }
            std::thread::sleep(Duration::from_millis(4));
        }
        std::thread::sleep(Duration::from_millis(20));
        drop(download);
        assert_eq!(wx["v3/x"].get_sync().unwrap().status(), 200);
    }
}

/// A future that outlives the `block_on` in which it was begun is dropped outside, while its runtime goes on.
#[test]
fn a_future_may_be_dropped_outside_its_own_runtime() {
    let server = Recorder::start(|_| {
        std::thread::sleep(Duration::from_millis(10));
        crate::support::signed("200 OK", &[], b"{}")
    });
    let folder = tempfile::tempdir().unwrap();
    for threads in [1, 2] {
        for wait in [0, 2, 5, 8, 14] {
            let wx = crate::support::client(&server.base);
            let runtime = Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap();
            let mut call = wx["v3/x"].get().into_future();
            let mut download = wx["v3/x"].get().save_to(folder.path().join("a")).into_future();
            runtime.block_on(async {
                let both = async { (&mut call).await.and((&mut download).await.map(drop)) };
                let _ = tokio::time::timeout(Duration::from_millis(wait), both).await;
                let _ = tokio::time::timeout(Duration::from_millis(wait), &mut download).await;
            });
            std::thread::sleep(Duration::from_millis(30)); // the response arrives
            if threads == 1 {
                drop((call, download));
                runtime.block_on(async { wx["v3/x"].get().await }).unwrap();
            } else {
                // The runtime ends first.
                drop(runtime);
                drop((call, download));
                assert_eq!(wx["v3/x"].get_sync().unwrap().status(), 200);
            }
        }
    }
}

/// A service whose first reply is no signature.
struct Recovers(AtomicU64, fn() -> Result<Vec<u8>, SignerError>);

impl Signer for Recovers {
    fn sign(&self, message: Vec<u8>) -> SignFuture {
        let first = (self.0.fetch_add(1, Ordering::SeqCst) == 0).then_some(self.1);
        Box::pin(async move {
            if let Some(first) = first {
                return first();
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

#[test]
fn a_signer_that_fails_during_a_download_is_not_a_wrong_setting() {
    fails_at_first(|| Err("the KMS is gone".into()));
    // Base64 instead of the bytes, an empty reply.
    fails_at_first(|| Ok(vec![b'A'; 344]));
    fails_at_first(|| Ok(Vec::new()));
}

fn fails_at_first(first: fn() -> Result<Vec<u8>, SignerError>) {
    let server = Recorder::start(|_| crate::support::raw("502 Bad Gateway", &[], b""));
    let clock = Set::ahead();
    let wx = WeChatPay::builder()
        .mchid(MCHID)
        .serial(MERCHANT_SERIAL)
        .signer(Recovers(AtomicU64::new(0), first))
        .apiv3_key(crate::support::APIV3_KEY)
        .automatic_certificates()
        .clock(clock.clone())
        .base_url(&server.base)
        .build()
        .unwrap();
    let failed = || match wx["v3/x"].get_sync() {
        Err(Error::PlatformKeys(error)) => error,
        other => panic!("not a PlatformKeys error: {other:?}"),
    };
    let error = failed();
    assert!(!error.is_permanent() && error.retry_after() == Some(Duration::from_secs(1)), "{error}");
    let cause = std::error::Error::source(&*error).unwrap().downcast_ref::<Error>().unwrap();
    assert!(matches!(cause, Error::Key(key) if key.is_signer()), "{cause:?}");
    assert!(server.seen().is_empty());
    // The next call asks the signer again, and the platform.
    clock.advance(1);
    assert!(!failed().is_permanent());
    assert_eq!(server.seen().len(), 1);
}
