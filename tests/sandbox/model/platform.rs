//! The sandbox under test: in this process, or the program that is killed. Operations go over HTTP in both.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use wechatpay_chain::sandbox::Sandbox;
use wechatpay_chain::{Error, Request, WeChatPay};

use super::ledger::{Ledger, Operation, is_shared};
use crate::program::Running;
use crate::requests::{APPID, OPENID};
use crate::support::sandbox_builder;

const RECEIVER: &str = "1900000999";

enum Server {
    InProcess(Sandbox),
    Program(Arc<Mutex<Running>>),
}

pub(crate) struct Platform {
    server: Option<Server>,
    folder: PathBuf,
    pub(crate) wx: WeChatPay,
    base_url: String,
}

/// The result of a request: the response, the code of an error, or nothing that says what happened.
pub(crate) enum Outcome {
    Done(Value),
    Refused(String),
    Unknown,
}

impl Platform {
    pub(crate) fn in_process(folder: &Path) -> Platform {
        Platform::start(folder, |folder| {
            let sandbox = sandbox_builder().state(folder.join("state")).hold_refunds(true).start().unwrap();
            let (wx, base_url) = (sandbox.client().unwrap(), sandbox.base_url().to_owned());
            (Server::InProcess(sandbox), wx, base_url)
        })
    }

    pub(crate) fn program(folder: &Path) -> Platform {
        Platform::start(folder, start_program)
    }

    fn start(folder: &Path, start: fn(&Path) -> (Server, WeChatPay, String)) -> Platform {
        let (server, wx, base_url) = start(folder);
        let platform = Platform { server: Some(server), folder: folder.to_owned(), wx, base_url };
        let receiver = json!({
            "appid": APPID, "type": "MERCHANT_ID", "account": RECEIVER, "name": "公司", "relation_type": "PARTNER",
        });
        platform.wx["v3/profitsharing/receivers/add"].post(receiver).encrypt(&["/name"]).wait().unwrap();
        platform
    }

    /// Ends it, and starts it with the same state.
    pub(crate) fn restart(&mut self) {
        let started = match self.server.take() {
            Some(Server::InProcess(sandbox)) => {
                drop(sandbox);
                let sandbox =
                    sandbox_builder().state(self.folder.join("state")).hold_refunds(true).start().unwrap();
                let (wx, base_url) = (sandbox.client().unwrap(), sandbox.base_url().to_owned());
                (Server::InProcess(sandbox), wx, base_url)
            }
            Some(Server::Program(running)) => {
                drop(running); // killed
                start_program(&self.folder)
            }
            None => unreachable!(),
        };
        let server;
        (server, self.wx, self.base_url) = started;
        self.server = Some(server);
    }

    /// Performs the operation while the program is killed (SIGKILL) after this time, and starts the program again.
    pub(crate) fn perform_while_killed(
        &mut self,
        operation: &Operation,
        ledger: &Ledger,
        after: Duration,
    ) -> Outcome {
        let Some(Server::Program(running)) = &self.server else { panic!("only a program can be killed") };
        let running = Arc::clone(running);
        let killer = thread::spawn(move || {
            thread::sleep(after);
            let mut running = running.lock().unwrap();
            running.child.kill().unwrap();
            running.child.wait().unwrap();
        });
        let outcome = self.perform(operation, ledger);
        killer.join().unwrap();
        self.restart();
        outcome
    }

    pub(crate) fn perform(&self, operation: &Operation, ledger: &Ledger) -> Outcome {
        let transaction = |order: &usize| {
            let known = ledger.orders.get(order).and_then(|order| order.transaction.clone());
            known.unwrap_or_else(|| "4200000000000000000000000000".into())
        };
        let wx = &self.wx;
        match operation {
            Operation::Order { order, total } => {
                let mut body = json!({
                    "appid": APPID, "mchid": wx.mchid(), "description": "d", "out_trade_no": order_no(*order),
                    "notify_url": "https://www.example.com/n", "amount": {"total": total},
                });
                if is_shared(*order) {
                    body["settle_info"] = json!({"profit_sharing": true});
                }
                send(wx["v3/pay/transactions/native"].post(body))
            }
            Operation::Close { order } => {
                let path = "v3/pay/transactions/out-trade-no/{n}/close";
                send(wx.chain(path).post(json!({"mchid": wx.mchid()})).var("n", order_no(*order)))
            }
            Operation::Refund { order, refund, amount } => {
                let total = ledger.orders.get(order).map_or(100, |order| order.total);
                send(wx["v3/refund/domestic/refunds"].post(json!({
                    "out_trade_no": order_no(*order), "out_refund_no": format!("R{refund}"),
                    "amount": {"refund": amount, "total": total, "currency": "CNY"},
                })))
            }
            Operation::Share { order, share, amount, unfreeze } => {
                send(wx["v3/profitsharing/orders"].post(json!({
                    "appid": APPID, "transaction_id": transaction(order), "out_order_no": format!("S{share}"),
                    "unfreeze_unsplit": unfreeze,
                    "receivers": [{
                        "type": "MERCHANT_ID", "account": RECEIVER, "name": "公司", "amount": amount, "description": "d",
                    }],
                })).encrypt(&["/receivers/0/name"]))
            }
            Operation::Unfreeze { order, share } => send(wx["v3/profitsharing/orders/unfreeze"].post(json!({
                "transaction_id": transaction(order), "out_order_no": format!("S{share}"), "description": "d",
            }))),
            Operation::Return { share, back, amount } => send(wx["v3/profitsharing/return-orders"].post(json!({
                "out_order_no": format!("S{share}"), "out_return_no": format!("B{back}"), "return_mchid": RECEIVER,
                "amount": amount, "description": "d",
            }))),
            Operation::Transfer { transfer, amount } => {
                send(wx["v3/fund-app/mch-transfer/transfer-bills"].post(json!({
                    "appid": APPID, "out_bill_no": format!("T{transfer}"), "transfer_scene_id": "1000", "openid": OPENID,
                    "transfer_amount": amount, "transfer_remark": "r", "user_name": "张三",
                    "transfer_scene_report_infos": [{"info_type": "t", "info_content": "x"}],
                })).encrypt(&["/user_name"]))
            }
            Operation::Cancel { transfer } => {
                let path = "v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{n}/cancel";
                send(wx.chain(path).post(Value::Null).var("n", format!("T{transfer}")))
            }
            Operation::Pay { order } => self.play("pay", &order_no(*order)),
            Operation::EndRefund { refund, state } => {
                let action = match *state {
                    "SUCCESS" => "settle-refund",
                    "ABNORMAL" => "fail-refund",
                    _ => "close-refund",
                };
                self.play(action, &format!("R{refund}"))
            }
            Operation::EndTransfer { transfer, state } => {
                let action = if *state == "SUCCESS" { "accept-transfer" } else { "fail-transfer" };
                self.play(action, &format!("T{transfer}"))
            }
        }
    }

    fn play(&self, action: &str, number: &str) -> Outcome {
        match self.control("POST", "payer", &json!({"do": action, "number": number})) {
            Some((200, body)) => Outcome::Done(body),
            Some((_, body)) => Outcome::Refused(body["message"].as_str().unwrap_or_default().to_owned()),
            None => Outcome::Unknown,
        }
    }

    /// A request to the control endpoint; `None` if no whole response came.
    pub(crate) fn control(&self, method: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
        let address = self.base_url.trim_start_matches("http://").trim_end_matches('/');
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let head = format!("{method} /_sandbox/{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
        let mut stream = TcpStream::connect(address).ok()?;
        write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).ok()?;
        let mut response = String::new();
        stream.read_to_string(&mut response).ok()?;
        let (head, body) = response.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, serde_json::from_str(body.trim()).unwrap_or(Value::Null)))
    }
}

pub(crate) fn order_no(order: usize) -> String {
    format!("P{order:06}")
}

fn start_program(folder: &Path) -> (Server, WeChatPay, String) {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (keys, state) = (path("keys"), path("state"));
    let running = Running::start(&["--keys", &keys, "--state", &state, "--hold-refunds"]);
    let (wx, base_url) = (running.client(), running.exports()["WECHATPAY_BASE_URL"].clone());
    (Server::Program(Arc::new(Mutex::new(running))), wx, base_url)
}

/// What a client knows after a request. A status of 429 or 5xx says nothing about the request.
pub(crate) fn send(request: Request) -> Outcome {
    match request.timeout(Duration::from_secs(20)).wait() {
        Ok(response) => Outcome::Done(response.into_data()),
        Err(Error::Api(error)) if error.status == 429 || error.status >= 500 => Outcome::Unknown,
        Err(Error::Api(error)) => Outcome::Refused(error.code.clone()),
        Err(Error::Transport(_)) => Outcome::Unknown,
        Err(error) => panic!("{error:?}"),
    }
}
