//! Business time, refunds and transfers that fail, and the balances that follow.

use std::{
    io::Write,
    time::{Duration, Instant, SystemTime},
};

use serde_json::{Value, json};
use wechatpay_chain::WeChatPay;
use wechatpay_chain::sandbox::{Sandbox, SandboxError};

use crate::raw_http::{Reply, connect, receive};
use crate::requests::*;
use crate::support::{TestServer, has, sandbox_builder};

pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

/// A request to the control endpoint.
pub(crate) fn control(sandbox: &Sandbox, method: &str, path: &str, body: &str) -> Reply {
    let address = sandbox.base_url().trim_start_matches("http://").trim_end_matches('/');
    let mut stream = connect(sandbox);
    let length = body.len();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n{body}")
        .unwrap();
    receive(&mut stream).unwrap()
}

pub(crate) fn pay_new(sandbox: &Sandbox, wx: &WeChatPay, number: &str, total: i64) -> Value {
    ok(wx["v3/pay/transactions/native"].post(native(wx, number, total)));
    sandbox.pay(number).unwrap()
}

/// The decrypted resources of all notifications, oldest first.
pub(crate) fn resources(sandbox: &Sandbox) -> Vec<Value> {
    let list = control(sandbox, "GET", "/_sandbox/notifications", "").json()["notifications"].take();
    list.as_array().unwrap().iter().rev().map(|sent| sent["resource"].clone()).collect()
}

fn get_refund(wx: &WeChatPay, number: &str) -> Value {
    ok(wx.chain("v3/refund/domestic/refunds/{n}").get().var("n", number))
}

pub(crate) fn bill(wx: &WeChatPay, path: &str, query: Value) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bill.csv");
    wx.bill(path).query(query).save_to(&file).wait().unwrap();
    std::fs::read_to_string(file).unwrap()
}

pub(crate) fn column(bill: &str, name: &str) -> Vec<String> {
    rows(bill.as_bytes()).0.iter().map(|row| row.get(name).unwrap().to_owned()).collect()
}

#[test]
fn time_passes_for_business_and_not_for_signatures() {
    let (sandbox, wx) = start();
    let mut order = native(&wx, "P1000000", 100);
    order["time_expire"] = json!("2026-01-01T00:00:00+08:00");
    refused(wx["v3/pay/transactions/native"].post(order.clone()), 400, "PARAM_ERROR", "/time_expire");
    let in_a_day = sandbox.business_time() + DAY;
    let seconds = in_a_day.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    // `date` writes the time, so that no code of the sandbox does.
    let expire = std::process::Command::new("date")
        .args(["-u", "-d", &format!("@{seconds}"), "+%Y-%m-%dT%H:%M:%SZ"])
        .output()
        .unwrap();
    order["time_expire"] = json!(String::from_utf8(expire.stdout).unwrap().trim());
    ok(wx["v3/pay/transactions/native"].post(order.clone()));

    sandbox.advance(DAY - Duration::from_secs(60)).unwrap();
    assert_eq!(ok(self::order(&wx, "P1000000"))["trade_state"], "NOTPAY");
    let reply = control(&sandbox, "POST", "/_sandbox/clock", r#"{"advance": "1m"}"#);
    assert_eq!((reply.status, reply.json()["advanced"].clone()), (200, json!(86_400)));
    // The client still works: its clock and the sandbox's clock of signatures are the same.
    assert_eq!(ok(self::order(&wx, "P1000000"))["trade_state"], "CLOSED");
    not_done(sandbox.pay("P1000000"), "ORDER_CLOSED");
    refused(wx["v3/pay/transactions/native"].post(order), 400, "ORDER_CLOSED", "P1000000");
    // What happens now has the new time.
    let paid = pay_new(&sandbox, &wx, "P2000000", 100);
    let shown = control(&sandbox, "GET", "/_sandbox/clock", "").json();
    assert_eq!(paid["success_time"].as_str().unwrap()[..10], shown["business_time"].as_str().unwrap()[..10]);
    assert!((shown["now"].as_i64().unwrap() - crate::raw_http::now()).abs() <= 2, "{shown}");
    let ahead = sandbox.business_time().duration_since(SystemTime::now()).unwrap();
    assert!(ahead <= DAY && ahead + Duration::from_secs(2) > DAY, "{ahead:?}");

    for (body, part) in [
        (r#"{"advance": "1w"}"#, "1w"),
        (r#"{"advance": "-1d"}"#, "-1d"),
        (r#"{"advance": 86400}"#, "invalid body"),
        (r#"{"advance": "4000d"}"#, "3650 days"),
        (r#"{"advance": "9999999999999d"}"#, "3650 days"),
        (r#"{"advance": "99999999999999999999d"}"#, "period"),
        ("{}", "advance"),
        (r#"{"advanced": "1d"}"#, "unknown field"),
    ] {
        let reply = control(&sandbox, "POST", "/_sandbox/clock", body);
        assert!(reply.status == 400 && reply.text().contains(part), "{body}: {}", reply.text());
    }
    let far = sandbox.advance(Duration::MAX).unwrap_err();
    assert!(matches!(&far, SandboxError::State { .. }) && far.to_string().contains("3650"), "{far}");
    assert_eq!(control(&sandbox, "GET", "/_sandbox/clock", "").json()["advanced"], 86_400);
}

#[test]
fn advancing_repeats_notifications_on_their_schedule() {
    let busy = TestServer::one_by_one(|mut stream, notes| {
        let mut request = [0; 8192];
        let _ = std::io::Read::read(&mut stream, &mut request)?;
        notes.request("a notification");
        write!(stream, "HTTP/1.1 500 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    });
    let (sandbox, wx) = start();
    let mut order = native(&wx, "P1000000", 100);
    order["notify_url"] = json!(format!("{}notify", busy.base));
    ok(wx["v3/pay/transactions/native"].post(order));
    sandbox.pay("P1000000").unwrap();
    let attempts = |expected: usize| {
        let begun = Instant::now();
        while sandbox.notifications()[0].attempts.len() < expected
            && begun.elapsed() < Duration::from_secs(20)
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        // No more than these.
        std::thread::sleep(Duration::from_millis(150));
        assert_eq!(sandbox.notifications()[0].attempts.len(), expected);
    };
    attempts(1);
    // 15 s, 15 s, 30 s, 3 min, ...: of the first pause, 14 s at most are over.
    sandbox.advance(Duration::from_secs(10)).unwrap();
    attempts(1);
    sandbox.advance(Duration::from_secs(5)).unwrap();
    attempts(2);
    // 45 s: the pauses of 15 s and 30 s.
    sandbox.advance(Duration::from_secs(45)).unwrap();
    attempts(4);
    sandbox.advance(DAY + Duration::from_secs(4 * 60)).unwrap();
    attempts(16);
    assert!(sandbox.notifications()[0].is_done());
}

#[test]
fn a_bill_is_there_on_the_next_day_from_ten() {
    let (sandbox, wx) = start();
    let paid = pay_new(&sandbox, &wx, "P1000000", 100);
    let date = day(&paid);
    let ask = |path: &str, date: &str| wx.chain(path).get().query(json!({"bill_date": date}));
    let both = ["v3/bill/tradebill", "v3/bill/fundflowbill"];
    for path in both {
        refused(ask(path, &date), 400, "STATEMENT_CREATING", &format!("the bill of {date} is there from"));
    }
    // To 09:59 of the next day, by Beijing's clock, and then past 10:00.
    let time = paid["success_time"].as_str().unwrap();
    let number = |range: std::ops::Range<usize>| time[range].parse::<u64>().unwrap();
    let since_midnight = number(11..13) * 3600 + number(14..16) * 60 + number(17..19);
    sandbox.advance(DAY + Duration::from_secs(10 * 3600 - 60) - Duration::from_secs(since_midnight)).unwrap();
    for path in both {
        refused(ask(path, &date), 400, "STATEMENT_CREATING", &date);
    }
    sandbox.advance(Duration::from_secs(60)).unwrap();
    for path in both {
        assert!(bill(&wx, path, json!({"bill_date": date})).contains("P1000000"));
    }
    refused(ask(both[0], "2026-02-30"), 400, "PARAM_ERROR", "bill_date");
    refused(ask(both[0], "2999-01-01"), 400, "INVALID_REQUEST", "2999-01-01");
    // A day without entries, and a day that is too long ago.
    sandbox.advance(30 * DAY).unwrap();
    let empty = &pay_new(&sandbox, &wx, "P2000000", 1)["success_time"].as_str().unwrap()[..10].to_owned();
    sandbox.advance(3 * DAY).unwrap();
    let later = pay_new(&sandbox, &wx, "P3000000", 1);
    sandbox.advance(2 * DAY).unwrap();
    assert!(bill(&wx, both[0], json!({"bill_date": empty})).contains("P2000000"));
    assert!(bill(&wx, both[1], json!({"bill_date": day(&later)})).contains("P3000000"));
    sandbox.advance(100 * DAY).unwrap();
    refused(ask(both[0], &date), 400, "INVALID_REQUEST", &date);
}

#[test]
fn a_state_file_keeps_the_time_of_business() {
    let folder = tempfile::tempdir().unwrap();
    let start = || sandbox_builder().state(folder.path().join("state")).start().unwrap();
    let sandbox = start();
    sandbox.advance(DAY).unwrap();
    sandbox.advance(Duration::from_millis(1)).unwrap();
    drop(sandbox);
    let sandbox = start();
    assert_eq!(control(&sandbox, "GET", "/_sandbox/clock", "").json()["advanced"], 86_401);
}

#[test]
fn a_refund_fails_or_is_closed() {
    let (sandbox, wx) = start();
    let mut order = native(&wx, "P1000000", 100);
    order["settle_info"] = json!({"profit_sharing": true});
    ok(wx["v3/pay/transactions/native"].post(order));
    let id = sandbox.pay("P1000000").unwrap()["transaction_id"].clone();
    let left = || {
        let path = "v3/profitsharing/transactions/{id}/amounts";
        ok(wx.chain(path).get().var("id", id.as_str().unwrap()))["unsplit_amount"].clone()
    };
    let state = || ok(self::order(&wx, "P1000000"))["trade_state"].clone();
    let path = "v3/refund/domestic/refunds";
    assert_eq!(control(&sandbox, "POST", "/_sandbox/holds", r#"{"refunds": true}"#).json()["refunds"], true);
    let with_url = |number: &str, cents: i64| {
        let mut body = refund("P1000000", number, cents, 100);
        body["notify_url"] = json!("https://www.example.com/refund");
        wx[path].post(body)
    };
    for (number, cents) in [("R1", 30), ("R2", 70)] {
        assert_eq!(ok(with_url(number, cents))["status"], "PROCESSING");
    }
    refused(with_url("R3", 1), 403, "NOT_ENOUGH", "0 of 100");
    assert_eq!((left(), state()), (json!(0), json!("REFUND")));

    // Closed: its amount is free again.
    assert_eq!(sandbox.close_refund("R2").unwrap()["status"], "CLOSED");
    assert_eq!(
        (get_refund(&wx, "R2")["status"].clone(), left(), state()),
        (json!("CLOSED"), json!(70), json!("REFUND"))
    );
    not_done(sandbox.close_refund("R2"), "CLOSED");
    not_done(sandbox.settle_refund("R2"), "CLOSED");
    // Abnormal: its amount stays deducted, and it can be paid to another account.
    let reply = control(&sandbox, "POST", "/_sandbox/payer", r#"{"do": "fail-refund", "number": "R1"}"#);
    assert_eq!((reply.status, reply.json()["status"].clone()), (200, json!("ABNORMAL")));
    assert_eq!((get_refund(&wx, "R1")["status"].clone(), left()), (json!("ABNORMAL"), json!(70)));
    refused(with_url("R3", 71), 403, "NOT_ENOUGH", "70 of 100");
    let refund_id = get_refund(&wx, "R1")["refund_id"].clone();
    let elsewhere = |number: &str, kind: &str| {
        let body = json!({
            "out_refund_no": number, "type": kind, "bank_type": "ICBC_DEBIT", "bank_account": "6222000000000000",
            "real_name": "张三",
        });
        let request = wx.chain("v3/refund/domestic/refunds/{id}/apply-abnormal-refund").post(body);
        request.var("id", refund_id.as_str().unwrap()).encrypt(&["/bank_account", "/real_name"])
    };
    refused(elsewhere("R2", "USER_BANK_CARD"), 400, "PARAM_ERROR", "out_refund_no");
    let bare = json!({"out_refund_no": "R1", "type": "USER_BANK_CARD", "bank_type": "ICBC_DEBIT"});
    let bare = wx.chain("v3/refund/domestic/refunds/{id}/apply-abnormal-refund").post(bare);
    refused(bare.var("id", refund_id.as_str().unwrap()), 400, "PARAM_ERROR", "/bank_account");
    for _ in 0..2 {
        assert_eq!(ok(elsewhere("R1", "USER_BANK_CARD"))["status"], "PROCESSING");
    }
    refused(elsewhere("R1", "MERCHANT_BANK_CARD"), 400, "INVALID_REQUEST", "/type");
    sandbox.settle_refund("R1").unwrap();
    assert_eq!(get_refund(&wx, "R1")["status"], "SUCCESS");

    let sent: Vec<_> = sandbox.notifications().iter().map(|sent| sent.event_type.clone()).collect();
    assert_eq!(sent, ["TRANSACTION.SUCCESS", "REFUND.CLOSED", "REFUND.ABNORMAL", "REFUND.SUCCESS"]);

    // With the last refund closed, the order is a paid one again.
    pay_new(&sandbox, &wx, "P2000000", 100);
    ok(wx[path].post(refund("P2000000", "R9", 100, 100)));
    sandbox.close_refund("R9").unwrap();
    assert_eq!(ok(self::order(&wx, "P2000000"))["trade_state"], "SUCCESS");
    sandbox.hold_refunds(false);
    ok(wx[path].post(refund("P2000000", "R10", 100, 100)));
    assert_eq!(get_refund(&wx, "R10")["status"], "SUCCESS");
    not_done(sandbox.fail_refund("R10"), "SUCCESS");
    not_done(sandbox.fail_refund("R11"), "R11");
}

#[test]
fn a_transfer_fails() {
    let (sandbox, wx) = start();
    let path = "v3/fund-app/mch-transfer/transfer-bills";
    ok(wx[path].post(json!({
        "appid": APPID, "out_bill_no": "T1", "transfer_scene_id": "1000", "openid": OPENID,
        "transfer_amount": 100, "transfer_remark": "r", "notify_url": "https://www.example.com/notify",
        "transfer_scene_report_infos": [{"info_type": "活动名称", "info_content": "x"}],
    })));
    sandbox.fail_transfer("T1").unwrap();
    let failed = ok(wx.chain(&format!("{path}/out-bill-no/{{n}}")).get().var("n", "T1"));
    assert_eq!((&failed["state"], &failed["fail_reason"]), (&json!("FAIL"), &json!("ACCOUNT_FROZEN")));
    not_done(sandbox.accept_transfer("T1"), "FAIL");
    let sent = &sandbox.notifications()[0];
    assert_eq!(sent.event_type, "MCHTRANSFER.BILL.FINISHED");
}

/// The user has a day, by the business clock. Advancing it notifies; nobody needs to ask.
#[test]
fn a_transfer_lapses_after_a_day() {
    let (sandbox, wx) = start();
    let path = "v3/fund-app/mch-transfer/transfer-bills";
    let transfer = |number: &str| {
        ok(wx[path].post(json!({
            "appid": APPID, "out_bill_no": number, "transfer_scene_id": "1000", "openid": OPENID,
            "transfer_amount": 100, "transfer_remark": "r", "notify_url": "https://www.example.com/notify",
            "transfer_scene_report_infos": [{"info_type": "活动名称", "info_content": "x"}],
        })))
    };
    let state = |number: &str| {
        let found = ok(wx.chain(&format!("{path}/out-bill-no/{{n}}")).get().var("n", number));
        (found["state"].clone(), found["fail_reason"].clone())
    };
    let waiting = || (json!("WAIT_USER_CONFIRM"), Value::Null);
    let lapsed = || (json!("FAIL"), json!("OVERDUE_CLOSE"));
    transfer("T1");
    sandbox.advance(DAY - Duration::from_secs(60)).unwrap();
    assert_eq!(state("T1"), waiting());
    transfer("T2");
    transfer("T3");
    assert!(sandbox.notifications().is_empty());
    sandbox.advance(Duration::from_secs(60)).unwrap();
    let sent = resources(&sandbox);
    assert_eq!((sent.len(), &sent[0]["out_bill_no"]), (1, &json!("T1")));
    assert_eq!(sent[0]["fail_reason"], "OVERDUE_CLOSE");
    assert_eq!((state("T1"), state("T2")), (lapsed(), waiting()));
    not_done(sandbox.accept_transfer("T1"), "FAIL");
    let cancel = wx.chain(&format!("{path}/out-bill-no/{{n}}/cancel")).post(Value::Null);
    refused(cancel.var("n", "T1"), 400, "INVALID_REQUEST", "FAIL");
    sandbox.accept_transfer("T2").unwrap();
    // Over the control endpoint, too, and once each.
    assert_eq!(control(&sandbox, "POST", "/_sandbox/clock", r#"{"advance": "1d"}"#).status, 200);
    assert_eq!((state("T2").0, state("T3")), (json!("SUCCESS"), lapsed()));
    let states: Vec<_> = resources(&sandbox).iter().map(|sent| sent["state"].clone()).collect();
    assert_eq!(states, ["FAIL", "SUCCESS", "FAIL"]);
    // Money that was not accepted did not move.
    sandbox.advance(2 * DAY).unwrap();
    let date = &resources(&sandbox)[1]["update_time"].as_str().unwrap()[..10].to_owned();
    let funds = bill(&wx, "v3/bill/fundflowbill", json!({"bill_date": date}));
    assert_eq!(column(&funds, "收支金额(元)"), ["1.00"], "{funds}");
}

/// A provider's unfreeze pays the sub-merchant, and every account's balance is the sum of its moves.
#[test]
fn balances_are_the_sums_of_their_moves() {
    let (sandbox, wx) = start();
    let sub = "1230000109";
    let order = json!({
        "sp_appid": APPID, "sp_mchid": wx.mchid(), "sub_mchid": sub, "description": "d", "out_trade_no": "P1000000",
        "notify_url": "https://www.example.com/n", "amount": {"total": 1000}, "settle_info": {"profit_sharing": true},
    });
    ok(wx["v3/pay/partner/transactions/native"].post(order));
    let paid = sandbox.pay("P1000000").unwrap();
    let id = paid["transaction_id"].clone();
    ok(wx["v3/profitsharing/receivers/add"].post(json!({
        "sub_mchid": sub, "appid": APPID, "type": "MERCHANT_ID", "account": "1900000999", "name": "公司", "relation_type": "PARTNER",
    })).encrypt(&["/name"]));
    ok(wx["v3/profitsharing/orders"].post(json!({
        "sub_mchid": sub, "appid": APPID, "transaction_id": id, "out_order_no": "S1", "unfreeze_unsplit": false,
        "receivers": [{"type": "MERCHANT_ID", "account": "1900000999", "amount": 300, "description": "d"}],
    })));
    let unfreeze = json!({"sub_mchid": sub, "transaction_id": id, "out_order_no": "S2", "description": "d"});
    let unfrozen = ok(wx["v3/profitsharing/orders/unfreeze"].post(unfreeze));
    assert_eq!(
        (&unfrozen["receivers"][0]["account"], &unfrozen["receivers"][0]["amount"]),
        (&json!(sub), &json!(700))
    );
    let back = |share: &str, mchid: &str, number: &str| {
        wx["v3/profitsharing/return-orders"].post(json!({
            "sub_mchid": sub, "out_order_no": share, "out_return_no": number, "return_mchid": mchid, "amount": 100,
            "description": "d",
        }))
    };
    // What was unfrozen for the sub-merchant was no share.
    refused(back("S2", sub, "B1"), 400, "PARAM_ERROR", "/return_mchid");
    ok(back("S1", "1900000999", "B1"));
    let mut part = refund("P1000000", "R1", 250, 1000);
    part["sub_mchid"] = json!(sub);
    ok(wx["v3/refund/domestic/refunds"].post(part));

    // The provider's own account has only what is its own.
    pay_new(&sandbox, &wx, "P2000000", 500);
    ok(wx["v3/fund-app/mch-transfer/transfer-bills"].post(json!({
        "appid": APPID, "out_bill_no": "T1", "transfer_scene_id": "1000", "openid": OPENID, "transfer_amount": 20,
        "transfer_remark": "r", "transfer_scene_report_infos": [{"info_type": "t", "info_content": "x"}],
    })));
    sandbox.accept_transfer("T1").unwrap();
    sandbox.advance(2 * DAY).unwrap();
    let date = day(&paid);
    let funds = bill(&wx, "v3/bill/fundflowbill", json!({"bill_date": date, "sub_mchid": sub}));
    assert_eq!(column(&funds, "业务名称"), ["交易", "分账", "分账回退", "退款"], "{funds}");
    assert_eq!(column(&funds, "账户结余(元)"), ["10.00", "7.00", "8.00", "5.50"]);
    let funds = bill(&wx, "v3/bill/fundflowbill", json!({"bill_date": date}));
    assert_eq!(column(&funds, "业务名称"), ["交易", "商家转账"]);
    assert_eq!(column(&funds, "账户结余(元)"), ["5.00", "4.80"]);

    // The next day begins with the balance of this one.
    let later = pay_new(&sandbox, &wx, "P3000000", 1);
    sandbox.advance(2 * DAY).unwrap();
    let funds = bill(&wx, "v3/bill/fundflowbill", json!({"bill_date": day(&later)}));
    assert_eq!(column(&funds, "账户结余(元)"), ["4.81"]);
}

/// Every `curl` line of the guide that uses the control endpoint, in both languages.
#[test]
fn the_lines_of_the_guide_work() {
    if !has("curl") {
        return;
    }
    for guide in ["sandbox.md", "sandbox.zh-CN.md"] {
        let sandbox = sandbox_builder().hold_refunds(true).start().unwrap();
        let wx = sandbox.client().unwrap();
        pay_new(&sandbox, &wx, "P2026112201", 100);
        ok(wx["v3/refund/domestic/refunds"].post(refund("P2026112201", "R202611220001", 40, 100)));
        let text = std::fs::read_to_string(format!("{}/docs/{guide}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let address = sandbox.base_url().trim_start_matches("http://").trim_end_matches('/');
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("curl ") && line.contains("127.0.0.1:8080"))
            .collect();
        assert!(lines.len() >= 4, "{guide}: {lines:?}");
        for line in lines {
            let script = line.replacen("curl", "curl -sSf", 1).replace("127.0.0.1:8080", address);
            let done = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert!(done.status.success(), "{guide}: {line}: {}", String::from_utf8_lossy(&done.stderr));
        }
        sandbox.clear_faults();
        assert_eq!(get_refund(&wx, "R202611220001")["status"], "ABNORMAL", "{guide}");
        assert!(sandbox.business_time() > SystemTime::now() + DAY / 2, "{guide}");
    }
}
