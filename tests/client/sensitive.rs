//! Sensitive fields and pay-sign, against the `openssl` program and the sandbox's own keys.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wechatpay_chain::{Error, SignFuture, Signer};

use crate::support::{self, has, key_path, openssl, openssl_sign, openssl_verifies, start_sandbox};

const NAMES: &[&str] = &["张三", "a", "O'Neill / \"x\"", "😀", "13900139000"];

/// RSA-OAEP by `openssl pkeyutl`.
fn oaep(arguments: &[&str], key: &str, input: &[u8]) -> Vec<u8> {
    let padding = ["-inkey", key, "-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha1"];
    openssl(&[&["pkeyutl"], arguments, &padding].concat(), input).unwrap()
}

#[test]
fn openssl_decrypts_our_ciphertexts_and_we_decrypt_its() {
    if !has("openssl") {
        return;
    }
    let wx = support::client("https://example.com/");
    for name in NAMES {
        let encrypted = STANDARD.decode(wx.encrypt(name).unwrap()).unwrap();
        assert_eq!(oaep(&["-decrypt"], &key_path("platform_key.pem"), &encrypted), name.as_bytes());
        let encrypted = oaep(&["-encrypt", "-pubin"], &key_path("merchant_pub.pem"), name.as_bytes());
        assert_eq!(wx.decrypt(&STANDARD.encode(encrypted)).unwrap(), *name);
    }
    assert_eq!((wx.encrypt("").unwrap().as_str(), wx.decrypt("").unwrap().as_str()), ("", ""));
    assert_ne!(wx.encrypt("x").unwrap(), wx.encrypt("x").unwrap(), "OAEP is never the same twice");
}

#[test]
fn a_failed_encryption_or_decryption_has_its_error() {
    let wx = support::client("https://example.com/");
    assert!(wx.encrypt(&"x".repeat(214)).is_ok());
    let Err(Error::Config(e)) = wx.encrypt(&"x".repeat(215)) else { panic!("not a Config error") };
    assert!(e.to_string().contains("215 bytes long; this key encrypts at most 214"), "{e}");
    let foreign = wx.encrypt("for the platform").unwrap();
    for ciphertext in ["!", "AAAA", foreign.as_str()] {
        let Err(Error::Decrypt(e)) = wx.decrypt(ciphertext) else { panic!("not a Decrypt error") };
        assert!(e.contains("cannot be decrypted") && !e.contains(ciphertext), "{e}");
    }
}

#[test]
fn fields_are_encrypted_by_pointer_and_the_key_named() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    sandbox.on("POST", "v3/applyment4sub/applyment/", 200, json!({"applyment_id": 1})).unwrap();
    let body = json!({
        "contact_info": {"contact_name": "张三", "a/b~c": "x", "empty": ""},
        "ubos": [{"name": "李四"}, {"name": ""}, {"name": "王五"}],
        "plain": "stays",
    });
    let pointers =
        ["/contact_info/contact_name", "/contact_info/a~1b~0c", "/contact_info/empty", "/ubos/*/name"];
    for serial in [None, Some(sandbox.platform_certificate_serial()), Some(sandbox.platform_public_key_id())]
    {
        sandbox.clear_requests();
        let request = wx["v3/applyment4sub/applyment/"]
            .post(body.clone())
            .encrypt(&pointers[..1])
            .encrypt(&pointers[1..]);
        let request = match serial {
            Some(serial) => request.header("Wechatpay-Serial", serial),
            None => request,
        };
        request.wait().unwrap();
        let seen = sandbox.requests().remove(0);
        let named = seen.headers["wechatpay-serial"].to_str().unwrap();
        assert_eq!(named, serial.map_or_else(|| wx.platform_serial().unwrap(), str::to_owned));
        let sent: Value = serde_json::from_slice(&seen.body).unwrap();
        let open = |pointer: &str| sandbox.decrypt(named, sent.pointer(pointer).unwrap().as_str().unwrap());
        assert_eq!(open("/contact_info/contact_name").as_deref(), Some("张三"));
        assert_eq!(open("/contact_info/a~1b~0c").as_deref(), Some("x"));
        assert_eq!(
            (open("/ubos/0/name").as_deref(), open("/ubos/2/name").as_deref()),
            (Some("李四"), Some("王五"))
        );
        assert_eq!(
            (&sent["contact_info"]["empty"], &sent["ubos"][1]["name"], &sent["plain"]),
            (&json!(""), &json!(""), &json!("stays"))
        );
    }
    for (pointer, part) in [
        ("/nowhere", "matches nothing"),
        ("/ubos/9/name", "matches nothing"),
        ("/ubos/*/nowhere", "matches nothing"),
        ("/contact_info", "must point to a string; it points to an object"),
        ("contact_info", "neither a JSON pointer"),
    ] {
        let refused = wx["v3/x"].post(body.clone()).encrypt(&[pointer]).prepare();
        let Err(Error::Config(e)) = refused else { panic!("not a Config error: {pointer}") };
        assert!(e.field() == pointer && e.to_string().contains(part), "{e}");
    }
    let refused = wx["v3/x"].get().encrypt(&["/a"]).prepare();
    assert!(matches!(refused, Err(Error::Config(e)) if e.field() == "encrypt"));
    let refused = wx["v3/x"].post(body).encrypt(&["/plain"]).header("Wechatpay-Serial", "NOBODY").prepare();
    assert!(matches!(refused, Err(Error::Config(e)) if e.to_string().contains("known: ")));
}

#[tokio::test]
async fn fields_of_a_response_are_decrypted_by_pointer() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let secret = |text: &str| sandbox.encrypt(text).unwrap();
    let response =
        json!({"payer_phone": secret("139"), "list": [{"name": secret("张三")}, {"name": ""}], "id": 7});
    sandbox.on("GET", "v3/complaint", 200, response).unwrap();
    for response in [wx["v3/complaint"].get().await.unwrap(), wx["v3/complaint"].get_sync().unwrap()] {
        let data = response.decrypt(&["/payer_phone", "/list/*/name"]).unwrap();
        assert_eq!(data, json!({"payer_phone": "139", "list": [{"name": "张三"}, {"name": ""}], "id": 7}));
        assert!(matches!(response.decrypt(&["/id"]), Err(Error::Config(_))));
        assert!(matches!(response.decrypt(&["/nowhere"]), Err(Error::Config(_))));
    }
    // A list endpoint with nothing to list.
    sandbox.on("GET", "v3/complaints", 200, json!({"data": [], "payer_phone": null})).unwrap();
    let empty = wx["v3/complaints"].get().await.unwrap();
    assert_eq!(empty.decrypt(&["/data/*/payer_phone", "/payer_phone"]).unwrap(), *empty.data());
    let stranger = sandbox.client_builder().signer(Openssl::default());
    assert!(matches!(stranger.build(), Err(Error::Config(e)) if e.field() == "signer"));
}

/// The shapes of PROTOCOL's pay-sign, checked by `openssl` over lines that are joined here.
#[tokio::test]
async fn openssl_accepts_the_cashiers_parameters() {
    if !has("openssl") {
        return;
    }
    let wx = support::client("https://example.com/");
    let public = key_path("merchant_pub.pem");
    let holds = |lines: &[&Value], signature: &Value| {
        let message: String = lines.iter().map(|line| format!("{}\n", line.as_str().unwrap())).collect();
        openssl_verifies(Path::new(&public), message.as_bytes(), signature.as_str().unwrap())
    };
    let (appid, prepay) = ("wx2421b1c4370ec43b", "wx201410272009395522657a690389285100");
    for p in [wx.jsapi_params(appid, prepay).await.unwrap(), wx.jsapi_params(appid, prepay).wait().unwrap()] {
        assert_eq!(
            (&p["appId"], &p["package"], &p["signType"]),
            (&json!(appid), &json!(format!("prepay_id={prepay}")), &json!("RSA"))
        );
        assert!(holds(&[&p["appId"], &p["timeStamp"], &p["nonceStr"], &p["package"]], &p["paySign"]), "{p}");
        assert_eq!(p.as_object().unwrap().len(), 6);
    }
    for p in [wx.app_params(appid, prepay).await.unwrap(), wx.app_params(appid, prepay).wait().unwrap()] {
        assert_eq!(
            (&p["partnerid"], &p["package"], &p["prepayid"]),
            (&json!(support::MCHID), &json!("Sign=WXPay"), &json!(prepay))
        );
        assert!(holds(&[&p["appid"], &p["timestamp"], &p["noncestr"], &p["prepayid"]], &p["sign"]), "{p}");
        assert_eq!(p.as_object().unwrap().len(), 7);
    }
    let signature = wx.pay_sign(&["a", "", "茶"]).await.unwrap();
    assert!(openssl_verifies(Path::new(&public), "a\n\n茶\n".as_bytes(), &signature));
    assert!(matches!(wx.pay_sign(&["a\nb"]).await, Err(Error::Config(e)) if e.field() == "pay_sign"));
    assert!(matches!(wx.jsapi_params("wx\n", prepay).wait(), Err(Error::Config(_))));
}

/// A signer outside the process: the `openssl` program. It counts the messages that it signs.
#[derive(Default)]
struct Openssl {
    fails: bool,
    count: std::sync::Arc<AtomicUsize>,
}

impl Signer for Openssl {
    fn sign(&self, message: Vec<u8>) -> SignFuture {
        self.count.fetch_add(1, Ordering::SeqCst);
        let fails = self.fails;
        Box::pin(async move {
            // Yields once, as a signer over a network does.
            tokio::task::yield_now().await;
            if fails {
                return Err("the HSM is on holiday".into());
            }
            let signature = openssl_sign(Path::new(&key_path("merchant_key.pem")), &message);
            STANDARD.decode(signature).map_err(Into::into)
        })
    }
}

#[tokio::test]
async fn everything_goes_through_a_signer() {
    if !has("openssl") {
        return;
    }
    let recorder = support::Recorder::no_content();
    let builder = |signer: Openssl| {
        wechatpay_chain::WeChatPay::builder()
            .mchid(support::MCHID)
            .serial(support::MERCHANT_SERIAL)
            .signer(signer)
            .platform_key(support::PLATFORM_SERIAL, support::key("platform_cert.pem"))
            .base_url(&recorder.base)
            .build()
            .unwrap()
    };
    let signer = Openssl::default();
    let count = signer.count.clone();
    let wx = builder(signer);
    let public = key_path("merchant_pub.pem");
    wx["v3/x"].post(json!({"a": 1})).await.unwrap();
    wx["v3/x"].get_sync().unwrap();
    for seen in recorder.seen() {
        assert!(openssl_verifies(Path::new(&public), &seen.expected_message(), &seen.auth("signature")));
    }
    wx.jsapi_params("wx1", "wx2").await.unwrap();
    wx.app_params("wx1", "wx2").wait().unwrap();
    wx.pay_sign(&["a"]).wait().unwrap();
    wx["v3/x"].get().prepare().unwrap().authorization().await.unwrap().unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 6);
    assert!(matches!(wx.decrypt("AAAA"), Err(Error::Key(_))), "a signer does not decrypt");

    let wx = builder(Openssl { fails: true, ..Openssl::default() });
    for result in [wx["v3/x"].get().await, wx["v3/x"].get_sync()] {
        let Err(Error::Key(e)) = result else { panic!("not a Key error") };
        assert_eq!(std::error::Error::source(&*e).unwrap().to_string(), "the HSM is on holiday");
    }
    assert_eq!(recorder.seen().len(), 2, "nothing was sent unsigned");
}
