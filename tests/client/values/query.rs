//! Sensitive query parameters, decrypted by `openssl`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::Url;
use wechatpay_chain::{Error, Media, Request};

use crate::support::{self, Recorder, has, key_path, openssl, start_sandbox};

const NUMBER: &str = "6214830000000000";

/// The pairs of the query that arrived, decoded by the URL library.
fn arrived(recorder: &Recorder) -> Vec<(String, String)> {
    let seen = recorder.take();
    assert_eq!(seen.header("wechatpay-serial"), Some(support::PLATFORM_SERIAL));
    assert!(!seen.target.contains(NUMBER), "{}", seen.target);
    let url = Url::parse(&recorder.base).unwrap().join(&seen.target).unwrap();
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn decrypt(ciphertext: &str) -> String {
    let padding = ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha1"];
    let key = key_path("platform_key.pem");
    let arguments = [&["pkeyutl", "-decrypt", "-inkey", &key][..], &padding].concat();
    String::from_utf8(openssl(&arguments, &STANDARD.decode(ciphertext).unwrap()).unwrap()).unwrap()
}

#[test]
fn a_query_parameter_is_encrypted() {
    if !has("openssl") {
        return;
    }
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    let path = "v3/capital/capitallhh/banks/search-banks-by-bank-account";
    // Every way in which a parameter comes into the query.
    let ways: Vec<Request> = vec![
        wx.chain(path).get().query(json!({"account_number": NUMBER})),
        wx.chain(path).get().query(json!({"account_number": 6214830000000000u64})),
        wx.chain(path).get().query(format!("account_number={NUMBER}")),
        wx.chain(&format!("{path}?account_number={NUMBER}")).get(),
        wx.chain(&format!("{path}{{?account_number}}")).get().var("account_number", NUMBER),
        wx.chain(&format!("{}{path}?account_number={NUMBER}", recorder.base)).get(),
        wx.chain(path).get().options(json!({"query": {"account_number": NUMBER}})),
        wx.chain(path).get().options(json!({"params": {"account_number": NUMBER}})),
        wx.chain(path).delete().query(json!({"account_number": NUMBER})),
        wx.chain(path).post(Value::Null).query(json!({"account_number": NUMBER})),
    ];
    let named = ["/account_number", "?account_number"];
    for (at, request) in ways.into_iter().enumerate() {
        request.encrypt(&[named[at % 2]]).wait().unwrap();
        let pairs = arrived(&recorder);
        assert_eq!((pairs.len(), pairs[0].0.as_str()), (1, "account_number"));
        assert_eq!(decrypt(&pairs[0].1), NUMBER);
    }

    // Others stay byte for byte; lists, objects and odd names are found.
    let query = json!({
        "offset": 0, "name": "张 三+%", "empty": "", "ids": [NUMBER, "2"], "who": [{"no": NUMBER, "x": "a b"}, {"no": ""}],
        "a/b": NUMBER,
    });
    let request = wx.chain(path).get().query(query).query("raw=a+b%2Bc&flag");
    request.encrypt(&["/name", "/empty", "/ids/0", "/who/*/no", "/a~1b"]).wait().unwrap();
    let target = recorder.seen().pop().unwrap().target;
    assert!(target.contains("offset=0&") && target.ends_with("&raw=a+b%2Bc&flag"), "{target}");
    assert!(target.contains("&empty=&") && target.contains("&ids%5B1%5D=2&"), "{target}");
    assert!(
        target.contains("&who%5B0%5D%5Bx%5D=a%20b&") && target.contains("&who%5B1%5D%5Bno%5D=&"),
        "{target}"
    );
    let pairs: std::collections::BTreeMap<_, _> = arrived(&recorder).into_iter().collect();
    assert_eq!(decrypt(&pairs["name"]), "张 三+%");
    for name in ["ids[0]", "who[0][no]", "a/b"] {
        assert_eq!(decrypt(&pairs[name]), NUMBER, "{name}");
    }

    // Body and query in one request; the signature covers what was sent.
    let both =
        wx.chain(path).post(json!({"account_number": NUMBER})).query(json!({"account_number": NUMBER}));
    both.encrypt(&["/account_number", "?account_number"]).wait().unwrap();
    let seen = recorder.seen().pop().unwrap();
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(decrypt(body["account_number"].as_str().unwrap()), NUMBER);
    let public = key_path("merchant_pub.pem");
    assert!(support::openssl_verifies(public.as_ref(), &seen.expected_message(), &seen.auth("signature")));
    assert_eq!(decrypt(&arrived(&recorder)[0].1), NUMBER);
}

/// A program leaves out an optional parameter by null, wherever its SDK lets it.
#[test]
fn a_parameter_that_is_null_is_left_out() {
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    let get = || wx["v3/banks"].get();
    let none = json!({"account_number": null, "limit": 1});
    for (request, pointers, target) in [
        (get().query(none.clone()), vec!["/account_number"], "/v3/banks?limit=1"),
        (get().query(none.clone()), vec!["?account_number"], "/v3/banks?limit=1"),
        (get().query(json!({"account_number": null})), vec!["/account_number"], "/v3/banks"),
        (get().query(json!({"account_number": null})), vec!["?account_number"], "/v3/banks"),
        (get().options(json!({"query": none.clone()})), vec!["/account_number"], "/v3/banks?limit=1"),
        (get().options(json!({"params": none.clone()})), vec!["?account_number"], "/v3/banks?limit=1"),
        (get().query(json!({"a/b": null, "z": 1})), vec!["/a~1b"], "/v3/banks?z=1"),
        (
            get().query(json!({"ids": [null], "who": [{"no": null, "x": 1}]})),
            vec!["/ids/0", "/ids/*", "/who/*/no"],
            "/v3/banks?who%5B0%5D%5Bx%5D=1",
        ),
        (get().query(json!({"ids": []})), vec!["/ids/*"], "/v3/banks"),
        (get().query(json!({"who": []})), vec!["/who/*/no"], "/v3/banks"),
        (get().query(json!({"who": [{}, null]})), vec!["/who/*/no"], "/v3/banks"),
        (get().query(json!({"who": null})), vec!["/who/0/no", "?who"], "/v3/banks"),
        (
            wx["v3/banks"].post(json!({"a": 1})).query(none.clone()),
            vec!["?account_number"],
            "/v3/banks?limit=1",
        ),
    ] {
        request.encrypt(&pointers).wait().unwrap_or_else(|e| panic!("{pointers:?}: {e}"));
        let seen = recorder.take();
        assert_eq!(seen.target, target, "{pointers:?}");
    }
    // Only that parameter: another one that the pointer does not name is still sent in the clear otherwise.
    for (query, pointer) in [
        (json!({"account_number": null, "account_no": NUMBER}), "/account_nr"),
        (json!({"who": [], "id": NUMBER}), "/whose/*/no"),
        (json!({"who": {"no": null}}), "/no"),
        (json!({"who": [{"name": null}]}), "/who/*/no"),
    ] {
        let result = get().query(query.clone()).encrypt(&[pointer]).wait();
        assert!(matches!(result, Err(Error::Config(_))), "{query} {pointer}: {result:?}");
    }
    // Null first, then a value: the value is encrypted.
    let twice = get().query(json!({"n": null})).query(json!({"n": NUMBER})).encrypt(&["/n"]);
    twice.wait().unwrap();
    assert!(!arrived(&recorder)[0].1.contains(NUMBER));
}

#[test]
fn the_serial_follows_the_key_that_encrypts() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    sandbox.on("GET", "v3/banks", 200, json!({})).unwrap();
    for serial in [sandbox.platform_certificate_serial(), sandbox.platform_public_key_id()] {
        let request =
            wx["v3/banks"].get().query(json!({"account_number": NUMBER})).header("Wechatpay-Serial", serial);
        request.encrypt(&["/account_number"]).wait().unwrap();
        let seen = sandbox.requests().pop().unwrap();
        assert_eq!(seen.headers["wechatpay-serial"], serial);
        let url = Url::parse(sandbox.base_url()).unwrap().join(&seen.target).unwrap();
        let ciphertext = url.query_pairs().next().unwrap().1.into_owned();
        assert_eq!(sandbox.decrypt(serial, &ciphertext).as_deref(), Some(NUMBER));
    }
}

#[test]
fn a_mistyped_parameter_is_not_sent_in_the_clear() {
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    let get = || wx["v3/banks"].get().query(json!({"account_number": NUMBER, "ids": [NUMBER]}));
    let post = || wx["v3/banks"].post(json!({"a": "b"})).query(json!({"account_number": NUMBER}));
    let media =
        || wx["v3/banks"].post(Value::Null).media(Media::bytes("a.jpg", vec![1])).query(json!({"a": NUMBER}));
    for (request, pointer, field) in [
        (get(), "/account_no", "/account_no"),
        (get(), "/ids", "/ids"),
        (get(), "/ids/1", "/ids/1"),
        (get(), "/ids/*/x", "/ids/*/x"),
        (get(), "?ids", "?ids"),
        (get(), "?", "?"),
        (get(), "account_number", "account_number"),
        (post(), "/account_number", "/account_number"),
        (post(), "?a", "?a"),
        (wx["v3/banks"].get(), "/account_number", "encrypt"),
        (wx["v3/banks"].get(), "?account_number", "?account_number"),
        (wx["v3/banks"].post(Value::Null).body("text/plain", "x").query("a=1"), "/a", "encrypt"),
        (media(), "/a", "encrypt"),
        (wx["v3/banks"].get().query(json!({"n": "x".repeat(215)})), "/n", "/n"),
        (wx["v3/banks"].get().query("n=%ff"), "/n", "/n"),
    ] {
        let result = request.encrypt(&[pointer]).wait();
        let Err(Error::Config(error)) = result else { panic!("{pointer}: {result:?}") };
        assert_eq!(error.field(), field, "{error}");
        assert!(!error.to_string().contains(NUMBER), "{error}");
    }
    // Another host gets neither a signature nor a sensitive field.
    let elsewhere = wx.chain("https://example.com/x?n=1").get().encrypt(&["?n"]).wait();
    assert!(matches!(elsewhere, Err(Error::Path(_))), "{elsewhere:?}");
    assert!(recorder.seen().is_empty(), "nothing was sent");
}
