//! Details of the page: short numbers, the signing mode, and reasons in the language of the page.

use serde_json::json;
use wechatpay_chain::sandbox::{Delivery, Sandbox, SigningMode};

use crate::page::{alert, look, submit, submit_to};
use crate::page_lists::{entries, text, wait};
use crate::requests::*;

#[test]
fn short_numbers_match_whole_fields_only() {
    let (sandbox, wx) = start();
    for number in ["P20260", "P202601", "P202611220001"] {
        ok(wx.chain("v3/pay/transactions/native").post(native(&wx, number, 100)));
    }
    for number in ["P20260", "P202611220001"] {
        sandbox.pay(number).unwrap();
    }
    // Refunds with short numbers, which are also parts of random ones.
    ok(wx.chain("v3/refund/domestic/refunds").post(refund("P20260", "1", 10, 100)));
    ok(wx.chain("v3/refund/domestic/refunds").post(refund("P202611220001", "12", 10, 100)));
    ok(wx.chain("v3/refund/domestic/refunds/{out_refund_no}").get().var("out_refund_no", "1"));
    ok(wx.chain("v3/security/echo").post(json!({ "echo_message": "1" })));
    ok(wx.chain("v3/security/echo").post(json!({ "echo_message": "21" })));
    let stock = wx.chain("v3/not/documented/{stock_id}").get().var("stock_id", "1");
    ok(stock.query(json!({ "stock_creator_mchid": wx.mchid() })));

    let found = |target: &str| entries(&look(&sandbox, target));
    assert_eq!(found("/?q=1"), 1, "the refund 1");
    assert_eq!(found("/?q=12"), 1, "the refund 12");
    assert_eq!(found("/?q=P20260"), 3, "two orders, and the refund of one");
    assert_eq!(found("/?q=1122"), 0, "in the middle of a number");
    assert_eq!(found("/?q=220001"), 2, "the order and its refund, by the end of the number");
    // Create and query of the refund, the echo, the stock; not amounts, serials and transaction ids.
    assert_eq!(found("/?tab=requests&q=1"), 4);
    assert_eq!(found("/?tab=requests&q=12"), 1);
    assert_eq!(found("/?tab=requests&q=P202601"), 1);

    let open = entries(&look(&sandbox, "/?q=1&open=4"));
    assert_eq!(open, 1);
    let page = text(&look(&sandbox, "/?open=4&lang=en"));
    let timeline = page.split("Timeline").nth(1).unwrap().split("Belongs together").next().unwrap();
    for step in [
        "POST /v3/pay/transactions/native",
        "POST /v3/refund/domestic/refunds",
        "GET /v3/refund/domestic/refunds/1",
    ] {
        assert!(timeline.contains(step), "{step} is not in {timeline}");
    }
    assert!(!timeline.contains("echo") && !timeline.contains("stocks"), "{timeline}");
    assert_eq!(timeline.matches("POST /v3/refund").count(), 1, "{timeline}");
    assert_eq!(timeline.matches("native").count(), 1, "{timeline}");
}

#[test]
fn the_signing_mode_is_set_by_a_form() {
    let sandbox = Sandbox::start().unwrap();
    let page = text(&look(&sandbox, "/?tab=platform&lang=en"));
    assert!(page.contains("Signing mode Not chosen yet"), "{page}");
    assert!(text(&look(&sandbox, "/?tab=platform&lang=zh-CN")).contains("签名方式 尚未选择"));
    let set = |mode: &str| {
        submit_to(&sandbox, "/_sandbox/?tab=platform&lang=zh-CN", &[("do", "set-mode"), ("mode", mode)])
    };
    for (name, mode) in [
        ("public-key", SigningMode::PublicKey),
        ("certificate", SigningMode::Certificate),
        ("migration", SigningMode::Migration),
    ] {
        let reply = set(name);
        assert_eq!(reply.header("Location"), Some("/_sandbox/?tab=platform&lang=zh-CN#keys"));
        assert_eq!(sandbox.mode(), mode);
        let page = look(&sandbox, "/?tab=platform&lang=en");
        assert!(page.contains(&format!("<option value=\"{name}\" selected>")), "{page}");
        assert!(!page.contains("Not chosen yet"));
        let listed = sandbox.client().unwrap()["v3/certificates"].get_sync().is_ok();
        assert_eq!(listed, mode != SigningMode::PublicKey);
    }
    for wrong in ["", "both", "<b>"] {
        let reply = set(wrong);
        assert!(reply.status == 400 && alert(&reply).contains("没有这种签名方式"), "{}", alert(&reply));
    }
    // The last key has no button that is refused.
    set("public-key");
    let page = look(&sandbox, "/?tab=platform");
    assert!(!page.contains("value=\"retire\"") && !page.contains("value=\"sign-with\""), "{page}");
}

#[test]
fn reasons_are_in_the_language_of_the_page() {
    let sandbox: Sandbox = Sandbox::start().unwrap();
    let wx = sandbox.client().unwrap();
    ok(wx.chain("v3/pay/transactions/native").post(native(&wx, "P202611220001", 100)));
    let expected = [
        ("http://192.0.2.1/n", "192.0.2.1 is not this machine", "192.0.2.1 不是本机"),
        ("ftp://127.0.0.1/n", "must start with http://", "必须以 http:// 或 https:// 开头"),
        ("http://127.0.0.1:9/n", "nothing listens on this port", "该端口没有程序监听"),
        ("http://no-such-host.invalid/n", "cannot be resolved", "无法解析"),
    ];
    for (url, ..) in expected {
        sandbox.notify(url, "TYPE", "type", &json!({}));
    }
    let is_tried = |sent: &wechatpay_chain::sandbox::SentNotification| {
        matches!(sent.delivery, Delivery::Refused(_)) || !sent.attempts.is_empty()
    };
    wait(|| sandbox.notifications().iter().all(is_tried));
    for (number, (url, english, chinese)) in expected.into_iter().enumerate() {
        for (lang, says) in [("en", english), ("zh-CN", chinese)] {
            let page = text(&look(&sandbox, &format!("/?tab=notifications&open={number}&lang={lang}")));
            assert!(page.contains(says), "{url}: {page}");
        }
    }
    // Actions that are refused.
    let says =
        |fields: &[(&str, &str)]| alert(&submit_to(&sandbox, "/_sandbox/?tab=platform&lang=zh-CN", fields));
    assert!(says(&[("do", "send-again"), ("id", "0")]).contains("没有这条回调通知"));
    assert!(says(&[("do", "retire"), ("serial", "X")]).contains("没有密钥"));
    let advance = says(&[("do", "advance"), ("period", "3651d")]);
    assert!(advance.contains("时钟不能超前 3650 天以上"), "{advance}");
    let play = [("do", "play"), ("part", "pay"), ("scope", ""), ("number", "P202611220001")];
    assert_eq!(submit(&sandbox, &play).status, 303);
    assert!(says(&play).contains("P202611220001，状态为 SUCCESS"), "{}", says(&play));
    let play = [("do", "play"), ("part", "pay"), ("scope", ""), ("number", "P9")];
    assert!(says(&play).contains("（order `P9`）"), "{}", says(&play));
}
