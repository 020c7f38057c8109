//! Which hosts get which requests: who gets a signature, who gets a bare GET, and what goes in clear text.

use proptest::prelude::*;
use serde_json::{Value, json};
use wechatpay_chain::{Error, Media, PathError, Request, WeChatPay, WeChatPayBuilder};

use crate::support::{self, Recorder, signed};

fn refusal(result: Result<WeChatPay, Error>) -> (String, String) {
    match result {
        Err(Error::Config(e)) => (e.field().to_owned(), e.to_string()),
        other => panic!("not a Config error: {other:?}"),
    }
}

const LOCAL: [&str; 9] = [
    "http://localhost/",
    "http://LOCALHOST:8080/",
    "http://localhost./",
    "http://127.0.0.1:8080/hk",
    "http://127.255.0.3/",
    "http://127.1/",
    "http://0x7f000001/",
    "http://[::1]:8080/",
    "http://[::ffff:127.0.0.1]/",
];

const ELSEWHERE: [&str; 10] = [
    "http://gateway.internal/",
    "http://10.0.0.1:8080/",
    "http://0.0.0.0/",
    "http://[::]/",
    "http://[fe80::1]/",
    "http://128.0.0.1/",
    "http://localhost.example.com/",
    "http://127.0.0.1.example.com/",
    "HTTP://Gateway.Internal./",
    "http://例子.com/",
];

#[test]
fn http_is_for_this_machine_unless_it_is_allowed() {
    type Setter = fn(WeChatPayBuilder, &str) -> WeChatPayBuilder;
    let setters: [(&str, Setter); 2] =
        [("base_url", |b, url| b.base_url(url)), ("spare_base_url", |b, url| b.spare_base_url(url))];
    for (field, set) in setters {
        let build = |url: &str| set(support::builder("https://example.com/"), url).build();
        let allowing = |url: &str| set(support::builder("https://example.com/"), url).allow_http().build();
        for url in LOCAL {
            assert!(build(url).is_ok(), "{url}");
        }
        for url in ELSEWHERE {
            let (refused, text) = refusal(build(url));
            assert!(refused == field && text.contains("`allow_http`"), "{url}: {text}");
            assert!(allowing(url).is_ok(), "{url}");
        }
        // The platform's own hosts are never asked in clear text, whatever their spelling.
        for host in [
            "api.mch.weixin.qq.com",
            "API2.mch.weixin.qq.com",
            "apihk.mch.weixin.qq.com.",
            "ａｐｉ.mch.weixin.qq.com",
        ] {
            let (refused, text) = refusal(allowing(&format!("http://{host}/")));
            assert!(refused == field && text.contains("https only"), "{host}: {text}");
        }
        for wrong in
            ["https://example.com../", "https://./", "ws://localhost/", "file:///etc/passwd", "localhost:80"]
        {
            assert_eq!(refusal(allowing(wrong)).0, field, "{wrong}");
        }
    }
    // For one call, and for a whole URL in the chain.
    let (strict, allowing) =
        (support::client("https://example.com/"), support::builder("https://example.com/"));
    let allowing = allowing.allow_http().build().unwrap();
    for url in ELSEWHERE {
        let overriding = strict["v3/x"].get().base_url(url).prepare();
        assert!(matches!(overriding, Err(Error::Config(e)) if e.field() == "base_url"), "{url}");
        let option = strict["v3/x"].get().options(json!({"base_uri": url})).prepare();
        assert!(matches!(option, Err(Error::Config(e)) if e.field() == "options.base_uri"), "{url}");
        if url.is_ascii() {
            let path = format!("{url}v3/x");
            for request in [strict.chain(&path).get(), strict.chain("{+u}").get().var("u", path.as_str())] {
                let Err(Error::Path(error)) = request.prepare() else { panic!("accepted: {url}") };
                assert!(
                    matches!(&*error, PathError::InsecureHost { .. })
                        && error.to_string().contains("`allow_http`")
                );
            }
            // Allowed, it is still a foreign host.
            let prepared = allowing.chain(&path).get().prepare().unwrap();
            assert!(prepared.authorization().wait().unwrap().is_none());
        }
    }
}

#[test]
fn every_source_of_settings_allows_http() {
    let array = |allow: Value| {
        json!({
            "mchid": support::MCHID, "serial": support::MERCHANT_SERIAL, "privateKey": support::key("merchant_key.pem"),
            "certs": {support::PLATFORM_SERIAL: support::key("platform_cert.pem")},
            "base_uri": "http://gateway.internal/", "allowHttp": allow,
        })
    };
    assert!(WeChatPay::factory(array(json!(true))).is_ok());
    for no in [json!(false), Value::Null] {
        let (field, text) = refusal(WeChatPay::factory(array(no)));
        assert!(field == "base_uri" && text.contains("`allowHttp`"), "{text}");
    }
    assert_eq!(refusal(WeChatPay::factory(array(json!("yes")))).0, "allowHttp");
    let variables = |allow: Option<&str>| {
        WeChatPayBuilder::from_variables(|name| match name {
            "WECHATPAY_MCHID" => Some(support::MCHID.to_owned()),
            "WECHATPAY_SERIAL" => Some(support::MERCHANT_SERIAL.to_owned()),
            "WECHATPAY_PRIVATE_KEY" => Some(support::key("merchant_key.pem")),
            "WECHATPAY_PLATFORM_SERIAL" => Some(support::PLATFORM_SERIAL.to_owned()),
            "WECHATPAY_PLATFORM_CERTIFICATE" => Some(support::key("platform_cert.pem")),
            "WECHATPAY_BASE_URL" => Some("http://gateway.internal/".to_owned()),
            "WECHATPAY_ALLOW_HTTP" => allow.map(str::to_owned),
            _ => None,
        })
        .and_then(WeChatPayBuilder::build)
    };
    assert!(variables(Some("1")).is_ok() && variables(Some("true")).is_ok());
    for no in [None, Some("0"), Some("false")] {
        let (field, text) = refusal(variables(no));
        assert!(field == "WECHATPAY_BASE_URL" && text.contains("`WECHATPAY_ALLOW_HTTP`"), "{text}");
    }
    assert_eq!(refusal(variables(Some("maybe"))).0, "WECHATPAY_ALLOW_HTTP");
}

fn is_signed(wx: &WeChatPay, url: &str) -> bool {
    wx.chain("{+u}").get().var("u", url).prepare().unwrap().authorization().wait().unwrap().is_some()
}

#[test]
fn an_allowed_host_is_the_same_in_every_spelling() {
    for (allowed, same) in [
        ("例子.com", ["https://例子.com/v3/x", "https://xn--fsqu00a.com/v3/x", "https://例子。com/v3/x"]),
        ("xn--fsqu00a.com", ["https://例子.com/v3/x", "https://XN--FSQU00A.com/", "https://例子.com.:443/"]),
        (
            "Gateway.Example",
            ["https://gateway.example/", "https://GATEWAY.example./x", "HTTPS://gateway.example:443"],
        ),
        (
            "gateway.example.",
            ["https://gateway.example/", "https://gateway.example./x", "https://gateway.example?x"],
        ),
        (
            "2001:db8::1",
            ["https://[2001:db8::1]/", "https://[2001:DB8:0::1]/x", "https://[2001:db8::1]:443/"],
        ),
        (
            "[2001:db8::1]",
            ["https://[2001:db8::1]/", "https://[2001:DB8:0::1]/x", "https://[2001:db8::1]:443/"],
        ),
        ("192.0.2.1", ["https://192.0.2.1/", "https://0xc0.0.2.1/", "https://3221225985/"]),
    ] {
        let wx = support::builder("https://example.com/").allow_host(allowed).build().unwrap();
        for url in same {
            assert!(is_signed(&wx, url), "{allowed}: {url}");
        }
        for other in
            ["https://gateway.example:8443/", "https://sub.gateway.example/", "https://xn--fsqu00b.com/"]
        {
            assert!(!is_signed(&wx, other), "{allowed}: {other}");
        }
    }
    for wrong in
        ["", "*.example.com", "https://a.example", "a.example:443", "a.example/v3", "a b", "a..example"]
    {
        let (field, _) = refusal(support::builder("https://example.com/").allow_host(wrong).build());
        assert_eq!(field, "allow_host", "{wrong}");
    }
}

#[test]
fn a_spare_urls_path_is_part_of_the_target() {
    let (gone, spare) = ("http://127.0.0.1:9/hk/", Recorder::no_content());
    let wx = support::builder(gone).spare_base_url(format!("{}wechat", spare.base)).build().unwrap();
    wx["v3/x"].post(json!({"k": 1})).query("a=b").wait().unwrap();
    let seen = spare.take();
    assert_eq!(seen.target, "/wechat/v3/x?a=b");
    assert!(seen.expected_message().starts_with(b"POST\n/wechat/v3/x?a=b\n"));
    // The table of unsigned paths counts from there.
    let bare = Recorder::start(|_| support::raw("200 OK", &[], b"a file"));
    let wx = support::builder(gone).spare_base_url(format!("{}a/b", bare.base)).build().unwrap();
    assert!(!wx["v3/billdownload/file"].get_sync().unwrap().verified());
    assert!(matches!(wx["v3/other"].get_sync(), Err(Error::Verify(_))));
    assert_eq!(bare.seen()[0].target, "/a/b/v3/billdownload/file");
}

#[test]
fn a_foreign_host_gets_a_bare_get_and_nothing_else() {
    let other = Recorder::start(|_| signed("200 OK", &[], b"file"));
    let wx = support::builder("https://example.com/")
        .platform_key("PUB_KEY_ID_1", support::key("platform_pub.pem"))
        .build()
        .unwrap();
    let url = format!("{}v3/billdownload/file?token=a", other.base);
    let get = || wx.chain(&url).get();
    get().query("b=c").timeout(std::time::Duration::from_secs(5)).retry(1).wait().unwrap();
    wx.chain("{+u}")
        .get()
        .var("u", url.as_str())
        .options(json!({"json": null, "headers": {}}))
        .wait()
        .unwrap();
    get().save_to_writer(tokio::io::sink()).wait().unwrap();
    for seen in other.seen() {
        let mut names: Vec<_> = seen.headers.iter().map(|(name, _)| name.to_lowercase()).collect();
        names.sort();
        assert_eq!(names, ["accept", "host", "user-agent"]);
        assert!(seen.body.is_empty() && seen.method == "GET");
    }
    let reached = other.seen().len();
    let refused: [(&str, Request); 16] = [
        ("POST", wx.chain(&url).post(Value::Null)),
        ("PUT", wx.chain(&url).put(json!({"a": 1}))),
        ("PATCH", wx.chain(&url).patch(json!({}))),
        ("DELETE", wx.chain(&url).delete()),
        ("body", get().json(json!({"card": "6214"}))),
        ("body", get().body("text/plain", "")),
        ("body", get().body("text/plain", "x")),
        ("body", get().media(Media::bytes("a.jpg", b"x".to_vec()))),
        ("body", get().options(json!({"json": {"a": 1}}))),
        ("body", get().options(json!({"body": "a"}))),
        ("cookie", get().header("Cookie", "session=1")),
        ("proxy-authorization", get().header("Proxy-Authorization", "Basic eA==")),
        ("wechatpay-serial", get().header("Wechatpay-Serial", "PUB_KEY_ID_1")),
        ("accept", get().options(json!({"headers": {"Accept": "image/png"}}))),
        ("encrypted", get().encrypt(&["/a"])),
        ("body", wx.chain("{+u}").get().var("u", url.as_str()).json(json!([1]))),
    ];
    for (part, request) in refused {
        let Err(Error::Path(error)) = request.wait() else { panic!("sent: {part}") };
        let text = error.to_string();
        assert!(matches!(&*error, PathError::UntrustedHost { .. }) && text.contains(part), "{part}: {text}");
        assert!(!text.contains("6214") && !text.contains("session=1") && !text.contains("token"), "{text}");
    }
    let download = get().header("Cookie", "session=1").save_to_writer(tokio::io::sink()).wait();
    assert!(matches!(download, Err(Error::Path(_))));
    assert_eq!(other.seen().len(), reached);
}

/// Scheme, host and port of a URL, read without the URL library: what a server on the way would see.
fn origin(url: &str) -> (String, String) {
    let (scheme, rest) = url.split_once("://").unwrap();
    let authority = rest.split(['/', '?', '#']).next().unwrap();
    assert!(!authority.contains('@'), "{url}");
    (scheme.to_owned(), authority.to_owned())
}

fn spelled_host() -> impl Strategy<Value = String> {
    let host = prop_oneof![
        Just("base.example"),
        Just("spare.example"),
        Just("allowed.example"),
        Just("例子.com"),
        Just("xn--fsqu00a.com"),
        Just("api.mch.weixin.qq.com"),
        Just("api2.mch.weixin.qq.com"),
        Just("payapp.weixin.qq.com"),
        Just("evil.example"),
        Just("base.example.evil.example"),
        Just("api.mch.weixin.qq.com.evil.example"),
        Just("mch.weixin.qq.com"),
        Just("127.0.0.1"),
        Just("[::1]"),
        Just("localhost"),
        Just("[2001:db8::1]"),
    ];
    (host, any::<bool>(), any::<bool>()).prop_map(|(host, upper, dot)| {
        let host = if upper { host.to_uppercase() } else { host.to_owned() };
        if dot && !host.starts_with('[') { format!("{host}.") } else { host }
    })
}

fn spelled_url() -> impl Strategy<Value = String> {
    let scheme = prop_oneof![Just("https"), Just("http"), Just("HTTPS"), Just("hTTp")];
    let user = prop_oneof![8 => Just(""), 1 => Just("user@"), 1 => Just("api.mch.weixin.qq.com:443@")];
    let port =
        prop_oneof![5 => Just(""), 1 => Just(":443"), 1 => Just(":80"), 1 => Just(":8443"), 1 => Just(":")];
    let path =
        prop_oneof![Just("/v3/x"), Just("/"), Just(""), Just("/v3/x?a=b"), Just("?a"), Just("/hk/v3/x")];
    (scheme, user, spelled_host(), port, path)
        .prop_map(|(scheme, user, host, port, path)| format!("{scheme}://{user}{host}{port}{path}"))
}

#[derive(Clone, Debug)]
enum Extra {
    Json,
    Body,
    Options,
    Media,
    Header,
    Encrypt,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_signature_and_a_body_go_to_trusted_hosts_only(
        url in spelled_url(),
        verb in 0..5,
        how in 0..3,
        extra in proptest::option::of(prop_oneof![
            Just(Extra::Json), Just(Extra::Body), Just(Extra::Options), Just(Extra::Media), Just(Extra::Header),
            Just(Extra::Encrypt),
        ]),
        allow_http in any::<bool>(),
    ) {
        static CLIENTS: std::sync::LazyLock<[WeChatPay; 2]> = std::sync::LazyLock::new(|| {
            let client = |allow: bool| {
                let builder = support::builder("https://base.example/hk/")
                    .platform_key("PUB_KEY_ID_1", support::key("platform_pub.pem"))
                    .spare_base_url("https://spare.example/")
                    .allow_host("Allowed.Example.")
                    .allow_host("例子.com");
                if allow { builder.allow_http() } else { builder }.build().unwrap()
            };
            [client(false), client(true)]
        });
        let wx = &CLIENTS[usize::from(allow_http)];
        let chain = match how {
            0 if url.is_ascii() => wx.chain(&url),
            1 => wx.chain("{+u}"),
            _ => wx.chain("v3/x"),
        };
        let request = match verb {
            0 => chain.post(Value::Null),
            1 => chain.put(Value::Null),
            2 => chain.delete(),
            _ => chain.get(),
        };
        let request = match how {
            0 if url.is_ascii() => request,
            1 => request.var("u", url.as_str()),
            _ => request.options(json!({"base_uri": url})),
        };
        let request = match extra {
            None => request,
            Some(Extra::Json) => request.json(json!({"name": "张三"})),
            Some(Extra::Body) => request.body("text/plain", "x"),
            Some(Extra::Options) => request.options(json!({"body": "x", "headers": {"X-Given": "1"}})),
            Some(Extra::Media) => request.media(Media::bytes("a.jpg", b"x".to_vec())),
            Some(Extra::Header) => request.header("Cookie", "session=1"),
            Some(Extra::Encrypt) => request.json(json!({"name": "张三"})).encrypt(&["/name"]),
        };
        let Ok(prepared) = request.prepare() else { return Ok(()) };
        let (scheme, authority) = origin(prepared.url());
        let trusted = scheme == "https" && [
            "base.example", "spare.example", "allowed.example", "xn--fsqu00a.com", "api.mch.weixin.qq.com",
            "api2.mch.weixin.qq.com", "apihk.mch.weixin.qq.com", "fraud.mch.weixin.qq.com", "payapp.weixin.qq.com",
        ].contains(&authority.as_str());
        let local = ["127.0.0.1", "[::1]", "localhost"]
            .iter()
            .any(|host| authority.strip_prefix(host).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')));
        prop_assert!(scheme == "https" || local || allow_http, "{}", prepared.url());
        prop_assert_eq!(prepared.authorization().wait().unwrap().is_some(), trusted, "{}", prepared.url());
        if !trusted {
            prop_assert_eq!(prepared.method(), "GET");
            prop_assert!(prepared.body().is_empty());
            let mut names: Vec<_> = prepared.headers().keys().map(|name| name.as_str()).collect();
            names.sort_unstable();
            prop_assert_eq!(names, ["accept", "user-agent"]);
        }
    }
}
