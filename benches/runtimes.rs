//! One client on many current-thread runtimes, as web frameworks have one for each core:
//! `cargo bench --bench runtimes`.
//!
//! Each line has the calls per second, the connections of the warm-up, and those that were made after it, which must be
//! none: a runtime keeps its pool, however many runtimes there are.
#![allow(missing_docs, unreachable_pub, dead_code, clippy::unwrap_used)]

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::server::{RESPONSE_BODY, platform_key, sign};
use tokio::runtime::{Builder, Runtime};
use wechatpay_chain::WeChatPay;

const RUNTIMES: [usize; 4] = [1, 8, 16, 64];
const CALLS: usize = 3_200;

fn main() {
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    println!("runtimes   calls/s   connections of the warm-up   after it");
    for count in RUNTIMES {
        let (base, connections) = serve();
        let wx = common::client(&base);
        let runtimes: Vec<_> =
            (0..count).map(|_| Builder::new_current_thread().enable_all().build().unwrap()).collect();
        calls(&wx, &runtimes, 3);
        let warm = connections.load(Ordering::SeqCst);
        let begun = Instant::now();
        calls(&wx, &runtimes, CALLS / count);
        let rate = CALLS as f64 / begun.elapsed().as_secs_f64();
        let new = connections.load(Ordering::SeqCst) - warm;
        println!("{count:8} {rate:9.0} {warm:28} {new:10}");
        assert_eq!(new, 0, "{count} runtimes");
    }
}

/// So many calls on each runtime, all runtimes at the same time.
fn calls(wx: &WeChatPay, runtimes: &[Runtime], calls: usize) {
    let together = Barrier::new(runtimes.len());
    std::thread::scope(|scope| {
        for runtime in runtimes {
            scope.spawn(|| {
                together.wait();
                for _ in 0..calls {
                    let call = wx["v3/pay/transactions/native"].post(common::order());
                    runtime.block_on(call.into_future()).unwrap();
                }
                // The last connection returns to its pool.
                runtime.block_on(async { tokio::time::sleep(Duration::from_millis(20)).await });
            });
        }
    });
}

/// A platform in this process, which counts its connections.
fn serve() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    let connections = Arc::<AtomicUsize>::default();
    let counter = connections.clone();
    let response: Arc<[u8]> = response().into();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            counter.fetch_add(1, Ordering::SeqCst);
            let response = response.clone();
            std::thread::spawn(move || connection(stream, &response));
        }
    });
    (base, connections)
}

fn response() -> Vec<u8> {
    let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let signature = sign(&platform_key(), timestamp);
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Wechatpay-Timestamp: {timestamp}\r\nWechatpay-Nonce: NONCE\r\nWechatpay-Serial: {}\r\n\
         Wechatpay-Signature: {signature}\r\n\r\n{RESPONSE_BODY}",
        RESPONSE_BODY.len(),
        common::PLATFORM_SERIAL,
    )
    .into_bytes()
}

fn connection(stream: TcpStream, response: &[u8]) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(&stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            match reader.read_line(&mut line) {
                Ok(3..) => {}
                Ok(1..) => break,
                _ => return,
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() || (&stream).write_all(response).is_err() {
            return;
        }
    }
}
