//! The program `wxpay` with a wrong key of the platform, or a wrong APIv3 key for its certificates.

use serde_json::Value;
use wechatpay_chain::sandbox::{Fault, Sandbox};

use crate::program::{Done, TestEnv};

/// The program with only this public key.
fn with_public_key(env: &TestEnv, id: &str, pem: &str, arguments: &[&str]) -> Done {
    let mut command = env.wxpay();
    command.env_remove("WECHATPAY_PLATFORM_SERIAL").env_remove("WECHATPAY_PLATFORM_CERTIFICATE");
    command.env("WECHATPAY_PUBLIC_KEY_ID", id).env("WECHATPAY_PUBLIC_KEY", pem);
    env.finish(command.args(arguments))
}

fn with_certificates(env: &TestEnv, apiv3_key: &str, arguments: &[&str]) -> Done {
    let mut command = env.wxpay();
    for name in ["PUBLIC_KEY_ID", "PUBLIC_KEY", "PLATFORM_SERIAL", "PLATFORM_CERTIFICATE"] {
        command.env_remove(format!("WECHATPAY_{name}"));
    }
    command.env("WECHATPAY_AUTOMATIC_CERTIFICATES", "1").env("WECHATPAY_APIV3_KEY", apiv3_key);
    env.finish(command.args(arguments))
}

/// The check of this name in the doctor's output.
fn check(done: &Done, name: &str) -> Value {
    let checks = done.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    checks.into_iter().find(|check| check["check"] == name).unwrap_or_else(|| panic!("no {name}: {done:?}"))
}

#[test]
fn a_mistyped_id_shows_what_the_platform_says() {
    let env = TestEnv::new();
    let (id, pem) = ("PUB_KEY_ID_0100000000000000000000000000", env.sandbox.platform_public_key_pem());
    let done = with_public_key(&env, id, pem, &["post", "v3/security/echo", "echo_message=x"]);
    done.fails(4, "not verified, says 400 PARAM_ERROR: ");
    let done =
        with_public_key(&env, id, pem, &["post", "v3/security/echo", "echo_message=x", "--json-errors"]);
    let error: Value = serde_json::from_str(&done.err).unwrap();
    assert_eq!((&error["error"], &error["status"]), (&"verification".into(), &400.into()), "{error}");
    assert_eq!((&error["code"], &error["claimed_code"]), (&Value::Null, &"PARAM_ERROR".into()), "{error}");
    assert!(error["claimed_message"].as_str().unwrap().contains("Wechatpay-Serial"), "{error}");
    let echo = check(&with_public_key(&env, id, pem, &["doctor"]), "echo");
    assert!(echo["todo"].as_str().unwrap().contains("ID of the configured public key"), "{echo}");
    // Not even hex: it is refused before anything is sent.
    env.sandbox.clear_requests();
    let done = with_public_key(&env, "PUBKEYID0100000000000000000000000000", pem, &["get", "v3/x"]);
    done.fails(1, "WECHATPAY_PUBLIC_KEY_ID");
    assert!(env.sandbox.requests().is_empty());
}

#[test]
fn another_merchants_key_under_the_right_id_is_named() {
    let (env, other) = (TestEnv::new(), Sandbox::start().unwrap());
    let id = env.sandbox.platform_public_key_id();
    let echo = ["post", "v3/security/echo", "echo_message=x"];
    let done = with_public_key(&env, id, other.platform_public_key_pem(), &echo);
    done.fails(4, "the public key that is configured under this ID is the wrong one");
    // With the right key, a signature of something else says that the key is not at fault.
    env.sandbox.inject(Fault::BadSignature);
    let done = with_public_key(&env, id, env.sandbox.platform_public_key_pem(), &echo);
    done.fails(4, "this key made it for another message, so the response was changed");
    assert!(!done.err.contains("configured"), "{done:?}");
}

#[test]
fn a_wrong_apiv3_key_is_a_setting_and_not_the_network() {
    let env = TestEnv::new();
    let wrong = "f".repeat(32);
    let echo = ["post", "v3/security/echo", "echo_message=x"];
    with_certificates(&env, &wrong, &echo).fails(1, "the APIv3 key does not decrypt them");
    let doctor = with_certificates(&env, &wrong, &["doctor"]);
    assert!(check(&doctor, "APIv3 key")["found"].as_str().unwrap().contains("APIv3 key"), "{doctor:?}");
    assert!(!doctor.out.contains("firewall"), "{doctor:?}");
    // A batch ends before its journal begins.
    let calls =
        env.file("calls.jsonl", r#"{"method":"POST","path":"v3/security/echo","body":{"echo_message":"a"}}"#);
    let batch = with_certificates(&env, &wrong, &["batch", &calls]);
    batch.fails(1, "the APIv3 key does not decrypt them");
    assert!(
        !batch.err.contains("--resume") && !env.home.path().join("calls.results.jsonl").exists(),
        "{batch:?}"
    );
    assert_eq!(with_certificates(&env, env.sandbox.apiv3_key(), &["batch", &calls]).code, Some(0));
    // What the platform could not say for now may work later: that is the network's code.
    env.sandbox.inject(Fault::HtmlBadGateway);
    with_certificates(&env, env.sandbox.apiv3_key(), &echo).fails(3, "was the status 502");
    with_certificates(&env, env.sandbox.apiv3_key(), &echo).ok();
}
