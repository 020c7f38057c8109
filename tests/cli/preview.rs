//! The program `wxpay`: requests that are shown instead of sent, and where they would go.

use serde_json::{Value, json};
use wechatpay_chain::sandbox::Verdict;

use crate::program::{Done, TestEnv, last};
use crate::support::has;

const ECHO: &str = "v3/security/echo";

#[test]
fn a_dry_run_shows_the_message_that_openssl_finds_signed() {
    let env = TestEnv::new();
    let arguments = ["post", "v3/things/{id}", "--var", "id=粤B", "name=it's"];
    let shown = env.run(&[&arguments[..], &["--dry-run"]].concat()).json();
    assert!(env.sandbox.requests().is_empty(), "nothing is sent");
    assert_eq!((&shown["method"], &shown["body"]), (&json!("POST"), &json!(r#"{"name":"it's"}"#)));
    assert!(shown["url"].as_str().unwrap().ends_with("/v3/things/%E7%B2%A4B"));
    assert!(shown["headers"]["authorization"].is_null() && !shown.to_string().contains("signature"));
    let message = shown["message"].as_str().unwrap();
    let lines: Vec<_> = message.split('\n').collect();
    assert_eq!(
        (lines[0], lines[1], lines[4], lines.len()),
        ("POST", "/v3/things/%E7%B2%A4B", r#"{"name":"it's"}"#, 6)
    );
    if !has("openssl") {
        return;
    }
    // `sign` makes the signature of the header; `openssl` verifies it with the certificate.
    let signature = env.finish(env.wxpay().arg("sign").write_stdin(message));
    let certificate = env.file("cert.pem", env.sandbox.merchant_certificate_pem());
    let public = Done::of(assert_cmd::Command::new("openssl").args([
        "x509",
        "-pubkey",
        "-noout",
        "-in",
        &certificate,
    ]));
    let public = env.file("public.pem", public.ok());
    let message = env.file("message", message);
    let signature = env.file("signature.b64", signature.ok());
    let binary = env.path("signature");
    Done::of(
        assert_cmd::Command::new("openssl").args(["base64", "-d", "-A", "-in", &signature, "-out", &binary]),
    )
    .ok();
    let verified = Done::of(assert_cmd::Command::new("openssl").args([
        "dgst",
        "-sha256",
        "-verify",
        &public,
        "-signature",
        &binary,
        &message,
    ]));
    assert!(verified.out.contains("Verified OK"), "{verified:?}");
}

#[test]
fn the_curl_line_works_as_it_is() {
    if !has("curl") {
        return;
    }
    let env = TestEnv::new();
    env.sandbox.on("DELETE", "v3/things", 204, Value::Null).unwrap();
    env.sandbox.on("POST", "v3/empty", 200, json!({})).unwrap();
    env.sandbox.on("GET", "v3/pay/transactions/id/{id}", 200, json!({})).unwrap();
    for arguments in [
        vec!["post", ECHO, r#"echo_message=it's "quoted" $HOME `id` \ 茶"#],
        vec!["post", ECHO, "-d", "{\n \"echo_message\": \"@x\" }\n"],
        vec!["get", "v3/pay/transactions/id/{id}", "--var", "id=4'2[1]", "-q", "mchid=1900000109"],
        vec!["delete", "v3/things", "a=b"],
        vec!["post", "v3/empty"],
    ] {
        let line = env.run(&[&arguments[..], &["--curl"]].concat());
        let before = env.sandbox.requests().len();
        let script = format!("{} -w '%{{http_code}}' -o /dev/null", line.ok().trim_end());
        let mut shell = assert_cmd::Command::new("sh");
        let ran = Done::of(shell.env_remove("http_proxy").env_remove("all_proxy").args(["-c", &script]));
        assert!(matches!(ran.ok(), "200" | "204"), "{script}: {ran:?}");
        assert_eq!(env.sandbox.requests().len(), before + 1);
        assert_eq!(last(&env).verdict, Verdict::Accepted, "{script}");
    }
    assert_eq!(last(&env).headers["content-length"], "0");
}

#[test]
fn another_base_url_and_a_whole_url() {
    let env = TestEnv::new();
    let shown =
        env.run(&["get", "v3/x", "--base-url", "https://apihk.mch.weixin.qq.com/hk", "--dry-run"]).json();
    assert_eq!(shown["url"], "https://apihk.mch.weixin.qq.com/hk/v3/x");
    let whole = format!("{}v3/certificates?a=1", env.sandbox.base_url());
    env.run(&["get", &whole]).ok();
    assert_eq!(last(&env).target, "/v3/certificates?a=1");
}

/// Nobody types PHP's camelCase in a shell, so capitals are no word to be split, and a slash at the end is meant.
#[test]
fn a_path_is_used_as_it_is_typed() {
    let env = TestEnv::new();
    let url = |verb: &str, path: &str| {
        let done = env.run(&[verb, path, "--dry-run", "--jq", ".url", "--raw"]);
        done.ok().trim().to_owned()
    };
    for path in [
        "v3/refund/domestic/refunds/refundNo1",
        "v3/pay/transactions/out-trade-no/testOrder1",
        "v3/ecommerce/applyments/",
        "v3/applyment4sub/applyment/?a=B",
    ] {
        for verb in ["get", "post", "delete"] {
            assert!(url(verb, path).ends_with(&format!("/{path}")), "{verb} {path}: {}", url(verb, path));
        }
        assert!(url("get", &format!("/{path}")).ends_with(&format!("/{path}")), "{path}");
    }
    let empty = ["post", "v3/ecommerce/applyments/{e}", "--var", "e=", "--dry-run", "--jq", ".url", "--raw"];
    assert!(env.run(&empty).ok().trim().ends_with("/v3/ecommerce/applyments/"));

    // A batch, too; and the sandbox has nothing at the path without its slash.
    let lines = [
        r#"{"method":"POST","path":"v3/ecommerce/applyments/","body":{}}"#,
        r#"{"method":"POST","path":"v3/ecommerce/applyments","body":{}}"#,
        r#"{"method":"GET","path":"v3/things/orderNo1"}"#,
    ];
    let calls = env.file("calls.jsonl", lines.join("\n"));
    let _ = env.run(&["batch", &calls]);
    let mut seen: Vec<_> = env.sandbox.requests().iter().map(|seen| seen.target.clone()).collect();
    seen.sort();
    assert_eq!(seen, ["/v3/ecommerce/applyments", "/v3/ecommerce/applyments/", "/v3/things/orderNo1"]);
    env.run(&["post", "v3/ecommerce/applyments", "a=1"]).fails(2, "the documented path ends in `/`");
    env.run(&["post", "v3/ecommerce/applyments/", "a=1"]).is(0, "");
}
