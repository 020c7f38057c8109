//! Our client against a small platform that is made of the crypto of Python's `wechatpayv3`: an independent check of our
//! signatures, of what we verify, encrypt and decrypt.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Stdio},
};

use serde_json::{Value, json};
use wechatpay_chain::{Error, Media, VerifyReason, WeChatPay, WeChatPayBuilder};

use super::{PYTHON, SCRIPTS, python_command};

const KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys/");
const CERTIFICATE_SERIAL: &str = "7132D72A03E93CDDF8C03BBD1F37EEDF87654321";
const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000001092026112200000000000001";

/// The platform. It ends with its standard input, so it cannot outlive the test.
struct Platform {
    child: Child,
    base: String,
}

impl Platform {
    fn start(folder: &Path) -> Platform {
        let mut command = python_command(folder);
        command.arg(Path::new(SCRIPTS).join("wechatpayv3_platform.py")).arg(KEYS);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut base = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut base).unwrap();
        assert!(base.starts_with("http://127.0.0.1:"), "{base:?}");
        Platform { child, base: base.trim_end().to_owned() }
    }

    fn builder(&self) -> WeChatPayBuilder {
        WeChatPay::builder()
            .mchid("1900000109")
            .serial("3775B6A45ACD588826D15E583A95F5DD12345678")
            .private_key(format!("file://{KEYS}merchant_key.pem"))
            .apiv3_key("0123456789abcdef0123456789abcdef")
            .base_url(&self.base)
    }

    /// A client that knows the platform by its public key, by its certificate, and by one that it downloads.
    fn clients(&self) -> [(&'static str, WeChatPay); 3] {
        let key = |name: &str| format!("file://{KEYS}{name}");
        [
            (PUBLIC_KEY_ID, self.builder().platform_key(PUBLIC_KEY_ID, key("platform_pub.pem"))),
            (CERTIFICATE_SERIAL, self.builder().platform_key(CERTIFICATE_SERIAL, key("platform_cert.pem"))),
            (CERTIFICATE_SERIAL, self.builder().automatic_certificates()),
        ]
        .map(|(serial, builder)| (serial, builder.build().unwrap()))
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[test]
fn orders_queries_and_errors() {
    let Some(folder) = PYTHON.folder() else { return };
    let platform = Platform::start(folder);
    for (index, (_, wx)) in platform.clients().into_iter().enumerate() {
        let number = format!("P{index}_-|*@茶");
        let order = json!({
            "appid": "wxd678efh567hg6787", "mchid": wx.mchid(), "description": "茶叶 \"250g\"\n\u{1F375}",
            "out_trade_no": number, "notify_url": "https://example.com/", "amount": {"total": 100},
        });
        let made = wx.chain("v3/pay/transactions/native").post_sync(order).unwrap();
        assert!(made.str("/code_url").unwrap().ends_with(&number), "{:?}", made.data());

        // The path and the query are signed as they are sent.
        let by_number = wx.chain("v3/pay/transactions/out-trade-no/{number}");
        let odd = json!({"mchid": wx.mchid(), "a b": "茶&=+/?#'%7E~", "empty": ""});
        let query = |number: &str| by_number.clone().get().var("number", number).query(odd.clone()).wait();
        let found = query(&number).unwrap();
        assert_eq!(found.data()["description"], "茶叶 \"250g\"\n\u{1F375}");
        assert_eq!(found.data()["query"]["a b"], "茶&=+/?#'%7E~");

        let close =
            wx.chain("v3/pay/transactions/out-trade-no/{number}/close").post(json!({"mchid": wx.mchid()}));
        assert_eq!(close.var("number", number.as_str()).wait().unwrap().status(), 204);
        let Err(Error::Api(error)) = query(&number) else { panic!("a closed order is still there") };
        assert_eq!((error.status, error.code.as_str(), error.verified), (404, "ORDER_NOT_EXIST", true));
        assert_eq!(error.message, "订单不存在");

        // Every verb, with and without a body.
        let echo = || wx.chain("v3/echo");
        let sent = json!({"text": "a\u{2028}b/<>&", "number": 1.10, "big": 12345678901234567890u64, "nothing": null});
        for (method, request) in [
            ("PUT", echo().put(sent.clone())),
            ("PATCH", echo().patch(sent.clone())),
            ("DELETE", echo().delete().json(sent.clone())),
        ] {
            let seen = request.wait().unwrap().into_data();
            assert_eq!(seen["method"], method);
            assert_eq!(serde_json::from_str::<Value>(seen["body"].as_str().unwrap()).unwrap(), sent);
        }
        assert_eq!(echo().delete().wait().unwrap().data()["body"], "");
    }
}

#[test]
fn encrypted_fields_uploads_and_pay_sign() {
    let Some(folder) = PYTHON.folder() else { return };
    let platform = Platform::start(folder);
    let mut file = tempfile::NamedTempFile::with_suffix(".jpg").unwrap();
    file.write_all(b"\xff\xd8\xff\r\n--\r\n\r\npicture\r\n").unwrap();
    for (_, wx) in platform.clients() {
        let body = json!({"type": "MERCHANT_ID", "name": "张三\u{20BB7}"});
        let added = wx.chain("v3/profitsharing/receivers/add").post(body).encrypt(&["/name"]).wait().unwrap();
        assert_eq!(added.data()["read"], "张三\u{20BB7}");
        assert_ne!(added.data()["name"], added.data()["read"]);
        assert_eq!(added.decrypt(&["/name"]).unwrap()["name"], "张三\u{20BB7}");

        let media = Media::file(file.path()).filename("图 \"1\".jpg");
        let upload = wx.chain("v3/merchant/media/upload").post(Value::Null).media(media).wait().unwrap();
        assert_eq!(
            (upload.str("/media_id").unwrap().len(), upload.str("/filename").unwrap()),
            (64, "图 \"1\".jpg")
        );
        let lie = json!({"filename": "a.jpg", "sha256": "0".repeat(64)});
        let media = Media::file(file.path()).meta(lie);
        let upload = wx.chain("v3/merchant/media/upload").post(Value::Null).media(media).wait();
        assert!(matches!(&upload, Err(Error::Api(e)) if e.message == "sha256"), "{upload:?}");

        let mut parameters =
            wx.jsapi_params("wxd678efh567hg6787", "wx201410272009395522657a690389285100").wait().unwrap();
        let matches = |parameters: &Value| {
            wx.chain("v3/pay-sign").post_sync(parameters.clone()).unwrap().data()["matches"]
                .as_bool()
                .unwrap()
        };
        assert!(matches(&parameters), "{parameters}");
        parameters["package"] = "prepay_id=wx2".into();
        assert!(!matches(&parameters));
    }
}

/// A response in which one part is wrong is refused, and nothing of it is handed out.
#[test]
fn a_lie_is_refused() {
    let Some(folder) = PYTHON.folder() else { return };
    let platform = Platform::start(folder);
    for (_, wx) in platform.clients() {
        let ask = |lie: &str| wx.chain("v3/echo").get().header("X-Lie", lie).wait();
        ask("none").unwrap();
        let is_right = |lie: &str, reason: &VerifyReason| match lie {
            "signature" | "nonce" | "body" => matches!(reason, VerifyReason::BadSignature { .. }),
            "timestamp" => matches!(reason, VerifyReason::ClockSkew { .. }),
            "serial" => matches!(reason, VerifyReason::UnknownSerial { .. }),
            _ => matches!(reason, VerifyReason::MissingHeader { header } if *header == lie),
        };
        for lie in
            ["signature", "nonce", "body", "timestamp", "serial", "Wechatpay-Signature", "Wechatpay-Serial"]
        {
            let Err(Error::Verify(error)) = ask(lie) else { panic!("{lie}: accepted, or another error") };
            assert!(is_right(lie, &error.reason), "{lie}: {:?}", error.reason);
        }
        // This client does not need the header that names the algorithm.
        ask("Wechatpay-Signature-Type").unwrap();
    }
}

#[test]
fn another_merchant_is_refused() {
    let Some(folder) = PYTHON.folder() else { return };
    let platform = Platform::start(folder);
    let builder = || platform.builder().platform_key(PUBLIC_KEY_ID, format!("file://{KEYS}platform_pub.pem"));
    let other_key = format!("file://{KEYS}platform_key.pem");
    for (wx, part) in [
        (builder().serial("3775B6A45ACD588826D15E583A95F5DD12345679").build().unwrap(), "another merchant"),
        (builder().mchid("1900000110").build().unwrap(), "another merchant"),
        (
            platform
                .builder()
                .private_key(other_key)
                .platform_key(PUBLIC_KEY_ID, format!("file://{KEYS}merchant_pub.pem"))
                .build()
                .unwrap(),
            "",
        ),
    ] {
        let found = wx.chain("v3/echo").get().wait();
        match &found {
            Err(Error::Api(error)) => {
                assert!(!part.is_empty() && error.status == 401 && error.message == part, "{error:?}");
            }
            // The platform's key is not the one that this client was given.
            Err(Error::Verify(error)) => {
                assert!(
                    part.is_empty() && matches!(error.reason, VerifyReason::BadSignature { .. }),
                    "{error:?}"
                );
            }
            _ => panic!("{found:?}"),
        }
    }
}

#[test]
fn notifications() {
    let Some(folder) = PYTHON.folder() else { return };
    let platform = Platform::start(folder);
    for (serial, wx) in platform.clients() {
        let make = |lie: Option<&str>| {
            let asked =
                json!({"resource": {"out_trade_no": "P1", "attach": "茶"}, "serial": serial, "lie": lie});
            let made = wx.chain("v3/notification").post_sync(asked).unwrap().into_data();
            let headers: Vec<(String, String)> = made["headers"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                .collect();
            (headers, made["body"].as_str().unwrap().to_owned())
        };
        let (headers, body) = make(None);
        let notification = wx.notification(headers.clone(), body.clone()).wait().unwrap();
        assert_eq!(notification.event_type, "TRANSACTION.SUCCESS");
        assert_eq!(notification.resource["attach"], "茶");
        let changed = wx.notification(headers, body.replace("支付成功", "支付失败")).wait();
        assert!(matches!(changed, Err(Error::Verify(_))), "{changed:?}");
        for lie in ["signature", "nonce", "timestamp", "serial"] {
            let (headers, body) = make(Some(lie));
            let opened = wx.notification(headers, body).wait();
            assert!(matches!(opened, Err(Error::Verify(_))), "{lie}: {opened:?}");
        }
    }
}
