//! The merchant's key behind a signing service: this program's client never sees it.
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
use wechatpay_chain::sandbox::Sandbox;
use wechatpay_chain::{Signature, Signer, WeChatPay};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The client's side: the message goes out, the raw signature comes back.
struct RemoteSigner {
    http: reqwest::Client,
    url: String,
}

impl RemoteSigner {
    fn new(url: String) -> Result<RemoteSigner, reqwest::Error> {
        let http = reqwest::Client::builder()
            .no_proxy() // the service is on this machine
            // A call's own timeout begins after the signature.
            .timeout(Duration::from_secs(2))
            // Blocking calls sign under another runtime than awaited ones, and a connection must not outlive its
            // runtime's attention: none is kept. Two clients would do, too.
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(RemoteSigner { http, url })
    }
}

impl Signer for RemoteSigner {
    fn sign(&self, message: Vec<u8>) -> Signature {
        let request = self.http.post(&self.url).body(message);
        Box::pin(async move {
            let signature = request.send().await?.error_for_status()?.bytes().await?;
            Ok(signature.into())
        })
    }
}

/// The service's side. A real one knows its callers (mutual TLS, say) and writes down what it signs.
async fn sign(State(key): State<Arc<KeyPair>>, message: Bytes) -> Result<Vec<u8>, StatusCode> {
    println!("  the service signs {} bytes", message.len());
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &message, &mut signature)
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(signature)
}

/// Starts the service on a thread of its own, as if it were another machine. It ends with the program.
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
        println!("an awaited one");
        let echo = wx["v3/security/echo"].post(json!({"echo_message": "awaited"})).await?;
        println!("  → {} {}", echo.status(), echo.data()["echo_message"]);

        println!("the parameters of the cashier");
        let params = wx.jsapi_params("wxd678efh567hg6787", "wx26112221580621e9b071c00d9e093b0000").await?;
        println!("  → {params}");
        Ok(())
    })
}
