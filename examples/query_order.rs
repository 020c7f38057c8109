//! Queries an order by its transaction ID: one value as a variable of the path, one in the query.
//!
//! ```sh
//! cargo run --example query_order --features sandbox
//! ```

use serde_json::json;
use wechatpay_chain::sandbox::Sandbox;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start()?;
    let wx = sandbox.client()?;

    // The sandbox knows only orders that were made in it: make one, and pay it as the payer would.
    wx["v3/pay/transactions/native"]
        .post(json!({
            "appid": "wxd678efh567hg6787",
            "mchid": wx.mchid(),
            "description": "深圳腾大-QQ公仔",
            "out_trade_no": "P202611210001",
            "notify_url": "https://example.com/wxpay/notify",
            "amount": {"total": 100, "currency": "CNY"}, // cents
        }))
        .await?;
    let paid = sandbox.pay("P202611210001")?;

    let response = wx["v3/pay/transactions/id/{transaction_id}"]
        .get()
        .var("transaction_id", paid["transaction_id"].clone())
        .query(json!({"mchid": wx.mchid()}))
        .await?;

    let order = response.data();
    println!("{} is {} ({} cents)", order["transaction_id"], order["trade_state"], order["amount"]["total"]);
    Ok(())
}
