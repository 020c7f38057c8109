//! Responses that break HTTP or use it oddly, from a raw TCP server: each ends in time, in small memory, and never in
//! content that the platform did not sign.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wechatpay_chain::{Error, Media, WeChatPay};

use crate::support::{self, TestServer, alone, signed, skipped};

const BODY: &[u8] = br#"{"a":1}"#;
const TIMEOUT: Duration = Duration::from_millis(100);
/// A machine with many tests is slow; none of the cases needs more than a few timeouts.
const MAY_TAKE: Duration = Duration::from_secs(5);
const MAY_GROW: u64 = 48 << 10; // KiB

/// What the server does after the bytes of a case.
#[derive(Clone, Copy)]
enum Then {
    Close,
    /// Keeps the connection open and says nothing more.
    Hold,
    /// Sends these bytes again and again.
    Repeat(&'static [u8]),
    /// The same, a thousand times a second. (As fast as it can be sent, the HTTP library reads up to 128 buffers of 400 KiB
    /// of these before its task yields, which takes long in a build without optimisation.)
    Drip(&'static [u8]),
}

/// A genuine response: head lines, and body.
fn genuine() -> (String, Vec<u8>) {
    let raw = signed("200 OK", &[("Content-Type", "application/json")], BODY);
    let text = String::from_utf8(raw).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.as_bytes().to_vec())
}

/// The genuine response with these head lines more.
fn with(lines: &str) -> Vec<u8> {
    let (head, body) = genuine();
    [head.as_bytes(), b"\r\n", lines.as_bytes(), b"\r\n\r\n", &body].concat()
}

/// The genuine response, its text changed.
fn changed(from: &str, to: &str) -> Vec<u8> {
    let (head, body) = genuine();
    assert!(head.contains(from), "{from}");
    [head.replacen(from, to, 1).as_bytes(), b"\r\n\r\n", &body].concat()
}

/// The genuine head without its length, with these lines and this body.
fn framed(lines: &str, body: &[u8]) -> Vec<u8> {
    let (head, _) = genuine();
    let head: Vec<_> = head.lines().filter(|line| !line.starts_with("Content-Length")).collect();
    [head.join("\r\n").as_bytes(), b"\r\n", lines.as_bytes(), b"\r\n\r\n", body].concat()
}

fn cases() -> Vec<(&'static str, Vec<u8>, Then)> {
    use Then::{Close, Drip, Hold, Repeat};
    let chunked = "Transfer-Encoding: chunked";
    let long = "x".repeat(1 << 20);
    let without_head = |bytes: &[u8]| bytes.to_vec();
    let old = |bytes: Vec<u8>| [b"HTTP/1.0", &bytes[8..]].concat();
    let mut all = vec![
        ("nothing", Vec::new(), Close),
        ("nothing, and open", Vec::new(), Hold),
        ("no HTTP", without_head(b"hello\r\n\r\n"), Close),
        ("binary", (0..=255).collect(), Close),
        ("a TLS alert", without_head(b"\x15\x03\x03\x00\x02\x02\x28"), Close),
        ("HTTP/2", without_head(b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\x01\0\0"), Close),
        ("only a protocol", without_head(b"HTTP/1.1"), Close),
        ("a status line without its end", without_head(b"HTTP/1.1 200 OK"), Close),
        ("a status line without its end, and open", without_head(b"HTTP/1.1 200 OK"), Hold),
        ("a head without its end", without_head(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"), Hold),
        ("an unknown version", changed("HTTP/1.1", "HTTP/9.9"), Close),
        ("no version", changed("HTTP/1.1 ", ""), Close),
        ("a byte order mark", [b"\xef\xbb\xbf", &with("X: 1")[..]].concat(), Close),
        ("empty lines before it", [b"\r\n\r\n", &with("X: 1")[..]].concat(), Close),
        ("a status of two digits", changed("200 OK", "20 OK"), Close),
        ("a status of four digits", changed("200 OK", "2000 OK"), Close),
        ("a status of letters", changed("200 OK", "abc OK"), Close),
        ("a negative status", changed("200 OK", "-20 OK"), Close),
        ("status 000", changed("200 OK", "000 OK"), Close),
        ("status 999", changed("200 OK", "999 X"), Close),
        ("a reason of a megabyte", changed("200 OK", &format!("200 {long}")), Close),
        ("no other protocol was asked for", changed("200 OK", "101 Switching Protocols"), Close),
        ("one interim response after another", Vec::new(), Drip(b"HTTP/1.1 100 Continue\r\n\r\n")),
        ("early hints for ever", Vec::new(), Drip(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")),
        ("a header without a colon", with("Broken"), Close),
        ("a header without a name", with(": value"), Close),
        ("a blank in a header's name", with("Bro ken: 1"), Close),
        ("a blank before the colon", with("Broken : 1"), Close),
        ("a NUL in a header", with("X: a\0b"), Close),
        ("a folded header", with("X: a\r\n b"), Close),
        ("a bare carriage return", with("X: a\rContent-Length: 3"), Close),
        ("a header of a megabyte", with(&format!("X: {long}")), Close),
        ("a header's name of a megabyte", with(&format!("{long}: 1")), Close),
        ("thousands of headers", with("X: 1\r\n".repeat(10_000).trim_end()), Close),
        ("a head without an end", without_head(b"HTTP/1.1 200 OK\r\n"), Repeat(b"X-Endless: 1\r\n")),
        ("a header without an end", without_head(b"HTTP/1.1 200 OK\r\nX: "), Repeat(b"aaaaaaaaaaaaaaaa")),
        ("a name without an end", without_head(b"HTTP/1.1 200 OK\r\n"), Repeat(b"aaaaaaaaaaaaaaaa")),
        (
            "bytes above ASCII in the signature",
            changed("Wechatpay-Nonce: NONCE", "Wechatpay-Nonce: \u{e9}"),
            Close,
        ),
        ("two lengths", with("Content-Length: 3"), Close),
        ("two lengths in one line", changed("Content-Length: 7", "Content-Length: 7, 3"), Close),
        ("a negative length", changed("Content-Length: 7", "Content-Length: -7"), Close),
        ("a length with a sign", changed("Content-Length: 7", "Content-Length: +7"), Close),
        ("a length in hex", changed("Content-Length: 7", "Content-Length: 0x7"), Close),
        ("an empty length", changed("Content-Length: 7", "Content-Length:"), Close),
        ("a length of 2^64", changed("Content-Length: 7", "Content-Length: 18446744073709551616"), Hold),
        ("a length of 2^64 - 1", changed("Content-Length: 7", "Content-Length: 18446744073709551615"), Hold),
        ("a length of 2^63", changed("Content-Length: 7", "Content-Length: 9223372036854775808"), Hold),
        ("a body shorter than its length", changed("Content-Length: 7", "Content-Length: 70"), Close),
        ("the same, and open", changed("Content-Length: 7", "Content-Length: 70"), Hold),
        ("a body longer than its length", changed("Content-Length: 7", "Content-Length: 3"), Close),
        ("a length of 0 and a body", changed("Content-Length: 7", "Content-Length: 0"), Close),
        ("204 with a body", changed("200 OK", "204 No Content"), Close),
        ("304", changed("200 OK", "304 Not Modified"), Close),
        ("a part of the content", changed("200 OK", "206 Partial Content"), Close),
        ("a second response at once", [with("X: 1"), with("X: 2")].concat(), Hold),
        ("a body without an end", without_head(b"HTTP/1.1 200 OK\r\n\r\n"), Repeat(&[b'x'; 65_536])),
        ("an error without an end", without_head(b"HTTP/1.1 500 X\r\n\r\n"), Repeat(&[b'x'; 65_536])),
        (
            "a length and chunks",
            framed("Content-Length: 7\r\nTransfer-Encoding: chunked", b"3\r\n{\"b\r\n0\r\n\r\n"),
            Close,
        ),
        ("chunks in HTTP/1.0", old(framed(chunked, b"7\r\n{\"a\":1}\r\n0\r\n\r\n")), Close),
        ("an unknown coding", framed("Transfer-Encoding: rot13", BODY), Close),
        (
            "gzip as the transfer",
            framed("Transfer-Encoding: gzip, chunked", b"7\r\n{\"a\":1}\r\n0\r\n\r\n"),
            Close,
        ),
        ("a size that is no number", framed(chunked, b"zz\r\n{\"a\":1}\r\n0\r\n\r\n"), Close),
        ("a negative size", framed(chunked, b"-7\r\n{\"a\":1}\r\n0\r\n\r\n"), Close),
        ("a size of 2^68", framed(chunked, b"fffffffffffffffff\r\n{\"a\":1}"), Hold),
        ("a size of 2^64 - 1", framed(chunked, b"ffffffffffffffff\r\n{\"a\":1}"), Hold),
        ("a size of 2^63 that is sent", framed(chunked, b"8000000000000000\r\n"), Repeat(&[b'x'; 65_536])),
        ("a chunk without its end", framed(chunked, b"7\r\n{\"a\":1}0\r\n\r\n"), Close),
        ("no last chunk", framed(chunked, b"7\r\n{\"a\":1}\r\n"), Close),
        ("no last chunk, and open", framed(chunked, b"7\r\n{\"a\":1}\r\n"), Hold),
        (
            "an extension of a megabyte",
            framed(chunked, format!("7;{long}\r\n{{\"a\":1}}\r\n0\r\n\r\n").as_bytes()),
            Close,
        ),
        ("an extension without an end", framed(chunked, b"7;"), Repeat(b"aaaaaaaaaaaaaaaa")),
        ("a size without an end", framed(chunked, b""), Drip(b"0000000000000000")),
        ("trailers without an end", framed(chunked, b"7\r\n{\"a\":1}\r\n0\r\n"), Repeat(b"X-Trailer: 1\r\n")),
        ("chunks of one byte without an end", framed(chunked, b""), Repeat(b"1\r\nx\r\n")),
        ("compressed, it says", with("Content-Encoding: gzip"), Close),
        (
            "lines that end with LF",
            String::from_utf8(with("X: 1")).unwrap().replace("\r\n", "\n").into_bytes(),
            Close,
        ),
    ];
    // A signature in the trailer comes after the content, and does not count.
    let (head, _) = genuine();
    let signature: Vec<_> = head.lines().filter(|line| line.starts_with("Wechatpay-")).collect();
    let trailer = format!("7\r\n{{\"a\":1}}\r\n0\r\n{}\r\n\r\n", signature.join("\r\n"));
    let late = format!("HTTP/1.1 200 OK\r\n{chunked}\r\nTrailer: Wechatpay-Signature\r\n\r\n{trailer}");
    all.push(("the signature in the trailer", late.into_bytes(), Close));
    all
}

/// Sends the bytes to every request, on every connection.
fn serve(bytes: Vec<u8>, then: Then) -> TestServer {
    TestServer::start(move |stream, _| respond(stream, &bytes, then))
}

fn respond(mut stream: &TcpStream, bytes: &[u8], then: Then) -> io::Result<()> {
    let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
    while !seen.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            read => seen.extend_from_slice(&buffer[..read]),
        }
    }
    stream.write_all(bytes)?;
    match then {
        Then::Close => Ok(()),
        // Until the client has had enough.
        Then::Hold => {
            while stream.read(&mut buffer)? > 0 {}
            Ok(())
        }
        Then::Repeat(piece) => loop {
            stream.write_all(piece)?;
        },
        Then::Drip(piece) => loop {
            stream.write_all(piece)?;
            std::thread::sleep(Duration::from_millis(1));
        },
    }
}

fn check(name: &str, wx: &WeChatPay) {
    let begun = Instant::now();
    // Content that is not the signed one never comes out, with or without a 2xx.
    match wx["v3/x"].get_sync() {
        Ok(response) => {
            assert!(response.verified() && response.bytes().as_ref() == BODY, "{name}: {response:?}")
        }
        Err(error) => assert!(!error.to_string().chars().any(char::is_control), "{name}: {error:?}"),
    }
    if let Ok(response) = wx["v3/x"].post_sync(json!({"k": 1})) {
        assert!(response.verified() && response.bytes().as_ref() == BODY, "{name}: {response:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let download = |target: &str| wx[target].get().save_to(&path).max_bytes(4096).wait();
    match download("v3/x") {
        Ok(saved) => assert!(saved.verified && std::fs::read(&path).unwrap() == BODY, "{name}: {saved:?}"),
        Err(_) => assert!(!path.exists(), "{name}"),
    }
    let _ = std::fs::remove_file(&path);
    // An unsigned path: what came may be anything, but is whole.
    match download("v3/billdownload/file") {
        Ok(saved) => assert_eq!(std::fs::metadata(&path).unwrap().len(), saved.bytes, "{name}"),
        Err(error) => assert!(!path.exists() && !matches!(error, Error::Config(_)), "{name}: {error}"),
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), usize::from(path.exists()), "{name}");
    // An upload: the response comes while its body is still being sent.
    let media = Media::bytes("a.png", vec![b'x'; 1 << 20]);
    if let Ok(response) = wx["v3/merchant/media/upload"].post(Value::Null).media(media).wait() {
        assert!(response.verified() && response.bytes().as_ref() == BODY, "{name}: {response:?}");
    }
    assert!(begun.elapsed() < MAY_TAKE, "{name}: {:?}", begun.elapsed());
}

/// The same in response to the download of certificates, and to a proxy's `CONNECT`: the call itself is not sent.
fn check_unsent(name: &str, base: &str) {
    let begun = Instant::now();
    let automatic = WeChatPay::builder()
        .mchid(support::MCHID)
        .serial(support::MERCHANT_SERIAL)
        .private_key(support::key("merchant_key.pem"))
        .apiv3_key(support::APIV3_KEY)
        .automatic_certificates()
        .base_url(base)
        .timeout(TIMEOUT)
        .build()
        .unwrap();
    match automatic["v3/x"].get_sync() {
        Err(Error::PlatformKeys(error)) => {
            assert!(
                !error.is_permanent() && !error.to_string().chars().any(char::is_control),
                "{name}: {error}"
            )
        }
        other => panic!("{name}: {other:?}"),
    }
    assert!(automatic.platform_serials().is_empty(), "{name}");
    let proxied = support::builder("https://wechatpay.invalid/").proxy(base).connect_timeout(TIMEOUT);
    match proxied.build().unwrap()["v3/x"].post_sync(json!({"k": 1})) {
        Err(Error::Transport(error)) => {
            assert!(error.is_connect() && !error.maybe_sent(), "{name}: {error}");
        }
        other => panic!("{name}: {other:?}"),
    }
    assert!(begun.elapsed() < MAY_TAKE, "{name}: {:?}", begun.elapsed());
}

const CHILD: &str = "WECHATPAY_TEST_MALFORMED";

/// The process's peak, in KiB.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// The body of the child process; on its own it does nothing.
#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let client = |base: &str| support::builder(base).timeout(TIMEOUT).build().unwrap();
    // The genuine response, so that the cases differ from something that works.
    let server = serve(with("X: 1"), Then::Close);
    let fine = support::client(&server.base);
    assert_eq!(fine["v3/x"].get_sync().unwrap().bytes().as_ref(), BODY);
    let all = cases();
    assert!(all.len() >= 50, "{}", all.len());
    let before = peak();
    for (name, bytes, then) in all {
        let server = serve(bytes, then);
        check(name, &client(&server.base));
        check_unsent(name, &server.base);
    }
    match before.zip(peak()) {
        Some((before, after)) => {
            assert!(after - before < MAY_GROW, "{before} KiB grew to {after} KiB");
            println!("memory checked");
        }
        None => println!("memory unknown"),
    }
}

#[test]
fn a_malformed_response_ends_in_time_and_in_small_memory() {
    let output = alone(module_path!(), "child").env(CHILD, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    if !text.contains("memory checked") {
        skipped("this system does not tell the peak of memory");
    }
}

/// The bytes after a response belong to no other request.
#[test]
fn a_response_that_nobody_asked_for_is_not_the_next_ones() {
    let forged = String::from_utf8(with("X: 1")).unwrap().replace(r#"{"a":1}"#, r#"{"a":2}"#);
    let server = serve([with("X: 1"), forged.into_bytes()].concat(), Then::Hold);
    let wx = support::client(&server.base);
    for _ in 0..5 {
        assert_eq!(wx["v3/x"].get_sync().unwrap().bytes().as_ref(), BODY);
    }
    // Nor is a genuine one: each request waits for its own.
    let server = serve([with("X: 1"), signed("200 OK", &[], br#"{"a":2}"#)].concat(), Then::Hold);
    let wx = support::client(&server.base);
    for _ in 0..5 {
        assert_eq!(wx["v3/x"].get_sync().unwrap().bytes().as_ref(), BODY);
    }
}
