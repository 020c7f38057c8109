//! What becomes of a response.

use serde_json::{Value, json};
use wechatpay_chain::{Error, Response, VerifyReason, error::VerifySubject};

use super::{MCHID, SECRET, builder, signed_xml};
use crate::support::{Recorder, raw};

fn call(path: &str, status: &'static str, body: impl Into<Vec<u8>>) -> Result<Response, Error> {
    let body = body.into();
    let recorder = Recorder::start(move |_| raw(status, &[("Request-ID", "08F0")], &body));
    let wx = builder(&recorder.base).build().unwrap();
    let result = wx[path].post(json!({"mch_id": MCHID})).wait();
    let seen = recorder.take();
    assert!(seen.header("authorization").is_none());
    result
}

const SUCCESS: [(&str, &str); 3] =
    [("return_code", "SUCCESS"), ("result_code", "SUCCESS"), ("prepay_id", "wx26")];

#[test]
fn a_signed_success_is_a_map_of_texts() {
    let response = call("v2/pay/unifiedorder", "200 OK", signed_xml(&SUCCESS, SECRET)).unwrap();
    assert!(response.verified() && response.status() == 200);
    assert_eq!(response.data()["prepay_id"], "wx26");
    assert_eq!(response.str("/prepay_id").unwrap(), "wx26");
    assert_eq!(response.request_id(), Some("08F0"));
    // By MD5: the platform's own example.
    let example = "<xml><appid>wxd930ea5d5a258f4f</appid><body>test</body><device_info>1000</device_info>\
                   <mch_id>10000100</mch_id><nonce_str>ibuaiVcKdpRxkhJA</nonce_str>\
                   <sign>9A0A8659F005D6984697E2CA0A9CF3B7</sign></xml>";
    // It has no `return_code`: the platform's word is missing.
    let Err(Error::Api(error)) = call("v2/pay/unifiedorder", "200 OK", example) else { panic!() };
    assert!(error.verified);
}

#[test]
fn a_refusal_is_the_platforms_error() {
    let refused = [
        ("return_code", "SUCCESS"),
        ("result_code", "FAIL"),
        ("err_code", "ORDERPAID"),
        ("err_code_des", "该订单已支付"),
    ];
    let Err(Error::Api(error)) = call("v2/pay/unifiedorder", "200 OK", signed_xml(&refused, SECRET)) else {
        panic!()
    };
    assert_eq!(
        (error.status, error.code.as_str(), error.message.as_str()),
        (200, "ORDERPAID", "该订单已支付")
    );
    assert!(error.verified && error.detail["err_code"] == "ORDERPAID");
    // The level of the protocol is not signed.
    let unsigned =
        "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[签名错误]]></return_msg></xml>";
    for (path, status) in
        [("v2/pay/unifiedorder", "200 OK"), ("v2/pay/downloadbill", "200 OK"), ("v2/pay/x", "500 No")]
    {
        let Err(Error::Api(error)) = call(path, status, unsigned) else { panic!("{path}") };
        assert_eq!(
            (error.code.as_str(), error.message.as_str(), error.verified),
            ("", "签名错误", false),
            "{path}"
        );
    }
    let bill = "<xml><return_code>FAIL</return_code><return_msg>No Bill Exist</return_msg><error_code>20002</error_code></xml>";
    let Err(Error::Api(error)) = call("v2/pay/downloadbill", "200 OK", bill) else { panic!() };
    assert_eq!(error.code, "20002");
    // A gateway.
    let Err(Error::Api(error)) = call("v2/pay/unifiedorder", "502 Bad Gateway", "<html>no</html>") else {
        panic!()
    };
    assert_eq!((error.status, error.verified), (502, false));
    let Err(Error::Api(error)) = call("v2/pay/unifiedorder", "502 Bad Gateway", "no") else { panic!() };
    assert!(error.message.contains("not the platform's XML"), "{error}");
    // Signed, but with an error status.
    let Err(Error::Api(error)) = call("v2/pay/unifiedorder", "500 No", signed_xml(&SUCCESS, SECRET)) else {
        panic!()
    };
    assert!(error.verified);
}

#[test]
fn a_success_without_a_valid_sign_is_not_one() {
    let other = signed_xml(&SUCCESS, "00000000000000000000000000000000");
    let none = "<xml><return_code>SUCCESS</return_code><prepay_id>wx26</prepay_id></xml>";
    for (body, reason) in [
        (other.clone(), VerifyReason::BadSign { element: None }),
        (signed_xml(&SUCCESS, SECRET).replace("wx26", "wx27"), VerifyReason::BadSign { element: None }),
        (none.to_owned(), VerifyReason::MissingSign),
        (none.replace("</xml>", "<sign></sign></xml>"), VerifyReason::BadSign { element: None }),
        (
            none.replace("</xml>", "<sign>x</sign><sign>y</sign></xml>"),
            VerifyReason::BadSign { element: Some("sign".into()) },
        ),
    ] {
        let error = call("v2/pay/unifiedorder", "200 OK", body.clone()).unwrap_err();
        let Error::Verify(error) = error else { panic!("{error}") };
        assert_eq!((&error.reason, error.subject), (&reason, VerifySubject::Response), "{body}");
        assert_eq!(error.request_id.as_deref(), Some("08F0"));
    }
    for body in
        ["", "{}", "<xml>", "<!DOCTYPE xml><xml/>", "\u{feff}<xml><return_code>SUCCESS</return_code></xml>"]
    {
        assert!(matches!(call("v2/pay/unifiedorder", "200 OK", body), Err(Error::Verify(_))), "{body}");
    }
    // A refusal that someone else signed: what it says are claims.
    let forged = [
        ("return_code", "SUCCESS"),
        ("result_code", "FAIL"),
        ("err_code", "ORDERNOTEXIST"),
        ("err_code_des", "x"),
    ];
    let forged = signed_xml(&forged, "00000000000000000000000000000000");
    let Err(Error::Verify(error)) = call("v2/pay/orderquery", "200 OK", forged) else { panic!() };
    assert_eq!(error.claimed_code.as_deref(), Some("ORDERNOTEXIST"));
}

#[test]
fn the_paths_without_a_signature_hand_on_what_comes() {
    let bill = "\u{feff}交易时间,公众账号ID\r\n`2026-11-01,`wx1\r\n";
    let response = call("v2/pay/downloadbill", "200 OK", bill).unwrap();
    assert!(!response.verified() && response.text().unwrap() == bill);
    let gzip = [0x1f, 0x8b, 8, 0, 0, 0];
    assert_eq!(call("v2/pay/downloadbill", "200 OK", gzip).unwrap().bytes()[..], gzip);
    let sent = "<xml><return_code>SUCCESS</return_code><result_code>SUCCESS</result_code><send_listid>1</send_listid></xml>";
    let response = call("v2/mmpaymkttransfers/sendredpack", "200 OK", sent).unwrap();
    assert!(!response.verified() && response.data()["send_listid"] == "1");
    // Signed if it is.
    let paid = call("v2/mmpaysptrans/pay_bank", "200 OK", signed_xml(&SUCCESS, SECRET)).unwrap();
    assert!(paid.verified());
    let forged = signed_xml(&SUCCESS, "00000000000000000000000000000000");
    assert!(call("v2/mmpaysptrans/pay_bank", "200 OK", forged).is_err());
    let token = call("v2/appauth/getaccesstoken", "200 OK", r#"{"retcode":0,"access_token":"t"}"#).unwrap();
    assert_eq!(token.data()["access_token"], "t");
    let Err(Error::Api(error)) =
        call("v2/appauth/getaccesstoken", "200 OK", r#"{"retcode":10001,"retmsg":"no"}"#)
    else {
        panic!()
    };
    assert_eq!((error.code.as_str(), error.message.as_str()), ("10001", "no"));
    let empty = call("v2/appauth/getaccesstoken", "200 OK", "").unwrap_err();
    assert!(matches!(empty, Error::Api(_)));
}

#[test]
fn a_call_is_repeated_only_if_nothing_was_done() {
    let busy = [("return_code", "SUCCESS"), ("result_code", "FAIL"), ("err_code", "FREQUENCY_LIMITED")];
    let unknown = [("return_code", "SUCCESS"), ("result_code", "FAIL"), ("err_code", "SYSTEMERROR")];
    let responses = [signed_xml(&busy, SECRET), signed_xml(&unknown, SECRET)];
    let recorder = Recorder::script(responses.map(|body| raw("200 OK", &[], body.as_bytes())));
    let wx = builder(&recorder.base).retry_delay(std::time::Duration::from_millis(1)).build().unwrap();
    let error = wx["v2/secapi/pay/refund"].post(json!({"mch_id": MCHID})).retry(3).wait().unwrap_err();
    assert_eq!(error.code(), Some("SYSTEMERROR"));
    let seen = recorder.seen();
    assert!(seen.len() == 2 && seen[0].body == seen[1].body);
    // The spare host, if the first cannot be reached.
    let spare = Recorder::start(|_| raw("200 OK", &[], signed_xml(&SUCCESS, SECRET).as_bytes()));
    let wx = builder("http://127.0.0.1:9/").spare_base_url(&spare.base).build().unwrap();
    let response = wx["v2/pay/unifiedorder"].post(json!({"mch_id": MCHID})).wait().unwrap();
    assert_eq!(response.data()["prepay_id"], "wx26");
    assert_eq!(spare.seen().len(), 1);
}

#[tokio::test]
async fn it_is_awaited_as_well() {
    let recorder = Recorder::start(|_| raw("200 OK", &[], signed_xml(&SUCCESS, SECRET).as_bytes()));
    let wx = builder(&recorder.base).build().unwrap();
    let options = json!({"xml": {"mch_id": MCHID, "sign_type": "HMAC-SHA256"}, "nonceless": true});
    let response = wx["v2/pay/unifiedorder"].post(Value::Null).options(options).await.unwrap();
    assert_eq!(response.data()["prepay_id"], "wx26");
    let sent = String::from_utf8(recorder.take().body).unwrap();
    assert!(
        !sent.contains("nonce_str") && sent.contains("<sign_type>HMAC-SHA256</sign_type><sign>"),
        "{sent}"
    );
}
