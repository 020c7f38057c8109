//! PayScore: charges without discounts, repeats after a lost response, and the money in the bills.

use serde_json::{Value, json};
use wechatpay_chain::{Request, WeChatPay, sandbox::Sandbox};

use crate::business::{DAY, bill, column};
use crate::requests::*;

const PATH: &str = "v3/payscore/serviceorder";

fn with(more: Value) -> Value {
    let mut body = json!({"appid": APPID, "service_id": "500001"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// An order that the user has confirmed.
fn confirmed(sandbox: &Sandbox, wx: &WeChatPay, number: &str, more: Value) {
    let mut body = with(json!({
        "out_order_no": number, "service_introduction": "某某酒店", "notify_url": "https://www.example.com/notify",
        "time_range": {"start_time": "OnAccept"}, "risk_fund": {"name": "DEPOSIT", "amount": 10000},
    }));
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    ok(wx[PATH].post(body));
    sandbox.confirm_service_order(number).unwrap();
}

fn act(wx: &WeChatPay, number: &str, verb: &str, mut body: Value) -> Request {
    if verb == "modify" {
        body["reason"] = json!("r");
    }
    wx.chain(&format!("{PATH}/{{no}}/{verb}")).post(body).var("no", number)
}

/// A charge of 300 without discounts, or with one.
fn charge(discount: Option<i64>) -> Value {
    let mut body = with(json!({
        "total_amount": 300 - discount.unwrap_or(0),
        "post_payments": [{"name": "p", "amount": 300}],
    }));
    if let Some(amount) = discount {
        body["post_discounts"] = json!([{"name": "d", "amount": amount}]);
    }
    body
}

/// Each charge is the whole truth: an earlier discount does not go on.
#[test]
fn a_charge_without_discounts_has_none() {
    let (sandbox, wx) = start();
    let announced = json!({"post_discounts": [{"name": "d", "description": "满 100 减 10"}]});
    confirmed(&sandbox, &wx, "S1", announced);
    for _ in 0..2 {
        let done = ok(act(&wx, "S1", "complete", charge(None)));
        assert_eq!((&done["total_amount"], &done["post_discounts"]), (&json!(300), &Value::Null));
    }
    refused(act(&wx, "S1", "complete", charge(Some(100))), 400, "INVALID_REQUEST", "another value");

    confirmed(&sandbox, &wx, "S2", json!({}));
    ok(act(&wx, "S2", "complete", charge(Some(100))));
    refused(act(&wx, "S2", "complete", charge(None)), 400, "INVALID_REQUEST", "another value");
    for _ in 0..2 {
        let changed = ok(act(&wx, "S2", "modify", charge(None)));
        assert_eq!((&changed["total_amount"], &changed["post_discounts"]), (&json!(300), &Value::Null));
    }
    sandbox.pay_service_order("S2").unwrap();
}

#[test]
fn what_the_user_paid_is_in_the_bills() {
    let (sandbox, wx) = start();
    for number in ["S1", "S2", "S3"] {
        confirmed(&sandbox, &wx, number, json!({}));
        ok(act(&wx, number, "complete", charge(Some(100))));
    }
    let paid = sandbox.pay_service_order("S1").unwrap();
    let collection = &paid["collection"];
    let id = collection["transaction_id"].as_str().unwrap();
    let date: String = collection["paid_time"].as_str().unwrap().chars().take(10).collect();
    // Paid through another channel: this is not money of the account.
    ok(act(
        &wx,
        "S2",
        "sync",
        with(json!({"type": "Order_Paid", "detail": {"paid_time": "20091225091210"}})),
    ));
    sandbox.advance(2 * DAY).unwrap();
    let funds = bill(&wx, "v3/bill/fundflowbill", json!({"bill_date": date}));
    assert_eq!(column(&funds, "账户结余(元)"), ["2.00"], "{funds}");
    for name in ["微信支付业务单号", "资金流水单号"] {
        assert_eq!(column(&funds, name), [id], "{funds}");
    }
    assert_eq!(column(&funds, "业务凭证号"), ["S1"]);
}

/// A repeat is one only if there was a first request: another step can lead to the same state.
#[test]
fn only_what_was_done_can_be_repeated() {
    let (sandbox, wx) = start();
    let sync = |number: &str, time: &str| {
        act(&wx, number, "sync", with(json!({"type": "Order_Paid", "detail": {"paid_time": time}})))
    };
    for number in ["S1", "S2"] {
        confirmed(&sandbox, &wx, number, json!({}));
        ok(act(&wx, number, "complete", charge(Some(100))));
    }
    // Paid by the user, and never modified or reported.
    sandbox.pay_service_order("S1").unwrap();
    ok(act(&wx, "S1", "complete", charge(Some(100))));
    for request in [
        act(&wx, "S1", "modify", charge(Some(100))),
        act(&wx, "S1", "modify", charge(None)),
        act(&wx, "S1", "complete", charge(None)),
        sync("S1", "20091225091210"),
    ] {
        refused(request, 400, "ORDER_DONE", "S1 is DONE");
    }
    // Modified, then paid: the response of the modification may have been lost.
    ok(act(&wx, "S2", "modify", charge(None)));
    sandbox.pay_service_order("S2").unwrap();
    ok(act(&wx, "S2", "modify", charge(None)));
    refused(act(&wx, "S2", "modify", charge(Some(1))), 400, "ORDER_DONE", "S2");
    // Modified to nothing, and reported.
    for number in ["S3", "S4"] {
        confirmed(&sandbox, &wx, number, json!({}));
        ok(act(&wx, number, "complete", charge(None)));
    }
    for _ in 0..2 {
        assert_eq!(ok(act(&wx, "S3", "modify", charge(Some(300))))["state"], "DONE");
        assert_eq!(ok(sync("S4", "20091225091210"))["state"], "DONE");
    }
    refused(sync("S3", "20091225091210"), 400, "ORDER_DONE", "S3");
    refused(sync("S4", "20091225091211"), 400, "ORDER_DONE", "S4");
}

#[test]
fn a_refund_that_was_never_abnormal_is_not_paid_elsewhere() {
    let (sandbox, wx) = start();
    ok(wx["v3/pay/transactions/native"].post(native(&wx, "P1234567", 100)));
    sandbox.pay("P1234567").unwrap();
    sandbox.hold_refunds(true);
    let made = ok(wx["v3/refund/domestic/refunds"].post(refund("P1234567", "R1", 10, 100)));
    let elsewhere = |kind: &str| {
        let path = "v3/refund/domestic/refunds/{id}/apply-abnormal-refund";
        let body = json!({"out_refund_no": "R1", "type": kind});
        wx.chain(path).post(body).var("id", made["refund_id"].as_str().unwrap())
    };
    refused(
        elsewhere("MERCHANT_BANK_CARD"),
        400,
        "INVALID_REQUEST",
        "当前状态不允许此操作: refund R1 is PROCESSING",
    );
    sandbox.fail_refund("R1").unwrap();
    for _ in 0..2 {
        assert_eq!(ok(elsewhere("MERCHANT_BANK_CARD"))["status"], "PROCESSING");
    }
    refused(elsewhere("USER_BANK_CARD"), 400, "INVALID_REQUEST", "another value");
    let made = ok(wx["v3/refund/domestic/refunds"].post(refund("P1234567", "R2", 10, 100)));
    sandbox.settle_refund("R2").unwrap();
    let path = "v3/refund/domestic/refunds/{id}/apply-abnormal-refund";
    let body = json!({"out_refund_no": "R2", "type": "MERCHANT_BANK_CARD"});
    let other = wx.chain(path).post(body).var("id", made["refund_id"].as_str().unwrap());
    refused(other, 400, "INVALID_REQUEST", "当前状态不允许此操作: refund R2 is SUCCESS");
}
