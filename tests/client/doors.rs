//! Options and factory arrays as they come from PHP and Node programs: what is the same here is accepted, the rest is
//! refused by a message that says what to write.

use serde_json::{Map, Value, json};
use wechatpay_chain::{Error, Request, WeChatPay, WeChatPayBuilder};

use crate::support::{self, Recorder, key};

const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0114232134912410000000000000";

fn refused(result: Result<impl Sized, Error>) -> (String, String) {
    match result {
        Err(Error::Config(error)) => (error.field().to_owned(), error.to_string()),
        Err(other) => panic!("not a Config error: {other}"),
        Ok(_) => panic!("accepted"),
    }
}

/// Guzzle 7's request options, and axios 1's, at the value that means what happens here anyway.
fn same_here() -> Vec<Value> {
    vec![
        json!({"debug": false}),
        json!({"http_errors": true}),
        json!({"verify": true}),
        json!({"stream": false}),
        json!({"allow_redirects": false}),
        json!({"allow_redirects": {"max": 0}}),
        json!({"connect_timeout": 0, "read_timeout": 0.0, "delay": 0}),
        json!({"decode_content": false, "expect": false, "cookies": false, "synchronous": true}),
        json!({"decode_content": true, "version": "1.1", "idn_conversion": true}),
        json!({"version": 1.1, "curl": [], "auth": [], "proxy": []}),
        json!({"maxRedirects": 0, "decompress": true, "withCredentials": false, "maxBodyLength": -1}),
        json!({"responseEncoding": "utf8", "xsrfCookieName": "XSRF-TOKEN", "xsrfHeaderName": "X-XSRF-TOKEN"}),
        json!({"debug": 0, "stream": 0, "http_errors": 1, "verify": 1}),
        json!({"timeout": 0}),
        json!({"timeout": 0.0}),
    ]
}

const GUZZLE: &str = "allow_redirects auth body cert cookies connect_timeout crypto_method curl debug decode_content \
                      delay expect force_ip_resolve form_params handler headers http_errors idn_conversion json \
                      multipart on_headers on_stats progress proxy query read_timeout sink ssl_key stream synchronous \
                      verify timeout version xml base_uri security nonceless";
const AXIOS: &str = "url method baseURL transformRequest transformResponse headers params paramsSerializer data timeout \
                     withCredentials adapter auth responseType responseEncoding xsrfCookieName xsrfHeaderName \
                     onUploadProgress onDownloadProgress maxContentLength maxBodyLength validateStatus maxRedirects \
                     beforeRedirect socketPath httpAgent httpsAgent proxy cancelToken signal decompress \
                     insecureHTTPParser transitional formSerializer maxRate";

#[test]
fn options_that_change_nothing_are_accepted() {
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    let nulls = GUZZLE.split_whitespace().chain(AXIOS.split_whitespace());
    let nulls: Vec<_> = nulls.map(|name| json!({name: null})).collect();
    for mut options in same_here().into_iter().chain(nulls) {
        let shown = options.to_string();
        if !["json", "data", "body"].iter().any(|body| shown.contains(&format!("\"{body}\""))) {
            options["json"] = json!({"a": 1});
        } else {
            options["params"] = json!({"kept": true});
        }
        wx["v3/x"].post(json!({"a": 1})).options(options).wait().unwrap_or_else(|e| panic!("{shown}: {e}"));
        let seen = recorder.take();
        assert!(seen.target.starts_with("/v3/x") && seen.body == br#"{"a":1}"#, "{shown}: {seen:?}");
    }
    let verb = json!({"method": "post", "json": {}});
    assert!(wx["v3/x"].post(Value::Null).options(verb.clone()).prepare().is_ok());
    assert_eq!(refused(wx["v3/x"].get().options(verb).prepare()).0, "options.method");
    let seen = json!({"headers": {"X-None": null, "X-One": "1", "X-List": ["2"], "X-Null": [null]}});
    let prepared = wx["v3/x"].get().options(seen).prepare().unwrap();
    let headers = prepared.headers();
    assert!(headers.get("x-none").is_none() && headers.get("x-null").is_none());
    assert!(headers["x-one"] == "1" && headers["x-list"] == "2");
    for list in [json!(["1", "2"]), json!([]), json!([["1"]])] {
        assert_eq!(
            refused(wx["v3/x"].get().options(json!({"headers": {"X": list}})).prepare()).0,
            "options.headers"
        );
    }
}

#[test]
fn a_timeout_of_zero_waits_longer_than_the_clients_own() {
    let recorder = Recorder::start(|_| {
        std::thread::sleep(std::time::Duration::from_millis(700));
        support::signed("204 No Content", &[], b"")
    });
    let short = std::time::Duration::from_millis(200);
    let wx = support::builder(&recorder.base).timeout(short).build().unwrap();
    assert!(wx["v3/x"].get().wait().is_err());
    assert_eq!(wx["v3/x"].get().options(json!({"timeout": 0})).wait().unwrap().status(), 204);
}

#[test]
fn an_option_that_would_change_something_says_what_to_write() {
    let wx = support::client("http://127.0.0.1:9/");
    for (options, part) in [
        (json!({"debug": true}), "prepare()"),
        (json!({"verify": 0}), "WeChatPay::builder()"),
        (json!({"http_errors": false}), "Error::Api"),
        (json!({"verify": false}), "WeChatPay::builder()"),
        (json!({"verify": "/ca.pem"}), "WeChatPay::builder()"),
        (json!({"stream": true}), "save_to"),
        (json!({"allow_redirects": {"max": 5}}), "never followed"),
        (json!({"maxRedirects": 5}), "never followed"),
        (json!({"connect_timeout": 3.5}), "for the whole client: `connect_timeout` of the factory array"),
        (json!({"read_timeout": 3.5}), ".timeout("),
        (json!({"decode_content": "gzip"}), "Response::bytes"),
        (json!({"proxy": false}), "no_proxy"),
        (json!({"proxy": "http://p:1"}), "no_proxy"),
        (json!({"delay": 10}), "sleep"),
        (json!({"maxContentLength": -1}), "max_body"),
        (json!({"version": "2.0"}), "leave it out"),
        (json!({"url": "v3/y"}), "the chain"),
        // Slips.
        (json!({"header": {"X": "1"}}), "did you mean `headers`"),
        (json!({"Headers": {"X": "1"}}), "did you mean `headers`"),
        (json!({"jsn": {}}), "did you mean"),
        (json!({"querry": {}}), "did you mean `query`"),
        (json!({"param": {}}), "did you mean `params`"),
        (json!({"base_url": "x"}), "did you mean `baseURL`"),
        (json!({"baseUri": "x"}), "did you mean `base_uri`"),
        (json!({"baseUrl": "x"}), "did you mean `baseURL`"),
        (json!({"time_out": 1}), "did you mean `timeout`"),
        (json!({"httpErrors": false}), "did you mean `http_errors`"),
    ] {
        let (field, text) = refused(wx["v3/x"].post(Value::Null).options(options.clone()).prepare());
        let name = options.as_object().unwrap().keys().next().unwrap();
        assert!(field == format!("options.{name}") && text.contains(part), "{options}: {field}: {text}");
    }
    // A variable of that name is one.
    let variable = wx.chain("v3/{header}/{debug}").get().options(json!({"header": "a", "debug": true}));
    assert_eq!(variable.prepare().unwrap().target(), "/v3/a/true");
}

#[test]
fn options_keep_their_order_around_what_is_left_out() {
    let wx = support::client("http://127.0.0.1:9/");
    let target =
        |options: Value| wx["v3/x"].post(Value::Null).options(options).prepare().unwrap().target().to_owned();
    for options in [
        json!({"body": "x", "json": {}, "query": {"q": 1}, "params": {"p": 2}}),
        json!({"body": "x", "query": {"q": 1}, "json": {}, "debug": null, "params": {"p": 2}}),
        json!({"query": {"q": 1}, "body": "x", "params": {"p": 2}, "json": [1]}),
    ] {
        assert_eq!(target(options.clone()), "/v3/x?q=1&p=2", "{options}");
    }
    assert_eq!(target(json!({"body": "x", "params": "p=2", "json": {}, "query": "q=1"})), "/v3/x?p=2&q=1");
}

#[test]
fn a_text_of_axios_is_sent_as_it_is() {
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    for (options, body, content_type) in [
        (json!({"data": r#"{"a": 1}"#}), r#"{"a": 1}"#, "application/json"),
        (json!({"data": "a=1"}), "a=1", "application/json"),
        (json!({"data": "茶", "headers": {"Content-Type": "text/plain"}}), "茶", "text/plain"),
        (json!({"headers": {"content-type": "text/csv"}, "data": "a,b"}), "a,b", "text/csv"),
        (json!({"data": {"a": 1}}), r#"{"a":1}"#, "application/json"),
        (json!({"data": [1]}), "[1]", "application/json"),
    ] {
        wx["v3/x"].post(Value::Null).options(options).wait().unwrap();
        let seen = recorder.take();
        assert_eq!(String::from_utf8_lossy(&seen.body), body);
        assert_eq!(seen.header("content-type"), Some(content_type));
    }
}

#[test]
fn phps_options_in_the_place_of_the_body_are_refused_before_they_are_sent() {
    let wx = support::client("http://127.0.0.1:9/");
    let close = wx.chain("v3/orders/{no}/close");
    let bodies = [
        json!({"json": {"a": 1}}),
        json!({"json": []}),
        json!({"json": {"a": 1}, "headers": {"Idempotency-Key": "1"}}),
        json!({"no": "P1", "json": {"a": 1}}),
    ];
    for body in bodies {
        let requests: [Request; 5] = [
            close.post(body.clone()),
            close.put(body.clone()),
            close.patch(body.clone()),
            close.delete().json(body.clone()),
            close.post(Value::Null).options(json!({"data": body})),
        ];
        for request in requests {
            let (field, text) = refused(request.var("no", "P1").prepare());
            assert!(field == "json" && text.contains(".options(") && text.contains(".body("), "{text}");
        }
    }
    for query in [json!({"query": {"mchid": "1"}}), json!({"params": {"mchid": "1"}})] {
        assert_eq!(refused(close.get().query(query).prepare()).0, "query");
    }
    // Bodies of the platform's pages, and what only looks like options.
    for body in [
        json!({"data": {"a": 1}}),
        json!({"data": [{"a": 1}], "req_ssn": "1", "req_time": "1"}),
        json!({"body": "x"}),
        json!({"query": {"a": 1}}),
        json!({"headers": {}, "timeout": 1}),
        json!({"json": "{}"}),
        json!({"json": {}, "other": 1}),
        json!({"JSON": {}}),
    ] {
        assert_eq!(wx["v3/x"].post(body.clone()).prepare().unwrap().body(), &body.to_string());
    }
    for query in [json!({"query": "x"}), json!({"query": {"a": 1}, "b": 2}), json!({"filter": {"a": 1}})] {
        assert!(wx["v3/x"].get().query(query).prepare().is_ok());
    }
}

fn array(with: Value) -> Value {
    let mut array = json!({
        "mchid": "1900000109", "serial": "3775B6A45ACD588826D15E583A95F5DD12345678",
        "privateKey": key("merchant_key.pem"), "certs": {PUBLIC_KEY_ID: key("platform_pub.pem")},
    });
    array.as_object_mut().unwrap().extend(with.as_object().cloned().unwrap());
    array
}

#[test]
fn the_factory_takes_what_changes_nothing_and_hints_at_slips() {
    let empty = [json!({"headers": [], "merchant": []}), json!({"headers": {}})];
    for same in same_here().into_iter().chain(empty) {
        let built = WeChatPay::factory(array(same.clone()));
        built.unwrap_or_else(|e| panic!("{same}: {e}"));
    }
    for name in GUZZLE.split_whitespace().chain(AXIOS.split_whitespace()) {
        assert!(WeChatPay::factory(array(json!({name: null}))).is_ok(), "{name}");
    }
    for (with, part) in [
        (json!({"private_key": "x"}), "did you mean `privateKey`"),
        (json!({"PrivateKey": "x"}), "did you mean `privateKey`"),
        (json!({"privatekey": "x"}), "did you mean `privateKey`"),
        (json!({"mch_id": "1"}), "did you mean `mchid`"),
        (json!({"mchId": "1"}), "did you mean `mchid`"),
        (json!({"serial_no": "1"}), "did you mean `serial`"),
        (json!({"apiV3Key": "1"}), "did you mean `apiv3Key`"),
        (json!({"apiv3_key": "1"}), "did you mean `apiv3Key`"),
        (json!({"cert": "1"}), "WeChatPay::builder()"),
        (json!({"certificates": "1"}), "is not a configuration key"),
        (json!({"platform_key": {}}), "did you mean `certs`"),
        (json!({"base_url": "1"}), "did you mean `base_uri`"),
        (json!({"header": {"X": "1"}}), "did you mean `headers`"),
        (json!({"headers": {"X": "1"}}), "on each request"),
        (json!({"http_errors": false}), "Error::Api"),
        (json!({"proxy": "http://p:1"}), "no_proxy"),
        (json!({"certs": ["file:///pub_key.pem"]}), "PUB_KEY_ID_"),
        (json!({"certs": "file:///pub_key.pem"}), "PUB_KEY_ID_"),
    ] {
        let (field, text) = refused(WeChatPay::factory(array(with.clone())));
        assert!(with.get(&field).is_some() && text.contains(part), "{with}: {text}");
    }
    for name in support::factory_keys() {
        let (_, text) = refused(WeChatPay::factory(array(json!({name.to_uppercase(): 1}))));
        assert!(text.contains(&format!("did you mean `{name}`")), "{text}");
    }
    let empty =
        json!({"certs": [], "automaticCertificates": true, "apiv3Key": "0123456789abcdef0123456789ABCDEF"});
    assert!(WeChatPay::factory(array(empty)).is_ok());
}

/// Guzzle's `connect_timeout` is a setting of the client; 0 is the default, as in Guzzle.
#[test]
fn the_factory_takes_a_connect_timeout() {
    for seconds in [json!(0), json!(0.0), json!(3.5), json!(5), json!(null)] {
        assert!(WeChatPay::factory(array(json!({"connect_timeout": seconds}))).is_ok(), "{seconds}");
    }
    for wrong in [json!("5"), json!(-1), json!(3.6e6), json!(true), json!([1]), json!(1e300)] {
        let (field, text) = refused(WeChatPay::factory(array(json!({"connect_timeout": wrong}))));
        assert!(field == "connect_timeout" && text.contains("seconds"), "{wrong}: {text}");
    }
    // No one answers here (RFC 5737), if the network is one that does not say so at once.
    let base = json!({"base_uri": "https://192.0.2.1/", "connect_timeout": 0.2, "timeout": 20});
    let start = std::time::Instant::now();
    assert!(WeChatPay::factory(array(base)).unwrap()["v3/x"].get().wait().is_err());
    assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn an_empty_variable_is_an_unset_one() {
    let all = support::variables();
    let set: Map<String, Value> = [
        ("WECHATPAY_MCHID", "1900000109".to_owned()),
        ("WECHATPAY_SERIAL", "3775B6A45ACD588826D15E583A95F5DD12345678".to_owned()),
        ("WECHATPAY_PRIVATE_KEY", key("merchant_key.pem")),
        ("WECHATPAY_PUBLIC_KEY_ID", PUBLIC_KEY_ID.to_owned()),
        ("WECHATPAY_PUBLIC_KEY", key("platform_pub.pem")),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), json!(value)))
    .collect();
    let get = |name: &str| {
        assert!(all.iter().any(|known| known == name), "{name}");
        Some(set.get(name).and_then(Value::as_str).unwrap_or_default().to_owned())
    };
    assert_eq!(WeChatPayBuilder::from_variables(get).unwrap().build().unwrap().mchid(), "1900000109");
    // Each required one, empty: missing, as if it were not there.
    for name in set.keys() {
        let message = |value: Option<&str>| {
            let get = |asked: &str| if asked == name { value.map(str::to_owned) } else { get(asked) };
            refused(WeChatPayBuilder::from_variables(get).and_then(WeChatPayBuilder::build))
        };
        assert_eq!(message(Some("")), message(None), "{name}");
    }
}

/// Each takes milliseconds when the template is read once, and half a minute when it is read for each name in it.
#[test]
fn many_options_and_a_long_template_take_linear_time() {
    let wx = support::client("http://127.0.0.1:9/");
    let start = std::time::Instant::now();
    let long = format!("v3{}/{{a}}", "/a".repeat(400_000));
    let refused = wx.chain(&long).get().options(json!({"a": 1})).prepare();
    assert!(matches!(refused, Err(Error::Path(_))), "too long for a URL");
    let names: Vec<_> = (0..20_000).map(|at| format!("v{at}")).collect();
    let template = format!("v3/x{}", names.iter().map(|name| format!("/{{{name}}}")).collect::<String>());
    let options: Map<String, Value> = names.iter().map(|name| (name.clone(), json!(1))).collect();
    let prepared = wx.chain(&template).get().options(options.into()).prepare().unwrap();
    assert_eq!(prepared.target(), format!("/v3/x{}", "/1".repeat(20_000)));
    let unknown: Map<String, Value> = (0..20_000).map(|at| (format!("w{at}"), json!(1))).collect();
    assert!(matches!(wx.chain(&template).get().options(unknown.into()).prepare(), Err(Error::Path(_))));
    let headers: Map<String, Value> = (0..20_000).map(|at| (format!("X-{at}"), json!("1"))).collect();
    assert!(wx["v3/x"].get().options(json!({"headers": headers})).prepare().is_err());
    assert!(start.elapsed() < std::time::Duration::from_secs(15), "{:?}", start.elapsed());
}
