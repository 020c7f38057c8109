//! Every setting and every public function that takes text from a caller.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wechatpay_chain::http::{HeaderMap, HeaderValue};
use wechatpay_chain::{Media, WeChatPay, WeChatPayBuilder};

use super::Outputs;
use crate::support;

/// Everything that takes text from a caller, with this text.
pub(super) fn everywhere(out: &mut Outputs<'_>) {
    settings(out);
    factory_and_variables(out);
    let wx = support::client("http://127.0.0.1:9/");
    requests(out, &wx);
    files(out, &wx);
    others(out, &wx);
    #[cfg(feature = "v2")]
    apiv2(out);
    #[cfg(feature = "sandbox")]
    sandbox(out);
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
        #[cfg(feature = "v2")]
        ("apiv2_key", builder().apiv2_key(text)),
        #[cfg(feature = "v2")]
        ("client_certificate", builder().client_certificate(text, support::key("merchant_key.pem"))),
        #[cfg(feature = "v2")]
        ("client_certificate's key", builder().client_certificate(&pem, text)),
        #[cfg(feature = "v2")]
        ("client_p12", builder().client_p12(text, "x")),
        #[cfg(feature = "v2")]
        ("client_p12 passphrase", builder().client_p12(support::key_path("merchant.p12"), text)),
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
    let mut keys = support::factory_keys();
    keys.push(text.to_owned());
    for key in keys {
        for value in [json!(text), json!([text, text]), json!({text: text}), json!([text]), json!([[text]])] {
            let mut array = array();
            array[&key] = value;
            out.result(&format!("factory {key}"), WeChatPay::factory(array));
        }
    }
    out.result("factory", WeChatPay::factory(json!(text)));
    for name in &support::variables() {
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
        ("literal", wx.chain("").literal(text).get()),
        ("put", wx.chain("v3/x").put(json!({text: text})).query(json!([text]))),
        ("patch", wx.chain("v3/x").patch(json!({text: text})).header("X", format!("{text}\n"))),
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
        ("json of options", wx["v3/x"].get().json(json!({"json": {text: text}}))),
        ("body", path().var("id", "1").body(text, text.to_owned())),
        ("base_url", path().var("id", "1").base_url(text)),
        ("base_url host", path().var("id", "1").base_url(format!("https://{text}/"))),
        ("encrypt", path().var("id", "1").encrypt(&[text])),
        ("encrypt pointer", path().var("id", "1").encrypt(&[&format!("/{text}")])),
        ("encrypt_pkcs1v15", path().var("id", "1").encrypt_pkcs1v15(&[text])),
        (
            "encrypt a query",
            wx["v3/x"].get().query(json!({text: null})).encrypt(&[text, &format!("?{text}")]),
        ),
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
    let chain = wx.chain("v3/x");
    for result in [
        chain.get().header("X", text).wait(),
        chain.post_sync(json!({"a": text})),
        chain.put_sync(json!({text: text})),
        chain.patch_sync(json!([text])),
    ] {
        out.result("a call", result);
    }
}

/// Calls and texts of APIv2.
#[cfg(feature = "v2")]
fn apiv2(out: &mut Outputs<'_>) {
    use wechatpay_chain::apiv2::SignType;

    let (text, mchid) = (out.given, support::MCHID);
    let wx = support::builder("http://127.0.0.1:9/")
        .apiv2_key("0123456789abcdef0123456789abcdef")
        .build()
        .unwrap();
    let post = |fields: Value| wx["v2/pay/orderquery"].post(fields);
    for (what, request) in [
        ("v2 path", wx.chain(&format!("v2/{text}")).post(json!({"mch_id": mchid}))),
        ("v2 mch_id", post(json!({"mch_id": text}))),
        ("v2 sign_type", post(json!({"mch_id": mchid, "sign_type": text}))),
        ("v2 name", post(json!({"mch_id": mchid, text: "1"}))),
        ("v2 value", post(json!({"mch_id": mchid, "a": format!("{text}\u{1}")}))),
        ("v2 query", wx["v2/x"].get().query(json!({"mch_id": mchid, text: [1, 2]}))),
        ("v2 body", wx["v2/x"].post(Value::Null).body("text/xml", text.to_owned())),
        ("v2 options", wx["v2/x"].post(Value::Null).options(json!({"xml": text}))),
    ] {
        out.debug(what, &request);
        drop(out.result(what, request.prepare()));
    }
    out.result("v2 call", post(json!({"mch_id": mchid, "out_trade_no": "P1"})).wait());
    out.result("notification_v2", wx.notification_v2(text));
    out.result("notification_v2", wx.notification_v2(format!("<xml><req_info>{text}</req_info></xml>")));
    out.result(
        "v2_jsapi_params",
        wx.v2_jsapi_params(text, "wx201410272009395522657a690389285100", SignType::Md5).map(drop),
    );
    out.result("v2_jsapi_params", wx.v2_jsapi_params("wx1", text, SignType::Md5).map(drop));
    out.result("v2_app_params", wx.v2_app_params(text, text, SignType::Md5).map(drop));
    out.result("v2_sign", wx.v2_sign(&json!(text), SignType::Md5));
    out.result("decrypt_aes_gcm", wx.decrypt_aes_gcm(text, text, text));
    out.result("encrypt_aes_gcm", wx.encrypt_aes_gcm(b"x", text, text));
    out.result("decrypt_aes_ecb", wx.decrypt_aes_ecb(text));
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
        ("media part_name", Media::bytes("a", "x").part_name(text)),
        ("media field name", Media::bytes("a", "x").field(text, 1)),
        ("media field", Media::bytes("a", "x").field("a", json!([text]))),
        ("media field twice", Media::bytes("a", "x").field("a", text).field("a", text)),
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
    out.debug("sha256", &download().sha256(text));
    out.result("sha256", download().sha256(text).wait());
    let bill = wx.bill(text).date(text).var(text, text).header("X", text);
    out.debug("bill", &bill);
    out.result("bill", bill.save_to_writer(tokio::io::sink()).wait());
    // The rows themselves are the caller's data.
    if let Err(error) = wechatpay_chain::bill::rows(text.as_bytes()).map(drop) {
        out.error("bill rows", &error);
    }
}

/// The offline platform: its settings, and what a test asks of it.
#[cfg(feature = "sandbox")]
fn sandbox(out: &mut Outputs<'_>) {
    use std::sync::LazyLock;

    use wechatpay_chain::sandbox::{Fault, FaultRule, Sandbox};

    static RUNNING: LazyLock<Sandbox> = LazyLock::new(|| Sandbox::start().unwrap());
    let text = out.given;
    let nowhere = || std::path::Path::new("/dev/null").join(text);
    let builder = Sandbox::builder;
    for (what, builder) in [
        ("sandbox mchid", builder().mchid(text)),
        ("sandbox keys", builder().keys(nowhere())),
        ("sandbox state", builder().state(nowhere())),
        ("sandbox script", builder().script(nowhere())),
        ("sandbox notify_host", builder().notify_host(format!("{text} /"))),
        ("sandbox apiv3_key", builder().apiv3_key(text)),
    ] {
        out.debug(what, &builder);
        if let Err(error) = builder.start() {
            out.error(what, &error);
        }
    }
    let rule = |rule: String| rule.parse::<FaultRule>().map(drop);
    for (what, result) in [
        ("sandbox on", RUNNING.on(text, text, 200, json!({}))),
        ("sandbox on, a template", RUNNING.on("GET", &format!("{{{text}"), 200, json!({}))),
        ("sandbox sign_with", RUNNING.sign_with(text)),
        ("sandbox retire", RUNNING.retire(text)),
        ("sandbox pay", RUNNING.pay(text).map(drop)),
        ("sandbox settle_refund", RUNNING.settle_refund(text).map(drop)),
        ("sandbox fault", text.parse::<Fault>().map(drop)),
        ("sandbox fault's value", format!("delay={text}").parse::<Fault>().map(drop)),
        ("sandbox rule", rule(format!("cut-body path={text} times={text}"))),
        ("sandbox rule's condition", rule(format!("cut-body {text}=1"))),
    ] {
        if let Err(error) = result {
            out.error(what, &error);
        }
    }
}

fn others(out: &mut Outputs<'_>, wx: &WeChatPay) {
    let text = out.given;
    out.result("decrypt", wx.decrypt(text));
    out.result("decrypt_pkcs1v15", wx.decrypt_pkcs1v15(text));
    out.result("encrypt", wx.encrypt(&text.repeat(9)).map(drop));
    out.result("encrypt_pkcs1v15", wx.encrypt_pkcs1v15(&text.repeat(9)).map(drop));
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
