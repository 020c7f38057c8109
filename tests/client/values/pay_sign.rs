//! Pay-sign: what is signed, and what is refused because the app would fail with it, later and without a reason.

use std::borrow::Cow;
use std::path::Path;

use serde_json::{Value, json};
use wechatpay_chain::Error;
use wechatpay_chain::pay_sign::PrepayId;

use crate::support::{self, has, key_path, openssl_verifies};

const APPID: &str = "wxd678efh567hg6787";
const ID: &str = "wx26112221580621e9b071c00d9e093b0000";

fn refused(result: Result<Value, Error>) -> (String, String) {
    match result {
        Err(Error::Config(error)) => (error.field().to_owned(), error.to_string()),
        other => panic!("not a Config error: {other:?}"),
    }
}

#[test]
fn what_is_not_a_prepay_id_is_refused() {
    let wx = support::client("https://example.com/");
    let long = "w".repeat(65);
    let response = json!({"prepay_id": ID});
    let quoted = response["prepay_id"].to_string();
    for wrong in [
        &format!("prepay_id={ID}"),
        &format!("PREPAY_ID={ID}"),
        "prepay_id=",
        &quoted,
        &format!("'{ID}'"),
        &response.to_string(),
        &format!("[\"{ID}\"]"),
        "",
        " ",
        "\u{3000}",
        "\n",
        "null",
        "NULL",
        " null ",
        "undefined",
        "None",
        "nil",
        "NaN",
        "[object Object]",
        &format!(" {ID}"),
        &format!("{ID} "),
        &format!("{ID}\n"),
        &format!("{ID}\0"),
        &format!("{ID}\u{200b}"),
        "wx26\u{1b}[31m",
        "wx26&signType=MD5",
        "weixin://wxpay/bizpayurl?pr=p",
        "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx26",
        &long,
        &"w".repeat(1 << 20),
        "订单",
        "${prepay_id}",
        "%s",
        "wx26=",
        "wx26\"",
        // Names of fields, and what becomes of a null that is made a number.
        "prepay_id",
        "prepayid",
        "string",
        "0",
        "-1",
        "2026",
        "wx",
    ] {
        for result in [wx.jsapi_params(APPID, wrong).wait(), wx.app_params(APPID, wrong).wait()] {
            let (field, text) = refused(result);
            assert_eq!(field, "prepay_id", "{wrong:.80}");
            assert!(text.len() < 300 && !text.contains(char::is_control), "{text}");
        }
        // The same, as a package that is signed by hand.
        let package = format!("prepay_id={wrong}");
        assert!(
            matches!(wx.pay_sign(&[APPID, "1", "n", &package]).wait(), Err(Error::Config(_))),
            "{wrong:.80}"
        );
    }
    for wrong in [json!(null), json!(26), json!(true), json!([ID]), response.clone()] {
        let (field, text) = refused(wx.jsapi_params(APPID, &wrong).wait());
        assert!(field == "prepay_id" && text.contains("data()[\"prepay_id\"]"), "{text}");
        refused(wx.app_params(APPID, wrong).wait());
    }
    refused(wx.jsapi_params(APPID, response["prepayid"].as_str()).wait());
    refused(wx.jsapi_params(APPID, response.get("prepayid")).wait());
}

#[test]
fn what_is_not_an_appid_is_refused() {
    let wx = support::client("https://example.com/");
    // A merchant number, an account's original ID (原始ID), a name; the last: the two swapped.
    for wrong in [
        "1900000109",
        "gh_d678efh567hg",
        "appid",
        "wx",
        "0",
        "",
        " ",
        "null",
        "undefined",
        "\"wxd678efh567hg6787\"",
        "wxd6 78",
        "wxd6\n",
        "{appid}",
        ID,
    ] {
        for result in [wx.jsapi_params(wrong, ID).wait(), wx.app_params(wrong, ID).wait()] {
            assert_eq!(refused(result).0, "appid", "{wrong}");
        }
    }
}

#[test]
fn a_prepay_id_is_taken_from_a_text_or_from_the_response() {
    if !has("openssl") {
        return;
    }
    let wx = support::client("https://example.com/");
    let response = json!({"prepay_id": ID});
    let owned = ID.to_owned();
    let ids: Vec<PrepayId> = vec![
        ID.into(),
        owned.clone().into(),
        (&owned).into(),
        (&ID).into(),
        Cow::Borrowed(ID).into(),
        (&response["prepay_id"]).into(),
        response["prepay_id"].clone().into(),
        response["prepay_id"].as_str().into(),
        response.get("prepay_id").into(),
        Some(owned).into(),
    ];
    let public = key_path("merchant_pub.pem");
    for id in ids {
        let p = wx.jsapi_params(APPID, id.clone()).wait().unwrap();
        assert_eq!(p["package"], format!("prepay_id={ID}"));
        let lines = ["appId", "timeStamp", "nonceStr", "package"].map(|name| p[name].as_str().unwrap());
        let message = lines.map(|line| format!("{line}\n")).concat();
        assert!(openssl_verifies(Path::new(&public), message.as_bytes(), p["paySign"].as_str().unwrap()));
        assert_eq!(wx.app_params(APPID, id).wait().unwrap()["prepayid"], ID);
    }
    // Forms that the platform's documents show.
    for id in ["WX1217752501201407033233368018", "u802345jgfjsdfgsdg888", "up_wx2115184300", &"w1".repeat(32)]
    {
        assert_eq!(wx.jsapi_params(APPID, id).wait().unwrap()["package"], format!("prepay_id={id}"));
    }
}

#[test]
fn other_fields_are_signed_as_they_are() {
    let wx = support::client("https://example.com/");
    assert!(wx.pay_sign(&["a", "", "茶", "x=1&y=2", "\"quoted\"", "null"]).wait().is_ok());
    for wrong in [&[][..], &["a\nb"], &["a\r"], &["a", "\0"], &["\u{1b}[0m"], &["prepay_id=null"]] {
        assert!(matches!(wx.pay_sign(wrong).wait(), Err(Error::Config(_))), "{wrong:?}");
    }
}
