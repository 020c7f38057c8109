//! A merchant's day on the sandbox: order, payment, notification, refund, its notification, bill, close; async and
//! blocking. The notifications arrive at a server, where the client decrypts them.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use axum::routing::post;
use serde_json::{Value, json};
use wechatpay_chain::sandbox::{Fault, FaultRule};
use wechatpay_chain::{Deferred, Error, Notification, Reply, Request, WeChatPay};

use crate::support::start_sandbox;

/// Runs a call, blocking or not.
struct Runner {
    blocking: bool,
    runtime: tokio::runtime::Runtime,
}

impl Runner {
    fn call(&self, request: Request) -> Result<Value, Error> {
        let response = match self.blocking {
            true => request.wait()?,
            false => self.runtime.block_on(async { request.await })?,
        };
        assert!(response.verified());
        Ok(response.into_data())
    }

    fn code(&self, request: Request) -> String {
        match self.call(request) {
            Err(Error::Api(e)) => {
                assert!(e.verified, "{e}");
                e.code
            }
            other => panic!("not an Api error: {other:?}"),
        }
    }
}

async fn receive(
    State((wx, sender)): State<(WeChatPay, Sender<Notification>)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<String> {
    let opened: Deferred<Notification> = wx.notification(&headers, body);
    match opened.await {
        Ok(notification) => {
            let reply = notification.accept();
            sender.send(notification).unwrap();
            reply.into()
        }
        Err(error) => Reply::reject(&error.to_string()).into(),
    }
}

/// The server for notifications: its URL, and what it received.
fn receiver(runtime: &tokio::runtime::Runtime, wx: &WeChatPay) -> (String, Receiver<Notification>) {
    let (sender, arrived) = channel();
    let app = Router::new().route("/notify", post(receive)).with_state((wx.clone(), sender));
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}/notify", listener.local_addr().unwrap());
    runtime.spawn(async { axum::serve(listener, app).await });
    (url, arrived)
}

fn order(wx: &WeChatPay, number: &str, url: &str) -> Request {
    wx["v3/pay/transactions/jsapi"].post(json!({
        "appid": "wxd678efh567hg6787", "mchid": wx.mchid(), "description": "茶叶", "out_trade_no": number,
        "notify_url": url, "amount": {"total": 100, "currency": "CNY"}, "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
    }))
}

fn query(wx: &WeChatPay, number: &str) -> Request {
    let request =
        wx.chain("v3/pay/transactions/out-trade-no/{out_trade_no}").get().var("out_trade_no", number);
    request.query(json!({"mchid": wx.mchid()}))
}

fn close(wx: &WeChatPay, number: &str) -> Request {
    let path = "v3/pay/transactions/out-trade-no/{out_trade_no}/close";
    wx.chain(path).post(json!({"mchid": wx.mchid()})).var("out_trade_no", number)
}

fn refund(wx: &WeChatPay, number: &str, refund: &str, cents: u32, url: &str) -> Request {
    wx["v3/refund/domestic/refunds"].post(json!({
        "out_trade_no": number, "out_refund_no": refund, "notify_url": url,
        "amount": {"refund": cents, "total": 100, "currency": "CNY"},
    }))
}

fn day(blocking: bool) {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (url, arrived) = receiver(&runtime, &wx);
    let run = Runner { blocking, runtime };
    let next = || arrived.recv_timeout(Duration::from_secs(60)).unwrap();

    assert!(
        run.call(order(&wx, "P20261122", &url)).unwrap()["prepay_id"].as_str().unwrap().starts_with("wx")
    );
    assert_eq!(run.call(query(&wx, "P20261122")).unwrap()["trade_state"], "NOTPAY");
    let paid = sandbox.pay("P20261122").unwrap();
    let notification = next();
    assert_eq!(
        (notification.event_type.as_str(), notification.original_type.as_str()),
        ("TRANSACTION.SUCCESS", "transaction")
    );
    assert_eq!(notification.resource["transaction_id"], paid["transaction_id"]);
    let order_now = run.call(query(&wx, "P20261122")).unwrap();
    assert_eq!((&order_now["trade_state"], &order_now["amount"]["total"]), (&json!("SUCCESS"), &json!(100)));

    assert_eq!(run.call(refund(&wx, "P20261122", "R1", 40, &url)).unwrap()["status"], "PROCESSING");
    let notification = next();
    assert_eq!(
        (notification.event_type.as_str(), &notification.resource["refund_status"]),
        ("REFUND.SUCCESS", &json!("SUCCESS"))
    );
    assert_eq!(run.code(refund(&wx, "P20261122", "R2", 61, &url)), "NOT_ENOUGH");

    sandbox.advance(std::time::Duration::from_secs(2 * 24 * 3600)).unwrap();
    let date = &paid["success_time"].as_str().unwrap()[..10];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    let bill = wx.bill("v3/bill/tradebill").date(date).gzip().save_to(&path);
    let saved = if blocking { bill.wait() } else { run.runtime.block_on(bill.send()) };
    assert!(saved.unwrap().verified);
    let mut rows = wechatpay_chain::bill::rows(std::fs::File::open(&path).unwrap()).unwrap();
    let rows: Vec<_> = rows.by_ref().map(Result::unwrap).collect();
    let refunded: Vec<_> = rows.iter().map(|row| row.get("商户退款单号").unwrap().to_owned()).collect();
    assert_eq!((rows.len(), rows[0].get("订单金额")), (2, Some("1.00")));
    assert!(refunded.contains(&"R1".to_owned()), "{refunded:?}");

    assert_eq!(run.code(close(&wx, "P20261122")), "ORDERPAID");
    run.call(order(&wx, "P20261123", &url)).unwrap();
    run.call(close(&wx, "P20261123")).unwrap();
    assert_eq!(run.call(query(&wx, "P20261123")).unwrap()["trade_state"], "CLOSED");
    assert_eq!(run.code(order(&wx, "P20261123", &url)), "ORDER_CLOSED");
    assert!(matches!(sandbox.pay("P20261123"), Err(e) if e.to_string().contains("ORDER_CLOSED")));
}

#[test]
fn a_merchants_day() {
    day(false);
}

#[test]
fn a_merchants_day_blocking() {
    day(true);
}

#[test]
fn an_error_after_execution_keeps_the_changes() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let run = Runner { blocking: true, runtime };
    run.call(order(&wx, "P0000001", "https://www.example.com/n")).unwrap();
    sandbox.pay("P0000001").unwrap();
    sandbox
        .inject_rule(FaultRule::new(Fault::SystemErrorAfterExecuting).path("v3/refund/{+rest}").nth(1))
        .unwrap();
    let ask = || refund(&wx, "P0000001", "R0000001", 100, "https://www.example.com/n");
    assert_eq!(run.code(ask()), "SYSTEM_ERROR");
    assert_eq!(run.call(query(&wx, "P0000001")).unwrap()["trade_state"], "REFUND");
    // The same numbers again: the same refund, not a second one; another number is refused.
    let again = run.call(ask()).unwrap();
    assert_eq!((&again["out_refund_no"], &again["amount"]["refund"]), (&json!("R0000001"), &json!(100)));
    assert_eq!(run.code(refund(&wx, "P0000001", "R0000002", 1, "https://www.example.com/n")), "NOT_ENOUGH");
}
