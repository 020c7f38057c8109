//! Makes one call in all five spellings, async and blocking. The call terminates a user's payscore permission.
//!
//! ```sh
//! cargo run --example quickstart --features sandbox
//! ```
//!
//! It uses the embedded sandbox. If `WECHATPAY_MCHID` and the other `WECHATPAY_*` variables are set (README,
//! Configuration), it calls the real platform instead: put your own values into `body` first.

use serde_json::{Value, json};
use wechatpay_chain::sandbox::Sandbox;
use wechatpay_chain::{Chain, Error, Request, Response, WeChatPay, chain};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Keep the sandbox until the end: dropping it stops the server.
    let (wx, _sandbox) = match std::env::var_os("WECHATPAY_MCHID") {
        Some(_) => (WeChatPay::from_env()?, None),
        None => {
            let sandbox = Sandbox::start()?;
            println!("the sandbox listens on {}", sandbox.base_url());
            (sandbox.client()?, Some(sandbox))
        }
    };
    let body = json!({
        "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
        "sub_openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6p",
        "service_id": "500001",
        "appid": "wxd678efh567hg6787",
        "sub_appid": "wxd678efh567hg6788",
        "sub_mchid": "1230000109",
        "reason": "reason",
    });

    let mut outcomes = Vec::new();
    for (spelling, chain) in spellings(&wx) {
        let request = chain.post(body.clone());
        println!("\n{spelling}");
        outcomes.push(show("async", line(&chain, &body)?, request.await));

        let response = chain.post_sync(body.clone());
        outcomes.push(show("blocking", line(&chain, &body)?, response));
    }
    // If a call failed, the program ends with the first error.
    outcomes.into_iter().collect::<Result<(), Error>>().map_err(|e| e.to_string().into())
}

/// The same endpoint, spelt in five ways.
fn spellings(wx: &WeChatPay) -> [(&'static str, Chain); 5] {
    [
        (
            r#"wx["v3/payscore/partner/permissions/terminate"]"#,
            wx["v3/payscore/partner/permissions/terminate"].clone(),
        ),
        (
            r#"wx.chain("v3/payscore/partner/permissions/terminate")"#,
            wx.chain("v3/payscore/partner/permissions/terminate"),
        ),
        (
            r#"wx.seg("v3").seg("payscore").seg("partner").seg("permissions").seg("terminate")"#,
            wx.seg("v3").seg("payscore").seg("partner").seg("permissions").seg("terminate"),
        ),
        (
            "chain!(wx->v3->payscore->partner->permissions->terminate)",
            chain!(wx->v3->payscore->partner->permissions->terminate),
        ),
        (
            "chain!(wx.v3.payscore.partner.permissions.terminate)",
            chain!(wx.v3.payscore.partner.permissions.terminate),
        ),
    ]
}

/// Method and target of the request, from `prepare`, which sends nothing.
fn line(chain: &Chain, body: &Value) -> Result<String, Error> {
    let request: Request = chain.post(body.clone());
    let prepared = request.prepare()?;
    Ok(format!("{} {}", prepared.method(), prepared.target()))
}

fn show(how: &str, line: String, result: Result<Response, Error>) -> Result<(), Error> {
    match &result {
        Ok(response) => {
            let request_id = response.request_id().unwrap_or("none");
            let verified = if response.verified() { "verified" } else { "not signed" };
            println!("  {how:8}  {line}  →  {}, {verified}, Request-ID {request_id}", response.status());
        }
        Err(error) => println!("  {how:8}  {line}  →  {error}"),
    }
    result.map(|_| ())
}
