//! Uploads a picture from disk, and a file from memory with its own `meta`.
//!
//! ```sh
//! cargo run --example upload --features sandbox
//! ```

use serde_json::{Value, json};
use wechatpay_chain::Media;
use wechatpay_chain::sandbox::Sandbox;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start()?;
    let wx = sandbox.client()?; // in production: `WeChatPay::builder()` or `WeChatPay::from_env()`

    // From disk. The file is streamed: once for its SHA-256, once to send it.
    let path = std::env::temp_dir().join(format!("licence-{}.jpg", std::process::id()));
    std::fs::write(&path, b"\xff\xd8\xff\xe0 a picture \xff\xd9")?;
    let uploaded = wx["v3/merchant/media/upload"].post(Value::Null).media(Media::file(&path)).await?;
    println!("media_id: {}", uploaded.data()["media_id"]);
    std::fs::remove_file(&path)?;

    // From memory, with its own `meta`. The signature covers this JSON.
    sandbox.on("POST", "v3/marketing/bank/packages/{package_id}/tasks", 200, json!({"task_id": "1"}))?;
    let users = Media::bytes("users.csv", "openid\r\noUpF8uMuAJO_M2pxb1Q9zNjWeS6o\r\n")
        .meta(json!({"filename": "users.csv", "sha256": "…", "bank_type": "CMB"}));
    let request = wx
        .chain("v3/marketing/bank/packages/{package_id}/tasks")
        .post(Value::Null)
        .var("package_id", "8473295")
        .media(users);
    println!("task_id: {}", request.await?.data()["task_id"]);
    Ok(())
}
