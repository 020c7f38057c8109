//! Connections: garbage, slow and idle ones, several requests, the end of the server.

use std::{
    io::{Read, Write},
    time::{Duration, Instant},
};

use serde_json::json;
use wechatpay_chain::sandbox::{Fault, Sent, SignatureVerdict, Verdict};

use super::*;
use crate::raw_http::*;
use crate::support::{has, start_sandbox};

#[test]
fn garbage_does_not_stop_the_server() {
    let (sandbox, keys) = sandbox!();
    let head = "POST /v3/security/echo HTTP/1.1\r\nHost: x\r\n";
    let garbage = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        vec![0; 100_000],
        b"GET\r\n\r\n".to_vec(),
        b"GET /%%% HTTP/9.9\r\n\r\n".to_vec(),
        b"GET /v3/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"GET http://other/v3/x HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        format!("{head}Content-Length: -1\r\n\r\n").into_bytes(),
        format!("{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n").into_bytes(),
        format!("{head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef").into_bytes(),
        format!("{head}X: {}\r\n\r\n", "y".repeat(600_000)).into_bytes(),
        [head.as_bytes(), b"Authorization: \xff\r\n\r\n"].concat(),
        format!("{head}Content-Type: multipart/form-data; boundary=\r\nContent-Length: 2\r\n\r\n--")
            .into_bytes(),
    ];
    for bytes in garbage {
        let mut stream = connect(&sandbox);
        // The server may close the connection before it has read everything.
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let start = Instant::now();
        let _ = stream.read_to_end(&mut Vec::new());
        assert!(start.elapsed() < Duration::from_secs(12), "{}", String::from_utf8_lossy(&bytes[..20]));
    }
    assert_eq!(get(&sandbox, &keys, CERTIFICATES).status, 200);
}

#[test]
fn headers_that_never_end_and_idle_connections_are_closed() {
    let (sandbox, keys) = sandbox!();
    let mut slow = connect(&sandbox);
    slow.write_all(b"GET /v3/x HTTP/1.1\r\nHost: x\r\n").unwrap();
    let mut idle = connect(&sandbox);
    let plan = Plan::new(&sandbox, "GET", CERTIFICATES, "");
    idle.write_all(&plan.bytes(&plan.authorization(&keys))).unwrap();
    assert_eq!(receive(&mut idle).unwrap().status, 200);
    let start = Instant::now();
    for stream in [&mut slow, &mut idle] {
        let _ = stream.read_to_end(&mut Vec::new());
        assert!(start.elapsed() < Duration::from_secs(12));
    }
    assert!(start.elapsed() > Duration::from_secs(6));
}

#[test]
fn a_connection_serves_many_requests() {
    let (sandbox, keys) = sandbox!();
    let mut stream = connect(&sandbox);
    for text in ["a", "b", "c"] {
        let plan = Plan::new(&sandbox, "POST", ECHO, &json!({ "echo_message": text }).to_string());
        stream.write_all(&plan.bytes(&plan.authorization(&keys))).unwrap();
        let reply = receive(&mut stream).unwrap();
        assert!(reply.json()["echo_message"] == text && reply.verifies(&keys));
    }
    // Two at once, answered in order.
    let plans = ["one", "two"]
        .map(|text| Plan::new(&sandbox, "POST", ECHO, &json!({ "echo_message": text }).to_string()));
    let bytes: Vec<u8> = plans.iter().flat_map(|plan| plan.bytes(&plan.authorization(&keys))).collect();
    stream.write_all(&bytes).unwrap();
    for text in ["one", "two"] {
        assert_eq!(receive(&mut stream).unwrap().json()["echo_message"], text);
    }
}

#[test]
fn the_end_is_quick_safe_in_a_runtime_and_frees_the_port() {
    fn shared<T: Send + Sync>(_: &T) {}
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let sandbox = start_sandbox();
        shared(&sandbox);
        sandbox.inject_always(Fault::Delay(Duration::from_secs(60)));
        // A connection that waits for a response must not delay the end.
        let mut waiting = connect(&sandbox);
        let plan = Plan::new(&sandbox, "GET", "/v3/x", "");
        waiting.write_all(&plan.bytes(&plan.authorization(&export(&sandbox)))).unwrap();
        while sandbox.requests().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let address = sandbox.base_url()[7..].trim_end_matches('/').to_string();
        let start = Instant::now();
        drop(sandbox);
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        assert!(std::net::TcpStream::connect(address).is_err());
        assert!(receive(&mut waiting).is_none());
    });
}

/// Its number is in the list, so it must be explained there.
#[test]
fn a_client_that_leaves_within_the_body_is_listed() {
    let sandbox = start_sandbox();
    let head = "POST /v3/pay/transactions/native HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{";
    for _ in 0..2 {
        let mut stream = connect(&sandbox);
        stream.write_all(head.as_bytes()).unwrap();
        stream.flush().unwrap();
        std::thread::sleep(Duration::from_millis(100));
    }
    // A body in chunks, broken off by the client.
    let chunked = "POST /v3/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab";
    connect(&sandbox).write_all(chunked.as_bytes()).unwrap();
    let seen = loop {
        let seen = sandbox.requests();
        if seen.len() == 3 && seen.iter().all(|seen| seen.response.sent != Sent::Pending) {
            break seen;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    for (seen, number) in seen.iter().zip(1..) {
        assert_eq!(
            (seen.number, seen.response.sent, &seen.verdict),
            (number, Sent::ClientLeft, &Verdict::Disturbed)
        );
        assert_eq!((seen.signature, seen.passed()), (SignatureVerdict::NotChecked, false));
        assert!(seen.to_string().contains("the client closed the connection"), "{seen}");
    }
}
