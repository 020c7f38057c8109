//! JSON: PHP's options for a request, and PHP's array for a client.

use serde_json::Value;
use wechatpay_chain::WeChatPay;

use super::common::WX;

pub(crate) fn run(data: &[u8]) {
    let Ok(json) = serde_json::from_slice::<Value>(data) else { return };
    let request = WX.chain("v3/pay/{out_trade_no}").post(Value::Null).options(json.clone());
    if let Ok(prepared) = request.prepare() {
        let target = prepared.target();
        assert!(target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic()), "{target:?}");
        for (name, value) in prepared.headers() {
            assert!(!value.as_bytes().iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)), "{name}");
        }
        if let Some(body) = json.get("json").filter(|body| !body.is_null()) {
            let sent: Value = serde_json::from_slice(prepared.body()).expect("JSON that was sent");
            assert_eq!(&sent, body);
        }
    }
    // A file that is named is read, and fuzzing reads no files.
    if !String::from_utf8_lossy(data).contains("file:") {
        let _ = WeChatPay::factory(json);
    }
}
