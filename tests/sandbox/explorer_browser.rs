//! The explorer in a headless Chromium.

use serde_json::json;
use wechatpay_chain::sandbox::{EndpointKind, Sandbox};

use crate::appearance::{VARIANTS, axe, show_at, violations};
use crate::browser::{calm, text as text_of};
use crate::requests::*;
use crate::webdriver::*;

#[test]
fn a_browser_fills_in_and_sends() {
    let Some(browser) = Browser::start() else { return };
    let (sandbox, wx) = start();
    browser.open(&format!("{}endpoints?lang=en", sandbox.base_url()));
    browser.command("Page.bringToFront", json!({}));
    browser.command("Emulation.setFocusEmulationEnabled", json!({ "enabled": true }));
    browser.run("document.querySelector('[name=q]').focus()");
    browser.press("native");
    browser.press(ENTER);
    browser.wait("document.querySelector('#list a[href*=\"pay/transactions/native\"]')");
    browser.run(
        "document.querySelector('#list a[href=\"/endpoints/v3/pay/transactions/native?lang=en\"]').click()",
    );
    browser.wait("document.querySelector('#call')");
    browser.run("window.kept = 1");
    let fill = |name: &str, value: &str| {
        browser.run(&format!(
            "const input = document.getElementsByName('{name}')[0]; input.focus(); input.select()"
        ));
        browser.press(value);
    };
    fill("body/description", "茶叶 250g");
    fill("body/out_trade_no", "P202611220021");
    fill("body/amount/total", "8800");
    // A renewal of the page does not touch it, and the keyboard is enough.
    ok(wx.chain("v3/pay/transactions/native").post(native(&wx, "P202611220022", 100)));
    browser.wait("document.querySelector('#summary').innerText.includes('Orders 1')");
    assert_eq!(browser.run("return document.getElementsByName('body/amount/total')[0].value"), json!("8800"));
    browser.press(ENTER);
    browser.wait("document.querySelector('#result')");
    browser.wait("document.activeElement.id == 'result'");
    let result = text_of(&browser, "#result");
    assert!(
        result.contains("200")
            && result.contains("/v3/pay/transactions/native")
            && result.contains("weixin://"),
        "{result}"
    );
    assert_eq!(ok(order(&wx, "P202611220021"))["trade_state"], "NOTPAY");
    assert_eq!(browser.run("return window.kept"), json!(1));
    browser.wait("document.querySelector('#tabs').innerText.includes('Orders 2')");
    assert!(text_of(&browser, "#result").contains("weixin://"), "a renewal does not take it away");
    assert_eq!(
        browser.run("return document.getElementsByName('body/out_trade_no')[0].value"),
        json!("P202611220021")
    );
    // One more element of a list keeps what was entered.
    browser.run("document.querySelector('[name=add]').closest('details').open = true");
    browser.click("[name=add][value='body/detail/goods_detail']");
    browser.wait("document.querySelector('#group-f-body-detail-goods_detail-1')");
    assert_eq!(
        browser.run("return document.getElementsByName('body/out_trade_no')[0].value"),
        json!("P202611220021")
    );
    // The request is in the records, and leads back to its form.
    browser.open(&format!("{}?tab=requests&open=2&lang=en", sandbox.base_url()));
    browser.run("[...document.querySelectorAll('tr.detail a')].find((a) => a.innerText.includes('Change and send')).click()");
    browser.wait("document.querySelector('#call')");
    assert_eq!(
        browser.run("return document.getElementsByName('body/out_trade_no')[0].value"),
        json!("P202611220021")
    );
    assert_eq!(browser.run("return document.getElementsByName('body/amount/total')[0].value"), json!("8800"));
    // A file is sent, too.
    browser.open(&format!("{}endpoints/v3/merchant/media/upload?lang=en", sandbox.base_url()));
    browser.run(
        "const files = new DataTransfer(); files.items.add(new File(['\\u0089PNG'], '茶.png', { type: 'image/png' }));
         document.querySelector('[type=file]').files = files.files; document.querySelector('#call button').click()",
    );
    browser.wait("document.querySelector('#result')");
    let upload = sandbox.requests().pop().unwrap();
    assert_eq!(upload.target, "/v3/merchant/media/upload");
    assert!(String::from_utf8_lossy(&upload.body).contains("\"filename\":\"茶.png\""));
    calm(&browser, &sandbox);
    // A mistake is announced, and its link leads to the input.
    browser.open(&format!("{}endpoints/v3/pay/transactions/native?lang=en", sandbox.base_url()));
    fill("body/amount/total", "x");
    browser.press(ENTER);
    browser.wait("document.querySelector('#problem-call a')");
    browser.click("#problem-call a");
    browser.wait("location.hash == '#f-body-amount-total'");
}

#[test]
fn without_script_the_form_is_sent() {
    let Some(browser) = Browser::start() else { return };
    let (sandbox, wx) = start();
    browser.command("Emulation.setScriptExecutionDisabled", json!({ "value": true }));
    browser.open(&format!("{}endpoints/v3/pay/transactions/native?lang=zh-CN", sandbox.base_url()));
    for (name, value) in
        [("body/description", "tea"), ("body/out_trade_no", "P202611220031"), ("body/amount/total", "100")]
    {
        browser.click(&format!("[name='{name}']"));
        browser.press(value);
    }
    browser.press(ENTER);
    browser.wait("document.querySelector('#result')");
    assert_eq!(browser.run("return location.hash"), json!("#result"));
    assert!(text_of(&browser, "#result").contains("code_url"));
    assert_eq!(ok(order(&wx, "P202611220031"))["trade_state"], "NOTPAY");
    calm(&browser, &sandbox);
}

#[test]
fn the_explorer_fits_and_is_accessible() {
    let Some(browser) = Browser::start() else { return };
    let Some(axe) = axe() else { return };
    let sandbox = Sandbox::start().unwrap();
    let mut broken = Vec::new();
    for variant in VARIANTS {
        for (name, address) in [
            ("start", "endpoints?"),
            ("search", "endpoints?q=%E9%80%80%E6%AC%BE&"),
            ("unknown", "endpoints/v3/refunds/domestic/refund?"),
            ("refund", "endpoints/v3/refund/domestic/refunds?"),
            ("applyment", "endpoints/v3/applyment4sub/applyment/?"),
            ("upload", "endpoints/v3/merchant/media/upload?"),
            ("v2", "endpoints/v2/pay/unifiedorder?"),
            ("verbs", "endpoints/v3/merchant-service/complaint-notifications?"),
        ] {
            show_at(&browser, &sandbox, variant, &format!("{address}lang={}", variant.5));
            browser.picture(&format!("{}-explorer-{name}", variant.0));
            // Everything that is folded, too.
            browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
            let scroll = browser.run("return document.documentElement.scrollWidth").as_u64().unwrap();
            assert!(scroll <= u64::from(variant.1), "{} {name}: {scroll}", variant.0);
            if name == "applyment" {
                browser.picture(&format!("{}-explorer-{name}-open", variant.0));
            }
            let found = violations(&browser, &axe);
            if !found.is_empty() {
                broken.push(format!("{} {name}\n{found}", variant.0));
            }
        }
        // Sent: with a mistake, and with a result.
        show_at(
            &browser,
            &sandbox,
            variant,
            &format!("endpoints/v3/pay/transactions/native?lang={}", variant.5),
        );
        browser.run("document.getElementsByName('body/amount/total')[0].value = 'x'; document.querySelector('#call button').click()");
        browser.wait("document.querySelector('#problem-call a')");
        browser.picture(&format!("{}-explorer-mistake", variant.0));
        broken.extend(Some(violations(&browser, &axe)).filter(|found| !found.is_empty()));
        browser.run("document.getElementsByName('body/amount/total')[0].value = '100'; document.querySelector('#call button').click()");
        browser.wait("document.querySelector('#result')");
        browser.picture(&format!("{}-explorer-result", variant.0));
        broken.extend(Some(violations(&browser, &axe)).filter(|found| !found.is_empty()));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(sandbox.requests().iter().all(|seen| seen.endpoint == EndpointKind::Modelled));
}
