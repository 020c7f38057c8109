//! Downloads that are held back, and what the errors say.

use std::sync::Mutex;

use wechatpay_chain::VerifyReason;
use wechatpay_chain::sandbox::{Fault, Rotation};

use super::*;
use crate::support::{PLATFORM_SERIAL, Recorder, raw, start_sandbox};

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_response_to_the_first_download_costs_a_second() {
    let faults = [
        Fault::SignatureProbe,
        Fault::BadSignature,
        Fault::WrongBody,
        Fault::OldTimestamp,
        Fault::UnknownSerial,
        Fault::MissingHeader("Wechatpay-Nonce".into()),
        Fault::HtmlBadGateway,
        Fault::RateLimited { retry_after: None },
        Fault::SystemErrorAfterExecuting,
        Fault::CutConnection,
        Fault::CutBody,
    ];
    for fault in faults {
        let (sandbox, clock) = (start_sandbox(), Set::ahead());
        let wx = automatic(&sandbox).clock(clock.clone()).build().unwrap();
        sandbox.inject(fault.clone());
        unsent(&wx).await;
        assert!(downloads(&sandbox) <= 2, "the spare host at most: {fault}");
        clock.advance(1);
        echo(&wx).await.unwrap_or_else(|e| panic!("{fault}: {e}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_connection_calls_go_on_a_second_after_there_is_one() {
    // A port on which nothing listens, for as long as it takes to fail six times.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap();
    drop(port);
    let clock = Set::ahead();
    let sandbox = start_sandbox();
    let wx = automatic(&sandbox).base_url(format!("http://{address}/")).clock(clock.clone()).build().unwrap();
    for _ in 0..6 {
        let Err(Error::PlatformKeys(e)) = echo(&wx).await else { panic!("not a PlatformKeys error") };
        assert_eq!(e.retry_after().unwrap().as_secs(), 1, "{e}");
        assert!(!e.is_permanent(), "{e}");
        clock.advance(1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_in_a_row_hold_the_download_back() {
    let (sandbox, clock) = (start_sandbox(), Set::ahead());
    let wx = automatic(&sandbox).clock(clock.clone()).build().unwrap();
    sandbox.on("GET", "v3/certificates", 500, json!({"code": "SYSTEM_ERROR", "message": "busy"})).unwrap();
    let mut waits = Vec::new();
    for _ in 0..8 {
        let Err(Error::PlatformKeys(e)) = echo(&wx).await else { panic!("not a PlatformKeys error") };
        let wait = e.retry_after().unwrap().as_secs();
        waits.push(wait);
        // Until then no call downloads, blocking or not, and each says how long.
        clock.advance(wait - 1);
        for result in [echo(&wx).await.map(drop), echo(&wx).wait().map(drop), wx.refresh_certificates().await]
        {
            let Err(Error::PlatformKeys(e)) = result else { panic!("not a PlatformKeys error") };
            assert_eq!(e.retry_after().unwrap().as_secs(), 1, "{e}");
            assert!(e.to_string().contains("held back for 1 s, until "), "{e}");
        }
        assert_eq!(downloads(&sandbox), waits.len());
        clock.advance(1);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_right_after_a_download_is_noticed_within_seconds() {
    let (sandbox, clock) = (start_sandbox(), Set::ahead());
    let wx = automatic(&sandbox).clock(clock.clone()).build().unwrap();
    echo(&wx).await.unwrap();
    let new = sandbox.rotate(Rotation::Certificate).unwrap();
    // At once: the error says that the download is held back, and until when.
    for result in [echo(&wx).await, echo(&wx).wait()] {
        let Err(Error::Verify(e)) = result else { panic!("not a Verify error") };
        let VerifyReason::UnknownSerial { serial, refresh: Some(why), .. } = &e.reason else { panic!("{e}") };
        assert_eq!(*serial, new);
        assert!(
            why.contains("held back for ") && why.contains(" s, until ") && why.ends_with(" UTC"),
            "{why}"
        );
        assert!(e.to_string().contains(why), "{e}");
    }
    let Err(Error::PlatformKeys(e)) = wx.refresh_certificates().await else {
        panic!("not a PlatformKeys error")
    };
    assert!(e.retry_after().unwrap().as_secs() == 3 && !e.is_permanent(), "{e}");
    assert!(e.to_string().contains("held back"), "{e}");
    assert_eq!(downloads(&sandbox), 1);
    // Seconds later it is downloaded once more.
    clock.advance(3);
    echo(&wx).await.unwrap();
    assert_eq!(downloads(&sandbox), 2);
    // The next rotation within the minute has to wait.
    let next = sandbox.rotate(Rotation::Certificate).unwrap();
    clock.advance(26);
    let Err(Error::Verify(e)) = echo(&wx).await else { panic!("not a Verify error") };
    assert!(e.to_string().contains(&next) && e.to_string().contains("held back for "), "{e}");
    let Err(Error::PlatformKeys(e)) = wx.refresh_certificates().await else {
        panic!("not a PlatformKeys error")
    };
    assert_eq!(e.retry_after().unwrap().as_secs(), 34, "{e}");
    clock.advance(34);
    echo(&wx).await.unwrap();
    assert_eq!(downloads(&sandbox), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_serials_do_not_make_a_loop_of_downloads() {
    let (sandbox, clock) = (start_sandbox(), Set::ahead());
    let wx = automatic(&sandbox).clock(clock.clone()).build().unwrap();
    let forged = |serial: &str| {
        let (mut headers, body) = sandbox.notification("T.S", "transaction", &json!({"a": 1})).unwrap();
        headers.insert("Wechatpay-Serial", serial.parse().unwrap());
        (headers, body)
    };
    for number in 0..50 {
        clock.advance(1);
        let (headers, body) = forged(&format!("{number:040X}"));
        assert!(matches!(wx.notification(&headers, body.clone()).await, Err(Error::Verify(_))));
        assert!(matches!(wx.verify(&headers, &body), Err(Error::Verify(_))));
    }
    assert!(downloads(&sandbox) <= 2, "{}", downloads(&sandbox));
    // What cannot be a certificate's serial asks for none at all.
    clock.advance(70);
    let before = downloads(&sandbox);
    let long = "A".repeat(41);
    for serial in
        ["", "xyz", "7132D72A03E93CDDF8C03BBD1F37EEDF8765432G", "0x7132", "71:32", "PUB_KEY_ID_01", &long]
    {
        let (headers, body) = forged(serial);
        let Err(Error::Verify(e)) = wx.notification(&headers, body).await else {
            panic!("accepted: {serial}")
        };
        assert!(matches!(&e.reason, VerifyReason::UnknownSerial { refresh: None, .. }), "{serial}: {e}");
    }
    assert_eq!(downloads(&sandbox), before);
    echo(&wx).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_asked_for_refresh_that_did_nothing_is_an_error() {
    let (sandbox, clock) = (start_sandbox(), Set::ahead());
    let wx = automatic(&sandbox).clock(clock.clone()).build().unwrap();
    wx.refresh_certificates().await.unwrap();
    for left in [3, 2, 1] {
        for result in [wx.refresh_certificates().await, wx.refresh_certificates().wait()] {
            let Err(Error::PlatformKeys(e)) = result else { panic!("not a PlatformKeys error") };
            assert_eq!(e.retry_after().unwrap().as_secs(), left, "{e}");
            assert!(std::error::Error::source(&*e).is_none(), "the last one did not fail");
        }
        clock.advance(1);
    }
    wx.refresh_certificates().await.unwrap();
    assert_eq!(downloads(&sandbox), 2);
    // Two at once are one download, and both are told that it was made.
    clock.advance(60);
    let (first, second) = tokio::join!(wx.refresh_certificates(), wx.refresh_certificates());
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(downloads(&sandbox), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_download_tells_permanent_from_temporary() {
    let status = Arc::new(Mutex::new(("", "")));
    let shared = Arc::clone(&status);
    let server = Recorder::start(move |_| {
        let (status, body) = *shared.lock().unwrap();
        raw(status, &[("Content-Type", "application/json")], body.as_bytes())
    });
    for (line, body, permanent) in [
        ("404 Not Found", r#"{"code":"RESOURCE_NOT_EXISTS","message":"none"}"#, true),
        ("401 Unauthorized", r#"{"code":"SIGN_ERROR","message":"签名错误"}"#, true),
        ("400 Bad Request", r#"{"code":"PARAM_ERROR","message":"mchid"}"#, true),
        ("403 Forbidden", "<html>a gateway</html>", false),
        ("404 Not Found", "", false),
        ("429 Too Many Requests", r#"{"code":"RATELIMIT_EXCEEDED","message":"later"}"#, false),
        ("502 Bad Gateway", "<html>", false),
        ("302 Found", "", false),
        ("200 OK", "{}", false),
    ] {
        *status.lock().unwrap() = (line, body);
        let sandbox = start_sandbox();
        let wx = automatic(&sandbox).base_url(&server.base).build().unwrap();
        let Err(Error::PlatformKeys(e)) = echo(&wx).await else { panic!("not a PlatformKeys error") };
        assert_eq!(e.is_permanent(), permanent, "{line}: {e}");
        assert!(!wx.platform_serials().contains(&PLATFORM_SERIAL.to_owned()));
    }
}
