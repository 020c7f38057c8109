//! From the order to what the page or the app needs to open the cashier.
//!
//! ```sh
//! cargo run --example pay_sign --features sandbox
//! ```

use serde::Deserialize;
use serde_json::json;
use wechatpay_chain::sandbox::Sandbox;

const APPID: &str = "wxd678efh567hg6787";

#[derive(Deserialize)]
struct Prepay {
    prepay_id: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start()?;
    let wx = sandbox.client()?;
    let mut order = json!({
        "appid": APPID,
        "mchid": wx.mchid(),
        "description": "深圳腾大-QQ公仔",
        "out_trade_no": "P202611210002",
        "notify_url": "https://example.com/wxpay/notify",
        "amount": {"total": 100, "currency": "CNY"}, // cents
    });

    // An app: order, then sign.
    let prepay: Prepay = wx["v3/pay/transactions/app"].post(order.clone()).await?.deserialize()?;
    println!("an app: {:#}", wx.app_params(APPID, prepay.prepay_id).await?);

    // A page in WeChat, or a mini program: the order names the payer, too.
    order["out_trade_no"] = json!("P202611210003");
    order["payer"] = json!({"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"});
    let prepay: Prepay = wx["v3/pay/transactions/jsapi"].post(order).await?.deserialize()?;
    // Hand this to the page as it is: every value is a string, and `paySign` covers them.
    println!("JSAPI: {:#}", wx.jsapi_params(APPID, prepay.prepay_id).await?);
    Ok(())
}
