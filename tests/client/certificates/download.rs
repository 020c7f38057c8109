//! The first download, what starts it, and what happens when it fails.

use std::thread;

use serde_json::{Value, json};
use wechatpay_chain::sandbox::Fault;
use wechatpay_chain::{Error, VerifyReason, WeChatPay, WeChatPayBuilder};

use super::*;
use crate::support::{self, APIV3_KEY, MERCHANT_SERIAL, key, start_sandbox};

#[tokio::test(flavor = "multi_thread")]
async fn the_first_call_downloads_the_certificates_first() {
    for blocking in [false, true] {
        let sandbox = start_sandbox();
        let wx = automatic(&sandbox).build().unwrap();
        assert!(wx.platform_serials().is_empty() && wx.platform_serial().is_none());
        let response = if blocking { echo(&wx).wait() } else { echo(&wx).await };
        assert!(response.unwrap().verified());
        assert_eq!(targets(&sandbox), ["/v3/certificates", "/v3/security/echo"]);
        assert_eq!(wx.platform_serials(), [sandbox.platform_certificate_serial()]);
        // After the download they serve every kind of call, and encryption.
        let (headers, body) = sandbox.notification("T.S", "transaction", &json!({"a": 1})).unwrap();
        assert_eq!(wx.notification(&headers, body).wait().unwrap().resource["a"], 1);
        sandbox.sign_with(sandbox.platform_public_key_id()).unwrap();
        let (headers, body) = sandbox.notification("T.S", "transaction", &json!({"a": 1})).unwrap();
        assert!(
            matches!(wx.notification(&headers, body).wait(), Err(Error::Verify(_))),
            "signed by a public key"
        );
        sandbox.sign_with(sandbox.platform_certificate_serial()).unwrap();
        let (headers, body) = sandbox.notification("T.S", "transaction", &json!({"a": 1})).unwrap();
        assert_eq!(wx.notification(&headers, body).wait().unwrap().resource["a"], 1);
        let request = wx["v3/x"].post(json!({"name": "张三"})).encrypt(&["/name"]).prepare().unwrap();
        assert_eq!(request.headers()["wechatpay-serial"], sandbox.platform_certificate_serial());
        let sent: Value = serde_json::from_slice(request.body()).unwrap();
        let opened = sandbox.decrypt(sandbox.platform_certificate_serial(), sent["name"].as_str().unwrap());
        assert_eq!(opened.as_deref(), Some("张三"));
        assert_eq!(downloads(&sandbox), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_first_operation_downloads_the_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let first = |what: &'static str| {
        let sandbox = start_sandbox();
        sandbox.sign_with(sandbox.platform_certificate_serial()).unwrap();
        (automatic(&sandbox).build().unwrap(), sandbox, folder.path().join(what))
    };
    let (wx, sandbox, _) = first("encrypt");
    sandbox.on("POST", "v3/x", 204, Value::Null).unwrap();
    wx["v3/x"].post(json!({"name": "张三"})).encrypt(&["/name"]).await.unwrap();
    let (wx, sandbox, _) = first("notification");
    let (headers, body) = sandbox.notification("T.S", "transaction", &json!({"a": 1})).unwrap();
    wx.notification(&headers, body).await.unwrap();
    let (wx, _sandbox, path) = first("download");
    assert!(wx["v3/certificates"].get().save_to(path).await.unwrap().verified);
    // Synchronous functions cannot download, and their error says so.
    let (wx, _sandbox, _) = first("text");
    let Err(Error::Config(e)) = wx.encrypt("x") else { panic!("not a Config error") };
    assert_eq!(e.field(), "automatic_certificates");
    wx.refresh_certificates().await.unwrap();
    wx.encrypt("x").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_first_calls_share_one_download() {
    let sandbox = start_sandbox();
    let wx = automatic(&sandbox).build().unwrap();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let wx = wx.clone();
            thread::spawn(move || echo(&wx).wait().map(|response| response.status()))
        })
        .collect();
    let calls = (0..24).map(|_| {
        let request = echo(&wx);
        tokio::spawn(request.send())
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    for thread in threads {
        assert_eq!(thread.join().unwrap().unwrap(), 200);
    }
    assert_eq!((downloads(&sandbox), sandbox.requests().len()), (1, 33));
}

#[test]
fn a_client_needs_a_platform_key_or_automatic_certificates() {
    let config = |builder: WeChatPayBuilder| match builder.build() {
        Err(Error::Config(e)) => e.field().to_owned(),
        other => panic!("not a Config error: {other:?}"),
    };
    let bare = || {
        WeChatPay::builder()
            .mchid(support::MCHID)
            .serial(MERCHANT_SERIAL)
            .private_key(key("merchant_key.pem"))
    };
    assert_eq!(config(bare()), "platform_key");
    assert_eq!(config(bare().automatic_certificates()), "apiv3_key");
    let factory = |extra: Value| {
        let mut array = json!({"mchid": support::MCHID, "serial": MERCHANT_SERIAL, "privateKey": key("merchant_key.pem"), "certs": []});
        array.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        array["certs"] = json!({});
        WeChatPay::factory(array).map(|_| ()).map_err(|e| match e {
            Error::Config(e) => e.field().to_owned(),
            other => panic!("{other}"),
        })
    };
    assert_eq!(factory(json!({"automaticCertificates": true, "apiv3Key": APIV3_KEY})), Ok(()));
    assert_eq!(factory(json!({"automaticCertificates": false, "apiv3Key": APIV3_KEY})), Err("certs".into()));
    assert_eq!(factory(json!({"automaticCertificates": "yes"})), Err("automaticCertificates".into()));
    let manual = support::builder("http://127.0.0.1:9/").build().unwrap();
    let Err(Error::Config(e)) = manual.refresh_certificates().wait() else { panic!("not a Config error") };
    assert_eq!(e.field(), "automatic_certificates");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_certificates_a_call_is_not_sent() {
    // The second call comes within a second of the first.
    let automatic = |sandbox: &Sandbox| automatic(sandbox).clock(Set::ahead());
    // The wrong APIv3 key.
    let sandbox = start_sandbox();
    let wx = automatic(&sandbox).apiv3_key(APIV3_KEY).build().unwrap();
    let text = unsent(&wx).await;
    // A notification does not speak of sending: at first, and while the next download is held back.
    for wx in [&automatic(&sandbox).apiv3_key(APIV3_KEY).build().unwrap(), &wx] {
        let (headers, body) = sandbox.notification("T.S", "transaction", &json!({"a": 1})).unwrap();
        let error = wx.notification(&headers, body).await.unwrap_err();
        assert!(matches!(&error, Error::PlatformKeys(e) if e.is_permanent()), "{error}");
        let text = error.to_string();
        assert!(text.contains("the notification could not be verified") && !text.contains("sent"), "{text}");
    }
    assert!(
        text.contains("cannot be decrypted") && text.contains("the APIv3 key does not decrypt them"),
        "{text}"
    );
    assert_eq!(
        targets(&sandbox),
        ["/v3/certificates", "/v3/certificates"],
        "the call stays unsent, and each client downloads once"
    );
    // A merchant without certificates.
    let sandbox = start_sandbox();
    sandbox.retire(sandbox.platform_certificate_serial()).unwrap();
    let text = unsent(&automatic(&sandbox).build().unwrap()).await;
    assert!(text.contains("404 RESOURCE_NOT_EXISTS") && text.contains("public key"), "{text}");
    // A response that was tampered with, or a signature probe.
    for fault in [
        Fault::BadSignature,
        Fault::WrongBody,
        Fault::SignatureProbe,
        Fault::UnknownSerial,
        Fault::OldTimestamp,
    ] {
        let sandbox = start_sandbox();
        sandbox.inject_always(fault);
        let wx = automatic(&sandbox).build().unwrap();
        unsent(&wx).await;
        assert!(wx.platform_serials().is_empty());
        assert_eq!(targets(&sandbox), ["/v3/certificates"]);
    }
}

#[tokio::test]
async fn certificates_can_be_downloaded_as_pem() {
    let sandbox = start_sandbox();
    let added = sandbox.add_certificate().unwrap();
    let wx = sandbox.client_builder().build().unwrap();
    let before = wx.platform_serials();
    for blocking in [false, true] {
        let list = match blocking {
            true => wx.platform_certificates().wait(),
            false => wx.platform_certificates().await,
        };
        let list = list.unwrap();
        let serials: Vec<_> = list.iter().map(|certificate| certificate.serial.as_str()).collect();
        assert_eq!(serials, [sandbox.platform_certificate_serial(), &added]);
        assert_eq!(list[0].pem, sandbox.platform_certificate_pem());
        assert!(list.iter().all(|c| (c.not_before..c.not_after).contains(&support::now())));
        assert_eq!(wx.platform_serials(), before, "the client's own keys stay as they are");
    }
    assert_eq!(downloads(&sandbox), 2, "each time anew");

    sandbox.inject(Fault::WrongBody);
    let error = wx.platform_certificates().await.unwrap_err();
    assert!(
        matches!(&error, Error::Verify(e) if matches!(e.reason, VerifyReason::BadSignature { .. })),
        "{error}"
    );
    let other = sandbox.client_builder().apiv3_key(APIV3_KEY).build().unwrap();
    assert!(matches!(other.platform_certificates().await, Err(Error::Decrypt(_))));
    let none = json!({"code": "RESOURCE_NOT_EXISTS", "message": "none"});
    sandbox.on("GET", "v3/certificates", 404, none).unwrap();
    assert_eq!(wx.platform_certificates().await.unwrap_err().code(), Some("RESOURCE_NOT_EXISTS"));
    sandbox.on("GET", "v3/certificates", 200, json!({"data": [{"serial_no": "x"}]})).unwrap();
    assert!(matches!(wx.platform_certificates().await, Err(Error::Decode(_))));
    let without = WeChatPay::builder()
        .mchid(sandbox.mchid())
        .serial(sandbox.serial())
        .private_key(sandbox.merchant_key_pem())
        .platform_key(sandbox.platform_public_key_id(), sandbox.platform_public_key_pem())
        .base_url(sandbox.base_url());
    let error = without.build().unwrap().platform_certificates().await.unwrap_err();
    assert!(matches!(&error, Error::Config(e) if e.field() == "apiv3_key"), "{error}");
}
