//! A client made of a socket and the `openssl` program. It signs and verifies without any code that the sandbox or
//! the SDK uses.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tempfile::TempDir;
use wechatpay_chain::sandbox::Sandbox;

use crate::support::{openssl, openssl_sign, openssl_verifies};

pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

pub(crate) fn nonce() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{:032}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A request, each part of which can be changed before it is sent.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Signed instead of the body.
    pub(crate) signed: Option<Vec<u8>>,
    pub(crate) mchid: String,
    pub(crate) serial: String,
    pub(crate) timestamp: String,
    pub(crate) nonce: String,
}

impl Plan {
    pub(crate) fn new(sandbox: &Sandbox, method: &str, target: &str, body: &str) -> Plan {
        let mut headers = vec![
            ("Accept".to_string(), "application/json".to_string()),
            ("User-Agent".to_string(), "a client of the tests".to_string()),
        ];
        if !body.is_empty() {
            headers.push(("Content-Type".into(), "application/json".into()));
        }
        Plan {
            method: method.into(),
            target: target.into(),
            headers,
            body: body.into(),
            signed: None,
            mchid: sandbox.mchid().into(),
            serial: sandbox.serial().into(),
            timestamp: now().to_string(),
            nonce: nonce(),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Plan {
        self.headers.retain(|(old, _)| old != name);
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn message(&self) -> Vec<u8> {
        let head = format!("{}\n{}\n{}\n{}\n", self.method, self.target, self.timestamp, self.nonce);
        let body = self.signed.as_ref().unwrap_or(&self.body);
        [head.as_bytes(), body, b"\n"].concat()
    }

    pub(crate) fn signature(&self, keys: &TempDir) -> String {
        openssl_sign(&keys.path().join("merchant.pem"), &self.message())
    }

    pub(crate) fn authorization(&self, keys: &TempDir) -> String {
        format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{}\",serial_no=\"{}\",timestamp=\"{}\",\
             nonce_str=\"{}\",signature=\"{}\"",
            self.mchid,
            self.serial,
            self.timestamp,
            self.nonce,
            self.signature(keys)
        )
    }

    /// The bytes on the wire, with this `Authorization` (none when empty).
    pub(crate) fn bytes(&self, authorization: &str) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: sandbox\r\n", self.method, self.target);
        if !authorization.is_empty() {
            head += &format!("Authorization: {authorization}\r\n");
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n", self.body.len());
        [head.as_bytes(), &self.body].concat()
    }
}

/// A response, as it arrived.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the whole body arrived.
    pub(crate) whole: bool,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap().to_string()
    }

    pub(crate) fn message(&self) -> String {
        self.json()["message"].as_str().unwrap().to_string()
    }

    /// Whether the signature over `body` is the platform's, by the key that the response names.
    pub(crate) fn verifies_over(&self, keys: &TempDir, body: &[u8]) -> bool {
        let header = |name| self.header(name).unwrap_or_else(|| panic!("no {name}: {self:?}"));
        let head = format!("{}\n{}\n", header("Wechatpay-Timestamp"), header("Wechatpay-Nonce"));
        let message = [head.as_bytes(), body, b"\n"].concat();
        let key = keys.path().join(format!("{}.pub", header("Wechatpay-Serial")));
        assert!(key.exists(), "the response names no key of the platform: {self:?}");
        openssl_verifies(&key, &message, header("Wechatpay-Signature"))
    }

    pub(crate) fn verifies(&self, keys: &TempDir) -> bool {
        self.verifies_over(keys, &self.body)
    }
}

/// The sandbox's exported keys as files for `openssl`.
pub(crate) fn export(sandbox: &Sandbox) -> TempDir {
    let keys = TempDir::new().unwrap();
    let file = |name: &str| keys.path().join(name);
    fs::write(file("merchant.pem"), sandbox.merchant_key_pem()).unwrap();
    let spki =
        openssl(&["x509", "-pubkey", "-noout"], sandbox.platform_certificate_pem().as_bytes()).unwrap();
    fs::write(file(&format!("{}.pub", sandbox.platform_certificate_serial())), spki).unwrap();
    fs::write(file(&format!("{}.pub", sandbox.platform_public_key_id())), sandbox.platform_public_key_pem())
        .unwrap();
    keys
}

pub(crate) fn connect(sandbox: &Sandbox) -> TcpStream {
    let address = sandbox.base_url().trim_start_matches("http://").trim_end_matches('/');
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Reads one response; `None` if the connection closes within its headers.
pub(crate) fn receive(stream: &mut TcpStream) -> Option<Reply> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name.to_string(), value.trim().to_string()))
        .collect();
    let mut reply = Reply { status, headers, body: Vec::new(), whole: true };
    let length: usize = reply.header("Content-Length").map_or(0, |text| text.parse().unwrap());
    while reply.body.len() < length {
        let mut part = vec![0; length - reply.body.len()];
        match stream.read(&mut part) {
            Ok(0) | Err(_) => {
                reply.whole = false;
                break;
            }
            Ok(count) => reply.body.extend_from_slice(&part[..count]),
        }
    }
    Some(reply)
}

pub(crate) fn send_bytes(sandbox: &Sandbox, bytes: &[u8]) -> Option<Reply> {
    let mut stream = connect(sandbox);
    stream.write_all(bytes).unwrap();
    receive(&mut stream)
}

/// Signs and sends on a connection of its own.
pub(crate) fn send(sandbox: &Sandbox, keys: &TempDir, plan: &Plan) -> Reply {
    try_send(sandbox, keys, plan).expect("a response")
}

pub(crate) fn try_send(sandbox: &Sandbox, keys: &TempDir, plan: &Plan) -> Option<Reply> {
    send_bytes(sandbox, &plan.bytes(&plan.authorization(keys)))
}

pub(crate) fn get(sandbox: &Sandbox, keys: &TempDir, target: &str) -> Reply {
    send(sandbox, keys, &Plan::new(sandbox, "GET", target, ""))
}

pub(crate) fn post(sandbox: &Sandbox, keys: &TempDir, target: &str, body: &str) -> Reply {
    send(sandbox, keys, &Plan::new(sandbox, "POST", target, body))
}

pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
