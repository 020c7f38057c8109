//! The detail of a request: request and response side by side, the message to sign, the commands that repeat it.

use bytes::Bytes;
use http::{HeaderMap, header};
use maud::{Markup, html};
use serde_json::Value;

use super::{
    commands, diagnosis, explorer,
    language::Language,
    list,
    text::{block, line},
    view::{Tab, View},
};
use crate::sandbox::{
    http::secret_headers::is_secret,
    store::seen_request::{EndpointKind, SeenRequest, Sent, Verdict},
};

/// The bytes of a body to show.
const MAX_BODY: usize = 16 << 10;

/// Proves who sent a message: it is not shown either.
const SIGNATURE: &str = "wechatpay-signature";

/// Fields with the number of a resource, the most specific first.
const NUMBER_FIELDS: [&str; 9] = [
    "out_refund_no",
    "out_return_no",
    "out_bill_no",
    "out_trade_no",
    "combine_out_trade_no",
    "out_order_no",
    "transaction_id",
    "refund_id",
    "order_id",
];

pub(crate) fn detail(view: &View, seen: &SeenRequest) -> Markup {
    let l = view.language;
    html! {
        (explanation(l, seen))
        div .columns {
            div {
                h3 { (l.say("Request", "请求")) }
                (headers(l, &format!("{} {}", seen.method, line(&seen.target, 2048)), &seen.headers))
                (body(l, "请求体", &seen.body, seen.body_length))
            }
            div {
                h3 { (l.say("Response", "响应")) }
                @if matches!(seen.response.sent, Sent::Pending | Sent::Nothing | Sent::ClientLeft) {
                    p .note { (l.say("The client did not get this response.", "客户端没有收到这个响应。")) }
                }
                (headers(l, &format!("HTTP/1.1 {}", seen.response.status), &seen.response.headers))
                (body(l, "响应体", &seen.response.body, seen.response.body_length))
            }
        }
        (diagnosis::message(l, seen))
        (copies(view, seen))
    }
}

/// What a reader of a failed request wants to know first.
fn explanation(l: Language, seen: &SeenRequest) -> Markup {
    html! {
        @if let Verdict::Refused { message, .. } = &seen.verdict {
            // The diagnosis explains the same, in the language of the page. Further lines repeat the signed message.
            @if seen.diagnosis.is_none() { p .finding { bdi { (line(message.lines().next().unwrap_or(""), 500)) } } }
        }
        @if let Some(diagnosis) = &seen.diagnosis { (self::diagnosis::finding(l, seen, diagnosis)) }
        @if seen.endpoint == EndpointKind::NotModelled {
            p { (l.say(
                "The sandbox does not model this endpoint. Its response says nothing about the request’s fields.",
                "沙箱未模拟这个接口，响应不代表请求字段正确。",
            )) }
        }
        @if seen.endpoint == EndpointKind::Shaped {
            p { (l.say(
                "The sandbox has no flow of this endpoint. It checked the request against the documents, and responded in the documented shape.",
                "沙箱没有这个接口的业务流程：请求已按文档检查，响应按文档的结构生成。",
            )) }
        }
        @if !seen.hints.is_empty() {
            h3 { (l.say("Differs from the documents", "与文档不一致之处")) }
            ul { @for hint in &seen.hints { li { bdi { (line(l.say(&hint.english, &hint.chinese), 500)) } } } }
        }
        @if !seen.faults.is_empty() {
            p { (l.say("Faults of this request: ", "命中的故障："))
                @for fault in &seen.faults { code { bdi { (line(&fault.to_string(), 100)) } } " " } }
        }
    }
}

fn headers(l: Language, first: &str, headers: &HeaderMap) -> Markup {
    let hidden = l.say("(not shown)", "（不显示）");
    let mut text = format!("{first}\n");
    for (name, value) in headers {
        let secret = is_secret(name) || name.as_str() == SIGNATURE;
        let value = String::from_utf8_lossy(value.as_bytes());
        let value = if secret { hidden.to_string() } else { line(&value, 500) };
        text += &format!("{}: {value}\n", canonical(name));
    }
    html! { pre .head tabindex="0" { (text.trim_end()) } }
}

/// `Content-Type`: the usual spelling. HTTP does not distinguish it.
fn canonical(name: &header::HeaderName) -> String {
    let capital = |word: &str| match word {
        "id" => "ID".to_string(),
        _ => word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect(),
    };
    name.as_str().split('-').map(capital).collect::<Vec<_>>().join("-")
}

/// JSON is indented.
fn body(l: Language, chinese: &str, kept: &Bytes, length: usize) -> Markup {
    if length == 0 {
        return html! { p .note { (l.say("No body", &format!("没有{chinese}"))) } };
    }
    if std::str::from_utf8(&kept[..kept.len().min(MAX_BODY)]).is_err_and(|e| e.error_len().is_some()) {
        return html! { p .note { (l.say("Binary body, bytes: ", &format!("二进制{chinese}，字节数："))) (length) } };
    }
    let json = (kept.len() == length).then(|| serde_json::from_slice::<Value>(kept).ok()).flatten();
    let (shown, omitted) = match json {
        Some(json) => {
            let (shown, omitted) = block(format!("{json:#}").as_bytes(), MAX_BODY);
            (shown.replace("↵\n", "\n"), omitted)
        }
        None => {
            let (shown, omitted) = block(kept, MAX_BODY);
            (shown, omitted + length.saturating_sub(kept.len()))
        }
    };
    html! {
        pre tabindex="0" { (shown) @if omitted > 0 { "…" } }
        @if omitted > 0 { p .note { (l.say("Bytes not shown: ", "未显示的字节数：")) (omitted) } }
    }
}

fn copies(view: &View, seen: &SeenRequest) -> Markup {
    let l = view.language;
    let copies = [
        ("wxpay", commands::wxpay(seen), l.say("Copy as wxpay", "复制为 wxpay 命令")),
        ("curl", commands::curl(seen), l.say("Copy as curl", "复制为 curl 命令")),
    ];
    let id = seen.response.request_id();
    html! {
        div .buttons {
            @if let Some(number) = number(seen) {
                (list::copyable(l, "copy-number", &number, l.say("Copy number", "复制单号")))
            }
            @if let Some(id) = id {
                (list::copyable(l, "copy-request-id", id, l.say("Copy Request-ID", "复制 Request-ID")))
            }
            @for (name, command, label) in &copies { @if let Some(command) = command {
                (list::copyable(l, &format!("copy-{name}"), command, label))
            } }
            @if let Some(address) = explorer::again(view, seen) {
                a href=(address) { (l.say("Change and send again", "修改后重新发送")) }
            }
            @if let Some(number) = number(seen) {
                span .note { (l.say("Search in ", "查找：")) (list::search_link(view, Tab::Orders, &number)) }
            }
        }
        @for (name, command, _) in &copies { @if let Some(command) = command {
            details #{ "command-" (name) } {
                summary { (l.say("Repeat it with ", "重发命令：")) (name) }
                pre tabindex="0" { (command) }
                p .note { (l.say("It needs the variables of the tab “Connect”.", "需要先设置“接入”页的环境变量。")) }
            }
        } }
    }
}

/// The number of the resource that the request is about.
pub(crate) fn number(seen: &SeenRequest) -> Option<String> {
    let in_body = |body: &Bytes| {
        let json: Value = serde_json::from_slice(body).ok()?;
        NUMBER_FIELDS.iter().find_map(|field| json.get(field)?.as_str().map(String::from))
    };
    let found = in_body(&seen.body).or_else(|| in_body(&seen.response.body))?;
    Some(found.chars().take(64).collect())
}
