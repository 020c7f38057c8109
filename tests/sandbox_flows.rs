//! What the sandbox keeps: orders, refunds, payscore, transfers and shares, from the first request to the bill.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use wechatpay_chain::sandbox::{Sandbox, SandboxError};
use wechatpay_chain::{Error, Media, Request, WeChatPay};
use x509_cert::der::DateTime;

const APPID: &str = "wxd678efh567hg6787";
const OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";

fn start() -> (Sandbox, WeChatPay) {
    let sandbox = Sandbox::start().unwrap();
    let wx = sandbox.client().unwrap();
    (sandbox, wx)
}

fn native(wx: &WeChatPay, number: &str, total: i64) -> Value {
    json!({
        "appid": APPID,
        "mchid": wx.mchid(),
        "description": "茶, 绿",
        "out_trade_no": number,
        "attach": "a`b",
        "notify_url": "https://www.example.com/notify",
        "amount": {"total": total, "currency": "CNY"},
    })
}

fn refund(order: &str, number: &str, refund: i64, total: i64) -> Value {
    json!({
        "out_trade_no": order,
        "out_refund_no": number,
        "amount": {"refund": refund, "total": total, "currency": "CNY"},
    })
}

fn order(wx: &WeChatPay, number: &str) -> Request {
    let request = wx.chain("v3/pay/transactions/out-trade-no/{number}").get().var("number", number);
    request.query(json!({"mchid": wx.mchid()}))
}

fn close(wx: &WeChatPay, number: &str) -> Request {
    let body = json!({"mchid": wx.mchid()});
    wx.chain("v3/pay/transactions/out-trade-no/{number}/close").post(body).var("number", number)
}

/// Asks, and hopes for an answer.
#[track_caller]
fn ok(request: Request) -> Value {
    match request.wait() {
        Ok(response) => response.data(),
        Err(error) => panic!("{error}"),
    }
}

/// Asks, and hopes for this refusal, which names this field (or says this).
#[track_caller]
fn refused(request: Request, status: u16, code: &str, names: &str) {
    match request.wait() {
        Err(Error::Api(error)) => {
            assert_eq!((error.status, error.code.as_str()), (status, code), "{error}");
            let told = format!("{} {}", error.message, error.detail);
            assert!(told.contains(names), "{told} does not name {names}");
        }
        Err(error) => panic!("{error}"),
        Ok(response) => panic!("not refused: {}", response.data()),
    }
}

#[track_caller]
fn not_done(result: Result<Value, SandboxError>, says: &str) {
    match result {
        Err(error @ SandboxError::State { .. }) => assert!(error.to_string().contains(says), "{error}"),
        other => panic!("{other:?}"),
    }
}

fn day(paid: &Value) -> String {
    paid["success_time"].as_str().unwrap().chars().take(10).collect()
}

fn rows(bytes: &[u8]) -> (Vec<wechatpay_chain::bill::Record>, wechatpay_chain::bill::Record) {
    let mut rows = wechatpay_chain::bill::rows(bytes).unwrap();
    let all = rows.by_ref().collect::<Result<Vec<_>, _>>().unwrap();
    (all, rows.summary().unwrap().clone())
}

#[tokio::test]
async fn an_order_from_the_first_request_to_the_bill() {
    let (sandbox, wx) = start();
    let prepay = || wx["v3/pay/transactions/native"].post(native(&wx, "P20261121", 100));
    let code_url = prepay().await.unwrap().data()["code_url"].clone();
    assert!(code_url.as_str().unwrap().starts_with("weixin://wxpay/bizpayurl?pr="));
    assert_ne!(prepay().await.unwrap().data()["code_url"], code_url, "the same again, with a new code");

    let before = order(&wx, "P20261121").await.unwrap().data();
    assert_eq!((&before["trade_state"], &before["amount"]["total"]), (&json!("NOTPAY"), &json!(100)));
    for name in ["transaction_id", "payer", "success_time", "notify_url", "asked", "code_url"] {
        assert!(before.get(name).is_none(), "{name}");
    }

    let paid = sandbox.pay("P20261121").unwrap();
    let after = order(&wx, "P20261121").await.unwrap().data();
    assert_eq!(after["trade_state"], "SUCCESS");
    assert_eq!(
        after["amount"],
        json!({"total": 100, "currency": "CNY", "payer_total": 100, "payer_currency": "CNY"})
    );
    let id = after["transaction_id"].as_str().unwrap().to_string();
    assert_eq!((id.len(), after["payer"]["openid"].as_str()), (28, Some(OPENID)));
    let by_id = wx
        .chain("v3/pay/transactions/id/{id}")
        .get()
        .var("id", id.as_str())
        .query(json!({"mchid": wx.mchid()}));
    assert_eq!(by_id.await.unwrap().data(), after);

    // In two parts, by either number.
    let refunds = "v3/refund/domestic/refunds";
    let first = wx[refunds].post(refund("P20261121", "R1", 30, 100)).await.unwrap().data();
    assert_eq!((&first["status"], &first["transaction_id"]), (&json!("PROCESSING"), &json!(id)));
    let mut rest = refund("", "R2", 70, 100);
    rest["transaction_id"] = json!(id);
    rest.as_object_mut().unwrap().remove("out_trade_no");
    assert_eq!(wx[refunds].post(rest).await.unwrap().data()["out_trade_no"], "P20261121");
    let done = wx.chain("v3/refund/domestic/refunds/{no}").get().var("no", "R1").await.unwrap().data();
    assert_eq!((&done["status"], &done["refund_id"]), (&json!("SUCCESS"), &first["refund_id"]));
    assert!(done["success_time"].is_string());
    assert_eq!(order(&wx, "P20261121").await.unwrap().data()["trade_state"], "REFUND");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bill.csv");
    let saved = wx.bill("v3/bill/tradebill").date(&day(&paid)).gzip().save_to(&file).await.unwrap();
    assert!(saved.verified);
    let (all, summary) = rows(&std::fs::read(&file).unwrap());
    let told: Vec<[&str; 5]> = all
        .iter()
        .map(|row| {
            ["交易状态", "微信订单号", "商户退款单号", "订单金额", "退款金额"]
                .map(|name| row.get(name).unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [
            ["SUCCESS", &id, "0", "1.00", "0.00"],
            ["REFUND", &id, "R1", "0.00", "0.30"],
            ["REFUND", &id, "R2", "0.00", "0.70"],
        ]
    );
    assert_eq!((all[0].get("商品名称"), all[0].get("商户数据包")), (Some("茶, 绿"), Some("a b")));
    assert_eq!((summary.get("总交易单数"), summary.get("退款总金额")), (Some("3"), Some("1.00")));

    let Err(Error::Api(error)) = close(&wx, "P20261121").await else { panic!("a paid order closed") };
    assert_eq!((error.status, error.code.as_str()), (400, "ORDERPAID"));
}

#[test]
fn the_same_flow_blocking() {
    let (sandbox, wx) = start();
    ok(wx["v3/pay/transactions/native"].post(native(&wx, "P20261121", 100)));
    assert_eq!(ok(order(&wx, "P20261121"))["trade_state"], "NOTPAY");
    let paid = sandbox.pay("P20261121").unwrap();
    assert_eq!(ok(order(&wx, "P20261121"))["trade_state"], "SUCCESS");
    ok(wx["v3/refund/domestic/refunds"].post(refund("P20261121", "R1", 40, 100)));
    assert_eq!(ok(order(&wx, "P20261121"))["trade_state"], "REFUND");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bill.csv");
    let mut digests = Vec::new();
    for (path, kind, count) in [
        ("v3/bill/tradebill", "", 2),
        ("v3/bill/tradebill", "SUCCESS", 1),
        ("v3/bill/tradebill", "REFUND", 1),
        ("v3/bill/fundflowbill", "", 2),
    ] {
        let query = json!({"bill_type": if kind.is_empty() { Value::Null } else { json!(kind) }});
        digests.push(wx.bill(path).date(&day(&paid)).query(query).save_to(&file).wait().unwrap().sha1);
        let (all, summary) = rows(&std::fs::read(&file).unwrap());
        assert_eq!((all.len(), summary.fields()[0].as_str()), (count, count.to_string().as_str()));
        if path.ends_with("fundflowbill") {
            let balance: Vec<_> = all.iter().map(|row| row.get("账户结余(元)").unwrap()).collect();
            assert_eq!(balance, ["1.00", "0.60"]);
        }
    }
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), 4);
    refused(close(&wx, "P20261121"), 400, "ORDERPAID", "P20261121 is REFUND");
    let none = |path: &str, query: Value| wx.chain(path).get().query(query);
    refused(
        none("v3/bill/tradebill", json!({"bill_date": "2020-01-01"})),
        400,
        "NO_STATEMENT_EXIST",
        "2020-01-01",
    );
    let empty = json!({"bill_date": day(&paid), "account_type": "FEES"});
    refused(none("v3/bill/fundflowbill", empty), 400, "NO_STATEMENT_EXIST", "account");
    for (name, value) in [("bill_date", "2026-02-30"), ("bill_type", "SOME"), ("tar_type", "ZIP")] {
        let mut query = json!({"bill_date": day(&paid)});
        query[name] = json!(value);
        refused(none("v3/bill/tradebill", query), 400, "PARAM_ERROR", name);
    }
}

#[test]
fn what_an_order_is_refused_for() {
    let (sandbox, wx) = start();
    let prepay = |body: Value| wx["v3/pay/transactions/native"].post(body);
    let with = |pointer: &str, value: Value| {
        let mut body = native(&wx, "P1234567", 100);
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    for (field, value) in [
        ("/appid", json!("")),
        ("/appid", json!(7)),
        ("/mchid", json!("1900000999")),
        ("/description", json!("茶".repeat(128))),
        ("/out_trade_no", json!("P1")),
        ("/out_trade_no", json!("P1234567/")),
        ("/out_trade_no", json!("P".repeat(33))),
        ("/notify_url", json!("ftp://example.com/")),
        ("/notify_url", json!("https://example.com/?a=b")),
        ("/amount/total", json!(0)),
        ("/amount/total", json!(-1)),
        ("/amount/total", json!(0.5)),
        ("/amount/total", json!("1")),
        ("/amount/total", json!(i64::MAX)),
        ("/amount/currency", json!("USD")),
        ("/attach", json!("x".repeat(129))),
    ] {
        refused(prepay(with(field, value)), 400, "PARAM_ERROR", field);
    }
    for time in ["2018-06-08", "2018-06-08T10:34:56+08:00", "soon"] {
        let mut body = native(&wx, "P1234567", 100);
        body["time_expire"] = json!(time);
        refused(prepay(body), 400, "PARAM_ERROR", "/time_expire");
    }
    refused(
        wx["v3/pay/transactions/jsapi"].post(native(&wx, "P1234567", 1)),
        400,
        "PARAM_ERROR",
        "/payer/openid",
    );
    refused(
        wx["v3/pay/transactions/h5"].post(native(&wx, "P1234567", 1)),
        400,
        "PARAM_ERROR",
        "payer_client_ip",
    );
    refused(order(&wx, "P1234567"), 404, "ORDER_NOT_EXIST", "P1234567");
    refused(close(&wx, "P1234567"), 404, "ORDER_NOT_EXIST", "P1234567");
    not_done(sandbox.pay("P1234567"), "ORDER_NOT_EXIST");
    let other = wx.chain("v3/pay/transactions/id/{id}").get().var("id", "42").query(json!({"mchid": "1"}));
    refused(other, 400, "PARAM_ERROR", "mchid");

    ok(prepay(native(&wx, "P1234567", 100)));
    for (field, value) in
        [("/amount/total", json!(101)), ("/appid", json!("wx1")), ("/description", json!("x"))]
    {
        refused(prepay(with(field, value)), 403, "OUT_TRADE_NO_USED", field);
    }
    refused(
        wx["v3/pay/transactions/app"].post(native(&wx, "P1234567", 100)),
        403,
        "OUT_TRADE_NO_USED",
        "/trade_type",
    );
    ok(close(&wx, "P1234567"));
    ok(close(&wx, "P1234567"));
    assert_eq!(ok(order(&wx, "P1234567"))["trade_state"], "CLOSED");
    refused(prepay(native(&wx, "P1234567", 100)), 400, "ORDER_CLOSED", "P1234567");
    not_done(sandbox.pay("P1234567"), "ORDER_CLOSED");
    let refunds = |body: Value| wx["v3/refund/domestic/refunds"].post(body);
    refused(refunds(refund("P1234567", "R1", 1, 100)), 400, "INVALID_REQUEST", "P1234567 is CLOSED");

    ok(prepay(native(&wx, "P7654321", 100)));
    refused(refunds(refund("P7654321", "R1", 1, 100)), 400, "INVALID_REQUEST", "P7654321 is NOTPAY");
    sandbox.pay("P7654321").unwrap();
    not_done(sandbox.pay("P7654321"), "ORDERPAID");
    refused(prepay(native(&wx, "P7654321", 100)), 400, "ORDERPAID", "P7654321");
}

#[test]
fn an_order_ends_when_its_time_is_over() {
    let (sandbox, wx) = start();
    let soon = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(3);
    let mut body = native(&wx, "P1234567", 100);
    body["time_expire"] = json!(DateTime::from_unix_duration(soon).unwrap().to_string()); // `…Z`
    ok(wx["v3/pay/transactions/native"].post(body.clone()));
    assert_eq!(ok(order(&wx, "P1234567"))["trade_state"], "NOTPAY");
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(ok(order(&wx, "P1234567"))["trade_state"], "CLOSED");
    not_done(sandbox.pay("P1234567"), "ORDER_CLOSED");
    refused(wx["v3/pay/transactions/native"].post(body), 400, "ORDER_CLOSED", "P1234567");
}

#[test]
fn what_a_refund_is_refused_for() {
    let sandbox = Sandbox::builder().hold_refunds(true).start().unwrap();
    let wx = sandbox.client().unwrap();
    ok(wx["v3/pay/transactions/native"].post(native(&wx, "P1234567", 100)));
    sandbox.pay("P1234567").unwrap();
    let refunds = |body: Value| wx["v3/refund/domestic/refunds"].post(body);
    refused(refunds(refund("P7654321", "R1", 1, 100)), 404, "RESOURCE_NOT_EXISTS", "P7654321");
    refused(refunds(refund("P1234567", "R1", 1, 99)), 400, "PARAM_ERROR", "/amount/total");
    refused(refunds(refund("P1234567", "R1", 101, 100)), 400, "PARAM_ERROR", "/amount/refund");
    refused(refunds(refund("P1234567", "R1", 0, 100)), 400, "PARAM_ERROR", "/amount/refund");
    refused(refunds(refund("P1234567", "R 1", 1, 100)), 400, "PARAM_ERROR", "/out_refund_no");
    let mut dollars = refund("P1234567", "R1", 1, 100);
    dollars["amount"]["currency"] = json!("USD");
    refused(refunds(dollars), 400, "PARAM_ERROR", "/amount/currency");

    let first = ok(refunds(refund("P1234567", "R1", 60, 100)));
    let again = ok(refunds(refund("P1234567", "R1", 60, 100)));
    assert_eq!(again, first, "the same request is the same refund");
    refused(refunds(refund("P1234567", "R1", 59, 100)), 400, "INVALID_REQUEST", "/amount/refund");
    refused(refunds(refund("P1234567", "R2", 41, 100)), 403, "NOT_ENOUGH", "/amount/refund");
    ok(refunds(refund("P1234567", "R2", 40, 100)));
    refused(refunds(refund("P1234567", "R3", 1, 100)), 403, "NOT_ENOUGH", "0 of 100");

    let held = || wx.chain("v3/refund/domestic/refunds/{no}").get().var("no", "R1");
    assert_eq!(ok(held())["status"], "PROCESSING");
    assert_eq!(sandbox.settle_refund("R1").unwrap()["status"], "SUCCESS");
    assert_eq!(ok(held())["status"], "SUCCESS");
    not_done(sandbox.settle_refund("R1"), "R1 is SUCCESS");
    not_done(sandbox.settle_refund("R9"), "RESOURCE_NOT_EXISTS");
    let unknown = wx.chain("v3/refund/domestic/refunds/{no}").get().var("no", "R9");
    refused(unknown, 404, "RESOURCE_NOT_EXISTS", "R9");
}

#[test]
fn a_providers_orders_are_apart() {
    let (sandbox, wx) = start();
    let mut body = native(&wx, "P1234567", 100);
    for name in ["appid", "mchid"] {
        let value = body.as_object_mut().unwrap().remove(name).unwrap();
        body[format!("sp_{name}")] = value;
    }
    let partner = "v3/pay/partner/transactions/jsapi";
    refused(wx[partner].post(body.clone()), 400, "PARAM_ERROR", "/sub_mchid");
    body["sub_mchid"] = json!("1230000109");
    refused(wx[partner].post(body.clone()), 400, "PARAM_ERROR", "/payer/sp_openid");
    body["payer"] = json!({"sub_openid": "o1"});
    assert_eq!(ok(wx[partner].post(body))["prepay_id"].as_str().unwrap().len(), 36);
    refused(order(&wx, "P1234567"), 404, "ORDER_NOT_EXIST", "P1234567");
    let of = |sub: &str| {
        let path = "v3/pay/partner/transactions/out-trade-no/{number}";
        let query = json!({"sp_mchid": wx.mchid(), "sub_mchid": sub});
        wx.chain(path).get().var("number", "P1234567").query(query)
    };
    refused(of("1230000999"), 404, "ORDER_NOT_EXIST", "P1234567");
    assert_eq!(ok(of("1230000109"))["trade_state"], "NOTPAY");
    sandbox.pay("P1234567").unwrap();
    let paid = ok(of("1230000109"));
    assert_eq!((&paid["payer"], &paid["sp_mchid"]), (&json!({"sub_openid": "o1"}), &json!(wx.mchid())));
    let mut part = refund("P1234567", "R1", 1, 100);
    refused(wx["v3/refund/domestic/refunds"].post(part.clone()), 404, "RESOURCE_NOT_EXISTS", "P1234567");
    part["sub_mchid"] = json!("1230000109");
    ok(wx["v3/refund/domestic/refunds"].post(part));
    // Its number is free for the provider's own.
    ok(wx["v3/pay/transactions/native"].post(native(&wx, "P1234567", 7)));
}

#[test]
fn combined_orders_are_paid_together_and_refunded_apart() {
    let (sandbox, wx) = start();
    let part = |number: &str, total: i64| {
        json!({
            "mchid": wx.mchid(), "out_trade_no": number, "description": "d", "attach": "a",
            "amount": {"total_amount": total, "currency": "CNY"},
        })
    };
    let body = |number: &str, parts: &[Value]| {
        json!({
            "combine_appid": APPID, "combine_mchid": wx.mchid(), "combine_out_trade_no": number,
            "notify_url": "https://www.example.com/notify", "sub_orders": parts,
        })
    };
    let prepay = |body: Value| wx["v3/combine-transactions/native"].post(body);
    let query =
        |number: &str| wx.chain("v3/combine-transactions/out-trade-no/{number}").get().var("number", number);
    refused(prepay(body("C1234567", &[])), 400, "PARAM_ERROR", "/sub_orders");
    refused(
        prepay(body("C1234567", &[part("P1234567", 0)])),
        400,
        "PARAM_ERROR",
        "/sub_orders/0/amount/total_amount",
    );
    let parts = [part("P1234567", 10), part("P7654321", 20)];
    for _ in 0..2 {
        assert!(ok(prepay(body("C1234567", &parts)))["code_url"].is_string());
    }
    refused(prepay(body("C1234567", &parts[..1])), 403, "OUT_TRADE_NO_USED", "/sub_orders");
    refused(prepay(body("C7654321", &parts)), 403, "OUT_TRADE_NO_USED", "/sub_orders/0/out_trade_no");
    refused(query("C7654321"), 404, "ORDER_NOT_EXIST", "C7654321");
    not_done(sandbox.pay("P1234567"), "C1234567");
    sandbox.pay("C1234567").unwrap();
    let paid = ok(query("C1234567"));
    assert_eq!(paid["sub_orders"][1]["trade_state"], "SUCCESS");
    assert_eq!(
        paid["sub_orders"][1]["amount"],
        json!({
            "total_amount": 20, "currency": "CNY", "payer_amount": 20, "payer_currency": "CNY",
        })
    );
    assert_eq!(paid["combine_payer_info"]["openid"], OPENID);
    ok(wx["v3/refund/domestic/refunds"].post(refund("P7654321", "R1", 20, 20)));
    let states =
        |data: Value| [0, 1].map(|at| data["sub_orders"][at]["trade_state"].as_str().unwrap().to_string());
    assert_eq!(states(ok(query("C1234567"))), ["SUCCESS", "REFUND"]);

    let parts = [part("P0000001", 10), part("P0000002", 20)];
    ok(prepay(body("C0000001", &parts)));
    let close = |parts: &[Value]| {
        let path = "v3/combine-transactions/out-trade-no/{number}/close";
        wx.chain(path).post(json!({"combine_appid": APPID, "sub_orders": parts})).var("number", "C0000001")
    };
    refused(close(&parts[..1]), 400, "PARAM_ERROR", "/sub_orders");
    ok(close(&parts));
    assert_eq!(states(ok(query("C0000001"))), ["CLOSED", "CLOSED"]);
    not_done(sandbox.pay("C0000001"), "ORDER_CLOSED");
}

#[test]
fn a_service_order_until_it_is_paid() {
    let (sandbox, wx) = start();
    let ids = json!({"appid": APPID, "service_id": "500001"});
    let with = |more: Value| {
        let mut body = ids.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let body = with(json!({
        "out_order_no": "S1", "service_introduction": "某某酒店", "notify_url": "https://www.example.com/notify",
        "time_range": {"start_time": "OnAccept"}, "risk_fund": {"name": "DEPOSIT", "amount": 10000},
    }));
    let path = "v3/payscore/serviceorder";
    let made = ok(wx[path].post(body.clone()));
    assert_eq!((&made["state"], made["package"].is_string()), (&json!("CREATED"), true));
    assert_eq!(ok(wx[path].post(body.clone())), made, "the same again");
    let mut other = body.clone();
    other["risk_fund"]["amount"] = json!(1);
    refused(wx[path].post(other), 400, "INVALID_REQUEST", "/risk_fund");
    let act = |verb: &str, body: Value| wx.chain(&format!("{path}/{{no}}/{verb}")).post(body).var("no", "S1");
    let bill = |total: i64| {
        with(json!({
            "total_amount": total, "reason": "r",
            "post_payments": [{"name": "p", "amount": 300}], "post_discounts": [{"name": "d", "amount": 100}],
        }))
    };
    refused(act("complete", bill(200)), 400, "INVALID_ORDER_STATE", "S1 is CREATED");
    let confirmed = sandbox.confirm_service_order("S1").unwrap();
    let query = |query: Value| wx[path].get().query(query);
    let doing = ok(query(with(json!({"query_id": confirmed["query_id"]}))));
    assert_eq!((&doing["state"], &doing["state_description"]), (&json!("DOING"), &json!("USER_CONFIRM")));
    refused(
        query(json!({"service_id": "500002", "appid": APPID, "out_order_no": "S1"})),
        400,
        "PARAM_ERROR",
        "service_id",
    );
    refused(query(with(json!({}))), 400, "PARAM_ERROR", "out_order_no");
    refused(query(with(json!({"out_order_no": "S2"}))), 404, "ORDER_NOT_EXIST", "S2");
    refused(act("complete", bill(201)), 400, "PARAM_ERROR", "/total_amount");
    assert_eq!(ok(act("complete", bill(200)))["state_description"], "MCH_COMPLETE");
    assert_eq!(ok(act("modify", bill(200)))["collection"]["state"], "USER_PAYING");
    refused(act("cancel", with(json!({"reason": "r"}))), 400, "INVALID_ORDER_STATE", "MCH_COMPLETE");
    ok(act("pay", ids.clone()));
    let done = ok(query(with(json!({"out_order_no": "S1"}))));
    assert_eq!((&done["state"], &done["collection"]["paid_amount"]), (&json!("DONE"), &json!(200)));
    refused(act("cancel", with(json!({"reason": "r"}))), 400, "ORDER_DONE", "S1");
    not_done(sandbox.pay_service_order("S1"), "ORDER_DONE");

    let mut second = body;
    second["out_order_no"] = json!("S2");
    ok(wx[path].post(second));
    let cancel =
        wx.chain("v3/payscore/serviceorder/{no}/cancel").post(with(json!({"reason": "r"}))).var("no", "S2");
    assert_eq!(ok(cancel)["out_order_no"], "S2");
    not_done(sandbox.confirm_service_order("S2"), "ORDER_CANCELED");
}

#[test]
fn a_permission_until_it_is_ended() {
    let (sandbox, wx) = start();
    let ask = json!({"service_id": "500001", "appid": APPID, "sub_mchid": "1230000109", "authorization_code": "A1"});
    let permissions = "v3/payscore/partner/permissions";
    assert!(ok(wx[permissions].post(ask))["apply_permissions_token"].is_string());
    let query = json!({"service_id": "500001", "sub_mchid": "1230000109"});
    let by_code = || {
        let path = "v3/payscore/partner/permissions/authorization-code/{code}";
        wx.chain(path).get().var("code", "A1").query(query.clone())
    };
    assert_eq!(ok(by_code())["authorization_state"], "UNAVAILABLE");
    let end = |more: &[(&str, &str)]| {
        let mut body =
            json!({"service_id": "500001", "appid": APPID, "sub_mchid": "1230000109", "reason": "r"});
        more.iter().for_each(|(name, value)| body[*name] = json!(value));
        wx["v3/payscore/partner/permissions/terminate"].post(body)
    };
    let direct = json!({"service_id": "500001", "appid": APPID, "reason": "r"});
    let direct =
        wx.chain("v3/payscore/permissions/openid/{openid}/terminate").post(direct).var("openid", OPENID);
    refused(direct, 404, "RESOURCE_NOT_EXISTS", OPENID);
    refused(end(&[("authorization_code", "A2")]), 404, "RESOURCE_NOT_EXISTS", "A2");
    refused(end(&[("authorization_code", "A1")]), 400, "INVALID_REQUEST", "UNAVAILABLE");
    assert_eq!(ok(end(&[])), Value::Null, "a request about nobody");
    assert_eq!(ok(end(&[("openid", OPENID)])), Value::Null, "a user without a permission");
    sandbox.open_permission("A1").unwrap();
    not_done(sandbox.open_permission("A1"), "AVAILABLE");
    let mut search = query.clone();
    (search["appid"], search["openid"]) = (json!(APPID), json!(OPENID));
    let found = wx["v3/payscore/partner/permissions/search"].get().query(search);
    assert_eq!(ok(found)["authorization_state"], "AVAILABLE");
    for _ in 0..2 {
        ok(end(&[("openid", OPENID)]));
    }
    let ended = ok(by_code());
    assert_eq!(ended["authorization_state"], "UNBINDUSER");
    assert!(ended["cancel_authorization_time"].is_string());
}

#[test]
fn a_transfer_is_taken_or_cancelled() {
    let (sandbox, wx) = start();
    let path = "v3/fund-app/mch-transfer/transfer-bills";
    let transfer = |number: &str, amount: i64| {
        wx[path].post(json!({
            "appid": APPID, "out_bill_no": number, "transfer_scene_id": "1000", "openid": OPENID,
            "transfer_amount": amount, "transfer_remark": "r", "notify_url": "https://www.example.com/notify",
        }))
    };
    refused(transfer("T1", 0), 400, "PARAM_ERROR", "/transfer_amount");
    let made = ok(transfer("T1", 100));
    assert_eq!(made["state"], "WAIT_USER_CONFIRM");
    assert_eq!(ok(transfer("T1", 100)), made);
    refused(transfer("T1", 99), 400, "ALREADY_EXISTS", "/transfer_amount");
    sandbox.accept_transfer("T1").unwrap();
    let by_own = wx.chain(&format!("{path}/transfer-bill-no/{{no}}")).get();
    let by_own = by_own.var("no", made["transfer_bill_no"].as_str().unwrap());
    assert_eq!(ok(by_own)["state"], "SUCCESS");
    let cancel = |number: &str| {
        wx.chain(&format!("{path}/out-bill-no/{{no}}/cancel")).post(Value::Null).var("no", number)
    };
    refused(cancel("T1"), 400, "INVALID_REQUEST", "T1 is SUCCESS");
    refused(cancel("T2"), 404, "NOT_FOUND", "T2");
    ok(transfer("T2", 100));
    assert_eq!(ok(cancel("T2"))["state"], "CANCELING");
    let by_number = wx.chain(&format!("{path}/out-bill-no/{{no}}")).get().var("no", "T2");
    assert_eq!(ok(by_number)["state"], "CANCELLED");
    not_done(sandbox.accept_transfer("T2"), "CANCELLED");
}

#[test]
fn shares_of_an_order_and_what_comes_back() {
    let (sandbox, wx) = start();
    let mut body = native(&wx, "P1234567", 100);
    body["settle_info"] = json!({"profit_sharing": true});
    ok(wx["v3/pay/transactions/native"].post(body));
    ok(wx["v3/pay/transactions/native"].post(native(&wx, "P7654321", 100)));
    let id = sandbox.pay("P1234567").unwrap()["transaction_id"].clone();
    let plain = sandbox.pay("P7654321").unwrap()["transaction_id"].clone();
    let share = |id: &Value, number: &str, amount: i64| {
        wx["v3/profitsharing/orders"].post(json!({
            "appid": APPID, "transaction_id": id, "out_order_no": number, "unfreeze_unsplit": false,
            "receivers": [{"type": "MERCHANT_ID", "account": "1900000999", "amount": amount, "description": "d"}],
        }))
    };
    let account =
        json!({"appid": APPID, "type": "MERCHANT_ID", "account": "1900000999", "relation_type": "PARTNER"});
    refused(share(&plain, "S1", 10), 400, "INVALID_REQUEST", "P7654321");
    refused(share(&id, "S1", 10), 400, "PARAM_ERROR", "/receivers/0/account");
    ok(wx["v3/profitsharing/receivers/add"].post(account.clone()));
    refused(share(&id, "S1", 101), 403, "NOT_ENOUGH", "/receivers");
    let left = || {
        let path = "v3/profitsharing/transactions/{id}/amounts";
        ok(wx.chain(path).get().var("id", id.as_str().unwrap()))["unsplit_amount"].clone()
    };
    assert_eq!(left(), 100);
    assert_eq!(ok(share(&id, "S1", 30))["state"], "PROCESSING");
    ok(share(&id, "S1", 30));
    refused(share(&id, "S1", 31), 400, "INVALID_REQUEST", "/receivers");
    assert_eq!(left(), 70, "once, however often it is asked for");
    let query =
        wx.chain("v3/profitsharing/orders/{no}").get().var("no", "S1").query(json!({"transaction_id": id}));
    let shared = ok(query);
    assert_eq!(
        (&shared["state"], &shared["receivers"][0]["result"]),
        (&json!("FINISHED"), &json!("SUCCESS"))
    );
    let unfreeze = json!({"transaction_id": id, "out_order_no": "S2", "description": "d"});
    assert_eq!(ok(wx["v3/profitsharing/orders/unfreeze"].post(unfreeze))["receivers"][0]["amount"], 70);
    refused(share(&id, "S3", 1), 403, "NOT_ENOUGH", "0 left");
    let back = |number: &str, amount: i64| {
        wx["v3/profitsharing/return-orders"].post(json!({
            "out_order_no": "S1", "out_return_no": number, "return_mchid": "1900000999", "amount": amount,
            "description": "d",
        }))
    };
    assert_eq!(ok(back("B1", 20))["result"], "SUCCESS");
    refused(back("B2", 11), 403, "NOT_ENOUGH", "10 of 30");
    ok(back("B2", 10));
    ok(wx["v3/profitsharing/receivers/delete"].post(account.clone()));
    refused(wx["v3/profitsharing/receivers/delete"].post(account), 404, "RESOURCE_NOT_EXISTS", "1900000999");
}

#[test]
fn a_file_comes_back_as_it_went() {
    let (_sandbox, wx) = start();
    let bytes: Vec<u8> = (0..200_000_u32).map(|at| at.to_le_bytes()[0]).collect();
    for path in
        ["v3/merchant/media/upload", "v3/merchant-service/images/upload", "v3/merchant/media/video_upload"]
    {
        let id =
            ok(wx[path].post(Value::Null).media(Media::bytes("a.png", bytes.clone())))["media_id"].clone();
        let get = wx.chain("v3/merchant-service/images/{id}").get().var("id", id.as_str().unwrap());
        let response = get.wait().unwrap();
        assert_eq!((response.header("Content-Type"), response.verified()), (Some("image/png"), false));
        assert!(*response.bytes() == bytes);
    }
    let unknown = wx.chain("v3/merchant-service/images/{id}").get().var("id", "none");
    refused(unknown, 404, "RESOURCE_NOT_EXISTS", "none");
}
