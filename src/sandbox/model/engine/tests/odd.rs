//! Nothing that a merchant can sign makes the sandbox panic, or say that it is at fault.

use bytes::Bytes;
use http::HeaderMap;

use super::{super::super::check::Arrived, *};
use crate::sandbox::template::Vars;

/// Every field that any row looks at, as it should be.
fn fields() -> Value {
    serde_json::from_str(
        r#"{
        "appid": "wx1", "mchid": "1900000109", "sp_appid": "wx1", "sp_mchid": "1900000109", "sub_mchid": "",
        "description": "d", "out_trade_no": "P1234567", "notify_url": "https://www.example.com/notify", "attach": "a",
        "amount": { "total": 100, "refund": 10, "currency": "CNY" }, "payer": { "openid": "o1", "sp_openid": "o1" },
        "settle_info": { "profit_sharing": true }, "out_refund_no": "R1", "time_expire": "2999-06-08T10:34:56+08:00",
        "scene_info": { "payer_client_ip": "127.0.0.1", "h5_info": { "type": "Wap" } }, "sub_appid": "",
        "combine_appid": "wx1", "combine_mchid": "1900000109", "combine_out_trade_no": "C1234567",
        "combine_payer_info": { "openid": "o1" },
        "sub_orders": [{
            "mchid": "1900000109", "out_trade_no": "P7654321", "description": "d", "attach": "a",
            "amount": { "total_amount": 5, "currency": "CNY" }
        }],
        "service_id": "500001", "out_order_no": "S1", "service_introduction": "s", "reason": "r",
        "time_range": { "start_time": "OnAccept" }, "risk_fund": { "name": "DEPOSIT", "amount": 5 },
        "post_payments": [{ "name": "p", "amount": 3 }], "post_discounts": [{ "name": "d", "amount": 1 }],
        "total_amount": 2, "type": "MERCHANT_ID", "detail": { "paid_time": "20091225091210" },
        "authorization_code": "A1", "openid": "o1", "account": "1900000999", "relation_type": "PARTNER",
        "out_bill_no": "T1", "transfer_scene_id": "1000", "transfer_amount": 5, "transfer_remark": "r",
        "receivers": [{ "type": "MERCHANT_ID", "account": "1900000999", "amount": 1, "description": "d" }],
        "out_return_no": "B1", "return_mchid": "1900000999", "collection": {}, "state": "x", "phase": "DONE"
    }"#,
    )
    .unwrap()
}

/// The pointers to all that is in a value.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (name, value) in inner {
        let at = format!("{at}/{name}");
        pointers(value, &at, all);
        all.push(at);
    }
}

/// Sends a body to every row, and plays everybody else's part.
fn everything(platform: &Platform, body: &Value) {
    let mut body = body.clone();
    // What is taken away would be missed by the rows behind it.
    let (last, first): (Vec<_>, Vec<_>) =
        catalogue::rows().partition(|row| matches!(row.act, Act::Remove(..)));
    for row in first.into_iter().chain(last) {
        for (template, partner) in
            std::iter::once((row.template, false)).chain(row.partner.map(|template| (template, true)))
        {
            let names = template.split(['{', '}']).skip(1).step_by(2);
            let text = |name: &str| body[name].as_str().unwrap_or("P1234567").to_string();
            let vars: Vars = names.map(|name| (name.to_string(), text(name))).collect();
            let query =
                "mchid=1900000109&sp_mchid=1900000109&service_id=500001&appid=wx1&bill_date=2026-11-20";
            let request = Arrived {
                method: row.method.clone(),
                target: format!("/{template}?{query}&out_order_no=S1&openid=o1"),
                headers: HeaderMap::new(),
                body: Bytes::new(),
            };
            let mut call = Call::new(platform, &request, vars, &body);
            call.partner = partner;
            if row.needs.iter().try_for_each(|need| need.check(&call)).is_err() {
                continue;
            }
            if let Err(refusal) = answer(&call, &row.act) {
                assert!(refusal.status < 500, "{template} {body}: {}", refusal.message);
            }
        }
        let _ = platform.pay("P1234567");
        let _ = platform.pay("C1234567");
        let order = platform.work("", &Value::Null, |flow| flow.documents.newest("order", "P1234567"));
        if let (Some(fields), Ok(Some(order))) = (body.as_object_mut(), order) {
            fields.insert("transaction_id".into(), json!(order.own));
        }
        for (kind, step, number) in [
            (&catalogue::SERVICE, &catalogue::CONFIRM, "S1"),
            (&catalogue::PERMISSION, &catalogue::OPEN, "A1"),
            (&catalogue::TRANSFER, &catalogue::ACCEPT, "T1"),
        ] {
            let _ = platform.turn(kind, step, number);
        }
    }
    platform.resources(100).unwrap();
}

#[test]
fn any_body_is_answered_or_refused() {
    let mut platform = platform();
    let mut all = Vec::new();
    pointers(&fields(), "", &mut all);
    all.push(String::new());
    let odd = [
        Value::Null,
        json!([]),
        json!([7, "x"]),
        json!({}),
        json!(""),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(0.5),
    ];
    // Every value for every field would take half a minute.
    for (index, pointer) in all.iter().enumerate() {
        for value in odd.iter().cycle().skip(index % odd.len()).take(2) {
            let mut body = fields();
            *body.pointer_mut(pointer).unwrap() = value.clone();
            platform.store = Store::in_memory().unwrap();
            everything(&platform, &body);
        }
    }
    // And the body as it should be reaches what the others only may.
    platform.store = Store::in_memory().unwrap();
    everything(&platform, &fields());
    // What a share gives back has a number for an amount.
    let mut back = fields();
    back["amount"] = json!(1);
    everything(&platform, &back);
    let kinds: std::collections::HashSet<_> =
        platform.resources(100).unwrap().into_iter().map(|one| one.kind).collect();
    assert_eq!(kinds.len(), 8, "all but the receiver, which was taken away: {kinds:?}");
}
