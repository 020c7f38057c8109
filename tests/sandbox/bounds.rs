//! What the sandbox keeps is bounded, and a bound that is hit is told.

use std::time::{Duration, Instant};
#[cfg(target_os = "linux")]
use std::{io::Write, net::TcpStream, thread};

use serde_json::{Value, json};
use wechatpay_chain::Error;
#[cfg(target_os = "linux")]
use wechatpay_chain::Media;
use wechatpay_chain::sandbox::{Delivery, Fault, Rotation, Sandbox, SentNotification};

#[cfg(target_os = "linux")]
use crate::program::Running;
use crate::support::start_sandbox;

/// Nobody has to sign anything for this.
#[cfg(target_os = "linux")]
#[test]
fn the_bodies_that_are_read_at_the_same_time_are_bounded() {
    let running = Running::start(&["--port", "0"]);
    let address = running.exports()["WECHATPAY_BASE_URL"].clone();
    let address = address.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let resident = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", running.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() >> 10
    };
    let before = resident();
    let head = "POST /v3/merchant/media/upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=a\r\n";
    // Declared or chunked, all but the last bytes are sent.
    let senders: Vec<_> = (0..24)
        .map(|count| {
            let mut stream = TcpStream::connect(&address).unwrap();
            stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
            thread::spawn(move || {
                let (length, chunk) = match count % 2 {
                    0 => ("Content-Length: 33000000\r\n\r\n", String::new()),
                    _ => ("Transfer-Encoding: chunked\r\n\r\n", "1f00000\r\n".to_owned()),
                };
                let sent = write!(stream, "{head}{length}{chunk}");
                let part = vec![b'x'; 1 << 20];
                // The client is held up.
                let _ = sent.and_then(|()| (0..30).try_for_each(|_| stream.write_all(&part)));
                stream
            })
        })
        .collect();
    let streams: Vec<TcpStream> = senders.into_iter().map(|sender| sender.join().unwrap()).collect();
    let grown = resident() - before;
    assert!((32..300).contains(&grown), "{grown} MiB");
    // Small requests need no share, and the memory comes back.
    assert!(running.client()["v3/security/echo"].post_sync(json!({"echo_message": "x"})).is_ok());
    drop(streams);
    let picture = [&b"BM"[..], &[0; 1 << 20]].concat();
    let upload =
        running.client()["v3/merchant/media/upload"].post(json!(null)).media(Media::bytes("a.bmp", picture));
    assert!(upload.wait().is_ok());
}

#[test]
fn waiting_notifications_are_bounded_in_bytes() {
    let sandbox = start_sandbox();
    let resource = json!({ "x": "y".repeat(1 << 20) });
    for _ in 0..100 {
        sandbox.notify("http://127.0.0.1:9/n", "TRANSACTION.SUCCESS", "transaction", &resource);
    }
    let refused =
        |one: &SentNotification| matches!(&one.delivery, Delivery::Refused(why) if why.contains("too many"));
    let all = sandbox.notifications();
    let dropped = all.iter().filter(|one| refused(one)).count();
    assert!((20..30).contains(&dropped), "{dropped} of {}", all.len());
    // The small ones that come later have room only if it is free.
    assert!(all.iter().rev().take(10).all(refused));

    // What is not kept is marked.
    let begun = Instant::now();
    while sandbox.notifications()[0].body_length == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(20));
    }
    let first = &sandbox.notifications()[0];
    assert!(first.body.is_empty() && first.body_length > 1 << 20, "{first:?}");
}

#[test]
fn the_keys_of_the_platform_are_bounded() {
    let sandbox = start_sandbox();
    let last = (0..100).map(|_| sandbox.rotate(Rotation::PublicKey)).find_map(Result::err).unwrap();
    let message = last.to_string();
    assert!(message.contains("limit 50") && message.contains("retire"), "{message}");
    let certificate = sandbox.platform_certificate_serial().to_owned();
    sandbox.retire(&certificate).unwrap();
    sandbox.rotate(Rotation::PublicKey).unwrap();
    // A wrong signature is compared with all of them.
    let other = Sandbox::start().unwrap();
    let builder = sandbox.client_builder().private_key(other.merchant_key_pem());
    let wx = builder.build().unwrap();
    let begun = Instant::now();
    let Err(Error::Api(error)) = wx["v3/certificates"].get_sync() else { panic!("accepted") };
    assert!(error.message.contains("was not made with the merchant's key"), "{}", error.message);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[test]
fn the_queue_of_faults_is_bounded() {
    let sandbox = start_sandbox();
    for _ in 0..1_002 {
        sandbox.inject(Fault::BadSignature);
    }
    sandbox.expect_faults();
    let unmet = sandbox.unmet();
    assert_eq!(unmet.len(), 1_001);
    assert!(
        unmet[1_000].contains("2 faults were not queued") && unmet[1_000].contains("limit 1000"),
        "{unmet:?}"
    );
    let wx = sandbox.client().unwrap();
    assert!(matches!(wx["v3/certificates"].get_sync(), Err(Error::Verify(_))));
    sandbox.inject(Fault::BadSignature); // there is room again
    assert!(sandbox.unmet()[1_000].contains("2 faults"));
    sandbox.clear_faults();
    assert_eq!(sandbox.unmet(), Vec::<String>::new());
}

#[test]
fn scripted_responses_are_bounded() {
    let sandbox = start_sandbox();
    let large = json!("x".repeat(1 << 20));
    let on = |number: usize| sandbox.on("GET", &format!("v3/x{number}"), 200, large.clone());
    let error = (0..70).find_map(|number| on(number).err()).unwrap().to_string();
    assert!(error.contains("limit 67108864 bytes"), "{error}");
    // A replaced one leaves room, and those that fitted respond.
    on(3).unwrap();
    sandbox.on("GET", "v3/x3", 200, json!({"a": 1})).unwrap();
    on(1_000).unwrap();
    let wx = sandbox.client().unwrap();
    assert_eq!(*wx["v3/x3"].get_sync().unwrap().data(), json!({"a": 1}));

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script.jsonl");
    let line = |number: usize| format!("{{\"method\":\"GET\",\"template\":\"v3/x/{number}\"}}\n");
    std::fs::write(&file, (0..10_001).map(line).collect::<String>()).unwrap();
    let error = Sandbox::builder().script(&file).start().unwrap_err().to_string();
    assert!(error.contains("line 10001") && error.contains("too many scripts (limit 10000)"), "{error}");
}

#[test]
fn the_expectations_of_a_test_are_bounded() {
    let sandbox = start_sandbox();
    for number in 0..1_000 {
        sandbox.expect("GET", &format!("v3/x{number}"), 0).unwrap();
    }
    let error = sandbox.expect("GET", "v3/x", 0).unwrap_err().to_string();
    assert!(error.contains("too many expectations (limit 1000)"), "{error}");
    assert_eq!(sandbox.unmet(), Vec::<String>::new());
    let _: Value = sandbox.client().unwrap()["v3/certificates"].get_sync().unwrap().into_data();
}
