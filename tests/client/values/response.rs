//! The JSON of a response: half characters, JSON that is none, pointers. The bodies are sent by a plain TCP server.

use serde_json::{Value, json};
use wechatpay_chain::{Error, Response};

use crate::support::{self, Recorder, signed};

const JSON: &str = "application/json";

/// A signed 200 with this body and type.
fn answer(content_type: Option<&'static str>, body: &[u8]) -> Result<Response, Error> {
    let body = body.to_vec();
    let recorder = Recorder::start(move |_| {
        let headers: Vec<_> = content_type.iter().map(|value| ("Content-Type", *value)).collect();
        signed("200 OK", &headers, &body)
    });
    support::client(&recorder.base)["v3/x"].get_sync()
}

#[test]
fn half_a_character_in_a_response_costs_only_itself() {
    for (body, expected) in [
        (&br#"{"detail":"a\ud83d","id":"1"}"#[..], json!({"detail": "a\u{fffd}", "id": "1"})),
        (br#"{"k\uDE00":[{"x":["\uD83D\uD83D\uDE00"]}]}"#, json!({"k\u{fffd}": [{"x": ["\u{fffd}😀"]}]})),
        // The bytes of an emoji, cut after two; GBK instead of UTF-8.
        (b"{\"detail\":\"a\xF0\x9F\",\"id\":\"1\"}", json!({"detail": "a\u{fffd}", "id": "1"})),
        (b"{\"name\":\"\xD5\xC5\"}", json!({"name": "\u{fffd}\u{fffd}"})),
    ] {
        for content_type in [Some(JSON), Some("application/json; charset=utf-8"), Some("text/plain"), None] {
            let response = answer(content_type, body).unwrap();
            assert_eq!(*response.data(), expected);
            assert_eq!(response.json::<Value>().unwrap(), expected);
            assert_eq!(response.deserialize::<Value>().unwrap(), expected);
            assert_eq!(response.decrypt(&[]).unwrap(), expected);
            assert_eq!(&response.bytes()[..], body, "the bytes stay as they were signed");
            assert_eq!(response.into_data(), expected);
        }
    }
}

/// What a parser read is personal data; its own text, which quotes it, is in no source either.
#[test]
fn no_error_quotes_the_text_of_a_response() {
    #[derive(Debug, serde::Deserialize)]
    #[allow(dead_code)]
    enum State {
        Success,
    }
    let check = |error: Error| {
        let mut text = format!("{error} {error:?}");
        let mut cause = std::error::Error::source(&error);
        assert!(cause.is_some(), "{error}");
        while let Some(inner) = cause {
            text += &format!(" {inner} {inner:?} {inner:#?}");
            // A cause is told once.
            assert!(!error.to_string().contains(&inner.to_string()), "{error}: {inner}");
            cause = inner.source();
        }
        assert!(!text.contains("张三") && !text.contains("13800000000"), "{text}");
    };
    let body = r#"{"name":"张三","phone":"13800000000","list":["张三"]}"#;
    let response = answer(Some(JSON), body.as_bytes()).unwrap();
    check(response.deserialize::<u8>().unwrap_err());
    check(response.json::<std::collections::HashMap<String, u64>>().unwrap_err());
    check(answer(Some(JSON), r#""张三""#.as_bytes()).unwrap().json::<State>().unwrap_err());
    check(answer(Some(JSON), r#"{"name": 张三}"#.as_bytes()).unwrap_err());
    let sandbox = wechatpay_chain::sandbox::Sandbox::start().unwrap();
    let (headers, body) = sandbox.notification("TRANSACTION.SUCCESS", "transaction", &json!("张三")).unwrap();
    let notification = sandbox.client().unwrap().notification(&headers, body).wait().unwrap();
    check(notification.deserialize::<State>().unwrap_err());
    check(notification.deserialize::<u64>().unwrap_err());
}

/// The platform's code is not hidden by a word about its body.
#[test]
fn an_error_without_a_message_is_the_platforms_all_the_same() {
    for (body, says) in [
        (r#"{"code":"A"}"#, "400 A: 12 bytes of application/json, without a message"),
        (r#"{"code":"A","message":null}"#, "without a message"),
        (r#"{"message":"m"}"#, "400: m"),
        (r#"{"a":1}"#, "not the platform's JSON"),
        ("<html>", "not the platform's JSON"),
    ] {
        let recorder =
            Recorder::start(move |_| support::raw("400 X", &[("Content-Type", JSON)], body.as_bytes()));
        let error = support::client(&recorder.base)["v3/x"].get_sync().unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn a_signed_response_that_says_json_and_is_not_is_an_error() {
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    for body in [
        &br#"{"prepay_id":"wx26"#[..],
        br#"{"prepay_id":"wx26",}"#,
        br#"{"prepay_id":"wx26"}{"prepay_id":"wx27"}"#,
        br#"{"prepay_id":"\ud83d\u12"}"#,
        br#"{"a":1e999}"#,
        b"{'prepay_id':'wx26'}",
        b"<html>502</html>",
        b"  ",
        b"NaN",
        b"{\"a\":\"line\nbreak\"}",
        deep.as_bytes(),
    ] {
        for content_type in [JSON, "APPLICATION/JSON;charset=UTF-8", "text/json", "application/problem+json"]
        {
            let result = answer(Some(content_type), body);
            let Err(Error::Decode(error)) = result else { panic!("{:?}", String::from_utf8_lossy(body)) };
            assert_eq!(error.request_id.as_deref(), Some("08F0D0A1"));
            assert!(std::error::Error::source(&*error).is_some());
            let text = error.to_string();
            assert!(text.contains("is not the JSON") && !text.contains("wx26"), "{text}");
        }
    }
}

/// Long bodies are checked without being kept as values: both ways answer alike.
#[test]
fn a_long_body_is_read_as_a_short_one() {
    for length in [65_400, 65_500, 65_600, 1_000_000] {
        let text = "茶".repeat(length / 3);
        let body = json!({"text": text}).to_string();
        let response = answer(Some(JSON), body.as_bytes()).unwrap();
        assert_eq!(response.str("/text").unwrap(), text);
        assert_eq!(response.into_data(), json!({"text": text}));
        assert!(matches!(answer(Some(JSON), &body.as_bytes()[..body.len() - 1]), Err(Error::Decode(_))));
        let half = body.replacen("茶", r"\ud83d", 1);
        let response = answer(Some(JSON), half.as_bytes()).unwrap();
        assert!(response.str("/text").unwrap().starts_with("\u{FFFD}茶"));
    }
}

#[test]
fn another_body_is_what_it_is() {
    for (content_type, body) in
        [(Some("text/plain"), "`a,`b"), (None, r#"{"cut":"#), (Some("text/csv"), "1,2")]
    {
        assert_eq!(*answer(content_type, body.as_bytes()).unwrap().data(), json!(body));
    }
    for body in ["1", "null", "[]", "\"text\""] {
        assert_eq!(answer(Some(JSON), body.as_bytes()).unwrap().data().to_string(), body);
    }
    // Empty, whatever it says.
    let empty = answer(Some(JSON), b"").unwrap();
    assert!(empty.data().is_null() && empty.json::<Option<u8>>().unwrap().is_none());
    assert_eq!(empty.into_data(), Value::Null);
}

#[test]
fn a_text_is_read_by_its_pointer() {
    let response =
        answer(Some(JSON), r#"{"prepay_id":"wx26","amount":{"total":1},"a/b":{"~":["x","茶"]}}"#.as_bytes());
    let response = response.unwrap();
    assert_eq!(response.str("/prepay_id").unwrap(), "wx26");
    assert_eq!(response.str("/a~1b/~0/1").unwrap(), "茶");
    // The reference lives as long as the response, not as the statement.
    let id = response.data()["prepay_id"].as_str().unwrap();
    assert!(std::ptr::eq(id, response.str("/prepay_id").unwrap()), "parsed once");
    for (pointer, part) in
        [("/prepayid", "nothing"), ("/amount/total", "a number"), ("/amount", "an object"), ("", "an object")]
    {
        let Err(Error::Decode(error)) = response.str(pointer) else { panic!("{pointer}") };
        assert!(error.to_string().contains(part) && error.request_id.is_some(), "{error}");
    }
    assert!(matches!(response.str("prepay_id"), Err(Error::Config(_))));
}

#[test]
fn a_type_that_does_not_fit_is_told_without_the_value() {
    #[derive(Debug, serde::Deserialize)]
    struct Prepay {
        #[allow(dead_code)]
        prepay_id: u64,
    }
    let text = |body: &str| match answer(Some(JSON), body.as_bytes()).unwrap().json::<Prepay>() {
        Err(Error::Decode(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(text(r#"{"prepay_id":"13900139000"}"#).contains("invalid type: expected u64"));
    assert!(!text(r#"{"prepay_id":"13900139000"}"#).contains("13900139000"));
    assert!(text(r#"{"id":"\ud83d"}"#).contains("missing field `prepay_id`"));
}

/// The code of an error is not lost for half a character in its message.
#[test]
fn an_error_keeps_its_code() {
    let body = r#"{"code":"PARAM_ERROR","message":"备注 \ud83d 非法","detail":{"value":"\ude00"}}"#;
    let recorder = Recorder::start(move |_| signed("400 Bad Request", &[], body.as_bytes()));
    let Err(Error::Api(error)) = support::client(&recorder.base)["v3/x"].get_sync() else { panic!() };
    assert_eq!((error.code.as_str(), error.message.as_str()), ("PARAM_ERROR", "备注 \u{fffd} 非法"));
    assert_eq!(error.detail["value"], "\u{fffd}");
}
