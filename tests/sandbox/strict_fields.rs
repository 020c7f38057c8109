//! What integrators get wrong in the modelled flows is refused, as the platform does; what they get right is not.

use serde_json::{Value, json};
use wechatpay_chain::{Media, WeChatPay};

use crate::requests::*;

/// A valid request of each kind of resource: the path and the body. Names are encrypted where they are sent.
fn creates(wx: &WeChatPay) -> Vec<(&'static str, Value)> {
    let partner = json!({
        "sp_appid": APPID, "sp_mchid": wx.mchid(), "sub_mchid": "1230000109", "description": "d",
        "out_trade_no": "P2000000", "notify_url": "https://www.example.com/n", "amount": {"total": 100},
        "payer": {"sp_openid": OPENID},
    });
    let part = |number: &str| {
        json!({
            "mchid": wx.mchid(), "out_trade_no": number, "description": "d", "attach": "a",
            "amount": {"total_amount": 50, "currency": "CNY"},
        })
    };
    vec![
        ("v3/pay/transactions/native", native(wx, "P1000000", 100)),
        ("v3/pay/partner/transactions/jsapi", partner),
        (
            "v3/pay/transactions/codepay",
            json!({
                "appid": APPID, "mchid": wx.mchid(), "description": "d", "out_trade_no": "P3000000",
                "payer": {"auth_code": "130061098828009406"}, "amount": {"total": 100},
                "scene_info": {"store_info": {"id": "0001"}},
            }),
        ),
        (
            "v3/combine-transactions/native",
            json!({
                "combine_appid": APPID, "combine_mchid": wx.mchid(), "combine_out_trade_no": "C1000000",
                "notify_url": "https://www.example.com/n", "sub_orders": [part("P4000000"), part("P5000000")],
            }),
        ),
        (
            "v3/payscore/serviceorder",
            json!({
                "appid": APPID, "service_id": "500001", "out_order_no": "S1", "service_introduction": "d",
                "notify_url": "https://www.example.com/n", "time_range": {"start_time": "OnAccept"},
                "risk_fund": {"name": "DEPOSIT", "amount": 10000},
            }),
        ),
        (
            "v3/payscore/permissions",
            json!({"service_id": "500001", "appid": APPID, "authorization_code": "A1"}),
        ),
        (
            "v3/fund-app/mch-transfer/transfer-bills",
            json!({
                "appid": APPID, "out_bill_no": "T1", "transfer_scene_id": "1000", "openid": OPENID,
                "transfer_amount": 100, "transfer_remark": "r", "notify_url": "https://www.example.com/n",
                "transfer_scene_report_infos": [{"info_type": "活动名称", "info_content": "x"}],
            }),
        ),
        (
            "v3/profitsharing/receivers/add",
            json!({"appid": APPID, "type": "PERSONAL_OPENID", "account": OPENID, "relation_type": "USER"}),
        ),
    ]
}

/// The pointers of a body's objects, with `""` for itself.
fn objects(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.push(at.to_owned());
            members.iter().for_each(|(name, value)| objects(value, &format!("{at}/{name}"), found));
        }
        Value::Array(list) => {
            list.iter()
                .enumerate()
                .for_each(|(index, value)| objects(value, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

fn insert(body: &Value, at: &str, name: &str, value: Value) -> Value {
    let mut body = body.clone();
    body.pointer_mut(at).unwrap()[name] = value;
    body
}

#[test]
fn null_and_undefined_fields_are_refused_at_every_depth() {
    let (_sandbox, wx) = start();
    for (path, body) in creates(&wx) {
        let mut all = Vec::new();
        objects(&body, "", &mut all);
        for at in &all {
            for name in ["not_a_field", "success_time", "bank_type", "trade_state"] {
                let undefined = insert(&body, at, name, json!("FORGED"));
                refused(wx[path].post(undefined), 400, "PARAM_ERROR", &format!("{at}/{name}"));
            }
            for name in ["attach", "notify_url", "name"] {
                let null = insert(&body, at, name, Value::Null);
                refused(wx[path].post(null), 400, "PARAM_ERROR", &format!("{at}/{name}"));
            }
        }
        // Nothing of these was stored: the number is free, and the right request is accepted.
        ok(wx[path].post(body));
    }
}

#[test]
fn a_field_of_the_other_kind_of_merchant_is_refused() {
    let (_sandbox, wx) = start();
    for (path, body) in creates(&wx) {
        let (names, kinds): (&[&str], &[&str]) = match path {
            _ if path.contains("partner/") => (&["appid", "mchid"], &["v3/pay/partner"]),
            _ => (&["sub_mchid", "sub_appid", "sp_mchid"], &["v3/pay/transactions", "v3/payscore"]),
        };
        for name in names.iter().filter(|_| kinds.iter().any(|kind| path.starts_with(kind))) {
            let body = insert(&body, "", name, json!("1900000201"));
            refused(wx[path].post(body), 400, "PARAM_ERROR", name);
        }
    }
}

#[test]
fn a_number_of_the_path_is_not_in_the_body() {
    let (sandbox, wx) = start();
    for (path, body) in creates(&wx) {
        ok(wx[path].post(body));
    }
    sandbox.confirm_service_order("S1").unwrap();
    let party = json!({"appid": APPID, "service_id": "500001", "reason": "r"});
    for (path, name, number, body) in [
        (
            "v3/pay/transactions/out-trade-no/{n}/close",
            "out_trade_no",
            "P1000000",
            json!({"mchid": wx.mchid()}),
        ),
        ("v3/payscore/serviceorder/{n}/cancel", "out_order_no", "S1", party),
        (
            "v3/combine-transactions/out-trade-no/{n}/close",
            "combine_out_trade_no",
            "C1000000",
            json!({"combine_appid": APPID, "sub_orders": [
                {"mchid": wx.mchid(), "out_trade_no": "P4000000"}, {"mchid": wx.mchid(), "out_trade_no": "P5000000"},
            ]}),
        ),
    ] {
        let send = |body: Value| wx.chain(path).post(body).var("n", number);
        refused(send(insert(&body, "", name, json!(number))), 400, "PARAM_ERROR", name);
        refused(send(insert(&body, "", "reason", Value::Null)), 400, "PARAM_ERROR", "reason");
        ok(send(body));
    }
}

#[test]
fn the_parts_of_a_combined_order_are_closed_with_their_sub_merchants() {
    let (_sandbox, wx) = start();
    let mut order = creates(&wx).remove(3).1;
    order["sub_orders"][0]["sub_mchid"] = json!("1230000109");
    ok(wx["v3/combine-transactions/native"].post(order));
    let close = |first: Value| {
        let body = json!({"combine_appid": APPID, "sub_orders": [
            first, {"mchid": wx.mchid(), "out_trade_no": "P5000000"},
        ]});
        wx.chain("v3/combine-transactions/out-trade-no/{n}/close").post(body).var("n", "C1000000")
    };
    let part = json!({"mchid": wx.mchid(), "out_trade_no": "P4000000"});
    refused(close(part.clone()), 400, "PARAM_ERROR", "/sub_orders/0/sub_mchid");
    let other = insert(&part, "", "sub_mchid", json!("1230000110"));
    refused(close(other), 400, "PARAM_ERROR", "/sub_orders/0/sub_mchid");
    ok(close(insert(&part, "", "sub_mchid", json!("1230000109"))));
}

#[test]
fn amounts_stay_within_what_was_paid_or_agreed() {
    let (sandbox, wx) = start();
    let mut order = native(&wx, "P1000000", 100);
    order["settle_info"] = json!({"profit_sharing": true});
    ok(wx["v3/pay/transactions/native"].post(order));
    let id = sandbox.pay("P1000000").unwrap()["transaction_id"].clone();
    refused(
        wx["v3/refund/domestic/refunds"].post(refund("P1000000", "R1", 101, 100)),
        400,
        "PARAM_ERROR",
        "/amount/refund",
    );
    ok(wx["v3/refund/domestic/refunds"].post(refund("P1000000", "R1", 60, 100)));
    refused(
        wx["v3/refund/domestic/refunds"].post(refund("P1000000", "R2", 41, 100)),
        403,
        "NOT_ENOUGH",
        "/amount/refund",
    );

    ok(wx["v3/profitsharing/receivers/add"].post(creates(&wx).remove(7).1));
    let share = |amount: i64| {
        json!({
            "appid": APPID, "transaction_id": id, "out_order_no": "S1", "unfreeze_unsplit": false,
            "receivers": [{"type": "PERSONAL_OPENID", "account": OPENID, "amount": amount, "description": "d"}],
        })
    };
    let mut without = share(40);
    without.as_object_mut().unwrap().remove("unfreeze_unsplit");
    refused(wx["v3/profitsharing/orders"].post(without), 400, "PARAM_ERROR", "/unfreeze_unsplit");
    let forged = insert(&share(40), "/receivers/0", "fail_reason", json!("FORGED"));
    refused(wx["v3/profitsharing/orders"].post(forged), 400, "PARAM_ERROR", "/receivers/0/fail_reason");
    refused(wx["v3/profitsharing/orders"].post(share(41)), 403, "NOT_ENOUGH", "/receivers");
    ok(wx["v3/profitsharing/orders"].post(share(40)));

    ok(wx["v3/payscore/serviceorder"].post(creates(&wx).remove(4).1));
    sandbox.confirm_service_order("S1").unwrap();
    let charge = |action: &str, total: i64| {
        let body = json!({
            "appid": APPID, "service_id": "500001", "total_amount": total,
            "post_payments": [{"name": "n", "amount": total}],
        });
        let body = if action == "modify" { insert(&body, "", "reason", json!("r")) } else { body };
        wx.chain(&format!("v3/payscore/serviceorder/{{n}}/{action}")).post(body).var("n", "S1")
    };
    refused(charge("complete", 10001), 400, "PARAM_ERROR", "/total_amount");
    ok(charge("complete", 10000));
    refused(charge("modify", 10001), 400, "PARAM_ERROR", "/total_amount");
    ok(charge("modify", 9999));
}

#[test]
fn transfers_have_what_their_scene_and_amount_need() {
    let (_sandbox, wx) = start();
    let (path, body) = creates(&wx).remove(6);
    for number in ["T-1", "T_1", "T 1", "T*1", "转1", ""] {
        refused(
            wx[path].post(insert(&body, "", "out_bill_no", json!(number))),
            400,
            "PARAM_ERROR",
            "/out_bill_no",
        );
    }
    for infos in [json!([]), json!([{}]), json!([{"info_type": "t"}]), json!({})] {
        let body = insert(&body, "", "transfer_scene_report_infos", infos);
        refused(wx[path].post(body), 400, "PARAM_ERROR", "/transfer_scene_report_infos");
    }
    let large = insert(&body, "", "transfer_amount", json!(200_000));
    refused(wx[path].post(large.clone()), 400, "PARAM_ERROR", "/user_name");
    // An empty name is none, in the clear and encrypted.
    refused(wx[path].post(insert(&large, "", "user_name", json!(""))), 400, "PARAM_ERROR", "/user_name");
    ok(wx[path].post(insert(
        &insert(&body, "", "transfer_amount", json!(199_999)),
        "",
        "out_bill_no",
        json!("T199999"),
    )));
    let named = insert(&large, "", "user_name", json!("张三"));
    refused(wx[path].post(named.clone()), 400, "PARAM_ERROR", "Wechatpay-Serial");
    ok(wx[path].post(named).encrypt(&["/user_name"]));
}

#[test]
fn null_is_refused_where_nothing_is_stored() {
    let (_sandbox, wx) = start();
    let echo = json!({"echo_message": "x", "notify_url": null});
    refused(wx["v3/security/echo"].post(echo), 400, "PARAM_ERROR", "`notify_url`: is null");
    // A field that is needed and null is not called missing.
    refused(
        wx["v3/security/echo"].post(json!({"echo_message": null})),
        400,
        "PARAM_ERROR",
        "`echo_message`: is null",
    );
    let picture = || Media::bytes("a.png", &b"\x89PNG\r\n\x1a\n"[..]);
    for path in ["v3/merchant/media/upload", "v3/marketing/favor/media/image-upload"] {
        let upload =
            wx[path].post(Value::Null).media(picture().meta(json!({"filename": "a.png", "x": null})));
        refused(upload, 400, "PARAM_ERROR", "/x");
        ok(wx[path].post(Value::Null).media(picture()));
    }
}

#[test]
fn receivers_have_what_their_type_and_relation_need() {
    let (_sandbox, wx) = start();
    let (path, body) = creates(&wx).remove(7);
    for (field, value, needed) in [
        ("type", "MERCHANT_ID", "/name"),
        ("type", "PERSONAL_SUB_OPENID", "/sub_appid"),
        ("relation_type", "CUSTOM", "/custom_relation"),
        ("relation_type", "FRIEND", "/relation_type"),
    ] {
        refused(wx[path].post(insert(&body, "", field, json!(value))), 400, "PARAM_ERROR", needed);
    }
    let sub = insert(&insert(&body, "", "type", json!("PERSONAL_SUB_OPENID")), "", "sub_appid", json!(APPID));
    ok(wx[path].post(sub));
}

#[test]
fn a_picture_is_no_video() {
    let (_sandbox, wx) = start();
    let upload = |bytes: &'static [u8]| {
        wx["v3/merchant/media/video_upload"].post(Value::Null).media(Media::bytes("a.mp4", bytes))
    };
    refused(upload(b"\x89PNG\r\n\x1a\n\0"), 400, "PARAM_ERROR", "a picture");
    refused(upload(b"\xff\xd8\xff\xe0\0"), 400, "PARAM_ERROR", "a picture");
    ok(upload(b"\0\0\0\x18ftypmp42\0\0\0\0"));
}

#[test]
fn a_text_of_three_megabytes_is_no_image() {
    let (_sandbox, wx) = start();
    let text = vec![b'x'; 3 << 20];
    for path in [
        "v3/merchant/media/upload",
        "v3/merchant-service/images/upload",
        "v3/marketing/favor/media/image-upload",
        "v3/merchant/media/video_upload",
    ] {
        for name in ["a.png", "a.mp4"] {
            let upload = wx[path].post(Value::Null).media(Media::bytes(name, text.clone()));
            refused(upload, 400, "PARAM_ERROR", "/file");
        }
    }
}
