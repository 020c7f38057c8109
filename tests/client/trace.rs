//! What is traced of a call. Alone in its process: another thread's call would decide whether the span is kept.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{self, Recorder, signed};
use serde_json::json;

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

#[test]
fn a_call_is_traced_without_its_values() {
    let count = AtomicUsize::new(0);
    let server = Recorder::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => signed("429 Too Many Requests", &[], br#"{"code":"FREQUENCY_LIMITED","message":"later"}"#),
        _ => signed("200 OK", &[], b"{}"),
    });
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
fn a_download_is_a_call_like_any_other() {
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
