//! A caller's mistake: a private key where a path, an id or a switch belongs, and control characters anywhere. Neither
//! may show in a `Debug`, a `Display`, a source or a trace.
//!
//! Each text is given to every setting and every public function that takes text, and everything that comes out is
//! searched.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wechatpay_chain::http::{HeaderMap, HeaderValue};
use wechatpay_chain::{Error, Media, WeChatPay, WeChatPayBuilder};

use crate::support;

/// Collects what is printed about one text.
struct Outputs<'a> {
    given: &'a str,
    all: Vec<(String, String)>,
    traced: Arc<Mutex<String>>,
}

impl Outputs<'_> {
    fn debug(&mut self, what: &str, value: &dyn Debug) {
        self.all.push((what.to_owned(), format!("{value:?}")));
        self.all.push((what.to_owned(), format!("{value:#?}").replace("\n", " ")));
    }

    fn error(&mut self, what: &str, error: &(dyn std::error::Error + 'static)) {
        self.all.push((what.to_owned(), error.to_string()));
        self.debug(what, &error);
        let mut cause = error.source();
        while let Some(inner) = cause {
            self.all.push((format!("{what}: a source"), inner.to_string()));
            self.debug(&format!("{what}: a source"), &inner);
            cause = inner.source();
        }
        if let Some(Error::Config(e)) = error.downcast_ref::<Error>() {
            self.all.push((what.to_owned(), e.field().to_owned()));
        }
    }

    fn result<T: Debug>(&mut self, what: &str, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(value) => {
                self.debug(what, &value);
                Some(value)
            }
            Err(error) => {
                self.error(what, &error);
                None
            }
        }
    }

    fn builder(&mut self, what: &str, builder: WeChatPayBuilder) {
        self.debug(what, &builder);
        if let Some(wx) = self.result(what, builder.build()) {
            let request = wx["v3/x/{id}"].get().var("id", "1");
            self.debug(what, &request);
            self.result(what, request.wait());
        }
    }
}

/// Everything that takes text from a caller, with this text.
fn everywhere(out: &mut Outputs<'_>) {
    settings(out);
    factory_and_variables(out);
    let wx = support::client("http://127.0.0.1:9/");
    requests(out, &wx);
    files(out, &wx);
    others(out, &wx);
}

fn settings(out: &mut Outputs<'_>) {
    let text = out.given;
    let builder = || support::builder("http://127.0.0.1:9/");
    let bare = || WeChatPay::builder().mchid(support::MCHID).serial(support::MERCHANT_SERIAL);
    let pem = support::key("platform_cert.pem");
    for (what, builder) in [
        ("mchid", builder().mchid(text)),
        ("serial", builder().serial(text)),
        ("private_key", builder().private_key(text)),
        ("file:// private_key", builder().private_key(format!("file://{text}"))),
        ("passphrase", builder().private_key(support::key("merchant_key.encrypted.pem")).passphrase(text)),
        ("p12", bare().p12(text, "x")),
        ("p12 passphrase", bare().p12(support::key_path("merchant.p12"), text)),
        ("merchant_certificate", builder().merchant_certificate(text)),
        ("file:// merchant_certificate", builder().merchant_certificate(format!("file://{text}"))),
        ("platform_key id", builder().platform_key(text, &pem)),
        ("platform_key, swapped", builder().platform_key(text, "PUB_KEY_ID_0114232134912410000000000000")),
        ("platform_key", builder().platform_key("PUB_KEY_ID_0114232134912410000000000000", text)),
        ("apiv3_key", builder().apiv3_key(text)),
        ("base_url", builder().base_url(text)),
        ("base_url's host", builder().base_url(format!("http://{text}/"))),
        ("base_url's path", builder().base_url(format!("http://127.0.0.1:9/{text}"))),
        ("base_url's scheme", builder().base_url(format!("{text}://127.0.0.1:9/"))),
        ("base_url's user", builder().base_url(format!("http://{text}@127.0.0.1:9/"))),
        ("spare_base_url", builder().spare_base_url(text)),
        ("allow_host", builder().allow_host(text)),
        ("proxy", builder().proxy(text)),
        ("proxy's user", builder().proxy(format!("http://me:{text}@127.0.0.1:9/"))),
        ("root_certificate", builder().root_certificate(text)),
        ("file:// root_certificate", builder().root_certificate(format!("file://{text}"))),
    ] {
        out.builder(what, builder);
    }
}

fn factory_and_variables(out: &mut Outputs<'_>) {
    let text = out.given;
    let array = || {
        json!({
            "mchid": support::MCHID, "serial": support::MERCHANT_SERIAL,
            "privateKey": support::key("merchant_key.pem"),
            "certs": {support::PLATFORM_SERIAL: support::key("platform_cert.pem")},
            "apiv3Key": support::APIV3_KEY, "base_uri": "http://127.0.0.1:9/",
        })
    };
    let keys = [
        "mchid",
        "serial",
        "privateKey",
        "p12",
        "merchantCertificate",
        "certs",
        "automaticCertificates",
        "apiv3Key",
        "secret",
        "merchant",
        "base_uri",
        "timeout",
        text,
    ];
    for key in keys {
        for value in [json!(text), json!([text, text]), json!({text: text}), json!([text]), json!([[text]])] {
            let mut array = array();
            array[key] = value;
            out.result(&format!("factory {key}"), WeChatPay::factory(array));
        }
    }
    out.result("factory", WeChatPay::factory(json!(text)));
    for name in [
        "WECHATPAY_MCHID",
        "WECHATPAY_SERIAL",
        "WECHATPAY_PRIVATE_KEY",
        "WECHATPAY_PASSPHRASE",
        "WECHATPAY_CERTIFICATE",
        "WECHATPAY_P12",
        "WECHATPAY_APIV3_KEY",
        "WECHATPAY_BASE_URL",
        "WECHATPAY_PLATFORM_SERIAL",
        "WECHATPAY_PLATFORM_CERTIFICATE",
        "WECHATPAY_PUBLIC_KEY_ID",
        "WECHATPAY_PUBLIC_KEY",
        "WECHATPAY_AUTOMATIC_CERTIFICATES",
        "WECHATPAY_TIMEOUT",
    ] {
        let get = |wanted: &str| match wanted {
            _ if wanted == name => Some(text.to_owned()),
            "WECHATPAY_MCHID" => Some(support::MCHID.to_owned()),
            "WECHATPAY_SERIAL" => Some(support::MERCHANT_SERIAL.to_owned()),
            "WECHATPAY_PRIVATE_KEY" if name != "WECHATPAY_P12" => Some(support::key("merchant_key.pem")),
            "WECHATPAY_PLATFORM_SERIAL" => Some(support::PLATFORM_SERIAL.to_owned()),
            "WECHATPAY_PLATFORM_CERTIFICATE" => Some(support::key("platform_cert.pem")),
            "WECHATPAY_PUBLIC_KEY_ID" if name == "WECHATPAY_PUBLIC_KEY" => Some("PUB_KEY_ID_1".to_owned()),
            "WECHATPAY_PUBLIC_KEY" if name == "WECHATPAY_PUBLIC_KEY_ID" => {
                Some(support::key("platform_pub.pem"))
            }
            "WECHATPAY_BASE_URL" => Some("http://127.0.0.1:9/".to_owned()),
            _ => None,
        };
        match WeChatPayBuilder::from_variables(get) {
            Ok(builder) => out.builder(name, builder),
            Err(error) => out.error(name, &error),
        }
    }
}

fn requests(out: &mut Outputs<'_>, wx: &WeChatPay) {
    let text = out.given;
    let path = || wx["v3/x/{id}"].post(json!({"a": "b"}));
    for (what, request) in [
        ("chain", wx.chain(text).get()),
        ("chain, a segment", wx.chain(&format!("v3/{text}/x")).get()),
        ("chain, in braces", wx.chain(&format!("v3/{{{text}}}")).get()),
        ("chain, a prefix", wx.chain(&format!("v3/{{id:{text}}}")).get().var("id", "1")),
        ("chain, a query", wx.chain(&format!("v3/x?token={text}")).get()),
        ("chain, a query and a variable", wx.chain(&format!("v3/x?token={text}&{{id}}")).get()),
        ("chain, an empty segment", wx.chain(&format!("v3//x?token={text}")).get()),
        ("chain, after a query", wx.chain(&format!("v3/x?token={text}")).chain("y").get()),
        ("chain, a fragment", wx.chain(&format!("v3/x#{text}")).get()),
        ("seg", wx.seg("v3").seg(text).get()),
        ("url, a path", wx.chain(&format!("http://127.0.0.1:9/{text}")).get()),
        ("url, a query", wx.chain(&format!("http://127.0.0.1:9/x?token={text}")).get()),
        ("url, a user", wx.chain(&format!("http://me:{text}@127.0.0.1:9/")).get()),
        ("url, a host", wx.chain(&format!("http://{text}/")).get()),
        ("url of another host", wx.chain(&format!("http://example.com/{text}?a={text}")).get()),
        (
            "url that carries a body",
            wx.chain(&format!("https://example.com/{text}?a={text}")).post(json!({})),
        ),
        ("var name", path().var(text, "1")),
        ("var", path().var("id", text)),
        ("var, an object", path().var("id", json!({text: {text: text}}))),
        ("query", path().var("id", "1").query(text)),
        ("query name", path().var("id", "1").query(json!({text: text}))),
        ("query of another type", path().var("id", "1").query(json!([text]))),
        ("header name", path().var("id", "1").header(text, "x")),
        ("header", path().var("id", "1").header("X", text)),
        ("header serial", path().var("id", "1").header("Wechatpay-Serial", text).encrypt(&["/a"])),
        ("json", wx["v3/x"].post(json!({text: text}))),
        ("body", path().var("id", "1").body(text, text.to_owned())),
        ("base_url", path().var("id", "1").base_url(text)),
        ("base_url host", path().var("id", "1").base_url(format!("https://{text}/"))),
        ("encrypt", path().var("id", "1").encrypt(&[text])),
        ("encrypt pointer", path().var("id", "1").encrypt(&[&format!("/{text}")])),
        ("options", path().options(json!(text))),
        ("options key", path().options(json!({"id": 1, text: text}))),
        ("options headers", path().options(json!({"id": 1, "headers": {text: text}}))),
        ("options base_uri", path().options(json!({"id": 1, "base_uri": text}))),
        ("options timeout", path().options(json!({"id": 1, "timeout": text}))),
        ("options sink", path().options(json!({"id": 1, "sink": text}))),
    ] {
        out.debug(what, &request);
        let prepared = match what {
            "options sink" => None,
            // A prepared request shows all of itself, but in its `Debug`.
            _ => out.result(what, request.prepare()),
        };
        drop(prepared);
    }
    // Those that can be sent fail at the closed port: `TransportError` and the span.
    for request in [
        wx.chain(&format!("v3/x?token={}", STANDARD.encode(text).trim_end_matches('='))).get(),
        wx["v3/x/{id}"].get().var("id", text).query(json!({"q": text})),
        wx.chain(&format!("http://127.0.0.1:9/{}", text.split('/').next().unwrap())).get(),
    ] {
        out.result("a call", request.wait());
    }
    for result in [wx["v3/x"].get().header("X", text).wait(), wx["v3/x"].post(json!({"a": text})).wait()] {
        out.result("a call", result);
    }
}

fn files(out: &mut Outputs<'_>, wx: &WeChatPay) {
    let text = out.given;
    for (what, media) in [
        ("media file", Media::file(text)),
        ("media in a folder", Media::file(format!("/nonexistent/{text}"))),
        ("media filename", Media::bytes(text, "x").filename(text)),
        ("media meta", Media::bytes("a", "x").meta(text)),
        ("media meta, another type", Media::bytes("a", "x").meta(json!([text]))),
        ("media mime", Media::bytes("a", "x").mime(text)),
    ] {
        out.debug(what, &media);
        out.result(what, wx["v3/x"].post(Value::Null).media(media).wait());
    }
    let folder = tempfile::tempdir().unwrap();
    for path in [text.into(), folder.path().join(text), format!("/nonexistent/{text}/x").into()] {
        let download = wx["v3/x"].get().save_to(path);
        out.debug("save_to", &download);
        out.result("save_to", download.wait());
    }
    let download = || wx["v3/billdownload/file"].get().save_to_writer(tokio::io::sink());
    out.debug("sha1", &download().sha1(text));
    out.result("sha1", download().sha1(text).wait());
    let bill = wx.bill(text).date(text).var(text, text).header("X", text);
    out.debug("bill", &bill);
    out.result("bill", bill.save_to_writer(tokio::io::sink()).wait());
    // The rows themselves are the caller's data.
    if let Err(error) = wechatpay_chain::bill::rows(text.as_bytes()).map(drop) {
        out.error("bill rows", &error);
    }
}

fn others(out: &mut Outputs<'_>, wx: &WeChatPay) {
    let text = out.given;
    out.result("decrypt", wx.decrypt(text));
    out.result("encrypt", wx.encrypt(&text.repeat(9)).map(drop));
    out.result("add_platform_key id", wx.add_platform_key(text, support::key("platform_pub.pem")));
    out.result("add_platform_key", wx.add_platform_key("PUB_KEY_ID_1", text));
    out.result("remove_platform_key", wx.remove_platform_key(text));
    out.result("pay_sign", wx.pay_sign(&["a", &format!("{text}\n")]).wait().map(drop));
    out.result("jsapi_params", wx.jsapi_params(text, format!("prepay_id={text}\n")).wait().map(drop));
    out.result("app_params", wx.app_params(text, text).wait().map(drop));
    let mut headers = HeaderMap::new();
    // Without the serial: it comes from the network, and is kept as it came.
    for name in ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature"] {
        let value = HeaderValue::from_bytes(text.as_bytes());
        headers.insert(name, value.unwrap_or_else(|_| HeaderValue::from_static("x")));
    }
    out.result("verify", wx.verify(&headers, text.as_bytes()));
    let headers = [("Wechatpay-Nonce", text), (text, text)];
    out.result("notification", wx.notification(headers, text.to_owned()).wait());
    out.debug("wx", &wx);
    out.debug("chain", &wx.chain(text));
}

/// Keeps every span and event of the process, as text.
struct Everything(Arc<Mutex<String>>);

impl tracing::field::Visit for Everything {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn Debug) {
        *self.0.lock().unwrap() += &format!("{}={value:?} ", field.name());
    }
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        *self.0.lock().unwrap() += &format!("{}={value} ", field.name());
    }
}

impl tracing::Subscriber for Everything {
    // The HTTP library's own events, at `debug`, name the hosts that it resolves.
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("wechatpay_chain")
    }
    fn new_span(&self, attributes: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        attributes.record(&mut Everything(Arc::clone(&self.0)));
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut Everything(Arc::clone(&self.0)));
    }
    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut Everything(Arc::clone(&self.0)));
    }
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

/// Gives each text to everything, and what comes out to `check`: the text, what it was given to, and the output.
fn give(texts: &[String], check: impl Fn(&str, &str, &str)) {
    let traced = Arc::default();
    tracing::subscriber::set_global_default(Everything(Arc::clone(&traced))).unwrap();
    for text in texts {
        let mut out = Outputs { given: text, all: Vec::new(), traced: Arc::clone(&traced) };
        everywhere(&mut out);
        assert!(out.all.len() > 400, "{}", out.all.len());
        for (what, output) in &out.all {
            check(text, what, output);
        }
        let traced = std::mem::take(&mut *out.traced.lock().unwrap());
        assert!(traced.contains("template="), "nothing was traced");
        check(text, "a trace", &traced);
    }
}

/// Runs the test in a process of its own: its subscriber is that of all threads.
#[track_caller]
fn alone(test: &str) -> bool {
    const CHILD: &str = "WECHATPAY_TEST_GUARD";
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let output = support::alone(module_path!(), test).env(CHILD, "1").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{errors}");
    false
}

#[test]
fn no_wrapping_of_a_private_key_shows_anywhere() {
    if !alone("no_wrapping_of_a_private_key_shows_anywhere") {
        return;
    }
    // A key that is configured nowhere else. `openssl` made it, and `pem` reads it: neither is the library's own.
    let pem = support::key("platform_key.pem");
    let der = pem::parse(&pem).unwrap().into_contents();
    let base64 = STANDARD.encode(&der);
    let hex: String = der.iter().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = base64.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let encoded = base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let middle = &base64[401..1001];
    let texts = [
        pem.clone(),
        pem.replace('\n', " "),
        pem.replace('\n', "\\n"),
        pem.replace("PRIVATE", "PUBLIC"),
        base64.clone(),
        base64.replace('+', "-").replace('/', "_"),
        format!("\"{base64}\""),
        format!("file://{pem}"),
        format!("file:///{base64}"),
        format!("private.pkcs9://{base64}"),
        encoded.clone(),
        percent.clone(),
        hex.clone(),
        hex.to_uppercase(),
        middle.to_owned(),
        middle.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line) + "\n").collect(),
        middle.as_bytes().chunks(8).map(|eight| String::from_utf8_lossy(eight) + " ").collect(),
        STANDARD.encode(&pem),
    ];
    // 16 characters in a row, of the key itself and of each text without its line breaks and header.
    let mut pieces = std::collections::HashSet::new();
    let header: Vec<&str> = pem.lines().filter(|line| line.contains("---")).collect();
    for text in texts.iter().chain([&base64]) {
        let mut bare = text.replace('\n', "").replace("\\n", "");
        for line in &header {
            bare = bare.replace(line, "").replace(&line.replace("PRIVATE", "PUBLIC"), "");
        }
        let bare: Vec<char> = bare.trim_start_matches(|c: char| "file:/\"".contains(c)).chars().collect();
        pieces.extend(bare.windows(16).map(|piece| piece.iter().collect::<String>()));
    }
    for known in ["private.pkcs9://", "-----END PRIVATE"] {
        pieces.remove(known);
    }
    give(&texts, |text, what, output| {
        let outputs = [output.to_owned(), output.replace([' ', '\n', '"'], ""), output.replace("\\n", "")];
        for output in &outputs {
            let characters: Vec<(usize, char)> = output.char_indices().collect();
            for window in characters.windows(17) {
                let piece = &output[window[0].0..window[16].0];
                assert!(!pieces.contains(piece), "{what} shows `{piece}` of {text:?}: {output}");
            }
        }
    });
}

#[test]
fn no_control_character_shows_anywhere() {
    if !alone("no_control_character_shows_anywhere") {
        return;
    }
    let bad = "\0\u{7}\u{8}\t\r\n\u{b}\u{1b}\u{7f}\u{80}\u{85}\u{9b}\u{200e}\u{2028}\u{202e}\u{2066}\u{feff}";
    let mut texts: Vec<String> = bad.chars().map(|character| format!("a{character}[2Jb")).collect();
    texts.push(format!("https://a{bad}b/"));
    give(&texts, |text, what, output| {
        let shown = output.chars().find(|character| bad.contains(*character));
        assert_eq!(shown, None, "{what} of {text:?}: {output:?}");
    });
}
