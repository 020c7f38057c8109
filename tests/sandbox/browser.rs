//! The page in a headless Chromium.

use std::{
    io::{Read, Write},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use wechatpay_chain::{
    WeChatPay,
    sandbox::{Fault, Sandbox, Verdict},
};

use crate::raw_http::{Plan, export, send};
use crate::requests::*;
use crate::support::{TestServer, has, sandbox_builder};
use crate::webdriver::*;

/// A merchant's receiver of one notification: its URL, and what came.
fn listen() -> (TestServer, String, mpsc::Receiver<Vec<u8>>) {
    let (sender, receiver) = mpsc::channel();
    let server = TestServer::start(move |mut stream, _| {
        let mut bytes = vec![0; 16 << 10];
        let length = stream.read(&mut bytes)?;
        bytes.truncate(length);
        stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")?;
        // The test may have seen enough.
        let _ = sender.send(bytes);
        Ok(())
    });
    let url = format!("{}notify", server.base);
    (server, url, receiver)
}

fn place(wx: &WeChatPay, number: &str, notify_url: &str) {
    let mut body = native(wx, number, 8800);
    body["notify_url"] = json!(notify_url);
    body["description"] = json!("茶叶 250g");
    ok(wx.chain("v3/pay/transactions/native").post(body));
}

#[test]
fn an_order_appears_is_paid_and_its_notification_arrives() {
    let Some(browser) = Browser::start() else { return };
    let (sandbox, wx) = start();
    browser.open(sandbox.base_url());
    assert_eq!(browser.run("return document.documentElement.lang"), json!("en"));
    // A mark that must still be there at the end: the page is never reloaded.
    browser.run("window.kept = 1");

    let (_server, url, arrived) = listen();
    place(&wx, "P202611220001", &url);
    browser.wait("document.querySelector('[id^=play-]')");
    assert!(text(&browser, "#resources").contains("NOTPAY"));
    // Screen readers announce it, too.
    let status = "return document.querySelector('[role=status]').innerText.replace(/\\s+/g, ' ')";
    assert!(browser.run(status).as_str().unwrap().contains("Resources 1"), "{}", browser.run(status));
    browser.click("summary:has(+ .qr)");
    browser.wait("document.querySelector('.qr').getBoundingClientRect().width > 100");
    browser.click("[id^=play-]");
    browser.wait("document.querySelector('#resources').innerText.includes('SUCCESS')");
    assert_eq!(ok(order(&wx, "P202611220001"))["trade_state"], "SUCCESS");
    let came = arrived.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(came.starts_with(b"POST /notify HTTP/1.1\r\n"));
    browser.wait("document.querySelector('#notifications .badge.good')");
    assert!(text(&browser, "#notifications").contains("TRANSACTION.SUCCESS"));
    // The focus stays in the row of the button that is gone.
    assert_eq!(browser.run("return document.activeElement.id.split('-')[0]"), json!("resource"));
    assert_eq!(browser.run("return window.kept"), json!(1));
    calm(&browser, &sandbox);
}

#[test]
fn the_keyboard_is_enough() {
    let Some(browser) = Browser::start() else { return };
    let (sandbox, wx) = start();
    place(&wx, "P202611220002", "http://127.0.0.1:9/notify");
    browser.open(sandbox.base_url());
    let mut stops = Vec::new();
    for _ in 0..30 {
        browser.press(TAB);
        stops.push(browser.run("return document.activeElement.id").as_str().unwrap().to_string());
        let outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle");
        assert_ne!(outline, json!("none"), "the focus is to be seen at {stops:?}");
        if stops.last().unwrap().starts_with("play-") {
            break;
        }
    }
    assert!(stops.last().unwrap().starts_with("play-"), "{stops:?}");
    // An update does not take the focus away.
    place(&wx, "P202611220003", "http://127.0.0.1:9/notify");
    browser.wait("document.querySelectorAll('[id^=play-]').length == 2");
    assert_eq!(browser.run("return document.activeElement.id"), json!(stops.last().unwrap()));
    browser.press(ENTER);
    browser.wait("document.querySelector('#resources').innerText.includes('SUCCESS')");
    assert_eq!(ok(order(&wx, "P202611220002"))["trade_state"], "SUCCESS");
    assert_eq!(ok(order(&wx, "P202611220003"))["trade_state"], "NOTPAY");
    // Each field has a name.
    let nameless = "return [...document.querySelectorAll('main input:not([type=hidden]), main select')]\
                    .filter(field => !field.labels.length).length";
    assert_eq!(browser.run(nameless), json!(0));
    calm(&browser, &sandbox);
}

#[test]
fn a_form_updates_the_page_in_place_and_shows_its_error() {
    let Some(browser) = Browser::start() else { return };
    let (sandbox, wx) = start();
    place(&wx, "P202611220007", "http://127.0.0.1:9/notify");
    browser.open(sandbox.base_url());
    browser.run("window.kept = 1");
    browser.click("[id^=json-] summary");
    browser.click("#add-fault [name=share]");
    browser.press("2");
    // Two renewals later both are as they were left.
    for number in ["P202611220008", "P202611220009"] {
        place(&wx, number, "http://127.0.0.1:9/notify");
        browser.wait(&format!("document.querySelector('#resources').innerText.includes('{number}')"));
    }
    assert_eq!(browser.run("return document.querySelector('details[open]').id.split('-')[0]"), json!("json"));
    assert_eq!(
        browser.run("return document.activeElement.name + document.activeElement.value"),
        json!("share2")
    );

    browser.press(ENTER);
    browser.wait("document.querySelector('#alert').innerText.includes('up to 1')");
    place(&wx, "P202611220010", "http://127.0.0.1:9/notify");
    browser.wait("document.querySelector('#resources').innerText.includes('P202611220010')");
    assert!(text(&browser, "#alert").contains("up to 1"), "it stays until something is done");
    browser.press("\u{e003}");
    browser.press("1");
    browser.press(ENTER);
    browser.wait("document.querySelector('#faults').innerText.includes('bad-signature share=1')");
    assert_eq!(text(&browser, "#alert"), "");
    assert_eq!(browser.run("return document.querySelector('#add-fault [name=share]').value"), json!(""));
    assert!(wx.chain("v3/certificates").get_sync().is_err());
    browser.click("#faults li button");
    browser.wait("!document.querySelector('#faults li')");
    assert!(wx.chain("v3/certificates").get_sync().is_ok());
    assert_eq!(browser.run("return window.kept"), json!(1));

    // Gone, and back.
    let port: u16 = sandbox.base_url().trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
    drop(sandbox);
    browser.wait("!document.querySelector('#lost').hidden");
    let _again = sandbox_builder().port(port).start().unwrap();
    browser.wait("document.querySelector('#lost').hidden");
    browser.wait("!document.querySelector('#resources').innerText.includes('P2026')");
}

#[test]
fn without_script_it_is_plain_forms() {
    let Some(browser) = Browser::start() else { return };
    let (sandbox, wx) = start();
    place(&wx, "P202611220011", "http://127.0.0.1:9/notify");
    browser.command("Emulation.setScriptExecutionDisabled", json!({ "value": true }));
    browser.open(&format!("{}?lang=zh-CN", sandbox.base_url()));
    assert!(text(&browser, "header").contains("刷新页面"));
    browser.run("window.kept = 1");
    browser.click("[id^=play-]");
    browser.wait("document.querySelector('#resources').innerText.includes('SUCCESS')");
    assert_eq!(
        browser.run("return [window.kept, location.search, location.hash]"),
        json!([null, "?lang=zh-CN", "#resources"])
    );
    assert_eq!(ok(order(&wx, "P202611220011"))["trade_state"], "SUCCESS");
    calm(&browser, &sandbox);
}

#[test]
fn the_page_fits_phones_dark_mode_and_both_languages() {
    let Some(browser) = Browser::start() else { return };
    let (sandbox, wx) = start();
    fill(&sandbox, &wx);
    for (name, width, height, scale, scheme, lang) in [
        ("desktop-light-en", 1200, 900, 1, "light", "en"),
        ("desktop-dark-zh", 1200, 900, 1, "dark", "zh-CN"),
        ("phone-dark-zh", 360, 740, 2, "dark", "zh-CN"),
        ("phone-light-en", 360, 740, 2, "light", "en"),
    ] {
        browser.size(width, height, scale);
        browser.scheme(scheme);
        browser.open(&format!("{}?lang={lang}", sandbox.base_url()));
        assert_eq!(browser.run("return document.documentElement.lang"), json!(lang));
        browser.run("document.querySelectorAll('.log li:has(.badge.bad) details, #resources tr:nth-child(1) details:has(.qr)').forEach(one => { one.open = true })");
        thread::sleep(Duration::from_millis(300));
        let [scroll, inner] = ["document.documentElement.scrollWidth", "innerWidth"]
            .map(|width| browser.run(&format!("return {width}")).as_u64().unwrap());
        assert!(scroll <= inner, "{name}: {scroll} > {inner}");
        let light = browser.run(
            "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every(part => part > 127)",
        );
        assert_eq!(light, json!(scheme == "light"), "{name}");
        browser.picture(name);
    }
    calm(&browser, &sandbox);
    sandbox.clear_faults(); // they are only shown
}

/// Something of everything.
fn fill(sandbox: &Sandbox, wx: &WeChatPay) {
    let (_server, url, arrived) = listen();
    place(wx, "P202611220004", &url);
    sandbox.pay("P202611220004").unwrap();
    arrived.recv_timeout(Duration::from_secs(10)).unwrap();
    ok(wx.chain("v3/refund/domestic/refunds").post(refund("P202611220004", "R202611220004", 800, 8800)));
    let transfer = json!({
        "appid": APPID, "out_bill_no": "T202611220001", "transfer_scene_id": "1000", "openid": OPENID,
        "transfer_amount": 500, "transfer_remark": "活动奖励",
        "transfer_scene_report_infos": [{"info_type": "活动名称", "info_content": "新会员有礼"}],
    });
    ok(wx.chain("v3/fund-app/mch-transfer/transfer-bills").post(transfer));
    let mut jsapi = native(wx, "P202611220005", 19_900);
    jsapi["payer"] = json!({ "openid": OPENID });
    jsapi["description"] = json!("陶瓷茶杯两只");
    ok(wx.chain("v3/pay/transactions/jsapi").post(jsapi));
    ok(close(wx, "P202611220005"));
    sandbox.notify("https://shop.example.com/notify", "REFUND.SUCCESS", "refund", &json!({}));
    sandbox.inject_rule("rate-limited=1 nth=3 path=v3/pay/{+rest}".parse().unwrap()).unwrap();
    sandbox.inject(Fault::SignatureProbe);
    wx["v3/certificates"].get_sync().unwrap_err();
    if has("openssl") {
        let keys = export(sandbox);
        let mut bent = Plan::new(sandbox, "POST", "/v3/security/echo", r#"{"echo_message":"茶叶"}"#);
        bent.signed = Some(r#"{"echo_message": "\u8336\u53f6"}"#.into());
        assert_eq!(send(sandbox, &keys, &bent).status, 401);
        assert!(matches!(sandbox.requests().last().unwrap().verdict, Verdict::Refused { .. }));
    }
    place(wx, "P202611220006", "http://127.0.0.1:9/notify");
}

fn text(browser: &Browser, selector: &str) -> String {
    let text: Value = browser.run(&format!("return document.querySelector('{selector}').innerText"));
    text.as_str().unwrap().to_string()
}

/// Nothing in the console, and no request to another host.
#[track_caller]
fn calm(browser: &Browser, sandbox: &Sandbox) {
    let (console, requests) = browser.logs();
    assert!(console.is_empty(), "{console:?}");
    assert!(!requests.is_empty());
    for url in requests {
        assert!(url.starts_with(sandbox.base_url()), "{url}");
    }
    assert!(sandbox.requests().iter().all(|request| request.target.starts_with("/v3/")), "asks for an icon");
}
