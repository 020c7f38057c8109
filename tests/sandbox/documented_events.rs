//! The notification of any documented event: its shape, its signature, its encryption, and every way to send it.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wechatpay_chain::http::HeaderMap;
use wechatpay_chain::sandbox::{Delivery, Fault, Sandbox};

use crate::notify::{WAIT, done, receiver};
use crate::page::{ask, host, look, submit_to};
use crate::raw_http::{Reply, export};
use crate::support::{has, sandbox_builder, start_sandbox};

/// The file of the documents, read without the catalogue.
const FILE: &str = include_str!("../../src/catalogue/data/notifications.txt");

/// A documented event, and the required fields of its resource's top level: name and type.
fn events() -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
    let mut events: Vec<(&str, Vec<(&str, &str)>)> = Vec::new();
    let mut is_v3 = false;
    for line in FILE.lines() {
        if !line.starts_with(' ') {
            is_v3 = line.starts_with("v3 ");
            events.extend(line.strip_prefix("v3 ").map(|event| (event, Vec::new())));
        } else if let Some(field) = line.strip_prefix("  ").filter(|field| is_v3 && !field.starts_with(' ')) {
            let mut words = field.split(' ');
            let (name, kind) = (words.next().unwrap(), words.next().unwrap());
            if let (Some(name), false) = (name.strip_suffix('!'), field.contains(" unlisted")) {
                events.last_mut().unwrap().1.push((name, kind));
            }
        }
    }
    events
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "object" => value.as_object().is_some_and(|object| !object.is_empty()),
        list if list.ends_with("[]") => value.as_array().is_some_and(|list| {
            !list.is_empty() && list.iter().all(|one| is_of(one, kind.trim_end_matches("[]")))
        }),
        _ => value.is_string(),
    }
}

/// The resource of an envelope, with the bare APIv3 key.
fn opened(sandbox: &Sandbox, envelope: &Value) -> Value {
    let resource = &envelope["resource"];
    let text = |name: &str| resource[name].as_str().unwrap().as_bytes();
    assert_eq!(resource["algorithm"], "AEAD_AES_256_GCM");
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, sandbox.apiv3_key().as_bytes()).unwrap());
    let mut sealed = STANDARD.decode(text("ciphertext")).unwrap();
    let nonce = Nonce::try_assume_unique_for_key(text("nonce")).unwrap();
    let opened = key.open_in_place(nonce, Aad::from(text("associated_data")), &mut sealed).unwrap();
    serde_json::from_slice(opened).unwrap()
}

fn as_reply(headers: &HeaderMap, body: &[u8]) -> Reply {
    let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    Reply { status: 200, headers: headers.collect(), body: body.to_vec(), whole: true }
}

#[test]
fn every_event_is_signed_encrypted_and_has_its_required_fields() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let keys = has("openssl").then(|| export(&sandbox));
    let events = events();
    assert_eq!(events.len(), 102);
    let mut faults = Vec::new();
    for (event, fields) in events {
        let (headers, body) = sandbox.documented_notification(event, &Value::Null).unwrap();
        let envelope: Value = serde_json::from_slice(&body).unwrap();
        let resource = opened(&sandbox, &envelope);
        assert_eq!(envelope["event_type"], event);
        let expected = if event == "APPLYMENT_STATE.APPROVED" { "applyment" } else { "encrypt-resource" };
        assert_eq!(envelope["resource_type"], expected);
        assert!(envelope["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{event}");
        for (name, kind) in fields {
            if !resource.get(name).is_some_and(|value| is_of(value, kind)) {
                faults.push(format!("{event} {name}: {:?} is no {kind}", resource.get(name)));
            }
        }
        if let Some(keys) = &keys {
            let reply = as_reply(&headers, &body);
            assert!(reply.verifies(keys) && !reply.verifies_over(keys, b"{}"), "{event}");
        }
        assert_eq!(wx.notification(&headers, body).wait().unwrap().resource, resource);
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn it_is_sent_recorded_and_repeated() {
    let sandbox = sandbox_builder().time_scale(1000.0).start().unwrap();
    let wx = sandbox.client().unwrap();
    let (_server, url, received) = receiver(&[500, 204]);
    let overrides = json!({"out_refund_no": "R1", "/amount/refund": 5});
    let id = sandbox.trigger(&url, "REFUND.CLOSED", &overrides).unwrap();
    let sent = done(&sandbox, &id);
    assert_eq!((sent.event_type.as_str(), sent.original_type.as_str()), ("REFUND.CLOSED", "refund"));
    assert_eq!((sent.delivery, sent.attempts.len()), (Delivery::Accepted, 2));
    for _ in 0..2 {
        let request = received.recv_timeout(WAIT).unwrap();
        let notification = wx.notification(&request.headers(), request.body.clone()).wait().unwrap();
        assert_eq!(notification.id, id);
        assert_eq!(notification.resource["refund_status"], "CLOSED");
        assert_eq!(
            (&notification.resource["out_refund_no"], &notification.resource["amount"]["refund"]),
            (&json!("R1"), &json!(5))
        );
    }
    // Faults apply as to others.
    let (_server, url, received) = receiver(&[204]);
    sandbox.inject(Fault::BadSignature);
    let id = sandbox.trigger(&url, "COMPLAINT.CREATE", &json!(null)).unwrap();
    assert_eq!(done(&sandbox, &id).attempts.len(), 2);
    let opened = [(), ()].map(|()| {
        let request = received.recv_timeout(WAIT).unwrap();
        wx.notification(&request.headers(), request.body.clone()).wait().is_ok()
    });
    assert_eq!(opened, [false, true]);
    // Two of one event are two events: a receiver that has seen the first must take the second.
    let (_server, url, _received) = receiver(&[204]);
    let ids = [(), ()].map(|()| sandbox.trigger(&url, "REFUND.SUCCESS", &json!({})).unwrap());
    let numbers = ids.map(|id| {
        done(&sandbox, &id);
        let list = ask(&sandbox, "GET", "/_sandbox/notifications", &[("Host", &host(&sandbox))], "").json();
        let all = list["notifications"].as_array().unwrap().clone();
        all.into_iter().find(|one| one["id"] == id.as_str()).unwrap()["resource"]["refund_id"].clone()
    });
    assert_ne!(numbers[0], numbers[1]);
}

#[test]
fn the_same_seed_makes_the_same_values() {
    let resource = |seed: u64| {
        let sandbox = sandbox_builder().seed(seed).start().unwrap();
        let (_, body) = sandbox.documented_notification("PROFITSHARING.SUCCESS", &json!(null)).unwrap();
        opened(&sandbox, &serde_json::from_slice(&body).unwrap())["order_id"].clone()
    };
    assert_eq!(resource(7), resource(7));
    assert_ne!(resource(7), resource(8));
}

#[test]
fn the_receivers_response_is_kept() {
    let sandbox = start_sandbox();
    let server = crate::support::TestServer::start(|mut stream, _| {
        use std::io::{Read as _, Write as _};
        let _ = stream.read(&mut [0; 65536])?;
        let body = format!("{{\"code\":\"FAIL\",\"message\":\"\u{1b}[2J{}\"}}", "茶".repeat(5_000));
        write!(stream, "HTTP/1.1 500 X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
    });
    let id = sandbox.trigger(&server.base, "REFUND.SUCCESS", &json!(null)).unwrap();
    let until = std::time::Instant::now() + WAIT;
    let attempt = loop {
        let sent = sandbox.notifications().into_iter().find(|sent| sent.id == id).unwrap();
        match sent.attempts.first() {
            Some(attempt) => break attempt.clone(),
            None => assert!(std::time::Instant::now() < until),
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    assert_eq!((attempt.result, attempt.response.chars().count()), (Ok(500), 1_000));
    assert!(attempt.response.starts_with("{\"code\":\"FAIL\""));
    let list = look(&sandbox, "/?tab=notifications");
    let opener = list.split("class=\"opener\"").nth(1).unwrap().split('"').nth(3).unwrap();
    let page = look(&sandbox, &opener.split('#').next().unwrap().replace("&amp;", "&"));
    assert!(page.contains("FAIL") && !page.contains('\u{1b}'), "{page}");
}

#[test]
fn wrong_events_and_overrides_are_errors() {
    let sandbox = start_sandbox();
    let error = |event: &str, overrides: Value| {
        let error = sandbox.trigger("http://127.0.0.1:9/", event, &overrides).unwrap_err().to_string();
        assert_eq!(sandbox.documented_notification(event, &overrides).unwrap_err().to_string(), error);
        error
    };
    assert!(error("REFUND.SUCESS", json!(null)).contains("did you mean `REFUND.SUCCESS`"));
    assert!(error("CHECK.SUCCESS", json!(null)).contains("APIv2"));
    assert!(error("REFUND.SUCCESS", json!({"/amount/totl": 1})).contains("did you mean `total`?"));
    assert!(error("REFUND.SUCCESS", json!([1])).contains("not an object"));
    assert!(error("\u{1b}[2J", json!(null)).chars().all(|c| !c.is_control()));
    assert!(sandbox.notifications().is_empty());
}

#[test]
fn the_control_endpoint_sends_it() {
    let sandbox = start_sandbox();
    let (_server, url, received) = receiver(&[204]);
    let control = |body: Value| {
        let reply =
            ask(&sandbox, "POST", "/_sandbox/notifications", &[("Host", &host(&sandbox))], &body.to_string());
        (reply.status, if reply.body.is_empty() { Value::Null } else { reply.json() })
    };
    let (status, answer) =
        control(json!({"event": "refund.abnormal", "to": url, "overrides": {"/amount/total": 9}}));
    assert_eq!(status, 202);
    let sent = done(&sandbox, answer["id"].as_str().unwrap());
    assert_eq!((sent.event_type.as_str(), sent.delivery), ("REFUND.ABNORMAL", Delivery::Accepted));
    let request = received.recv_timeout(WAIT).unwrap();
    let resource = opened(&sandbox, &serde_json::from_slice(&request.body).unwrap());
    assert_eq!((&resource["amount"]["total"], &resource["refund_status"]), (&json!(9), &json!("ABNORMAL")));
    assert_eq!(control(json!({"send_again": sent.id})).0, 202);
    for (body, part) in [
        (json!({}), "expected `send_again`, or `event` and `to`"),
        (json!({"event": "REFUND.SUCCESS"}), "expected `send_again`"),
        (json!({"send_again": "1", "event": "REFUND.SUCCESS", "to": url}), "expected `send_again`"),
        (json!({"event": "REFUND", "to": url}), "did you mean `REFUND."),
        (json!({"event": "REFUND.SUCCESS", "to": url, "overrides": [1]}), "not an object"),
        (json!({"event": "REFUND.SUCCESS", "to": url, "x": 1}), "unknown field"),
    ] {
        let (status, answer) = control(body.clone());
        assert!(
            status == 400 && answer["message"].as_str().unwrap().contains(part),
            "{body}: {status} {answer}"
        );
    }
    // A host that is not allowed is recorded, as for other notifications.
    let (_, answer) = control(json!({"event": "REFUND.SUCCESS", "to": "http://192.0.2.1/"}));
    assert!(matches!(done(&sandbox, answer["id"].as_str().unwrap()).delivery, Delivery::Refused(_)));
}

#[test]
fn the_page_sends_it() {
    let sandbox = start_sandbox();
    let (_server, url, received) = receiver(&[204]);
    let form = |event: &str, to: &str, overrides: &str| {
        let fields = [("do", "trigger"), ("event", event), ("to", to), ("overrides", overrides)];
        submit_to(&sandbox, "/_sandbox/?tab=notifications", &fields)
    };
    let page = look(&sandbox, "/?tab=notifications");
    assert_eq!(page.matches("<option value=\"").count() - page.matches("<option value=\"\"").count(), 102);
    assert_eq!(form("COMPLAINT.CREATE", &url, r#"{"complaint_id": "C1"}"#).status, 303);
    let request = received.recv_timeout(WAIT).unwrap();
    let resource = opened(&sandbox, &serde_json::from_slice(&request.body).unwrap());
    assert_eq!(resource["complaint_id"], "C1");
    for (event, to, overrides, part) in [
        ("COMPLAINT.CREAT", url.as_str(), "", "did you mean `COMPLAINT.CREATE`"),
        ("COMPLAINT.CREATE", "ftp://x", "", "enter a URL with http://"),
        ("COMPLAINT.CREATE", url.as_str(), "{", "enter a JSON object"),
        ("COMPLAINT.CREATE", url.as_str(), "{\"/<i>\":1}", "no document has the field"),
    ] {
        let reply = form(event, to, overrides);
        assert_eq!(reply.status, 400);
        let page = reply.text();
        assert!(page.contains(part) && !page.contains("<i>"), "{part}: {page}");
        // What was entered stays.
        assert!(page.contains(&format!("value=\"{event}\"")), "{page}");
    }
}
