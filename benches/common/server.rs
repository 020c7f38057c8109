//! A minimal platform: sends the same signed body to every request, and reads only the length of the request.
//!
//! It runs in another process, so that its work is not counted.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{PLATFORM_SERIAL, key};

pub const RESPONSE_BODY: &str = r#"{"code_url":"weixin://wxpay/bizpayurl/up?pr=NwY5Mz9&groupid=00"}"#;
const SERVE: &str = "WECHATPAY_BENCH_SERVE";

/// Stops the server when dropped.
pub struct Server {
    pub base: String,
    pub child: Child,
}

impl Server {
    /// Starts this program again as the server.
    pub fn start() -> Server {
        Server::with(SERVE, "1")
    }

    /// Starts this program again with a variable that tells it what to serve.
    pub fn with(variable: &str, value: impl AsRef<std::ffi::OsStr>) -> Server {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(variable, value)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut base = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut base).unwrap();
        Server { base: base.trim().to_owned(), child }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The timestamp, nonce and signature of a response made now.
pub fn sign(key: &KeyPair, timestamp: u64) -> String {
    let message = format!("{timestamp}\nNONCE\n{RESPONSE_BODY}\n");
    let mut signature = vec![0; key.public_modulus_len()];
    let random = aws_lc_rs::rand::SystemRandom::new();
    key.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).unwrap();
    base64::engine::general_purpose::STANDARD.encode(signature)
}

pub fn platform_key() -> KeyPair {
    KeyPair::from_pkcs8(pem::parse(key("platform_key.pem")).unwrap().contents()).unwrap()
}

/// When this process was started as the server, serves and never returns.
pub fn serve_if_asked() {
    if std::env::var_os(SERVE).is_none() {
        return;
    }
    // Ends with the benchmark, even when that is killed.
    std::thread::spawn(|| {
        let _ = std::io::stdin().lines().count();
        std::process::exit(0);
    });
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(serve());
}

async fn serve() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("http://{}/", listener.local_addr().unwrap());
    std::io::stdout().flush().unwrap();
    let key = platform_key();
    let response = std::rc::Rc::new(std::cell::RefCell::new(raw(&key)));
    let fresh = response.clone();
    let local = tokio::task::LocalSet::new();
    local.spawn_local(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(60)).await;
            *fresh.borrow_mut() = raw(&key);
        }
    });
    local
        .run_until(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                tokio::task::spawn_local(connection(stream, response.clone()));
            }
        })
        .await;
}

fn raw(key: &KeyPair) -> Vec<u8> {
    let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let signature = sign(key, timestamp);
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nRequest-ID: 08F0D0A1\r\n\
         Wechatpay-Timestamp: {timestamp}\r\nWechatpay-Nonce: NONCE\r\nWechatpay-Serial: {PLATFORM_SERIAL}\r\n\
         Wechatpay-Signature: {signature}\r\n\r\n{RESPONSE_BODY}",
        RESPONSE_BODY.len()
    )
    .into_bytes()
}

async fn connection(mut stream: tokio::net::TcpStream, response: std::rc::Rc<std::cell::RefCell<Vec<u8>>>) {
    let mut buffer = vec![0; 16 << 10];
    let mut filled = 0;
    loop {
        let Ok(n @ 1..) = stream.read(&mut buffer[filled..]).await else { return };
        filled += n;
        let Some(head) = buffer[..filled].windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let length =
            text.lines().find_map(|l| l.strip_prefix("content-length: ")).map_or(0, |v| v.parse().unwrap());
        if filled >= head + 4 + length {
            filled = 0;
            let bytes = response.borrow().clone();
            if stream.write_all(&bytes).await.is_err() {
                return;
            }
        }
    }
}
