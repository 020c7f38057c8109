//! Combined orders of several sub-merchants, whose numbers may be the same.

use serde_json::{Value, json};
use wechatpay_chain::{Request, WeChatPay};

use crate::requests::*;

const SUBS: [&str; 2] = ["1230000109", "1230000110"];

fn part(wx: &WeChatPay, sub_mchid: &str, number: &str) -> Value {
    json!({
        "mchid": wx.mchid(), "sub_mchid": sub_mchid, "out_trade_no": number, "description": "d", "attach": "a",
        "amount": {"total_amount": 10, "currency": "CNY"},
    })
}

fn prepay(wx: &WeChatPay, number: &str, parts: &[Value]) -> Request {
    wx["v3/combine-transactions/native"].post(json!({
        "combine_appid": APPID, "combine_mchid": wx.mchid(), "combine_out_trade_no": number,
        "notify_url": "https://www.example.com/notify", "sub_orders": parts,
    }))
}

fn query(wx: &WeChatPay, number: &str) -> Value {
    ok(wx.chain("v3/combine-transactions/out-trade-no/{number}").get().var("number", number))
}

#[test]
fn parts_with_the_same_number_are_closed() {
    let (_sandbox, wx) = start();
    let parts = SUBS.map(|sub| part(&wx, sub, "P1234567"));
    ok(prepay(&wx, "C1234567", &parts));
    let close = |parts: &[Value]| {
        let path = "v3/combine-transactions/out-trade-no/{number}/close";
        let parts: Vec<Value> = parts
            .iter()
            .map(|part| {
                let mut part = part.clone();
                for name in ["description", "attach", "amount"] {
                    part.as_object_mut().unwrap().shift_remove(name);
                }
                part
            })
            .collect();
        wx.chain(path).post(json!({"combine_appid": APPID, "sub_orders": parts})).var("number", "C1234567")
    };
    refused(close(&parts[..1]), 400, "PARAM_ERROR", "must contain all parts");
    let twice = [parts[0].clone(), parts[0].clone()];
    refused(close(&twice), 400, "PARAM_ERROR", "must contain all parts");
    let again = [&parts[..], &parts[..1]].concat();
    refused(close(&again), 400, "PARAM_ERROR", "each once");
    let mut other = parts.clone();
    other[1]["sub_mchid"] = json!("1230000111");
    refused(close(&other), 400, "PARAM_ERROR", "/sub_orders/1/sub_mchid");
    other[1]["mchid"] = json!("1230000112");
    refused(close(&other), 400, "PARAM_ERROR", "/sub_orders/1/mchid");
    other[1]["out_trade_no"] = json!("P0000000");
    refused(close(&other), 400, "PARAM_ERROR", "/sub_orders/1/out_trade_no");
    // In any order, and again, as after a lost response. A repeat is no less strict.
    for _ in 0..2 {
        ok(close(&[parts[1].clone(), parts[0].clone()]));
        refused(close(&other), 400, "PARAM_ERROR", "/sub_orders/1/out_trade_no");
    }
    let closed = query(&wx, "C1234567");
    for part in closed["sub_orders"].as_array().unwrap() {
        assert_eq!(part["trade_state"], "CLOSED");
    }
}

/// Of an order and a combined order with the same number, the newer one is paid, however the payer is simulated.
#[cfg(unix)]
#[test]
fn the_newer_order_of_a_number_is_paid() {
    use crate::modes::control_at;
    let (sandbox, wx) = start();
    let native_order = |number: &str| ok(wx["v3/pay/transactions/native"].post(native(&wx, number, 10)));
    let combined = |number: &str, of: &str| ok(prepay(&wx, number, &[part(&wx, SUBS[0], of)]));
    let by_control = |number: &str| control_at(&sandbox, "payer", &json!({"do": "pay", "number": number}));
    for (number, of) in [("P100001", "P900001"), ("P100002", "P900002")] {
        combined(number, of);
        native_order(number);
    }
    assert_eq!(sandbox.pay("P100001").unwrap()["trade_state"], "SUCCESS");
    assert_eq!(by_control("P100002").0, 200);
    for number in ["P100001", "P100002"] {
        assert_eq!(ok(order(&wx, number))["trade_state"], "SUCCESS");
        assert_eq!(query(&wx, number)["sub_orders"][0]["trade_state"], "NOTPAY");
    }
    for (number, of) in [("P100003", "P900003"), ("P100004", "P900004")] {
        native_order(number);
        combined(number, of);
    }
    sandbox.pay("P100003").unwrap();
    assert_eq!(by_control("P100004").0, 200);
    for number in ["P100003", "P100004"] {
        assert_eq!(ok(order(&wx, number))["trade_state"], "NOTPAY");
        assert_eq!(query(&wx, number)["sub_orders"][0]["trade_state"], "SUCCESS");
    }
    not_done(sandbox.pay("P100009"), "ORDER_NOT_EXIST");
    // The code is that of the platform.
    let (status, error) = by_control("P100001");
    assert_eq!((status, &error["code"]), (400, &json!("ORDERPAID")), "{error}");
}
