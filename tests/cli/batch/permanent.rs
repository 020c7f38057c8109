//! A setting that makes every call fail.

use serde_json::json;

use crate::program::{Done, TestEnv, variables, wxpay};

/// With certificates that an APIv3 key cannot decrypt, no call can be sent: the batch stops at the first one, and neither
/// its exit code nor its advice is that of a network failure.
#[test]
fn a_wrong_apiv3_key_ends_a_batch_and_is_not_the_networks_exit_code() {
    let env = TestEnv::new();
    let calls: String = (0..50)
        .map(|n| json!({"id": n.to_string(), "method": "GET", "path": "v3/certificates"}).to_string() + "\n")
        .collect();
    let calls = env.file("calls.jsonl", calls);
    let run = |arguments: &[&str]| {
        let mut command = wxpay(env.home.path());
        let public = [
            "WECHATPAY_PUBLIC_KEY_ID",
            "WECHATPAY_PUBLIC_KEY",
            "WECHATPAY_PLATFORM_SERIAL",
            "WECHATPAY_PLATFORM_CERTIFICATE",
        ];
        command.envs(variables(&env.sandbox).into_iter().filter(|(name, _)| !public.contains(name)));
        command.env("WECHATPAY_AUTOMATIC_CERTIFICATES", "1").env("WECHATPAY_APIV3_KEY", "f".repeat(32));
        Done::of(command.args(arguments))
    };
    let done = run(&["batch", &calls, "-j", "2"]);
    done.is(1, "the APIv3 key does not decrypt them");
    assert!(
        !done.err.contains("--resume") && !env.home.path().join("calls.results.jsonl").exists(),
        "{done:?}"
    );
    assert!(env.sandbox.requests().len() < 10, "the download only");
    let done = run(&["get", "v3/x", "--json-errors"]);
    done.fails(1, "\"permanent\":true");
    assert!(done.err.contains("\"maybe_sent\":false"), "{done:?}");
}
