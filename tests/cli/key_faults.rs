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

/// Without its prefix, an ID passes for the serial of a certificate, and no response would be verified.
#[test]
fn an_id_without_its_prefix_is_refused_before_anything_is_sent() {
    let env = TestEnv::new();
    let day = env.paid_day();
    let id = env.sandbox.platform_public_key_id();
    let digits = id.strip_prefix("PUB_KEY_ID_").unwrap();
    let calls = env.file("calls.jsonl", r#"{"method":"GET","path":"v3/certificates"}"#);
    let (headers, body) = crate::messages::saved(&env, &env.sandbox);
    env.sandbox.clear_requests();
    for arguments in [
        &["post", "v3/security/echo", "echo_message=x"][..],
        &["get", "v3/certificates"],
        &["get", "v3/certificates", "--dry-run"],
        &["bill", &day],
        &["certs"],
        &["batch", &calls],
        &["verify", "--headers", &headers, &body],
        &["decrypt", "--headers", &headers, &body],
    ] {
        for digits in [digits, &format!(" {digits}\n"), &digits[..20]] {
            let done = env.finish(env.wxpay().env("WECHATPAY_PUBLIC_KEY_ID", digits).args(arguments));
            done.fails(1, "`WECHATPAY_PUBLIC_KEY_ID` is `");
            done.fails(1, &format!("hint: set it to PUB_KEY_ID_{}", digits.trim()));
        }
    }
    assert!(env.sandbox.requests().is_empty());
    // The serial of a certificate may be meant: it is used, with a warning.
    let serial = env.sandbox.platform_certificate_serial();
    let certificate = env.file("certificate.pem", env.sandbox.platform_certificate_pem());
    let mut command = env.wxpay();
    for name in ["WECHATPAY_PLATFORM_SERIAL", "WECHATPAY_PLATFORM_CERTIFICATE"] {
        command.env_remove(name);
    }
    command.env("WECHATPAY_PUBLIC_KEY_ID", serial);
    command.env("WECHATPAY_PUBLIC_KEY", format!("file://{certificate}"));
    let done = env.finish(command.args(["post", "v3/security/echo", "echo_message=x"]));
    done.is(
        0,
        "wxpay: warning: the environment: `WECHATPAY_PUBLIC_KEY_ID` does not begin with `PUB_KEY_ID_`",
    );
    assert_eq!(done.err.lines().count(), 1, "{done:?}");
}
