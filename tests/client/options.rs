//! PHP's `$options` array and Node's config: every key, and every way to get one wrong.

use serde_json::{Value, json};
use wechatpay_chain::{Error, PathError};

use crate::support::{self, Recorder};

#[test]
fn every_option_has_its_place() {
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    let send = |options: Value| {
        wx["v3/{no}/x"].post(Value::Null).options(options).wait().unwrap();
        recorder.take()
    };
    let seen = send(json!({
        "no": "P/1", "json": {"a": 1}, "query": {"q": "1 2"}, "headers": {"Idempotency-Key": "K", "X-Number": 7},
        "timeout": 5, "security": true, "nonceless": false, "responseType": "stream", "transformResponse": [],
        "xml": null, "base_uri": format!("{}hk/", recorder.base),
    }).as_object().unwrap().iter().filter(|(k, _)| *k != "xml").map(|(k, v)| (k.clone(), v.clone())).collect());
    assert_eq!((seen.target.as_str(), seen.body.as_slice()), ("/hk/v3/P%2F1/x?q=1%202", &br#"{"a":1}"#[..]));
    assert_eq!((seen.header("idempotency-key"), seen.header("x-number")), (Some("K"), Some("7")));

    let seen = send(json!({"no": 1, "params": {"a": true}, "data": {"b": 2}, "baseURL": recorder.base}));
    assert_eq!((seen.target.as_str(), seen.body.as_slice()), ("/v3/1/x?a=true", &br#"{"b":2}"#[..]));

    // Guzzle's rules: the caller's type for a raw body, in whatever order; JSON unless there is one; `json` before `body`.
    for options in [
        json!({"no": "", "body": "a", "headers": {"Content-Type": "text/plain"}}),
        json!({"no": "", "headers": {"Content-Type": "text/plain"}, "body": "a"}),
    ] {
        assert_eq!(send(options).header("content-type"), Some("text/plain"));
    }
    assert_eq!(send(json!({"no": "", "body": "{}"})).header("content-type"), Some("application/json"));
    assert_eq!(send(json!({"no": "", "json": {"a": 1}, "body": "x"})).body, br#"{"a":1}"#);
    assert_eq!(send(json!({"no": "", "body": "x", "json": null})).body, b"x");
    // PHP's empty arrays are lists.
    wx["v3/x"].get().options(json!([])).wait().unwrap();
    wx["v3/x"].get().options(json!({"headers": [], "query": {}})).options(Value::Null).wait().unwrap();
}

#[test]
fn an_unsupported_option_is_named() {
    let wx = support::client("http://127.0.0.1:9/");
    let refused =
        |options: Value| wx["v3/{no}/{+rest,a:3}{?q*}"].get().options(options).prepare().unwrap_err();
    for (options, field, part) in [
        (json!("x"), "options", "must be an object; it is a string"),
        (json!([1]), "options", "must be an object; it is an array"),
        (json!({"query": 1}), "options.query", "must be an object or a string; it is a number"),
        (json!({"headers": "x"}), "options.headers", "must be an object; it is a string"),
        (json!({"headers": {"X": ["a", "b"]}}), "options.headers", "an object of strings; it is an array"),
        (json!({"headers": {"X": "a\r\nEvil: 1"}}), "headers.X", "line break"),
        (json!({"headers": {"X\n": "a"}}), "headers.X\\n", "not a header name"),
        (json!({"headers": {"Authorization": "mine"}}), "headers.Authorization", "set by the client"),
        (json!({"headers": {"Host": "evil.example"}}), "headers.Host", "set by the client"),
        (json!({"body": {"a": 1}}), "options.body", "must be a string; it is an object"),
        (json!({"base_uri": 1}), "options.base_uri", "must be a string; it is a number"),
        (
            json!({"base_uri": "https://evil.example/"}),
            "options.base_uri",
            "`evil.example`, which may not receive a signature",
        ),
        (json!({"timeout": "1"}), "options.timeout", "must be a number of seconds; it is a string"),
        (json!({"timeout": 30_000}), "options.timeout", "axios counts milliseconds"),
        (json!({"security": 1}), "options.security", "must be a boolean"),
        (json!({"xml": {}}), "options.xml", "APIv2"),
        (json!({"sink": 1}), "options.sink", "save_to_writer"),
        (json!({"debug": true}), "options.debug", "prepare()"),
        (json!({"handler": "x"}), "options.handler", "reqwest"),
        (json!({"adapter": "http"}), "options.adapter", "reqwest"),
        (json!({"http_errors": false}), "options.http_errors", "Error::Api"),
        (json!({"allow_redirects": true}), "options.allow_redirects", "never followed"),
    ] {
        let error = refused(options);
        let Error::Config(error) = error else { panic!("not a Config error: {error}") };
        assert!(error.field() == field && error.to_string().contains(part), "{error}");
    }
    for name in ["n", "No", "out_trade_no", "v3", "rest*", "q*", "{no}", ""] {
        let error = refused(json!({name: "1"}));
        let Error::Path(error) = error else { panic!("not a Path error: {error}") };
        assert!(matches!(&*error, PathError::UnknownVariable { name: n, .. } if n == name), "{error}");
    }
    let fine = json!({"no": 1, "rest": "a/b", "a": "12345", "q": {"k": "v"}});
    assert_eq!(
        wx["v3/{no}/{+rest,a:3}{?q*}"].get().options(fine).prepare().unwrap().target(),
        "/v3/1/a/b,123?k=v"
    );
    // The first of several errors is returned.
    let error = wx["v3/P123"].get().options(json!({"debug": 1})).header("\n", "").prepare().unwrap_err();
    assert!(matches!(error, Error::Path(e) if matches!(*e, PathError::ValueAsSegment { .. })));
    let error = wx["v2/pay/micropay"].post(json!({})).prepare().unwrap_err();
    assert!(error.to_string().contains(if cfg!(feature = "v2") { "apiv2_key" } else { "APIv2" }), "{error}");
}
