//! A receiver of notifications: verified and decrypted, done once, answered at once.
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
    /// The ids that were taken. In a shop this is a table with a unique key on the id, and the row is written in the
    /// same transaction as the work, or as the work's entry in a queue: a crash then loses neither, or both.
    taken: Mutex<HashSet<String>>,
    work: mpsc::Sender<Notification>,
}

/// `POST /wxpay/notify`. The body is taken as bytes: the signature covers what was sent, not what a JSON library
/// would write again.
async fn notify(State(shop): State<Arc<Shop>>, headers: HeaderMap, body: Bytes) -> Response<String> {
    let reply = match shop.wx.notification(&headers, body).await {
        Ok(notification) => take(&shop, notification),
        Err(error) => {
            match &error {
                Error::Verify(e) if e.reason == VerifyReason::SignatureProbe => {
                    println!("  a probe: the platform looks whether signatures are checked here");
                }
                error => println!("  refused: {error}"),
            }
            // The reason is for this side's log only.
            Reply::reject("not verified")
        }
    };
    reply.into()
}

/// Records the id and hands the work on, or neither; the platform waits 5 s for the reply, not for the work.
fn take(shop: &Shop, notification: Notification) -> Reply {
    let mut taken = shop.taken.lock().unwrap_or_else(PoisonError::into_inner);
    let (accept, id) = (notification.accept(), notification.id.clone());
    if taken.contains(&id) {
        println!("  known already: {id}");
        return accept;
    }
    match shop.work.try_send(notification) {
        Ok(()) => {
            taken.insert(id);
            accept
        }
        // Full: the platform tries again later.
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

/// The work itself, with all the time it wants.
async fn work(mut queue: mpsc::Receiver<Notification>) {
    while let Some(notification) = queue.recv().await {
        match notification.event_type.as_str() {
            "TRANSACTION.SUCCESS" => match notification.deserialize::<Transaction>() {
                // Compare the amount with the order's own before anything is delivered.
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
    let shop = Shop { wx: sandbox.client()?, taken: Mutex::default(), work: sender };
    let app = Router::new().route("/wxpay/notify", post(notify)).with_state(Arc::new(shop));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/wxpay/notify", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let server = tokio::spawn(axum::serve(listener, app).with_graceful_shutdown(stopped).into_future());

    // From here on, the platform's part.
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
    send("a good one", headers.clone(), body.clone()).await?;
    send("the same again", headers, body).await?;
    sandbox.inject(Fault::BadSignature);
    let (headers, body) = make()?;
    send("a forged one", headers, body).await?;
    sandbox.inject(Fault::SignatureProbe);
    let (headers, body) = make()?;
    send("a probe", headers, body).await?;

    drop(stop);
    server.await??;
    worker.await?;
    Ok(())
}
