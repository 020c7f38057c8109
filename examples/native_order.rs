//! Makes a Native order. The customer scans its `code_url` as a QR code.
//!
//! ```sh
//! cargo run --example native_order --features sandbox
//! ```

use serde::Deserialize;
use serde_json::json;
use wechatpay_chain::chain;
use wechatpay_chain::sandbox::Sandbox;

#[derive(Deserialize)]
struct Native {
    code_url: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start()?;
    let wx = sandbox.client()?;

    let order: Native = chain!(wx->v3->pay->transactions->native)
        .post(json!({
            "appid": "wxd678efh567hg6787",
            "mchid": wx.mchid(),
            "description": "深圳腾大-QQ公仔",
            "out_trade_no": "P202611210001",
            "notify_url": "https://example.com/wxpay/notify",
            "amount": {"total": 100, "currency": "CNY"}, // cents
        }))
        .await?
        .deserialize()?;

    println!("show this as a QR code: {}", order.code_url);
    Ok(())
}
