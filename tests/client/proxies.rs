//! Proxies: which are accepted, and how an error names one that fails.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use wechatpay_chain::Error;

use crate::support::{self, TestServer, alone};

/// An address on which no server listens.
fn closed() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A proxy that responds to each CONNECT with `response`; an empty one closes the connection.
fn proxy(response: &'static str) -> TestServer {
    TestServer::start(move |mut stream, notes| {
        let mut head = [0; 4096];
        let read = stream.read(&mut head)?;
        notes.request(String::from_utf8_lossy(&head[..read]));
        assert!(head[..read].starts_with(b"CONNECT wechatpay.invalid:443 "));
        stream.write_all(response.as_bytes())
    })
}

fn text(error: &Error) -> String {
    let Error::Transport(error) = error else { panic!("not a Transport error: {error}") };
    assert!(!error.maybe_sent(), "{error}");
    error.to_string()
}

#[test]
fn only_a_proxy_that_works_is_accepted() {
    let build = |url: &str| support::builder("https://wechatpay.invalid/").proxy(url).build();
    for fine in [
        "http://proxy.example:3128",
        "https://proxy.example",
        "HTTP://proxy.example/",
        "proxy.example:3128",
        "user:p4ssword@proxy.example:3128",
        "http://[2001:db8::1]:3128",
    ] {
        assert!(build(fine).is_ok(), "{fine}");
    }
    for scheme in ["socks4", "socks4a", "socks5", "socks5h", "SOCKS5", "ftp", "quic"] {
        let Err(Error::Config(error)) = build(&format!("{scheme}://user:p4ssword@proxy.example:1080")) else {
            panic!("accepted: {scheme}")
        };
        let text = error.to_string();
        assert_eq!(error.field(), "proxy");
        assert!(
            text.contains(&format!("`{}`", scheme.to_lowercase())) && !text.contains("p4ssword"),
            "{text}"
        );
    }
    for wrong in ["", "http://", "://proxy", "http://user:p4ssword@:3128", "http://proxy.example:port"] {
        let Err(Error::Config(error)) = build(wrong) else { panic!("accepted: {wrong}") };
        assert!(error.field() == "proxy" && !error.to_string().contains("p4ssword"), "{error}");
    }
}

#[test]
fn a_proxy_that_fails_is_named() {
    let fails = |address: &str, parts: [&str; 2]| {
        let url = format!("http://user:p4ssword@{address}");
        let wx = support::builder("https://wechatpay.invalid/").proxy(&url).build().unwrap();
        let text = text(&wx["v3/x"].get_sync().unwrap_err());
        let named = format!("the proxy `{address}`");
        assert!(text.contains(&named) && !text.contains("p4ssword"), "{text}");
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    };
    fails(&closed(), ["connection refused by", ""]);
    for (response, parts) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", ["user name", "password"]),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", ["refused", "to connect to the host"]),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", ["refused", "to connect to the host"]),
        ("SSH-2.0-OpenSSH_9.6\r\n", ["refused", "to connect to the host"]),
        ("", ["closed the connection", ""]),
    ] {
        fails(proxy(response).address(), parts);
    }
    // Plain http goes to the proxy itself, whose 407 looks like a response of the host.
    for (response, named) in [
        (support::raw("407 Proxy Authentication Required", &[], b"<html>log in</html>"), true),
        (support::signed("407 X", &[], b"{}"), true),
        (support::raw("403 Forbidden", &[], b""), false),
        (support::raw("401 Unauthorized", &[], b""), false),
    ] {
        let proxy = support::Recorder::start(move |_| response.clone());
        let url = proxy.base.replace("http://", "http://user:p4ssword@");
        let builder = support::builder("http://wechatpay.invalid/").allow_http().proxy(&url);
        let wx = builder.build().unwrap();
        let address = proxy.base.trim_start_matches("http://").trim_end_matches('/').to_owned();
        for error in [
            wx["v3/x"].post_sync(serde_json::json!({})).map(drop),
            wx["v3/x"].get().save_to_writer(tokio::io::sink()).wait().map(drop),
        ] {
            let error = error.unwrap_err();
            if !named {
                assert!(matches!(error, Error::Api(_)), "{error}");
                continue;
            }
            assert!(matches!(&error, Error::Transport(e) if e.is_connect()), "{error}");
            let text = text(&error);
            let proxy = format!("the proxy `{address}` asks for a user name and a password");
            assert!(text.contains(&proxy) && !text.contains("p4ssword"), "{text}");
        }
    }
    // Without a proxy in between, it is a response like any other.
    let host = support::Recorder::start(|_| support::raw("407 X", &[], b""));
    let direct = support::client(&host.base)["v3/x"].get_sync().unwrap_err();
    assert!(matches!(&direct, Error::Api(e) if e.status == 407), "{direct}");
    let address = closed();
    let wx = support::builder("http://wechatpay.invalid/").allow_http().proxy(&address).build().unwrap();
    let plain = text(&wx["v3/x"].get_sync().unwrap_err());
    assert!(plain.contains(&format!("connection refused by the proxy `{address}`")), "{plain}");
}

/// The proxy does its part, and TLS with the host fails: the proxy is not blamed.
#[test]
fn a_proxy_is_not_blamed_for_the_host() {
    let proxy = proxy("HTTP/1.1 200 Connection established\r\n\r\nnot TLS at all");
    let wx = support::builder("https://wechatpay.invalid/").proxy(proxy.address()).build().unwrap();
    let text = text(&wx["v3/x"].get_sync().unwrap_err());
    assert!(!text.contains("proxy"), "{text}");
}

const CHILD: &str = "WECHATPAY_TEST_PROXY";

/// The body of the child processes; on its own it does nothing.
#[test]
fn child() {
    let Ok(base) = std::env::var(CHILD) else { return };
    let builder = support::builder(&base).allow_http();
    println!("error: {}", text(&builder.build().unwrap()["v3/x"].get_sync().unwrap_err()));
}

#[test]
fn a_proxy_of_the_environment_is_named_with_its_variable() {
    let address = closed();
    let says = |base: &str, name: &str, value: &str| {
        let mut child = alone(module_path!(), "child");
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
            child.env_remove(name).env_remove(name.to_lowercase());
        }
        let output = child.env(CHILD, base).env(name, value).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let (https, http) = ("https://wechatpay.invalid/", "http://wechatpay.invalid/");
    for (base, name, value) in [
        (https, "HTTPS_PROXY", format!("http://user:p4ssword@{address}")),
        (https, "https_proxy", address.clone()),
        (https, "ALL_PROXY", format!("http://{address}")),
        (https, "ALL_PROXY", format!("socks5://user:p4ssword@{address}")),
        (http, "HTTP_PROXY", format!("http://user:p4ssword@{address}")),
    ] {
        let text = says(base, name, &value);
        assert!(text.contains(&address) && text.contains(&format!("`{name}`")), "{name}={value}: {text}");
        assert!(!text.contains("p4ssword"), "{text}");
    }
    // Another scheme's variable, and a base URL on this machine.
    assert!(!says(https, "HTTP_PROXY", &address).contains("proxy"));
    assert!(!says(&format!("http://{}/", closed()), "HTTP_PROXY", &address).contains("proxy"));
}
