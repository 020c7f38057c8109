//! Every encrypted field of the modelled flows: it must come encrypted, is compared in the clear, and goes back encrypted.

use serde_json::{Value, json};
use wechatpay_chain::{Request, WeChatPay};

use crate::business::resources;
use crate::requests::*;

/// The path, a valid body with its personal data in the clear, and the pointers of these.
fn requests(wx: &WeChatPay) -> Vec<(&'static str, Value, &'static [&'static str])> {
    let identity = json!({"type": "IDCARD", "number": "110101199003070000", "name": "张三"});
    let order = |number: &str| {
        let mut order = native(wx, number, 100);
        order["payer"] = json!({"identity": identity.clone(), "openid": OPENID});
        order
    };
    let mut app = order("P1000001");
    app["payer"] = json!({"identity": identity.clone()});
    let mut partner = json!({
        "sp_appid": APPID, "sp_mchid": wx.mchid(), "sub_mchid": "1230000109", "description": "d",
        "out_trade_no": "P1000002", "notify_url": "https://www.example.com/n", "amount": {"total": 100},
    });
    partner["payer"] = json!({"identity": identity.clone()});
    let combined = json!({
        "combine_appid": APPID, "combine_mchid": wx.mchid(), "combine_out_trade_no": "C1000000",
        "notify_url": "https://www.example.com/n", "combine_payer_info": {"identity": identity.clone()},
        "sub_orders": [{
            "mchid": wx.mchid(), "out_trade_no": "P1000003", "description": "d", "attach": "a",
            "amount": {"total_amount": 50, "currency": "CNY"},
        }],
    });
    let of_payer: &[&str] = &["/payer/identity/number", "/payer/identity/name"];
    let of_payers: &[&str] = &["/combine_payer_info/identity/number", "/combine_payer_info/identity/name"];
    vec![
        ("v3/pay/transactions/jsapi", order("P1000000"), of_payer),
        ("v3/pay/transactions/app", app, of_payer),
        ("v3/pay/partner/transactions/native", partner, of_payer),
        ("v3/combine-transactions/native", combined, of_payers),
        (
            "v3/fund-app/mch-transfer/transfer-bills",
            json!({
                "appid": APPID, "out_bill_no": "T1", "transfer_scene_id": "1000", "openid": OPENID,
                "transfer_amount": 100, "transfer_remark": "r", "user_name": "张三",
                "transfer_scene_report_infos": [{"info_type": "活动名称", "info_content": "x"}],
            }),
            &["/user_name"],
        ),
        (
            "v3/profitsharing/receivers/add",
            json!({"appid": APPID, "type": "PERSONAL_OPENID", "account": OPENID, "relation_type": "USER", "name": "张三"}),
            &["/name"],
        ),
        (
            "v3/security/echo",
            json!({"echo_message": "x", "encrypted_echo_message": "茶"}),
            &["/encrypted_echo_message"],
        ),
    ]
}

#[test]
fn a_field_in_the_clear_or_of_junk_is_refused_and_named() {
    let (sandbox, wx) = start();
    let id = sandbox.platform_public_key_id();
    for (path, body, fields) in requests(&wx) {
        for field in fields {
            let others: Vec<&str> = fields.iter().copied().filter(|other| other != field).collect();
            // The others are encrypted, and so name the key.
            let with = |value: &str| {
                let mut body = body.clone();
                *body.pointer_mut(field).unwrap() = json!(value);
                wx[path].post(body).encrypt(&others).header("Wechatpay-Serial", id)
            };
            let junk = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, [7; 256]);
            for value in ["张三", "zhang", "AAAA", &junk] {
                refused(with(value), 400, "PARAM_ERROR", field);
            }
        }
        refused(wx[path].post(body.clone()), 400, "PARAM_ERROR", "Wechatpay-Serial");
        // Nothing of these was stored.
        ok(wx[path].post(body.clone()).encrypt(fields));
    }
}

#[test]
fn a_repeat_is_compared_in_the_clear() {
    let (_sandbox, wx) = start();
    for (path, body, fields) in requests(&wx) {
        let send = |body: &Value| wx[path].post(body.clone()).encrypt(fields);
        let (first, second) = (ok(send(&body)), ok(send(&body)));
        let clear = |mut response: Value| {
            for field in fields.iter().map(|field| &field[1..]) {
                if let Some(value) = response.get_mut(field) {
                    let clear = wx.decrypt(value.as_str().unwrap()).unwrap();
                    assert_eq!(clear, body[field], "{path}");
                    *value = json!(clear);
                }
            }
            response
        };
        assert_eq!(clear(first), clear(second), "{path}");
        // Another person is another request. An echo and a combined order keep nothing to compare.
        if path.ends_with("echo") || path.starts_with("v3/combine") {
            continue;
        }
        let mut other = body.clone();
        *other.pointer_mut(fields[0]).unwrap() = json!("李四");
        let status = if path.starts_with("v3/pay/") { 403 } else { 400 };
        let error = send(&other).wait().unwrap_err();
        let wechatpay_chain::Error::Api(error) = error else { panic!("{error}") };
        assert_eq!(error.status, status, "{path}: {error}");
    }
}

#[test]
fn the_name_of_a_receiver_comes_encrypted_with_a_share_and_is_not_in_its_responses() {
    let (sandbox, wx) = start();
    let (path, receiver, fields) = requests(&wx).remove(5);
    ok(wx[path].post(receiver).encrypt(fields));
    let mut order = native(&wx, "P1000000", 100);
    order["settle_info"] = json!({"profit_sharing": true});
    ok(wx["v3/pay/transactions/native"].post(order));
    let id = sandbox.pay("P1000000").unwrap()["transaction_id"].clone();
    let share = |name: &str| {
        wx["v3/profitsharing/orders"].post(json!({
            "appid": APPID, "transaction_id": id, "out_order_no": "S1", "unfreeze_unsplit": false,
            "receivers": [{"type": "PERSONAL_OPENID", "account": OPENID, "name": name, "amount": 40, "description": "d"}],
        }))
    };
    let key = sandbox.platform_public_key_id();
    refused(share("张三"), 400, "PARAM_ERROR", "Wechatpay-Serial");
    refused(share("张三").header("Wechatpay-Serial", key), 400, "PARAM_ERROR", "/receivers/0/name");
    let encrypted = |name: &str| share(name).encrypt(&["/receivers/*/name"]);
    let (first, second) = (ok(encrypted("张三")), ok(encrypted("张三")));
    assert_eq!(first["order_id"], second["order_id"]);
    refused(encrypted("李四"), 400, "INVALID_REQUEST", "/receivers");
    let query =
        wx.chain("v3/profitsharing/orders/{n}").get().var("n", "S1").query(json!({"transaction_id": id}));
    for response in [first, second, ok(query)] {
        let receiver = &response["receivers"][0];
        assert_eq!((&receiver["amount"], &receiver["name"]), (&json!(40), &Value::Null), "{response}");
    }
}

/// Who must pay is asked for, and told to nobody.
#[test]
fn no_response_or_notification_has_the_identity_of_the_payer() {
    let (sandbox, wx) = start();
    for (path, body, fields) in requests(&wx).into_iter().take(4) {
        ok(wx[path].post(body).encrypt(fields));
    }
    let query = |path: &str, number: &str, query: Value| -> Request {
        wx.chain(&format!("{path}/out-trade-no/{{n}}")).get().var("n", number).query(query)
    };
    for number in ["P1000000", "P1000001", "P1000002", "C1000000"] {
        sandbox.pay(number).unwrap();
    }
    let partner = json!({"sp_mchid": wx.mchid(), "sub_mchid": "1230000109"});
    let shown = [
        ok(order(&wx, "P1000000")),
        ok(order(&wx, "P1000001")),
        ok(query("v3/pay/partner/transactions", "P1000002", partner)),
        ok(query("v3/combine-transactions", "C1000000", json!({}))),
    ];
    let mut texts: Vec<String> = shown.iter().map(Value::to_string).collect();
    texts.extend(resources(&sandbox).iter().map(Value::to_string));
    assert_eq!(texts.len(), 8);
    for text in texts {
        assert!(text.contains("openid") && !text.contains("identity") && !text.contains("张三"), "{text}");
    }
}
