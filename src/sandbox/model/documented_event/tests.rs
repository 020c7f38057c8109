use serde_json::{Value, json};

use super::{fitting, make, overrides};
use crate::catalogue::{Catalogue, Field, FieldType, Fields};
use crate::sandbox::model::{engine::Engine, tests::engine};

fn v3() -> impl Iterator<Item = &'static str> {
    Catalogue::notifications().filter(|known| !known.is_v2()).map(|known| known.event())
}

fn resource(engine: &Engine, event: &str, overrides: &Value) -> Result<Value, String> {
    make(engine, "1", "", event, overrides).map(|event| event.resource)
}

fn has_type(field: Field, value: &Value) -> bool {
    match field.field_type() {
        FieldType::Integer => value.is_i64() || value.is_u64(),
        FieldType::Number => value.is_number(),
        FieldType::Boolean => value.is_boolean(),
        FieldType::Object => value.is_object(),
        FieldType::Json => value.as_str().is_some_and(|text| serde_json::from_str::<Value>(text).is_ok()),
        _ => value.is_string(),
    }
}

/// Each required field that is missing or of another type.
fn faults(fields: Fields, object: &Value, at: &str, found: &mut Vec<String>) {
    for field in fields.iter() {
        let here = format!("{at}/{}", field.name());
        let Some(value) = object.get(field.name()) else {
            let is_usual = field.variants().next().is_none() || field.variants().any(|one| one == "merchant");
            if field.is_required() && field.is_listed() && is_usual {
                found.push(here);
            }
            continue;
        };
        let values = match (field.is_list(), value) {
            (true, Value::Array(list)) if !list.is_empty() => list.as_slice(),
            (true, _) => &[Value::Null],
            (false, value) => std::slice::from_ref(value),
        };
        for value in values {
            if !has_type(field, value) {
                found.push(format!("{here}: {value}"));
            }
            if field.field_type() == FieldType::Object {
                faults(field.fields(), value, &here, found);
            }
        }
    }
}

#[test]
fn every_event_has_its_documented_resource() {
    let engine = engine();
    let mut found = Vec::new();
    for event in v3() {
        let made = make(&engine, "1", "http://127.0.0.1/", event, &Value::Null).unwrap();
        assert!(made.event_type.contains('.') && !made.original_type.is_empty() && !made.summary.is_empty());
        let documented = Catalogue::notification(event).unwrap();
        assert_eq!(documented.event(), event);
        assert!(!documented.resource().is_empty(), "{event}");
        faults(documented.resource(), &made.resource, event, &mut found);
    }
    assert_eq!((found, v3().count()), (Vec::new(), 102));
}

#[test]
fn a_state_fits_its_event() {
    let engine = engine();
    for (event, pointer, expected) in [
        ("REFUND.SUCCESS", "/refund_status", "SUCCESS"),
        ("REFUND.CLOSED", "/refund_status", "CLOSED"),
        ("REFUND.ABNORMAL", "/refund_status", "ABNORMAL"),
        ("TRANSACTION.SUCCESS", "/trade_state", "SUCCESS"),
        ("TRANSACTION.INDUSTRY_FAILED", "/trade_state", "PAY_FAIL"),
        ("MCHTRANSFER.BILL.FINISHED", "/state", "SUCCESS"),
        ("MCHTRANSFER.BATCH.FINISHED", "/batch_status", "FINISHED"),
        ("MCHTRANSFER.BATCH.CLOSED", "/batch_status", "CLOSED"),
        ("MCHTRANSFER.AUTHORIZATION.CONFIRMED", "/state", "TAKING_EFFECT"),
        ("MCHTRANSFER.AUTHORIZATION.CLOSED", "/state", "CLOSED"),
        ("APPLYMENT_STATE.APPROVED", "/applyment_state", "APPROVED"),
        ("INSURANCE_ENTRUST.TERMINATE", "/contract_state", "TERMINATED"),
        ("INSURANCE_ENTRUST.SIGN", "/contract_state", "SIGNED"),
        ("CREDIT_REPAYMENT.SIGN_CONTRACT", "/contract_state", "CONTRACT_STATE_EFFECTIVE"),
        ("CREDIT_REPAYMENT.TERMINATE_CONTRACT", "/contract_state", "CONTRACT_STATE_TERMINATED"),
        ("MEDICAL_INSURANCE.SUCCESS", "/mix_pay_status", "MIX_PAY_SUCCESS"),
        ("WEBIZPAY.REVOKED", "/authorization_state", "REVOKED"),
        ("RECHARGE.CLOSED", "/recharge_state", "CLOSED"),
        ("COMPLAINT.CREATE", "/action_type", "CREATE_COMPLAINT"),
        ("BRAND_MEMBER_CARD_SP.USER_CARD.DELETE", "/user_card_state", "DELETE"),
        ("VEHICLE.ENTRANCE_STATE_CHANGE", "/plate_color", "BLUE"),
    ] {
        let made = resource(&engine, event, &Value::Null).unwrap();
        assert_eq!(made.pointer(pointer), Some(&json!(expected)), "{event}");
    }
    let fields = Catalogue::notification("FAPIAO.REVERSED").unwrap().resource();
    let fitting = fitting::values("FAPIAO.REVERSED", fields);
    assert!(fitting.to_string().contains("\"fapiao_status\":\"REVERSED\""), "{fitting}");
}

#[test]
fn values_depend_on_the_seed_only() {
    let engine = engine();
    let made = |seed: &str| make(&engine, seed, "", "REFUND.SUCCESS", &Value::Null).unwrap().resource;
    assert_eq!(made("1")["refund_id"], made("1")["refund_id"]);
    assert_ne!(made("1")["refund_id"], made("2")["refund_id"]);
}

#[test]
fn members_are_merged_and_pointers_are_set() {
    let engine = engine();
    let before = resource(&engine, "TRANSACTION.SUCCESS", &Value::Null).unwrap();
    let changes = json!({
        "out_trade_no": "P1", "amount": {"total": 5}, "attach": {"own": [1]}, "success_time": null, "new": "x",
        "/amount/payer_total": 7, "/bank_type": null, "/promotion_detail/0/amount": 3,
        "/promotion_detail/-/coupon_id": "P2",
    });
    let made = resource(&engine, "transaction.success", &changes).unwrap();
    assert_eq!((&made["out_trade_no"], &made["attach"]), (&json!("P1"), &json!({"own": [1]})));
    assert_eq!((&made["amount"]["total"], &made["amount"]["payer_total"]), (&json!(5), &json!(7)));
    assert_eq!((&made["amount"]["currency"], &made["new"]), (&before["amount"]["currency"], &json!("x")));
    assert_eq!((made.get("success_time"), made.get("bank_type")), (None, None));
    let promotions = made["promotion_detail"].as_array().unwrap();
    assert_eq!((promotions.len(), &promotions[0]["amount"]), (2, &json!(3)));
    assert_eq!(promotions[1], json!({"coupon_id": "P2"}));
    // A documented field that the shape leaves out.
    let made = resource(&engine, "MCHTRANSFER.BILL.FINISHED", &json!({"/fail_reason": "X"})).unwrap();
    assert_eq!(made["fail_reason"], "X");
}

#[test]
fn an_override_chooses_the_variant() {
    let engine = engine();
    let names = |overrides: Value| {
        let made = resource(&engine, "TRANSACTION.SUCCESS", &overrides).unwrap();
        let has = |pointer: &str| made.pointer(pointer).is_some();
        (
            has("/mchid"),
            has("/payer/openid"),
            has("/sub_mchid"),
            has("/payer/sp_openid"),
            has("/sub_orders/0/mchid"),
            has("/parking_info"),
        )
    };
    let merchant = (true, true, false, false, false, false);
    assert_eq!(
        names(json!({"out_trade_no": "P1", "/amount/total": 5, "sub_mchid": null, "/sp_mchid": null})),
        merchant
    );
    let partner = (false, false, true, true, false, false);
    assert_eq!(names(json!({"/sub_mchid": "1900000110"})), partner);
    assert_eq!(names(json!({"payer": {"sub_openid": "o1"}})), partner);
    assert_eq!(names(json!({"/sub_orders/0/out_trade_no": "P1"})), (false, false, false, false, true, false));
    assert_eq!(names(json!({"/sub_mchid": "1", "/mchid": "2"})), (true, false, true, true, false, false));
    let refund = resource(&engine, "REFUND.CLOSED", &json!({"sub_mchid": "1"})).unwrap();
    assert_eq!((refund.get("mchid"), &refund["sub_mchid"]), (None, &json!("1")));
    assert!(refund.get("sp_mchid").is_some());
}

#[test]
fn what_is_encrypted_is_encrypted_with_the_callers_value() {
    let engine = engine();
    let mut found = 0;
    for event in v3() {
        let documented = Catalogue::notification(event).unwrap();
        for field in documented.resource().iter().filter(|field| field.encrypted_for().is_some()) {
            let made = resource(&engine, event, &json!({ field.name(): "13800000000" })).unwrap();
            let sealed = made[field.name()].as_str().unwrap();
            let opened = crate::sandbox::keys::cipher::decrypt_field(&engine.identity.merchant.key, sealed);
            assert_eq!(opened.as_deref(), Some("13800000000"), "{event} {}", field.name());
            found += 1;
        }
    }
    assert!(
        found > 0 || v3().all(|event| !has_encrypted(Catalogue::notification(event).unwrap().resource()))
    );
}

fn has_encrypted(fields: Fields) -> bool {
    fields.iter().any(|field| field.encrypted_for().is_some() || has_encrypted(field.fields()))
}

#[test]
fn wrong_overrides_are_errors() {
    let engine = engine();
    for (changes, part) in [
        (json!([]), "not an object"),
        (json!("x"), "not an object"),
        (json!({"": 1}), "has no name"),
        (json!({"/amount/totl": 1}), "did you mean `total`?"),
        (json!({"/amuont/total": 1}), "did you mean `amount`?"),
        (json!({"/zzzzzz": 1}), "no document has the field `zzzzzz`"),
        (json!({"/": 1}), "no document has the field"),
        (json!({"/amount/total/x": 1}), "neither an object nor a list"),
        (json!({"/promotion_detail/7": {}}), "expected an index up to 1"),
        (json!({"/promotion_detail/00": {}}), "expected an index up to 1"),
        (json!({"/promotion_detail/+1": {}}), "expected an index up to 1"),
        (json!({"/promotion_detail/99999999999999999999/amount": 1}), "expected an index up to 1"),
        (json!({"/promotion_detail/0/amuont": 1}), "did you mean `amount`?"),
        (json!({"/promotion_detail/-/amuont": 1}), "did you mean `amount`?"),
        (json!({"/a~2b": 1}), "is not a JSON pointer"),
    ] {
        let error = resource(&engine, "TRANSACTION.SUCCESS", &changes).unwrap_err();
        assert!(error.contains(part), "{changes}: {error}");
    }
    let mut value = json!({"a": 1});
    assert!(
        overrides::apply(
            &mut value,
            Catalogue::notification("REFUND.SUCCESS").unwrap().resource(),
            &json!({"/a": 2})
        )
        .is_ok()
    );
    assert_eq!(value, json!({"a": 2}));
}

#[test]
fn an_unknown_event_has_suggestions() {
    let engine = engine();
    for (name, part) in [
        ("REFUND.SUCESS", "did you mean `REFUND.SUCCESS`"),
        ("refund_success", "did you mean `REFUND.SUCCESS`"),
        ("TRANSACTON.SUCCESS", "did you mean `TRANSACTION.SUCCESS`"),
        ("COMPLAINT", "`COMPLAINT.CREATE`"),
        ("投诉", "`COMPLAINT."),
        ("CHECK.FAIL", "an event of APIv2"),
        ("transaction-success", "an event of APIv2"),
        ("", "no document has it"),
        ("zzzzzzzzzz", "no document has it"),
    ] {
        let error = resource(&engine, name, &Value::Null).unwrap_err();
        assert!(error.contains(part), "{name}: {error}");
    }
}
