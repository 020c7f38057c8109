//! The page over raw HTTP: its content, its forms, and the requests that it refuses.

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wechatpay_chain::sandbox::{Rotation, Sandbox, Verdict};

use crate::raw_http::*;
use crate::requests::*;
use crate::support::{has, openssl, sandbox_builder, start_sandbox};

/// The tabs, in their order.
pub(crate) const TABS: [&str; 7] =
    ["orders", "requests", "notifications", "endpoints", "faults", "platform", "connect"];

pub(crate) fn host(sandbox: &Sandbox) -> String {
    sandbox.base_url().trim_start_matches("http://").trim_end_matches('/').to_string()
}

pub(crate) fn ask(sandbox: &Sandbox, method: &str, target: &str, head: &[(&str, &str)], body: &str) -> Reply {
    let mut lines = format!("{method} {target} HTTP/1.1\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in head {
        lines += &format!("{name}: {value}\r\n");
    }
    let mut stream = connect(sandbox);
    write!(stream, "{lines}\r\n{body}").unwrap();
    receive(&mut stream).unwrap()
}

pub(crate) fn look(sandbox: &Sandbox, target: &str) -> String {
    let reply = ask(sandbox, "GET", target, &[("Host", &host(sandbox))], "");
    assert_eq!(reply.status, 200);
    String::from_utf8(reply.body).unwrap()
}

/// All tabs, with the first entry of each list open.
pub(crate) fn look_everywhere(sandbox: &Sandbox) -> String {
    let mut pages = String::new();
    for tab in TABS {
        let list = look(sandbox, &format!("/?tab={tab}"));
        for link in list.split("class=\"opener\"").skip(1).filter_map(|rest| rest.split('"').nth(3)) {
            let open = look(sandbox, &link.split('#').next().unwrap().replace("&amp;", "&"));
            assert!(open.contains("aria-expanded=\"true\""), "{link}");
            pages += &open;
        }
        pages += &list;
    }
    pages
}

/// Sends a form as a browser does, from the first tab.
pub(crate) fn submit(sandbox: &Sandbox, fields: &[(&str, &str)]) -> Reply {
    submit_to(sandbox, "/_sandbox/", fields)
}

pub(crate) fn submit_to(sandbox: &Sandbox, target: &str, fields: &[(&str, &str)]) -> Reply {
    let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let (host, origin) = (host(sandbox), format!("http://{}", host(sandbox)));
    let head =
        [("Host", host.as_str()), ("Origin", &origin), ("Content-Type", "application/x-www-form-urlencoded")];
    ask(sandbox, "POST", target, &head, &body)
}

/// The text of the error on the page.
pub(crate) fn alert(reply: &Reply) -> String {
    let page = String::from_utf8_lossy(&reply.body);
    let alert = page.split("<p class=\"alert\">").nth(1).unwrap_or_default();
    alert.split("</p>").next().unwrap().to_owned()
}

#[track_caller]
pub(crate) fn done(reply: &Reply, section: &str) {
    assert_eq!(reply.status, 303, "{}", String::from_utf8_lossy(&reply.body));
    assert_eq!(reply.header("Location"), Some(format!("/_sandbox/#{section}").as_str()));
}

#[test]
fn the_root_is_a_page_for_a_browser_only() {
    if !has("openssl") {
        return;
    }
    let sandbox = start_sandbox();
    for target in ["/", "/?lang=en", "/_sandbox/", "/_sandbox"] {
        assert!(look(&sandbox, target).starts_with("<!DOCTYPE html>"), "{target}");
    }
    assert!(sandbox.requests().is_empty());
    // A signed request, or one that is not a GET, comes from a client.
    let keys = export(&sandbox);
    assert_eq!(get(&sandbox, &keys, "/").status, 404);
    assert_eq!(ask(&sandbox, "POST", "/", &[("Host", &host(&sandbox))], "").status, 401);
    assert_eq!(sandbox.requests().len(), 2);
    assert_eq!(ask(&sandbox, "PUT", "/_sandbox/", &[("Host", &host(&sandbox))], "").status, 405);
}

#[test]
fn the_pages_policy_allows_nothing_foreign() {
    let sandbox = start_sandbox();
    let reply = ask(&sandbox, "GET", "/", &[("Host", &host(&sandbox))], "");
    assert_eq!(reply.header("Content-Type"), Some("text/html; charset=utf-8"));
    assert_eq!(reply.header("Cache-Control"), Some("no-store"));
    assert_eq!(reply.header("X-Content-Type-Options"), Some("nosniff"));
    assert_eq!(reply.header("Wechatpay-Signature"), None);
    let policy = reply.header("Content-Security-Policy").unwrap();
    for part in ["default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{policy}");
    let page = String::from_utf8(reply.body.clone()).unwrap();
    // The hashes are those of the script and the style in the page.
    if has("openssl") {
        for (element, directive) in [("style", "style-src"), ("script", "script-src")] {
            let inner = page.split(&format!("<{element}>")).nth(1).unwrap();
            let inner = inner.split(&format!("</{element}>")).next().unwrap();
            let digest = openssl(&["dgst", "-sha256", "-binary"], inner.as_bytes()).unwrap();
            assert!(
                policy.contains(&format!("{directive} 'sha256-{}'", STANDARD.encode(digest))),
                "{element}"
            );
        }
    }
    assert_eq!((page.matches("<script").count(), page.matches("<style").count()), (1, 1));
    // Nothing inline, nothing from elsewhere.
    let markup = page.split("<body>").nth(1).unwrap().split("<script>").next().unwrap();
    for sign in [" style=", " onclick", " src=", "javascript:", "href=\"http", "action=\"http"] {
        assert!(!markup.contains(sign), "{sign}");
    }
    // An unchanged page is not sent again.
    let (own, tag) = (host(&sandbox), reply.header("ETag").unwrap().to_string());
    let head = [("Host", own.as_str()), ("If-None-Match", &tag)];
    let again = ask(&sandbox, "GET", "/", &head, "");
    assert_eq!((again.status, again.body.len()), (304, 0));
    sandbox.inject(wechatpay_chain::sandbox::Fault::BadSignature);
    assert_eq!(ask(&sandbox, "GET", "/", &head, "").status, 200);
    sandbox.clear_faults();
}

#[test]
fn it_speaks_both_languages() {
    let sandbox = start_sandbox();
    let accepting = |languages: &str, target: &str| {
        let reply =
            ask(&sandbox, "GET", target, &[("Host", &host(&sandbox)), ("Accept-Language", languages)], "");
        assert_eq!(reply.header("Vary"), Some("Accept-Language"));
        String::from_utf8(reply.body).unwrap()
    };
    for (languages, target, chinese) in [
        ("en-US,en;q=0.9", "/", false),
        ("zh-CN,zh;q=0.9,en;q=0.8", "/", true),
        ("en", "/?lang=zh-CN", true),
        ("zh", "/_sandbox/?lang=en", false),
    ] {
        let page = accepting(languages, target);
        assert_eq!(page.contains("<html lang=\"zh-CN\""), chinese);
        assert_eq!(page.contains("回调通知"), chinese);
        assert_eq!(page.contains("Notifications"), !chinese);
        // The choice stays.
        for link in ["href=\"/_sandbox/?tab=requests&amp;lang=", "action=\"/_sandbox/?tab=connect&amp;lang="]
        {
            assert_eq!(page.contains(link), target.contains("lang"), "{languages} {target}");
        }
    }
}

#[test]
fn values_of_requests_are_escaped_and_truncated() {
    if !has("openssl") {
        return;
    }
    let (sandbox, wx) = start();
    let evil = "<script>alert(1)</script>\"'&\u{202e}\u{1b}";
    let mut body = native(&wx, "P202611220001", 100);
    body["description"] = json!(evil);
    body["attach"] = json!("</pre><img src=x onerror=alert(2)>");
    ok(wx.chain("v3/pay/transactions/native").post(body));
    let keys = export(&sandbox);
    // In a path, unsigned; and a large body.
    send_bytes(&sandbox, b"GET /v3/<script>alert(3)</script> HTTP/1.1\r\nHost: x\r\n\r\n");
    let large = format!(r#"{{"echo_message":"{}"}}"#, "<b>".repeat(350_000));
    assert_eq!(post(&sandbox, &keys, "/v3/security/echo", &large).status, 200);
    sandbox.notify("http://192.0.2.1/<script>alert(4)</script>", "<i>TYPE", "x", &json!({}));
    sandbox.inject_rule("delay=1 path=v3/<u>".parse().unwrap()).unwrap();

    for tab in TABS {
        let page = look(&sandbox, &format!("/?tab={tab}&q=%3Cscript%3E&status=%3Cb%3E"));
        assert_eq!(page.matches("<script").count(), 1, "{tab}");
        assert!(page.len() < 100_000, "{tab}: {}", page.len());
    }
    let page = look_everywhere(&sandbox);
    assert_eq!(page.matches("<script>").count(), page.matches("<!DOCTYPE").count());
    for tag in ["<script>alert", "<img", "<b><b>", "<i>TYPE", "<u>", "\u{202e}", "\u{1b}"] {
        assert!(!page.contains(tag), "{tag}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;'&amp;\\u{202e}␛"), "{page}");
    assert!(page.contains("v3/&lt;u&gt;"));
    assert!(page.contains("&lt;script&gt;alert(4)"));
}

#[test]
fn no_tab_shows_a_secret() {
    if !has("openssl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox_builder().keys(folder.path().join("keys")).start().unwrap();
    let keys = export(&sandbox);
    let plan = Plan::new(&sandbox, "GET", "/v3/certificates", "");
    let signature = plan.signature(&keys);
    let reply = send(&sandbox, &keys, &plan);
    assert_eq!(reply.status, 200);
    let theirs = reply.header("Wechatpay-Signature").unwrap().to_owned();
    sandbox.notify("http://127.0.0.1:9/", "TYPE", "type", &json!({ "a": 1 }));
    while sandbox.notifications()[0].attempts.is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let headers = sandbox.notifications()[0].headers.clone();
    let sent = headers["wechatpay-signature"].to_str().unwrap();
    let pages = look_everywhere(&sandbox);
    for secret in [signature.as_str(), &theirs, sent, sandbox.apiv3_key(), "PRIVATE KEY"] {
        assert!(!pages.contains(secret), "{secret}");
    }
    // Their places are shown.
    assert!(pages.contains("Authorization: (not shown)") && pages.contains("apiclient_key.pem"));
}

#[test]
fn other_sites_cannot_use_the_page() {
    let (sandbox, wx) = start();
    ok(wx.chain("v3/pay/transactions/native").post(native(&wx, "P202611220001", 100)));
    let own = host(&sandbox);
    let origin = format!("http://{own}");
    let body = "do=play&part=pay&scope=&number=P202611220001";
    for head in [
        vec![("Host", "evil.example")],
        vec![("Host", "evil.example"), ("Origin", "http://evil.example")],
        vec![("Host", own.as_str()), ("Origin", "http://evil.example")],
        vec![("Host", own.as_str()), ("Origin", "null")],
        vec![("Host", own.as_str())],
        vec![("Origin", origin.as_str())],
    ] {
        let reply = ask(&sandbox, "POST", "/_sandbox/", &head, body);
        assert_eq!(reply.status, 403, "{head:?}");
        assert!(reply.header("Content-Security-Policy").is_some());
        assert!(!String::from_utf8(reply.body).unwrap().contains("P202611220001"));
    }
    let peek = ask(&sandbox, "GET", "/", &[("Host", "evil.example")], "");
    assert_eq!(peek.status, 403);
    assert!(!String::from_utf8(peek.body).unwrap().contains("P202611220001"));
    assert_eq!(ok(order(&wx, "P202611220001"))["trade_state"], "NOTPAY");
}

#[test]
fn forms_simulate_the_payer() {
    let sandbox = sandbox_builder().hold_refunds(true).start().unwrap();
    let wx = sandbox.client().unwrap();
    ok(wx.chain("v3/pay/transactions/native").post(native(&wx, "P202611220001", 12_345)));
    let page = look_everywhere(&sandbox);
    for part in
        ["¥123.45", "NOTPAY", "value=\"P202611220001\"", "<svg class=\"qr\"", "weixin://wxpay/bizpayurl?pr="]
    {
        assert!(page.contains(part), "{part}");
    }
    let play = |part: &str, number: &str| {
        submit(&sandbox, &[("do", "play"), ("part", part), ("scope", ""), ("number", number)])
    };
    done(&play("pay", "P202611220001"), "list");
    assert_eq!(ok(order(&wx, "P202611220001"))["trade_state"], "SUCCESS");
    let page = look_everywhere(&sandbox);
    assert!(page.contains("SUCCESS") && !page.contains("value=\"pay\"") && !page.contains("<svg"));
    assert!(page.contains("TRANSACTION.SUCCESS"));

    // Paying twice, an unknown number and bad input are reported on the page.
    for (reply, status, part) in [
        (play("pay", "P202611220001"), 400, "ORDERPAID"),
        (play("pay", "P0"), 404, "ORDER_NOT_EXIST"),
        (play("steal", "P202611220001"), 400, "PARAM_ERROR"),
        (submit(&sandbox, &[("do", "<b>")]), 400, "&lt;b&gt;"),
        (submit(&sandbox, &[]), 400, "Unknown action"),
        (submit(&sandbox, &[("do", &"x".repeat(20_000))]), 413, "too large"),
    ] {
        let alert = alert(&reply);
        assert!(reply.status == status && alert.contains(part), "{status} {part}: {alert}");
    }

    ok(wx.chain("v3/refund/domestic/refunds").post(refund("P202611220001", "R1", 45, 12_345)));
    assert!(look(&sandbox, "/").contains("value=\"settle-refund\""));
    done(&play("settle-refund", "R1"), "list");
    let refunded: Value = ok(wx.chain("v3/refund/domestic/refunds/{number}").get().var("number", "R1"));
    assert_eq!(refunded["status"], "SUCCESS");
}

#[test]
fn faults_keys_and_clock_are_switched_through_forms() {
    let sandbox = sandbox_builder().sign_errors(false).start().unwrap();
    let wx = sandbox.client().unwrap();
    let echo = || wx.chain("v3/security/echo").post_sync(json!({ "echo_message": "x" }));
    done(
        &submit(
            &sandbox,
            &[
                ("do", "add-fault"),
                ("fault", "rate-limited"),
                ("value", "1"),
                ("path", "v3/security/{+rest}"),
                ("nth", ""),
                ("share", "1"),
                ("times", ""),
                ("on", "requests"),
            ],
        ),
        "faults",
    );
    assert!(echo().is_err());
    let page = look(&sandbox, "/?tab=faults");
    assert!(page.contains("rate-limited=1 share=1 path=v3/security/{+rest}"), "{page}");
    done(&submit(&sandbox, &[("do", "remove-fault"), ("number", "1")]), "faults");
    assert!(echo().is_ok());
    for (name, value) in
        [("nth", "x"), ("nth", "0"), ("share", "2"), ("fault", "none"), ("path", "a?b"), ("on", "x")]
    {
        let fields = [("do", "add-fault"), ("fault", "cut-body"), (name, value)];
        assert_eq!(submit(&sandbox, &fields).status, 400, "{name}={value}");
    }
    done(&submit(&sandbox, &[("do", "add-fault"), ("fault", "html-bad-gateway")]), "faults");
    done(&submit(&sandbox, &[("do", "clear-faults")]), "faults");
    assert!(echo().is_ok());

    done(&submit(&sandbox, &[("do", "skew"), ("seconds", "-400")]), "clock");
    assert!(echo().is_err());
    assert_eq!(submit(&sandbox, &[("do", "skew"), ("seconds", "1.5")]).status, 400);
    done(&submit(&sandbox, &[("do", "skew"), ("seconds", "0")]), "clock");
    assert!(echo().is_ok());

    let added = sandbox.rotate(Rotation::Certificate).unwrap();
    assert!(look(&sandbox, "/?tab=platform").contains(&added));
    let first = sandbox.platform_certificate_serial();
    done(&submit(&sandbox, &[("do", "sign-with"), ("serial", first)]), "keys");
    done(&submit(&sandbox, &[("do", "retire"), ("serial", &added)]), "keys");
    assert!(!look(&sandbox, "/?tab=platform").contains(&added));
    done(&submit(&sandbox, &[("do", "rotate-public-key")]), "keys");
    done(&submit(&sandbox, &[("do", "rotate-certificate")]), "keys");
    assert_eq!(look(&sandbox, "/?tab=platform").matches("id=\"key-").count(), 4);
    assert_eq!(submit(&sandbox, &[("do", "retire"), ("serial", "<none>")]).status, 400);
}

#[test]
fn a_refused_signature_is_shown_with_the_expected_message() {
    if !has("openssl") {
        return;
    }
    let sandbox = start_sandbox();
    let keys = export(&sandbox);
    let mut plan = Plan::new(&sandbox, "GET", "/v3/x?name=中", "");
    let authorization = plan.authorization(&keys);
    plan.target = "/v3/x?name=%E4%B8%AD".into();
    assert_eq!(send_bytes(&sandbox, &plan.bytes(&authorization)).unwrap().status, 401);
    assert!(matches!(&sandbox.requests()[0].verdict, Verdict::Refused { status: 401, .. }));
    let page = look(&sandbox, "/?tab=requests&open=1&lang=en");
    assert!(page.contains("The signed message has path or query before their encoding"), "{page}");
    assert!(page.contains("First different byte: <b>15</b>"), "{page}");
    assert!(page.contains("<mark>中</mark>") && page.contains("<mark>%</mark>"));
    assert!(look(&sandbox, "/?tab=requests&open=1&lang=zh-CN").contains("签名串：路径或查询串未经 URL 编码"));
}
