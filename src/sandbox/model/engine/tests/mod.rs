mod odd;

use super::{super::catalogue, *};
use crate::sandbox::{delivery::Deliveries, keys::Identity, platform::Settings, store::Store};
use catalogue::{By, ORDER, PAY, Place, SETTLE};

fn platform() -> Platform {
    let identity = Identity::generate("1900000109".into(), None).unwrap();
    let settings = Settings {
        clock_skew: 0,
        sign_errors: true,
        strict: false,
        seed: 0,
        scripts: Vec::new(),
        deliveries: Deliveries::new(&[], 1.0).unwrap().0,
        store: Store::in_memory().unwrap(),
        holds_refunds: false,
    };
    Platform::new(identity, settings).unwrap()
}

fn order() -> Value {
    json!({
        "appid": "wx1", "mchid": "1900000109", "description": "d", "out_trade_no": "P1234567",
        "notify_url": "https://www.example.com/notify", "amount": { "total": 100 },
        // What no merchant may set.
        "transaction_id": "42", "trade_state": "SUCCESS", "unsplit_amount": 7, "asked": [],
    })
}

fn made(flow: &Flow<'_>) -> Document {
    flow.documents.numbered("order", "", "P1234567").unwrap().unwrap()
}

#[test]
fn each_change_tells_its_event() {
    let platform = platform();
    let paid = platform.work("", &order(), |flow| {
        let _ = flow.create(&ORDER, &[], None, &[])?;
        assert!(flow.events.is_empty() && made(flow).own.is_none() && made(flow).state == "NOTPAY");
        flow.step(&ORDER, &mut made(flow), &PAY)?;
        Ok(flow.events.remove(0))
    });
    let paid = paid.unwrap();
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
        platform.work("", refund, |flow| {
            let _ = flow.create(&catalogue::REFUND, &[], Some(&SETTLE), &[])?;
            Ok(flow.events.clone())
        })
    };
    let told = settle(&refund).unwrap();
    assert_eq!((told.len(), told[0].event_type.as_str()), (1, "REFUND.SUCCESS"));
    assert_eq!(told[0].notify_url, "https://www.example.com/refund");
    assert_eq!(told[0].resource["refund_status"], "SUCCESS");
    assert_eq!(told[0].resource["amount"]["payer_refund"], 40);
    assert!(settle(&refund).unwrap().is_empty(), "the same again is not told again");
    refund["out_refund_no"] = json!("R2");
    refund.as_object_mut().unwrap().remove("notify_url");
    assert!(settle(&refund).unwrap().is_empty(), "nobody wants to hear of it");
}

#[test]
fn an_error_undoes_everything() {
    let platform = platform();
    let failed: Result<(), Refusal> = platform.work("", &order(), |flow| {
        let _ = flow.create(&ORDER, &[], None, &[])?;
        flow.step(&ORDER, &mut made(flow), &PAY)?;
        Err(Refusal::new(500, "SYSTEM_ERROR", "too late"))
    });
    assert!(failed.is_err());
    let left = platform.work("", &Value::Null, |flow| flow.documents.list(10)).unwrap();
    assert!(left.is_empty());
}

#[test]
fn the_list_is_newest_first() {
    let platform = platform();
    for number in ["P1234567", "P7654321"] {
        let body = json!({ "out_trade_no": number, "amount": { "total": 5 } });
        let _ = platform.work("", &body, |flow| flow.create(&ORDER, &[], None, &[])).unwrap();
    }
    let all = platform.resources(10).unwrap();
    let told: Vec<_> = all.iter().map(|one| (one.kind, one.number.as_str(), one.amount)).collect();
    assert_eq!(told, [("order", "P7654321", Some(5)), ("order", "P1234567", Some(5))]);
    assert_eq!(platform.resources(1).unwrap().len(), 1);
}

#[test]
fn every_row_of_the_catalogue_can_be_reached() {
    fn variables(by: &By) -> Vec<&'static str> {
        match by {
            By::Any(ways) | By::May(ways) => ways.iter().flat_map(variables).collect(),
            By::Number(Place::Var(name)) | By::Own(Place::Var(name)) | By::Anyones(Place::Var(name)) => {
                vec![name]
            }
            By::Pair(_, Place::Var(name)) => vec![name],
            _ => Vec::new(),
        }
    }
    let mut seen = std::collections::HashSet::new();
    for row in catalogue::rows() {
        for template in std::iter::once(row.template).chain(row.partner) {
            assert!(seen.insert((&row.method, template)), "{template} is there twice");
            if let Act::Query(_, by, _) | Act::Move(_, by, ..) | Act::Remove(_, by, _) = &row.act {
                for name in variables(by) {
                    assert!(template.contains(&format!("{{{name}}}")), "{template} has no {name}");
                }
            }
        }
    }
    assert_eq!(crate::sandbox::routes::Route::all().unwrap().len(), seen.len());
}
