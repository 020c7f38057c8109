//! Scripted responses from a file, and the response on a path that is not modelled.

use std::{fs, path::PathBuf};

use serde_json::json;
use tempfile::TempDir;
use wechatpay_chain::sandbox::{Sandbox, SandboxError};

use crate::raw_http::*;
use crate::support::{has, sandbox_builder, start_sandbox};

fn script(folder: &TempDir, text: &str) -> PathBuf {
    let file = folder.path().join("script.jsonl");
    fs::write(&file, text).unwrap();
    file
}

#[test]
fn placeholders_take_values_of_the_request() {
    if !has("openssl") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let file = script(
        &folder,
        concat!(
            r#"{"method":"POST","template":"/v3/coupons/{id}/{+rest}","status":202,"#,
            r#""headers":{"X-Trace":"{{var.id}}-{{query.n}}","Retry-After":"1"},"#,
            r#""body":{"id":"{{var.id}}","rest":"{{var.rest}}","q":"{{query.n}}","none":"{{query.no}}","total":"{{body./amount/total}}","#,
            r#""text":"{{body./amount/total}} 分, {{body./name}}{{body./no}}","list":["{{body./list}}",true,null,1.5],"all":"{{body}}"}}"#,
            "\n\n",
            r#"{"method":"GET","template":"v3/report","headers":{"content-type":"text/csv"},"body":"a,{{query.x}}\n"}"#,
            "\r\n",
            r#"{"method":"DELETE","template":"v3/report","status":204}"#,
            "\n",
            r#"{"method":"GET","template":"v3/certificates","body":[]}"#,
        ),
    );
    let sandbox = sandbox_builder().script(file).start().unwrap();
    let keys = export(&sandbox);
    let body = json!({ "amount": { "total": 100 }, "name": "粤B", "list": [1, { "a": null }] });
    let reply = post(&sandbox, &keys, "/v3/coupons/a%2Fb/x/y%20z?n=1%2B1", &body.to_string());
    assert_eq!(reply.status, 202, "{reply:?}");
    assert!(reply.verifies(&keys));
    assert_eq!((reply.header("X-Trace"), reply.header("Retry-After")), (Some("a/b-1+1"), Some("1")));
    assert_eq!(reply.header("Sandbox-Not-Modelled"), None);
    let expected = json!({
        "id": "a/b", "rest": "x/y z", "q": "1+1", "none": null, "total": 100, "text": "100 分, 粤B",
        "list": [[1, { "a": null }], true, null, 1.5], "all": body,
    });
    assert_eq!(reply.json(), expected);

    // The prefix of a base URL is not part of the template.
    let reply = get(&sandbox, &keys, "/hk/v3/report?x=%E7%B2%A4");
    assert_eq!((reply.status, reply.body.as_slice()), (200, "a,粤\n".as_bytes()));
    assert_eq!(reply.header("Content-Type"), Some("text/csv"));
    let reply = send(&sandbox, &keys, &Plan::new(&sandbox, "DELETE", "/v3/report", ""));
    assert!(reply.status == 204 && reply.body.is_empty() && reply.verifies(&keys));
    // A script has priority over a built-in route, and `on` over the file.
    assert_eq!(get(&sandbox, &keys, "/v3/certificates").json(), json!([]));
    sandbox.on("GET", "v3/certificates", 200, json!({ "later": true })).unwrap();
    assert_eq!(get(&sandbox, &keys, "/v3/certificates").json(), json!({ "later": true }));
    // Another verb than the scripted one gets 405, and the signature is checked before any script.
    assert_eq!(post(&sandbox, &keys, "/v3/report", "{}").status, 405);
    let mut plan = Plan::new(&sandbox, "GET", "/v3/report", "");
    let authorization = plan.authorization(&keys);
    plan.target = "/v3/report?x=1".into();
    assert_eq!(send_bytes(&sandbox, &plan.bytes(&authorization)).unwrap().status, 401);
}

#[test]
fn a_value_that_no_header_can_hold_is_an_error_of_the_script() {
    if !has("openssl") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let line = r#"{"method":"GET","template":"v3/x","headers":{"X-A":"{{query.a}}"}}"#;
    let sandbox = sandbox_builder().script(script(&folder, line)).start().unwrap();
    let keys = export(&sandbox);
    let reply = get(&sandbox, &keys, "/v3/x?a=b%0D%0AX-B:%20c");
    assert_eq!((reply.status, reply.code().as_str()), (500, "SYSTEM_ERROR"));
    assert!(reply.message().contains("X-A") && reply.header("X-B").is_none(), "{reply:?}");
    assert_eq!(get(&sandbox, &keys, "/v3/x?a=b").header("X-A"), Some("b"));
}

#[test]
fn an_unmodelled_path_gets_a_marked_response() {
    if !has("openssl") {
        return;
    }
    let sandbox = start_sandbox();
    let keys = export(&sandbox);
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        let reply = send(&sandbox, &keys, &Plan::new(&sandbox, method, "/v3/no/such/path?x=1", ""));
        assert_eq!((reply.status, reply.json()), (200, json!({})), "{method}");
        assert_eq!(reply.header("Sandbox-Not-Modelled"), Some("1"));
        assert!(reply.verifies(&keys));
    }
    assert_eq!(get(&sandbox, &keys, "/global/v3/no/such/path").status, 200);
    // Only v3, only when it is rightly signed, and only where no other verb is modelled.
    for target in ["/", "/v2/pay", "/pay/unifiedorder", "/_sandboxes"] {
        assert_eq!(get(&sandbox, &keys, target).status, 404, "{target}");
    }
    assert_eq!(send_bytes(&sandbox, &Plan::new(&sandbox, "GET", "/v3/x", "").bytes("")).unwrap().status, 401);
    assert_eq!(get(&sandbox, &keys, "/v3/pay/transactions/native").status, 405);
    let reply = get(&sandbox, &keys, "/v3/certificates");
    assert_eq!((reply.status, reply.header("Sandbox-Not-Modelled")), (200, None));

    let strict = sandbox_builder().strict(true).start().unwrap();
    let keys = export(&strict);
    let reply = get(&strict, &keys, "/v3/no/such/path");
    assert_eq!((reply.status, reply.code().as_str()), (404, "RESOURCE_NOT_EXISTS"));
    assert!(reply.verifies(&keys) && reply.header("Sandbox-Not-Modelled").is_none());
}

#[track_caller]
fn broken(text: &str) -> (Option<usize>, String) {
    let folder = TempDir::new().unwrap();
    let file = script(&folder, text);
    match Sandbox::builder().keys(folder.path().join("keys")).script(&file).start().unwrap_err() {
        error @ SandboxError::ScriptFile { .. } => {
            let message = error.to_string();
            assert!(message.contains("script.jsonl"), "{message}");
            assert!(!folder.path().join("keys").exists(), "found before anything is made");
            let SandboxError::ScriptFile { line, path, .. } = error else { panic!() };
            assert_eq!(path, file);
            (line, message)
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_broken_script_names_file_line_and_problem() {
    let good = r#"{"method":"GET","template":"v3/{a}"}"#;
    for (second, part) in [
        ("{", "EOF"),
        (r#"{"method":"GET"}"#, "`template`"),
        (r#"{"method":"GET","template":"v3/x","status":"200"}"#, "u16"),
        (r#"{"method":"GET","template":"v3/x","body":"{{query.}}"}"#, "query."),
        (good, "line 1"),
        (r#"{"method":"GET","template":"/v3/{a}","status":201}"#, "already exist"),
    ] {
        let (line, message) = broken(&format!("{good}\n{second}\n"));
        assert_eq!(line, Some(2), "{message}");
        assert!(message.contains(part) && message.contains(", line 2: "), "{message}");
    }
    // The same path with another verb is another route; other names for a value make another template.
    let folder = TempDir::new().unwrap();
    let text = format!("{good}\n{}\n", good.replace("GET", "POST"));
    assert!(sandbox_builder().script(script(&folder, &text)).start().is_ok());

    let missing = folder.path().join("none.jsonl");
    let error = sandbox_builder().script(&missing).start().unwrap_err();
    assert!(matches!(&error, SandboxError::ScriptFile { line: None, source: Some(_), .. }), "{error}");
    assert!(error.to_string().contains("none.jsonl"), "{error}");
    fs::write(&missing, b"\xff\xfe").unwrap();
    assert!(sandbox_builder().script(&missing).start().unwrap_err().to_string().contains("UTF-8"));
}

#[test]
fn the_lines_of_the_documents_are_scripts() {
    for (file, heading) in [("sandbox.md", "## Scripted responses"), ("sandbox.zh-CN.md", "## 自定义响应")]
    {
        let document = fs::read_to_string(format!("{}/docs/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let (_, rest) = document.split_once(heading).unwrap();
        let (_, rest) = rest.split_once("```json\n").unwrap();
        let (lines, _) = rest.split_once("```").unwrap();
        let folder = TempDir::new().unwrap();
        let sandbox = sandbox_builder().script(script(&folder, lines)).start().unwrap();
        let wx = sandbox.client().unwrap();
        let sent = wx.chain("v3/marketing/favor/users/o123/coupons").post_sync(json!({})).unwrap();
        assert_eq!(*sent.data(), json!({ "coupon_id": "98674556", "for": "o123" }));
        let stock =
            wx.chain("v3/marketing/favor/stocks/7/items").get().query(json!({ "stock_creator_mchid": "19" }));
        let wechatpay_chain::Error::Api(error) = stock.wait().unwrap_err() else { panic!() };
        assert_eq!(error.message, "no stock 7/items");
    }
}

#[test]
fn the_client_accepts_a_scripted_response() {
    let folder = TempDir::new().unwrap();
    let line = r#"{"method":"GET","template":"v3/x/{id}","status":409,"body":{"code":"RESOURCE_ALREADY_EXISTS","message":"{{var.id}}"}}"#;
    let sandbox = sandbox_builder().script(script(&folder, line)).start().unwrap();
    let wx = sandbox.client().unwrap();
    let wechatpay_chain::Error::Api(error) = wx.chain("v3/x/7").get_sync().unwrap_err() else { panic!() };
    assert_eq!(
        (error.status, error.code.as_str(), error.message.as_str()),
        (409, "RESOURCE_ALREADY_EXISTS", "7")
    );
    assert_eq!(*wx.chain("v3/y").get_sync().unwrap().data(), json!({}));
}
