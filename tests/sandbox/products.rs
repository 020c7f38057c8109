//! Payscore, transfers, profit sharing and files in the sandbox.

use serde_json::{Value, json};
use wechatpay_chain::Media;

use crate::requests::*;

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
    let act = |verb: &str, mut body: Value| {
        if verb == "modify" {
            body["reason"] = json!("r");
        }
        wx.chain(&format!("{path}/{{no}}/{verb}")).post(body).var("no", "S1")
    };
    let bill = |total: i64| {
        with(json!({
            "total_amount": total,
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
    assert_eq!(ok(wx[path].post(second))["state"], "CREATED");
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
    refused(end(&[("authorization_code", "A1")]), 400, "PARAM_ERROR", "/authorization_code");
    assert_eq!(ok(end(&[])), Value::Null, "a request without a user");
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

/// A service provider's requests for an existing order name no appid, and completing replaces the lists of the order.
#[test]
fn a_provider_completes_a_service_order_with_its_documented_fields() {
    let (sandbox, wx) = start();
    let sub = "1230000109";
    let path = "v3/payscore/partner/serviceorder";
    let create = |number: &str| {
        wx[path].post(json!({
            "appid": APPID, "sub_mchid": sub, "service_id": "500001", "out_order_no": number, "service_introduction": "d",
            "notify_url": "https://www.example.com/n", "time_range": {"start_time": "OnAccept"},
            "risk_fund": {"name": "DEPOSIT", "amount": 1000},
            "post_discounts": [{"name": "新人", "description": "d", "amount": 1}],
        }))
    };
    let act = |number: &str, action: &str, more: Value| {
        let mut body = json!({"service_id": "500001", "sub_mchid": sub});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        wx.chain(&format!("{path}/{{n}}/{action}")).post(body).var("n", number)
    };
    let charge =
        |total: i64| json!({"total_amount": total, "post_payments": [{"name": "n", "amount": total}]});
    let with = |mut body: Value, name: &str, value: Value| {
        body[name] = value;
        body
    };
    ok(create("S1"));
    sandbox.confirm_service_order("S1").unwrap();
    refused(
        act("S1", "complete", with(charge(100), "time_range", json!({"end_time": 5}))),
        400,
        "PARAM_ERROR",
        "/time_range/end_time",
    );
    // Twice, as after a lost response.
    let order = || {
        let query = json!({"service_id": "500001", "sub_mchid": sub, "out_order_no": "S1"});
        ok(wx[path].get().query(query))
    };
    for _ in 0..2 {
        assert_eq!(ok(act("S1", "complete", charge(100))), Value::Null);
        let completed = order();
        assert_eq!((&completed["total_amount"], &completed["post_discounts"]), (&json!(100), &Value::Null));
    }
    let discount = json!([{"name": "n", "description": "d", "amount": 10}]);
    let reduced = with(with(charge(90), "reason", json!("r")), "post_discounts", discount);
    let reduced = with(reduced, "total_amount", json!(80));
    ok(act("S1", "modify", reduced));
    assert_eq!(order()["total_amount"], 80);
    ok(act("S1", "modify", with(charge(70), "reason", json!("r"))));
    let again = order();
    assert_eq!((&again["total_amount"], &again["post_discounts"]), (&json!(70), &Value::Null));
    ok(act("S1", "pay", json!({})));
    refused(act("S1", "cancel", json!({"reason": "r"})), 400, "ORDER_DONE", "S1");
    ok(create("S2"));
    ok(act("S2", "cancel", json!({"reason": "r"})));
    ok(create("S3"));
    sandbox.confirm_service_order("S3").unwrap();
    ok(act("S3", "complete", charge(5)));
    ok(act("S3", "sync", json!({"type": "Order_Paid", "detail": {"paid_time": "20261120101010"}})));
}

#[test]
fn a_transfer_is_accepted_or_cancelled() {
    let (sandbox, wx) = start();
    let path = "v3/fund-app/mch-transfer/transfer-bills";
    let transfer = |number: &str, amount: i64| {
        wx[path].post(json!({
            "appid": APPID, "out_bill_no": number, "transfer_scene_id": "1000", "openid": OPENID,
            "transfer_amount": amount, "transfer_remark": "r", "notify_url": "https://www.example.com/notify",
            "transfer_scene_report_infos": [{"info_type": "活动名称", "info_content": "x"}],
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
    // Repeated after a lost response.
    assert_eq!(ok(cancel("T2"))["state"], "CANCELLED");
    let by_number = wx.chain(&format!("{path}/out-bill-no/{{no}}")).get().var("no", "T2");
    let cancelled = ok(by_number);
    assert_eq!((&cancelled["state"], &cancelled["fail_reason"]), (&json!("CANCELLED"), &Value::Null));
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
    let account = json!({
        "appid": APPID, "type": "MERCHANT_ID", "account": "1900000999", "relation_type": "PARTNER", "name": "分账公司",
    });
    let add =
        |account: &Value| wx["v3/profitsharing/receivers/add"].post(account.clone()).encrypt(&["/name"]);
    refused(share(&plain, "S1", 10), 400, "INVALID_REQUEST", "P7654321");
    refused(share(&id, "S1", 10), 400, "PARAM_ERROR", "/receivers/0/account");
    let added = add(&account).wait().unwrap();
    assert_eq!(added.decrypt(&["/name"]).unwrap()["name"], "分账公司");
    ok(add(&account));
    let without = |name: &str, change: Value| {
        let mut account = account.clone();
        account[name] = change;
        account
    };
    refused(add(&without("name", json!("别的公司"))), 400, "INVALID_REQUEST", "/name");
    let plain_name = wx["v3/profitsharing/receivers/add"].post(account.clone());
    refused(plain_name, 400, "PARAM_ERROR", "Wechatpay-Serial");
    let mut unnamed = without("name", Value::Null);
    unnamed["account"] = json!("1900000997");
    refused(wx["v3/profitsharing/receivers/add"].post(unnamed), 400, "PARAM_ERROR", "/name");
    refused(add(&without("relation_type", json!("CUSTOM"))), 400, "INVALID_REQUEST", "/relation_type");
    refused(add(&without("relation_type", json!("FRIEND"))), 400, "PARAM_ERROR", "/relation_type");
    let mut custom = account.clone();
    (custom["account"], custom["relation_type"]) = (json!("1900000998"), json!("CUSTOM"));
    refused(add(&custom), 400, "PARAM_ERROR", "/custom_relation");
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
    for _ in 0..2 {
        let unfrozen = ok(wx["v3/profitsharing/orders/unfreeze"].post(unfreeze.clone()));
        assert_eq!(unfrozen["receivers"][0]["amount"], 70);
    }
    refused(share(&id, "S3", 1), 403, "NOT_ENOUGH", "0 available");
    let back = |number: &str, amount: i64| {
        wx["v3/profitsharing/return-orders"].post(json!({
            "out_order_no": "S1", "out_return_no": number, "return_mchid": "1900000999", "amount": amount,
            "description": "d",
        }))
    };
    assert_eq!(ok(back("B1", 20))["result"], "SUCCESS");
    refused(back("B2", 11), 403, "NOT_ENOUGH", "10 of 30");
    ok(back("B2", 10));
    let mut account = account.clone();
    refused(
        wx["v3/profitsharing/receivers/delete"].post(account.clone()),
        400,
        "PARAM_ERROR",
        "/relation_type",
    );
    for name in ["name", "relation_type"] {
        account.as_object_mut().unwrap().remove(name);
    }
    ok(wx["v3/profitsharing/receivers/delete"].post(account.clone()));
    refused(wx["v3/profitsharing/receivers/delete"].post(account), 404, "RESOURCE_NOT_EXISTS", "1900000999");
}

/// The names of receivers are for the platform only.
#[test]
fn no_share_shows_the_name_of_a_receiver() {
    let (sandbox, wx) = start();
    let mut body = native(&wx, "P1234567", 100);
    body["settle_info"] = json!({"profit_sharing": true});
    ok(wx["v3/pay/transactions/native"].post(body));
    let id = sandbox.pay("P1234567").unwrap()["transaction_id"].clone();
    let receiver = json!({"type": "PERSONAL_OPENID", "account": OPENID, "name": "张三"});
    let mut account = receiver.clone();
    (account["appid"], account["relation_type"]) = (json!(APPID), json!("USER"));
    ok(wx["v3/profitsharing/receivers/add"].post(account).encrypt(&["/name"]));
    let share = |name: &str| {
        let mut receiver = receiver.clone();
        (receiver["name"], receiver["amount"], receiver["description"]) =
            (json!(name), json!(30), json!("d"));
        let body = json!({
            "appid": APPID, "transaction_id": id, "out_order_no": "S1", "unfreeze_unsplit": true, "receivers": [receiver],
        });
        ok_or_code(wx["v3/profitsharing/orders"].post(body).encrypt(&["/receivers/0/name"]))
    };
    let first = share("张三").unwrap();
    let query = wx.chain("v3/profitsharing/orders/{no}").get().var("no", "S1");
    let queried = ok(query.query(json!({"transaction_id": id})));
    assert_eq!(share("张三").unwrap()["receivers"][0]["account"], OPENID, "a repeat");
    for shown in [first, queried] {
        assert_eq!(shown["receivers"].as_array().unwrap().len(), 2);
        assert!(!shown.to_string().contains("name") && !shown.to_string().contains("张三"), "{shown}");
    }
    assert_eq!(share("李四").unwrap_err(), "INVALID_REQUEST", "the name is compared");
}

#[test]
fn a_file_comes_back_as_it_went() {
    let (_sandbox, wx) = start();
    let mut bytes: Vec<u8> = (0..200_000_u32).map(|at| at.to_le_bytes()[0]).collect();
    for (path, name, media_type, start) in [
        ("v3/merchant/media/upload", "a.png", "image/png", b"\x89PNG\r\n\x1a\n"),
        ("v3/merchant/media/video_upload", "a.mp4", "video/mp4", b"\0\0\0\x18ftyp"),
        ("v3/merchant-service/images/upload", "a.png", "image/png", b"\x89PNG\r\n\x1a\n"),
    ] {
        bytes.splice(..8, *start);
        let id = ok(wx[path].post(Value::Null).media(Media::bytes(name, bytes.clone())))["media_id"].clone();
        let get = wx.chain("v3/merchant-service/images/{id}").get().var("id", id.as_str().unwrap());
        let response = get.wait().unwrap();
        assert_eq!((response.header("Content-Type"), response.verified()), (Some(media_type), false));
        assert!(*response.bytes() == bytes);
    }
    let marketing = "v3/marketing/favor/media/image-upload";
    let upload =
        |path: &str, bytes: &[u8]| wx[path].post(Value::Null).media(Media::bytes("a.png", bytes.to_vec()));
    assert!(ok(upload(marketing, &bytes))["media_url"].as_str().unwrap().starts_with("https://"));
    let large = [&bytes[..8], &vec![0; 2 << 20]].concat();
    for (path, file) in [
        ("v3/merchant/media/upload", &b"some text"[..]),
        ("v3/merchant/media/upload", b""),
        ("v3/merchant/media/video_upload", b""),
        ("v3/merchant-service/images/upload", b"%PDF-1.7"),
        (marketing, &large),
    ] {
        refused(upload(path, file), 400, "PARAM_ERROR", "/file");
    }
    let unknown = wx.chain("v3/merchant-service/images/{id}").get().var("id", "none");
    refused(unknown, 404, "RESOURCE_NOT_EXISTS", "none");
}
