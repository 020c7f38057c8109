//! `wxpay trigger`: a documented event, sent to a receiver by a sandbox of its own or by a running one.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc::{self, Receiver};

use serde_json::{Value, json};
use wechatpay_chain::http::{HeaderMap, HeaderName, HeaderValue};
use wechatpay_chain::sandbox::{Delivery, Sandbox};

use crate::program::{Done, TestEnv, wxpay};
use crate::support::TestServer;

const WAIT: std::time::Duration = std::time::Duration::from_secs(20);

type Message = (HeaderMap, Vec<u8>);

/// A receiver that gives each request the next status; the last one is for all that follow.
fn receiver(statuses: &'static [u16]) -> (TestServer, String, Receiver<Message>) {
    let (sender, received) = mpsc::channel();
    let mut count = 0;
    let server = TestServer::one_by_one(move |mut stream, _| {
        let message = read(stream)?;
        let status = statuses[count.min(statuses.len() - 1)];
        count += 1;
        let _ = sender.send(message);
        let body = if status == 204 { "" } else { "{\"code\":\"FAIL\",\"message\":\"不对\"}" };
        write!(
            stream,
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    });
    let url = format!("{}notify", server.base);
    (server, url, received)
}

fn read(mut stream: &TcpStream) -> std::io::Result<Message> {
    stream.set_read_timeout(Some(WAIT))?;
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let mut headers = HeaderMap::new();
            for (name, value) in head.lines().skip(1).filter_map(|line| line.split_once(": ")) {
                let name: HeaderName = name.parse().unwrap();
                headers.insert(name, HeaderValue::from_str(value).unwrap());
            }
            let length: usize = headers["content-length"].to_str().unwrap().parse().unwrap();
            if bytes.len() >= end + 4 + length {
                return Ok((headers, bytes[end + 4..].to_vec()));
            }
        }
        let count = stream.read(&mut buffer)?;
        assert!(count > 0, "the message ends early");
        bytes.extend_from_slice(&buffer[..count]);
    }
}

#[test]
fn a_receiver_with_the_same_keys_can_verify_it() {
    let home = tempfile::tempdir().unwrap();
    let (_server, url, received) = receiver(&[204]);
    let run = |arguments: &[&str]| Done::of(wxpay(home.path()).args(["trigger"]).args(arguments));
    let set = ["--set", "/amount/total=5", "--set", "out_trade_no=P1", "--set", "/attach:={\"a\":[1]}"];
    let done = run(&[&["TRANSACTION.SUCCESS", "--to", &url, "--keys", "keys"], &set[..]].concat());
    let sent = done.json();
    assert_eq!((&sent["state"], &sent["event_type"]), (&json!("ACCEPTED"), &json!("TRANSACTION.SUCCESS")));
    assert_eq!(sent["attempts"][0]["status"], 204);

    // The receiver's SDK holds what the folder has.
    let sandbox = Sandbox::builder().keys(home.path().join("keys")).start().unwrap();
    let (headers, body) = received.recv_timeout(WAIT).unwrap();
    let notification = sandbox.client().unwrap().notification(&headers, body).wait().unwrap();
    assert_eq!(notification.resource, sent["resource"]);
    let resource = &notification.resource;
    assert_eq!((&resource["amount"]["total"], &resource["out_trade_no"]), (&json!(5), &json!("P1")));
    assert_eq!((&resource["attach"], &resource["trade_state"]), (&json!({"a": [1]}), &json!("SUCCESS")));
    drop(sandbox);

    // The same folder by the variable; merged members; a filter and a file.
    let mut command = wxpay(home.path());
    command.env("WECHATPAY_SANDBOX_KEYS", home.path().join("keys"));
    let data = r#"{"out_refund_no": "R1", "amount": {"refund": 7}, "success_time": null, "new": true}"#;
    command.args([
        "trigger",
        "REFUND.SUCCESS",
        "--to",
        &url,
        "-d",
        "@-",
        "--jq",
        ".resource",
        "-o",
        "out.json",
    ]);
    assert_eq!(Done::of(command.write_stdin(data)).ok(), "");
    let resource: Value =
        serde_json::from_slice(&std::fs::read(home.path().join("out.json")).unwrap()).unwrap();
    assert_eq!((&resource["out_refund_no"], &resource["amount"]["refund"]), (&json!("R1"), &json!(7)));
    assert_eq!((resource.get("success_time"), &resource["new"]), (None, &json!(true)));
    assert_eq!(resource["refund_status"], "SUCCESS");
}

#[test]
fn a_running_sandbox_sends_and_records_it() {
    let env = TestEnv::new();
    let (_server, url, received) = receiver(&[500, 204]);
    let done = env.run(&["trigger", "COMPLAINT.CREATE", "--to", &url, "--set", "/complaint_id=C1"]);
    // The first attempt was not accepted.
    done.is(2, "wxpay: error: the receiver did not accept the notification: it responded with 500: ");
    assert!(done.err.contains("不对") && done.err.contains("wxpay: hint: 200 or 204 accepts it"), "{done:?}");
    let sent: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!((&sent["state"], &sent["attempts"][0]["status"]), (&json!("PENDING"), &json!(500)));
    let recorded = env.sandbox.notifications().pop().unwrap();
    assert_eq!(
        (recorded.id.as_str(), recorded.event_type.as_str()),
        (sent["id"].as_str().unwrap(), "COMPLAINT.CREATE")
    );
    // It is repeated like any other.
    env.sandbox.advance(std::time::Duration::from_secs(20)).unwrap();
    let wx = env.sandbox.client().unwrap();
    for _ in 0..2 {
        let (headers, body) = received.recv_timeout(WAIT).unwrap();
        assert_eq!(wx.notification(&headers, body).wait().unwrap().resource["complaint_id"], "C1");
    }
    let until = std::time::Instant::now() + WAIT;
    while env.sandbox.notifications()[0].delivery != Delivery::Accepted {
        assert!(std::time::Instant::now() < until);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // By its base URL, without other settings; its own rules hold for the address.
    let mut command = wxpay(env.home.path());
    command.args([
        "trigger",
        "REFUND.SUCCESS",
        "--to",
        "http://192.0.2.1/n",
        "--base-url",
        env.sandbox.base_url(),
    ]);
    Done::of(&mut command).is(1, "was not sent: 192.0.2.1 is not this machine; allow it with `notify_host`");
}

#[test]
fn attempts_are_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let (_server, url, received) = receiver(&[503, 500, 204]);
    let arguments = ["trigger", "REFUND.ABNORMAL", "--to", &url, "--attempts", "3", "--time-scale", "1000"];
    let done = Done::of(wxpay(home.path()).args(arguments));
    done.is(0, "wxpay: warning: the keys are new, so the receiver cannot verify the notification");
    let sent: Value = serde_json::from_str(&done.out).unwrap();
    let statuses: Vec<_> =
        sent["attempts"].as_array().unwrap().iter().map(|one| one["status"].clone()).collect();
    assert_eq!(statuses, [503, 500, 204]);
    assert_eq!(received.try_iter().count(), 3);
}

#[test]
fn a_receiver_that_is_silent_is_waited_for_as_long_as_asked() {
    let home = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let arguments = ["trigger", "REFUND.SUCCESS", "--to", &url, "--keys", "keys", "--timeout", "0.3"];
    let done = Done::of(wxpay(home.path()).args(arguments));
    done.is(3, "wxpay: error: no response from the receiver: no attempt has ended");
    assert_eq!(serde_json::from_str::<Value>(&done.out).unwrap()["state"], "PENDING");
}

#[test]
fn no_response_is_3() {
    let home = tempfile::tempdir().unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}/");
    let arguments = ["trigger", "REFUND.SUCCESS", "--to", &url, "--keys", "keys", "--json-errors"];
    let done = Done::of(wxpay(home.path()).args(arguments));
    let error: Value = serde_json::from_str(&done.err).unwrap();
    assert_eq!((done.code, &error["error"]), (Some(3), &json!("transport")), "{done:?}");
    assert!(error["message"].as_str().unwrap().ends_with("Connection refused"), "{error}");
}

#[test]
fn mistakes_send_nothing() {
    let env = TestEnv::new();
    let to = "http://127.0.0.1:9/";
    for (arguments, part) in [
        (&["REFUND.SUCESS"][..], "did you mean `REFUND.SUCCESS`"),
        (&["refund"], "did you mean `REFUND."),
        (&["CHECK.SUCCESS"], "it is an event of APIv2"),
        (
            &["REFUND.SUCCESS", "--set", "/amount/totl=1"],
            "did you mean `total`? No document has the field `totl` there",
        ),
        (
            &["REFUND.SUCCESS", "--set", "/amount/total=x"],
            "--set `/amount/total`: expected a number, found `x`",
        ),
        (&["REFUND.SUCCESS", "--set", "/amount=x"], "expected an object, found `x`"),
        (&["TRANSACTION.SUCCESS", "--set", "/promotion_detail=x"], "expected a list, found `x`"),
        (&["TRANSACTION.SUCCESS", "--set", "/promotion_detail/9/name=x"], "expected an index up to 1"),
        (&["REFUND.SUCCESS", "--set", "/amount==1"], "sets a parameter of the query"),
        (&["REFUND.SUCCESS", "--set", "amount==1"], "a resource has no query"),
        (&["REFUND.SUCCESS", "--set", "amount"], "expected NAME=TEXT"),
        (&["REFUND.SUCCESS", "-d", "[]"], "-d: expected a JSON object"),
        (&["REFUND.SUCCESS", "-d", "{"], "-d: expected JSON"),
        (&["REFUND.SUCCESS", "--time-scale", "2"], "--time-scale is for a sandbox that this command starts"),
        (
            &["REFUND.SUCCESS", "--keys", "k", "--base-url", "http://127.0.0.1:1/"],
            "--keys cannot be used with --base-url",
        ),
        (&["REFUND.SUCCESS", "--sandbox", "--base-url", "http://127.0.0.1:1/"], "mutually exclusive"),
        (&["REFUND.SUCCESS", "--timeout", "-1"], "--timeout: expected seconds, found -1"),
        (&["REFUND.SUCCESS", "--attempts", "0"], "--attempts"),
        (
            &["REFUND.SUCCESS", "--base-url", "https://api.mch.weixin.qq.com/"],
            "is the platform, which notifies on its own account only",
        ),
    ] {
        let done = env.run(&[&["trigger", "--to", to], arguments].concat());
        assert_eq!((done.code, done.out.as_str()), (Some(1), ""), "{arguments:?}: {done:?}");
        assert!(done.err.contains(part), "{arguments:?}: {done:?}");
    }
    for to in ["x", "ftp://127.0.0.1/", "127.0.0.1:8000/notify"] {
        env.run(&["trigger", "REFUND.SUCCESS", "--to", to])
            .fails(1, "--to: expected a URL with http:// or https://");
    }
    assert!(env.sandbox.notifications().is_empty());
    // Nothing listens; and something that is no sandbox.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let base = format!("http://{closed}/");
    env.run(&["trigger", "REFUND.SUCCESS", "--to", to, "--base-url", &base])
        .fails(3, "no sandbox responds at");
    let (server, ..) = receiver(&[200]);
    env.run(&["trigger", "REFUND.SUCCESS", "--to", to, "--base-url", &server.base])
        .fails(1, "is not a sandbox");
}
