//! What an error says about a connection that could not be made, or broke: in our words, once, and with the host or the
//! proxy that is to blame.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use wechatpay_chain::error::TransportError;
use wechatpay_chain::{Error, WeChatPay};

use crate::support::{self, TestServer};

fn failure(wx: &WeChatPay) -> Box<TransportError> {
    match wx["v3/x"].post(serde_json::json!({})).wait() {
        Err(Error::Transport(error)) => error,
        other => panic!("not a Transport error: {other:?}"),
    }
}

/// The message, once the causes are checked: each is there, and none is in the message.
fn message(error: &TransportError) -> String {
    let text = error.to_string();
    let mut cause = std::error::Error::source(error);
    assert!(cause.is_some() || error.is_timeout(), "{text}");
    while let Some(inner) = cause {
        assert!(!text.contains(&inner.to_string()), "`{inner}` is twice in: {text}");
        cause = inner.source();
    }
    text
}

/// A server that reads the head of a request and writes this.
fn server(response: &'static [u8]) -> TestServer {
    TestServer::start(move |mut stream, _| {
        let _ = stream.read(&mut [0; 4096])?;
        stream.write_all(response)
    })
}

fn closed_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn a_host_that_cannot_be_reached_is_named_with_the_reason() {
    let closed = closed_port();
    for (builder, reason) in [
        (support::builder(&format!("http://{closed}/")), format!("connection refused by `{closed}`")),
        (
            support::builder("http://wechatpay.invalid/").allow_http().no_proxy(),
            "the host name `wechatpay.invalid` was not found".to_owned(),
        ),
    ] {
        let error = failure(&builder.build().unwrap());
        let text = message(&error);
        assert_eq!(text, format!("POST v3/x: {reason}; nothing was sent"));
        assert!(error.is_connect() && !error.is_timeout() && !error.maybe_sent());
    }
}

#[test]
fn a_proxy_that_refuses_is_named_without_its_password() {
    let closed = closed_port();
    let servers = [
        server(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
        server(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"),
    ];
    let [forbids, asks] = servers.each_ref().map(TestServer::address);
    let target = "https://wechatpay.invalid/";
    for (proxy, base, reason) in [
        (closed.as_str(), target, format!("connection refused by the proxy `{closed}`")),
        (&closed, "http://wechatpay.invalid/", format!("connection refused by the proxy `{closed}`")),
        (forbids, target, format!("the proxy `{forbids}` refused to connect to the host")),
        (asks, target, format!("the proxy `{asks}` asks for a user name and a password")),
    ] {
        let wx = support::builder(base)
            .allow_http()
            .proxy(format!("http://me:p4ssword@{proxy}/"))
            .build()
            .unwrap();
        let error = failure(&wx);
        let text = message(&error);
        assert_eq!(text, format!("POST v3/x: {reason}; nothing was sent"));
        assert!(error.is_connect() && !error.maybe_sent() && !format!("{error:?}").contains("p4ssword"));
    }
    let wx = support::builder("http://wechatpay.invalid/")
        .allow_http()
        .proxy("http://proxy.invalid:3128")
        .build()
        .unwrap();
    assert!(message(&failure(&wx)).contains("the host name of the proxy `proxy.invalid:3128` was not found"));
}

/// With a certificate that nobody signed; `openssl` serves it.
#[cfg(feature = "bundled-roots")]
#[test]
fn a_certificate_that_is_not_trusted_is_told() {
    if !support::has("openssl") {
        return;
    }
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = std::process::Command::new("openssl")
        .args(["s_server", "-quiet", "-accept", &port.to_string()])
        .args([
            "-cert",
            &support::key_path("merchant_cert.pem"),
            "-key",
            &support::key_path("merchant_key.pem"),
        ])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let base = format!("https://127.0.0.1:{port}/");
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let error = failure(&support::builder(&base).bundled_roots().build().unwrap());
    server.kill().unwrap();
    server.wait().unwrap();
    let text = message(&error);
    assert!(text.contains(&format!("the TLS certificate of `127.0.0.1:{port}` ")), "{text}");
    assert!(error.is_connect() && !error.maybe_sent(), "{text}");
}

/// The port of an http server, or a server with which TLS does not come about.
#[test]
fn a_server_that_does_not_speak_tls_is_told() {
    for (response, says) in [
        (&b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"[..], "`{host}` answers, but not in TLS"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "`{host}` answers, but not in TLS"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "the TLS handshake with `{host}` failed"),
        (b"", "closed the connection while it was set up"),
    ] {
        let server = server(response);
        let host = server.address();
        let error = failure(&support::builder(&format!("https://{host}/")).build().unwrap());
        let text = message(&error);
        assert!(text.contains(&says.replace("{host}", host)), "{text}");
        assert!(error.is_connect() && !error.maybe_sent(), "{text}");
    }
}

#[test]
fn a_connection_that_breaks_may_have_carried_the_request() {
    for (response, reason) in [
        (&b""[..], "the connection closed before the response was complete"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
            "the connection closed before the response was complete",
        ),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "the response is not valid HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "the response is not valid HTTP"),
    ] {
        let error = failure(&support::client(&server(response).base));
        let text = message(&error);
        assert_eq!(text, format!("POST v3/x: {reason}; the platform may have received the request"));
        assert!(error.maybe_sent() && !error.is_connect() && !error.is_timeout());
    }
}

#[test]
fn a_timeout_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap(); // takes connections, and never answers
    let base = format!("http://{}/", listener.local_addr().unwrap());
    let wx = support::builder(&base).timeout(Duration::from_millis(100)).build().unwrap();
    let error = failure(&wx);
    assert!(error.is_timeout() && error.maybe_sent() && !error.is_connect(), "{error}");
    let download = wx["v3/billdownload/file"].get().save_to_writer(tokio::io::sink()).wait();
    assert!(
        matches!(&download, Err(Error::Transport(e)) if e.is_timeout() && e.maybe_sent()),
        "{download:?}"
    );
}

/// The operating system gives up after half a minute, whatever the call's timeout is: then that one is not to blame.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "takes half a minute"]
fn a_connection_whose_other_side_does_not_react_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap(); // reads nothing
    let base = format!("http://{}/", listener.local_addr().unwrap());
    let wx = support::builder(&base).timeout(Duration::from_secs(60)).build().unwrap();
    let media = wechatpay_chain::Media::bytes("a.png", vec![0; 50 << 20]);
    let Err(Error::Transport(error)) = wx["v3/x"].post(serde_json::Value::Null).media(media).wait() else {
        panic!("not a Transport error")
    };
    let text = message(&error);
    assert!(text.contains("the connection timed out") && !text.contains("60s"), "{text}");
    assert!(error.is_timeout() && error.maybe_sent() && !error.is_connect(), "{text}");
}
