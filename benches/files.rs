//! Notifications, sensitive fields, uploads and downloads, and their floors, in one run: `cargo bench --bench files`.
//!
//! Everything is measured in CPU time of this process, over all its threads; the server is another process.
#![allow(missing_docs, unreachable_pub, dead_code, clippy::unwrap_used)]

mod common;

use std::io::{BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
    PublicEncryptingKey,
};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::cpu::CpuTime;
use common::server::Server;
use common::{MCHID, MERCHANT_SERIAL, PLATFORM_SERIAL, key};
use criterion::{Criterion, Throughput};
use serde_json::{Value, json};
use wechatpay_chain::{Media, WeChatPay};

const APIV3_KEY: &str = "0123456789abcdef0123456789ABCDEF";
const SERVE: &str = "WECHATPAY_BENCH_SERVE_FILE";
const UPLOAD: usize = 16 << 20;
const BILL: usize = 64 << 20;

fn main() {
    if let Some(file) = std::env::var_os(SERVE) {
        serve(Path::new(&file));
    }
    let mut c = Criterion::default()
        .with_measurement(CpuTime)
        .measurement_time(Duration::from_secs(5))
        .sample_size(20)
        .configure_from_args();
    notification(&mut c, &client("https://example.com/"));
    sensitive(&mut c, &client("https://example.com/"));
    upload(&mut c, &client("https://example.com/"));
    bill(&mut c);
    c.final_summary();
}

fn client(base: &str) -> WeChatPay {
    WeChatPay::builder()
        .mchid(MCHID)
        .serial(MERCHANT_SERIAL)
        .private_key(key("merchant_key.pem"))
        .platform_key(PLATFORM_SERIAL, key("platform_cert.pem"))
        .apiv3_key(APIV3_KEY)
        .base_url(base)
        .build()
        .unwrap()
}

fn der(name: &str) -> Vec<u8> {
    pem::parse(key(name)).unwrap().into_contents()
}

/// Verified and decrypted; made once, so the whole group must end within 300 s.
fn notification(c: &mut Criterion<CpuTime>, wx: &WeChatPay) {
    let cipher = || LessSafeKey::new(UnboundKey::new(&AES_256_GCM, APIV3_KEY.as_bytes()).unwrap());
    let mut encrypted = common::order().to_string().into_bytes();
    let nonce = || Nonce::try_assume_unique_for_key(b"0123456789ab").unwrap();
    cipher().seal_in_place_append_tag(nonce(), Aad::from("transaction"), &mut encrypted).unwrap();
    let body = json!({
        "id": "EV-2018022511223320873", "create_time": "2026-11-20T10:34:56+08:00",
        "event_type": "TRANSACTION.SUCCESS", "resource_type": "encrypt-resource", "summary": "支付成功",
        "resource": {
            "algorithm": "AEAD_AES_256_GCM", "ciphertext": STANDARD.encode(&encrypted), "nonce": "0123456789ab",
            "associated_data": "transaction", "original_type": "transaction",
        },
    });
    let body = bytes::Bytes::from(body.to_string());
    let timestamp = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let message = [format!("{timestamp}\nNONCE\n").as_bytes(), &body, b"\n"].concat();
    let platform = common::server::platform_key();
    let mut signature = vec![0; platform.public_modulus_len()];
    let random = aws_lc_rs::rand::SystemRandom::new();
    platform.sign(&aws_lc_rs::signature::RSA_PKCS1_SHA256, &random, &message, &mut signature).unwrap();
    let (timestamp, signature) = (timestamp.to_string(), STANDARD.encode(signature));
    let headers = [
        ("Wechatpay-Timestamp", timestamp.as_str()),
        ("Wechatpay-Nonce", "NONCE"),
        ("Wechatpay-Serial", PLATFORM_SERIAL),
        ("Wechatpay-Signature", signature.as_str()),
    ];

    let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der("platform_pub.pem")).unwrap();
    let cipher = cipher();
    let mut group = c.benchmark_group("notification");
    group.bench_function("floor", |b| {
        b.iter(|| {
            let message = [timestamp.as_bytes(), b"\nNONCE\n", &body, b"\n"].concat();
            public.verify_sig(&message, &STANDARD.decode(&signature).unwrap()).unwrap();
            let envelope: Value = serde_json::from_slice(&body).unwrap();
            let resource = &envelope["resource"];
            let mut text = STANDARD.decode(resource["ciphertext"].as_str().unwrap()).unwrap();
            let nonce = resource["nonce"].as_str().unwrap().as_bytes();
            let nonce = Nonce::try_assume_unique_for_key(nonce).unwrap();
            let aad = Aad::from(resource["associated_data"].as_str().unwrap());
            serde_json::from_slice::<Value>(cipher.open_in_place(nonce, aad, &mut text).unwrap()).unwrap()
        });
    });
    group.bench_function("chain", |b| b.iter(|| wx.notification(headers, body.clone()).wait().unwrap()));
    group.finish();
}

fn sensitive(c: &mut Criterion<CpuTime>, wx: &WeChatPay) {
    let encrypting = |name: &str| {
        OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(&der(name)).unwrap()).unwrap()
    };
    let platform = encrypting("platform_pub.pem");
    let encrypt = |key: &OaepPublicEncryptingKey| {
        let mut encrypted = vec![0; key.ciphertext_size()];
        key.encrypt(&OAEP_SHA1_MGF1SHA1, "张三".as_bytes(), &mut encrypted, None).unwrap();
        STANDARD.encode(encrypted)
    };
    let mut group = c.benchmark_group("encrypt");
    group.bench_function("floor", |b| b.iter(|| encrypt(&platform)));
    group.bench_function("chain", |b| b.iter(|| wx.encrypt("张三").unwrap()));
    group.finish();

    let encrypted = encrypt(&encrypting("merchant_pub.pem"));
    let merchant = PrivateDecryptingKey::from_pkcs8(&der("merchant_key.pem")).unwrap();
    let merchant = OaepPrivateDecryptingKey::new(merchant).unwrap();
    let mut group = c.benchmark_group("decrypt");
    group.bench_function("floor", |b| {
        b.iter(|| {
            let mut text = vec![0; merchant.min_output_size()];
            let encrypted = STANDARD.decode(&encrypted).unwrap();
            let text = merchant.decrypt(&OAEP_SHA1_MGF1SHA1, &encrypted, &mut text, None).unwrap();
            std::str::from_utf8(text).unwrap().to_owned()
        });
    });
    group.bench_function("chain", |b| b.iter(|| wx.decrypt(&encrypted).unwrap()));
    group.finish();
}

/// The work before an upload is sent: its meta holds the file's SHA-256.
fn upload(c: &mut Criterion<CpuTime>, wx: &WeChatPay) {
    let bytes = bytes::Bytes::from(noise(UPLOAD));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.jpg");
    std::fs::write(&file, &bytes).unwrap();
    let prepare =
        |media: Media| wx["v3/merchant/media/upload"].post(Value::Null).media(media).prepare().unwrap();
    let mut group = c.benchmark_group("upload of 16 MiB");
    group.throughput(Throughput::Bytes(UPLOAD as u64));
    group.bench_function("floor, in memory", |b| b.iter(|| digest::digest(&digest::SHA256, &bytes)));
    group.bench_function("chain, in memory", |b| b.iter(|| prepare(Media::bytes("a.jpg", bytes.clone()))));
    group.bench_function("floor, on disk", |b| {
        b.iter(|| {
            let (mut file, mut sha256) =
                (std::fs::File::open(&file).unwrap(), digest::Context::new(&digest::SHA256));
            each_piece(&mut file, |piece| sha256.update(piece));
            sha256.finish()
        });
    });
    group.bench_function("chain, on disk", |b| b.iter(|| prepare(Media::file(&file))));
    group.finish();
}

/// Off the same server: streamed into nothing but its SHA-1, as it comes and decompressed.
fn bill(c: &mut Criterion<CpuTime>) {
    let mut csv = Vec::with_capacity(BILL + 128);
    for (number, cents) in noise(BILL / 64).into_iter().enumerate() {
        let order = number * 7_919;
        write!(
            csv,
            "`2026-11-20 08:15:30,`wxd678efh567hg6787,`{MCHID},`P{order:010},`{cents}.00,`SUCCESS\r\n"
        )
        .unwrap();
        if csv.len() >= BILL {
            break;
        }
    }
    csv.resize(BILL, b'\n');
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&csv).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut group = c.benchmark_group("bill of 64 MiB");
    group.sample_size(10).throughput(Throughput::Bytes(BILL as u64));
    for (name, bytes, gunzip) in [("plain", csv, false), ("gzip", gzip.finish().unwrap(), true)] {
        let file = folder.path().join(name);
        std::fs::write(&file, &bytes).unwrap();
        let server = Server::with(SERVE, &file);
        let wx = client(&server.base);
        group.bench_function(format!("floor, {name}"), |b| {
            b.iter(|| {
                let address = server.base.trim_start_matches("http://").trim_end_matches('/');
                let mut stream = BufReader::with_capacity(1 << 16, TcpStream::connect(address).unwrap());
                stream.get_mut().write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
                read_head(&mut stream);
                let (mut sha1, mut length) = (digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY), 0);
                let take = |piece: &[u8]| {
                    sha1.update(piece);
                    length += piece.len();
                };
                match gunzip {
                    true => each_piece(&mut flate2::bufread::GzDecoder::new(stream), take),
                    false => each_piece(&mut stream, take),
                }
                assert_eq!(length, BILL);
                sha1.finish()
            });
        });
        group.bench_function(format!("chain, {name}"), |b| {
            b.iter(|| {
                let download = wx["v3/billdownload/file"].get().save_to_writer(tokio::io::sink());
                let saved = download.gunzip(gunzip).wait().unwrap();
                assert_eq!(saved.bytes, BILL as u64);
                saved
            });
        });
    }
    group.finish();
}

/// The same bytes each time, as good as random.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

fn each_piece(reader: &mut impl std::io::Read, mut take: impl FnMut(&[u8])) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer).unwrap() {
            0 => return,
            length => take(&buffer[..length]),
        }
    }
}

fn read_head(stream: &mut impl std::io::BufRead) {
    let mut line = String::new();
    while stream.read_line(&mut line).unwrap() > 2 {
        line.clear();
    }
}

/// This program again: a server that sends one file for every request.
fn serve(file: &Path) -> ! {
    let bytes = std::fs::read(file).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut stdout = std::io::stdout();
    writeln!(stdout, "http://{}/", listener.local_addr().unwrap()).unwrap();
    stdout.flush().unwrap();
    // The end of the one that started this: its pipe is closed.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    loop {
        let mut stream = BufReader::new(listener.accept().unwrap().0);
        read_head(&mut stream);
        let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", bytes.len());
        let stream = stream.get_mut();
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&bytes));
    }
}
