//! How the page looks, in both languages, colour schemes and sizes: it fits, is not too long, and breaks no rule of
//! accessibility. With `WECHATPAY_SCREENSHOTS` it is also saved for a review by eye.

use std::{
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use serde_json::json;
use wechatpay_chain::{
    WeChatPay,
    sandbox::{Fault, Sandbox},
};

use crate::browser::{calm, listen, place};
use crate::page::TABS;
use crate::raw_http::{Plan, export, send};
use crate::requests::*;
use crate::support::{cannot_run, has, sandbox_builder};
use crate::webdriver::*;

/// A name, the width, height and pixel ratio of the window, the colour scheme, the language.
pub(crate) type Variant = (&'static str, u32, u32, u32, &'static str, &'static str);

pub(crate) const VARIANTS: [Variant; 4] = [
    ("desktop-light-en", 1200, 900, 1, "light", "en"),
    ("desktop-dark-zh", 1200, 900, 1, "dark", "zh-CN"),
    ("phone-dark-zh", 360, 740, 2, "dark", "zh-CN"),
    ("phone-light-en", 360, 740, 2, "light", "en"),
];

/// What the page shows, by the query of its URL.
const FILLED: [&str; 10] = [
    "tab=orders",
    "tab=orders&open=1",
    "tab=orders&open=6",
    "tab=requests",
    "tab=requests&open=1",
    "tab=requests&open=9",
    "tab=notifications&open=0",
    "tab=faults",
    "tab=platform",
    "tab=connect",
];

/// The source of axe-core, installed once for a target folder; `None` if that fails, and the test is skipped.
pub(crate) fn axe() -> Option<String> {
    if !has("npm") {
        return None;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("axe");
    let file: PathBuf = folder.join("node_modules/axe-core/axe.min.js");
    if !file.exists() {
        std::fs::create_dir_all(&folder).unwrap();
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sandbox/axe/package.json");
        std::fs::copy(package, folder.join("package.json")).unwrap();
        let npm = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"];
        let output = Command::new("npm").args(npm).current_dir(&folder).output().unwrap();
        if !output.status.success() {
            cannot_run(format!("`npm install` failed: {}", String::from_utf8_lossy(&output.stderr)));
            return None;
        }
    }
    Some(std::fs::read_to_string(file).unwrap())
}

/// The rules that the shown page breaks.
pub(crate) fn violations(browser: &Browser, axe: &str) -> String {
    browser.run(axe);
    let script = "return axe.run().then(result => result.violations.map(rule =>
        rule.id + ': ' + rule.nodes.map(node => node.html.slice(0, 200)).join(' | ')).join('\\n'))";
    browser.run(script).as_str().unwrap().to_owned()
}

fn show(browser: &Browser, sandbox: &Sandbox, variant: Variant, query: &str) {
    show_at(browser, sandbox, variant, &format!("?{query}&lang={}", variant.5));
}

pub(crate) fn show_at(browser: &Browser, sandbox: &Sandbox, variant: Variant, address: &str) {
    let (name, width, height, scale, scheme, lang) = variant;
    browser.size(width, height, scale);
    browser.scheme(scheme);
    browser.open(&format!("{}{address}", sandbox.base_url()));
    assert_eq!(browser.run("return document.documentElement.lang"), json!(lang));
    thread::sleep(Duration::from_millis(100));
    // A phone's `innerWidth` grows with the page.
    let scroll = browser.run("return document.documentElement.scrollWidth").as_u64().unwrap();
    assert!(scroll <= u64::from(width), "{name} {address}: {scroll} > {width}");
    let light = browser.run(
        "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every(part => part > 127)",
    );
    assert_eq!(light, json!(scheme == "light"), "{name}");
}

#[test]
fn the_page_fits_phones_dark_mode_and_both_languages_and_is_accessible() {
    let Some(browser) = Browser::start() else { return };
    let Some(axe) = axe() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (empty, full) = (
        sandbox_builder().keys(folder.path().join("keys")).start().unwrap(),
        sandbox_builder().keys(folder.path().join("keys")).start().unwrap(),
    );
    fill(&full, &full.client().unwrap());
    let mut broken = Vec::new();
    for variant in VARIANTS {
        let all = TABS.map(|tab| (&empty, "empty", format!("tab={tab}"))).into_iter();
        for (sandbox, kind, query) in all.chain(FILLED.map(|query| (&full, "few", query.to_owned()))) {
            show(&browser, sandbox, variant, &query);
            browser.picture(&format!("{}-{kind}-{}", variant.0, query.replace(['=', '&'], "-")));
            let found = violations(&browser, &axe);
            if !found.is_empty() {
                broken.push(format!("{} {kind} {query}\n{found}", variant.0));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    // An error, in its form.
    show(&browser, &empty, VARIANTS[3], "tab=faults");
    browser.click("#add-fault [name=nth]");
    browser.press("x");
    browser.press(ENTER);
    browser.wait("document.querySelector('#problem-add-fault').innerText.includes('whole number')");
    browser.picture("phone-light-en-error");
    assert_eq!(violations(&browser, &axe), "");
    full.clear_faults(); // they are only shown
}

#[test]
fn a_hundred_orders_are_short_on_a_phone() {
    let Some(browser) = Browser::start() else { return };
    let (sandbox, wx) = start();
    for number in 0..100 {
        place(&wx, &format!("P2026112200{number:02}"), "http://127.0.0.1:9/notify");
        if number % 3 == 0 {
            sandbox.pay(&format!("P2026112200{number:02}")).unwrap();
        }
    }
    for variant in &VARIANTS[2..] {
        for tab in ["orders", "requests", "notifications"] {
            show(&browser, &sandbox, *variant, &format!("tab={tab}"));
            browser.picture(&format!("{}-hundred-{tab}", variant.0));
            let height = browser.run("return document.documentElement.scrollHeight").as_u64().unwrap();
            assert!(height < 3_000, "{} {tab}: {height} pixels", variant.0);
            let links = browser.run("return document.querySelectorAll('.opener').length").as_u64().unwrap();
            assert_eq!(links, 20, "{tab}");
        }
    }
    calm(&browser, &sandbox);
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
    ok(order(wx, "P202611220004"));
    ok(wx.chain("v3/marketing/busifavor/stocks").get());
    sandbox.notify("https://shop.example.com/notify", "REFUND.SUCCESS", "refund", &json!({}));
    sandbox.inject_rule("rate-limited=1 nth=1 path=v3/certificates".parse().unwrap()).unwrap();
    assert!(wx.chain("v3/certificates").get_sync().is_err());
    sandbox.inject_rule("rate-limited=1 nth=3 path=v3/pay/{+rest}".parse().unwrap()).unwrap();
    sandbox.inject_rule("duplicate on=notifications".parse().unwrap()).unwrap();
    if has("openssl") {
        let keys = export(sandbox);
        let mut bent = Plan::new(sandbox, "POST", "/v3/security/echo", r#"{"echo_message":"茶叶"}"#);
        bent.signed = Some(r#"{"echo_message": "\u8336\u53f6"}"#.into());
        assert_eq!(send(sandbox, &keys, &bent).status, 401);
    }
    place(wx, "P202611220006", "http://127.0.0.1:9/notify");
    sandbox.inject(Fault::SignatureProbe);
}
