//! Calls that do not succeed: the platform's errors, and what is not the platform's word.

use std::net::TcpListener;

use serde_json::json;
use wechatpay_chain::sandbox::{Fault, SandboxResponse};

use crate::program::TestEnv;

const ECHO: [&str; 3] = ["post", "v3/security/echo", "echo_message=x"];

#[test]
fn the_platform_refuses() {
    let env = TestEnv::new();
    let detail = json!({"field": "/amount/total", "location": "body"});
    let refusal = json!({"code": "PARAM_ERROR", "message": "参数错误", "detail": detail});
    env.sandbox.on("POST", "v3/refused", 400, refusal).unwrap();
    env.sandbox
        .on("POST", "v3/limited", 429, json!({"code": "RATELIMIT_EXCEEDED", "message": "later"}))
        .unwrap();
    env.sandbox.on("POST", "v3/error", 500, json!({"code": "SYSTEM_ERROR", "message": "later"})).unwrap();
    env.sandbox.on("GET", "v3/error", 500, json!({"code": "SYSTEM_ERROR", "message": "later"})).unwrap();
    snapshot!(env.run(&["post", "v3/refused", "a=b"]), @r#"
    exit 2
    --- stdout
    --- stderr
    wxpay: error: 400 PARAM_ERROR: 参数错误 (Request-ID [REQUEST ID]), detail: {"field":"/amount/total","location":"body"}
    wxpay: hint: no document has this path; did you mean POST `v3/refunds`, or GET `v3/refunds`?
    "#);
    snapshot!(env.run(&["post", "v3/refused", "a=b", "--json-errors"]), @r#"
    exit 2
    --- stdout
    --- stderr
    {"error":"refused","status":400,"code":"PARAM_ERROR","request_id":"[REQUEST ID]","detail":{"field":"/amount/total","location":"body"},"verified":true,"text":"参数错误","message":"400 PARAM_ERROR: 参数错误 (Request-ID [REQUEST ID]), detail: {\"field\":\"/amount/total\",\"location\":\"body\"}","hint":"no document has this path; did you mean POST `v3/refunds`, or GET `v3/refunds`?"}
    "#);
    snapshot!(env.run(&["post", "v3/limited", "a=b"]), @"
    exit 3
    --- stdout
    --- stderr
    wxpay: error: 429 RATELIMIT_EXCEEDED: later (Request-ID [REQUEST ID])
    wxpay: hint: repeat it later; --retry N waits as the platform asks
    ");
    snapshot!(env.run(&["post", "v3/error", "a=b"]), @"
    exit 5
    --- stdout
    --- stderr
    wxpay: error: 500 SYSTEM_ERROR: later (Request-ID [REQUEST ID])
    wxpay: hint: query it by its order or refund number before you repeat it; a repeat must have the same numbers and the same body
    ");
    snapshot!(env.run(&["get", "v3/error"]), @"
    exit 3
    --- stdout
    --- stderr
    wxpay: error: 500 SYSTEM_ERROR: later (Request-ID [REQUEST ID])
    ");
    snapshot!(env.run(&["post", "v3/security/echo", "-d", "{}"]), @r#"
    exit 2
    --- stdout
    --- stderr
    wxpay: error: 400 PARAM_ERROR: body `echo_message`: 此字段为必填项: required, but missing or empty (Request-ID [REQUEST ID]), detail: {"field":"/echo_message","location":"body","issue":"此字段为必填项: required, but missing or empty"}
    "#);
}

#[test]
fn the_network_fails() {
    let env = TestEnv::new();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let elsewhere = format!("http://{closed}/");
    snapshot!(env.run(&[&ECHO[..], &["--base-url", &elsewhere]].concat()), @"
    exit 3
    --- stdout
    --- stderr
    wxpay: error: POST v3/security/echo: connection refused by `127.0.0.1:[PORT]`; nothing was sent
    ");
    env.sandbox.inject(Fault::CutConnection);
    snapshot!(env.run(&ECHO), @"
    exit 5
    --- stdout
    --- stderr
    wxpay: error: POST v3/security/echo: the connection closed before the response was complete; the platform may have received the request
    wxpay: hint: query it by its order or refund number before you repeat it; a repeat must have the same numbers and the same body
    ");
    env.sandbox.inject(Fault::Delay(std::time::Duration::from_secs(5)));
    snapshot!(env.run(&[&ECHO[..], &["--timeout", "1.5"]].concat()), @"
    exit 5
    --- stdout
    --- stderr
    wxpay: error: POST v3/security/echo: no complete response within 1.5s; the platform may have received the request (operation timed out)
    wxpay: hint: query it by its order or refund number before you repeat it; a repeat must have the same numbers and the same body
    ");
}

#[test]
fn it_is_not_the_platform() {
    let env = TestEnv::new();
    let page = || SandboxResponse::new(403).body("text/html", "<html>forbidden</html>").unsigned();
    env.sandbox.on_with("POST", "v3/page", page()).unwrap();
    let portal = || SandboxResponse::new(200).body("text/html", "<html>log in</html>").unsigned();
    env.sandbox.on_with("POST", "v3/portal", portal()).unwrap();
    snapshot!(env.run(&["post", "v3/page", "a=b"]), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: 403: 22 bytes of text/html, not the platform's JSON (Request-ID [REQUEST ID]) (unsigned)
    ");
    snapshot!(env.run(&["post", "v3/portal", "a=b"]), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: the response has no `Wechatpay-Nonce` header (Request-ID [REQUEST ID])
    ");
    env.sandbox.inject(Fault::BadSignature);
    snapshot!(env.run(&ECHO), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: the signature does not match under the platform key `[PUBLIC KEY ID]`: this key made it for another message, so the response was changed, or has the headers of another one (Request-ID [REQUEST ID])
    ");
    env.sandbox.inject(Fault::UnknownSerial);
    snapshot!(env.run(&ECHO), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: no platform key has the serial `[PUBLIC KEY ID]`; known: [SERIAL], [PUBLIC KEY ID] (Request-ID [REQUEST ID])
    ");
    env.sandbox.inject(Fault::MissingHeader("Wechatpay-Nonce".into()));
    snapshot!(env.run(&ECHO), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: the response has no `Wechatpay-Nonce` header (Request-ID [REQUEST ID])
    ");
}

#[test]
fn a_response_that_cannot_be_shown_as_asked() {
    let env = TestEnv::new();
    env.sandbox.on("GET", "v3/secret", 200, json!({"name": "bm90IGVuY3J5cHRlZA=="})).unwrap();
    env.sandbox.on("POST", "v3/secret", 200, json!({"name": "bm90IGVuY3J5cHRlZA=="})).unwrap();
    snapshot!(env.run(&["get", "v3/secret", "--decrypt", "/name"]), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: `/name` cannot be decrypted with the merchant's private key
    ");
    snapshot!(env.run(&["post", "v3/secret", "--decrypt", "/name"]), @"
    exit 4
    --- stdout
    --- stderr
    wxpay: error: `/name` cannot be decrypted with the merchant's private key
    wxpay: hint: the platform has carried out the call: do not repeat it
    ");
    snapshot!(env.run(&["get", "v3/secret", "--jq", ".name.x"]), @r#"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: --jq: cannot index "…==" with "x"
    "#);
}
