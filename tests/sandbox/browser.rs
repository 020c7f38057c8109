//! The page in a headless Chromium.

use std::{
    io::{Read, Write},
    sync::mpsc,
    time::Duration,
};

use serde_json::{Value, json};
use wechatpay_chain::{WeChatPay, sandbox::Sandbox};

use crate::requests::*;
use crate::support::{TestServer, sandbox_builder};
use crate::webdriver::*;

/// A merchant's receiver of one notification: its URL, and what came.
pub(crate) fn listen() -> (TestServer, String, mpsc::Receiver<Vec<u8>>) {
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

pub(crate) fn place(wx: &WeChatPay, number: &str, notify_url: &str) {
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
    let (_server, url, arrived) = listen();
    place(&wx, "P202611220001", &url);
    browser.wait("document.querySelector('[id^=play-]')");
    assert!(text(&browser, "main").contains("NOTPAY"));
    // Screen readers announce it, too.
    let status = "return document.querySelector('[role=status]').innerText.replace(/\\s+/g, ' ')";
    assert!(browser.run(status).as_str().unwrap().contains("Orders 1"), "{}", browser.run(status));
    browser.click(".opener");
    browser.wait("document.querySelector('.qr')?.getBoundingClientRect().width > 100");
    // A mark that must still be there at the end: the page is not reloaded.
    browser.run("window.kept = 1");
    browser.click("[id^=play-]");
    browser.wait("document.querySelector('tbody').innerText.includes('SUCCESS')");
    assert_eq!(ok(order(&wx, "P202611220001"))["trade_state"], "SUCCESS");
    let came = arrived.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(came.starts_with(b"POST /notify HTTP/1.1\r\n"));
    browser.wait("document.querySelector('.timeline').innerText.includes('TRANSACTION.SUCCESS')");
    browser.wait("document.querySelector('#tabs').innerText.includes('Notifications 1')");
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
    // The window of another test may have had the focus.
    browser.command("Page.bringToFront", json!({}));
    browser.command("Emulation.setFocusEmulationEnabled", json!({ "enabled": true }));
    browser.wait("document.hasFocus()");
    // The first stops skip the header, and show themselves.
    for target in ["#content", "#list"] {
        browser.press(TAB);
        let link = browser.run("return document.activeElement.getAttribute('href')");
        assert_eq!(link, json!(target));
        let width = browser.run("return document.activeElement.getBoundingClientRect().width");
        assert!(width.as_f64().unwrap() > 50.0, "{target}: {width}");
    }
    browser.press(ENTER);
    browser.wait("document.activeElement.id == 'list'");
    let mut stops = Vec::new();
    for _ in 0..5 {
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
    browser.wait("document.querySelector('tbody').innerText.includes('SUCCESS')");
    assert_eq!(ok(order(&wx, "P202611220002"))["trade_state"], "SUCCESS");
    assert_eq!(ok(order(&wx, "P202611220003"))["trade_state"], "NOTPAY");
    calm(&browser, &sandbox);
}

#[test]
fn a_form_updates_the_page_in_place_and_shows_its_error() {
    let Some(browser) = Browser::start() else { return };
    let (sandbox, wx) = start();
    place(&wx, "P202611220007", "http://127.0.0.1:9/notify");
    let renewed = |number: &str, count: usize| {
        place(&wx, number, "http://127.0.0.1:9/notify");
        browser.wait(&format!("document.querySelector('#summary').innerText.includes('Orders {count}')"));
    };
    // Two renewals later all is as it was left.
    browser.open(&format!("{}?open=1", sandbox.base_url()));
    browser.click("[id^=json-] summary");
    renewed("P202611220008", 2);
    renewed("P202611220009", 3);
    assert_eq!(browser.run("return document.querySelector('details[open]').id"), json!("json-1"));

    browser.open(&format!("{}?tab=faults", sandbox.base_url()));
    browser.run("window.kept = 1");
    browser.click("#add-fault [name=share]");
    browser.press("2");
    renewed("P202611220010", 4);
    assert_eq!(
        browser.run("return document.activeElement.name + document.activeElement.value"),
        json!("share2")
    );
    browser.press(ENTER);
    browser.wait("document.querySelector('#problem-add-fault').innerText.includes('up to 1')");
    renewed("P202611220011", 5);
    assert!(text(&browser, "#problem-add-fault").contains("up to 1"), "it stays until something is done");
    browser.click("#add-fault [name=share]");
    browser.press("\u{e003}");
    browser.press("1");
    browser.press(ENTER);
    browser.wait("document.querySelector('main').innerText.includes('bad-signature share=1')");
    assert_eq!(text(&browser, "#problem-add-fault"), "");
    assert_eq!(browser.run("return document.querySelector('#add-fault [name=share]').value"), json!(""));
    assert!(wx.chain("v3/certificates").get_sync().is_err());
    browser.click("main li button");
    browser.wait("!document.querySelector('main li button')");
    assert!(wx.chain("v3/certificates").get_sync().is_ok());
    assert_eq!(browser.run("return window.kept"), json!(1));

    // Gone, and back.
    browser.open(sandbox.base_url());
    let port: u16 = sandbox.base_url().trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
    drop(sandbox);
    browser.wait("!document.querySelector('#lost').hidden");
    let again = sandbox_builder().port(port).start().unwrap();
    browser.wait("document.querySelector('#lost').hidden");
    browser.wait("!document.querySelector('main').innerText.includes('P2026')");
    // The empty page makes an order, opens it, and its number is copied.
    browser.click("#test-order button");
    browser.wait("document.querySelector('.qr')");
    let permission = json!({ "permission": { "name": "clipboard-write" }, "setting": "granted" });
    browser.command("Browser.setPermission", permission);
    browser.click("[data-copy=copy-number]");
    browser.wait("document.querySelector('[data-copy=copy-number]').innerText == 'Copied'");
    assert_eq!(again.requests().len(), 0);
}

#[test]
fn without_script_it_is_links_and_forms() {
    let Some(browser) = Browser::start() else { return };
    let (sandbox, wx) = start();
    place(&wx, "P202611220011", "http://127.0.0.1:9/notify");
    browser.command("Emulation.setScriptExecutionDisabled", json!({ "value": true }));
    browser.open(&format!("{}?lang=zh-CN", sandbox.base_url()));
    assert!(text(&browser, "header").contains("刷新页面"));
    browser.run("window.kept = 1");
    browser.click("[id^=play-]");
    browser.wait("document.querySelector('tbody').innerText.includes('SUCCESS')");
    assert_eq!(
        browser.run("return [window.kept, location.search, location.hash]"),
        json!([null, "?lang=zh-CN", "#list"])
    );
    assert_eq!(ok(order(&wx, "P202611220011"))["trade_state"], "SUCCESS");
    // An entry opens, a tab and a filter are links and forms, and no button is there that does nothing.
    browser.click(".opener");
    browser.wait("document.querySelector('.timeline').innerText.includes('用户付款')");
    assert_eq!(browser.run("return document.querySelector('.copy').offsetWidth"), json!(0));
    browser.click("#tabs a:nth-child(2)");
    browser.click("[name=q]");
    browser.press("P202611220011");
    browser.press(ENTER);
    browser.wait("location.search == '?tab=requests&lang=zh-CN&q=P202611220011&status='");
    browser.wait("document.querySelectorAll('.opener').length == 2");
    calm(&browser, &sandbox);
}

pub(crate) fn text(browser: &Browser, selector: &str) -> String {
    let text: Value = browser.run(&format!("return document.querySelector('{selector}').innerText"));
    text.as_str().unwrap().to_string()
}

/// Nothing in the console, and no request to another host.
#[track_caller]
pub(crate) fn calm(browser: &Browser, sandbox: &Sandbox) {
    let (console, requests) = browser.logs();
    assert!(console.is_empty(), "{console:?}");
    assert!(!requests.is_empty());
    for url in requests {
        assert!(url.starts_with(sandbox.base_url()), "{url}");
    }
    assert!(sandbox.requests().iter().all(|request| request.target.starts_with("/v3/")), "asks for an icon");
}
