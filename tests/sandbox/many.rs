//! As a large test suite uses it: a thousand sandboxes in one process, each with a call that is checked on both sides.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::json;
use wechatpay_chain::sandbox::{Sandbox, Verdict};

const ALL: usize = 1_000;

#[test]
fn a_thousand_sandboxes_in_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    drop(Sandbox::builder().keys(&keys).start().unwrap());
    let next = AtomicUsize::new(0);
    let one = |number: usize| {
        let sandbox = Sandbox::builder().keys(&keys).start().unwrap();
        let wx = sandbox.client().unwrap();
        let answer = wx["v3/security/echo"].post_sync(json!({ "echo_message": number.to_string() })).unwrap();
        assert_eq!(answer.data()["echo_message"], number.to_string());
        // Nobody else's request, and this one whole.
        let seen = sandbox.requests();
        assert_eq!((seen.len(), &seen[0].verdict), (1, &Verdict::Accepted));
    };
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= ALL {
                        break;
                    }
                    one(number);
                }
            });
        }
    });
    assert!(next.into_inner() >= ALL);
}
