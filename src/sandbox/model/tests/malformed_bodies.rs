//! No body that a merchant can sign makes the sandbox panic or respond with an internal error.

use std::{collections::HashSet, sync::Arc};

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

use super::{engine_with, identity};
use crate::catalogue::Fields;
use crate::sandbox::{
    http::{path_template::Vars, request::IncomingRequest},
    model::{
        self,
        engine::{
            Engine,
            call::Call,
            schema::{Action, Endpoint},
        },
        payer_actions, resource_list,
    },
    store::page::Window,
};

/// Every field that any endpoint reads, with a valid value.
pub(crate) fn fields() -> Value {
    serde_json::from_str(
        r#"{
        "appid": "wx1", "mchid": "1900000109", "sp_appid": "wx1", "sp_mchid": "1900000109", "sub_mchid": "",
        "description": "d", "out_trade_no": "P1234567", "notify_url": "https://www.example.com/notify", "attach": "a",
        "amount": { "total": 100, "refund": 10, "currency": "CNY" }, "payer": { "openid": "o1", "sp_openid": "o1", "auth_code": "130061098828009406" },
        "settle_info": { "profit_sharing": true }, "out_refund_no": "R1", "time_expire": "2999-06-08T10:34:56+08:00",
        "scene_info": { "store_info": { "id": "1" }, "payer_client_ip": "127.0.0.1", "h5_info": { "type": "Wap" } }, "sub_appid": "",
        "combine_appid": "wx1", "combine_mchid": "1900000109", "combine_out_trade_no": "C1234567",
        "combine_payer_info": { "openid": "o1" },
        "sub_orders": [{
            "mchid": "1900000109", "out_trade_no": "P7654321", "description": "d", "attach": "a",
            "amount": { "total_amount": 5, "currency": "CNY" }
        }],
        "service_id": "500001", "out_order_no": "S1", "service_introduction": "s", "reason": "r",
        "time_range": { "start_time": "OnAccept" }, "risk_fund": { "name": "DEPOSIT", "amount": 5 },
        "post_payments": [{ "name": "p", "amount": 3 }], "post_discounts": [{ "name": "d", "amount": 1 }],
        "total_amount": 2, "type": "PERSONAL_OPENID", "detail": { "paid_time": "20091225091210" },
        "authorization_code": "A1", "openid": "o1", "account": "1900000999", "relation_type": "PARTNER",
        "out_bill_no": "T1", "transfer_scene_id": "1000", "transfer_amount": 5, "transfer_remark": "r",
        "transfer_scene_report_infos": [{ "info_type": "t", "info_content": "c" }],
        "unfreeze_unsplit": false, "receivers": [{ "type": "PERSONAL_OPENID", "account": "1900000999", "amount": 1, "description": "d" }],
        "out_return_no": "B1", "return_mchid": "1900000999", "collection": {}, "state": "x", "phase": "DONE"
    }"#,
    )
    .unwrap()
}

/// The pointers to all values within a value.
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

/// The part of a body that is documented for an endpoint.
pub(crate) fn documented(endpoint: &Endpoint, partner: bool, body: &Value) -> Value {
    match endpoint.operation(partner).unwrap().body() {
        none if none.is_empty() => Value::Null,
        fields => keep(fields, body),
    }
}

fn keep(fields: Fields, value: &Value) -> Value {
    match value {
        Value::Object(members) if !fields.is_empty() => {
            let documented = members
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), keep(fields.get(name)?.fields(), value))));
            Value::Object(documented.collect())
        }
        Value::Array(list) => list.iter().map(|value| keep(fields, value)).collect(),
        other => other.clone(),
    }
}

/// Sends a body to every endpoint, and performs the actions of the payer.
fn use_everywhere(engine: &Engine, body: &Value) {
    let mut body = body.clone();
    // Deletions last: other endpoints need the resources.
    let (last, first): (Vec<_>, Vec<_>) =
        model::endpoints().partition(|endpoint| matches!(endpoint.action, Action::Delete(..)));
    for endpoint in first.into_iter().chain(last) {
        for (template, partner) in endpoint.templates().zip([false, true]) {
            let names = template.split(['{', '}']).skip(1).step_by(2);
            let text = |name: &str| body[name].as_str().unwrap_or("P1234567").to_string();
            let vars: Vars = names.map(|name| (name.to_string(), text(name))).collect();
            let query =
                "mchid=1900000109&sp_mchid=1900000109&service_id=500001&appid=wx1&bill_date=2026-11-20";
            let request = IncomingRequest {
                method: endpoint.method.clone(),
                target: format!("/{template}?{query}&out_order_no=S1&openid=o1"),
                headers: HeaderMap::new(),
                body: Bytes::new(),
            };
            let body = documented(endpoint, partner, &body);
            let call = Call::new(engine, &request, vars, &body);
            if let Err(error) =
                engine.handle(endpoint, endpoint.operation(partner).unwrap(), &call, &mut Vec::new())
            {
                assert!(error.status < 500, "{template} {body}: {}", error.message);
            }
        }
        let _ = payer_actions::pay(engine, "P1234567");
        let _ = payer_actions::pay(engine, "C1234567");
        let order = engine.access(|session| session.documents.newest_by_merchant_no("order", "P1234567"));
        if let (Some(fields), Ok(Some(order))) = (body.as_object_mut(), order) {
            fields.insert("transaction_id".into(), json!(order.platform_id));
        }
        for (action, number) in [
            (&payer_actions::CONFIRM_SERVICE_ORDER, "S1"),
            (&payer_actions::OPEN, "A1"),
            (&payer_actions::ACCEPT, "T1"),
        ] {
            let _ = payer_actions::perform_on_newest(engine, action, number);
        }
    }
    resource_list::page(engine, "", "", Window { size: 100, ..Window::default() }).unwrap();
}

#[test]
fn every_body_is_accepted_or_rejected() {
    let identity = Arc::new(identity());
    let engine = || engine_with(Arc::clone(&identity), false);
    let mut all = Vec::new();
    pointers(&fields(), "", &mut all);
    all.push(String::new());
    let unusual = [
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
        for value in unusual.iter().cycle().skip(index % unusual.len()).take(2) {
            let mut body = fields();
            *body.pointer_mut(pointer).unwrap() = value.clone();
            use_everywhere(&engine(), &body);
        }
    }
    // The valid body reaches every action.
    let engine = engine();
    use_everywhere(&engine, &fields());
    // A profit sharing return has a number as its amount.
    let mut share_return = fields();
    share_return["amount"] = json!(1);
    use_everywhere(&engine, &share_return);
    let types: HashSet<_> = (resource_list::page(&engine, "", "", Window { size: 100, ..Window::default() }))
        .unwrap()
        .0
        .items
        .into_iter()
        .map(|resource| resource.resource_type)
        .collect();
    assert_eq!(types.len(), 8, "all but the receiver, which was deleted: {types:?}");
}
