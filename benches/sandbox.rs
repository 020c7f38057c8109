//! The sandbox under load: `cargo bench --features sandbox --bench sandbox -- 200000`.
//!
//! With `state`, too, it keeps its state in a file.
//!
//! Measures the start with given keys; the signed orders per second, compared with the RSA work alone (one
//! verification, one signature) that each of them needs, in the same run; and the memory meanwhile.
//! The client is another process, hand-written, which signs its requests before the clock runs: the sandbox shares
//! the machine with sockets only.
#![allow(missing_docs, unreachable_pub, dead_code, clippy::unwrap_used)]

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::key;
use rsa::Pkcs1v15Sign;
use rsa::pkcs8::DecodePublicKey as _;
use sha2::{Digest as _, Sha256};
use wechatpay_chain::sandbox::Sandbox;

const CLIENT: &str = "WECHATPAY_BENCH_CLIENT";
const BATCH: usize = 4_000;
const CONNECTIONS: usize = 16;

fn main() {
    if let Ok(target) = std::env::var(CLIENT) {
        return fire(&target);
    }
    // Cargo itself passes `--bench`.
    let requests: usize = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(20_000);
    let folder = tempfile::tempdir().unwrap();
    drop(Sandbox::builder().keys(folder.path().join("keys")).start().unwrap());
    let mut starts: Vec<Duration> = (0..50)
        .map(|_| {
            let begun = Instant::now();
            let sandbox = Sandbox::builder().keys(folder.path().join("keys")).start().unwrap();
            let started = begun.elapsed();
            drop(sandbox);
            started
        })
        .collect();
    starts.sort_unstable();
    println!("start with given keys: median {:.2?}, longest {:.2?}", starts[25], starts[49]);

    let floor = rsa_alone();
    println!("RSA alone on two threads: {floor:.0} a second");
    let mut builder = Sandbox::builder().keys(folder.path().join("keys"));
    let keeps_state = std::env::args().any(|word| word == "state");
    if keeps_state {
        builder = builder.state(folder.path().join("state"));
    }
    let sandbox = builder.clone().start().unwrap();
    let (mut answered, mut spent) = (0, 0.0);
    let mut memory = Vec::new();
    while answered < requests {
        let target = format!("{}|{}|{answered}", sandbox.base_url(), folder.path().display());
        let client = Command::new(std::env::current_exe().unwrap())
            .env(CLIENT, target)
            .stdout(Stdio::piped())
            .output()
            .unwrap();
        assert!(client.status.success());
        spent += String::from_utf8(client.stdout).unwrap().trim().parse::<f64>().unwrap();
        answered += BATCH;
        memory.push(resident());
    }
    let rate = answered as f64 / spent;
    println!("{answered} signed orders: {rate:.0} a second, {:.2} of RSA alone", rate / floor);
    let at = |share: f64| memory[((memory.len() - 1) as f64 * share) as usize];
    println!(
        "memory after the first batch {} MiB, half-way {} MiB, at the end {} MiB",
        at(0.0),
        at(0.5),
        at(1.0)
    );
    if keeps_state {
        drop(sandbox);
        let begun = Instant::now();
        drop(builder.start().unwrap());
        println!("start with that state, and its end: {:.2?}", begun.elapsed());
    }
}

/// Verifications (by the crate `rsa`, as in the sandbox) with a signature each, per second.
fn rsa_alone() -> f64 {
    let pair = KeyPair::from_pkcs8(pem::parse(key("merchant_key.pem")).unwrap().contents()).unwrap();
    let public = rsa::PublicKey::from_public_key_pem(&key("merchant_pub.pem")).unwrap();
    let signature = sign(&pair, b"message");
    let signature = STANDARD.decode(signature).unwrap();
    let begun = Instant::now();
    let each = 1_500;
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..each {
                    let digest = Sha256::digest(b"message");
                    public.verify(Pkcs1v15Sign::new::<Sha256>(), &digest, &signature).unwrap();
                    sign(&pair, b"message");
                }
            });
        }
    });
    f64::from(2 * each) / begun.elapsed().as_secs_f64()
}

fn sign(pair: &KeyPair, message: &[u8]) -> String {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
    STANDARD.encode(signature)
}

/// The client: signs a batch, sends it over a few connections, and prints the seconds that the sending took.
fn fire(target: &str) {
    let mut parts = target.split('|');
    let (base, folder, first) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let first: usize = first.parse().unwrap();
    let keys = std::path::Path::new(folder).join("keys");
    let read = |name: &str| std::fs::read_to_string(keys.join(name)).unwrap();
    let pair = KeyPair::from_pkcs8(pem::parse(read("apiclient_key.pem")).unwrap().contents()).unwrap();
    let identity: serde_json::Value = serde_json::from_str(&read("identity.json")).unwrap();
    let mchid = identity["mchid"].as_str().unwrap();
    let certificate = pem::parse(read("apiclient_cert.pem")).unwrap();
    let serial = serial(certificate.contents());
    let host = base.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let requests: Vec<Vec<u8>> = (first..first + BATCH)
        .map(|number| {
            let body = format!(
                r#"{{"appid":"wxd678efh567hg6787","mchid":"{mchid}","description":"d","out_trade_no":"P{number:012}","notify_url":"https://www.example.com/n","amount":{{"total":100}}}}"#
            );
            let nonce = format!("{number:032}");
            let message = format!("POST\n/v3/pay/transactions/native\n{now}\n{nonce}\n{body}\n");
            let signature = sign(&pair, message.as_bytes());
            format!(
                "POST /v3/pay/transactions/native HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nAccept: application/json\r\nUser-Agent: bench\r\nContent-Length: {}\r\nAuthorization: WECHATPAY2-SHA256-RSA2048 mchid=\"{mchid}\",serial_no=\"{serial}\",timestamp=\"{now}\",nonce_str=\"{nonce}\",signature=\"{signature}\"\r\n\r\n{body}",
                body.len()
            )
            .into_bytes()
        })
        .collect();
    let begun = Instant::now();
    thread::scope(|scope| {
        for chunk in requests.chunks(BATCH / CONNECTIONS) {
            let host = &host;
            scope.spawn(move || send(host, chunk));
        }
    });
    println!("{}", begun.elapsed().as_secs_f64());
}

fn send(host: &str, requests: &[Vec<u8>]) {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut buffer = vec![0; 16 << 10];
    for request in requests {
        stream.write_all(request).unwrap();
        let mut filled = 0;
        loop {
            let read = stream.read(&mut buffer[filled..]).unwrap();
            assert!(read > 0, "the connection ended");
            filled += read;
            let text = std::str::from_utf8(&buffer[..filled]).unwrap();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned)
            });
            if body.len() == length.unwrap().parse::<usize>().unwrap() {
                assert!(head.starts_with("HTTP/1.1 200"), "{text}");
                break;
            }
        }
    }
}

/// The certificate's serial: the first INTEGER after the version in the DER.
fn serial(der: &[u8]) -> String {
    let at = der.windows(5).position(|w| w == [0xa0, 0x03, 0x02, 0x01, 0x02]).unwrap() + 5;
    let length = usize::from(der[at + 1]);
    der[at + 2..at + 2 + length].iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The resident memory of this process in MiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() / 1024
}
