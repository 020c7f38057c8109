//! Shared by the benchmarks: a minimal platform in another process, and the floor, a hand-written client.

pub mod cpu;
pub mod floor;
pub mod server;

use serde_json::{Value, json};

pub const MCHID: &str = "1900000109";
pub const MERCHANT_SERIAL: &str = "3775B6A45ACD588826D15E583A95F5DD12345678";
pub const PLATFORM_SERIAL: &str = "7132D72A03E93CDDF8C03BBD1F37EEDF87654321";

pub fn key(name: &str) -> String {
    let path = format!("{}/tests/keys/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

pub fn client(base: &str) -> wechatpay_chain::WeChatPay {
    wechatpay_chain::WeChatPay::builder()
        .mchid(MCHID)
        .serial(MERCHANT_SERIAL)
        .private_key(key("merchant_key.pem"))
        .platform_key(PLATFORM_SERIAL, key("platform_cert.pem"))
        .base_url(base)
        .build()
        .unwrap()
}

/// The body of an order, as a merchant would send it.
pub fn order() -> Value {
    json!({
        "appid": "wxd678efh567hg6787",
        "mchid": MCHID,
        "description": "Image形象店-深圳腾大-QQ公仔",
        "out_trade_no": "1217752501201407033233368018",
        "notify_url": "https://www.weixin.qq.com/wxpay/pay.php",
        "amount": {"total": 100, "currency": "CNY"},
    })
}
