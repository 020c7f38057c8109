//! Notifications to a receiver with TLS, which the `openssl` program plays.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::notify::{WAIT, done, pay};
use crate::support::{alone, has, sandbox_builder};

/// Set for the child that sends: the URL. The root certificates come from the environment of a process.
const HTTPS_URL: &str = "WECHATPAY_SANDBOX_HTTPS_URL";

/// Not a test of its own: the process that the next one starts.
#[test]
fn the_child_that_sends_over_https() {
    let Ok(url) = std::env::var(HTTPS_URL) else { return };
    let sandbox = sandbox_builder().time_scale(1e6).start().unwrap();
    println!("{:?}", done(&sandbox, &pay(&sandbox, &url)).attempts);
}

#[test]
fn https_needs_a_trusted_certificate_of_the_host() {
    if !has("openssl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (key, certificate, empty) = (path("key.pem"), path("certificate.pem"), path("empty"));
    let names = "subjectAltName=DNS:localhost";
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-subj", "/CN=localhost"])
        .args([
            "-addext",
            names,
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    std::fs::create_dir(&empty).unwrap();
    for (host, trusted, result) in [
        ("localhost", true, "Ok(204)"),
        ("localhost", false, "UnknownIssuer"),
        ("127.0.0.1", true, "not valid for name"),
    ] {
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let mut server = Command::new("openssl")
            .args([
                "s_server",
                "-quiet",
                "-4",
                "-accept",
                &format!("127.0.0.1:{port}"),
                "-key",
                &key,
                "-cert",
                &certificate,
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let until = Instant::now() + WAIT;
        while TcpStream::connect(("127.0.0.1", port.parse().unwrap())).is_err() {
            assert!(Instant::now() < until, "openssl does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        let (mut stdin, stdout) = (server.stdin.take().unwrap(), server.stdout.take().unwrap());
        let responder = thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            if lines.into_iter().any(|line| line.trim().is_empty()) {
                stdin.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").unwrap();
            }
            stdin
        });
        let child = alone(module_path!(), "the_child_that_sends_over_https")
            .env(HTTPS_URL, format!("https://{host}:{port}/notify"))
            .env("SSL_CERT_DIR", &empty)
            .env("SSL_CERT_FILE", if trusted { &certificate } else { "/etc/ssl/certs/ca-certificates.crt" })
            .output()
            .unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
        drop(responder.join());
        let printed = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success() && printed.contains(result), "{host} {trusted}: {printed}");
    }
}
