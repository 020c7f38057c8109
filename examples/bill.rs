//! Downloads a trade bill, checks its digest, and reads it row by row.
//!
//! ```sh
//! cargo run --example bill --features sandbox
//! ```

use serde_json::json;
use wechatpay_chain::bill;
use wechatpay_chain::sandbox::Sandbox;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start()?;
    let wx = sandbox.client()?; // in production: `WeChatPay::builder()` or `WeChatPay::from_env()`

    // The sandbox writes the bill from its own orders: make one and pay it. Its day is today, in Beijing time, and its
    // bill is there tomorrow from 10:00: advance the business clock.
    wx["v3/pay/transactions/native"].post_sync(json!({
        "appid": "wxd678efh567hg6787",
        "mchid": wx.mchid(),
        "description": "深圳腾大-QQ公仔",
        "out_trade_no": "P202611210001",
        "notify_url": "https://example.com/wxpay/notify",
        "amount": {"total": 100, "currency": "CNY"}, // cents
    }))?;
    let paid = sandbox.pay("P202611210001")?;
    let day = paid["success_time"].as_str().and_then(|time| time.get(..10)).unwrap_or_default();

    sandbox.advance(std::time::Duration::from_secs(2 * 24 * 3600))?;

    let path = std::env::temp_dir().join(format!("tradebill-{}.csv", std::process::id()));
    let saved = wx
        .bill("v3/bill/tradebill")
        .date(day)
        .gzip() // transferred compressed, saved decompressed
        .save_to(&path)
        .progress(|received, total| println!("{received} bytes of {total:?}"))
        .wait()?;
    println!(
        "{} bytes, SHA-1 {}, equal to the platform's digest: {}",
        saved.bytes, saved.sha1, saved.verified
    );

    let mut rows = bill::rows(std::fs::File::open(&path)?)?;
    for row in &mut rows {
        let row = row?;
        println!("{} {}", row.get("商户订单号").unwrap_or("?"), row.get("订单金额").unwrap_or("?"));
    }
    if let Some(summary) = rows.summary() {
        println!("{} orders, {} yuan", summary.fields()[0], summary.get("订单总金额").unwrap_or("?"));
    }
    std::fs::remove_file(&path)?;
    Ok(())
}
