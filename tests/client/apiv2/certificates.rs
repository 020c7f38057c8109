//! Calls that present the merchant's certificate (mTLS).

use serde_json::json;
use wechatpay_chain::{Error, WeChatPay, WeChatPayBuilder};

use super::SECRET;
use crate::support::{self, MCHID, MutualTls, key};

impl MutualTls {
    fn client(&self, builder: WeChatPayBuilder) -> WeChatPay {
        builder
            .mchid(MCHID)
            .apiv2_key(SECRET)
            .base_url(&self.base)
            .root_certificate(&self.certificate)
            .no_proxy()
            .build()
            .unwrap()
    }

    fn refund(&self, wx: &WeChatPay, with: bool) -> bool {
        let request = wx["v2/secapi/pay/refund"].post(json!({"mch_id": MCHID}));
        if with { request.client_certificate() } else { request }.wait().unwrap();
        self.presented.lock().unwrap().pop().unwrap()
    }
}

#[test]
fn the_certificate_is_presented_when_a_call_asks_for_it() {
    let server = MutualTls::start(false);
    let pem = WeChatPay::builder().client_certificate(&server.merchant, key("merchant_key.pem"));
    let wx = server.client(pem);
    assert!(!server.refund(&wx, false) && server.refund(&wx, true) && !server.refund(&wx, false));
    // PHP's option.
    let options = json!({"xml": {"mch_id": MCHID}, "security": true});
    wx["v2/secapi/pay/refund"].post(json!(null)).options(options).wait().unwrap();
    assert_eq!(server.presented.lock().unwrap().pop(), Some(true));
}

#[test]
fn apiv3_has_the_same_certificate() {
    let server = MutualTls::start(true);
    let v3 = WeChatPay::builder()
        .private_key(key("merchant_key.pem"))
        .merchant_certificate(&server.merchant)
        .platform_key(support::PLATFORM_SERIAL, key("platform_cert.pem"));
    let wx = server.client(v3);
    assert!(server.refund(&wx, true));
    refused(&wx, false, "add `.client_certificate()` to the call");
}

#[test]
fn a_certificate_that_the_server_refuses_is_told() {
    let server = MutualTls::start(true);
    let other = WeChatPay::builder().client_certificate(key("merchant_cert.pem"), key("merchant_key.pem"));
    let wx = server.client(other);
    refused(&wx, true, "refused the merchant's certificate");
}

/// Old certificates are of version 1, which the TLS library does not read. Whether they are valid is the server's to say.
#[test]
fn a_certificate_of_version_1_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let request = folder.path().join("request.pem");
    let (request, private) = (request.to_str().unwrap(), support::key_path("merchant_key.pem"));
    let made =
        support::openssl(&["req", "-new", "-key", &private, "-subj", "/CN=1900000109", "-out", request], b"");
    assert!(made.is_some());
    let version_1 =
        support::openssl(&["x509", "-req", "-in", request, "-signkey", &private, "-days", "9"], b"");
    let certificate = String::from_utf8(version_1.unwrap()).unwrap();
    let v3 = || {
        WeChatPay::builder()
            .mchid(MCHID)
            .private_key(key("merchant_key.pem"))
            .merchant_certificate(&certificate)
            .platform_key(support::PLATFORM_SERIAL, key("platform_cert.pem"))
    };
    v3().build().unwrap();
    v3().apiv2_key(SECRET).build().unwrap();
    WeChatPay::builder()
        .mchid(MCHID)
        .apiv2_key(SECRET)
        .client_certificate(&certificate, key("merchant_key.pem"))
        .build()
        .unwrap();
}

/// The server's alert follows the handshake. If the request is still being written then, the broken connection may be seen
/// first: so this tries more than once.
fn refused(wx: &WeChatPay, with_certificate: bool, told: &str) {
    let mut errors = Vec::new();
    for _ in 0..20 {
        let request = wx["v2/secapi/pay/refund"].post(json!({"mch_id": MCHID}));
        let request = if with_certificate { request.client_certificate() } else { request };
        let error = request.wait().unwrap_err().to_string();
        if error.contains(told) {
            return;
        }
        assert!(error.contains("the connection"), "{error}");
        errors.push(error);
    }
    panic!("{errors:?}");
}

/// PHP's array, with paths as PHP takes them, and Node's.
#[test]
fn from_the_factory_arrays() {
    let folder = format!("{}/tests/keys", env!("CARGO_MANIFEST_DIR"));
    let root = format!("{folder}/merchant_cert.pem");
    let mut merchants = vec![json!({"cert": root, "key": format!("{folder}/merchant_key.pem")})];
    merchants.push(json!({"cert": format!("file://{root}"), "key": [key("merchant_key.pem"), null]}));
    #[cfg(feature = "p12")]
    merchants.push(json!({"pfx": format!("{folder}/merchant.p12"), "passphrase": support::MCHID}));
    for merchant in merchants {
        let array = json!({"mchid": MCHID, "secret": SECRET, "merchant": merchant});
        let wx = WeChatPay::factory(array).unwrap();
        assert!(wx["v2/secapi/pay/refund"].post(json!({"mch_id": MCHID})).prepare().is_ok());
    }
    for (merchant, field) in [
        (json!({"cert": root}), "merchant"),
        (json!({"key": root}), "merchant"),
        (json!({"cert": root, "key": format!("{folder}/weak_key.pem")}), "merchant"),
        (json!({"cert": "/nowhere.pem", "key": root}), "merchant"),
        (json!({"crt": root}), "merchant[\"crt\"]"),
        (json!("x"), "merchant"),
    ] {
        let array = json!({"mchid": MCHID, "secret": SECRET, "merchant": merchant});
        let found = match WeChatPay::factory(array) {
            Err(Error::Config(error)) => error.field().to_owned(),
            Err(Error::Key(error)) => error.name.clone(),
            other => panic!("{merchant}: {other:?}"),
        };
        assert_eq!(found, field, "{merchant}");
    }
    assert!(WeChatPay::factory(json!({"mchid": MCHID, "secret": SECRET, "merchant": []})).is_ok());
}
