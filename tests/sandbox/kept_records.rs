//! The records in the state file: a restart, even after a kill, continues the lists and the timeline of an order.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use wechatpay_chain::sandbox::{Delivery, EndpointKind, Fault, Sandbox, SignatureVerdict, Verdict};

use crate::raw_http::*;
use crate::support::{alone, has, openssl_sign};

const ECHO: &str = "/v3/security/echo";
const CHILD: &str = "WECHATPAY_SANDBOX_RECORDS_CHILD";
const WAIT: Duration = Duration::from_secs(20);

fn start(folder: &Path) -> Sandbox {
    Sandbox::builder().keys(folder.join("keys")).state(folder.join("state")).start().unwrap()
}

fn prepay(sandbox: &Sandbox, number: &str, notify_url: &str) {
    let order = json!({
        "appid": "wxd678efh567hg6787", "mchid": sandbox.mchid(), "description": "茶", "out_trade_no": number,
        "notify_url": notify_url, "amount": {"total": 100},
    });
    sandbox.client().unwrap()["v3/pay/transactions/native"].post_sync(order).unwrap();
}

#[track_caller]
fn wait_until(what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() {
        assert!(begun.elapsed() < WAIT, "it never happened");
        thread::sleep(Duration::from_millis(5));
    }
}

fn page(sandbox: &Sandbox, target: &str) -> String {
    let host = sandbox.base_url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\n\r\n");
    String::from_utf8(send_bytes(sandbox, request.as_bytes()).unwrap().body).unwrap()
}

fn control(sandbox: &Sandbox, list: &str) -> Value {
    let host = sandbox.base_url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let request = format!("GET /_sandbox/{list} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    send_bytes(sandbox, request.as_bytes()).unwrap().json()
}

/// A receiver that accepts everything.
fn receiver() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/notify", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let mut lines = BufReader::new(&stream).lines();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let _ = (&stream).write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
        }
    });
    url
}

#[test]
fn a_restart_shows_the_same_records_and_the_timeline() {
    if !has("openssl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sandbox = start(folder.path());
    let keys = export(&sandbox);
    let notify_url = receiver();
    prepay(&sandbox, "P0000001", &notify_url);
    sandbox.pay("P0000001").unwrap();
    wait_until(|| sandbox.notifications().iter().any(|one| one.delivery == Delivery::Accepted));
    sandbox.inject(Fault::RateLimited { retry_after: Some(1) });
    post(&sandbox, &keys, ECHO, r#"{"echo_message":"茶"}"#);
    // A wrong signature, with its diagnosis; a body that is not text; and one that is not modelled.
    let mut plan = Plan::new(&sandbox, "POST", ECHO, "{}");
    let message = plan.message();
    let signature = openssl_sign(&keys.path().join("merchant.pem"), message.strip_suffix(b"\n").unwrap());
    let wrong = plan.authorization(&keys).replace(&plan.signature(&keys), &signature);
    send_bytes(&sandbox, &plan.bytes(&wrong)).unwrap();
    plan.body = vec![0xff, 0x00];
    send_bytes(&sandbox, &plan.bytes("WECHATPAY2-SHA256-RSA2048 mchid=\"1\"")).unwrap();
    get(&sandbox, &keys, "/v3/not/modelled");
    wait_until(|| sandbox.requests().iter().all(|seen| !seen.duration.is_zero()));

    let (requests, notifications) = (control(&sandbox, "requests"), control(&sandbox, "notifications"));
    let order = page(&sandbox, "/?tab=orders&lang=en");
    let entry = order.split("href=\"").filter_map(|part| part.split('"').next());
    let entry = entry.map(|link| link.replace("&amp;", "&")).find(|link| link.contains("open=")).unwrap();
    let shown = |sandbox: &Sandbox| {
        let page = page(sandbox, &entry);
        let timeline = page.split_once("class=\"timeline\"").unwrap_or_else(|| panic!("{page}")).1;
        timeline.split_once("</ol>").unwrap().0.to_owned()
    };
    let timeline = shown(&sandbox);
    for part in ["/v3/pay/transactions/native", "TRANSACTION.SUCCESS", "204"] {
        assert!(timeline.contains(part), "{part}: {timeline}");
    }
    drop(sandbox);
    for run in 0..2 {
        let sandbox = start(folder.path());
        assert_eq!(control(&sandbox, "requests"), requests, "{run}");
        assert_eq!(control(&sandbox, "notifications"), notifications, "{run}");
        assert_eq!(shown(&sandbox), timeline, "{run}");
        let all = sandbox.requests();
        assert_eq!(all[1].faults, [Fault::RateLimited { retry_after: Some(1) }]);
        assert_eq!((&all[1].verdict, all[1].passed()), (&Verdict::Disturbed, true));
        assert!(all[2].diagnosis().is_some_and(|why| why.contains("lacks the newline at the end")));
        assert_eq!(
            (all[2].signature, all[3].signature),
            (SignatureVerdict::Invalid, SignatureVerdict::Invalid)
        );
        assert_eq!((&all[3].body[..], all[4].endpoint), (&[0xff, 0x00][..], EndpointKind::NotModelled));
        // What proves who the client is, is not kept.
        assert!(all.iter().all(|seen| !seen.headers.contains_key("authorization")));
    }
    let state = fs::read(folder.path().join("state")).unwrap();
    assert!(signature.len() > 300 && !String::from_utf8_lossy(&state).contains(&signature));

    // The numbers go on, and what was expected counts from now on.
    let sandbox = start(folder.path());
    sandbox.expect("POST", "v3/security/echo", 1).unwrap();
    post(&sandbox, &export(&sandbox), ECHO, r#"{"echo_message":"x"}"#);
    let numbers: Vec<u64> = sandbox.requests().iter().map(|seen| seen.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    assert!(sandbox.unmet().is_empty());
    // A list that was cleared stays so.
    sandbox.clear_requests();
    drop(sandbox);
    assert!(start(folder.path()).requests().is_empty());
}

#[test]
fn a_notification_that_nothing_sends_any_more_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = start(folder.path());
    let closed = "http://127.0.0.1:9/notify";
    // The state file has the order's, and not that of a test.
    prepay(&sandbox, "P0000001", closed);
    sandbox.pay("P0000001").unwrap();
    let own = sandbox.notifications()[0].id.clone();
    let explicit = sandbox.notify(closed, "REFUND.SUCCESS", "refund", &json!({"refund_id": "50"}));
    wait_until(|| sandbox.notifications().iter().all(|one| !one.attempts.is_empty()));
    drop(sandbox);
    let sandbox = start(folder.path());
    let of = |id: &str| sandbox.notifications().into_iter().find(|one| one.id == id).unwrap();
    wait_until(|| of(&own).attempts.len() == 2);
    assert_eq!((of(&own).delivery, of(&explicit).delivery), (Delivery::Pending, Delivery::GivenUp));
    assert_eq!(sandbox.notifications().len(), 2, "the next run continues the entry");
    // It can still be sent again, and nothing else.
    sandbox.send_again(&explicit).unwrap();
    wait_until(|| of(&explicit).attempts.len() == 2);
    let unknown = sandbox.send_again("no such id").unwrap_err().to_string();
    assert!(unknown.contains("no such notification") && unknown.contains("no such id"), "{unknown}");
}

/// Not a test of its own: the process that the next one kills.
#[test]
fn the_child_that_is_recorded() {
    let Some(folder) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let sandbox = start(&folder);
    let url = receiver();
    for count in 0..20 {
        let number = format!("P{count:07}");
        prepay(&sandbox, &number, &url);
        sandbox.pay(&number).unwrap();
    }
    wait_until(|| sandbox.notifications().iter().all(|one| one.delivery == Delivery::Accepted));
    thread::sleep(Duration::from_millis(1500));
    println!("recorded");
    thread::sleep(WAIT);
}

#[test]
fn a_kill_loses_the_records_of_the_last_moment_only() {
    let folder = tempfile::tempdir().unwrap();
    drop(start(folder.path()));
    let mut child = alone(module_path!(), "the_child_that_is_recorded")
        .env(CHILD, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.contains("recorded")), "the child failed");
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    let sandbox = start(folder.path());
    let orders = sandbox.requests().into_iter().filter(|seen| seen.target == "/v3/pay/transactions/native");
    assert_eq!(orders.count(), 20);
    let notifications = sandbox.notifications();
    assert_eq!(notifications.len(), 20);
    assert!(notifications.iter().all(|one| one.delivery == Delivery::Accepted), "{notifications:?}");
}

#[test]
fn a_large_body_is_kept_in_part_and_says_so() {
    if !has("openssl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sandbox = start(folder.path());
    let keys = export(&sandbox);
    let body = format!(r#"{{"echo_message":"{}"}}"#, "茶".repeat(500_000));
    post(&sandbox, &keys, ECHO, &body);
    assert_eq!(sandbox.requests()[0].body.len(), body.len());
    drop(sandbox);
    let sandbox = start(folder.path());
    let seen = &sandbox.requests()[0];
    assert_eq!((seen.body_length, seen.body.len()), (body.len(), 64 << 10));
    assert!(body.as_bytes().starts_with(&seen.body));
    let json = &control(&sandbox, "requests")["requests"][0];
    assert_eq!(
        (&json["request"]["body_length"], &json["request"]["body_cut"]),
        (&json!(body.len()), &json!(true))
    );
    assert!(json["signed_message_length"].as_u64().unwrap() > body.len() as u64);
    assert!(fs::metadata(folder.path().join("state")).unwrap().len() < 1 << 20);
}

#[test]
fn a_record_that_cannot_be_read_is_left_out() {
    if !has("openssl") || !has("sqlite3") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sandbox = start(folder.path());
    let keys = export(&sandbox);
    for _ in 0..3 {
        post(&sandbox, &keys, ECHO, r#"{"echo_message":"x"}"#);
        sandbox.notify("ftp://no", "A.B", "a", &json!({}));
    }
    wait_until(|| sandbox.notifications().iter().all(|one| one.is_done()));
    drop(sandbox);
    let sql = "UPDATE request_record SET content = '{\"at\":1}' WHERE number = 2; \
               UPDATE notification_record SET content = 'x' WHERE number = 1; \
               INSERT INTO payer_record VALUES (7, '[]'); INSERT INTO request_record VALUES (-5, '{}');";
    let done = Command::new("sqlite3").arg(folder.path().join("state")).arg(sql).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let sandbox = start(folder.path());
    let numbers: Vec<u64> = sandbox.requests().iter().map(|seen| seen.number).collect();
    assert_eq!(numbers, [1, 3]);
    // Their numbers are their places, so that a gap ends the list.
    assert_eq!(sandbox.notifications().len(), 1);
    assert_eq!(control(&sandbox, "notifications")["dropped"], 2);
}
