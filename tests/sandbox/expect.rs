//! Expectations: what is missing is told, by `unmet` and when the sandbox is dropped.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;
use wechatpay_chain::sandbox::{Delivery, Fault, FaultRule, Sandbox, SandboxError, SandboxResponse};

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

/// A fault counts when it applies, not when a request or notification comes that cannot have it.
#[test]
fn a_fault_waits_for_what_it_can_apply_to() {
    let sandbox = sandbox();
    sandbox.expect_faults();
    let wx = sandbox.client().unwrap();
    let echo = || wx["v3/security/echo"].post_sync(json!({"echo_message": "x"}));
    let waits = |fault: &str| {
        let unmet = sandbox.unmet();
        assert!(unmet.len() == 1 && unmet[0].contains(fault), "{unmet:?}");
        assert!(sandbox.requests().iter().all(|seen| seen.faults.is_empty()));
    };
    // A request has no duplicate; only a notification that is sent has, and only if it is accepted.
    sandbox.inject(Fault::Duplicate);
    echo().unwrap();
    sandbox.notification("A.B", "x", &json!({})).unwrap();
    waits("duplicate");
    let wait = |id: &str| loop {
        let sent = sandbox.notifications().into_iter().find(|sent| sent.id == id).unwrap();
        if sent.is_done() || sent.attempts.len() > 1 {
            return sent.delivery;
        }
        std::thread::yield_now();
    };
    let refused = wait(&sandbox.notify("http://192.0.2.1/n", "A.B", "x", &json!({})));
    assert!(matches!(refused, Delivery::Refused(_)));
    waits("duplicate");
    sandbox.clear_faults();

    // An unsigned response has no signature to damage.
    let image = SandboxResponse::new(200).body("image/png", &b"\x89PNG"[..]).unsigned();
    sandbox.on_with("GET", "v3/merchant-service/images/7", image).unwrap();
    for fault in ["bad-signature", "wrong-body", "missing-header=Wechatpay-Nonce"] {
        for rule in [false, true] {
            match rule {
                false => sandbox.inject(fault.parse().unwrap()),
                true => sandbox.inject_rule(format!("{fault} nth=1").parse().unwrap()).unwrap(),
            }
            assert!(!wx["v3/merchant-service/images/7"].get_sync().unwrap().verified());
            waits(fault);
            echo().unwrap_err();
            assert!(sandbox.unmet().is_empty(), "{fault}");
            sandbox.clear_requests();
        }
    }

    // A request that fails has its own error, and a full keyring has no new key.
    sandbox.inject(Fault::SystemErrorAfterExecuting);
    wx["v3/security/echo"].post_sync(json!({"echo_message": ""})).unwrap_err();
    waits("system-error-after-executing");
    echo().unwrap_err();
    assert!(sandbox.unmet().is_empty());
    sandbox.clear_requests();
    while sandbox.add_public_key().is_ok() {}
    sandbox.inject(Fault::RotatePublicKey);
    echo().unwrap();
    waits("rotate-public-key");
    sandbox.clear_faults();
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
