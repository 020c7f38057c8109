//! An order is looked up: a value in the path as a variable, another one in the query.
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

    let response = wx["v3/pay/transactions/id/{transaction_id}"]
        .get()
        .var("transaction_id", "4200000000202611210000000001")
        .query(json!({"mchid": wx.mchid()}))
        .await?;

    let order = response.data();
    println!("{} is {} ({} cents)", order["transaction_id"], order["trade_state"], order["amount"]["total"]);
    Ok(())
}
