//! Refunds an order with the PHP SDK's `$options` array. If the call is repeated, the refund number stays the same.
//!
//! ```sh
//! cargo run --example refund --features sandbox
//! ```

use serde_json::{Value, json};
use wechatpay_chain::Error;
use wechatpay_chain::sandbox::Sandbox;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start()?;
    let wx = sandbox.client()?;

    // An order to refund: make it, and pay it as the payer would.
    wx["v3/pay/transactions/native"]
        .post(json!({
            "appid": "wxd678efh567hg6787",
            "mchid": wx.mchid(),
            "description": "深圳腾大-QQ公仔",
            "out_trade_no": "P202611210001",
            "notify_url": "https://example.com/wxpay/notify",
            "amount": {"total": 100, "currency": "CNY"},
        }))
        .await?;
    sandbox.pay("P202611210001")?;

    let result = wx
        .chain("v3/refund/domestic/refunds")
        .post(Value::Null)
        .options(json!({
            "json": {
                "out_trade_no": "P202611210001",
                "out_refund_no": "R202611210001",
                "reason": "商品已售完",
                "amount": {"refund": 60, "total": 100, "currency": "CNY"}, // cents
            },
            "timeout": 10, // seconds
        }))
        .await;

    match result {
        Ok(response) => println!("refund {} is {}", response.data()["refund_id"], response.data()["status"]),
        // The refund may have been made: query it, or repeat the call, with the same out_refund_no.
        Err(Error::Transport(e)) if e.maybe_sent() => println!("unknown outcome: {e}"),
        Err(e) => return Err(e.into()),
    }
    Ok(())
}
