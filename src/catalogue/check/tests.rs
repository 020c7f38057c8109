//! No documented call gets a wrong hint, and no call makes the comparison slow.

use std::time::{Duration, Instant};

use serde_json::json;

use super::super::{Catalogue, Include};
use super::*;

/// Base64 of the length that a 2048-bit key gives.
fn ciphertext() -> String {
    "A".repeat(342) + "=="
}

/// A value as the documents want it.
fn value(operation: Operation, place: &str, field: Field, include: Include) -> Value {
    let single = match field.field_type() {
        FieldType::Integer | FieldType::Number => {
            let listed = field.values().find_map(|value| value.parse::<i64>().ok());
            json!(listed.unwrap_or(range(field).0.max(0)))
        }
        FieldType::Boolean => json!(true),
        FieldType::Object => {
            let place = format!("{place}.{}", field.name());
            object(operation, &place, field.fields(), include)
        }
        FieldType::String | FieldType::Json | FieldType::File => json!(text(field)),
    };
    if field.is_list() { json!([single]) } else { single }
}

fn text(field: Field) -> String {
    match field.encrypted_for() {
        Some(EncryptedFor::Platform) => ciphertext(),
        _ => {
            field.values().next().map_or_else(|| "值".repeat(field.min_length().unwrap_or(1)), str::to_owned)
        }
    }
}

fn object(operation: Operation, place: &str, fields: Fields, include: Include) -> Value {
    let groups: Vec<_> = operation.either_or().filter(|either| either.place() == place).collect();
    let is_included = |field: &Field| match include {
        Include::All => true,
        Include::Required => match groups.iter().find(|group| group.names().any(|name| name == field.name()))
        {
            Some(group) => group.names().last() == Some(field.name()),
            None => is_needed(*field),
        },
    };
    let name = |field: Field| field.name().replace("$n", "0").replace("$m", "12");
    let fields = fields.iter().filter(is_included);
    fields.map(|field| (name(field), value(operation, place, field, include))).collect::<Map<_, _>>().into()
}

fn query(operation: Operation, include: Include) -> Vec<(String, String)> {
    let Value::Object(query) = object(operation, "query", operation.query(), include) else { unreachable!() };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let first = |value: &Value| value.get(0).map_or_else(|| text(value), text);
    query.iter().map(|(name, value)| (name.clone(), first(value))).collect()
}

#[test]
fn every_operation_filled_from_its_own_schema_gets_no_hint() {
    let mut wrong = Vec::new();
    for operation in Catalogue::operations() {
        for include in [Include::Required, Include::All] {
            let body = object(operation, "body", operation.body(), include);
            let query = query(operation, include);
            let url = [operation.base(), operation.template()].concat();
            let call = Call { verb: operation.verb(), url: &url, query: &query, body: Some(&body) };
            let mut hints = call.hints();
            let outdated =
                matches!(operation.availability(), Availability::Superseded | Availability::Withdrawn(_));
            assert_eq!(hints.iter().any(|hint| matches!(hint, Hint::Outdated { .. })), outdated, "{url}");
            hints.retain(|hint| !matches!(hint, Hint::Outdated { .. }));
            wrong.extend(hints.iter().map(|hint| format!("{} {url} {include:?}: {hint}", operation.verb())));
        }
    }
    assert!(wrong.is_empty(), "{}: {:#?}", wrong.len(), &wrong[..wrong.len().min(40)]);
}

fn hints(verb: &str, path: &str, body: &Value) -> Vec<Hint> {
    Call { verb, url: path, query: &[], body: Some(body) }.hints()
}

/// All names of an operation are shown whole: they are the documents' own.
#[test]
fn a_documented_field_is_shown_whole() {
    fn walk(pointer: &str, fields: Fields, see: &mut impl FnMut(&str)) {
        for field in fields.iter() {
            let list = if field.is_list() { "/999" } else { "" };
            let own = format!("{pointer}/{}{list}", field.name());
            see(&own);
            walk(&own, field.fields(), see);
        }
    }
    for operation in Catalogue::operations().filter(|operation| !operation.is_v2()) {
        walk("", operation.body(), &mut |pointer| {
            let hint = FieldHint { place: "body", field: pointer.to_owned(), problem: FieldProblem::Missing };
            assert!(hint.to_string().contains(&format!("`{pointer}`")), "{hint}: {pointer}");
        });
    }
}

#[test]
fn a_hostile_body_is_compared_in_a_moment_and_shown_tamely() {
    let refunds = "v3/refund/domestic/refunds";
    let many: Map<_, _> = (0..100_000).map(|number| (format!("out_refund_{number}"), json!(1))).collect();
    let list = vec![json!({"account": null, "accountt": 1}); 100_000];
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!({"amount": [deep]});
    }
    let long = "out_refund_no".repeat(100_000);
    let cases = [
        Value::Object(many),
        json!({"amount": {"from": list}}),
        json!({"amount": deep, "goods_detail": vec![Value::Null; 100_000]}),
        json!({long.clone(): 1, "x".repeat(64): 1, "\u{1b}[31m\r\n\u{202e}": 1, "а".repeat(30_000): 1}),
    ];
    for body in cases {
        let start = Instant::now();
        let hints = hints("POST", refunds, &body);
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        assert!((1..=MOST_HINTS).contains(&hints.len()));
        for hint in hints {
            let shown = hint.to_string();
            assert!(shown.len() < 400, "{shown}");
            assert!(!shown.contains(char::is_control) && !shown.contains('\u{202e}'), "{shown:?}");
        }
    }
}

#[test]
fn every_json_type_is_told_from_the_documented_one() {
    let problem = |value: Value| {
        let body = json!({"out_refund_no": "1", "transaction_id": "1", "amount": {"refund": value, "total": 1, "currency": "CNY"}});
        hints("POST", "v3/refund/domestic/refunds", &body).pop().map(|hint| hint.to_string())
    };
    for (value, found) in [
        (json!("1"), "string"),
        (json!(1.5), "number"),
        (json!(true), "boolean"),
        (json!([1]), "array"),
        (json!({"x": 1}), "object"),
    ] {
        let expected = format!("the field `/amount/refund` is of the type integer; found: {found}");
        assert_eq!(problem(value), Some(expected));
    }
    assert_eq!(problem(Value::Null).as_deref(), Some("leave the field `/amount/refund` out: it is null"));
    assert_eq!((problem(json!(1)), problem(json!(u64::MAX))), (None, None));
    for (body, found) in
        [(json!([]), "array"), (json!("x"), "string"), (json!(1), "integer"), (json!(true), "boolean")]
    {
        let shown: Vec<_> =
            hints("POST", "v3/refund/domestic/refunds", &body).iter().map(Hint::to_string).collect();
        assert_eq!(shown, [format!("the body is of the type object; found: {found}")]);
    }
}

#[test]
fn a_name_that_looks_like_a_documented_one_is_found_out() {
    let fields = Catalogue::find("POST", "v3/refund/domestic/refunds").unwrap().body();
    let meant = |name: &str| near(fields, name).unwrap_or_default();
    for (name, wanted) in [
        ("outRefundNo", "out_refund_no"),
        ("out_refund_nо", "out_refund_no"), // a Cyrillic letter
        ("ｏut_refund_no", "out_refund_no"),
        ("out-refund-no", "out_refund_no"),
        ("OUT_REFUND_NO", "out_refund_no"),
        ("out_refund_no ", "out_refund_no"),
        ("notifyUrl", "notify_url"),
        ("reasom", "reason"),
        ("sub_openid", ""),
        ("", ""),
        ("退款单号", ""),
    ] {
        assert_eq!(meant(name), wanted, "{name}");
    }
}

#[test]
fn numbered_names_of_apiv2_are_known_by_their_form() {
    for (documented, name, is_one) in [
        ("coupon_id_$n", "coupon_id_0", true),
        ("coupon_id_$n", "coupon_id_12", true),
        ("coupon_id_$n", "coupon_id_", false),
        ("coupon_id_$n", "coupon_id_x", false),
        ("coupon_id_$n", "coupon_id_$n", false),
        ("coupon_id_$n", "coupon_id_+1", false),
        ("coupon_id_$n", "coupon_id_0_1", false),
        ("coupon_refund_id_$n_$m", "coupon_refund_id_0_1", true),
        ("coupon_refund_id_$n_$m", "coupon_refund_id_0", false),
        ("coupon_id_$n", "coupon_id_99999999999999999999", false),
    ] {
        assert_eq!(is_numbered(documented, name), is_one, "{documented} {name}");
    }
}
