//! Signs requests with a signing service over HTTP. The client never has the merchant's private key.
//!
//! ```sh
//! cargo run --example remote_signer --features sandbox
//! ```

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::json;
use tokio::net::TcpListener;
use wechatpay_chain::WeChatPay;
use wechatpay_chain::sandbox::Sandbox;
use wechatpay_chain::signer::{SignFuture, Signer};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The client side: sends the message, gets the raw signature.
struct RemoteSigner {
    http: reqwest::Client,
    url: String,
}

impl RemoteSigner {
    fn new(url: String) -> Result<RemoteSigner, reqwest::Error> {
        let http = reqwest::Client::builder()
            .no_proxy() // the service is on this machine
            // The signature is part of the call's timeout. With a shorter one there is time left for the request.
            .timeout(Duration::from_secs(2))
            // Blocking calls sign on another runtime than async ones, and a pooled connection belongs to the runtime
            // that opened it: keep none. Two clients would also work.
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(RemoteSigner { http, url })
    }
}

impl Signer for RemoteSigner {
    fn sign(&self, message: Vec<u8>) -> SignFuture {
        let request = self.http.post(&self.url).body(message);
        Box::pin(async move {
            let signature = request.send().await?.error_for_status()?.bytes().await?;
            Ok(signature.into())
        })
    }
}

/// The service side. A real service authenticates its callers (for example, with mutual TLS) and logs what it signs.
async fn sign(State(key): State<Arc<KeyPair>>, message: Bytes) -> Result<Vec<u8>, StatusCode> {
    println!("  the service signs {} bytes", message.len());
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &message, &mut signature)
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(signature)
}

/// Starts the service on its own thread, as if it were another machine. It runs until the program ends.
fn start_service(key_pem: &str) -> Result<String, Failure> {
    let key = Arc::new(KeyPair::from_pkcs8(pem::parse(key_pem)?.contents())?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let url = format!("http://{}/sign", listener.local_addr()?);
    let app = Router::new().route("/sign", post(sign)).with_state(key);
    std::thread::spawn(move || runtime.block_on(axum::serve(listener, app).into_future()));
    Ok(url)
}

fn main() -> Result<(), Failure> {
    let sandbox = Sandbox::start()?;
    let url = start_service(sandbox.merchant_key_pem())?;
    let wx = WeChatPay::builder()
        .mchid(sandbox.mchid())
        .serial(sandbox.serial())
        .signer(RemoteSigner::new(url)?) // instead of `.private_key(…)`
        .platform_key(sandbox.platform_public_key_id(), sandbox.platform_public_key_pem())
        .base_url(sandbox.base_url())
        .build()?;

    println!("a blocking call");
    let echo = wx["v3/security/echo"].post_sync(json!({"echo_message": "blocking"}))?;
    println!("  → {} {}", echo.status(), echo.data()["echo_message"]);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        println!("an async call");
        let echo = wx["v3/security/echo"].post(json!({"echo_message": "async"})).await?;
        println!("  → {} {}", echo.status(), echo.data()["echo_message"]);

        println!("the parameters for the payment screen");
        let params = wx.jsapi_params("wxd678efh567hg6787", "wx26112221580621e9b071c00d9e093b0000").await?;
        println!("  → {params}");
        Ok(())
    })
}
