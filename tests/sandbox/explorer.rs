//! The explorer of the page: the documented endpoints, searched, filled in, sent, and written as code.

use std::process::Command;

use serde_json::{Value, json};
use wechatpay_chain::sandbox::{Fault, Sandbox, SignatureVerdict, Verdict};

use crate::page::{alert, ask, host, look, submit_to};
use crate::page_lists::{copied, text};
use crate::raw_http::Reply;
use crate::requests::*;
use crate::support::has;

const REFUND: &str = "/endpoints/v3/refund/domestic/refunds";
const NATIVE: &str = "/endpoints/v3/pay/transactions/native";
const APPLYMENT: &str = "/endpoints/v3/applyment4sub/applyment/";

pub(crate) fn page_of(reply: Reply) -> String {
    String::from_utf8(reply.body).unwrap()
}

/// The page without its escapes.
fn plain(page: &str) -> String {
    page.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[test]
fn endpoints_are_found_by_words_and_by_path() {
    let sandbox = Sandbox::start().unwrap();
    let start = text(&look(&sandbox, "/endpoints?lang=en"));
    assert!(start.contains("1020 APIv3, 136 APIv2"), "{start}");
    for query in ["q=%E9%80%80%E6%AC%BE", "q=refund", "q=out_refund_no", "q=v3/refund/domestic/refunds"] {
        let page = look(&sandbox, &format!("/endpoints?{query}"));
        let list = page.split("id=\"list\"").nth(1).unwrap();
        assert!(list.contains("href=\"/endpoints/v3/refund/domestic/refunds\""), "{query}");
    }
    let filtered = look(&sandbox, "/endpoints?q=refund&verb=GET&mode=partner");
    assert!(!filtered.split("id=\"list\"").nth(1).unwrap().contains("<b>POST</b>"));
    assert!(text(&look(&sandbox, "/endpoints?q=xyzzyplugh&lang=zh-CN")).contains("没有匹配的接口"));
    // A path with several verbs has a page for each, and the address chooses.
    let path = "v3/merchant-service/complaint-notifications";
    for verb in ["GET", "POST", "PUT", "DELETE"] {
        let page = look(&sandbox, &format!("/endpoints/{path}?verb={verb}"));
        assert!(page.contains(&format!("<title>{verb} {path} · ")), "{verb}");
        assert_eq!(page.matches("class=\"verbs\"").count(), 1);
        assert!(page.contains(&format!("href=\"/endpoints/{path}?verb=DELETE\"")));
    }
    // Values in the path fill its variables.
    let page = look(&sandbox, "/endpoints/v3/pay/transactions/out-trade-no/P202611220001/close");
    assert!(page.contains("name=\"path/out_trade_no\" value=\"P202611220001\""), "{page}");
    // An unknown path has suggestions.
    let head = [("Host", host(&sandbox))];
    let head = head.each_ref().map(|(name, value)| (*name, value.as_str()));
    let unknown = ask(&sandbox, "GET", "/endpoints/v3/refunds/domestic/%3Cb%3Erefund?lang=en", &head, "");
    assert_eq!(unknown.status, 404);
    let page = page_of(unknown);
    assert!(
        page.contains("Did you mean")
            && page.contains("href=\"/endpoints/v3/refund/domestic/refunds?lang=en\"")
    );
    assert!(!page.contains("<b>refund"), "{page}");
    assert!(sandbox.requests().is_empty());
}

#[test]
fn a_call_is_signed_and_sent_through_the_server() {
    let (sandbox, wx) = start();
    let fields = [
        ("body/appid", APPID),
        ("body/mchid", sandbox.mchid()),
        ("body/description", "茶 \"250g\" <b>"),
        ("body/out_trade_no", "P202611220001"),
        ("body/notify_url", "http://127.0.0.1:9/n"),
        ("body/amount/total", "8800"),
        ("body/detail/goods_detail/0/merchant_goods_id", "tea"),
        ("body/detail/goods_detail/0/quantity", "2"),
        ("body/detail/goods_detail/0/unit_price", "4400"),
        ("body/detail/goods_detail/1/quantity", ""),
        ("do", "send"),
    ];
    let reply = submit_to(&sandbox, &format!("{NATIVE}?lang=en"), &fields);
    assert_eq!(reply.status, 200);
    let page = page_of(reply);
    let seen = &sandbox.requests()[0];
    assert_eq!((seen.target.as_str(), &seen.verdict), ("/v3/pay/transactions/native", &Verdict::Accepted));
    let sent: Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(sent["amount"], json!({"total": 8800}));
    assert_eq!(
        sent["detail"]["goods_detail"],
        json!([{"merchant_goods_id": "tea", "quantity": 2, "unit_price": 4400}])
    );
    assert_eq!(ok(order(&wx, "P202611220001"))["trade_state"], "NOTPAY");
    // Request, signed text, response and verdict, and the values are still there.
    let shown = text(&page);
    for part in [
        "Result 200 signature valid Request 1",
        "Signed message POST↵ /v3/pay/transactions/native↵",
        "\"code_url\": \"weixin://",
    ] {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    assert!(page.contains("name=\"body/out_trade_no\" value=\"P202611220001\""));
    assert!(!page.contains("<b>\"") && page.contains("茶 &quot;250g&quot; &lt;b&gt;"));
    // No key, and no signature.
    for secret in [sandbox.apiv3_key(), sandbox.merchant_key_pem().lines().nth(1).unwrap()] {
        assert!(!page.contains(secret));
    }
    assert!(!page.contains("signature=\\\"\n") && page.contains("Authorization: (not shown)"));

    // A refusal of the platform is a result, too; in Chinese.
    let page = page_of(submit_to(
        &sandbox,
        &format!("{REFUND}?lang=zh-CN"),
        &[("body/out_trade_no", "P202611220001"), ("do", "send")],
    ));
    let shown = text(&page);
    assert!(shown.contains("结果 400 PARAM_ERROR 验签 通过"), "{shown}");
    assert!(shown.contains("与文档不一致") && shown.contains("out_refund_no：必填，未填写"), "{shown}");
    // A fault is what the client makes of it.
    sandbox.inject(Fault::BadSignature);
    let page = page_of(submit_to(&sandbox, &format!("{NATIVE}?lang=en"), &fields));
    assert!(text(&page).contains("The client did not accept the response:"), "{}", text(&page));
    sandbox.inject(Fault::CutConnection);
    let page = page_of(submit_to(&sandbox, &format!("{NATIVE}?lang=en"), &fields));
    assert!(text(&page).contains("connection cut"), "{}", text(&page));
}

#[test]
fn marked_fields_are_encrypted_and_decrypted() {
    let (sandbox, _wx) = start();
    let transfer = "/endpoints/v3/fund-app/mch-transfer/transfer-bills";
    let fields = [
        ("body/appid", APPID),
        ("body/out_bill_no", "T202611220001"),
        ("body/transfer_scene_id", "1000"),
        ("body/openid", OPENID),
        ("body/user_name", "张三"),
        ("body/transfer_amount", "500"),
        ("body/transfer_remark", "活动奖励"),
        ("body/transfer_scene_report_infos/0/info_type", "活动名称"),
        ("body/transfer_scene_report_infos/0/info_content", "新会员有礼"),
        ("do", "send"),
    ];
    let page = look(&sandbox, &format!("{transfer}?lang=en"));
    assert!(page.contains("encrypted for you") && page.contains("name=\"encrypt\" value=\"1\" checked"));
    // Without the box, the name is sent in the clear, and refused.
    let clear = page_of(submit_to(&sandbox, transfer, &fields));
    assert!(matches!(sandbox.requests()[0].verdict, Verdict::Refused { status: 400, .. }), "{clear}");
    assert!(String::from_utf8_lossy(&sandbox.requests()[0].body).contains("张三"));
    let mut encrypted = fields.to_vec();
    encrypted.push(("encrypt", "1"));
    let reply = submit_to(&sandbox, &format!("{transfer}?lang=en"), &encrypted);
    let seen = &sandbox.requests()[1];
    assert_eq!(seen.verdict, Verdict::Accepted, "{}", page_of(reply));
    let body = String::from_utf8_lossy(&seen.body).into_owned();
    assert!(!body.contains("张三") && seen.headers.contains_key("wechatpay-serial"));
    // Its query has the name encrypted for the merchant, and the result shows it.
    let query = "/endpoints/v3/fund-app/mch-transfer/transfer-bills/out-bill-no/T202611220001?lang=en";
    let page = page_of(submit_to(&sandbox, query, &[("path/out_bill_no", "T202611220001"), ("do", "send")]));
    let answer = sandbox.requests().pop().unwrap();
    assert!(!String::from_utf8_lossy(&answer.response.body).contains("张三"));
    let clear = text(&page).split("Response, decrypted").nth(1).unwrap_or_default().to_owned();
    assert!(clear.contains("\"user_name\": \"张三\""), "{}", text(&page));
    // As JSON, likewise; the form then shows it.
    let json = json!({
        "appid": APPID, "out_bill_no": "T202611220002", "transfer_scene_id": "1000", "openid": OPENID,
        "user_name": "李四", "transfer_amount": 500, "transfer_remark": "活动奖励",
        "transfer_scene_report_infos": [{"info_type": "活动名称", "info_content": "新会员有礼"}],
    })
    .to_string();
    let page =
        page_of(submit_to(&sandbox, transfer, &[("json", &json), ("encrypt", "1"), ("do", "send-json")]));
    assert_eq!(sandbox.requests()[3].verdict, Verdict::Accepted, "{page}");
    assert!(!String::from_utf8_lossy(&sandbox.requests()[3].body).contains("李四"));
    assert!(page.contains("name=\"body/user_name\" value=\"李四\""));
}

#[test]
fn what_cannot_be_sent_is_named_and_kept() {
    let sandbox = Sandbox::start().unwrap();
    let close = "/endpoints/v3/pay/transactions/out-trade-no/%7Bout_trade_no%7D/close";
    let applyment = |fields: &[(&str, &str)]| submit_to(&sandbox, &format!("{APPLYMENT}?lang=zh-CN"), fields);
    for (target, field, value, says) in [
        (NATIVE, "body/amount/total", "1,5", "请填整数"),
        (NATIVE, "body/support_fapiao", "maybe", "请选择 true 或 false"),
        (close, "path/out_trade_no", "", "请填写"),
    ] {
        let reply = submit_to(&sandbox, &format!("{target}?lang=zh-CN"), &[(field, value), ("do", "send")]);
        assert_eq!(reply.status, 400, "{field}");
        let page = page_of(reply);
        let alert = page.split("<div id=\"problem-call\"").nth(1).unwrap().split("</ul>").next().unwrap();
        assert!(alert.contains(says) && alert.contains(field.rsplit('/').next().unwrap()), "{alert}");
        assert!(page.contains("aria-invalid=\"true\""), "{field}");
        assert!(value.is_empty() || value == "maybe" || page.contains(&format!("value=\"{value}\"")));
    }
    for json in ["{", "[1]"] {
        assert_eq!(submit_to(&sandbox, NATIVE, &[("json", json), ("do", "send-json")]).status, 400);
    }
    // Another element of a list, without sending.
    let page = page_of(applyment(&[("add", "body/contact_info/x"), ("body/business_code", "B1")]));
    assert!(page.contains("value=\"B1\""));
    let more = page_of(submit_to(
        &sandbox,
        NATIVE,
        &[("add", "body/detail/goods_detail"), ("body/detail/goods_detail/0/quantity", "7")],
    ));
    assert!(
        more.contains("id=\"group-f-body-detail-goods_detail-1\"") && more.contains("value=\"7\""),
        "{more}"
    );
    assert!(sandbox.requests().is_empty());
    // Nor does a form of another site, or one that is too large, send anything.
    let own = host(&sandbox);
    let foreign = [
        ("Host", own.as_str()),
        ("Origin", "http://evil.example"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    let body = "do=send&body%2Fout_trade_no=P1";
    assert_eq!(ask(&sandbox, "POST", NATIVE, &foreign, body).status, 403);
    assert_eq!(ask(&sandbox, "POST", NATIVE, &foreign[..1], body).status, 403);
    assert_eq!(
        ask(&sandbox, "POST", NATIVE, &[("Host", "evil.example"), ("Origin", "http://evil.example")], body)
            .status,
        403
    );
    let large = "x".repeat(8 << 20) + "y";
    let origin = format!("http://{own}");
    let reply = ask(&sandbox, "POST", NATIVE, &[("Host", &own), ("Origin", &origin)], &large);
    assert_eq!(reply.status, 413);
    assert!(alert(&reply).contains("too large"));
    assert!(sandbox.requests().is_empty());
    // A signed request to such a path is a client's, below a base URL of that name.
    assert!(look(&sandbox, NATIVE).contains("<title>POST v3/pay"));
}

#[test]
fn a_file_is_uploaded_and_downloaded() {
    let sandbox = Sandbox::start().unwrap();
    let upload = "/endpoints/v3/merchant/media/upload?lang=en";
    assert!(look(&sandbox, upload).contains("enctype=\"multipart/form-data\""));
    let (own, origin) = (host(&sandbox), format!("http://{}", host(&sandbox)));
    let send = |file: &str| {
        let body =
            format!("--b\r\nContent-Disposition: form-data; name=\"do\"\r\n\r\nsend\r\n{file}--b--\r\n");
        let head = [
            ("Host", own.as_str()),
            ("Origin", &origin),
            ("Content-Type", "multipart/form-data; boundary=b"),
        ];
        ask(&sandbox, "POST", upload, &head, &body)
    };
    let none = send(
        "--b\r\nContent-Disposition: form-data; name=\"form/file\"; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n\r\n",
    );
    assert!(none.status == 400 && page_of(none).contains("choose a file"));
    let png = "\u{2030}PNG";
    let reply = send(&format!(
        "--b\r\nContent-Disposition: form-data; name=\"form/file\"; filename=\"茶.png\"\r\nContent-Type: image/png\r\n\r\n{png}\r\n"
    ));
    let page = page_of(reply);
    assert_eq!(sandbox.requests().len(), 1, "{page}");
    let seen = &sandbox.requests()[0];
    let body = String::from_utf8_lossy(&seen.body).into_owned();
    assert!(body.contains("\"filename\":\"茶.png\"") && body.contains(png), "{body}");
    assert_eq!(seen.signature, SignatureVerdict::Valid);

    // The same with curl.
    if has("bash") && has("curl") && has("openssl") {
        let folder = tempfile::tempdir().unwrap();
        let kept = Sandbox::builder().keys(folder.path().join("keys")).start().unwrap();
        std::fs::write(folder.path().join("picture.jpg"), b"\xff\xd8\xff\xd9").unwrap();
        let curl = copied(&look(&kept, upload), "copy-code-curl");
        let script = format!("set -eu\n{}\n{curl}", copied(&look(&kept, "/?tab=connect"), "copy-exports"));
        let output = Command::new("bash").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
        let seen = &kept.requests()[0];
        assert_eq!(seen.verdict, Verdict::Accepted, "{script}");
    }
    // The file of a bill is shown with the response.
    let page = page_of(submit_to(
        &sandbox,
        "/endpoints/v3/billdownload/file?lang=en",
        &[("query/token", "x"), ("do", "send")],
    ));
    assert!(sandbox.requests()[1].target.starts_with("/v3/billdownload/file?token=x"), "{page}");
    assert!(text(&page).contains("Result"));
}

#[test]
fn the_call_is_written_in_every_spelling() {
    let sandbox = Sandbox::start().unwrap();
    let fields = [
        ("body/out_trade_no", "P'1"),
        ("body/amount/refund", "1"),
        ("body/reason", "a\"b\\c"),
        ("do", "show"),
    ];
    let page = page_of(submit_to(&sandbox, &format!("{REFUND}?lang=en"), &fields));
    let block = |name: &str| {
        let block = page.split(&format!("id=\"code-{name}\"")).nth(1).unwrap_or_else(|| panic!("no {name}"));
        plain(block.split("<pre tabindex=\"0\">").nth(1).unwrap().split("</pre>").next().unwrap())
    };
    for (name, part) in [
        ("index", "wx[\"v3/refund/domestic/refunds\"].post(json!({"),
        ("chain", "wx.chain(\"v3/refund/domestic/refunds\").post("),
        ("segments", "wx.seg(\"v3\").seg(\"refund\")"),
        ("php-line", "chain!(wx->v3->refund->domestic->refunds).post("),
        ("node-line", "chain!(wx.v3.refund.domestic.refunds).post("),
        ("blocking", ".wait()?;"),
        ("php", "$instance->v3->refund->domestic->refunds->post(["),
        ("php", "'out_trade_no' => 'P\\'1'"),
        ("node", "await wxpay.v3.refund.domestic.refunds.post({"),
        ("wxpay", "wxpay post 'v3/refund/domestic/refunds' -d '{\"out_trade_no\":\"P'\\''1\""),
        ("curl", "curl -sS -X POST"),
        ("index", "\"reason\": \"a\\\"b\\\\c\""),
    ] {
        assert!(block(name).contains(part), "{name}: {}", block(name));
    }
    assert!(sandbox.requests().is_empty());
    // APIv2 has no form, but its code.
    let page = look(&sandbox, "/endpoints/v2/pay/unifiedorder?lang=en");
    assert!(
        page.contains("does not model APIv2")
            && !page.contains("id=\"call\"")
            && page.contains("id=\"code-php\"")
    );
    // A page that nobody fills in is the same again.
    assert_eq!(look(&sandbox, REFUND), look(&sandbox, REFUND));
}

#[test]
fn calls_at_the_same_time_do_not_wait_for_each_other() {
    let sandbox = Sandbox::start().unwrap();
    std::thread::scope(|scope| {
        let call = |number: usize| {
            let sandbox = &sandbox;
            move || {
                let text = number.to_string();
                let fields = [("body/echo_message", text.as_str()), ("do", "send")];
                page_of(submit_to(sandbox, "/endpoints/v3/security/echo?lang=en", &fields))
            }
        };
        let calls: Vec<_> = (0..12).map(|number| scope.spawn(call(number))).collect();
        for (number, page) in calls.into_iter().map(|call| call.join().unwrap()).enumerate() {
            assert!(text(&page).contains(&format!("\"echo_message\": \"{number}\"")), "{}", text(&page));
        }
    });
    assert_eq!(sandbox.requests().len(), 12);
}
