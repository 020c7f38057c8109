//! Sensitive query parameters and odd JSON, from the shell.

use serde_json::{Value, json};
use wechatpay_chain::sandbox::SandboxResponse;

use crate::program::{TestEnv, last};
use crate::support::has;

const BANKS: &str = "v3/capital/capitallhh/banks/search-banks-by-bank-account";
const NUMBER: &str = "6214830000000000";

/// The query's values, decoded by the URL library.
fn query(target: &str) -> Vec<(String, String)> {
    let url = url::Url::parse("http://localhost").unwrap().join(target).unwrap();
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

#[test]
fn a_query_parameter_is_encrypted() {
    let env = TestEnv::new();
    env.sandbox.on("GET", BANKS, 200, json!({"total_count": 0})).unwrap();
    env.sandbox.on("POST", BANKS, 200, json!({})).unwrap();
    let account = format!("account_number={NUMBER}");
    for name in ["account_number", "/account_number", "?account_number"] {
        env.run(&["get", BANKS, "-q", "offset=0", "-q", &account, "--encrypt", name]).ok();
        let seen = last(&env);
        let (pairs, serial) = (query(&seen.target), seen.headers["wechatpay-serial"].to_str().unwrap());
        assert_eq!((pairs.len(), pairs[0].1.as_str()), (2, "0"));
        assert_eq!(env.sandbox.decrypt(serial, &pairs[1].1).as_deref(), Some(NUMBER), "{name}");
    }
    // A body that only the query has to do with stays byte for byte.
    let body = r#"{ "n": 1.10 }"#;
    let done = env.run(&["post", BANKS, "-q", &account, "-d", body, "--encrypt", "account_number"]);
    done.is(0, "wxpay: hint: the documents have this path with GET");
    let seen = last(&env);
    assert_eq!(&seen.body[..], body.as_bytes());
    assert!(!seen.target.contains(NUMBER));
    // Shown as it would be sent, and never in the clear.
    let shown = env.run(&["get", BANKS, "-q", &account, "--encrypt", "account_number", "--dry-run"]);
    assert!(shown.ok().contains("account_number=") && !shown.out.contains(NUMBER));
    // A mistyped name sends nothing.
    let sent = env.sandbox.requests().len();
    for name in ["account", "/account", "?account"] {
        env.run(&["get", BANKS, "-q", &account, "--encrypt", name]).fails(1, "matches no");
    }
    assert_eq!(env.sandbox.requests().len(), sent);
}

#[test]
fn pkcs1v15_is_used_on_request() {
    if !has("openssl") {
        return;
    }
    let env = TestEnv::new();
    let public = env.home.path().join("merchant.pem");
    let private = env.home.path().join("key.pem");
    std::fs::write(&private, env.sandbox.merchant_key_pem()).unwrap();
    let openssl = |arguments: &[&str], input: &str| {
        let done = assert_cmd::Command::new("openssl").args(arguments).write_stdin(input).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        done.stdout
    };
    let (private, public) = (private.to_str().unwrap(), public.to_str().unwrap());
    openssl(&["pkey", "-in", private, "-pubout", "-out", public], "");
    let mode = ["-pkeyopt", "rsa_padding_mode:pkcs1"];
    let secret = openssl(&[&["pkeyutl", "-encrypt", "-pubin", "-inkey", public][..], &mode].concat(), "李四");
    let secret = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, secret);
    env.sandbox.on("POST", "v3/hk/x", 200, json!({ "name": secret })).unwrap();
    let call = ["post", "v3/hk/x", "name=张三", "--encrypt", "/name", "--decrypt", "/name"];
    assert_eq!(env.run(&[&call[..], &["--pkcs1v15"]].concat()).json(), json!({"name": "李四"}));
    let sent: Value = serde_json::from_slice(&last(&env).body).unwrap();
    let serial = env.sandbox.platform_public_key_id();
    let oaep = env.sandbox.decrypt(serial, sent["name"].as_str().unwrap());
    assert_eq!(oaep, None, "it is not OAEP");
    env.run(&call).fails(4, "cannot be decrypted");
}

#[test]
fn half_a_character_does_not_stop_a_filter() {
    let env = TestEnv::new();
    let body = r#"{"detail":"a\ud83d","n":1.10}"#;
    env.sandbox.on_with("GET", "v3/x", SandboxResponse::new(200).body("application/json", body)).unwrap();
    assert_eq!(env.run(&["get", "v3/x", "--jq", ".detail", "--raw"]).ok(), "a\u{fffd}\n");
    assert_eq!(env.run(&["get", "v3/x"]).json()["detail"], "a\u{fffd}");
    assert_eq!(env.run(&["get", "v3/x", "--raw"]).ok(), body);
    let cut = SandboxResponse::new(200).body("application/json", r#"{"detail":"#);
    env.sandbox.on_with("GET", "v3/cut", cut).unwrap();
    env.run(&["get", "v3/cut"]).fails(4, "is not the JSON");
}

/// The platform has carried it out, so a batch never sends it again.
#[test]
fn a_batch_does_not_repeat_a_call_whose_response_is_not_json() {
    let env = TestEnv::new();
    let cut = SandboxResponse::new(200).body("application/json", r#"{"batch_id":"#);
    env.sandbox.on_with("POST", "v3/x", cut).unwrap();
    let call = r#"{"id": "A1", "method": "POST", "path": "v3/x", "body": {}}"#;
    std::fs::write(env.home.path().join("calls.jsonl"), call).unwrap();
    for more in [&[][..], &["--resume", "--repeat-unknown"]] {
        let done = env.run(&[&["batch", "calls.jsonl", "-o", "results.jsonl"], more].concat());
        assert_eq!(done.code, Some(0), "{done:?}");
    }
    assert_eq!(env.sandbox.requests().len(), 1);
    let journal = std::fs::read_to_string(env.home.path().join("results.jsonl")).unwrap();
    assert!(journal.contains("is not the JSON"), "{journal}");
}

#[test]
fn saved_headers_may_be_many() {
    let env = TestEnv::new();
    let lines: String = (0..40_000).map(|n| format!("x-{n}: 1\n")).collect();
    std::fs::write(env.home.path().join("h"), lines).unwrap();
    std::fs::write(env.home.path().join("b"), "{}").unwrap();
    env.run(&["verify", "--headers", "h", "b"]).fails(1, "too many headers");
}
