//! Requests as a plain listener or `httpmock` receives them, and responses.

use std::time::{Duration, Instant};

use httpmock::prelude::*;
use serde_json::{Value, json};
use wechatpay_chain::{Chain, Error, PathError, Request, WeChatPay, chain};

use crate::support::{self, Recorder, raw, signed};

fn assert_traits<T: Clone + Send + Sync + 'static>() {}

#[test]
fn handles_are_shared_and_requests_are_spawned() {
    assert_traits::<WeChatPay>();
    assert_traits::<Chain>();
    fn spawned<T: Send + 'static>(_: T) {}
    let wx = support::client("http://127.0.0.1:9/");
    spawned(wx["v3/x"].get().into_future());
    spawned(wx["v3/x"].get().send());
}

#[test]
fn any_mixture_of_spellings_is_one_path() {
    let wx = support::client("http://127.0.0.1:9/");
    let path = "v3/merchant-service/complaints-v2/{complaint_id}/return/use/delete";
    let no = "complaints-v2";
    for chain in [
        wx["v3"]["merchant-service"].seg("complaintsV2").chain("{complaint_id}/return")["use/delete"].clone(),
        chain!(wx->v3->merchantService->complaintsV2->_complaint_id_->return->use->delete),
        chain!(wx.v3.merchantService.complaintsV2.$complaint_id$.return.use.delete),
        chain!(wx->v3->{"merchant-service"}->{no}->{"{complaint_id}"}["return/use"]->delete),
        chain!((wx.clone()).v3["merchant-service"].{no}->_complaint_id_.return->use.delete),
        chain!((wx["v3"])->merchantService->{format!("complaints-{}", "v2").as_str()}->_complaint_id_.return.use.delete),
        wx.chain("/v3/merchant-service/complaints-v2/").chain("/{complaint_id}/return/use/delete"),
    ] {
        assert_eq!(chain.path(), path);
    }
}

#[test]
fn an_indexed_node_is_kept_and_a_clone_starts_empty() {
    let wx = support::client("http://127.0.0.1:9/");
    let first: *const Chain = &wx["v3/pay"];
    let all: Vec<&Chain> = (0..500).map(|n| &wx[format!("v3/n{n}").as_str()]).collect();
    assert!(std::ptr::eq(first, &wx["v3/pay"]));
    assert!(all.iter().enumerate().all(|(n, chain)| chain.path() == format!("v3/n{n}")));
    assert!(!std::ptr::eq(first, &wx.clone()["v3/pay"]));
    // Many threads at once get the same node.
    let node = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| &wx["v3/from/threads"] as *const Chain as usize)).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect::<std::collections::HashSet<_>>()
    });
    assert_eq!(node.len(), 1);
}

#[test]
fn every_verb_sends_its_body_as_it_is_signed() {
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    let body = || json!({"b": "茶/\"'", "a": [1.5, null]});
    let text = r#"{"b":"茶/\"'","a":[1.5,null]}"#;
    type Make = fn(&Chain, Value) -> Request;
    let verbs: [(&str, Make); 5] = [
        ("POST", |c, b| c.post(b)),
        ("PUT", |c, b| c.put(b)),
        ("PATCH", |c, b| c.patch(b)),
        ("DELETE", |c, b| c.delete().json(b)),
        ("GET", |c, b| c.get().json(b)),
    ];
    for (method, make) in verbs {
        make(&wx["v3/x"], body()).wait().unwrap();
        let seen = recorder.take();
        assert_eq!((seen.method.as_str(), std::str::from_utf8(&seen.body).unwrap()), (method, text));
        assert_eq!(seen.header("content-type"), Some("application/json"));
        assert!(seen.expected_message().ends_with(format!("\n{text}\n").as_bytes()));

        make(&wx["v3/x"], Value::Null).wait().unwrap();
        let seen = recorder.take();
        assert!(seen.body.is_empty() && seen.header("content-type").is_none(), "{method} without a body");
        let length = matches!(method, "POST" | "PUT" | "PATCH").then_some("0");
        assert_eq!(seen.header("content-length"), length, "{method}");

        make(&wx["v3/x"], json!({})).wait().unwrap();
        assert_eq!(recorder.take().body, b"{}");
    }
    wx["v3/x"].post(Value::Null).body("text/csv", "a,b\n").wait().unwrap();
    let seen = recorder.take();
    assert_eq!((seen.body.as_slice(), seen.header("content-type")), (&b"a,b\n"[..], Some("text/csv")));
}

#[test]
fn headers_are_the_documented_ones() {
    let recorder = Recorder::no_content();
    let wx = support::builder(&recorder.base)
        .platform_key("PUB_KEY_ID_0114232134912410000000000000", support::key("merchant_pub.pem"))
        .build();
    // The merchant's own key is not a platform key.
    assert!(matches!(wx, Err(Error::Config(e)) if e.field().contains("PUB_KEY_ID_")));

    let wx = support::client(&recorder.base);
    wx["v3/x"].get().header("X-Given", "1").header("x-given", "2").wait().unwrap();
    let seen = recorder.take();
    assert_eq!(
        seen.header("accept"),
        Some("application/json, text/plain, application/x-gzip, application/pdf, image/png, image/*;q=0.5")
    );
    assert!(seen.header("user-agent").unwrap().starts_with("wechatpay-chain/"));
    assert_eq!(seen.header("wechatpay-serial"), None, "only with a public key");
    assert_eq!(seen.header("x-given"), Some("2"));
    assert_eq!(seen.auth("mchid"), support::MCHID);
    assert_eq!(seen.auth("serial_no"), support::MERCHANT_SERIAL);
    assert!(seen.auth("timestamp").parse::<u64>().unwrap().abs_diff(support::now()) <= 1);

    let wx = support::builder(&recorder.base)
        .platform_key("PUB_KEY_ID_1", support::key("platform_pub.pem"))
        .platform_key("PUB_KEY_ID_2", support::key("platform_pub.pkcs1.pem"))
        .build()
        .unwrap();
    wx["v3/x"].get().wait().unwrap();
    assert_eq!(recorder.take().header("wechatpay-serial"), Some("PUB_KEY_ID_2"));
    wx["v3/x"].get().header("Wechatpay-Serial", "GIVEN").wait().unwrap();
    assert_eq!(recorder.take().header("wechatpay-serial"), Some("GIVEN"));
}

#[test]
fn a_base_urls_path_is_a_prefix_of_the_target() {
    let recorder = Recorder::no_content();
    for base in ["hk", "hk/"] {
        let wx = support::client(&format!("{}{base}", recorder.base));
        for path in ["v3/x?a=1", "/v3/x?a=1"] {
            wx[path].get().query(json!({"b": 2})).wait().unwrap();
            let seen = recorder.take();
            assert_eq!(seen.target, "/hk/v3/x?a=1&b=2");
            assert!(seen.expected_message().starts_with(b"GET\n/hk/v3/x?a=1&b=2\n"));
        }
    }
    let wx = support::client(&recorder.base);
    wx["v3/x"].get().base_url(format!("{}global", recorder.base)).wait().unwrap();
    assert_eq!(recorder.take().target, "/global/v3/x");
}

#[test]
fn prepare_shows_what_is_sent_and_sends_nothing() {
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    let request = || wx["v3/{a}"].post(json!({"k": "v"})).var("a", "x/y 茶").query(json!({"q": "it's"}));
    let prepared = request().prepare().unwrap();
    assert!(recorder.seen().is_empty());
    assert_eq!(prepared.method(), "POST");
    assert_eq!(prepared.target(), "/v3/x%2Fy%20%E8%8C%B6?q=it%27s");
    assert_eq!(prepared.url(), format!("{}v3/x%2Fy%20%E8%8C%B6?q=it%27s", recorder.base));
    assert_eq!(prepared.body().as_ref(), br#"{"k":"v"}"#);
    let (timestamp, nonce) = (prepared.timestamp(), prepared.nonce());
    let message = format!("POST\n/v3/x%2Fy%20%E8%8C%B6?q=it%27s\n{timestamp}\n{nonce}\n{{\"k\":\"v\"}}\n");
    assert_eq!(prepared.message(), message);
    let authorization = prepared.authorization().wait().unwrap().unwrap();
    assert!(authorization.is_sensitive());

    request().wait().unwrap();
    let seen = recorder.take();
    assert_eq!(seen.target, prepared.target());
    assert_eq!(seen.body, prepared.body().as_ref());
    for (name, value) in prepared.headers() {
        assert_eq!(seen.header(name.as_str()), Some(value.to_str().unwrap()), "{name}");
    }
}

#[test]
fn a_redirect_is_an_error_and_never_followed() {
    let other = Recorder::no_content();
    let location = format!("{}v3/elsewhere?token=secret", other.base);
    let recorder = Recorder::start(move |_| raw("302 Found", &[("Location", &location)], b""));
    let wx = support::client(&recorder.base);
    let Err(Error::Api(error)) = wx["v3/x"].get_sync() else { panic!("not an Api error") };
    assert_eq!((error.status, error.verified), (302, false));
    assert!(error.message.contains("not followed") && !error.message.contains("secret"), "{error}");
    assert!(other.seen().is_empty());
}

#[test]
fn a_signature_never_goes_to_another_host() {
    let other = Recorder::start(|_| raw("200 OK", &[], b"file"));
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    // A download URL on another host is fetched without Authorization.
    let url = format!("{}v3/billdownload/file?token=a%2Fb&Case=K", other.base);
    let response = wx.chain(&url).get_sync().unwrap();
    assert_eq!((response.bytes().as_ref(), response.verified()), (&b"file"[..], false));
    let seen = other.take();
    assert_eq!(seen.target, "/v3/billdownload/file?token=a%2Fb&Case=K");
    assert!(seen.header("authorization").is_none() && seen.header("wechatpay-serial").is_none());
    // Nothing else is sent there.
    assert!(
        matches!(wx.chain(&url).post_sync(json!({})), Err(Error::Path(e)) if matches!(*e, PathError::UntrustedHost { .. }))
    );
    let refused = wx["v3/x"].get().base_url(&other.base).wait();
    assert!(matches!(refused, Err(Error::Config(e)) if e.field() == "base_url"));
    assert!(other.seen().is_empty());
    // A full URL on the client's own host is signed.
    wx.chain(&format!("{}v3/x", recorder.base)).get_sync().unwrap();
    assert!(recorder.take().header("authorization").is_some());
    assert!(
        support::client(&recorder.base).chain("http://other.example/v3/x").get().prepare().is_err(),
        "in clear"
    );
    // The same host on another port, or http for https, is another origin.
    let wx = support::builder("https://api.mch.weixin.qq.com/").build().unwrap();
    for url in ["https://api.mch.weixin.qq.com:8443/v3/x", "https://api.mch.weixin.qq.com.evil.example/v3/x"]
    {
        assert!(wx.chain(url).get().prepare().unwrap().authorization().wait().unwrap().is_none(), "{url}");
    }
    for url in ["https://api2.mch.weixin.qq.com/v3/x", "https://apihk.mch.weixin.qq.com/v3/x"] {
        assert!(wx.chain(url).get().prepare().unwrap().authorization().wait().unwrap().is_some(), "{url}");
    }
}

#[test]
fn connections_are_reused_and_nonces_are_not() {
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    for _ in 0..20 {
        wx["v3/x"].get_sync().unwrap();
    }
    // One connection, except for a rare call that starts before the connection is back in the pool.
    assert_eq!(recorder.seen().len(), 20);
    assert!(recorder.connections() <= 4, "{}", recorder.connections());
    let nonces: std::collections::HashSet<_> = recorder.seen().iter().map(|r| r.auth("nonce_str")).collect();
    assert_eq!(nonces.len(), 20);
}

#[test]
fn a_large_response_is_refused_with_and_without_a_length() {
    let body = vec![b'x'; 4096];
    let big = body.clone();
    let chunked = Recorder::start(move |_| {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        [head.as_bytes(), format!("{:x}\r\n", big.len()).as_bytes(), &big, b"\r\n0\r\n\r\n"].concat()
    });
    let counted = Recorder::start(move |_| signed("200 OK", &[], &body));
    for recorder in [&chunked, &counted] {
        let wx = support::builder(&recorder.base).max_body(4095).build().unwrap();
        let Err(Error::ResponseTooLarge(error)) = wx["v3/x"].get_sync() else { panic!("not its own kind") };
        assert!(error.limit() == 4095 && error.to_string().contains("4095"), "{error}");
    }
    let wx = support::builder(&counted.base).max_body(4096).build().unwrap();
    assert_eq!(wx["v3/x"].get_sync().unwrap().bytes().len(), 4096);
}

#[test]
fn a_slow_response_times_out() {
    let recorder = Recorder::start(|_| {
        std::thread::sleep(Duration::from_secs(3));
        Vec::new()
    });
    let wx = support::client(&recorder.base);
    let start = Instant::now();
    let Err(Error::Transport(error)) = wx["v3/x"].get().timeout(Duration::from_millis(200)).wait() else {
        panic!("not a Transport error")
    };
    assert!(error.maybe_sent() && error.to_string().contains("200ms"), "{error}");
    assert!(error.is_timeout() && !error.is_connect());
    assert!(start.elapsed() < Duration::from_secs(2));
    let Err(Error::Transport(error)) = support::client("http://127.0.0.1:9/")["v3/x"].get_sync() else {
        panic!("not a Transport error")
    };
    assert!(!error.maybe_sent() && error.is_connect() && !error.is_timeout(), "{error}");
    assert!(std::error::Error::source(&*error).is_some());
}

#[test]
fn a_body_is_read_as_json_text_or_bytes() {
    let recorder = Recorder::start(|r| match r.target.as_str() {
        "/v3/json" => signed("200 OK", &[("Content-Type", "application/json")], r#"{"茶":[1]}"#.as_bytes()),
        "/v3/csv" => signed("200 OK", &[], "`a,`b".as_bytes()),
        "/v3/bytes" => signed("200 OK", &[], &[0xff, 0xfe]),
        _ => signed("204 No Content", &[], b""),
    });
    let wx = support::client(&recorder.base);
    let json = wx["v3/json"].get_sync().unwrap();
    assert_eq!(
        (json.status(), json.data(), json.text().unwrap()),
        (200, &json!({"茶": [1]}), r#"{"茶":[1]}"#)
    );
    assert_eq!(json.deserialize::<std::collections::HashMap<String, Vec<u8>>>().unwrap()["茶"], [1]);
    assert_eq!(
        (json.header("content-TYPE"), json.request_id()),
        (Some("application/json"), Some("08F0D0A1"))
    );
    let Err(Error::Decode(error)) = json.deserialize::<Vec<u8>>() else { panic!("not a Decode error") };
    assert!(
        error.to_string().contains("08F0D0A1") && std::error::Error::source(&*error).is_some(),
        "{error}"
    );
    assert_eq!(*wx["v3/csv"].get_sync().unwrap().data(), json!("`a,`b"));
    assert!(matches!(wx["v3/bytes"].get_sync().unwrap().text(), Err(Error::Decode(_))));
    let empty = wx["v3/empty"].get_sync().unwrap();
    assert_eq!((empty.status(), empty.data(), empty.verified()), (204, &Value::Null, true));
    assert_eq!(empty.deserialize::<Option<u8>>().unwrap(), None);
}

/// Another server library, which many users test with.
#[test]
fn an_unsigned_success_is_refused_and_an_unsigned_error_passed_on() {
    let server = MockServer::start();
    server.mock(|when, then| {
        when.method(POST).path("/v3/pay/transactions/native").header_exists("authorization");
        then.status(200).json_body(json!({"code_url": "weixin://forged"}));
    });
    server.mock(|when, then| {
        when.method(GET).path("/v3/certificates");
        then.status(404).header("Request-ID", "ID7").json_body(
            json!({"code": "RESOURCE_NOT_EXISTS", "message": "无可用的平台证书", "detail": {"k": 1}}),
        );
    });
    let wx = support::client(&format!("{}/", server.base_url()));
    let Err(Error::Verify(error)) = wx["v3/pay/transactions/native"].post_sync(json!({})) else {
        panic!("not a Verify error")
    };
    assert!(
        error.to_string().contains("no `Wechatpay-Nonce` header") && error.status == Some(200),
        "{error}"
    );
    let Err(Error::Api(error)) = wx["v3/certificates"].get_sync() else { panic!("not an Api error") };
    assert_eq!((error.status, error.code.as_str(), error.verified), (404, "RESOURCE_NOT_EXISTS", false));
    assert_eq!((error.detail.clone(), error.request_id.as_deref()), (json!({"k": 1}), Some("ID7")));
    assert_eq!(error.to_string(), "404 RESOURCE_NOT_EXISTS: 无可用的平台证书 (Request-ID ID7) (unsigned)");
}

#[test]
fn a_too_long_url_or_too_many_headers_are_refused() {
    let wx = support::client("https://example.com/");
    let long = wx["v3/{a}"].get().var("a", "x".repeat(70_000)).prepare();
    let Err(Error::Path(e)) = long else { panic!("not a Path error") };
    assert!(e.to_string().contains("(limit 65534)") && e.to_string().len() < 400, "{e}");
    let many = (0..200).fold(wx["v3/x"].get(), |request, n| request.header(format!("X-{n}"), "v"));
    assert!(
        matches!(many.prepare(), Err(Error::Config(e)) if e.to_string().contains("too many (limit 100)"))
    );
    let secret = wx.chain("https://user:pw@example.com/v3/x").get().prepare();
    assert!(matches!(secret, Err(Error::Path(e)) if !e.to_string().contains("pw")));
}

#[test]
fn foreign_text_stays_on_its_line() {
    let body = json!({"code": "A\nB", "message": format!("\u{1b}[2J\nfake log line {}", "x".repeat(5_000))})
        .to_string();
    let recorder = Recorder::start(move |_| raw("500 X", &[("Request-ID", "R")], body.as_bytes()));
    let Err(Error::Api(e)) = support::client(&recorder.base)["v3/x"].get_sync() else {
        panic!("not an Api error")
    };
    for text in [e.to_string(), format!("{e:?}")] {
        assert!(!text.contains(['\n', '\u{1b}']) && text.len() < 3_000, "{text}");
    }
    // A response that is cut off keeps the Request-ID that had arrived.
    let cut =
        Recorder::start(|_| b"HTTP/1.1 200 OK\r\nRequest-ID: R7\r\nContent-Length: 9\r\n\r\n{}".to_vec());
    let wx = support::builder(&cut.base).timeout(Duration::from_millis(300)).build().unwrap();
    let error = wx["v3/x"].get_sync().unwrap_err();
    assert!(matches!(error, Error::Transport(_)) && error.request_id() == Some("R7"), "{error}");
}
