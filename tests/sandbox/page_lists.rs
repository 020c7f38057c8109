//! The lists of the page over raw HTTP: filters, pages, timelines, and what can be copied or sent again.

use std::{
    io::{Read, Write},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use wechatpay_chain::sandbox::{Delivery, Sandbox, Verdict};

use crate::page::{alert, ask, host, look, submit, submit_to};
use crate::requests::*;
use crate::support::{TestServer, has, sandbox_builder};

/// The text of a page's main part, without markup.
pub(crate) fn text(page: &str) -> String {
    let main = page.split("<main").nth(1).unwrap().split("</main>").next().unwrap();
    let mut text = String::new();
    for part in main.split('<').skip(1) {
        text += part.split_once('>').map_or("", |(_, text)| text);
        text.push(' ');
    }
    let text = text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a button copies.
pub(crate) fn copied(page: &str, id: &str) -> String {
    let text = page.split(&format!("<template id=\"{id}\">")).nth(1).unwrap();
    let text = text.split("</template>").next().unwrap();
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

pub(crate) fn entries(page: &str) -> usize {
    page.matches("class=\"opener\"").count()
}

#[track_caller]
pub(crate) fn wait(until: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !until() {
        assert!(Instant::now() < end);
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn requests_are_found_by_number_path_status_and_request_id() {
    let (sandbox, wx) = start();
    for number in ["P202611220001", "P202611220002", "P202611220003"] {
        ok(wx.chain("v3/pay/transactions/native").post(native(&wx, number, 100)));
    }
    ok(order(&wx, "P202611220002"));
    refused(order(&wx, "P20269999"), 404, "ORDER_NOT_EXIST", "");
    ok(wx.chain("v3/nothing/of/the/kind").get());
    sandbox.inject_rule("rate-limited nth=1".parse().unwrap()).unwrap();
    assert!(order(&wx, "P202611220003").wait().is_err());
    let id = sandbox.requests()[1].response.request_id().unwrap().to_owned();
    for (filter, found) in [
        ("", 7),
        ("q=P202611220002", 2),
        ("q=P20261122000", 5),
        ("q=transactions/native", 3),
        (&format!("q={id}"), 1),
        ("q=%20P20269999%20", 1),
        ("q=nowhere", 0),
        ("status=200", 5),
        ("status=404", 1),
        ("status=429&q=P202611220003", 1),
        ("status=failed", 2),
        ("status=successful", 5),
        ("status=not-modelled", 1),
        ("status=fault", 1),
        ("status=signature", 0),
        ("status=599", 0),
    ] {
        let page = look(&sandbox, &format!("/?tab=requests&{filter}"));
        assert_eq!(entries(&page), found, "{filter}: {}", text(&page));
        assert_eq!(page.contains("Nothing matches"), found == 0, "{filter}");
    }
    // A request that a fault refused does not read like a success, and an unknown path is marked.
    let page = text(&look(&sandbox, "/?tab=requests"));
    assert!(page.contains("fault: rate-limited") && page.contains("429"), "{page}");
    assert!(page.contains("not modelled"), "{page}");
    assert!(matches!(sandbox.requests()[6].verdict, Verdict::Disturbed));
}

#[test]
fn a_list_has_pages_that_new_entries_do_not_move() {
    let (sandbox, wx) = start();
    let place = |number: usize| {
        ok(wx.chain("v3/pay/transactions/native").post(native(&wx, &format!("P2026{number:04}"), 100)));
    };
    (0..45).for_each(place);
    for tab in ["orders", "requests"] {
        let link = |page: &str, rel: &str| {
            let before =
                page.split(&format!("\" rel=\"{rel}\"")).next().filter(|rest| rest.len() < page.len())?;
            Some(before.rsplit("href=\"").next().unwrap().split('#').next().unwrap().replace("&amp;", "&"))
        };
        let first = look(&sandbox, &format!("/?tab={tab}"));
        assert_eq!((entries(&first), link(&first, "prev")), (20, None));
        let second_link = link(&first, "next").unwrap();
        let second = look(&sandbox, &second_link);
        let third = look(&sandbox, &link(&second, "next").unwrap());
        assert_eq!((entries(&second), entries(&third), link(&third, "next")), (20, 5, None));
        assert!(text(&second).contains("21–40 / 45"), "{}", text(&second));
        assert_eq!(look(&sandbox, &link(&third, "prev").unwrap()), second);
        assert_eq!(look(&sandbox, &link(&second, "prev").unwrap()), first);
    }
    let link = "/_sandbox/?before=26";
    let before = text(&look(&sandbox, link));
    place(45);
    assert_eq!(text(&look(&sandbox, link)), before.replace("21–40 / 45", "22–41 / 46"));
    // An open entry stays on its page, however many newer ones come.
    let open = look(&sandbox, "/?open=1");
    assert!(entries(&open) == 21 && text(&open).contains("P20260000 Native order"), "{}", text(&open));
    // By state and by number.
    sandbox.pay("P20260007").unwrap();
    for (filter, found) in
        [("status=SUCCESS", 1), ("status=NOTPAY", 20), ("q=P20260007", 1), ("q=P20260007&status=NOTPAY", 0)]
    {
        assert_eq!(entries(&look(&sandbox, &format!("/?{filter}"))), found, "{filter}");
    }
}

#[test]
fn an_order_shows_its_timeline_and_how_much_was_refunded() {
    let (sandbox, wx) = start();
    let server = TestServer::start(|mut stream, _| {
        let _ = stream.read(&mut [0; 16 << 10])?;
        stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
    });
    for number in ["P202611220001", "P202611220002"] {
        let mut body = native(&wx, number, 8800);
        body["notify_url"] = json!(format!("{}notify", server.base));
        ok(wx.chain("v3/pay/transactions/native").post(body));
    }
    sandbox.pay("P202611220001").unwrap();
    wait(|| sandbox.notifications().iter().all(|sent| sent.delivery == Delivery::Accepted));
    let refund_part = |number: &str, cents| {
        ok(wx.chain("v3/refund/domestic/refunds").post(refund("P202611220001", number, cents, 8800)));
    };
    refund_part("R1", 800);
    let page = text(&look(&sandbox, "/?open=1&lang=en"));
    let timeline = page.split("Timeline").nth(1).unwrap();
    let mut rest = timeline;
    for step in [
        "200 POST /v3/pay/transactions/native",
        "payer The payer paid P202611220001",
        "204 TRANSACTION.SUCCESS",
        "200 POST /v3/refund/domestic/refunds",
        "Belongs together",
        "P202611220001 Native order ¥88.00 partly refunded",
        "R1 Refund ¥8.00 refunded",
    ] {
        let at = rest.find(step).unwrap_or_else(|| panic!("{step} is not in {timeline}"));
        rest = &rest[at + step.len()..];
    }
    assert!(!timeline.contains("P202611220002"), "{timeline}");
    assert!(page.contains("partly refunded REFUND refunded ¥8.00"), "{page}");
    assert!(text(&look(&sandbox, "/?lang=zh-CN")).contains("部分退款"));
    // The refund has the same timeline.
    assert!(text(&look(&sandbox, "/?open=3")).contains("The payer paid"));
    refund_part("R2", 8000);
    let page = text(&look(&sandbox, "/?status=REFUND&lang=en"));
    assert!(
        page.contains("refunded REFUND refunded ¥88.00") && !page.contains("partly refunded REFUND"),
        "{page}"
    );
    assert!(text(&look(&sandbox, "/?status=REFUND&lang=zh-CN")).contains("已全额退款"));
}

#[test]
fn a_notification_shows_its_resource_and_is_sent_again() {
    let sandbox = sandbox_builder().start().unwrap();
    let wx = sandbox.client().unwrap();
    ok(wx.chain("v3/pay/transactions/native").post(native(&wx, "P202611220001", 100)));
    // The receiver is down at first.
    let (sender, arrived) = std::sync::mpsc::channel();
    let up = Arc::new(AtomicBool::new(false));
    let is_up = Arc::clone(&up);
    let server = TestServer::start(move |mut stream, _| {
        let mut bytes = vec![0; 16 << 10];
        let length = stream.read(&mut bytes)?;
        if is_up.load(Ordering::SeqCst) {
            let _ = sender.send(bytes[..length].to_vec());
            stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")?;
        }
        Ok(())
    });
    let url = format!("{}notify", server.base);
    let id = sandbox.notify(&url, "TRANSACTION.SUCCESS", "transaction", &json!({ "out_trade_no": "P9<" }));
    wait(|| sandbox.notifications()[0].attempts.len() == 1);
    let page = text(&look(&sandbox, "/?tab=notifications&open=0"));
    assert!(page.contains(r#"{ "out_trade_no": "P9<" }"#) && page.contains("no response"), "{page}");

    let send_again =
        |id: &str| submit_to(&sandbox, "/_sandbox/?tab=notifications", &[("do", "send-again"), ("id", id)]);
    assert_eq!(send_again(&id).status, 303);
    wait(|| sandbox.notifications()[0].attempts.len() == 2);
    // It failed again: the schedule goes on.
    assert_eq!(sandbox.notifications()[0].delivery, Delivery::Pending);
    up.store(true, Ordering::SeqCst);
    assert_eq!(send_again(&id).status, 303);
    let came = String::from_utf8(arrived.recv_timeout(Duration::from_secs(20)).unwrap()).unwrap();
    // The same id, signed and encrypted as every notification.
    let body = came.split("\r\n\r\n").nth(1).unwrap();
    let sent: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&sent["id"], &sent["event_type"]), (&json!(id), &json!("TRANSACTION.SUCCESS")));
    wait(|| sandbox.notifications()[0].delivery == Delivery::Accepted);
    assert_eq!(sandbox.notifications()[0].attempts.len(), 3);

    // A program does the same through the control endpoint.
    let control =
        |body: &str| ask(&sandbox, "POST", "/_sandbox/notifications", &[("Host", &host(&sandbox))], body);
    assert_eq!(control(&json!({ "send_again": id }).to_string()).status, 202);
    assert!(arrived.recv_timeout(Duration::from_secs(20)).is_ok());
    wait(|| sandbox.notifications()[0].attempts.len() == 4);
    for body in ["{}", r#"{"send_again":"0"}"#, r#"{"send_again":1}"#, "[]"] {
        assert_eq!(control(body).status, 400, "{body}");
    }
    let list = ask(&sandbox, "GET", "/_sandbox/notifications", &[("Host", &host(&sandbox))], "");
    let list: Value = serde_json::from_slice(&list.body).unwrap();
    assert_eq!(list["notifications"][0]["resource"], json!({ "out_trade_no": "P9<" }));

    let unknown = send_again("0");
    assert_eq!(unknown.status, 400);
    assert!(alert(&unknown).contains("no such notification"), "{}", alert(&unknown));
    // A host that is not allowed is not contacted by hand either.
    let id = sandbox.notify("http://192.0.2.1/n", "TYPE", "type", &json!({}));
    wait(|| sandbox.notifications()[1].is_done());
    assert_eq!(send_again(&id).status, 303);
    wait(|| sandbox.notifications()[1].attempts.len() == 1);
    assert!(matches!(&sandbox.notifications()[1].delivery, Delivery::Refused(_)));
}

#[test]
fn a_copied_command_sends_the_request_again() {
    if !has("bash") || !has("curl") || !has("openssl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox_builder().keys(folder.path().join("it's $(me)")).start().unwrap();
    let wx = sandbox.client().unwrap();
    let mut body = native(&wx, "P202611220001", 100);
    body["description"] = json!("it's \"$tea\" `x` \\n 茶");
    ok(wx.chain("v3/pay/transactions/native").post(body.clone()));
    ok(order(&wx, "P202611220001"));
    let exports = copied(&look(&sandbox, "/?tab=connect"), "copy-exports");
    for (number, target) in
        [(1, "/v3/pay/transactions/native"), (2, "/v3/pay/transactions/out-trade-no/P202611220001")]
    {
        let page = look(&sandbox, &format!("/?tab=requests&open={number}"));
        assert_eq!(copied(&page, "copy-number"), "P202611220001");
        assert_eq!(
            copied(&page, "copy-request-id"),
            sandbox.requests()[number - 1].response.request_id().unwrap()
        );
        let mut script = format!("set -eu\n{exports}\n{}", copied(&page, "copy-curl"));
        // The program itself, where it was built.
        let program = option_env!("CARGO_BIN_EXE_wxpay");
        if let Some(program) = program {
            script += &format!("\nwxpay() {{ '{program}' \"$@\"; }}\n{}", copied(&page, "copy-wxpay"));
        }
        let count = sandbox.requests().len();
        let output = Command::new("bash").args(["-c", &script]).env_remove("WXPAY_PROFILE").output().unwrap();
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
        let sent = &sandbox.requests()[count..];
        assert_eq!(sent.len(), 1 + usize::from(program.is_some()));
        for again in sent {
            assert_eq!(again.verdict, Verdict::Accepted, "{script}");
            assert_eq!(again.target.split('?').next().unwrap(), target);
            assert_eq!(again.body, sandbox.requests()[number - 1].body);
        }
    }
}

#[test]
fn an_empty_page_leads_to_the_first_order() {
    if !has("bash") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox_builder().keys(folder.path().join("keys")).start().unwrap();
    for tab in ["orders", "requests", "connect"] {
        let page = look(&sandbox, &format!("/?tab={tab}"));
        // A shell that runs the lines has the values of the sandbox; the keys are files.
        let script = format!("{}\nenv", copied(&page, "copy-exports"));
        let output =
            Command::new("bash").args(["-c", &script]).env_clear().env("PATH", "/usr/bin:/bin").output();
        let output = String::from_utf8(output.unwrap().stdout).unwrap();
        for (name, value) in sandbox.variables() {
            let line = output.lines().find_map(|line| line.strip_prefix(&format!("{name}="))).unwrap();
            let pem = line.strip_prefix("file://").map(|path| std::fs::read_to_string(path).unwrap());
            let shown = pem.map_or(line.to_owned(), |pem| pem.trim_end().replace('\n', "\\n"));
            assert_eq!(shown, value, "{name}");
        }
        assert!(page.contains("value=\"test-order\""));
    }
    let reply =
        submit(&sandbox, &[("do", "test-order"), ("yuan", "19.99"), ("notify_url", "http://127.0.0.1:9/n")]);
    assert_eq!((reply.status, reply.header("Location")), (303, Some("/_sandbox/?open=1#list")));
    let page = look(&sandbox, "/_sandbox/?open=1");
    assert!(page.contains("¥19.99") && page.contains("<svg class=\"qr\""), "{page}");
    let number = copied(&page, "copy-number");
    assert!(number.starts_with("TEST20"), "{number}");
    sandbox.pay(&number).unwrap();
    wait(|| !sandbox.notifications()[0].attempts.is_empty());
    assert_eq!(sandbox.notifications()[0].url, "http://127.0.0.1:9/n");
    // What cannot be used is named in the form, in the language of the page, and kept.
    for (yuan, url, says) in [
        ("1,5", "http://127.0.0.1:9/n", "金额"),
        ("0", "http://127.0.0.1:9/n", "金额"),
        ("1", "ftp://x", "回调通知 URL"),
        ("1", "<b>", "回调通知 URL"),
    ] {
        let fields = [("do", "test-order"), ("yuan", yuan), ("notify_url", url)];
        let reply = submit_to(&sandbox, "/_sandbox/?tab=connect&lang=zh-CN", &fields);
        assert!(reply.status == 400 && alert(&reply).contains(says), "{yuan} {url}: {}", alert(&reply));
        let page = String::from_utf8(reply.body).unwrap();
        assert!(page.contains(&format!("value=\"{yuan}\"")) && !page.contains("<b>"));
    }
}

#[test]
fn a_wrong_fault_is_explained_in_its_form() {
    let sandbox = Sandbox::start().unwrap();
    let post = |lang: &str, fields: &[(&str, &str)]| {
        let mut all = vec![("do", "add-fault"), ("fault", "cut-body")];
        all.extend_from_slice(fields);
        submit_to(&sandbox, &format!("/_sandbox/?tab=faults&lang={lang}"), &all)
    };
    for (field, value, english, chinese) in [
        ("nth", "x", "Only the n-th match: enter a whole number", "仅第 n 次：请填大于 0 的整数"),
        ("times", "0", "Maximum hits: enter a whole number", "最多命中次数：请填大于 0 的整数"),
        (
            "share",
            "2",
            "Probability (0–1): enter a number above 0 and up to 1",
            "概率（0–1）：请填大于 0、不超过 1 的数",
        ),
        ("share", "NaN", "Probability (0–1)", "概率（0–1）"),
        ("value", "7", "Value: this fault takes no value", "参数值：这个故障没有参数值"),
        ("path", "v3/<a>?b", "Path: enter a path without a query", "路径：请填不带查询串的路径"),
        ("fault", "delay", "Value: enter milliseconds", "参数值：请填毫秒数"),
        ("fault", "missing-header", "Value: enter the name of a header", "参数值：请填响应头的名称"),
        ("fault", "duplicate", "Fault: it applies to notifications only", "故障：只能作用于回调通知"),
        ("fault", "<b>", "Fault: there is no such fault", "故障：没有这个故障"),
    ] {
        for (lang, says) in [("en", english), ("zh-CN", chinese)] {
            let reply = post(lang, &[("path", "v3/pay/{+rest}"), (field, value)]);
            assert_eq!(reply.status, 400, "{field}={value}");
            let page = String::from_utf8(reply.body).unwrap();
            let form = page.split("id=\"add-fault\"").nth(1).unwrap().split("</form>").next().unwrap();
            assert!(form.contains(says), "{field}={value}: {form}");
            // What was entered is still there.
            let kept = if field == "path" { "v3/&lt;a&gt;?b" } else { "v3/pay/{+rest}" };
            assert!(form.contains(&format!("value=\"{kept}\"")), "{field}={value}: {form}");
        }
    }
    assert!(text(&look(&sandbox, "/?tab=faults")).contains("No faults active"));
    let preset =
        submit_to(&sandbox, "/?tab=faults", &[("do", "add-preset"), ("rule", "rate-limited=1 nth=1")]);
    assert_eq!(preset.status, 401, "only the page's own address takes forms");
    let add =
        |rule| submit_to(&sandbox, "/_sandbox/?tab=faults", &[("do", "add-preset"), ("rule", rule)]).status;
    assert_eq!((add("rate-limited=1 nth=1"), add("clock-skew=9")), (303, 400));
    let page = text(&look(&sandbox, "/?tab=faults&lang=en"));
    assert!(
        page.contains("Reject the next request with 429 rate-limited=1 nth=1 applied to 0 of 0 matches"),
        "{page}"
    );
    // Once it is used up, it is listed with the request that it hit.
    assert!(sandbox.client().unwrap()["v3/certificates"].get_sync().is_err());
    let page = text(&look(&sandbox, "/?tab=faults&lang=en"));
    assert!(
        page.contains("No faults active") && page.contains("Used up rate-limited=1 nth=1 hit request 2"),
        "{page}"
    );
}
