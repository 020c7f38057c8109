//! Code payments (付款码支付), and what a client of APIv2, where most of them are still made, is told.

use serde_json::{Value, json};
use wechatpay_chain::WeChatPay;

use crate::business::{DAY, bill, column, pay_new};
use crate::raw_http::send_bytes;
use crate::requests::*;

fn code_payment(wx: &WeChatPay, number: &str, code: &str) -> Value {
    json!({
        "appid": APPID, "mchid": wx.mchid(), "description": "d", "out_trade_no": number,
        "payer": {"auth_code": code}, "amount": {"total": 100}, "scene_info": {"store_info": {"id": "0001"}},
    })
}

#[test]
fn a_code_payment_is_paid_asked_for_a_password_or_reversed() {
    let (sandbox, wx) = start();
    let pay =
        |number: &str, code: &str| wx["v3/pay/transactions/codepay"].post(code_payment(&wx, number, code));
    let state = |number: &str| ok(order(&wx, number))["trade_state"].clone();
    let reverse = |number: &str| {
        let body = json!({"appid": APPID, "mchid": wx.mchid()});
        wx.chain("v3/pay/transactions/out-trade-no/{n}/reverse").post(body).var("n", number)
    };
    for code in [
        "13006109882800940",
        "1300610988280094061",
        "160061098828009406",
        "090061098828009406",
        "13006109882800940x",
    ] {
        refused(pay("P1000000", code), 400, "AUTH_CODE_INVALID", "/payer/auth_code");
    }
    let paid = ok(pay("P1000000", "130061098828009406"));
    assert_eq!((&paid["trade_state"], &paid["trade_type"]), (&json!("SUCCESS"), &json!("MICROPAY")));
    assert_eq!((&paid["payer"], paid["transaction_id"].is_string()), (&json!({"openid": OPENID}), true));
    let queried = ok(order(&wx, "P1000000"));
    assert_eq!(queried["scene_info"]["store_info"]["id"], "0001");
    for name in ["transaction_id", "trade_state", "trade_type", "payer", "success_time", "out_trade_no"] {
        assert_eq!(queried[name], paid[name], "a query is the same: {name}");
    }
    refused(pay("P1000000", "130061098828009406"), 400, "ORDERPAID", "P1000000");
    refused(pay("P2000000", "130061098828009406"), 400, "AUTH_CODE_INVALID", "P1000000");
    assert!(sandbox.notifications().is_empty(), "a code payment has no notification");

    // The user is asked for the password: pays, does not pay, or is too slow.
    sandbox.hold_code_payments(true);
    for (number, code) in [
        ("P3000000", "100000000000000001"),
        ("P4000000", "100000000000000002"),
        ("P5000000", "150000000000000003"),
    ] {
        for _ in 0..2 {
            let asked = ok(pay(number, code));
            assert_eq!(
                (&asked["trade_state"], &asked["transaction_id"]),
                (&json!("USERPAYING"), &Value::Null)
            );
        }
        refused(close(&wx, number), 400, "INVALID_REQUEST", "USERPAYING");
        refused(
            wx["v3/refund/domestic/refunds"].post(refund(number, "R1", 1, 100)),
            400,
            "INVALID_REQUEST",
            number,
        );
    }
    sandbox.pay("P3000000").unwrap();
    sandbox.fail_payment("P4000000").unwrap();
    assert_eq!((state("P3000000"), state("P4000000")), (json!("SUCCESS"), json!("PAYERROR")));
    not_done(sandbox.fail_payment("P3000000"), "ORDERPAID");
    let date = day(&ok(order(&wx, "P3000000")));

    // Reversed: twice, as after a lost response.
    for number in ["P3000000", "P4000000", "P5000000"] {
        let first = ok(reverse(number));
        assert_eq!((&first["out_trade_no"], ok(reverse(number))), (&json!(number), first.clone()));
        assert_eq!(state(number), "REVOKED");
        not_done(sandbox.pay(number), "ORDER_CLOSED");
    }
    refused(
        wx["v3/refund/domestic/refunds"].post(refund("P3000000", "R1", 1, 100)),
        400,
        "INVALID_REQUEST",
        "REVOKED",
    );
    refused(pay("P3000000", "100000000000000001"), 400, "ORDER_CLOSED", "REVOKED");
    // Only a code payment can be reversed, only for a week, and not once it is refunded.
    pay_new(&sandbox, &wx, "P6000000", 100);
    refused(reverse("P6000000"), 400, "INVALID_REQUEST", "code payment");
    refused(reverse("P9000000"), 404, "ORDER_NOT_EXIST", "P9000000");
    ok(wx["v3/refund/domestic/refunds"].post(refund("P1000000", "R1", 40, 100)));
    refused(reverse("P1000000"), 400, "INVALID_REQUEST", "REFUND");
    sandbox.hold_code_payments(false);
    ok(pay("P7000000", "100000000000000004"));
    sandbox.advance(8 * DAY).unwrap();
    refused(reverse("P7000000"), 400, "REVERSE_EXPIRE", "seven days");

    // The page: money that went back is not "paid", and the order was reversed, not cancelled.
    let page = crate::page::look(&sandbox, "/?q=P3000000&lang=zh-CN");
    let badge = |tone: &str, word: &str| page.contains(&format!("<span class=\"badge {tone}\">{word}"));
    assert!(badge("plain", "已撤销") && badge("plain", "已退回") && !badge("good", "已支付"), "{page}");

    // The bills: P1 paid and refunded in part, P3 paid and reversed, P6 and P7 paid.
    let trade = bill(&wx, "v3/bill/tradebill", json!({"bill_date": date}));
    let states = column(&trade, "交易状态");
    let count = |state: &str| states.iter().filter(|other| *other == state).count();
    assert_eq!((count("SUCCESS"), count("REFUND"), count("REVOKED")), (4, 1, 1), "{trade}");
    let funds = bill(&wx, "v3/bill/fundflowbill", json!({"bill_date": date}));
    assert_eq!(column(&funds, "账户结余(元)").last().unwrap(), "2.60", "{funds}");
}

#[test]
fn a_provider_reverses_for_its_sub_merchant() {
    let (_sandbox, wx) = start();
    let mut body = code_payment(&wx, "P1000000", "130061098828009406");
    for (old, new) in [("appid", "sp_appid"), ("mchid", "sp_mchid")] {
        let value = body.as_object_mut().unwrap().shift_remove(old).unwrap();
        body[new] = value;
    }
    body["sub_mchid"] = json!("1230000109");
    body.as_object_mut().unwrap().shift_remove("sp_appid"); // optional in a code payment
    let paid = ok(wx["v3/pay/partner/transactions/codepay"].post(body));
    assert_eq!((&paid["trade_state"], &paid["payer"]), (&json!("SUCCESS"), &json!({"sp_openid": OPENID})));
    let body = json!({"sp_mchid": wx.mchid(), "sub_mchid": "1230000109"});
    let reverse = wx.chain("v3/pay/partner/transactions/out-trade-no/{n}/reverse").post(body);
    assert_eq!(ok(reverse.var("n", "P1000000"))["sub_mchid"], "1230000109");
}

/// The response is the result: nobody is notified, also of a payment that waited for the password.
#[test]
fn fields_of_other_orders_are_refused() {
    let (sandbox, wx) = start();
    sandbox.hold_code_payments(true);
    let others = [
        ("/notify_url", json!("https://www.example.com/notify")),
        ("/time_expire", json!("2999-06-08T10:34:56+08:00")),
        ("/limit_pay", json!(["no_credit"])),
        ("/payer/openid", json!(OPENID)),
        ("/scene_info/payer_client_ip", json!("127.0.0.1")),
        ("/scene_info/h5_info", json!({"type": "Wap"})),
    ];
    for (field, value) in others {
        let mut body = code_payment(&wx, "P1000000", "130061098828009406");
        let (parent, name) = field.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
        refused(wx["v3/pay/transactions/codepay"].post(body), 400, "PARAM_ERROR", field);
    }
    ok(wx["v3/pay/transactions/codepay"].post(code_payment(&wx, "P1000000", "130061098828009406")));
    sandbox.pay("P1000000").unwrap();
    assert!(sandbox.notifications().is_empty());
}

/// What a client of APIv2 sends: XML without any of APIv3's headers.
#[test]
fn requests_of_apiv2_are_told_so_in_xml() {
    let (sandbox, wx) = start();
    let host = sandbox.base_url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let send = |path: &str, kind: &str, body: &str| {
        let length = body.len();
        let text = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        send_bytes(&sandbox, text.as_bytes()).unwrap()
    };
    let xml = "<xml><appid>wx1</appid><mch_id>1</mch_id><sign>A</sign></xml>";
    for path in [
        "/pay/unifiedorder",
        "/pay/micropay",
        "/secapi/pay/refund",
        "/secapi/pay/reverse",
        "/mmpaymkttransfers/promotion/transfers",
        "/mmpaymkttransfers/sendredpack",
        "/sandboxnew/pay/getsignkey",
        "/xdc/apiv2sandbox/pay/micropay",
        "/risk/getpublickey",
        "/tools/shorturl",
        "/papay/%5D%5D%3E",
        "/hk/secapi/pay/refund",
    ] {
        for kind in ["text/xml", "application/xml; charset=utf-8", "application/x-www-form-urlencoded"] {
            let reply = send(path, kind, xml);
            let text = reply.text();
            assert_eq!(
                (reply.status, reply.header("Content-Type")),
                (200, Some("text/xml; charset=utf-8")),
                "{path}"
            );
            assert!(
                text.starts_with("<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA["),
                "{text}"
            );
            assert!(text.contains("APIv2") && text.ends_with("]]></return_msg></xml>"), "{text}");
        }
    }
    // Without XML, and with a signature of APIv3, it is JSON.
    let reply = send("/pay/unifiedorder", "application/json", "{}");
    assert_eq!((reply.status, reply.code().as_str()), (404, "RESOURCE_NOT_EXISTS"));
    refused(wx["pay/unifiedorder"].post(json!({"a": 1})), 404, "RESOURCE_NOT_EXISTS", "APIv2");
    let reply = send("/other/unifiedorder", "text/xml", xml);
    assert_eq!(reply.status, 401, "not a path of APIv2: {}", reply.text());
    assert!(
        sandbox
            .requests()
            .iter()
            .all(|seen| !matches!(seen.verdict, wechatpay_chain::sandbox::Verdict::Accepted))
    );
}
