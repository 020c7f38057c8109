//! RSAES-PKCS1-v1_5, by name only, against the `openssl` program.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wechatpay_chain::Error;

use crate::support::{self, Recorder, has, key_path, openssl, signed};

/// `openssl pkeyutl` with this padding.
fn pkeyutl(arguments: &[&str], key: &str, mode: &str, input: &[u8]) -> Option<Vec<u8>> {
    let mode = format!("rsa_padding_mode:{mode}");
    let key = key_path(key);
    openssl(&[&["pkeyutl"], arguments, &["-inkey", &key, "-pkeyopt", &mode]].concat(), input)
}

#[test]
fn openssl_and_we_understand_each_other() {
    if !has("openssl") {
        return;
    }
    let recorder = Recorder::start(|_| {
        let secret =
            pkeyutl(&["-encrypt", "-pubin"], "merchant_pub.pem", "pkcs1", "李四".as_bytes()).unwrap();
        let body = json!({"name": STANDARD.encode(secret), "phone": null}).to_string();
        signed("200 OK", &[("Content-Type", "application/json")], body.as_bytes())
    });
    let wx = support::client(&recorder.base);
    for name in ["张三", "a", "13900139000", &"x".repeat(245)] {
        let ours = STANDARD.decode(wx.encrypt_pkcs1v15(name).unwrap()).unwrap();
        let theirs = pkeyutl(&["-decrypt"], "platform_key.pem", "pkcs1", &ours).unwrap();
        assert_eq!(theirs, name.as_bytes());
        let theirs = pkeyutl(&["-encrypt", "-pubin"], "merchant_pub.pem", "pkcs1", name.as_bytes()).unwrap();
        assert_eq!(wx.decrypt_pkcs1v15(&STANDARD.encode(theirs)).unwrap(), name);
    }
    assert_eq!((wx.encrypt_pkcs1v15("").unwrap(), wx.decrypt_pkcs1v15("").unwrap()), Default::default());
    let Err(Error::Config(error)) = wx.encrypt_pkcs1v15(&"x".repeat(246)) else { panic!() };
    assert!(error.to_string().contains("246 bytes long; this key encrypts at most 245"), "{error}");

    // A whole call: body and query, then the response.
    let request = wx["v3/hk/x"].post(json!({"name": "张三", "oaep": "王五"})).query(json!({"phone": "139"}));
    let request = request.encrypt_pkcs1v15(&["/name", "?phone"]).encrypt(&["/oaep"]);
    let data = request.wait().unwrap().decrypt_pkcs1v15(&["/name", "/phone"]).unwrap();
    assert_eq!(data, json!({"name": "李四", "phone": null}));
    let seen = recorder.take();
    let sent: Value = serde_json::from_slice(&seen.body).unwrap();
    let open = |text: &str, mode: &str| {
        pkeyutl(&["-decrypt"], "platform_key.pem", mode, &STANDARD.decode(text).unwrap()).unwrap()
    };
    assert_eq!(open(sent["name"].as_str().unwrap(), "pkcs1"), "张三".as_bytes());
    let url = url::Url::parse(&recorder.base).unwrap().join(&seen.target).unwrap();
    assert_eq!(open(&url.query_pairs().next().unwrap().1, "pkcs1"), b"139");
    let oaep = STANDARD.decode(sent["oaep"].as_str().unwrap()).unwrap();
    assert_ne!(pkeyutl(&["-decrypt"], "platform_key.pem", "pkcs1", &oaep), Some("王五".into()));
}

/// The default is OAEP, in both directions, and a ciphertext of one padding is not one of the other.
#[test]
fn it_is_off_by_default() {
    if !has("openssl") {
        return;
    }
    let wx = support::client("https://example.com/");
    let ours = STANDARD.decode(wx.encrypt("张三").unwrap()).unwrap();
    assert_eq!(pkeyutl(&["-decrypt"], "platform_key.pem", "oaep", &ours).unwrap(), "张三".as_bytes());
    let pkcs1 = pkeyutl(&["-encrypt", "-pubin"], "merchant_pub.pem", "pkcs1", b"139").unwrap();
    assert!(matches!(wx.decrypt(&STANDARD.encode(pkcs1)), Err(Error::Decrypt(_))));
}

/// Whatever is wrong with a ciphertext, its sender learns nothing from the error.
#[test]
fn every_wrong_ciphertext_has_the_same_error() {
    if !has("openssl") {
        return;
    }
    let wx = support::client("https://example.com/");
    let raw = |block: &[u8]| {
        let padded = [&vec![0; 256 - block.len()][..], block].concat();
        STANDARD.encode(pkeyutl(&["-encrypt", "-pubin"], "merchant_pub.pem", "none", &padded).unwrap())
    };
    let block = |start: &[u8], filler: u8, length: usize, end: &[u8]| {
        [start, &vec![filler; length - start.len() - end.len()][..], end].concat()
    };
    let good = raw(&block(&[0, 2], 7, 256, b"\x00139"));
    assert_eq!(wx.decrypt_pkcs1v15(&good).unwrap(), "139", "the blocks are built as RFC 8017 says");
    let wrong = [
        raw(&block(&[0, 1], 7, 256, b"\x00139")), // a signature's type
        raw(&block(&[1, 2], 7, 256, b"\x00139")), // not a zero at the start
        raw(&block(&[0, 2], 7, 256, b"")),        // no end of the padding
        raw(&[&[0, 2, 7, 7, 7, 7, 7, 7, 7, 0][..], &[b'x'; 246]].concat()), // seven bytes of padding
        raw(&block(&[0, 2], 7, 256, b"\x00\xff\xfe")), // not UTF-8
        good[..good.len() - 8].to_owned(),        // cut
        format!("{good}AAAA"),                    // too long
        wx.encrypt("139").unwrap(),               // OAEP, for the platform
        "AAAA".to_owned(),
        "!".to_owned(),
    ];
    let errors: std::collections::BTreeSet<_> =
        wrong.iter().map(|text| format!("{:?}", wx.decrypt_pkcs1v15(text).unwrap_err())).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    let oaep: std::collections::BTreeSet<_> =
        wrong.iter().map(|text| format!("{:?}", wx.decrypt(text).unwrap_err())).collect();
    assert_eq!(oaep, errors);
}
