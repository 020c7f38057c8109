//! The rows of docs/security.md that no other module tests, and a test that each row names its tests.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use serde_json::json;
use wechatpay_chain::{Clock, Error, Response, VerifyReason, WeChatPay};

use crate::support::{self, Recorder, TestServer, platform_sign, raw, signed, start_sandbox};

fn reason<T: std::fmt::Debug>(result: Result<T, Error>) -> VerifyReason {
    match result {
        Err(Error::Verify(e)) => e.reason,
        other => panic!("not a Verify error: {other:?}"),
    }
}

/// A genuine message of the platform, as in a notification or a response.
fn genuine(timestamp: u64, nonce: &str, body: &str) -> HeaderMap {
    let signature = platform_sign(format!("{timestamp}\n{nonce}\n{body}\n").as_bytes());
    let mut headers = HeaderMap::new();
    headers.insert("Wechatpay-Timestamp", timestamp.into());
    headers.insert("Wechatpay-Nonce", nonce.parse().unwrap());
    headers.insert("Wechatpay-Serial", support::PLATFORM_SERIAL.parse().unwrap());
    headers.insert("Wechatpay-Signature", signature.parse().unwrap());
    headers
}

#[test]
fn a_truncated_signature_is_refused() {
    let wx = support::client("https://example.com/");
    let headers = genuine(support::now(), "N", "{}");
    assert!(wx.verify(&headers, b"{}").is_ok());
    let whole = headers["Wechatpay-Signature"].to_str().unwrap().to_owned();
    let bytes = STANDARD.decode(&whole).unwrap();
    let cut_base64 = (0..whole.len()).map(|length| whole[..length].to_owned());
    let cut_bytes = (0..bytes.len()).map(|length| STANDARD.encode(&bytes[..length]));
    let longer = [STANDARD.encode([&bytes[..], &[0]].concat()), format!("{whole}AAAA"), whole.repeat(9)];
    for signature in cut_base64.chain(cut_bytes).chain(longer) {
        let mut headers = headers.clone();
        headers.insert("Wechatpay-Signature", signature.parse().unwrap());
        let bad = VerifyReason::BadSignature { serial: support::PLATFORM_SERIAL.to_owned() };
        assert_eq!(reason(wx.verify(&headers, b"{}")), bad, "{signature}");
    }
}

#[test]
fn a_body_with_the_signature_of_another_response_is_refused() {
    let wx = support::client("https://example.com/");
    let (paid, closed) = (r#"{"trade_state":"SUCCESS"}"#, r#"{"trade_state":"CLOSED"}"#);
    let (of_paid, of_closed) = (genuine(support::now(), "N1", paid), genuine(support::now(), "N2", closed));
    assert!(wx.verify(&of_paid, paid.as_bytes()).is_ok() && wx.verify(&of_closed, closed.as_bytes()).is_ok());
    assert!(matches!(reason(wx.verify(&of_closed, paid.as_bytes())), VerifyReason::BadSignature { .. }));
    // Nor does it verify with the lines split elsewhere.
    let mut shifted = of_paid.clone();
    shifted.insert("Wechatpay-Nonce", "N".parse().unwrap());
    let body = format!("1\n{paid}");
    assert!(matches!(reason(wx.verify(&shifted, body.as_bytes())), VerifyReason::BadSignature { .. }));
}

struct At(u64);

impl Clock for At {
    fn unix_seconds(&self) -> u64 {
        self.0
    }
}

#[test]
fn an_old_message_sent_again_is_refused() {
    let now = support::now();
    let headers = genuine(now, "N", "{}");
    let at = |now| support::builder("https://example.com/").clock(At(now)).build().unwrap();
    for inside in [now - 300, now, now + 300] {
        assert!(at(inside).verify(&headers, b"{}").is_ok());
    }
    for outside in [now - 301, now + 301, now + 86_400] {
        let skew = VerifyReason::ClockSkew { timestamp: now, now: outside };
        assert_eq!(reason(at(outside).verify(&headers, b"{}")), skew);
    }
    // A fresh timestamp on the old signature.
    let mut forged = headers.clone();
    forged.insert("Wechatpay-Timestamp", (now + 400).into());
    assert!(matches!(reason(at(now + 400).verify(&forged, b"{}")), VerifyReason::BadSignature { .. }));
}

/// The merchant's key cannot sign for the platform.
#[test]
fn the_merchants_key_is_refused_as_a_platform_key() {
    let sandbox = start_sandbox();
    for (serial, key) in [
        ("PUB_KEY_ID_1", sandbox.merchant_certificate_pem()),
        (sandbox.serial(), sandbox.merchant_certificate_pem()),
        (sandbox.serial(), sandbox.platform_public_key_pem()),
    ] {
        let Err(Error::Config(e)) = sandbox.client_builder().platform_key(serial, key).build() else {
            panic!("not a Config error: {serial}")
        };
        assert!(e.to_string().contains("the merchant's own"), "{e}");
    }
    let mut headers = genuine(support::now(), "N", "{}");
    headers.insert("Wechatpay-Serial", support::MERCHANT_SERIAL.parse().unwrap());
    let wx = support::client("https://example.com/");
    assert!(matches!(reason(wx.verify(&headers, b"{}")), VerifyReason::UnknownSerial { .. }));
}

#[test]
fn a_signature_header_that_comes_twice_is_refused() {
    for header in ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Serial", "Wechatpay-Signature"] {
        // Even with the same value, and in another letter case.
        let recorder = Recorder::start(move |_| {
            let response = String::from_utf8(signed("200 OK", &[], b"{}")).unwrap();
            let line = response.lines().find(|line| line.starts_with(header)).unwrap().to_owned();
            let again = line.replacen(header, &header.to_lowercase(), 1);
            response.replacen(&line, &format!("{line}\r\n{again}"), 1).into_bytes()
        });
        let wx = support::client(&recorder.base);
        assert_eq!(reason(wx["v3/x"].get_sync()), VerifyReason::DuplicateHeader { header });
        let folder = tempfile::tempdir().unwrap();
        let saved = wx["v3/x"].get().save_to(folder.path().join("a")).wait();
        assert_eq!(reason(saved), VerifyReason::DuplicateHeader { header });
        assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none());
    }
}

#[test]
fn no_value_starts_another_header_or_line() {
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    for text in ["a\r\nX-Injected: 1", "a\nb", "a\rb", "a\0b"] {
        for request in [wx["v3/x"].get().header("X-Given", text), wx["v3/x"].get().header(text, "v")] {
            let Err(Error::Config(e)) = request.wait() else { panic!("not a Config error: {text:?}") };
            assert!(!e.to_string().contains(['\r', '\n', '\0']), "{e:?}");
        }
        let options = json!({"headers": {"X-Given": text}});
        assert!(matches!(wx["v3/x"].get().options(options).wait(), Err(Error::Config(_))), "{text:?}");
        let builder = || support::builder(&recorder.base);
        for refused in [builder().mchid(text).build(), builder().serial(text).build()] {
            assert!(matches!(refused, Err(Error::Config(_))), "{text:?}");
        }
    }
    assert!(recorder.seen().is_empty());
    // In a path and a query they are only characters.
    let request = wx["v3/{a}"].get().var("a", "x\r\nX-Injected: 1").query(json!({"q": "y\r\nX-Injected: 1"}));
    request.wait().unwrap();
    let seen = recorder.take();
    assert_eq!(seen.target, "/v3/x%0D%0AX-Injected%3A%201?q=y%0D%0AX-Injected%3A%201");
    assert!(seen.header("x-injected").is_none());
}

/// Sends `head`, then `piece` again and again, with a pause before each; counts the bytes that were taken.
fn endless(
    head: &'static str,
    piece: Vec<u8>,
    pause: Duration,
) -> (TestServer, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let taken = std::sync::Arc::<std::sync::atomic::AtomicUsize>::default();
    let counter = taken.clone();
    let server = TestServer::start(move |mut stream, _| {
        stream.set_nodelay(true)?;
        let _ = stream.read(&mut [0; 8192])?;
        stream.write_all(head.as_bytes())?;
        // Longer than any test waits.
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            stream.write_all(&piece)?;
            counter.fetch_add(piece.len(), std::sync::atomic::Ordering::Relaxed);
            std::thread::sleep(pause);
        }
        Ok(())
    });
    (server, taken)
}

const HUNDRED_MB: &str = "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n";
const CLOSED_BY_THE_END: &str = "HTTP/1.1 200 OK\r\n\r\n";
const SLOW: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n";
const AN_ERROR: &str = "HTTP/1.1 500 X\r\n\r\n";

#[test]
fn a_huge_response_is_not_read_to_its_end() {
    for head in [HUNDRED_MB, CLOSED_BY_THE_END, AN_ERROR] {
        let (server, taken) = endless(head, vec![b'x'; 1 << 16], Duration::ZERO);
        let Err(Error::ResponseTooLarge(e)) = support::client(&server.base)["v3/x"].get_sync() else {
            panic!("not refused for its size: {head}")
        };
        let (text, status) = (e.to_string(), if head == AN_ERROR { 500 } else { 200 });
        assert!(e.limit() == 8 << 20 && text.contains("larger than 8388608 bytes"), "{e}");
        assert!(e.status() == status && text.contains("status 500") == (status == 500), "{e}");
        // The sockets' buffers come on top.
        let taken = taken.load(std::sync::atomic::Ordering::Relaxed);
        assert!(taken < 32 << 20, "{taken}");
    }
}

fn ends_in_time(head: &'static str, call: impl Fn(&WeChatPay) -> Result<(), Error>) {
    let (server, _) = endless(head, b"x".to_vec(), Duration::from_millis(50));
    let wx = support::builder(&server.base).timeout(Duration::from_millis(400)).build().unwrap();
    let start = Instant::now();
    let Err(Error::Transport(e)) = call(&wx) else { panic!("not a Transport error: {head:?}") };
    assert!(e.maybe_sent() && e.to_string().contains("400ms"), "{e}");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

/// A byte every 50 ms without end. A file's body is the exception: its timeout applies to each piece.
#[test]
fn a_slow_drip_ends_with_the_timeout() {
    let endless_head = "HTTP/1.1 200 OK\r\nX-Endless: ";
    let unit = |_: Response| ();
    for head in [SLOW, CLOSED_BY_THE_END, AN_ERROR, endless_head] {
        ends_in_time(head, |wx| wx["v3/x"].get_sync().map(unit));
    }
    let folder = tempfile::tempdir().unwrap();
    for head in [AN_ERROR, endless_head] {
        ends_in_time(head, |wx| {
            wx["v3/billdownload/file"].get().save_to(folder.path().join("a")).wait().map(drop)
        });
    }
    // A file is bounded by its size.
    let (server, _) = endless(CLOSED_BY_THE_END, b"x".to_vec(), Duration::from_millis(20));
    let wx = support::client(&server.base);
    let download = wx["v3/billdownload/file"].get().save_to(folder.path().join("a")).max_bytes(20);
    assert!(matches!(download.wait(), Err(Error::ResponseTooLarge(e)) if e.limit() == 20));
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none());
}

#[test]
fn a_control_character_of_an_error_body_stays_in_its_line() {
    let body =
        json!({"code": "A\r\nB", "message": "a\u{1b}[31m\u{7f}\u{9b}b", "detail": {"k": "\n"}}).to_string();
    let recorder = Recorder::start(move |_| raw("400 X", &[("Request-ID", "R")], body.as_bytes()));
    let error = support::client(&recorder.base)["v3/x"].get_sync().unwrap_err();
    assert_eq!(error.code(), Some("A\r\nB"), "as it came, for the program");
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.chars().any(char::is_control), "{text:?}");
    }
}

/// The crate `rsa` reads keys and verifies. Private keys run on AWS-LC, in constant time (RUSTSEC-2023-0071).
#[test]
fn private_keys_never_meet_the_crate_rsa() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = 0;
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let text = std::fs::read_to_string(entry.path()).unwrap();
            // This crate's own module of that name, and a form that is read: `pkcs1::RsaPrivateKeyRef`.
            let text = ["crypto::rsa::", "super::rsa::", "pkcs1::RsaPrivateKey"]
                .iter()
                .fold(text, |text, allowed| text.replace(allowed, ""));
            let imports = text.split("use rsa::").skip(1).map(|rest| rest.split(';').next().unwrap());
            let words = imports.flat_map(|import| import.split(|c: char| !c.is_alphanumeric()));
            assert!(!words.into_iter().any(|word| word == "PrivateKey"), "{}", entry.path().display());
            for word in [
                "rsa::PrivateKey",
                "RsaPrivateKey",
                "DecodePrivateKey",
                "DecodeRsaPrivateKey",
                "PrivateKeyParts",
            ] {
                assert!(!text.contains(word), "{word} in {}", entry.path().display());
            }
            files += 1;
        }
    }
    assert!(files > 50, "{files}");
    let forbidden = std::fs::read_to_string(root.join("clippy.toml")).unwrap();
    for call in ["new", "sign", "decrypt"] {
        assert!(forbidden.contains(&format!("rsa::PrivateKey::{call}")), "{call}");
    }
}

/// Each row of the table names its tests as `file::name`: they exist, and both languages name the same.
#[test]
fn every_row_of_the_table_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rows = |page: &str| -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        let rows = text.lines().filter(|line| line.starts_with("| ")).skip(1);
        let last =
            rows.map(|line| line.trim_end_matches(['|', ' ']).rsplit(" | ").next().unwrap().to_owned());
        last.map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()).collect()
    };
    let table = rows("docs/security.md");
    assert!(table.len() >= 18, "{}", table.len());
    assert_eq!(table, rows("docs/security.zh-CN.md"));
    for row in &table {
        assert!(!row.is_empty());
        for test in row {
            let (file, name) = test.split_once("::").unwrap_or_else(|| panic!("{test}"));
            let text = std::fs::read_to_string(root.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
            let at = text.find(&format!("fn {name}(")).unwrap_or_else(|| panic!("{test}"));
            let before: Vec<&str> = text[..at].lines().rev().take(4).collect();
            assert!(before.iter().any(|line| line.contains("test")), "{test} is not a test");
        }
    }
}
