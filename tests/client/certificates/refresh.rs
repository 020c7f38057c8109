//! Later downloads: for an unknown serial number, and every twelve hours.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use serde_json::json;
use wechatpay_chain::sandbox::{Fault, Rotation};
use wechatpay_chain::{Error, VerifyReason};

use super::*;
use crate::support::{sandbox_builder, start_sandbox};

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_serial_downloads_newer_certificates() {
    let (sandbox, clock) = (start_sandbox(), Ahead::default());
    let wx = automatic(&sandbox).clock(clock.clone()).build().unwrap();
    echo(&wx).await.unwrap();
    let first = sandbox.platform_certificate_serial();
    let second = sandbox.rotate(Rotation::Certificate).unwrap();
    // The next call downloads again and is verified.
    clock.0.store(60, Ordering::SeqCst);
    echo(&wx).await.unwrap();
    assert_eq!((downloads(&sandbox), wx.platform_serials()), (2, vec![first.to_owned(), second.clone()]));
    assert_eq!(wx.platform_serial().as_deref(), Some(second.as_str()));
    // A notification does the same, and a download to a file.
    clock.0.store(120, Ordering::SeqCst);
    let third = sandbox.rotate(Rotation::Certificate).unwrap();
    sandbox.retire(first).unwrap();
    let (headers, body) = sandbox.notification("T.S", "transaction", &json!({"a": 1})).unwrap();
    wx.notification(&headers, body).await.unwrap();
    assert_eq!((downloads(&sandbox), wx.platform_serials()), (3, vec![second.clone(), third.clone()]));
    clock.0.store(180, Ordering::SeqCst);
    sandbox.rotate(Rotation::Certificate).unwrap();
    sandbox.on("GET", "v3/file", 200, json!({"a": 1})).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let saved = wx["v3/file"].get().save_to(folder.path().join("a.json")).await.unwrap();
    assert!(saved.verified);
    // `verify` does not wait, but starts a download.
    clock.0.store(240, Ordering::SeqCst);
    let fifth = sandbox.rotate(Rotation::Certificate).unwrap();
    let (headers, body) = sandbox.notification("T.S", "transaction", &json!({"a": 1})).unwrap();
    assert!(matches!(wx.verify(&headers, &body), Err(Error::Verify(_))));
    for _ in 0..200 {
        if wx.platform_serials().contains(&fifth) {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    wx.verify(&headers, &body).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_keys_stay_until_the_new_ones_are_verified() {
    let (sandbox, clock) = (start_sandbox(), Ahead::default());
    let wx = automatic(&sandbox).clock(clock.clone()).build().unwrap();
    echo(&wx).await.unwrap();
    let known = wx.platform_serials();
    // The next download fails: calls go on with the old certificates.
    let sandbox_clock = |ahead: u64| clock.0.store(ahead, Ordering::SeqCst);
    sandbox_clock(61);
    sandbox.inject(Fault::BadSignature);
    let Err(Error::PlatformKeys(e)) = wx.refresh_certificates().await else {
        panic!("not a PlatformKeys error")
    };
    assert!(
        !e.is_permanent() && e.retry_after().is_some() && !e.to_string().contains("nothing was sent"),
        "{e}"
    );
    assert_eq!(wx.platform_serials(), known);
    echo(&wx).await.unwrap();
    // The error about the unknown serial number says why the download failed.
    sandbox_clock(122);
    let new = sandbox.rotate(Rotation::Certificate).unwrap();
    sandbox.on("GET", "v3/certificates", 500, json!({"code": "SYSTEM_ERROR", "message": "busy"})).unwrap();
    let Err(Error::Verify(e)) = echo(&wx).await else { panic!("not a Verify error") };
    let VerifyReason::UnknownSerial { serial, refresh: Some(why), .. } = &e.reason else { panic!("{e}") };
    assert!(*serial == new && why.contains("SYSTEM_ERROR") && e.to_string().contains(why), "{e}");
    assert_eq!(wx.platform_serials(), known);
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_renewed_every_twelve_hours_in_the_background() {
    let hours = |h: i64| h * 3600;
    let (sandbox, clock) = (sandbox_builder().clock_skew(hours(12)).start().unwrap(), Ahead::default());
    // Both clocks are twelve hours ahead at the first download.
    clock.0.store(hours(12) as u64, Ordering::SeqCst);
    let wx = automatic(&sandbox).clock(clock.clone()).build().unwrap();
    echo(&wx).await.unwrap();
    assert_eq!(downloads(&sandbox), 1);
    // The client's clock runs on, the sandbox's cannot: the call itself fails. The test looks only at the requests: after
    // twelve hours, the list as well as the call.
    clock.0.store(hours(24) as u64, Ordering::SeqCst);
    let call = echo(&wx).await;
    assert!(matches!(call, Err(Error::Verify(_) | Error::Api(_))), "the two clocks differ now");
    for _ in 0..200 {
        if downloads(&sandbox) == 2 {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(downloads(&sandbox), 2);
    assert_eq!(wx.platform_serials(), [sandbox.platform_certificate_serial()]);
}
