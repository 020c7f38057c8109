//! Expectations: what is missing is told, by `unmet` and when the sandbox is dropped.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;
use wechatpay_chain::sandbox::{Fault, FaultRule, Sandbox, SandboxError};

use crate::support::sandbox_builder;

fn sandbox() -> Sandbox {
    sandbox_builder().start().unwrap()
}

/// The message of the panic that dropping it makes; `None` if there is none.
fn dropped(sandbox: Sandbox) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(|| drop(sandbox))).err()?;
    Some(panic.downcast_ref::<String>().unwrap().clone())
}

#[test]
fn nothing_is_expected_unless_asked() {
    let sandbox = sandbox();
    sandbox.inject(Fault::BadSignature);
    assert!(sandbox.unmet().is_empty());
    assert_eq!(dropped(sandbox), None);
}

#[test]
fn a_request_that_does_not_come_fails_the_test_with_those_that_came() {
    let sandbox = sandbox();
    sandbox.expect("POST", "v3/things/{id}", 2).unwrap();
    sandbox.expect("DELETE", "v3/{+rest}", 0).unwrap();
    let wx = sandbox.client().unwrap();
    wx["v3/things/1"].post_sync(json!({})).unwrap();
    wx["v3/things/1"].get_sync().unwrap(); // another method
    wx["v3/things/1/2"].post_sync(json!({})).unwrap(); // another route
    let stranger = sandbox.client_builder().private_key(include_str!("../keys/merchant_key.pem"));
    stranger.build().unwrap()["v3/things/2"].post_sync(json!({})).unwrap_err();
    assert_eq!(sandbox.unmet(), ["expected 2 accepted requests `POST v3/things/{id}`, 1 came"]);
    // The expectations do not depend on the list of requests.
    let text = dropped(sandbox).unwrap();
    for part in [
        "expected 2 accepted requests `POST v3/things/{id}`, 1 came",
        "4 requests came",
        "POST /v3/things/1 200 accepted",
        "GET /v3/things/1 200 accepted",
        "POST /v3/things/2 401 SIGN_ERROR",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn too_many_are_not_met_either_and_the_right_number_is() {
    for (base, expected, met) in [("", 1, false), ("", 2, true), ("hk/", 2, true), ("", 0, false)] {
        let sandbox = sandbox();
        sandbox.expect("POST", "/v3/refund/domestic/refunds", expected).unwrap();
        let wx = sandbox.client_builder().base_url(format!("{}{base}", sandbox.base_url())).build().unwrap();
        sandbox.on("POST", "v3/refund/domestic/refunds", 200, json!({})).unwrap();
        for _ in 0..2 {
            wx["v3/refund/domestic/refunds"].post_sync(json!({})).unwrap();
        }
        sandbox.clear_requests();
        assert_eq!(sandbox.unmet().is_empty(), met, "{expected}: {:?}", sandbox.unmet());
        assert_eq!(dropped(sandbox).is_none(), met);
    }
}

#[test]
fn a_fault_that_never_applies_is_told_if_asked() {
    let sandbox = sandbox();
    sandbox.expect_faults();
    sandbox.inject(Fault::BadSignature);
    sandbox.inject_always(Fault::Delay(std::time::Duration::ZERO)); // has no end
    sandbox.inject_rule(FaultRule::new(Fault::BadSignature).path("v3/never").times(3)).unwrap();
    sandbox.client().unwrap()["v3/x"].get_sync().unwrap_err();
    let unmet = sandbox.unmet();
    assert!(unmet.len() == 1 && unmet[0].contains("path=v3/never times=3` applied 0 times"), "{unmet:?}");
    sandbox.inject(Fault::BadSignature);
    assert!(sandbox.unmet()[0].starts_with("the queued fault"), "{:?}", sandbox.unmet());
    sandbox.clear_faults();
    assert_eq!(dropped(sandbox), None);
}

#[test]
fn wrong_routes_are_refused() {
    let sandbox = sandbox();
    for (method, template) in [("post", "v3/x"), ("", "v3/x"), ("POST", "v3/x?a=1"), ("POST", "v3/x{id}")] {
        let error = sandbox.expect(method, template, 1).unwrap_err();
        assert!(matches!(error, SandboxError::Script { .. }), "{error}");
    }
    assert!(sandbox.unmet().is_empty());
}

#[test]
fn a_test_that_fails_already_keeps_its_own_message() {
    let panic = catch_unwind(|| {
        let sandbox = sandbox();
        sandbox.expect("GET", "v3/x", 1).unwrap();
        panic!("the first");
    });
    assert_eq!(*panic.unwrap_err().downcast_ref::<&str>().unwrap(), "the first");
}
