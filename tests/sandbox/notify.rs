//! Notifications that the sandbox sends, received by a plain socket.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use wechatpay_chain::{
    Error, VerifyReason,
    http::{HeaderMap, HeaderName, HeaderValue},
    sandbox::{Delivery, Fault, FaultRule, Sandbox, SentNotification},
};

use crate::raw_http::{Reply, export};
use crate::support::{TestServer, has, sandbox_builder, start_sandbox};

pub(crate) const WAIT: Duration = Duration::from_secs(20);

/// What came over one connection; the body may end early.
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    whole: bool,
}

/// A receiver that sends each connection the next status; 0: no response, 1: it keeps the sender waiting. The
/// last one is for all that follow.
pub(crate) fn receiver(statuses: &[u16]) -> (TestServer, String, Receiver<Received>) {
    let (sender, received) = mpsc::channel();
    let (statuses, mut connections, mut kept) = (statuses.to_vec(), 0, Vec::new());
    let server = TestServer::one_by_one(move |mut stream, notes| {
        let status = statuses[connections.min(statuses.len() - 1)];
        connections += 1;
        let request = read(stream);
        notes.request(request.head.lines().next().unwrap_or_default());
        let whole = request.whole;
        if sender.send(request).is_err() {
            // The test has seen enough.
            return Ok(());
        }
        match status {
            0 => {}
            1 => kept.push(stream.try_clone()?),
            _ if !whole => {}
            _ => {
                let head = format!("HTTP/1.1 {status} X\r\nLocation: /elsewhere\r\n");
                write!(stream, "{head}Content-Length: 0\r\nConnection: close\r\n\r\n")?;
            }
        }
        Ok(())
    });
    let url = format!("{}notify", server.base);
    (server, url, received)
}

fn read(mut stream: &TcpStream) -> Received {
    stream.set_read_timeout(Some(WAIT)).unwrap();
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return Received { head: String::from_utf8(head).unwrap(), body: Vec::new(), whole: false },
        }
    }
    let head = String::from_utf8(head).unwrap();
    let length: usize = header(&head, "Content-Length").unwrap().parse().unwrap();
    let mut body = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match stream.read(&mut body[filled..]) {
            Ok(0) | Err(_) => break,
            Ok(count) => filled += count,
        }
    }
    body.truncate(filled);
    Received { head, whole: body.len() == length, body }
}

/// By the spelling of the name, too.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.split("\r\n")
        .filter_map(|line| line.split_once(": "))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

impl Received {
    fn header(&self, name: &str) -> &str {
        header(&self.head, name).unwrap_or_else(|| panic!("no {name}: {}", self.head))
    }

    pub(crate) fn headers(&self) -> HeaderMap {
        let lines = self.head.split("\r\n").skip(1).filter_map(|line| line.split_once(": "));
        lines
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    fn id(&self) -> String {
        let envelope: Value = serde_json::from_slice(&self.body).unwrap();
        envelope["id"].as_str().unwrap().to_string()
    }
}

fn order() -> Value {
    json!({ "out_trade_no": "P1", "trade_state": "SUCCESS", "amount": { "total": 100 } })
}

pub(crate) fn pay(sandbox: &Sandbox, url: &str) -> String {
    sandbox.notify(url, "TRANSACTION.SUCCESS", "transaction", &order())
}

/// Waits until the notification with this id is done.
pub(crate) fn done(sandbox: &Sandbox, id: &str) -> SentNotification {
    let until = Instant::now() + WAIT;
    loop {
        let all = sandbox.notifications();
        let one = all.iter().find(|notification| notification.id == id).unwrap();
        if one.is_done() {
            return one.clone();
        }
        assert!(Instant::now() < until, "{one:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn results(notification: &SentNotification) -> Vec<Result<u16, String>> {
    notification.attempts.iter().map(|attempt| attempt.result.clone()).collect()
}

#[test]
fn a_notification_is_sent_signed_and_encrypted() {
    let sandbox = start_sandbox();
    let (_server, url, received) = receiver(&[204]);
    let id = pay(&sandbox, &url);
    let request = received.recv_timeout(WAIT).unwrap();
    assert!(request.head.starts_with("POST /notify HTTP/1.1\r\n"), "{}", request.head);
    assert_eq!(request.header("Content-Type"), "application/json");
    assert_eq!(request.header("Wechatpay-Serial"), sandbox.platform_certificate_serial());
    assert_eq!(request.header("Wechatpay-Nonce").len(), 32);
    // The platform spells it so.
    assert_eq!(request.header("Request-ID").len(), 40);
    assert_eq!(request.header("Host"), url.trim_start_matches("http://").trim_end_matches("/notify"));
    assert_eq!(request.id(), id);
    let envelope: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(envelope["event_type"], "TRANSACTION.SUCCESS");
    assert_eq!(envelope["resource"]["original_type"], "transaction");

    // The SDK decrypts it.
    let wx = sandbox.client().unwrap();
    let notification = wx.notification(&request.headers(), request.body.clone()).wait().unwrap();
    assert_eq!((notification.id.as_str(), &notification.resource), (id.as_str(), &order()));

    let sent = done(&sandbox, &id);
    assert_eq!((sent.delivery, sent.attempts.len(), sent.url), (Delivery::Accepted, 1, url));
    assert!(sent.attempts[0].at.elapsed().unwrap() < WAIT);
    assert!(received.try_recv().is_err());
    if !has("openssl") {
        return;
    }
    // And `openssl` verifies it.
    let keys = export(&sandbox);
    let mut lines = request.head.split("\r\n").skip(1).filter_map(|line| line.split_once(": "));
    let headers = lines.by_ref().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let as_reply = Reply { status: 200, headers, body: request.body, whole: true };
    assert!(as_reply.verifies(&keys));
    assert!(!as_reply.verifies_over(&keys, b"{}"));
}

#[test]
fn a_notification_is_repeated_until_it_is_accepted() {
    let sandbox = sandbox_builder().time_scale(1000.0).start().unwrap();
    let (_server, url, received) = receiver(&[500, 0, 200]);
    let id = pay(&sandbox, &url);
    let sent = done(&sandbox, &id);
    let results = results(&sent);
    assert_eq!((&results[0], &results[2], results.len()), (&Ok(500), &Ok(200), 3));
    assert!(results[1].as_ref().is_err_and(|why| !why.is_empty()));
    let requests: Vec<Received> = received.try_iter().collect();
    assert_eq!(requests.len(), 3);
    let wx = sandbox.client().unwrap();
    for request in &requests {
        assert_eq!(request.id(), id);
        assert_eq!(request.body, requests[0].body);
        assert!(wx.notification(&request.headers(), request.body.clone()).wait().is_ok());
    }
    for name in ["Wechatpay-Nonce", "Wechatpay-Signature", "Request-ID"] {
        assert!(requests[0].header(name) != requests[1].header(name), "{name}");
        assert!(requests[1].header(name) != requests[2].header(name), "{name}");
    }
    // 15 s a thousand times faster.
    let pause = sent.attempts[1].at.duration_since(sent.attempts[0].at).unwrap();
    assert!(pause >= Duration::from_millis(15) && pause < Duration::from_secs(5), "{pause:?}");
}

#[test]
fn a_notification_is_given_up_after_the_schedule() {
    // 24 h and 4 min in 0.87 s.
    let sandbox = sandbox_builder().time_scale(100_000.0).start().unwrap();
    let (_server, url, received) = receiver(&[302]);
    let id = pay(&sandbox, &url);
    let sent = done(&sandbox, &id);
    assert_eq!(sent.delivery, Delivery::GivenUp);
    // An attempt may time out after its second on a busy machine.
    assert_eq!(sent.attempts.len(), 16);
    assert!(results(&sent).iter().all(|result| matches!(result, Ok(302) | Err(_))), "{sent:?}");
    let requests: Vec<Received> = received.try_iter().collect();
    assert!(
        requests.iter().all(|request| request.head.starts_with("POST /notify ")),
        "no redirect is followed"
    );
    assert!(!requests.is_empty());
}

#[test]
fn a_receiver_that_does_not_respond_in_time_gets_it_again() {
    let sandbox = sandbox_builder().time_scale(1000.0).start().unwrap();
    let (_server, url, _received) = receiver(&[1, 200]);
    let started = Instant::now();
    let sent = done(&sandbox, &pay(&sandbox, &url));
    assert!(results(&sent)[0].as_ref().is_err_and(|why| why.contains("time")), "{sent:?}");
    assert_eq!(results(&sent)[1], Ok(200));
    assert!(started.elapsed() >= Duration::from_secs(1), "the timeout does not shrink below 1 s");
}

#[test]
fn a_name_that_cannot_be_resolved_is_tried_again() {
    let sandbox = sandbox_builder().time_scale(1e6).start().unwrap();
    let sent = done(&sandbox, &pay(&sandbox, "http://no-such-host.invalid/notify"));
    // As often as any receiver that does not respond.
    assert_eq!((&sent.delivery, sent.attempts.len()), (&Delivery::GivenUp, 16));
    assert!(
        results(&sent).iter().all(|result| result.as_ref().unwrap_err().contains("no-such-host.invalid"))
    );
    assert!(sent.headers.is_empty() && sent.to_string().ends_with("given up after 16 attempts"), "{sent}");
}

#[test]
fn nothing_leaves_this_machine_unless_allowed() {
    let sandbox = start_sandbox();
    for (url, part) in [
        ("https://192.0.2.1/notify", "not this machine"),
        ("http://[2001:db8::1]/notify", "not this machine"),
        ("notify", "not a URL"),
        ("", "not a URL"),
        ("file:///etc/passwd", "http://"),
    ] {
        let sent = done(&sandbox, &pay(&sandbox, url));
        let Delivery::Refused(why) = &sent.delivery else { panic!("{sent:?}") };
        assert!(why.contains(part) && sent.attempts.is_empty(), "{url}: {why}");
    }
    // A name that resolves to this machine is allowed, like its address.
    let (_server, url, _received) = receiver(&[200]);
    let url = url.replace("127.0.0.1", "localhost");
    assert_eq!(done(&sandbox, &pay(&sandbox, &url)).delivery, Delivery::Accepted);
    // An allowed host is tried; a failed connection counts as an attempt, not as a refusal.
    let sandbox = sandbox_builder().notify_host("192.0.2.1").time_scale(1e6).start().unwrap();
    let id = pay(&sandbox, "http://192.0.2.1:9/notify");
    let until = Instant::now() + WAIT;
    while sandbox.notifications()[0].attempts.is_empty() && Instant::now() < until {
        thread::sleep(Duration::from_millis(10));
    }
    let sent = &sandbox.notifications()[0];
    assert!(sent.id == id && sent.attempts[0].result.is_err(), "{sent:?}");
    for host in ["a b", "http://x"] {
        assert!(sandbox_builder().notify_host(host).start().unwrap_err().to_string().contains("notify_host"));
    }
    assert!(sandbox_builder().time_scale(0.0).start().unwrap_err().to_string().contains("time_scale"));
}

#[test]
fn a_probe_is_sent_first_and_does_not_count() {
    let sandbox = sandbox_builder().time_scale(1000.0).start().unwrap();
    let wx = sandbox.client().unwrap();
    for (fault, reason) in [
        (Fault::SignatureProbe, Some(VerifyReason::SignatureProbe)),
        (Fault::BadSignature, None),
        (Fault::WrongBody, None),
        (Fault::OldTimestamp, None),
        (Fault::MissingHeader("Wechatpay-Nonce".into()), None),
        (Fault::UnknownSerial, None),
    ] {
        let (_server, url, received) = receiver(&[200]);
        sandbox.inject(fault.clone());
        let id = pay(&sandbox, &url);
        let sent = done(&sandbox, &id);
        assert_eq!((sent.delivery.clone(), results(&sent)), (Delivery::Accepted, vec![Ok(200); 2]));
        assert_eq!((&sent.attempts[0].faults, &sent.attempts[1].faults), (&vec![fault.clone()], &vec![]));
        let requests: Vec<Received> = received.try_iter().collect();
        let error = wx.notification(&requests[0].headers(), requests[0].body.clone()).wait().unwrap_err();
        let Error::Verify(error) = error else { panic!("{fault}: {error}") };
        assert!(reason.is_none_or(|reason| reason == error.reason), "{fault}: {error}");
        assert!(wx.notification(&requests[1].headers(), requests[1].body.clone()).wait().is_ok(), "{fault}");
    }
}

#[test]
fn faults_of_the_connection_and_duplicates() {
    let sandbox = sandbox_builder().time_scale(1000.0).start().unwrap();
    let run = |fault: Fault| {
        let (_server, url, received) = receiver(&[200]);
        sandbox.inject(fault);
        let started = Instant::now();
        let sent = done(&sandbox, &pay(&sandbox, &url));
        assert_eq!(sent.delivery, Delivery::Accepted);
        (sent, received.try_iter().collect::<Vec<_>>(), started.elapsed())
    };
    let (sent, requests, _) = run(Fault::CutConnection);
    assert!(results(&sent)[0].is_err() && results(&sent)[1] == Ok(200), "{sent:?}");
    assert!(requests[0].whole && requests[0].id() == requests[1].id(), "the receiver had it the first time");

    let (sent, requests, _) = run(Fault::CutBody);
    assert!(results(&sent)[0].is_err() && results(&sent)[1] == Ok(200), "{sent:?}");
    assert!(!requests[0].whole && !requests[0].body.is_empty() && requests[1].whole);

    let (sent, requests, _) = run(Fault::Duplicate);
    assert_eq!((results(&sent), requests.len()), (vec![Ok(200); 2], 2));
    assert_eq!(requests[0].id(), requests[1].id());
    assert_ne!(requests[0].header("Wechatpay-Nonce"), requests[1].header("Wechatpay-Nonce"));

    let (sent, _, time) = run(Fault::Delay(Duration::from_millis(300)));
    assert!(sent.attempts.len() == 1 && time >= Duration::from_millis(300), "{time:?}");

    // Faults that have no meaning for notifications do nothing.
    let (sent, ..) = run(Fault::SystemErrorAfterExecuting);
    assert!(sent.attempts.len() == 1 && sent.attempts[0].faults.is_empty());
}

#[test]
fn rules_for_notifications_leave_requests_alone() {
    let sandbox = sandbox_builder().time_scale(1000.0).start().unwrap();
    let rule = FaultRule::new(Fault::Duplicate).notifications().path("notify").nth(2);
    sandbox.inject_rule(rule).unwrap();
    sandbox.inject_rule(FaultRule::new(Fault::HtmlBadGateway)).unwrap();
    let (_server, url, received) = receiver(&[200]);
    let attempts: Vec<usize> = (0..3).map(|_| done(&sandbox, &pay(&sandbox, &url)).attempts.len()).collect();
    assert_eq!(attempts, [1, 2, 1]);
    assert_eq!(received.try_iter().count(), 4);
    assert!(sandbox.client().unwrap().chain("v3/x").get_sync().is_err());
}

#[test]
fn waiting_notifications_are_bounded() {
    let sandbox = start_sandbox();
    let (_server, url, _received) = receiver(&[1]);
    for _ in 0..10_001 {
        sandbox.notify(&url, "REFUND.SUCCESS", "refund", &json!({}));
    }
    let all = sandbox.notifications();
    let (last, before) = all.split_last().unwrap();
    assert_eq!(all.len(), 10_000);
    assert!(matches!(&last.delivery, Delivery::Refused(why) if why.contains("too many")), "{last:?}");
    assert!(before.iter().all(|notification| !notification.is_done()));
}

#[test]
fn the_end_does_not_wait_for_receivers() {
    let sandbox = start_sandbox();
    let (_server, url, received) = receiver(&[1]);
    for _ in 0..20 {
        pay(&sandbox, &url);
    }
    received.recv_timeout(WAIT).unwrap();
    let started = Instant::now();
    drop(sandbox);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}
