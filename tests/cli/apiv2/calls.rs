//! Calls: what is sent, what is printed, and how they fail.

use serde_json::{Value, json};

use super::{MCHID, MESSAGE, Merchant, ORDER, SUCCESS, finish};
use crate::program::Done;
use crate::support::{APIV2_KEY, MutualTls, elements, has, hmac_sign, key_path, openssl, signed_xml};

/// The Node SDK's program makes numbers of them, which it then cannot sign.
#[test]
fn digits_are_sent_and_signed_as_texts() {
    let merchant = Merchant::new(&[&SUCCESS[..], &[("prepay_id", "wx2014")]].concat());
    let done = merchant.run(&[&ORDER[..], &["sign_type=HMAC-SHA256"]].concat());
    let printed = done.json();
    assert_eq!((&printed["prepay_id"], &printed["mch_id"]), (&json!("wx2014"), &json!(MCHID)));
    let seen = merchant.recorder.take();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/pay/unifiedorder"));
    assert!(seen.header("authorization").is_none() && seen.header("content-type").unwrap().contains("xml"));
    let sent = elements(std::str::from_utf8(&seen.body).unwrap());
    let (sign, fields) = sent.split_last().unwrap();
    let fields: Vec<_> = fields.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert!(
        fields.contains(&("total_fee", "100")) && fields.contains(&("out_trade_no", "0012")),
        "{fields:?}"
    );
    assert_eq!(*sign, ("sign".to_owned(), hmac_sign(&fields, APIV2_KEY)));

    // MD5, by the openssl program; from a profile; and JSON, whose numbers become texts.
    if !has("openssl") {
        return;
    }
    let message = format!("{MESSAGE}&key={APIV2_KEY}");
    let md5 = openssl(&["dgst", "-md5", "-r"], message.as_bytes()).unwrap();
    let md5 = String::from_utf8(md5).unwrap()[..32].to_uppercase();
    let base = &merchant.recorder.base;
    let config = merchant.file(
        "config.toml",
        format!("[default]\nmchid = '{MCHID}'\napiv2_key = '{APIV2_KEY}'\nbase_url = '{base}'\n"),
    );
    let body = json!({
        "appid": "wxd930ea5d5a258f4f", "mch_id": 10000100, "body": "茶叶", "out_trade_no": "0012", "total_fee": 100,
        "trade_type": "NATIVE", "nonce_str": "ibuaiVcKdpRxkhJA",
    });
    let (json, number) = (body.to_string(), ["total_fee:=100", r#"{"mch_id":"10000100"}"#]);
    let runs: [&dyn Fn() -> Done; 3] = [
        &|| {
            let mut from_profile = crate::program::wxpay(merchant.home.path());
            finish(from_profile.args(["--config", &config]).args(ORDER))
        },
        &|| merchant.run(&["post", "v2/pay/unifiedorder", "-d", &json]),
        &|| {
            let [fee, data] = number;
            let order = ["post", "/v2/pay/unifiedorder", "-d", data, fee];
            merchant.run(&[&order[..], &[ORDER[2], ORDER[4], ORDER[5], ORDER[7], ORDER[8]]].concat())
        },
    ];
    for run in runs {
        // A profile that others can read is told.
        let done = run();
        assert_eq!((done.code, done.out.contains(r#""result_code":"SUCCESS""#)), (Some(0), true), "{done:?}");
        let sent = elements(std::str::from_utf8(&merchant.recorder.take().body).unwrap());
        assert_eq!(sent.last().unwrap(), &("sign".to_owned(), md5.clone()));
    }
}

#[test]
fn what_would_be_sent_is_shown() {
    let merchant = Merchant::new(&SUCCESS);
    let shown = merchant.run(&[&ORDER[..], &["--dry-run"]].concat()).json();
    assert_eq!(shown["message"], json!(format!("{MESSAGE}&key=…")));
    assert!(shown["body"].as_str().unwrap().starts_with("<xml><appid>wxd930ea5d5a258f4f</appid>"), "{shown}");
    assert_eq!(merchant.recorder.seen().len(), 0);
    // A signed link.
    let link =
        ["get", "v2/papay/entrustweb", "mch_id==10000100", "nonce_str==N", "--dry-run", "--jq", ".url", "-r"];
    let link = merchant.run(&link);
    assert!(link.ok().contains("/papay/entrustweb?mch_id=10000100&nonce_str=N&sign="), "{link:?}");
    if has("curl") {
        let line = merchant.run(&[&ORDER[..], &["--curl"]].concat());
        let script = format!("{} --noproxy '*'", line.ok().trim_end());
        let ran = Done::of(assert_cmd::Command::new("sh").args(["-c", &script]));
        assert!(ran.ok().contains("<![CDATA[SUCCESS]]>"), "{script}: {ran:?}");
        let shown = shown["body"].as_str().unwrap();
        assert_eq!(String::from_utf8(merchant.recorder.take().body).unwrap(), shown);
    }
    // A number that JSON has rounded is refused, not sent.
    let rounded = ["post", "v2/pay/orderquery", "mch_id=1", "transaction_id:=1217752501201407033233368018"];
    merchant.run(&rounded).fails(1, "whose digits may have changed");
    merchant.run(&["post", "v2/pay/orderquery", "-d", "[]"]).fails(1, "the body must be an object");
    let without = finish(merchant.wxpay().env_remove("WECHATPAY_APIV2_KEY").args(ORDER));
    without.fails(1, "`WECHATPAY_SERIAL` is missing");
    without.fails(1, "for APIv2 alone, set `WECHATPAY_APIV2_KEY` and nothing of APIv3");
    let others = ["post", "v2/pay/orderquery", "mch_id=1"];
    merchant.run(&others).fails(1, "`mch_id` is `1`, but this client signs for 10000100");
    merchant.run(&["upload", "config.toml", "v2/secapi/mch/uploadmedia", "--name", "a.jpg"]).is(1, "");
    // APIv3 is told by name.
    merchant.run(&["get", "v3/certificates"]).fails(1, "this client has the credentials of APIv2 only");
}

#[test]
fn the_platforms_errors_have_the_codes_of_apiv3() {
    let failed = |code: &str| {
        let fields = [
            ("return_code", "SUCCESS"),
            ("result_code", "FAIL"),
            ("err_code", code),
            ("err_code_des", "说明"),
            ("mch_id", MCHID),
        ];
        signed_xml(&fields, APIV2_KEY)
    };
    let unsigned = "<xml><return_code>FAIL</return_code><return_msg>签名失败</return_msg></xml>".to_owned();
    let changed = signed_xml(&SUCCESS, APIV2_KEY).replace(MCHID, "10000101");
    for (body, code, part) in [
        (failed("ORDERPAID"), 2, "ORDERPAID"),
        (failed("FREQUENCY_LIMITED"), 3, "FREQUENCY_LIMITED"),
        // It may have been carried out.
        (failed("SYSTEMERROR"), 5, "query it by its order or refund number"),
        (failed("USERPAYING"), 5, "USERPAYING"),
        (unsigned, 2, "签名失败"),
        (changed, 4, "`sign`"),
    ] {
        let merchant = Merchant::answered(body.clone());
        merchant.run(&ORDER).fails(code, part);
        let json: Value =
            serde_json::from_str(&merchant.run(&[&ORDER[..], &["--json-errors"]].concat()).err).unwrap();
        assert_eq!(json["status"], 200, "{json}");
        // Each has the outcome in a batch.
        let line =
            json!({"method": "POST", "path": "v2/pay/unifiedorder", "body": {"mch_id": MCHID}}).to_string();
        let calls = merchant.file("calls.jsonl", line);
        let batch = merchant.run(&["batch", &calls]);
        let expected = match code {
            2 => (2, "refused"),
            3 => (3, "limited"),
            5 => (5, "unknown"),
            _ => (4, "unverified"),
        };
        let journal = std::fs::read_to_string(merchant.home.path().join("calls.results.jsonl")).unwrap();
        assert_eq!(batch.code, Some(expected.0), "{batch:?}");
        assert!(journal.contains(&format!(r#""outcome":"{}""#, expected.1)), "{body}: {journal}");
    }
}

#[test]
fn a_batch_records_the_fields() {
    let merchant = Merchant::new(&[&SUCCESS[..], &[("prepay_id", "wx2014")]].concat());
    let line = |more: &str| {
        format!(
            r#"{{"id":"P1","method":"POST","path":"v2/pay/unifiedorder","body":{{"mch_id":"10000100","total_fee":100}}{more}}}"#
        )
    };
    let calls = merchant.file("calls.jsonl", line(""));
    let done = merchant.run(&["batch", &calls]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let sent = elements(std::str::from_utf8(&merchant.recorder.take().body).unwrap());
    assert!(sent.contains(&("total_fee".to_owned(), "100".to_owned())), "{sent:?}");
    let journal = std::fs::read_to_string(merchant.home.path().join("calls.results.jsonl")).unwrap();
    let record: Value = journal
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|record| record["outcome"].is_string())
        .unwrap();
    assert_eq!(
        (&record["outcome"], &record["body"]["prepay_id"]),
        (&json!("ok"), &json!("wx2014")),
        "{journal}"
    );
    assert_eq!(record["verified"], true);
    // Bad lines: nothing is sent.
    for (line, part) in [
        (line("").replace("v2/", "v3/").replace("}}", r#"},"client_certificate":true}"#), "is for APIv2"),
        (line(r#","client_certificate":1"#), "expected a boolean"),
        (line("").replace("100}", "1e30}"), "whose digits may have changed"),
        (line(r#","encrypt":["/a"]"#), "does not apply to APIv2"),
    ] {
        let calls = merchant.file("bad.jsonl", &line);
        merchant.run(&["batch", &calls]).fails(1, part);
    }
    merchant.run(&["batch", &calls, "--check"]).fails(1, "compares calls of APIv3 only");
    let mut sandbox = crate::program::wxpay(merchant.home.path());
    finish(sandbox.args(["--sandbox", "batch", &calls])).fails(1, "the sandbox speaks APIv3 only");
    assert_eq!(merchant.recorder.seen().len(), 0);
}

#[test]
fn neither_the_key_nor_the_signature_is_traced() {
    let merchant = Merchant::new(&SUCCESS);
    let done = merchant.run(&[&ORDER[..], &["-vv"]].concat());
    let sent = elements(std::str::from_utf8(&merchant.recorder.take().body).unwrap());
    let sign = &sent.last().unwrap().1;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(!done.err.contains(sign.as_str()), "{done:?}");
    for part in [
        "POST /pay/unifiedorder HTTP/1.1",
        "<total_fee>100</total_fee>",
        "HTTP/1.1 200",
        "POST v2/pay/unifiedorder: 1 attempt in ",
        "as 10000100 (the environment)",
    ] {
        assert!(done.err.contains(part), "{part}: {done:?}");
    }
    assert!(!done.err.contains("attempt in  ms"), "{done:?}");
}

#[test]
fn the_certificate_is_presented_with_the_option() {
    let server = MutualTls::start(true);
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (root, merchant) =
        (file("root.pem", &server.certificate), file("apiclient_cert.pem", &server.merchant));
    let run = |arguments: &[&str]| {
        let mut command = crate::program::wxpay(home.path());
        command.env("WECHATPAY_MCHID", MCHID).env("WECHATPAY_APIV2_KEY", APIV2_KEY);
        command.env("WECHATPAY_BASE_URL", &server.base).env("SSL_CERT_FILE", &root);
        command.env("WECHATPAY_CERTIFICATE", format!("file://{merchant}"));
        command.env("WECHATPAY_PRIVATE_KEY", format!("file://{}", key_path("merchant_key.pem")));
        finish(command.args(arguments))
    };
    let refund = ["post", "v2/secapi/pay/refund", "mch_id=10000100", "out_refund_no=R1"];
    let done = run(&[&refund[..], &["--client-certificate"]].concat());
    assert_eq!((done.code, done.out.contains("SUCCESS")), (Some(0), true), "{done:?}");
    assert_eq!(server.presented.lock().unwrap().pop(), Some(true));
    // The alert follows the handshake: a connection that breaks while the request is written may be seen first.
    let told = "the server asks for the merchant's certificate: add --client-certificate";
    let without = (0..20).map(|_| run(&refund)).find(|done| done.err.contains(told)).unwrap();
    without.is(5, told);
    assert!(!without.err.contains(".client_certificate("), "{without:?}");
    // In a batch, a member of the line.
    let line = json!({"method": "POST", "path": "v2/secapi/pay/refund", "body": {"mch_id": MCHID}, "client_certificate": true});
    let calls = file("calls.jsonl", &line.to_string());
    let batch = run(&["batch", &calls]);
    assert_eq!((batch.code, server.presented.lock().unwrap().pop()), (Some(0), Some(true)), "{batch:?}");
    // The client has a key, but none of the platform: a call of APIv3 could not be verified.
    run(&["get", "v3/certificates"]).fails(1, "without a platform key no response can be verified");
    // Nothing to present.
    let merchant = Merchant::new(&SUCCESS);
    let none = finish(
        merchant.wxpay().env("WECHATPAY_BASE_URL", &server.base).args(refund).arg("--client-certificate"),
    );
    none.fails(1, "`WECHATPAY_CERTIFICATE` is missing, and this call has to present it");
}
