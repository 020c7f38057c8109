//! What `prepare` accepts can be sent, and arrives as it was shown.

use serde_json::{Value, json};
use wechatpay_chain::http::Uri;
use wechatpay_chain::{Error, Request, WeChatPay};

use crate::support::{self, Recorder};

/// A part of a request, and the request with a character in it.
type Place<'a> = (&'static str, Box<dyn Fn() -> Request + 'a>);

/// Every ASCII character, and some others.
fn characters() -> impl Iterator<Item = char> {
    (0u8..=127)
        .map(char::from)
        .chain(['\u{80}', '\u{a0}', 'é', '粤', '。', '．', '😀', '\u{200b}', '\u{feff}'])
}

/// What was wrong with a request that `prepare` refused; else nothing, once it arrived as it was shown.
fn arrives(recorder: &Recorder, request: impl Fn() -> Request) -> Option<Error> {
    let prepared = match request().prepare() {
        Ok(prepared) => prepared,
        Err(refused) => return Some(refused),
    };
    request().wait().unwrap_or_else(|e| panic!("{} was prepared, and not sent: {e}", prepared.url()));
    let seen = recorder.take();
    assert_eq!(seen.target, prepared.target());
    assert_eq!(seen.body.as_slice(), &prepared.body()[..]);
    for (name, value) in prepared.headers() {
        let text = String::from_utf8_lossy(value.as_bytes());
        assert_eq!(seen.header(name.as_str()).map(str::trim), Some(text.trim()), "{name}");
    }
    None
}

#[test]
fn each_character_in_each_place_is_refused_or_arrives() {
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    let (mut refused, mut sent) = (0, 0);
    for c in characters() {
        let text = format!("a{c}b");
        let path = |start: &str| format!("{start}{text}");
        let places: [Place<'_>; 12] = [
            ("path", Box::new(|| wx.chain(&path("v3/x/")).get())),
            ("query of the path", Box::new(|| wx.chain(&path("v3/x?")).get())),
            ("variable", Box::new(|| wx.chain("v3/{x}").get().var("x", text.as_str()))),
            ("reserved variable", Box::new(|| wx.chain("v3/{+x}/y").get().var("x", text.as_str()))),
            ("query variable", Box::new(|| wx.chain("v3/y{?x}").get().var("x", text.as_str()))),
            ("query", Box::new(|| wx["v3/x"].get().query(json!({&text: &text})))),
            ("query text", Box::new(|| wx["v3/x"].get().query(text.as_str()))),
            ("header value", Box::new(|| wx["v3/x"].get().header("X-Some", &text))),
            ("header name", Box::new(|| wx["v3/x"].get().header(&text, "1"))),
            ("body", Box::new(|| wx["v3/x"].post(json!({"x": text})))),
            ("content type", Box::new(|| wx["v3/x"].post(Value::Null).body(&text, text.clone()))),
            ("base path", Box::new(|| wx["v3/x"].get().base_url(format!("{}{text}/", recorder.base)))),
        ];
        for (place, request) in &places {
            match arrives(&recorder, request) {
                None => sent += 1,
                Some(Error::Path(_) | Error::Config(_)) => refused += 1,
                Some(other) => panic!("{c:?} in the {place}: {other}"),
            }
        }
        let whole = || wx.chain("{+u}").get().var("u", format!("{}v3/{text}?{text}", recorder.base));
        let _ = arrives(&recorder, whole);
    }
    assert!(sent > 600 && refused > 200, "{sent} sent, {refused} refused");
}

/// Through a proxy, which sees every host that is really asked for.
#[test]
fn each_character_in_a_host_is_refused_or_reaches_the_proxy() {
    let proxy = Recorder::start(|_| b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_vec());
    let wx = support::builder("http://127.0.0.1:9/").proxy(&proxy.base).build().unwrap();
    let mut sent = 0;
    for c in characters() {
        for host in [format!("a{c}b.example"), format!("{c}.example"), format!("a{c}")] {
            let request = || wx.chain("https://{+host}/x").get().var("host", host.as_str());
            let Ok(prepared) = request().prepare() else { continue };
            let uri: Uri = prepared.url().parse().unwrap_or_else(|e| panic!("{}: {e}", prepared.url()));
            assert!(request().wait().is_err());
            let seen = proxy.take();
            assert_eq!(seen.method, "CONNECT", "{host:?}");
            assert_eq!(seen.target, format!("{}:443", uri.host().unwrap()), "{host:?}");
            sent += 1;
        }
    }
    assert!(sent > 150, "{sent}");
}

#[test]
fn a_base_url_that_cannot_be_sent_to_is_refused() {
    let wx = support::client("http://127.0.0.1:9/");
    for host in
        ["a\"b", "a{b}", "a`b", "a..b", "a,b", "a;b", "a$b", "a!b", &"a".repeat(64), &"a.".repeat(200)]
    {
        let url = format!("https://{host}/");
        let refused = |result: Result<(), Error>| matches!(result, Err(Error::Config(_) | Error::Path(_)));
        let build =
            |change: fn(wechatpay_chain::WeChatPayBuilder, String) -> wechatpay_chain::WeChatPayBuilder| {
                change(support::builder("https://example.com/"), url.clone()).build().map(drop)
            };
        assert!(refused(build(|b, url| b.base_url(url))), "{url}");
        assert!(refused(build(|b, url| b.spare_base_url(url))), "{url}");
        assert!(refused(wx["v3/x"].get().base_url(&url).prepare().map(drop)), "{url}");
        assert!(refused(wx["v3/x"].get().options(json!({"base_uri": url})).prepare().map(drop)), "{url}");
        assert!(refused(wx.chain("https://{+host}/x").get().var("host", host).prepare().map(drop)), "{url}");
    }
    let fine: fn(&WeChatPay, &str) -> bool = |wx, url| wx.chain("{+u}").get().var("u", url).prepare().is_ok();
    assert!(fine(&wx, "https://a_b.example.com/x") && fine(&wx, "https://[2001:db8::1]/x"));
}
