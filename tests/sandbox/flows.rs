//! Orders and refunds in the sandbox, from the first request to the bill.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use wechatpay_chain::Error;
use x509_cert::der::DateTime;

use crate::requests::*;
use crate::support::sandbox_builder;

#[tokio::test]
async fn an_order_from_the_first_request_to_the_bill() {
    let (sandbox, wx) = start();
    let prepay = || wx["v3/pay/transactions/native"].post(native(&wx, "P20261121", 100));
    let code_url = prepay().await.unwrap().data()["code_url"].clone();
    assert!(code_url.as_str().unwrap().starts_with("weixin://wxpay/bizpayurl?pr="));
    assert_eq!(prepay().await.unwrap().data()["code_url"], code_url, "the same again");

    let before = order(&wx, "P20261121").await.unwrap().into_data();
    assert_eq!((&before["trade_state"], &before["amount"]["total"]), (&json!("NOTPAY"), &json!(100)));
    for name in ["transaction_id", "payer", "success_time", "asked", "code_url", "unsplit_amount"] {
        assert!(before.get(name).is_none(), "{name}");
    }

    let paid = sandbox.pay("P20261121").unwrap();
    let after = order(&wx, "P20261121").await.unwrap().into_data();
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
    let by_id = by_id.await.unwrap().into_data();
    // The documents list more fields of a query by the merchant's number.
    for (name, value) in by_id.as_object().unwrap() {
        assert_eq!(after[name], *value, "{name}");
    }
    assert_eq!((&by_id["amount"], &by_id["transaction_id"]), (&after["amount"], &json!(id)));

    // In two parts, by either number.
    let refunds = "v3/refund/domestic/refunds";
    let first = wx[refunds].post(refund("P20261121", "R1", 30, 100)).await.unwrap().into_data();
    assert_eq!((&first["status"], &first["transaction_id"]), (&json!("PROCESSING"), &json!(id)));
    let mut rest = refund("", "R2", 70, 100);
    rest["transaction_id"] = json!(id);
    rest.as_object_mut().unwrap().remove("out_trade_no");
    assert_eq!(wx[refunds].post(rest).await.unwrap().data()["out_trade_no"], "P20261121");
    let done = wx.chain("v3/refund/domestic/refunds/{no}").get().var("no", "R1").await.unwrap().into_data();
    assert_eq!((&done["status"], &done["refund_id"]), (&json!("SUCCESS"), &first["refund_id"]));
    assert!(done["success_time"].is_string());
    assert_eq!(order(&wx, "P20261121").await.unwrap().data()["trade_state"], "REFUND");

    sandbox.advance(std::time::Duration::from_secs(2 * 24 * 3600)).unwrap(); // today's bill is not there yet
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bill.csv");
    let saved = wx.bill("v3/bill/tradebill").date(&day(&paid)).gzip().save_to(&file).await.unwrap();
    assert!(saved.verified);
    let (all, summary) = rows(&std::fs::read(&file).unwrap());
    let reported: Vec<[&str; 5]> = all
        .iter()
        .map(|row| {
            ["交易状态", "微信订单号", "商户退款单号", "订单金额", "退款金额"]
                .map(|name| row.get(name).unwrap())
        })
        .collect();
    assert_eq!(
        reported,
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
    sandbox.advance(std::time::Duration::from_secs(2 * 24 * 3600)).unwrap();
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
    for (date, code) in [("2020-01-01", "INVALID_REQUEST"), ("2199-01-01", "INVALID_REQUEST")] {
        refused(none("v3/bill/tradebill", json!({"bill_date": date})), 400, code, date);
    }
    let empty = json!({"bill_date": day(&paid), "account_type": "FEES"});
    refused(none("v3/bill/fundflowbill", empty), 400, "NO_STATEMENT_EXIST", "account");
    for (name, value) in [("bill_date", "2026-02-30"), ("bill_type", "SOME"), ("tar_type", "ZIP")] {
        let mut query = json!({"bill_date": day(&paid)});
        query[name] = json!(value);
        refused(none("v3/bill/tradebill", query), 400, "PARAM_ERROR", name);
    }
}

#[test]
fn errors_of_orders() {
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
    refused(wx["v3/pay/transactions/jsapi"].post(native(&wx, "P1234567", 1)), 400, "PARAM_ERROR", "/payer");
    refused(wx["v3/pay/transactions/h5"].post(native(&wx, "P1234567", 1)), 400, "PARAM_ERROR", "/scene_info");
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
fn errors_of_refunds() {
    let sandbox = sandbox_builder().hold_refunds(true).start().unwrap();
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
    refused(wx[partner].post(body.clone()), 400, "PARAM_ERROR", "/payer");
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
    refused(close(&parts), 400, "PARAM_ERROR", "/sub_orders/0/description");
    let parts = parts.map(|part| json!({"mchid": part["mchid"], "out_trade_no": part["out_trade_no"]}));
    refused(close(&parts[..1]), 400, "PARAM_ERROR", "/sub_orders");
    ok(close(&parts));
    assert_eq!(states(ok(query("C0000001"))), ["CLOSED", "CLOSED"]);
    not_done(sandbox.pay("C0000001"), "ORDER_CLOSED");
}
