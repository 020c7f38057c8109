//! Requests of the tests of products, and the responses that they expect.

use serde_json::{Value, json};
use wechatpay_chain::sandbox::{Sandbox, SandboxError};
use wechatpay_chain::{Error, Request, WeChatPay};

use crate::support::start_sandbox;

pub(crate) const APPID: &str = "wxd678efh567hg6787";
pub(crate) const OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";

pub(crate) fn start() -> (Sandbox, WeChatPay) {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    (sandbox, wx)
}

pub(crate) fn native(wx: &WeChatPay, number: &str, total: i64) -> Value {
    json!({
        "appid": APPID,
        "mchid": wx.mchid(),
        "description": "茶, 绿",
        "out_trade_no": number,
        "attach": "a`b",
        "notify_url": "https://www.example.com/notify",
        "amount": {"total": total, "currency": "CNY"},
    })
}

pub(crate) fn refund(order: &str, number: &str, refund: i64, total: i64) -> Value {
    json!({
        "out_trade_no": order,
        "out_refund_no": number,
        "amount": {"refund": refund, "total": total, "currency": "CNY"},
    })
}

pub(crate) fn order(wx: &WeChatPay, number: &str) -> Request {
    let request = wx.chain("v3/pay/transactions/out-trade-no/{number}").get().var("number", number);
    request.query(json!({"mchid": wx.mchid()}))
}

pub(crate) fn close(wx: &WeChatPay, number: &str) -> Request {
    let body = json!({"mchid": wx.mchid()});
    wx.chain("v3/pay/transactions/out-trade-no/{number}/close").post(body).var("number", number)
}

/// Sends the request, and expects success.
#[track_caller]
pub(crate) fn ok(request: Request) -> Value {
    match request.wait() {
        Ok(response) => response.into_data(),
        Err(error) => panic!("{error}"),
    }
}

/// Sends the request, and returns the data or the code of the error.
pub(crate) fn ok_or_code(request: Request) -> Result<Value, String> {
    match request.wait() {
        Ok(response) => Ok(response.into_data()),
        Err(Error::Api(error)) => Err(error.code.clone()),
        Err(error) => panic!("{error}"),
    }
}

/// Sends the request, and expects this error, whose text contains `names`.
#[track_caller]
pub(crate) fn refused(request: Request, status: u16, code: &str, names: &str) {
    match request.wait() {
        Err(Error::Api(error)) => {
            assert_eq!((error.status, error.code.as_str()), (status, code), "{error}");
            let reported = format!("{} {}", error.message, error.detail);
            assert!(reported.contains(names), "{reported} does not name {names}");
        }
        Err(error) => panic!("{error}"),
        Ok(response) => panic!("not refused: {}", response.data()),
    }
}

#[track_caller]
pub(crate) fn not_done(result: Result<Value, SandboxError>, says: &str) {
    match result {
        Err(error @ SandboxError::State { .. }) => assert!(error.to_string().contains(says), "{error}"),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn day(paid: &Value) -> String {
    paid["success_time"].as_str().unwrap().chars().take(10).collect()
}

pub(crate) fn rows(bytes: &[u8]) -> (Vec<wechatpay_chain::bill::Record>, wechatpay_chain::bill::Record) {
    let mut rows = wechatpay_chain::bill::rows(bytes).unwrap();
    let all = rows.by_ref().collect::<Result<Vec<_>, _>>().unwrap();
    (all, rows.summary().unwrap().clone())
}
