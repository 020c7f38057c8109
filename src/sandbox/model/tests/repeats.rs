//! Every request that creates or changes something is sent again, as after a lost response: personal data encrypted
//! anew, otherwise the same. State and response are the same.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::{engine_with, identity, malformed_bodies};
use crate::sandbox::{
    http::{error_response::ErrorResponse, path_template::Vars, request::IncomingRequest},
    keys::cipher::encrypt_field,
    model::{
        self,
        engine::{
            Engine,
            call::Call,
            fields::put,
            holds::Hold,
            schema::{Action, Endpoint},
            validation::personal,
        },
        payer_actions,
        products::DEFAULT_OPENID,
        resource_list,
    },
    store::page::Window,
};

/// Steps of a run. Each run has a seed of its own.
const STEPS: usize = 700;

/// What goes on by itself after the first response; the sandbox cannot hold it.
const PROGRESS: [(&str, &str); 4] = [
    ("\"CANCELING\"", "\"CANCELLED\""),
    ("\"PROCESSING\"", "\"FINISHED\""),
    ("\"PENDING\"", "\"SUCCESS\""),
    ("\"MCH_COMPLETE\"", "\"DONE\""),
];

/// A generator of numbers (xorshift), so that a seed repeats a run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

/// A body with the numbers of one of several resources of each type.
fn body(engine: &Engine, partner: bool, which: usize) -> Value {
    let mut body = malformed_bodies::fields();
    let numbers = [
        ("/out_trade_no", format!("P{which:07}")),
        ("/combine_out_trade_no", format!("C{which}")),
        ("/out_refund_no", format!("R{which}")),
        ("/out_order_no", format!("S{which}")),
        ("/out_bill_no", format!("T{which}")),
        ("/out_return_no", format!("B{which}")),
        ("/authorization_code", format!("A{which}")),
        ("/payer/auth_code", format!("13006109882800{which:04}")),
        ("/sub_mchid", if partner { "1230000109".into() } else { String::new() }),
    ];
    for (field, number) in numbers {
        put(&mut body, field, json!(number));
    }
    body["sub_orders"][0]["out_trade_no"] = json!(format!("Q{which:07}"));
    put(&mut body, "/openid", json!(DEFAULT_OPENID));
    put(&mut body, "/account", json!("1900000999"));
    put(&mut body, "/name", json!("公司"));
    put(&mut body, "/user_name", json!("张三"));
    put(&mut body, "/bank_account", json!("6222000000000000"));
    put(&mut body, "/bank_type", json!("ICBC_DEBIT"));
    put(&mut body, "/real_name", json!("张三"));
    put(&mut body, "/risk_fund/amount", json!(100));
    body["receivers"][0]["name"] = json!("李四");
    let scope = if partner { "1230000109" } else { "" };
    let found = engine.access(|session| {
        let documents = session.documents;
        Ok((
            documents.by_merchant_no("order", scope, &format!("P{which:07}"))?,
            documents.by_merchant_no("refund", scope, &format!("R{which}"))?,
        ))
    });
    let (order, refund) = found.unwrap();
    put(
        &mut body,
        "/transaction_id",
        json!(order.and_then(|order| order.platform_id).unwrap_or("4200".into())),
    );
    put(
        &mut body,
        "/refund_id",
        json!(refund.and_then(|refund| refund.platform_id).unwrap_or("5000".into())),
    );
    body
}

/// The same field has other types in other requests.
fn adapt(endpoint: &Endpoint, body: &mut Value) {
    let changes: &[(&str, Value)] = match endpoint.template {
        path if path.ends_with("return-orders") => &[("/amount", json!(1)), ("/order_id", json!(""))],
        path if path.ends_with("/sync") => &[("/type", json!("Order_Paid"))],
        path if path.ends_with("apply-abnormal-refund") => &[("/type", json!("USER_BANK_CARD"))],
        _ => &[],
    };
    changes.iter().for_each(|(field, value)| put(body, field, value.clone()));
    if endpoint.template.ends_with("return-orders") {
        body.as_object_mut().unwrap().shift_remove("order_id");
    }
}

/// Sends the request, its personal data encrypted.
fn send(engine: &Engine, endpoint: &Endpoint, partner: bool, body: &Value) -> Result<String, ErrorResponse> {
    let template = endpoint.templates().nth(usize::from(partner)).unwrap();
    let names = template.split(['{', '}']).skip(1).step_by(2);
    let vars: Vars =
        names.map(|name| (name.to_owned(), body[name].as_str().unwrap_or("none").to_owned())).collect();
    let (serial, key) = engine.keyring.now().public_halves().remove(0);
    let mut sent = malformed_bodies::documented(endpoint, partner, body);
    if sent["sub_mchid"] == "" {
        sent.as_object_mut().unwrap().shift_remove("sub_mchid");
    }
    let mut clear = Vec::new();
    let unsealed = sent.clone();
    for (pointer, text) in personal(endpoint.operation(partner).unwrap(), &unsealed) {
        clear.push(text.to_owned());
        *sent.pointer_mut(&pointer).unwrap() = json!(encrypt_field(&key, text).unwrap());
    }
    let mut headers = HeaderMap::new();
    headers.insert("wechatpay-serial", HeaderValue::try_from(&serial).unwrap());
    let request = IncomingRequest {
        method: endpoint.method.clone(),
        target: format!("/{template}"),
        headers,
        body: Bytes::new(),
    };
    let call = Call::new(engine, &request, vars, &sent);
    let (response, _) =
        engine.handle(endpoint, endpoint.operation(partner).unwrap(), &call, &mut Vec::new())?;
    let ready = response.build().unwrap();
    let text = format!("{} {}", ready.status, String::from_utf8_lossy(&ready.body));
    let shown = clear.iter().find(|clear| text.contains(clear.as_str()));
    assert_eq!(shown, None, "personal data in the clear: {text}");
    Ok(text)
}

/// All resources, without the time of the last change.
fn state(engine: &Engine) -> Vec<(i64, String, Value)> {
    let window = Window { size: 10_000, ..Window::default() };
    let (all, _) = resource_list::page(engine, "", "", window).unwrap();
    all.items.into_iter().map(|one| (one.seq, one.state, one.body)).collect()
}

/// Without what the sandbox encrypts anew in every response, and, for the first response, what goes on by itself.
fn comparable(response: &str, progress: bool) -> String {
    let (status, body) = response.split_once(' ').unwrap();
    let (code, body) = match body.find('{') {
        Some(start) => (body.split_at(start).0, body.split_at(start).1),
        None => (body, "null"),
    };
    let mut body: Value = serde_json::from_str(body).unwrap();
    for name in ["name", "user_name", "update_time"] {
        body.as_object_mut().map(|fields| fields.shift_remove(name));
    }
    for receiver in body["receivers"].as_array_mut().into_iter().flatten() {
        receiver.as_object_mut().map(|fields| fields.shift_remove("finish_time"));
    }
    let mut text = format!("{status} {code} {body}");
    if progress {
        PROGRESS.iter().for_each(|(from, to)| text = text.replace(from, to));
    }
    text
}

#[test]
fn every_request_can_be_sent_again() {
    let identity = Arc::new(identity());
    let mut missing: BTreeSet<String> = BTreeSet::new();
    let changes =
        |endpoint: &&Endpoint| matches!(endpoint.action, Action::Create(..) | Action::Transition(..));
    let endpoints: Vec<&Endpoint> = model::endpoints().filter(changes).collect();
    for endpoint in &endpoints {
        missing.extend(endpoint.templates());
    }
    // A few runs reach everything; more are for the case that one does not.
    for seed in 1..=12_u64 {
        let engine = engine_with(Arc::clone(&identity), true);
        engine.holds.set(Hold::CodePayments, true);
        let mut numbers = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for step in 0..STEPS {
            let which = numbers.below(4 + step / 100);
            if numbers.below(3) == 0 {
                let body = body(&engine, false, which);
                let pairs = [
                    ("pay", "out_trade_no"),
                    ("pay-combined", "combine_out_trade_no"),
                    ("settle-refund", "out_refund_no"),
                    ("fail-refund", "out_refund_no"),
                    ("confirm-service", "out_order_no"),
                    ("open-permission", "authorization_code"),
                ];
                let (action, name) = pairs[numbers.below(pairs.len())];
                let _ = payer_actions::perform_by_name(&engine, action, body[name].as_str().unwrap());
                continue;
            }
            let endpoint = endpoints[numbers.below(endpoints.len())];
            let partner = numbers.below(2) == 0;
            let mut body = body(&engine, partner, which);
            adapt(endpoint, &mut body);
            // With and without the optional list.
            if numbers.below(2) == 0 {
                body.as_object_mut().unwrap().shift_remove("post_discounts");
                body["total_amount"] = json!(3);
            }
            let form = partner && endpoint.templates().count() == 2;
            // A form without a sub-merchant has none.
            if !form && endpoint.templates().count() == 2 {
                body["sub_mchid"] = json!("");
            }
            let Ok(first) = send(&engine, endpoint, form, &body) else { continue };
            let after_first = state(&engine);
            let again = || send(&engine, endpoint, form, &body);
            let template = endpoint.templates().nth(usize::from(form)).unwrap();
            let place = format!("seed {seed}, step {step}: {template} {body}");
            let second = again().unwrap_or_else(|error| panic!("{place}: {}", error.message));
            let third = again().unwrap_or_else(|error| panic!("{place}: {}", error.message));
            assert_eq!(comparable(&first, true), comparable(&second, true), "{place}");
            assert_eq!(comparable(&second, false), comparable(&third, false), "{place}");
            assert_eq!(state(&engine), after_first, "{place}");
            missing.remove(&template);
        }
        if missing.is_empty() {
            return;
        }
    }
    panic!("no run sent these twice: {missing:#?}");
}
