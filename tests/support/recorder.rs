//! A plain HTTP/1.1 listener that records each request, byte by byte, and responses that the platform's key signs.
//!
//! Nothing here uses the crate's own signing or verifying.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;

use super::{Notes, PLATFORM_SERIAL, TestServer, key};

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Recorded {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// A field of the `Authorization` header.
    pub(crate) fn auth(&self, field: &str) -> String {
        let header = self.header("authorization").expect("an Authorization header");
        let rest = header.strip_prefix("WECHATPAY2-SHA256-RSA2048 ").expect("the scheme");
        let (_, value) =
            rest.split(',').map(|f| f.split_once('=').unwrap()).find(|(n, _)| *n == field).unwrap();
        value.trim_matches('"').to_owned()
    }

    /// The message that the platform would expect to be signed.
    pub(crate) fn expected_message(&self) -> Vec<u8> {
        let head = format!(
            "{}\n{}\n{}\n{}\n",
            self.method,
            self.target,
            self.auth("timestamp"),
            self.auth("nonce_str")
        );
        [head.as_bytes(), &self.body, b"\n"].concat()
    }
}

/// A plain HTTP/1.1 server on port 0 that keeps every request. A panic of `respond` fails the test.
pub(crate) struct Recorder {
    pub(crate) base: String,
    seen: Arc<Mutex<Vec<Recorded>>>,
    server: TestServer,
}

impl Recorder {
    /// `respond` gives the raw bytes of each response; an empty one closes the connection.
    pub(crate) fn start(respond: impl Fn(&Recorded) -> Vec<u8> + Send + Sync + 'static) -> Recorder {
        Recorder::serving(move |request, _| respond(request))
    }

    /// Each request takes the next response. One beyond the script, or a response that is left, fails the test.
    pub(crate) fn script(responses: impl IntoIterator<Item = Vec<u8>>) -> Recorder {
        let recorder = Recorder::serving(|_, notes| notes.next_response());
        recorder.server.notes.script(responses);
        recorder
    }

    fn serving(respond: impl Fn(&Recorded, &Notes) -> Vec<u8> + Send + Sync + 'static) -> Recorder {
        let seen = Arc::<Mutex<Vec<Recorded>>>::default();
        let all = seen.clone();
        let server = TestServer::start(move |stream, notes| {
            serve(stream, |request| {
                notes.request(format!("{} {}", request.method, request.target));
                let raw = respond(&request, notes);
                all.lock().unwrap().push(request);
                raw
            })
        });
        Recorder { base: server.base.clone(), seen, server }
    }

    /// Responds to everything with a signed 204.
    pub(crate) fn no_content() -> Recorder {
        Recorder::start(|_| signed("204 No Content", &[], b""))
    }

    pub(crate) fn seen(&self) -> Vec<Recorded> {
        self.seen.lock().unwrap().clone()
    }

    /// The only request since the last `take`.
    pub(crate) fn take(&self) -> Recorded {
        let mut seen = std::mem::take(&mut *self.seen.lock().unwrap());
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }

    pub(crate) fn connections(&self) -> usize {
        self.server.connections()
    }
}

fn serve(mut stream: &TcpStream, mut respond: impl FnMut(Recorded) -> Vec<u8>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split_whitespace();
        let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            match line.trim_end().split_once(':') {
                Some((name, value)) => headers.push((name.to_owned(), value.trim().to_owned())),
                None => break,
            }
        }
        let mut recorded = Recorded { method, target, headers, body: Vec::new() };
        let length = recorded.header("content-length").map_or(0, |v| v.parse().unwrap());
        recorded.body = vec![0; length];
        reader.read_exact(&mut recorded.body)?;
        let raw = respond(recorded);
        if raw.is_empty() {
            return Ok(());
        }
        stream.write_all(&raw)?;
    }
}

/// A raw response, signed by the platform's certificate key now.
pub(crate) fn signed(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let timestamp = now().to_string();
    let message = [timestamp.as_bytes(), b"\nNONCE\n", body, b"\n"].concat();
    let signature = platform_sign(&message);
    let mut all = vec![
        ("Wechatpay-Timestamp", timestamp.as_str()),
        ("Wechatpay-Nonce", "NONCE"),
        ("Wechatpay-Serial", PLATFORM_SERIAL),
        ("Wechatpay-Signature", &signature),
        ("Request-ID", "08F0D0A1"),
    ];
    all.extend(headers);
    raw(status, &all, body)
}

/// A raw response with these headers.
pub(crate) fn raw(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status}\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !status.starts_with("204") {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    [text.as_bytes(), b"\r\n", body].concat()
}

/// The platform's signature, straight from AWS-LC.
pub(crate) fn platform_sign(message: &[u8]) -> String {
    use aws_lc_rs::signature::RSA_PKCS1_SHA256;
    static PAIR: std::sync::LazyLock<aws_lc_rs::rsa::KeyPair> = std::sync::LazyLock::new(|| {
        let pem = pem::parse(key("platform_key.pem")).unwrap();
        aws_lc_rs::rsa::KeyPair::from_pkcs8(pem.contents()).unwrap()
    });
    let mut signature = vec![0; PAIR.public_modulus_len()];
    PAIR.sign(&RSA_PKCS1_SHA256, &aws_lc_rs::rand::SystemRandom::new(), message, &mut signature).unwrap();
    base64::engine::general_purpose::STANDARD.encode(signature)
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
