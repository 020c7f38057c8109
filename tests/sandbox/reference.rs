//! The pages of `wxpay endpoints export`, opened as files: they break no rule of accessibility, fit a phone, and the search
//! finds. With `WECHATPAY_SCREENSHOTS` they are also saved for a review by eye.

use std::{path::Path, process::Command};

use serde_json::json;

use crate::appearance::{axe, violations};
use crate::webdriver::{Browser, ENTER};

/// The index, operations with few and with many fields, an upload, one of APIv2, a withdrawn one, notifications.
const PAGES: [&str; 9] = [
    "index.html",
    "endpoints/v3/refund/domestic/refunds/post.html",
    "endpoints/v3/pay/transactions/out-trade-no/_out_trade_no_/close/post.html",
    "endpoints/v3/applyment4sub/applyment/post.html",
    "endpoints/v3/merchant/media/upload/post.html",
    "endpoints/v3/certificates/get-2.html",
    "endpoints/v2/pay/unifiedorder/post.html",
    "notifications/v3/TRANSACTION.SUCCESS.html",
    "notifications/v2/refund-processed.html",
];

/// Exports into `folder`; `false` if this build has no program.
fn export(folder: &Path) -> bool {
    let Some(program) = option_env!("CARGO_BIN_EXE_wxpay") else { return false };
    let output = Command::new(program).args(["endpoints", "export", "--html"]).arg(folder).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    true
}

#[test]
fn the_pages_are_accessible_and_fit_a_phone_in_light_and_dark() {
    let Some(browser) = Browser::start() else { return };
    let Some(axe) = axe() else { return };
    let folder = tempfile::tempdir().unwrap();
    if !export(folder.path()) {
        return;
    }
    let mut broken = Vec::new();
    for (width, height, scheme, tree, lang) in [
        (1200, 900, "light", "", "en"),
        (1200, 900, "dark", "zh/", "zh"),
        (360, 740, "light", "zh/", "zh"),
        (360, 740, "dark", "", "en"),
    ] {
        browser.size(width, height, 1);
        browser.scheme(scheme);
        for page in PAGES {
            browser.open(&format!("file://{}/{tree}{page}", folder.path().display()));
            assert_eq!(browser.run("return document.documentElement.lang"), json!(lang), "{page}");
            let light = "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every(part => part > 127)";
            assert_eq!(browser.run(light), json!(scheme == "light"), "{page}");
            let scroll = browser.run("return document.documentElement.scrollWidth").as_u64().unwrap();
            assert!(scroll <= u64::from(width), "{page}: {scroll} > {width}");
            browser.picture(&format!("reference-{width}-{scheme}-{}", page.replace('/', "-")));
            let found = violations(&browser, &axe);
            if !found.is_empty() {
                broken.push(format!("{width} {scheme} {tree}{page}\n{found}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_search_finds_in_both_languages_and_the_keyboard_opens_a_page() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    if !export(folder.path()) {
        return;
    }
    let found = |words: &str| {
        browser.run(&format!("const input = document.getElementById('q'); input.value = {};
            input.dispatchEvent(new Event('input'));
            return [...document.querySelectorAll('#results a')].slice(0, 5).map(link => link.textContent).join('\\n')", json!(words)))
            .as_str().unwrap().to_owned()
    };
    let status =
        || browser.run("return document.getElementById('found').textContent").as_str().unwrap().to_owned();
    browser.open(&format!("file://{}/index.html", folder.path().display()));
    browser.wait("!document.getElementById('search').hidden");
    for (words, expected) in [
        ("申请退款", "POST v3/refund/domestic/refunds"),
        ("refund POST domestic", "POST v3/refund/domestic/refunds"),
        ("Native下单", "POST v3/pay/transactions/native"),
        ("v3/certificates", "GET v3/certificates"),
        ("transaction.success", "TRANSACTION.SUCCESS"),
        // Not a title: pairs of characters.
        ("怎么申请退款", "POST v3/refund/domestic/refunds"),
    ] {
        assert!(found(words).lines().any(|line| line == expected), "{words}: {}", found(words));
    }
    assert_eq!(found("<img src=x onerror=alert(1)>"), "");
    assert_eq!(status(), "nothing found");
    assert!(found("v3").lines().count() == 5 && status().ends_with("found (the first 50 are shown)"));
    assert_eq!(browser.run("return document.getElementById('groups').hidden"), json!(true));
    assert_eq!(found(""), "");
    assert_eq!(browser.run("return document.getElementById('groups').hidden"), json!(false));
    // Every result leads to a file: the addresses that the script makes are those of the export.
    let all = browser.run("return endpoints.map(row => pageOf(row))");
    for page in all.as_array().unwrap() {
        assert!(folder.path().join(page.as_str().unwrap()).is_file(), "{page}");
    }
    // In Chinese, from an address, by the keyboard: Enter goes to the first result, and opens it.
    browser.open(&format!("file://{}/zh/index.html?q=%E5%85%B3%E5%8D%95", folder.path().display()));
    browser.wait("document.querySelector('#results a')");
    browser.run("document.getElementById('q').focus()");
    browser.press(ENTER);
    browser.wait("document.activeElement.closest('#results')");
    browser.press(ENTER);
    browser.wait("location.href.includes('/zh/endpoints/')");
    // Back to the index, and the other language.
    browser.click("nav a[hreflang=en]");
    browser.wait("document.documentElement.lang === 'en' && location.href.includes('/endpoints/')");
    let (errors, requests) = browser.logs();
    assert_eq!(errors, Vec::<String>::new());
    assert!(requests.iter().all(|url| url.starts_with("file://")), "{requests:?}");
}
