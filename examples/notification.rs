//! An axum server that receives notifications: it verifies and decrypts them, replies at once, and does the work of each
//! notification only once.
//!
//! ```sh
//! cargo run --example notification --features sandbox
//! ```

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use wechatpay_chain::sandbox::{Fault, Sandbox};
use wechatpay_chain::{Error, Notification, Reply, VerifyReason, WeChatPay};

struct Shop {
    wx: WeChatPay,
    /// The ids seen so far. In production, use a table with a unique index on the id, and write the row in the same
    /// transaction as the work or its queue entry, so that a crash loses both or neither.
    seen: Mutex<HashSet<String>>,
    work: mpsc::Sender<Notification>,
}

/// `POST /wxpay/notify`. It takes the body as bytes: the signature covers the bytes that were sent.
async fn notify(State(shop): State<Arc<Shop>>, headers: HeaderMap, body: Bytes) -> Response<String> {
    let reply = match shop.wx.notification(&headers, body).await {
        Ok(notification) => enqueue(&shop, notification),
        Err(error) => {
            match &error {
                Error::Verify(e) if e.reason == VerifyReason::SignatureProbe => {
                    println!("  a probe: the platform tests whether we verify signatures");
                }
                error => println!("  refused: {error}"),
            }
            // The reason is for our own log only.
            Reply::reject("not verified")
        }
    };
    reply.into()
}

/// Records the id and queues the work, or does neither. The reply must be sent within 5 s; the work may take longer.
fn enqueue(shop: &Shop, notification: Notification) -> Reply {
    let mut seen = shop.seen.lock().unwrap_or_else(PoisonError::into_inner);
    let (accept, id) = (notification.accept(), notification.id.clone());
    if seen.contains(&id) {
        println!("  already seen: {id}");
        return accept;
    }
    match shop.work.try_send(notification) {
        Ok(()) => {
            seen.insert(id);
            accept
        }
        // The queue is full. The platform sends the notification again later.
        Err(_) => Reply::reject("busy"),
    }
}

#[derive(Deserialize)]
struct Transaction {
    out_trade_no: String,
    trade_state: String,
    amount: Amount,
}

#[derive(Deserialize)]
struct Amount {
    total: u64,
}

/// The work itself. It may take as long as it needs.
async fn work(mut queue: mpsc::Receiver<Notification>) {
    while let Some(notification) = queue.recv().await {
        match notification.event_type.as_str() {
            "TRANSACTION.SUCCESS" => match notification.deserialize::<Transaction>() {
                // Compare the amount with the order's amount before you deliver.
                Ok(t) => {
                    println!("  work: {} is {}, {} cents", t.out_trade_no, t.trade_state, t.amount.total)
                }
                Err(e) => println!("  work: {e}"),
            },
            other => println!("  work: nothing to do for {other}"),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start()?;
    let (sender, queue) = mpsc::channel(64);
    let worker = tokio::spawn(work(queue));
    let shop = Shop { wx: sandbox.client()?, seen: Mutex::default(), work: sender };
    let app = Router::new().route("/wxpay/notify", post(notify)).with_state(Arc::new(shop));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/wxpay/notify", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let server = tokio::spawn(axum::serve(listener, app).with_graceful_shutdown(stopped).into_future());

    // From here on, play the platform: send notifications to the server.
    let http = reqwest::Client::builder().no_proxy().build()?;
    let send = async |what: &str, headers: HeaderMap, body: Vec<u8>| -> Result<(), reqwest::Error> {
        println!("{what}");
        let reply = http.post(&url).headers(headers).body(body).send().await?;
        println!("  → {} {}", reply.status().as_u16(), reply.text().await?);
        Ok(())
    };
    let paid = json!({"out_trade_no": "P202611210001", "trade_state": "SUCCESS", "amount": {"total": 100}});
    let make = || sandbox.notification("TRANSACTION.SUCCESS", "transaction", &paid);

    let (headers, body) = make()?;
    send("a valid notification", headers.clone(), body.clone()).await?;
    send("the same notification again", headers, body).await?;
    sandbox.inject(Fault::BadSignature);
    let (headers, body) = make()?;
    send("a forged notification", headers, body).await?;
    sandbox.inject(Fault::SignatureProbe);
    let (headers, body) = make()?;
    send("a signature probe", headers, body).await?;

    drop(stop);
    server.await??;
    worker.await?;
    Ok(())
}
