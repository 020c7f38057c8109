//! `timeout` is the longest that the caller waits: for certificates, a signature, attempts and pauses together.

use std::future::IntoFuture as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde_json::{Value, json};
use wechatpay_chain::sandbox::{Fault, FaultRule, Rotation};
use wechatpay_chain::{Clock, Error, Media, VerifyReason};

use super::*;
use crate::support::{Recorder, raw, signed, start_sandbox};

const SHORT: Duration = Duration::from_millis(300);

/// A server that never responds.
fn silent() -> Recorder {
    Recorder::start(|_| {
        std::thread::sleep(PATIENCE);
        Vec::new()
    })
}

/// The machine's clock, some seconds ahead.
#[derive(Clone, Default)]
struct Ahead(Arc<AtomicU64>);

impl Clock for Ahead {
    fn unix_seconds(&self) -> u64 {
        support::now() + self.0.load(Ordering::SeqCst)
    }
}

fn in_its_time(text: &str, allowed: &str) {
    assert!(text.contains(allowed), "{text}");
    assert!(!text.contains("0ns"), "{text}");
}

#[test]
fn a_first_call_waits_for_the_certificates_no_longer_than_it_may() {
    let sandbox = start_sandbox();
    sandbox.sign_with(sandbox.platform_certificate_serial()).unwrap();
    sandbox.inject(Fault::Delay(Duration::from_secs(6)));
    let wx = automatic(&sandbox).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let get = || wx["v3/x"].get().timeout(SHORT);
    let upload =
        || wx["v3/merchant/media/upload"].post(Value::Null).media(Media::bytes("a.png", "x")).timeout(SHORT);
    let bill = || wx.bill("v3/bill/tradebill").date("2026-11-20").timeout(SHORT).save_to(&path);
    let calls: [(&str, &dyn Fn() -> Option<Error>); 9] = [
        ("wait", &|| get().wait().err()),
        ("retry, wait", &|| get().retry(2).wait().err()),
        ("await", &|| runtime.block_on(get().into_future()).err()),
        ("retry, await", &|| runtime.block_on(get().retry(3).into_future()).err()),
        ("wait in a runtime", &|| runtime.block_on(async { get().wait() }).err()),
        ("upload", &|| upload().wait().err()),
        ("download", &|| get().save_to(&path).wait().err()),
        ("download, await", &|| runtime.block_on(get().save_to(&path).into_future()).err()),
        ("bill", &|| runtime.block_on(bill().into_future()).err()),
    ];
    for (call, run) in calls {
        let error = run().unwrap();
        let Error::PlatformKeys(keys) = &error else { panic!("{call}: {error:?}") };
        assert!(!keys.is_permanent(), "{call}: {error}");
        in_its_time(&error.to_string(), "300ms");
        assert!(wx.platform_serials().is_empty(), "{call}: the download has ended already");
    }
    // The download goes on for the calls that have the time.
    wx["v3/security/echo"].post_sync(json!({"echo_message": "late"})).unwrap();
    let targets: Vec<_> = sandbox.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(targets, ["/v3/certificates", "/v3/security/echo"]);
}

#[test]
fn a_new_certificate_is_waited_for_no_longer_than_the_call_may_take() {
    let sandbox = start_sandbox();
    let clock = Ahead::default();
    let wx = automatic(&sandbox).clock(clock.clone()).build().unwrap();
    sandbox.sign_with(sandbox.platform_certificate_serial()).unwrap();
    wx.refresh_certificates().wait().unwrap();
    let known = wx.platform_serials();
    sandbox.rotate(Rotation::Certificate).unwrap();
    clock.0.store(61, Ordering::SeqCst);
    sandbox.on("GET", "v3/x", 200, json!({})).unwrap();
    // The call's own response is fast, the download that it starts is not.
    let slow = FaultRule::new(Fault::Delay(Duration::from_secs(20))).path("v3/certificates");
    sandbox.inject_rule(slow).unwrap();
    let allowed = Duration::from_secs(2);
    let error = wx["v3/x"].get().timeout(allowed).wait().unwrap_err();
    let Error::Verify(verify) = &error else { panic!("{error:?}") };
    assert!(matches!(&verify.reason, VerifyReason::UnknownSerial { refresh: Some(_), .. }), "{error}");
    in_its_time(&error.to_string(), "2s");
    assert_eq!(wx.platform_serials(), known, "the download has ended already");
}

/// Refuses with 429 for ever.
fn busy(retry_after: Option<&'static str>) -> Recorder {
    Recorder::start(move |_| {
        let headers: Vec<_> = retry_after.map(|seconds| ("Retry-After", seconds)).into_iter().collect();
        signed("429 Too Many Requests", &headers, br#"{"code":"FREQUENCY_LIMITED","message":"later"}"#)
    })
}

/// The refusal of the platform, not a timeout.
fn refused(result: Result<impl std::fmt::Debug, Error>) {
    match result {
        Err(Error::Api(e)) if e.status == 429 => {}
        other => panic!("not the 429: {other:?}"),
    }
}

#[tokio::test]
async fn a_pause_that_does_not_fit_is_not_begun() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    // (first pause, Retry-After, time, requests)
    for (delay, retry_after, seconds, requests) in [
        (Duration::from_secs(9), None, 5, 1),
        (Duration::from_millis(1), Some("9"), 5, 1),
        // The second fits, the third does not.
        (Duration::from_millis(300), None, 2, 3),
    ] {
        let server = busy(retry_after);
        let wx = support::builder(&server.base).retry_delay(delay).build().unwrap();
        let request = || wx["v3/x"].get().retry(3).timeout(Duration::from_secs(seconds));
        refused(request().await);
        refused(request().wait());
        refused(request().save_to(&path).await);
        assert_eq!(server.seen().len(), 3 * requests, "{delay:?} {retry_after:?}");
    }
    // The client's own timeout counts, too.
    let server = busy(Some("20"));
    let wx = support::builder(&server.base).timeout(Duration::from_secs(10)).build().unwrap();
    refused(wx["v3/x"].get().retry(1).await);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn the_spare_host_has_the_rest_of_the_time() {
    let first = || {
        Recorder::start(|_| {
            std::thread::sleep(Duration::from_millis(1500));
            Vec::new()
        })
    };
    let folder = tempfile::tempdir().unwrap();
    // 1.5 s for the first host, and then 2 s once more, would be 3.5 s.
    let late = Recorder::start(|_| {
        std::thread::sleep(Duration::from_millis(1200));
        signed("200 OK", &[], b"{}")
    });
    let (a, b) = (first(), first());
    let client = |first: &Recorder| {
        support::builder(&first.base)
            .spare_base_url(&late.base)
            .timeout(Duration::from_secs(2))
            .build()
            .unwrap()
    };
    let (wx, other) = (client(&a), client(&b));
    let file = folder.path().join("file");
    let (call, download) = tokio::join!(wx["v3/x"].get(), other["v3/x"].get().save_to(&file));
    for error in [call.map(drop).unwrap_err(), download.map(drop).unwrap_err()] {
        let Error::Transport(e) = &error else { panic!("{error:?}") };
        assert!(e.maybe_sent());
        in_its_time(&error.to_string(), "2s");
    }
    assert_eq!((a.seen().len(), b.seen().len()), (1, 1));
}

/// Signs correctly, some time later.
#[derive(Clone)]
struct Slow(Duration);

impl Signer for Slow {
    fn sign(&self, message: Vec<u8>) -> SignFuture {
        let time = self.0;
        Box::pin(async move {
            tokio::time::sleep(time).await;
            let pem = pem::parse(key("merchant_key.pem"))?;
            let pair = aws_lc_rs::rsa::KeyPair::from_pkcs8(pem.contents())?;
            let mut signature = vec![0; pair.public_modulus_len()];
            let random = aws_lc_rs::rand::SystemRandom::new();
            pair.sign(&aws_lc_rs::signature::RSA_PKCS1_SHA256, &random, &message, &mut signature)?;
            Ok(signature)
        })
    }
}

#[tokio::test]
async fn signature_and_response_share_the_time() {
    let server = Recorder::start(|_| {
        std::thread::sleep(Duration::from_millis(1200));
        signed("200 OK", &[], b"{}")
    });
    let wx = signed_by(Slow(Duration::from_millis(1200)), &server.base).build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let request = || wx["v3/x"].get().timeout(Duration::from_secs(2));
    let (call, download, blocking) = tokio::join!(
        request(),
        request().save_to(folder.path().join("file")),
        tokio::task::spawn_blocking({
            let request = request();
            move || request.wait()
        })
    );
    for error in [call.map(drop), download.map(drop), blocking.unwrap().map(drop)].map(Result::unwrap_err) {
        let Error::Transport(e) = &error else { panic!("{error:?}") };
        assert!(e.maybe_sent(), "{error}");
        in_its_time(&error.to_string(), "2s");
    }
    // With the time for both it succeeds.
    assert_eq!(wx["v3/x"].get().timeout(PATIENCE).await.unwrap().status(), 200);
}

/// Never signs; may be asked for ever.
struct Never;

impl Signer for Never {
    fn sign(&self, _: Vec<u8>) -> SignFuture {
        Box::pin(std::future::pending())
    }
}

/// The results of `$deferred` in every way to run it.
macro_rules! every_way {
    ($deferred:expr) => {{
        let bare = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let full = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        [
            $deferred.wait().map(drop),
            full.block_on($deferred.into_future()).map(drop),
            bare.block_on($deferred.into_future()).map(drop),
            bare.block_on(async { $deferred.wait() }).map(drop),
        ]
    }};
}

#[test]
fn a_signature_without_a_request_has_the_clients_time() {
    let wx = signed_by(Never, "http://127.0.0.1:9/").timeout(Duration::from_millis(100)).build().unwrap();
    let prepared = wx["v3/x"].get().prepare().unwrap();
    let own = wx["v3/x"].get().timeout(Duration::from_millis(50)).prepare().unwrap();
    let cases = [
        ("jsapi_params", "100ms", every_way!(wx.jsapi_params("wx1", "wx2"))),
        ("app_params", "100ms", every_way!(wx.app_params("wx1", "wx2"))),
        ("pay_sign", "100ms", every_way!(wx.pay_sign(&["a", "b"]))),
        ("sign", "100ms", every_way!(wx.sign("a\n"))),
        ("authorization", "100ms", every_way!(prepared.authorization())),
        ("authorization of a request with a timeout", "50ms", every_way!(own.authorization())),
    ];
    for (name, allowed, results) in cases {
        for result in results {
            let error = result.unwrap_err();
            let Error::Transport(e) = &error else { panic!("{name}: {error:?}") };
            assert!(!e.maybe_sent(), "{name}: {error}");
            assert!(error.to_string().contains("no signature"), "{name}: {error}");
            in_its_time(&error.to_string(), allowed);
        }
    }
}

#[test]
fn a_local_signature_needs_no_timer() {
    let wx = support::client("http://127.0.0.1:9/");
    for result in every_way!(wx.sign("a\n")) {
        result.unwrap();
    }
}

#[test]
fn everything_else_that_waits_has_the_clients_time() {
    let (server, spare) = (silent(), silent());
    let wx = automatic_at(&server.base).spare_base_url(&spare.base).timeout(SHORT).build().unwrap();
    let headers: Vec<(String, String)> = Vec::new();
    let results = [
        every_way!(wx.notification(headers.clone(), "{}")),
        every_way!(wx.refresh_certificates()),
        every_way!(wx.platform_certificates()),
    ];
    for error in results.into_iter().flatten().map(Result::unwrap_err) {
        let mut chain = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            chain += &inner.to_string();
            cause = inner.source();
        }
        in_its_time(&chain, "300ms");
    }
}

#[tokio::test]
async fn a_refusal_whose_body_does_not_end_ends_with_the_call() {
    let server = Recorder::start(|_| {
        let mut whole = raw("500 X", &[], &[b'x'; 1000]);
        whole.truncate(500);
        std::thread::sleep(Duration::from_millis(1200));
        whole
    });
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let wx = support::client(&server.base);
    let download = wx["v3/x"].get().timeout(Duration::from_secs(2)).save_to(folder.path().join("file"));
    let error = download.await.unwrap_err();
    in_its_time(&error.to_string(), "2s");
    assert!(started.elapsed() < Duration::from_millis(3100), "{:?}", started.elapsed());
}

#[test]
fn calls_in_a_row_do_not_share_their_time() {
    let server = Recorder::start(|_| {
        std::thread::sleep(Duration::from_millis(400));
        signed("200 OK", &[], b"{}")
    });
    let wx = support::builder(&server.base).timeout(Duration::from_millis(1500)).build().unwrap();
    for _ in 0..5 {
        assert_eq!(wx["v3/x"].get_sync().unwrap().status(), 200);
    }
}
