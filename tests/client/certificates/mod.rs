//! Automatic platform certificates, and platform keys that change while calls are under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wechatpay_chain::sandbox::{Fault, Rotation, Sandbox};
use wechatpay_chain::{Builder, Clock, Error, VerifyReason, WeChatPay};

use crate::support::{
    self, APIV3_KEY, MERCHANT_SERIAL, PLATFORM_SERIAL, Recorded, Recorder, key, raw, sandbox_builder, signed,
    start_sandbox,
};

/// A client without any platform key of its own.
fn automatic(sandbox: &Sandbox) -> Builder {
    WeChatPay::builder()
        .mchid(sandbox.mchid())
        .serial(sandbox.serial())
        .private_key(sandbox.merchant_key_pem())
        .apiv3_key(sandbox.apiv3_key())
        .automatic_certificates()
        .base_url(sandbox.base_url())
}

fn echo(wx: &WeChatPay) -> wechatpay_chain::Request {
    wx["v3/security/echo"].post(json!({"echo_message": "hello"}))
}

/// The targets that were asked for, in order.
fn targets(sandbox: &Sandbox) -> Vec<String> {
    sandbox.requests().into_iter().map(|request| request.target).collect()
}

fn downloads(sandbox: &Sandbox) -> usize {
    targets(sandbox).iter().filter(|target| *target == "/v3/certificates").count()
}

/// The machine's clock, some seconds ahead.
#[derive(Clone, Default)]
struct Ahead(Arc<AtomicU64>);

impl Clock for Ahead {
    fn unix_seconds(&self) -> u64 {
        support::now() + self.0.load(Ordering::SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_call_fetches_them_before_it_is_sent() {
    for blocking in [false, true] {
        let sandbox = start_sandbox();
        let wx = automatic(&sandbox).build().unwrap();
        assert!(wx.platform_serials().is_empty() && wx.platform_serial().is_none());
        let answer = if blocking { echo(&wx).wait() } else { echo(&wx).await };
        assert!(answer.unwrap().verified());
        assert_eq!(targets(&sandbox), ["/v3/certificates", "/v3/security/echo"]);
        assert_eq!(wx.platform_serials(), [sandbox.platform_certificate_serial()]);
        // Once there, they serve every kind of call, and encrypt.
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
async fn whatever_comes_first_fetches_them() {
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
    // Synchronous ones cannot, and say so.
    let (wx, _sandbox, _) = first("text");
    let Err(Error::Config(e)) = wx.encrypt("x") else { panic!("not a Config error") };
    assert_eq!(e.field(), "certificates");
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
            thread::spawn(move || echo(&wx).wait().map(|answer| answer.status()))
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
fn without_any_trust_there_is_no_client() {
    let config = |builder: Builder| match builder.build() {
        Err(Error::Config(e)) => e.field().to_owned(),
        other => panic!("not a Config error: {other:?}"),
    };
    let bare = || {
        WeChatPay::builder()
            .mchid(support::MCHID)
            .serial(MERCHANT_SERIAL)
            .private_key(key("merchant_key.pem"))
    };
    assert_eq!(config(bare()), "certs");
    assert_eq!(config(bare().automatic_certificates()), "apiv3Key");
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
    assert_eq!(e.field(), "certificates");
}

/// What a call says that could not have its certificates: nothing was sent of it.
async fn unsent(wx: &WeChatPay) -> String {
    let mut texts = Vec::new();
    for result in [echo(wx).await, echo(wx).wait()] {
        let Err(error) = result else { panic!("an answer") };
        assert_eq!((error.status(), error.code()), (None, None), "no answer to this call: {error}");
        let Error::Transport(e) = &error else { panic!("not a Transport error: {error}") };
        assert!(!e.maybe_sent(), "{error}");
        assert!(std::error::Error::source(&error).is_some());
        texts.push(error.to_string());
    }
    texts.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_fetched_is_not_called_without() {
    // The wrong APIv3 key.
    let sandbox = start_sandbox();
    let text = unsent(&automatic(&sandbox).apiv3_key(APIV3_KEY).build().unwrap()).await;
    assert!(text.contains("does not open"), "{text}");
    assert_eq!(
        targets(&sandbox),
        ["/v3/certificates"],
        "the call stays unsent, and the download is made once"
    );
    // A merchant without certificates.
    let sandbox = start_sandbox();
    sandbox.retire(sandbox.platform_certificate_serial()).unwrap();
    let text = unsent(&automatic(&sandbox).build().unwrap()).await;
    assert!(text.contains("404 RESOURCE_NOT_EXISTS") && text.contains("public key"), "{text}");
    // An answer that was tampered with, or that is a probe.
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
    // Nobody there; then somebody is, and nobody has to wait for a minute.
    let sandbox = start_sandbox();
    let wx = automatic(&sandbox).build().unwrap();
    sandbox.inject_always(Fault::CutConnection);
    unsent(&wx).await;
    sandbox.clear_faults();
    echo(&wx).await.unwrap();
}

/// The list of certificates, encrypted under `APIV3_KEY`, as the platform's documents have it.
fn list(entries: &[(&str, &str)]) -> Vec<u8> {
    let data: Vec<Value> = entries
        .iter()
        .map(|(serial, text)| {
            let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, APIV3_KEY.as_bytes()).unwrap());
            let mut sealed = text.as_bytes().to_vec();
            let nonce = Nonce::try_assume_unique_for_key(b"0123456789ab").unwrap();
            key.seal_in_place_append_tag(nonce, Aad::from("certificate"), &mut sealed).unwrap();
            json!({"serial_no": serial, "encrypt_certificate": {
                "algorithm": "AEAD_AES_256_GCM", "nonce": "0123456789ab", "associated_data": "certificate",
                "ciphertext": STANDARD.encode(sealed),
            }})
        })
        .collect();
    json!({ "data": data }).to_string().into_bytes()
}

/// The merchant of `tests/keys`, who has to fetch whatever is to be trusted.
fn without_keys(base: &str) -> WeChatPay {
    WeChatPay::builder()
        .mchid(support::MCHID)
        .serial(MERCHANT_SERIAL)
        .private_key(key("merchant_key.pem"))
        .apiv3_key(APIV3_KEY)
        .automatic_certificates()
        .base_url(base)
        .build()
        .unwrap()
}

fn answering(list: Vec<u8>) -> (Recorder, WeChatPay) {
    let server = Recorder::start(move |request: &Recorded| match request.target.as_str() {
        "/v3/certificates" => signed("200 OK", &[], &list),
        _ => signed("200 OK", &[], b"{}"),
    });
    let wx = without_keys(&server.base);
    (server, wx)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_certificates_that_could_be_the_platforms_are_taken() {
    let good = (PLATFORM_SERIAL, key("platform_cert.pem"));
    let (_server, wx) = answering(list(&[(good.0, &good.1)]));
    wx["v3/x"].get().await.unwrap();
    assert_eq!(wx.platform_serials(), [PLATFORM_SERIAL]);

    let own = key("merchant_cert.pem");
    let bare = key("platform_pub.pem");
    let path = format!("file://{}", support::key_path("platform_cert.pem"));
    let expired = expired_certificate();
    for (case, entries, expected) in [
        ("none", vec![], "no certificate that is still valid"),
        ("the merchant's own", vec![(good.0, good.1.as_str()), (MERCHANT_SERIAL, &own)], "merchant"),
        ("another serial", vec![("00112233", good.1.as_str())], "another serial"),
        ("no certificate", vec![(PLATFORM_SERIAL, &bare)], "bare public key"),
        ("a file's path", vec![(PLATFORM_SERIAL, &path)], "something else than a PEM"),
        ("no text at all", vec![(PLATFORM_SERIAL, "")], "something else than a PEM"),
        ("expired", vec![("0BADCAFE", expired.as_str())], "no certificate that is still valid"),
        ("a serial with a line break", vec![("A\nB", good.1.as_str())], "letters"),
    ] {
        let (server, wx) = answering(list(&entries));
        let text = unsent(&wx).await;
        assert!(text.contains(expected) && !text.contains('\n'), "{case}: {text}");
        assert!(wx.platform_serials().is_empty(), "{case}");
        assert!(server.seen().iter().all(|request| request.target == "/v3/certificates"), "{case}");
    }
    for body in [&b"{}"[..], b"[]", b"", b"{\"data\":[{}]}", b"{\"data\":{\"serial_no\":\"A\"}}"] {
        let (_server, wx) = answering(body.to_vec());
        assert!(unsent(&wx).await.contains("no list of certificates"));
    }
}

/// A certificate of 2001, by another library than the client's.
fn expired_certificate() -> String {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.not_before = rcgen::date_time_ymd(2000, 1, 1);
    params.not_after = rcgen::date_time_ymd(2001, 1, 1);
    params.serial_number = Some(rcgen::SerialNumber::from_slice(&[0x0b, 0xad, 0xca, 0xfe]));
    let signer = rcgen::KeyPair::from_pem(&key("platform_key.pem")).unwrap();
    params.self_signed(&signer).unwrap().pem()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_signed_by_somebody_else_is_not_taken() {
    // Rightly encrypted, but signed with a key that it did not bring.
    let body = list(&[(PLATFORM_SERIAL, &key("platform_cert.pem"))]);
    let server = Recorder::start(move |_| {
        let headers = [
            ("Wechatpay-Timestamp", support::now().to_string()),
            ("Wechatpay-Nonce", "N".to_owned()),
            ("Wechatpay-Serial", PLATFORM_SERIAL.to_owned()),
            ("Wechatpay-Signature", STANDARD.encode([7; 256])),
        ];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        raw("200 OK", &headers, &body)
    });
    let wx = support::builder(&server.base).automatic_certificates();
    let wx = wx.platform_key("PUB_KEY_ID_1", key("merchant_pub.pem")).build();
    assert!(wx.is_err(), "the merchant's own key is refused as ever");
    let wx = without_keys(&server.base);
    assert!(unsent(&wx).await.contains("does not hold"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_serial_fetches_them_once_a_minute() {
    let (sandbox, clock) = (start_sandbox(), Ahead::default());
    let wx = automatic(&sandbox).clock(clock.clone()).build().unwrap();
    echo(&wx).await.unwrap();
    let first = sandbox.platform_certificate_serial();
    let second = sandbox.rotate(Rotation::Certificate).unwrap();
    // Within the minute after the first download, the answer stays unproved.
    for result in [echo(&wx).await, echo(&wx).wait()] {
        let Err(Error::Verify(e)) = result else { panic!("not a Verify error") };
        let VerifyReason::UnknownSerial { serial, known, refresh: None } = e.reason else { panic!("{e}") };
        assert_eq!((serial.as_str(), known.as_str()), (second.as_str(), first));
    }
    assert_eq!(downloads(&sandbox), 1);
    // After it, the next one has them fetched, and holds.
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
    // `verify` waits for nothing, but has them fetched.
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
async fn the_old_set_stays_until_a_new_one_verified() {
    let (sandbox, clock) = (start_sandbox(), Ahead::default());
    let wx = automatic(&sandbox).clock(clock.clone()).build().unwrap();
    echo(&wx).await.unwrap();
    let known = wx.platform_serials();
    // Twelve hours on (and the sandbox with it), the download is spoilt: calls go on under the old set.
    let sandbox_clock = |ahead: u64| clock.0.store(ahead, Ordering::SeqCst);
    sandbox_clock(61);
    sandbox.inject(Fault::BadSignature);
    let Err(Error::Transport(e)) = wx.refresh_certificates().await else { panic!("not a Transport error") };
    assert!(!e.maybe_sent());
    assert_eq!(wx.platform_serials(), known);
    echo(&wx).await.unwrap();
    // The unknown serial's error says why newer ones could not be had.
    sandbox_clock(122);
    let new = sandbox.rotate(Rotation::Certificate).unwrap();
    sandbox.on("GET", "v3/certificates", 500, json!({"code": "SYSTEM_ERROR", "message": "busy"})).unwrap();
    let Err(Error::Verify(e)) = echo(&wx).await else { panic!("not a Verify error") };
    let VerifyReason::UnknownSerial { serial, refresh: Some(why), .. } = &e.reason else { panic!("{e}") };
    assert!(*serial == new && why.contains("SYSTEM_ERROR") && e.to_string().contains(why), "{e}");
    assert_eq!(wx.platform_serials(), known);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_twelve_hours_they_are_renewed_in_the_background() {
    let hours = |h: i64| h * 3600;
    let (sandbox, clock) = (sandbox_builder().clock_skew(hours(12)).start().unwrap(), Ahead::default());
    // Begun twelve hours ago: the first download is that of the hour before.
    clock.0.store(hours(12) as u64, Ordering::SeqCst);
    let wx = automatic(&sandbox).clock(clock.clone()).build().unwrap();
    echo(&wx).await.unwrap();
    assert_eq!(downloads(&sandbox), 1);
    // The client's clock runs on; the sandbox's cannot, so another sandbox with the same keys would refuse. What the
    // client asks for is what counts: after twelve hours, the list, besides the call.
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

/// Calls without end, async and blocking, until told to stop; how many were answered.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    tasks: Vec<tokio::task::JoinHandle<Result<(), Error>>>,
    threads: Vec<thread::JoinHandle<Result<(), Error>>>,
}

impl Load {
    fn start(wx: &WeChatPay) -> Load {
        let (stop, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let one = || (wx.clone(), Arc::clone(&stop), Arc::clone(&answered));
        let tasks = (0..6).map(|_| {
            let (wx, stop, answered) = one();
            tokio::spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    echo(&wx).await?;
                    answered.fetch_add(1, Ordering::SeqCst);
                }
                Ok(())
            })
        });
        let tasks = tasks.collect();
        let threads = (0..2).map(|_| {
            let (wx, stop, answered) = one();
            thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    echo(&wx).wait()?;
                    answered.fetch_add(1, Ordering::SeqCst);
                }
                Ok(())
            })
        });
        let threads = threads.collect();
        Load { stop, answered, tasks, threads }
    }

    /// Lets it run until a hundred more calls were answered.
    async fn go_on(&self) {
        let until = self.answered.load(Ordering::SeqCst) + 100;
        while self.answered.load(Ordering::SeqCst) < until {
            assert!(!self.tasks.iter().any(|task| task.is_finished()), "a call was lost");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// No call was lost.
    async fn end(self) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        for task in self.tasks {
            task.await.unwrap().unwrap();
        }
        for thread in self.threads {
            thread.join().unwrap().unwrap();
        }
        self.answered.load(Ordering::SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_is_lost_from_certificate_to_certificate() {
    let (sandbox, clock) = (start_sandbox(), Ahead::default());
    let wx = automatic(&sandbox).clock(clock.clone()).build().unwrap();
    let load = Load::start(&wx);
    load.go_on().await;
    clock.0.store(61, Ordering::SeqCst);
    // At once, without a time in which both were known: the worst that the platform can do.
    let new = sandbox.rotate(Rotation::Certificate).unwrap();
    load.go_on().await;
    sandbox.retire(sandbox.platform_certificate_serial()).unwrap();
    load.go_on().await;
    let answered = load.end().await;
    assert_eq!(downloads(&sandbox), 2, "one for all who met the new serial");
    assert!(answered >= 300 && wx.platform_serials().contains(&new));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_is_lost_from_public_key_to_public_key() {
    let sandbox = start_sandbox();
    let first = sandbox.platform_public_key_id();
    let wx = sandbox.client().unwrap();
    let load = Load::start(&wx);
    load.go_on().await;
    // The platform makes a key, the operator adds it to the running process, the platform retires the old one.
    let (second, pem) = sandbox.add_public_key().unwrap();
    load.go_on().await;
    wx.add_platform_key(&second, &pem).unwrap();
    assert_eq!(wx.platform_serial().as_deref(), Some(second.as_str()));
    load.go_on().await;
    sandbox.retire(first).unwrap();
    wx.remove_platform_key(first).unwrap();
    load.go_on().await;
    load.end().await;
    let last = sandbox.requests().pop().unwrap();
    assert_eq!(last.headers["wechatpay-serial"], second.as_str());
    assert!(!wx.platform_serials().contains(&first.to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_is_lost_from_certificate_to_public_key() {
    let (sandbox, clock) = (start_sandbox(), Ahead::default());
    let wx = automatic(&sandbox).clock(clock.clone()).build().unwrap();
    let load = Load::start(&wx);
    load.go_on().await;
    let (id, pem) = sandbox.add_public_key().unwrap();
    wx.add_platform_key(&id, &pem).unwrap();
    load.go_on().await;
    sandbox.sign_with(&id).unwrap();
    load.go_on().await;
    sandbox.retire(sandbox.platform_certificate_serial()).unwrap();
    load.go_on().await;
    load.end().await;
    // Renewing finds no certificates any more; the public key is enough.
    clock.0.store(61, Ordering::SeqCst);
    assert!(wx.refresh_certificates().await.unwrap_err().to_string().contains("RESOURCE_NOT_EXISTS"));
    echo(&wx).await.unwrap();
    assert_eq!(wx.platform_serial().as_deref(), Some(id.as_str()));
}

#[test]
fn keys_that_are_added_and_taken_away_are_checked() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let before = wx.platform_serials();
    let field = |result: Result<(), Error>| match result {
        Err(Error::Config(e)) => e.field().to_owned(),
        other => panic!("not a Config error: {other:?}"),
    };
    assert_eq!(
        field(wx.add_platform_key(sandbox.serial(), sandbox.platform_public_key_pem())),
        format!("certs[\"{}\"]", sandbox.serial())
    );
    assert_eq!(
        field(wx.add_platform_key("PUB_KEY_ID_9", sandbox.merchant_certificate_pem())),
        "certs[\"PUB_KEY_ID_9\"]"
    );
    assert!(matches!(wx.add_platform_key("PUB_KEY_ID_9", "no key"), Err(Error::Key(_))));
    assert_eq!(
        field(wx.add_platform_key("A\r\nB", sandbox.platform_public_key_pem())),
        "certs[\"A\\r\\nB\"]"
    );
    assert_eq!(field(wx.remove_platform_key("PUB_KEY_ID_9")), "certs[\"PUB_KEY_ID_9\"]");
    assert_eq!(wx.platform_serials(), before);
    // The same serial again takes the old one's place, and counts as the last added.
    wx.add_platform_key(sandbox.platform_certificate_serial(), sandbox.platform_certificate_pem()).unwrap();
    assert_eq!(wx.platform_serials().len(), 2);
    wx.remove_platform_key(sandbox.platform_certificate_serial()).unwrap();
    let clone = wx.clone();
    assert_eq!(clone.platform_serials(), [sandbox.platform_public_key_id()]);
    assert!(
        matches!(clone.remove_platform_key(sandbox.platform_public_key_id()), Err(Error::Config(_))),
        "the last one"
    );
    echo(&wx).wait().unwrap();
}

#[tokio::test]
async fn they_can_be_downloaded_as_pem() {
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
    assert!(matches!(&error, Error::Config(e) if e.field() == "apiv3Key"), "{error}");
}
