//! Makes an order, then the signed parameters that an app or a page needs to open the payment screen.
//!
//! ```sh
//! cargo run --example pay_sign --features sandbox
//! ```

use serde_json::json;
use wechatpay_chain::sandbox::Sandbox;

const APPID: &str = "wxd678efh567hg6787";

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

    // For an app.
    let prepay = wx["v3/pay/transactions/app"].post(order.clone()).await?;
    println!("app: {:#}", wx.app_params(APPID, prepay.str("/prepay_id")?).await?);

    // For a page in WeChat or a mini program. This order also names the payer.
    order["out_trade_no"] = json!("P202611210003");
    order["payer"] = json!({"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"});
    let prepay = wx["v3/pay/transactions/jsapi"].post(order).await?;
    // Pass this on to the page unchanged: every value is a string. (`wx.chooseWXPay` takes `timeStamp` as `timestamp`.)
    println!("JSAPI: {:#}", wx.jsapi_params(APPID, prepay.str("/prepay_id")?).await?);
    Ok(())
}
