//! The bytes of an HTTP response, to a call, a download and a bill request. Only what the platform's key signed may come
//! out as verified.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use wechatpay_chain::WeChatPay;

use super::common::builder;

/// The bodies that the platform's key signed in the seeds. A signature does not cover the status.
const SIGNED: [&[u8]; 3] =
    [b"", b"{\"data\":[]}", b"{\"code\":\"PARAM_ERROR\",\"message\":\"x\",\"detail\":{\"field\":\"a\"}}"];

static RESPONSE: Mutex<Vec<u8>> = Mutex::new(Vec::new());
/// One exchange at a time.
static ONE: Mutex<()> = Mutex::new(());
static CLIENT: LazyLock<WeChatPay> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let base = format!("http://{}/", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let response = RESPONSE.lock().map(|response| response.clone()).unwrap_or_default();
            let _ = stream.write_all(&response);
            // Closed with nothing unread, so that the response arrives; one response for a connection.
        }
    });
    builder(&base).timeout(Duration::from_secs(5)).max_body(1 << 20).build().expect("a client")
});

pub(crate) fn run(data: &[u8]) {
    accepts(data);
}

/// Whether a call, a download or a bill succeeds with it.
pub(crate) fn accepts(data: &[u8]) -> bool {
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some((kind, response)) = data.split_first() else { return false };
    if let Ok(mut next) = RESPONSE.lock() {
        *next = response.to_vec();
    }
    let chain = CLIENT.chain("v3/certificates");
    let sink = tokio::io::sink;
    match kind % 3 {
        0 => {
            let Ok(response) = chain.get().wait() else { return false };
            assert!((200..300).contains(&response.status()));
            assert!(response.verified(), "an unsigned response of a signed path");
            assert!(SIGNED.contains(&&response.bytes()[..]), "verified: {:?}", response.text());
        }
        1 => {
            let Ok(saved) = chain.get().save_to_writer(sink()).max_bytes(1 << 20).wait() else {
                return false;
            };
            assert!((200..300).contains(&saved.status) && saved.verified);
            let lengths = SIGNED.map(|body| body.len() as u64);
            assert!(lengths.contains(&saved.bytes), "verified: {} bytes", saved.bytes);
        }
        // None of the signed bodies names a file.
        _ => {
            assert!(CLIENT.bill("v3/certificates").save_to_writer(sink()).wait().is_err());
            return false;
        }
    }
    true
}
