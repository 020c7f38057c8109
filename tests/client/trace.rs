//! Spans and events of a call. Each test has a process of its own: a call of another thread would decide whether its
//! span is kept.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use crate::support::{self, Recorder, signed};

/// Keeps what the spans record, as text.
struct Spans(Arc<Mutex<String>>);

struct Line<'a>(&'a mut String);

impl tracing::field::Visit for Line<'_> {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        *self.0 += &format!("{}={value:?} ", field.name());
    }
}

impl tracing::Subscriber for Spans {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("wechatpay_chain")
    }
    fn new_span(&self, attributes: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        attributes.record(&mut Line(&mut self.0.lock().unwrap()));
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut Line(&mut self.0.lock().unwrap()));
    }
    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut Line(&mut self.0.lock().unwrap()));
    }
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

/// Set for a test in a process of its own.
const CHILD: &str = "WECHATPAY_TEST_TRACE";

/// Whether this is the test's own process; otherwise it is started, and must succeed.
#[track_caller]
fn alone(test: &str) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let output = support::alone(module_path!(), test).env(CHILD, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    false
}

#[test]
fn a_call_is_traced_without_its_values() {
    if !alone("a_call_is_traced_without_its_values") {
        return;
    }
    let server = Recorder::script([
        signed("429 Too Many Requests", &[], br#"{"code":"FREQUENCY_LIMITED","message":"later"}"#),
        signed("200 OK", &[], b"{}"),
    ]);
    let wx = support::builder(&server.base).retry_delay(Duration::from_millis(20)).build().unwrap();
    let text = Arc::new(Mutex::new(String::new()));
    tracing::subscriber::with_default(Spans(Arc::clone(&text)), || {
        let request = wx["v3/x/{openid}"].post(json!({"secret": "body-value"})).var("openid", "oPerson");
        request.query(json!({"q": "query-value"})).retry(1).wait().unwrap();
    });
    let text = text.lock().unwrap().clone();
    for part in [
        "method=POST",
        "template=\"v3/x/{openid}\"",
        "status=200",
        "request_id=\"08F0D0A1\"",
        "attempts=2",
        "duration_ms=",
    ] {
        assert!(text.contains(part), "no {part} in: {text}");
    }
    for value in ["oPerson", "body-value", "query-value", "WECHATPAY2"] {
        assert!(!text.contains(value), "{value} in: {text}");
    }
}

#[test]
fn a_url_is_traced_without_its_query_and_user() {
    if !alone("a_url_is_traced_without_its_query_and_user") {
        return;
    }
    let server = Recorder::start(|_| signed("200 OK", &[], b"{}"));
    let wx = support::client(&server.base);
    let text = Arc::new(Mutex::new(String::new()));
    tracing::subscriber::with_default(Spans(Arc::clone(&text)), || {
        wx.chain("v3/x?token=t0ken&phone=13800000000").get().wait().unwrap();
        wx.chain(&format!("{}v3/y/{{id}}?token=t0ken", server.base))
            .get()
            .var("id", "secret")
            .wait()
            .unwrap();
        let download = wx.chain(&format!("{}v3/billdownload/file?token=t0ken", server.base)).get();
        for shown in [format!("{download:?}"), format!("{:?}", wx.chain("v3/x?token=t0ken"))] {
            assert!(!shown.contains("t0ken"), "{shown}");
        }
        download.save_to_writer(tokio::io::sink()).wait().unwrap();
        let user = wx.chain("http://me:t0ken@127.0.0.1:9/x?token=t0ken").get().wait().unwrap_err();
        assert!(!format!("{user} {user:?}").contains("t0ken"), "{user}");
    });
    let text = text.lock().unwrap().clone();
    let templates =
        ["v3/x", &format!("{}v3/y/{{id}}", server.base), &format!("{}v3/billdownload/file", server.base)];
    for template in templates {
        assert!(text.contains(&format!("template=\"{template}\"")), "no {template} in: {text}");
    }
    for value in ["t0ken", "13800000000", "secret"] {
        assert!(!text.contains(value), "{value} in: {text}");
    }
}

#[test]
fn a_download_is_traced_like_any_other_call() {
    if !alone("a_download_is_traced_like_any_other_call") {
        return;
    }
    let server = Recorder::start(|_| signed("200 OK", &[], b"{}"));
    let wx = support::client(&server.base);
    let text = Arc::new(Mutex::new(String::new()));
    let folder = tempfile::tempdir().unwrap();
    tracing::subscriber::with_default(Spans(Arc::clone(&text)), || {
        wx["v3/file/{id}"].get().var("id", "secret").save_to(folder.path().join("file")).wait().unwrap();
    });
    let text = text.lock().unwrap().clone();
    for part in
        ["method=GET", "template=\"v3/file/{id}\"", "status=200", "request_id=\"08F0D0A1\"", "attempts=1"]
    {
        assert!(text.contains(part), "no {part} in: {text}");
    }
    assert!(!text.contains("secret"), "{text}");
}

/// What the documents have otherwise is said once for an operation and a client: a loop of calls does not fill the log.
#[cfg(all(feature = "catalogue", feature = "sandbox"))]
#[test]
fn a_hint_is_a_warning_once_for_an_operation_and_a_client() {
    if !alone("a_hint_is_a_warning_once_for_an_operation_and_a_client") {
        return;
    }
    let sandbox = wechatpay_chain::sandbox::Sandbox::start().unwrap();
    let text = Arc::new(Mutex::new(String::new()));
    let folder = tempfile::tempdir().unwrap();
    let count = |said: &str| text.lock().unwrap().matches(said).count();
    tracing::subscriber::with_default(Spans(Arc::clone(&text)), || {
        let wx = sandbox.client().unwrap();
        for number in 0..40 {
            let body = json!({"outRefundNo": format!("R{number}"), "amount": {"refund": 1, "total": 1, "currency": "CNY"}});
            let _ = wx["v3/refund/domestic/refunds"].post(body).wait();
            let _ = wx.chain("v3/refund/domestic/refundz/{id}").get().var("id", number).wait();
        }
        assert_eq!(count("did you mean `out_refund_no`"), 1);
        assert_eq!(count("no document has this path"), 1);
        let _ =
            sandbox.client().unwrap()["v3/refund/domestic/refunds"].post(json!({"outRefundNo": "R"})).wait();
        assert_eq!(count("did you mean `out_refund_no`"), 2);
        // Downloads and bills, too; of a bill, not the address from its response.
        let _ = wx["v3/billdownload/files"].get().save_to(folder.path().join("a")).wait();
        assert_eq!(count("no document has this path"), 2);
        let bill = wx.bill("v3/bill/tradebill").query(json!({"billDate": "2024-01-01"}));
        let _ = bill.save_to(folder.path().join("b")).wait();
        assert_eq!(count("did you mean `bill_date`"), 1);
        assert_eq!(count("no document has this path"), 2);
    });
}
