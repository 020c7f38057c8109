//! Many sandboxes in one process, as a large test suite starts them, each with a call that is checked on both sides.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::json;
use wechatpay_chain::sandbox::Verdict;

use crate::support::start_sandbox;

fn one(number: usize) {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let response = wx["v3/security/echo"].post_sync(json!({ "echo_message": number.to_string() })).unwrap();
    assert_eq!(response.data()["echo_message"], number.to_string());
    // This request, and no other sandbox's.
    let seen = sandbox.requests();
    assert_eq!((seen.len(), &seen[0].verdict), (1, &Verdict::Accepted));
}

/// A thousand with `WECHATPAY_TESTS_FULL`, else fifty.
#[test]
fn many_sandboxes_in_one_process() {
    let all = if std::env::var_os("WECHATPAY_TESTS_FULL").is_some() { 1_000 } else { 50 };
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= all {
                        break;
                    }
                    one(number);
                }
            });
        }
    });
    assert!(next.into_inner() >= all);
}
