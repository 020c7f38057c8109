//! The recorded calls of PHP and Node, through every spelling, over HTTP.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use wechatpay_chain::{Chain, Error, Request, WeChatPay};

use super::{elements, signed_xml};
use crate::conformance::{Tally, options, recorded, spellings};
use crate::support::{Recorder, raw};

const PHP_SECRET: &str = "PhpRefSecret0123456789abcdefABCD";
const NODE_SECRET: &str = "exposed_your_key_here_have_risks";

fn request(call: &Value, chain: &Chain) -> Request {
    match call["verb"].as_str().unwrap() {
        "GET" => chain.get(),
        "POST" => chain.post(call.get("data").cloned().unwrap_or_default()),
        other => panic!("{}: {other}", call["id"]),
    }
}

/// Pairs of a query, decoded by the `url` crate.
fn pairs(target: &str) -> BTreeMap<String, String> {
    let url = url::Url::parse(&format!("http://x{target}")).unwrap();
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

#[test]
fn every_recorded_call_through_every_spelling() {
    let Some(calls) = recorded("v2") else { return };
    let success = [("return_code", "SUCCESS"), ("result_code", "SUCCESS"), ("nonce_str", "N")];
    let mut tally = Tally::default();
    for (sdk, secret) in [("php", PHP_SECRET), ("node", NODE_SECRET)] {
        let response = signed_xml(&success, secret);
        let recorder =
            Recorder::start(move |_| raw("200 OK", &[("Content-Type", "text/xml")], response.as_bytes()));
        for call in calls.iter().filter(|call| call["sdk"] == sdk) {
            let (id, expect) = (call["id"].as_str().unwrap(), &call["expect"]);
            let expected: BTreeMap<_, _> = match expect["xml"].as_str() {
                Some(xml) => elements(xml).into_iter().collect(),
                None => pairs(expect["target"].as_str().unwrap()),
            };
            let number = ["mch_id", "mchid", "combine_mch_id"].iter().find_map(|name| expected.get(*name));
            let Some(number) = number else {
                // PHP was set up with an empty merchant number.
                let error = builder("1900000109", secret, &recorder).and_then(|wx| {
                    let (_, chain) = spellings(&wx, &call["chain"]).remove(0);
                    request(call, &chain).options(json!({"xml": {}})).prepare().map(drop)
                });
                let Err(Error::Config(error)) = error else { panic!("{id}") };
                assert_eq!(error.field(), "mch_id");
                (tally.compared, tally.different) = (tally.compared + 1, tally.different);
                tally
                    .different
                    .push(format!("{id}: the sample has no merchant number, which both SDKs refuse, too"));
                continue;
            };
            let wx = builder(number, secret, &recorder).unwrap();
            for (spelling, chain) in spellings(&wx, &call["chain"]) {
                tally.compared += 1;
                let mut call = call.clone();
                let mut options = options(&call);
                options.remove("security"); // there is no TLS here: see `certificates`
                // The recorded nonce, where the SDK added one.
                with_nonce(options.get_mut("xml"), &expected);
                with_nonce(options.get_mut("query"), &expected);
                with_nonce(call.get_mut("data"), &expected);
                for name in ["base_uri", "baseURL"] {
                    if options.contains_key(name) {
                        options.insert(name.to_owned(), json!(recorder.base));
                    }
                }
                match request(&call, &chain).options(Value::Object(options)).wait() {
                    Ok(response) => assert_eq!(response.data()["result_code"], "SUCCESS", "{id}"),
                    Err(error) => {
                        tally.wrong.push(format!("{id} {spelling}: {error}"));
                        continue;
                    }
                }
                let seen = recorder.take();
                let (sent, path): (BTreeMap<_, _>, _) = match call["verb"] == "GET" {
                    true => (pairs(&seen.target), seen.target.split('?').next().unwrap().to_owned()),
                    false => (
                        elements(std::str::from_utf8(&seen.body).unwrap()).into_iter().collect(),
                        seen.target.clone(),
                    ),
                };
                let target = expect["target"].as_str().unwrap().split('?').next().unwrap();
                let equal =
                    sent == expected && path == target && seen.method == call["verb"].as_str().unwrap();
                assert_eq!(seen.header("content-type"), Some("text/xml; charset=utf-8"), "{id}");
                match equal {
                    true => tally.equal += 1,
                    false => tally
                        .wrong
                        .push(format!("{id} {spelling}: {expected:?}\n  {target}\n  {sent:?}\n  {path}")),
                }
            }
        }
    }
    tally.report("calls.jsonl, APIv2");
}

fn builder(mchid: &str, secret: &str, recorder: &Recorder) -> Result<WeChatPay, Error> {
    WeChatPay::builder().mchid(mchid).apiv2_key(secret).base_url(&recorder.base).build()
}

fn with_nonce(fields: Option<&mut Value>, expected: &BTreeMap<String, String>) {
    let fields: Option<&mut Map<String, Value>> = fields.and_then(Value::as_object_mut);
    if let (Some(fields), Some(nonce)) = (fields, expected.get("nonce_str")) {
        fields.entry("nonce_str").or_insert_with(|| json!(nonce));
    }
}

#[test]
fn what_a_call_needs_is_told_by_name() {
    let secret = "0123456789abcdef0123456789abcdef";
    let wx = WeChatPay::builder().mchid("1900000109").apiv2_key(secret).build().unwrap();
    let field = |request: Request| match request.prepare() {
        Err(Error::Config(error)) => error.field().to_owned(),
        Err(other) => panic!("{other}"),
        Ok(prepared) => panic!("{}", prepared.message()),
    };
    let post = |fields: Value| wx["v2/pay/orderquery"].post(fields);
    assert_eq!(field(post(json!({"appid": "wx"}))), "mch_id");
    assert_eq!(field(post(Value::Null)), "mch_id");
    assert_eq!(field(post(json!({"mch_id": "1900000110"}))), "mch_id");
    assert_eq!(field(post(json!({"mchid": "1900000110"}))), "mchid");
    assert_eq!(field(post(json!({"mch_id": "1900000109", "sign_type": "md5"}))), "sign_type");
    assert_eq!(field(post(json!({"mch_id": "1900000109", "sign_type": ""}))), "sign_type");
    assert_eq!(field(post(json!({"mch_id": "1900000109", "a b": 1}))), "xml.a b");
    assert_eq!(field(post(json!({"mch_id": "1900000109", "1": 1}))), "xml.1");
    assert_eq!(field(post(json!({"mch_id": "1900000109", "a": "\u{1}"}))), "xml.a");
    assert_eq!(field(post(json!([1]))), "xml");
    assert_eq!(field(post(json!({"mch_id": "1900000109"})).encrypt(&["/a"])), "encrypt");
    assert_eq!(field(wx["v2/x"].get().query("mch_id=1900000109&a=1&a=2")), "query");
    // The credentials of the other protocol.
    assert_eq!(field(wx["v3/certificates"].get()), "private_key");
    let v3 = crate::support::client("http://127.0.0.1:9/");
    assert_eq!(field(v3["v2/pay/orderquery"].post(json!({"mch_id": crate::support::MCHID}))), "apiv2_key");
    let short = WeChatPay::builder().mchid("1").apiv2_key("short").build();
    assert!(matches!(short, Err(Error::Config(e)) if e.field() == "apiv2_key"));
    let short = WeChatPay::factory(json!({"mchid": "1900000109", "secret": "short"}));
    assert!(matches!(short, Err(Error::Config(e)) if e.field() == "secret"));
    // Beside APIv3, PHP's array may have what it would need for APIv2 later; it is told when a call needs it.
    let array = |more: Value| {
        let mut array = json!({
            "mchid": crate::support::MCHID, "serial": crate::support::MERCHANT_SERIAL,
            "privateKey": crate::support::key("merchant_key.pem"),
            "certs": {crate::support::PLATFORM_SERIAL: crate::support::key("platform_cert.pem")},
        });
        array.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        WeChatPay::factory(array).unwrap()
    };
    let fields = json!({"mch_id": crate::support::MCHID});
    let wrong = array(json!({"secret": "short"}));
    assert_eq!(field(wrong["v2/pay/orderquery"].post(fields.clone())), "secret");
    let wrong = array(json!({"secret": secret, "merchant": {"cert": "/nowhere", "key": "/nowhere"}}));
    assert!(wrong["v2/pay/orderquery"].post(fields.clone()).prepare().is_ok());
    let refund = wrong["v2/secapi/pay/refund"].post(fields).client_certificate().wait().unwrap_err();
    assert!(refund.to_string().contains("`merchant`") && refund.to_string().contains("/nowhere"), "{refund}");
    // A certificate that is missing shows before anything is sent.
    let refund = wx["v2/secapi/pay/refund"].post(json!({"mch_id": "1900000109"})).client_certificate().wait();
    assert!(matches!(refund, Err(Error::Config(e)) if e.field() == "client_certificate"));
}

#[test]
fn values_are_texts() {
    let wx = super::builder("https://api.mch.weixin.qq.com/").build().unwrap();
    let fields = json!({
        "mch_id": 10000100, "total_fee": 100, "flag": true, "off": false, "none": null, "empty": "", "nonce_str": "N",
        "detail": {"goods_detail": [{"goods_name": "茶\"叶\"", "quantity": 1}]}, "receivers": [{"type": "MERCHANT_ID"}],
        "text": "a]]>b\r\nc<d>'&\"", "chinese": "中文😀",
    });
    let prepared = wx["v2/pay/unifiedorder"].post(fields).prepare().unwrap();
    assert_eq!(
        prepared.message(),
        "chinese=中文😀&detail={\"goods_detail\":[{\"goods_name\":\"茶\\\"叶\\\"\",\"quantity\":1}]}&flag=true&\
         mch_id=10000100&nonce_str=N&off=false&receivers=[{\"type\":\"MERCHANT_ID\"}]&text=a]]>b\r\nc<d>'&\"&total_fee=100"
    );
    let body = String::from_utf8(prepared.body().to_vec()).unwrap();
    assert!(body.contains("<text><![CDATA[a]]]]><![CDATA[>b]]>&#13;<![CDATA[\nc<d>'&\"]]></text>"), "{body}");
    assert!(body.contains("<none></none><empty></empty>"), "{body}");
    assert!(!body.contains(super::SECRET) && !format!("{prepared:?} {wx:?}").contains(super::SECRET));
    assert_eq!((prepared.timestamp(), prepared.nonce()), ("", "N"));
    assert!(prepared.authorization().wait().unwrap().is_none());
}

/// A signed link for a browser.
#[test]
fn a_get_is_signed_in_its_query() {
    let wx = super::builder("https://api.mch.weixin.qq.com/").build().unwrap();
    let query = json!({"appid": "wx1", "mch_id": super::MCHID, "plan_id": "12535", "notify_url": "https://a.example/?x=1 2",
        "sign": "old"});
    let link = wx["v2/papay/entrustweb"].get().query(query).options(json!({"nonceless": true}));
    let prepared = link.base_url("https://api.weixin.qq.com/").prepare().unwrap();
    let url = url::Url::parse(prepared.url()).unwrap();
    assert_eq!((url.host_str(), url.path()), (Some("api.weixin.qq.com"), "/papay/entrustweb"));
    let pairs: Vec<_> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(pairs, ["appid", "mch_id", "plan_id", "notify_url", "sign"]);
    assert_eq!(
        prepared.message(),
        "appid=wx1&mch_id=10000100&notify_url=https://a.example/?x=1 2&plan_id=12535"
    );
    assert!(prepared.url().contains("1%202") && prepared.body().is_empty());
}
