//! Downloads: what is saved, what is checked before, and that nothing is left behind otherwise.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use wechatpay_chain::sandbox::Fault;
use wechatpay_chain::{Download, Error, Saved, VerifyReason};

use crate::support::{self, Recorder, TestServer, raw, signed, skipped, start_sandbox};

const FILE: &str = "v3/billdownload/file";
const ABC: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";

fn listing(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// A 200 whose signature covers `signed_body`, whatever the body is.
fn signed_over(signed_body: &[u8], headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let timestamp = support::now().to_string();
    let signature =
        support::platform_sign(&[timestamp.as_bytes(), b"\nNONCE\n", signed_body, b"\n"].concat());
    let mut all = vec![
        ("Wechatpay-Timestamp", timestamp.as_str()),
        ("Wechatpay-Nonce", "NONCE"),
        ("Wechatpay-Serial", support::PLATFORM_SERIAL),
        ("Wechatpay-Signature", &signature),
    ];
    all.extend(headers);
    raw("200 OK", &all, body)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Async and blocking, into a folder where a file of that name stands already: it must still stand there, alone.
fn fails(
    response: impl Fn() -> Vec<u8> + Send + Sync + 'static,
    path: &str,
    with: impl Fn(Download) -> Download,
) -> Error {
    let recorder = Recorder::start(move |_| response());
    let wx = support::client(&recorder.base);
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    std::fs::write(&target, "old").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let download = || with(wx.chain(path).get().save_to(&target));
    let error = runtime.block_on(async { download().await }).unwrap_err();
    let again = download().wait().unwrap_err();
    assert_eq!(std::mem::discriminant(&error), std::mem::discriminant(&again), "{error} {again}");
    assert_eq!(listing(folder.path()), ["target"], "{error}");
    assert_eq!(std::fs::read(&target).unwrap(), b"old");
    error
}

fn reason(error: Error) -> VerifyReason {
    let Error::Verify(error) = error else { panic!("not a Verify error: {error}") };
    error.reason
}

#[test]
fn saved_async_blocking_and_under_another_executor() {
    let recorder = Recorder::start(|r| match r.target.starts_with("/v3/billdownload") {
        true => raw("200 OK", &[("Request-ID", "ID7")], b"abc"),
        false => signed("200 OK", &[], b"abc"),
    });
    let wx = support::client(&recorder.base);
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("文件.csv");
    let check = |saved: Saved, verified: bool| {
        assert_eq!((saved.bytes, saved.sha1.as_str(), saved.verified), (3, ABC, verified));
        assert_eq!((saved.path.as_deref(), saved.status), (Some(&*target), 200));
        assert_eq!(listing(folder.path()), ["文件.csv"]);
        assert_eq!(std::fs::read(&target).unwrap(), b"abc");
        std::fs::write(&target, "an older and longer file").unwrap();
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for (path, verified) in [(FILE, false), ("v3/signed", true)] {
        let download = || wx[path].get().save_to(&target).sha1(ABC.to_uppercase());
        check(download().wait().unwrap(), verified);
        check(
            runtime
                .block_on(async {
                    tokio::spawn(async { 1 }).await.unwrap();
                    download().await
                })
                .unwrap(),
            verified,
        );
        check(runtime.block_on(async { download().wait() }).unwrap(), verified);
        // Another executor than tokio's.
        let waker = futures_util::task::noop_waker();
        let mut context = std::task::Context::from_waker(&waker);
        let mut future = Box::pin(std::future::IntoFuture::into_future(download()));
        let saved = loop {
            if let std::task::Poll::Ready(saved) = future.as_mut().poll(&mut context) {
                break saved.unwrap();
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        check(saved, verified);
    }
    // It can be spawned.
    let download = wx[FILE].get().save_to(&target);
    let saved =
        runtime.block_on(async { tokio::spawn(std::future::IntoFuture::into_future(download)).await });
    assert_eq!(saved.unwrap().unwrap().headers["request-id"], "ID7");
}

#[test]
fn phps_sink_is_a_file_and_a_response_without_a_body() {
    let recorder = Recorder::start(|_| signed("200 OK", &[], b"abc"));
    let wx = support::client(&recorder.base);
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a");
    let response = wx["v3/x"].get().options(json!({"sink": target})).wait().unwrap();
    let saved = response.saved().unwrap();
    assert_eq!((saved.path.as_deref(), saved.bytes, saved.verified), (Some(&*target), 3, true));
    assert!(response.bytes().is_empty() && response.verified());
    assert_eq!((response.status(), response.request_id()), (200, Some("08F0D0A1")));
    assert!(wx["v3/x"].get().wait().unwrap().saved().is_none());
}

#[test]
fn a_signature_is_checked_before_the_file_has_its_name() {
    let none = |d: Download| d;
    let forged = fails(|| signed_over(b"abd", &[], b"abc"), "v3/x", none);
    assert!(matches!(reason(forged), VerifyReason::BadSignature { .. }));
    let unsigned = fails(|| raw("200 OK", &[], b"abc"), "v3/x", none);
    assert!(matches!(reason(unsigned), VerifyReason::MissingHeader { .. }));
    // A digest that the caller gives is not a signature.
    let unsigned = fails(|| raw("200 OK", &[], b"abc"), "v3/x", |d| d.sha1(ABC));
    assert!(matches!(reason(unsigned), VerifyReason::MissingHeader { .. }));
    let empty = fails(|| signed_over(b"abc", &[], b""), "v3/x", none);
    assert!(matches!(reason(empty), VerifyReason::BadSignature { .. }));
}

#[test]
fn an_overseas_statement_is_verified_by_its_signed_digest() {
    let header = [("Wechatpay-Statement-Sha1", ABC)];
    let claim = format!("{{\"sha1\":\"{ABC}\"}}");
    let text = claim.clone();
    let recorder =
        Recorder::start(move |_| signed_over(text.as_bytes(), &[("Wechatpay-Statement-Sha1", ABC)], b"abc"));
    let folder = tempfile::tempdir().unwrap();
    let wx = support::client(&recorder.base);
    for path in ["v3/statements", "hk/v3/statements", "v3/global/statements"] {
        let saved = wx.chain(path).get().save_to(folder.path().join("a")).wait().unwrap();
        assert!(saved.verified && saved.bytes == 3);
    }
    let text = claim.clone();
    let other = fails(move || signed_over(text.as_bytes(), &header, b"abd"), "v3/statements", |d| d);
    assert!(matches!(reason(other), VerifyReason::BadDigest { .. }));
    let forged = fails(move || signed_over(b"{}", &header, b"abc"), "v3/statements", |d| d);
    assert!(matches!(reason(forged), VerifyReason::BadSignature { .. }));
}

#[test]
fn an_error_status_is_the_platforms_error() {
    let body = br#"{"code":"NO_STATEMENT_EXIST","message":"m"}"#;
    let Error::Api(error) = fails(|| raw("400 Bad Request", &[], body), FILE, |d| d) else { panic!() };
    assert_eq!((error.code.as_str(), error.verified), ("NO_STATEMENT_EXIST", false));
    let Error::Api(error) = fails(|| signed("404 Not Found", &[], body), FILE, |d| d) else { panic!() };
    assert!(error.verified);
    let Error::Api(error) = fails(|| raw("302 Found", &[("Location", "http://x/")], b""), FILE, |d| d) else {
        panic!()
    };
    assert_eq!(error.status, 302);
    // It is read, but only up to a limit.
    let large = || raw("500 Internal Server Error", &[], &vec![b'x'; 9 << 20]);
    assert!(matches!(fails(large, FILE, |d| d), Error::ResponseTooLarge(e) if e.limit() == 8 << 20));
}

#[test]
fn another_digest_is_refused() {
    let wrong = fails(|| raw("200 OK", &[], b"abd"), FILE, |d| d.sha1(ABC));
    let VerifyReason::BadDigest { expected, actual, .. } = reason(wrong) else { panic!() };
    assert!(expected == ABC && actual.starts_with("cb4cc28d"), "{actual}");
    for hex in ["", "abc", "zz993e364706816aba3e25717850c26c9cd0d89d"] {
        let Error::Config(error) = fails(|| raw("200 OK", &[], b"abc"), FILE, |d| d.sha1(hex)) else {
            panic!()
        };
        assert_eq!(error.field(), "sha1");
    }
}

#[test]
fn gzip_is_decompressed_on_the_way() {
    let content = "`茶,`1\n".repeat(100_000);
    let two = [gzip(content.as_bytes()), gzip(b"tail")].concat(); // two members are one file
    let packed = two.clone();
    let recorder = Recorder::start(move |_| raw("200 OK", &[], &packed));
    let wx = support::client(&recorder.base);
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a");
    let saved = wx[FILE].get().save_to(&target).gunzip(true).wait().unwrap();
    assert_eq!(std::fs::read_to_string(&target).unwrap(), format!("{content}tail"));
    assert_eq!(saved.bytes, content.len() as u64 + 4);
    let saved = wx[FILE].get().save_to(&target).wait().unwrap();
    assert_eq!(saved.bytes, two.len() as u64);

    let one = gzip(content.as_bytes());
    let mut wrong_crc = one.clone();
    let at = one.len() - 6;
    wrong_crc[at] ^= 1;
    for body in [
        b"plain text, no gzip".to_vec(),
        Vec::new(),
        one[..one.len() / 2].to_vec(),
        one[..one.len() - 1].to_vec(),
        [&one[..], b"trailing"].concat(),
        wrong_crc,
    ] {
        let length = body.len();
        let error = fails(move || raw("200 OK", &[], &body), FILE, |d| d.gunzip(true));
        assert!(matches!(error, Error::Decode(_)), "{length}: {error}");
        assert!(error.to_string().contains("gzip"), "{error}");
    }
}

#[test]
fn a_download_can_have_a_limit() {
    let chunked = || {
        let body = b"64\r\n".iter().copied().chain([b'x'; 100]).chain(*b"\r\n0\r\n\r\n").collect::<Vec<_>>();
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &body[..]].concat()
    };
    let bomb = gzip(&vec![0; 50 << 20]);
    for error in [
        fails(|| raw("200 OK", &[], &[b'x'; 100]), FILE, |d| d.max_bytes(99)),
        fails(chunked, FILE, |d| d.max_bytes(99)),
        fails(move || raw("200 OK", &[], &bomb), FILE, |d| d.gunzip(true).max_bytes(1 << 20)),
    ] {
        assert!(
            matches!(&error, Error::ResponseTooLarge(e) if [99, 1 << 20].contains(&e.limit())),
            "{error}"
        );
    }
    let recorder = Recorder::start(|_| raw("200 OK", &[], &[b'x'; 100]));
    let folder = tempfile::tempdir().unwrap();
    let wx = support::client(&recorder.base);
    assert_eq!(wx[FILE].get().save_to(folder.path().join("a")).max_bytes(100).wait().unwrap().bytes, 100);
}

#[tokio::test]
async fn a_cut_connection_leaves_nothing() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for fault in [Fault::CutBody, Fault::CutConnection] {
        sandbox.inject(fault);
        let download =
            wx[FILE].get().query(json!({"token": "trade.plain.2026-11-20"})).save_to(folder.path().join("a"));
        let Err(Error::Transport(error)) = download.await else { panic!("not a Transport error") };
        assert!(
            error.to_string().contains("the connection closed before the response was complete"),
            "{error}"
        );
        assert!(listing(folder.path()).is_empty());
    }
}

/// Sends `pieces` of 1 KB with a pause before each, then stalls or ends.
fn trickle(pieces: usize, pause: Duration, promised: usize) -> TestServer {
    TestServer::start(move |mut stream, _| {
        let _ = stream.read(&mut [0; 8192])?;
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", promised * 1024)?;
        for _ in 0..pieces {
            std::thread::sleep(pause);
            stream.write_all(&[b'x'; 1024])?;
        }
        std::thread::sleep(Duration::from_secs(10));
        Ok(())
    })
}

#[tokio::test]
async fn the_timeout_is_for_each_piece() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("a");
    let timeout = Duration::from_millis(500);
    // Longer than the timeout in total, but steady: it passes.
    let server = trickle(8, Duration::from_millis(100), 8);
    let wx = support::client(&server.base);
    let reported = Arc::new(Mutex::new(Vec::new()));
    let list = reported.clone();
    let download = wx[FILE].get().timeout(timeout).save_to(&target);
    let saved = download.progress(move |n, total| list.lock().unwrap().push((n, total))).await.unwrap();
    assert_eq!(saved.bytes, 8192);
    let reported = reported.lock().unwrap().clone();
    assert!(
        reported.len() >= 2 && reported.is_sorted() && reported.iter().all(|(_, total)| *total == Some(8192)),
        "{reported:?}"
    );
    assert_eq!(reported.last().unwrap().0, 8192);
    std::fs::remove_file(&target).unwrap();
    // One that stalls fails.
    let server = trickle(2, Duration::ZERO, 8);
    let wx = support::client(&server.base);
    let Err(Error::Transport(error)) = wx[FILE].get().timeout(timeout).save_to(&target).await else {
        panic!()
    };
    assert!(error.to_string().contains("no next piece within 500ms"), "{error}");
    let Err(Error::Transport(error)) = wx[FILE].get().timeout(timeout).save_to(&target).wait() else {
        panic!()
    };
    assert!(error.to_string().contains("no next piece within 500ms"), "{error}");
    assert!(listing(folder.path()).is_empty());
}

#[tokio::test]
async fn a_dropped_future_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = trickle(100, Duration::from_millis(20), 200);
    let wx = support::client(&server.base);
    for _ in 0..10 {
        let download = wx[FILE].get().save_to(folder.path().join("a"));
        let part_there = async {
            while listing(folder.path()).is_empty() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
            assert!(listing(folder.path())[0].ends_with(".part"));
        };
        tokio::select! {
            result = download.send() => panic!("{result:?}"),
            () = part_there => {}
        }
        assert!(listing(folder.path()).is_empty());
    }
}

#[test]
fn an_unwritable_target_is_an_error_before_the_request() {
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    let folder = tempfile::tempdir().unwrap();
    for path in
        [folder.path().to_owned(), folder.path().join("missing/a"), folder.path().join(".."), "".into()]
    {
        match wx[FILE].get().save_to(&path).wait() {
            Err(Error::Config(error)) => assert_eq!(error.field(), "save_to", "{error}"),
            Err(Error::File(error)) => {
                assert!(path.ends_with("missing/a") && !error.maybe_sent(), "{error}");
                assert!(error.to_string().contains("its directory does not exist"), "{error}");
            }
            other => panic!("{path:?}: {other:?}"),
        }
    }
    assert!(recorder.seen().is_empty() && listing(folder.path()).is_empty());
}

#[tokio::test]
async fn a_full_disk_is_an_error_that_says_so() {
    if !Path::new("/dev/full").exists() {
        skipped("no /dev/full here");
        return;
    }
    let recorder = Recorder::start(|_| raw("200 OK", &[], &[b'x'; 100_000]));
    let wx = support::client(&recorder.base);
    let full = || {
        let file = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        wx[FILE].get().save_to_writer(tokio::fs::File::from_std(file))
    };
    for result in [full().await, full().wait()] {
        let Err(Error::File(error)) = result else { panic!("not a File error") };
        let text = error.to_string();
        assert!(
            text.contains("cannot be written") && text.contains("no space is left on the disk"),
            "{text}"
        );
        let source = std::error::Error::source(&*error).unwrap();
        assert_eq!(source.downcast_ref::<std::io::Error>().unwrap().kind(), std::io::ErrorKind::StorageFull);
    }
    let saved = wx[FILE].get().save_to_writer(tokio::io::sink()).await.unwrap();
    assert_eq!((saved.path, saved.bytes), (None, 100_000));
}
