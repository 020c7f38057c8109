pub(crate) mod malformed_bodies;
mod repeats;

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    engine::{
        Engine, Session,
        holds::{Hold, Holds},
    },
    products::{
        combined::COMBINED,
        orders::{ORDER, PAY},
        refunds::{REFUND, SETTLE_REFUND},
    },
    resource_list,
};
use crate::catalogue::{Catalogue, Operation};
use crate::sandbox::{
    http::{business_clock::BusinessClock, error_response::ErrorResponse},
    keys::{identity::Identity, key_pair::Serials, keyring::Keyring},
    store::{database::Database, documents::Document, page::Window, payer_log::PayerLog},
};

fn identity() -> Identity {
    Identity::generate("1900000109".into(), None, Serials::default()).unwrap()
}

fn engine_with(identity: Arc<Identity>, hold: bool) -> Engine {
    let keyring = Arc::new(Keyring::new(&identity, None, None, Serials::default()).unwrap());
    let database = Arc::new(Database::in_memory().unwrap());
    let holds = Holds::new(if hold { &[Hold::Refunds] } else { &[] });
    Engine::new(identity, keyring, Arc::new(BusinessClock::new(0)), database, holds, PayerLog::default())
}

pub(crate) fn engine() -> Engine {
    engine_with(Arc::new(identity()), false)
}

fn operation(path: &str) -> Operation {
    Catalogue::find("POST", path).unwrap()
}

fn order() -> Value {
    json!({
        "appid": "wx1", "mchid": "1900000109", "description": "d", "out_trade_no": "P1234567",
        "notify_url": "https://www.example.com/notify", "amount": { "total": 100 },
    })
}

fn stored_order(session: &Session<'_>) -> Document {
    session.documents.by_merchant_no("order", "", "P1234567").unwrap().unwrap()
}

#[test]
fn each_transition_has_its_event() {
    let engine = engine();
    let paid = engine.execute("", &order(), |session| {
        let _ = session.create(&ORDER, &[], None, operation("v3/pay/transactions/native"))?;
        assert!(
            session.events.is_empty()
                && stored_order(session).platform_id.is_none()
                && stored_order(session).state == "NOTPAY"
        );
        session.transition(&ORDER, &mut stored_order(session), &PAY)?;
        Ok(session.events.remove(0))
    });
    let (paid, queued) = paid.unwrap();
    assert!(queued.is_empty(), "the closure took the event");
    assert_eq!(
        (paid.notify_url.as_str(), paid.event_type.as_str(), paid.original_type.as_str()),
        ("https://www.example.com/notify", "TRANSACTION.SUCCESS", "transaction")
    );
    let names: Vec<&String> = paid.resource.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "appid",
            "mchid",
            "out_trade_no",
            "transaction_id",
            "trade_state",
            "trade_state_desc",
            "bank_type",
            "success_time",
            "payer",
            "amount"
        ]
    );

    let mut refund = json!({
        "out_trade_no": "P1234567", "out_refund_no": "R1", "notify_url": "https://www.example.com/refund",
        "amount": { "refund": 40, "total": 100, "currency": "CNY" },
    });
    let settle = |refund: &Value| {
        engine
            .execute("", refund, |session| {
                session.create(&REFUND, &[], Some(&SETTLE_REFUND), operation("v3/refund/domestic/refunds"))
            })
            .map(|(_, events)| events)
    };
    let events = settle(&refund).unwrap();
    assert_eq!((events.len(), events[0].event.event_type.as_str()), (1, "REFUND.SUCCESS"));
    assert_eq!(events[0].event.notify_url, "https://www.example.com/refund");
    assert_eq!(events[0].event.resource["refund_status"], "SUCCESS");
    assert_eq!(events[0].event.resource["amount"]["payer_refund"], 40);
    assert!(settle(&refund).unwrap().is_empty(), "a repeated request has no event");
    refund["out_refund_no"] = json!("R2");
    refund.as_object_mut().unwrap().remove("notify_url");
    assert!(settle(&refund).unwrap().is_empty(), "without notify_url there is no event");
}

#[test]
fn an_error_rolls_everything_back() {
    let engine = engine();
    let failed: Result<((), _), ErrorResponse> = engine.execute("", &order(), |session| {
        let _ = session.create(&ORDER, &[], None, operation("v3/pay/transactions/native"))?;
        session.transition(&ORDER, &mut stored_order(session), &PAY)?;
        Err(ErrorResponse::new(500, "SYSTEM_ERROR", "too late"))
    });
    assert!(failed.is_err());
    let stored =
        engine.access(|session| session.documents.page("", "", Window { size: 10, ..Window::default() }));
    assert!(stored.unwrap().items.is_empty());
}

#[test]
fn the_list_is_newest_first() {
    let engine = engine();
    for number in ["P1234567", "P7654321"] {
        let body = json!({ "out_trade_no": number, "amount": { "total": 5 } });
        let _ = engine
            .execute("", &body, |session| {
                session.create(&ORDER, &[], None, operation("v3/pay/transactions/native"))
            })
            .unwrap();
    }
    let newest =
        |size| resource_list::page(&engine, "", "", Window { size, ..Window::default() }).unwrap().0.items;
    let all = newest(10);
    let listed: Vec<_> =
        all.iter().map(|one| (one.resource_type, one.merchant_no.as_str(), one.amount)).collect();
    assert_eq!(listed, [("order", "P7654321", Some(5)), ("order", "P1234567", Some(5))]);
    assert_eq!(newest(1).len(), 1);
}

/// Two sub-merchants may use the same numbers.
#[test]
fn a_family_is_of_one_sub_merchant() {
    let engine = engine();
    for (number, sub) in [("C1", "1230000109"), ("C2", "1230000110")] {
        let body = json!({
            "combine_out_trade_no": number, "combine_appid": "wx1",
            "sub_orders": [
                { "mchid": "1900000109", "sub_mchid": sub, "out_trade_no": "P1", "amount": { "total_amount": 1 } },
                { "mchid": "1900000109", "sub_mchid": sub, "out_trade_no": "P2", "amount": { "total_amount": 1 } },
            ],
        });
        let _ = engine
            .execute("", &body, |session| {
                session.create(&COMBINED, &[], None, operation("v3/combine-transactions/native"))
            })
            .unwrap();
    }
    // Each whole follows its parts.
    for (opened, expected) in [(1, [1, 2, 3]), (2, [1, 2, 3]), (3, [1, 2, 3]), (4, [4, 5, 6]), (6, [4, 5, 6])]
    {
        let (family, _) = resource_list::family(&engine, opened).unwrap();
        let family: Vec<i64> = family.iter().map(|one| one.seq).collect();
        // A part shows its whole, and the whole shows all parts.
        let expected: Vec<i64> = match opened {
            3 | 6 => expected.to_vec(),
            part => vec![part as i64, expected[2]],
        };
        assert_eq!(family, expected, "{opened}");
    }
}
