//! Failover, retry, proxies.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wechatpay_chain::{Error, WeChatPay};

use crate::support::{self, Recorder, raw, signed};

/// A base URL on which no server listens.
fn closed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/", listener.local_addr().unwrap())
}

fn with_spare(first: &str, spare: &str) -> WeChatPay {
    support::builder(first).spare_base_url(spare).build().unwrap()
}

#[tokio::test]
async fn without_a_connection_the_spare_host_is_asked_for_any_verb() {
    let spare = Recorder::no_content();
    let wx = with_spare(&closed_port(), &spare.base);
    wx["v3/{a}"].post(json!({"k": 1})).var("a", "x/y").query(json!({"q": 1})).await.unwrap();
    wx["v3/x"].get_sync().unwrap();
    let seen = spare.seen();
    assert_eq!(
        (seen[0].method.as_str(), seen[0].target.as_str(), seen[0].body.as_slice()),
        ("POST", "/v3/x%2Fy?q=1", &br#"{"k":1}"#[..])
    );
    assert_eq!(seen[1].target, "/v3/x");
    // Neither host is there: the last error, and nothing was sent.
    let wx = with_spare(&closed_port(), &closed_port());
    let Err(Error::Transport(e)) = wx["v3/x"].post(json!({})).await else { panic!("not a Transport error") };
    assert!(!e.maybe_sent(), "{e}");
}

#[tokio::test]
async fn after_a_broken_connection_only_a_get_is_asked_of_the_spare_host() {
    let (first, spare) = (Recorder::start(|_| Vec::new()), Recorder::no_content());
    let wx = with_spare(&first.base, &spare.base);
    assert_eq!(wx["v3/x"].get().await.unwrap().status(), 204);
    let Err(Error::Transport(e)) = wx["v3/x"].post(json!({})).await else { panic!("not a Transport error") };
    assert!(e.maybe_sent());
    assert_eq!((first.seen().len(), spare.seen().len()), (2, 1));
    // Each attempt is signed afresh.
    assert_ne!(first.seen()[0].auth("nonce_str"), spare.seen()[0].auth("nonce_str"));
    // A slow response is not a broken connection, and a URL on another host has no spare.
    let slow = Recorder::start(|_| {
        std::thread::sleep(Duration::from_secs(1));
        Vec::new()
    });
    let wx = with_spare(&slow.base, &spare.base);
    assert!(wx["v3/x"].get().timeout(Duration::from_millis(50)).await.is_err());
    assert!(wx.chain(&format!("{}v3/billdownload/file", closed_port())).get().await.is_err());
    assert_eq!(spare.seen().len(), 1);
}

#[test]
fn the_platforms_spare_host_is_the_documented_one() {
    let wx = support::builder("https://api.mch.weixin.qq.com/").build().unwrap();
    for host in ["api.mch.weixin.qq.com", "api2.mch.weixin.qq.com"] {
        let prepared = wx.chain(&format!("https://{host}/v3/x")).get().prepare().unwrap();
        assert!(prepared.authorization().wait().unwrap().is_some(), "{host}");
    }
}

fn fine() -> Vec<u8> {
    signed("200 OK", &[], b"{}")
}

fn refusal(status: &str, code: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    signed(status, headers, json!({"code": code, "message": "later"}).to_string().as_bytes())
}

fn impatient(base: &str) -> WeChatPay {
    support::builder(base).retry_delay(Duration::from_millis(20)).build().unwrap()
}

#[tokio::test]
async fn a_retry_changes_nothing_but_timestamp_and_nonce() {
    let server = Recorder::script([
        refusal("429 Too Many Requests", "FREQUENCY_LIMITED", &[]),
        refusal("500 Internal Server Error", "SYSTEM_ERROR", &[]),
        raw("429 Too Many Requests", &[], b"<html>"),
        fine(),
    ]);
    let wx = impatient(&server.base);
    let body = json!({"out_refund_no": "R1", "text": "茶"});
    let started = Instant::now();
    wx["v3/refund/domestic/refunds"].post(body.clone()).retry(3).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(20 + 40 + 80), "{:?}", started.elapsed());
    let seen = server.seen();
    assert!(
        seen.iter()
            .all(|r| serde_json::from_slice::<Value>(&r.body).unwrap() == body && r.target == seen[0].target)
    );
    let nonces: std::collections::HashSet<_> = seen.iter().map(|r| r.auth("nonce_str")).collect();
    assert_eq!(nonces.len(), 4);
}

#[test]
fn errors_without_a_retry() {
    for (response, retries, tries) in [
        (refusal("429 Too Many Requests", "RATELIMIT_EXCEEDED", &[]), 0, 1),
        (refusal("429 Too Many Requests", "RATELIMIT_EXCEEDED", &[]), 2, 3),
        (refusal("500 Internal Server Error", "SYSTEM_ERROR", &[]), 1, 2),
        (refusal("503 Service Unavailable", "RATELIMIT_EXCEED", &[]), 1, 2),
        (refusal("500 Internal Server Error", "OTHER", &[]), 3, 1),
        (raw("502 Bad Gateway", &[("Content-Type", "text/html")], b"<html>"), 3, 1),
        (refusal("400 Bad Request", "PARAM_ERROR", &[]), 3, 1),
        (refusal("400 Bad Request", "SYSTEM_ERROR", &[]), 3, 1),
        // A longer pause than the call's timeout.
        (refusal("429 Too Many Requests", "FREQUENCY_LIMITED", &[("Retry-After", "3600")]), 3, 1),
        // A bad signature is not retried.
        (raw("500 X", &[("Wechatpay-Signature", "AAAA")], br#"{"code":"SYSTEM_ERROR"}"#), 3, 1),
        (Vec::from("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}"), 3, 1),
    ] {
        // So many requests, no more and no fewer.
        let server = Recorder::script(vec![response; tries]);
        let wx = support::builder(&server.base)
            .retry_delay(Duration::from_millis(1))
            .timeout(Duration::from_millis(500));
        wx.build().unwrap()["v3/x"].post(json!({})).retry(retries).wait().unwrap_err();
    }
    let wx = impatient("http://127.0.0.1:9/");
    assert!(matches!(wx["v3/x"].get().retry(4).prepare(), Err(Error::Config(e)) if e.field() == "retry"));
}

#[test]
fn retry_after_is_honoured() {
    let server = Recorder::script([
        refusal("429 Too Many Requests", "FREQUENCY_LIMITED", &[("Retry-After", "1")]),
        fine(),
    ]);
    let started = Instant::now();
    let response = impatient(&server.base)["v3/x"].get().retry(1).wait().unwrap();
    assert!(response.status() == 200 && started.elapsed() >= Duration::from_secs(1));
    let server =
        Recorder::script([refusal("429 Too Many Requests", "FREQUENCY_LIMITED", &[("Retry-After", "7")])]);
    let Err(Error::Api(e)) = impatient(&server.base)["v3/x"].get_sync() else { panic!("not an Api error") };
    assert_eq!((e.retry_after, e.code.as_str()), (Some(Duration::from_secs(7)), "FREQUENCY_LIMITED"));
}

#[tokio::test]
async fn a_dropped_call_is_not_retried() {
    let server = Recorder::script([refusal("429 Too Many Requests", "FREQUENCY_LIMITED", &[]), fine()]);
    let wx = support::builder(&server.base).retry_delay(Duration::from_millis(100)).build().unwrap();
    let call = wx["v3/x"].get().retry(3).into_future();
    assert!(tokio::time::timeout(Duration::from_millis(50), call).await.is_err());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(server.seen().len(), 1, "the pause was dropped with the call");
    assert_eq!(wx["v3/x"].get().await.unwrap().status(), 200);
}

#[test]
fn a_proxy_gets_the_request_and_is_not_named_with_its_password() {
    let proxy = Recorder::no_content();
    let wx = support::builder("http://wechatpay.invalid/").allow_http().proxy(&proxy.base).build().unwrap();
    wx["v3/x"].get_sync().unwrap();
    let seen = proxy.take();
    // A proxy gets the full URL; the target is signed.
    assert_eq!(seen.target, "http://wechatpay.invalid/v3/x");
    let refused = |b: wechatpay_chain::WeChatPayBuilder| match b.build() {
        Err(Error::Config(e)) => e.to_string(),
        other => panic!("not a Config error: {other:?}"),
    };
    let base = || support::builder("https://example.com/");
    let text = refused(base().proxy("http://user:p4ssword@[::bad/"));
    assert!(text.contains("`proxy`") && !text.contains("p4ssword"), "{text}");
    assert!(refused(base().proxy(&proxy.base).no_proxy()).contains("`no_proxy`"));
    assert!(refused(base().spare_base_url("nowhere")).contains("`spare_base_url`"));
    assert!(base().root_certificate(support::key("platform_cert.pem")).build().is_ok());
    for wrong in ["file:///no/such.pem".to_owned(), support::key("merchant_pub.pem"), "x".to_owned()] {
        assert!(
            matches!(base().root_certificate(wrong).build(), Err(Error::Key(e)) if e.name == "root_certificate")
        );
    }
    #[cfg(feature = "bundled-roots")]
    assert!(base().bundled_roots().build().is_ok());
    let shown = format!("{:?}", base().proxy("http://user:p4ssword@proxy.example/"));
    assert!(!shown.contains("p4ssword"), "{shown}");
}

/// Never responds, and counts the requests.
struct Silent(std::sync::Arc<AtomicUsize>);

impl wechatpay_chain::Signer for Silent {
    fn sign(&self, _: Vec<u8>) -> wechatpay_chain::signer::SignFuture {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_silent_signer_has_the_calls_time_and_no_spare_host() {
    let (first, spare) = (Recorder::no_content(), Recorder::no_content());
    let asked = std::sync::Arc::new(AtomicUsize::new(0));
    let wx = WeChatPay::builder()
        .mchid(support::MCHID)
        .serial(support::MERCHANT_SERIAL)
        .signer(Silent(asked.clone()))
        .platform_key(support::PLATFORM_SERIAL, support::key("platform_cert.pem"))
        .base_url(&first.base)
        .spare_base_url(&spare.base)
        .timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    for result in [wx["v3/x"].get().await, wx["v3/x"].get_sync()] {
        let Err(Error::Transport(e)) = result else { panic!("not a Transport error") };
        assert!(!e.maybe_sent() && e.to_string().contains("no signature within 100ms"), "{e}");
    }
    assert_eq!((asked.load(Ordering::SeqCst), first.seen().len(), spare.seen().len()), (2, 0, 0));
}

#[tokio::test]
async fn a_download_is_tried_again_up_to_its_first_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    // No server on the first host.
    let spare = Recorder::start(|_| signed("200 OK", &[], b"{\"a\":1}"));
    let wx = with_spare(&closed_port(), &spare.base);
    assert!(wx["v3/file"].get().save_to(&path).await.unwrap().verified);
    assert_eq!(std::fs::read(&path).unwrap(), b"{\"a\":1}");
    std::fs::remove_file(&path).unwrap();
    assert!(wx["v3/file"].get().save_to(&path).wait().unwrap().verified);
    // The first host closes the connection before its response: a GET is signed again and sent to the spare host.
    let first = Recorder::start(|_| Vec::new());
    let wx = with_spare(&first.base, &spare.base);
    wx["v3/file"].get().save_to(&path).await.unwrap();
    assert_ne!(first.seen()[0].auth("nonce_str"), spare.seen()[2].auth("nonce_str"));
    // A temporary refusal, with `retry` and without.
    let busy = || signed("429 Too Many Requests", &[], br#"{"code":"FREQUENCY_LIMITED","message":"slow"}"#);
    let server = Recorder::script([busy(), busy(), fine()]);
    let wx = support::builder(&server.base).retry_delay(Duration::from_millis(10)).build().unwrap();
    let refused = wx["v3/file"].get().save_to(&path).await;
    assert!(matches!(refused, Err(Error::Api(e)) if e.status == 429));
    wx["v3/file"].get().retry(2).save_to(&path).await.unwrap();
    // A file that stops in the middle is an error, and is not requested again.
    let torn = Recorder::start(|_| {
        let mut whole = signed("200 OK", &[], &[b'x'; 100_000]);
        whole.truncate(50_000);
        whole
    });
    let wx = with_spare(&torn.base, &spare.base);
    assert!(
        matches!(wx["v3/file"].get().retry(2).timeout(Duration::from_millis(300)).save_to(&path).await, Err(Error::Transport(e)) if e.maybe_sent())
    );
    assert_eq!((torn.seen().len(), spare.seen().len()), (1, 3));
}
