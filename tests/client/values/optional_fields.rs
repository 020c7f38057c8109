//! Sensitive fields of a response that are optional.

use serde_json::{Value, json};
use wechatpay_chain::{Error, Response};

use crate::support::start_sandbox;

#[test]
fn optional_fields_are_decrypted_where_they_are() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let secret = |text: &str| sandbox.encrypt(text).unwrap();
    let get = |body: &Value| -> Response {
        sandbox.on("GET", "v3/list", 200, body.clone()).unwrap();
        wx["v3/list"].get_sync().unwrap()
    };
    let decrypt = |body: &Value, pointers: &[&str]| get(body).decrypt(pointers);

    // Some have it, some do not, one is null, one is empty, one element is null.
    let page = json!({"data": [{"payer_phone": secret("139")}, {"id": 1}, {"payer_phone": null}, {"payer_phone": ""}, null]});
    let expected = json!({"data": [{"payer_phone": "139"}, {"id": 1}, {"payer_phone": null}, {"payer_phone": ""}, null]});
    assert_eq!(decrypt(&page, &["/data/*/payer_phone"]).unwrap(), expected);
    // Lists in lists.
    let nested =
        json!({"data": [{"list": [{"name": secret("张三")}, {}]}, {"list": []}, {"list": null}, {}]});
    let expected = json!({"data": [{"list": [{"name": "张三"}, {}]}, {"list": []}, {"list": null}, {}]});
    assert_eq!(decrypt(&nested, &["/data/*/list/*/name"]).unwrap(), expected);

    // Nobody has it, on pages and in single objects: everything stays as it is.
    for (body, pointer) in [
        (json!({"data": [{"id": 1}, {"id": 2}]}), "/data/*/payer_phone"),
        (json!({"data": []}), "/data/*/payer_phone"),
        (json!({"data": [], "total_count": 0}), "/data/0/payer_phone"),
        (json!({"data": null}), "/data/*/payer_phone"),
        (json!({"data": [{"list": []}, {"list": null}]}), "/data/*/list/*/name"),
        (json!({"data": [{"payer": null}, {"payer": {}}, {}]}), "/data/*/payer/phone"),
        (json!({"total_count": 0, "limit": 5, "offset": 0}), "/data/*/payer_phone"),
        (json!({}), "/data/*/payer_phone"),
        (json!([]), "/*/payer_phone"),
        (json!({"complaint_id": "1", "payer_phone": null}), "/payer_phone"),
        (json!({"complaint_id": "1"}), "/payer_phone"),
        (json!({"payer": {"id": "1"}}), "/payer/phone"),
        (json!({"payer": null}), "/payer/phone"),
    ] {
        assert_eq!(decrypt(&body, &[pointer]).unwrap(), body, "{pointer}");
    }
    sandbox.on("GET", "v3/empty", 204, Value::Null).unwrap();
    assert_eq!(
        wx["v3/empty"].get_sync().unwrap().decrypt(&["/data/*/payer_phone", "/x"]).unwrap(),
        Value::Null
    );

    // A mistyped pointer is told.
    let two = json!({"data": [{"payer_phone": secret("139"), "list": [{"name": secret("张三")}]}], "payer": {"name": secret("x")}, "id": "1"});
    for pointer in [
        "/dta/*/payer_phone",
        "/dta/0/payer_phone",
        "/dta/payer_phone",
        "/data/payer_phone",
        "/payer/*/name",
        "/data/*/list/name",
        "/data/*/payer_phone/x",
        "/id/x",
        "/id/*",
        "/payer/nam",
        "payer/name",
        "",
    ] {
        let result = decrypt(&two, &[pointer]);
        assert!(matches!(&result, Err(Error::Config(e)) if e.field() == pointer), "{pointer}: {result:?}");
    }
    // Not mistyped: what stands beside it is decrypted by another pointer, in any order.
    let body = json!({"payer": {"name": secret("x")}});
    for pointers in [["/payer/phone", "/payer/name"], ["/payer/name", "/payer/phone"]] {
        assert_eq!(decrypt(&body, &pointers).unwrap(), json!({"payer": {"name": "x"}}));
    }
    // Only strings are decrypted, and only ciphertexts.
    for body in [json!({"data": [{"payer_phone": 139}]}), json!({"data": [{"payer_phone": {"a": 1}}]})] {
        assert!(matches!(decrypt(&body, &["/data/*/payer_phone"]), Err(Error::Config(_))));
    }
    let clear = json!({"data": [{"payer_phone": "13900139000"}]});
    let Err(Error::Decrypt(error)) = decrypt(&clear, &["/data/*/payer_phone"]) else { panic!() };
    assert!(!error.contains("13900139000"), "{error}");
}

/// A request is another matter: what is not selected would be sent in the clear.
#[test]
fn a_pointer_of_a_request_must_select_something() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let body = json!({"list": [{"id": 1}], "none": [], "null": null, "number": 139});
    for pointer in
        ["/list/*/phone", "/none/*/phone", "/null", "/number", "/phone", "/list/phone", "/dta/phone"]
    {
        let refused = wx["v3/x"].post(body.clone()).encrypt(&[pointer]).prepare();
        assert!(matches!(refused, Err(Error::Config(e)) if e.field() == pointer), "{pointer}");
    }
}
