//! The section of resources (orders, refunds and others), with the actions of the payer.

use maud::{Markup, html};
use serde_json::Value;

use super::{
    language::Language,
    qr,
    text::{block, line, money, time},
};
use crate::sandbox::model::{payer_actions::PayerAction, resource_list::Resource};

/// The bytes of a resource's JSON to show.
const MAX_JSON: usize = 4 << 10;

pub(crate) fn section(l: Language, resources: &[Resource]) -> Markup {
    let columns = [
        l.say("Type", "单据"),
        l.say("Number", "单号"),
        l.say("State", "状态"),
        l.say("Amount", "金额"),
        l.say("Changed", "更新时间"),
        l.say("Simulate the payer", "模拟用户操作"),
    ];
    html! {
        section #resources aria-labelledby="resources-title" {
            h2 #resources-title { (l.say("Orders and other resources", "订单和其他单据")) }
            @if resources.is_empty() {
                p .empty { (l.say("None yet. They appear here when a client creates one.", "还没有单据。客户端下单后会显示在这里。")) }
            } @else {
                // The roles remain when a narrow screen shows the table as cards.
                table role="table" {
                    caption .unseen { (l.say("Orders and other resources, newest first", "订单和其他单据，最新的在前")) }
                    thead role="rowgroup" { tr role="row" {
                        @for column in columns { th role="columnheader" scope="col" { (column) } }
                    } }
                    tbody role="rowgroup" { @for resource in resources { (row(l, &columns, resource)) } }
                }
            }
        }
    }
}

fn row(l: Language, columns: &[&str; 6], resource: &Resource) -> Markup {
    let currency = resource.body.pointer("/amount/currency").and_then(Value::as_str).unwrap_or("");
    let description = resource.body.get("description").and_then(Value::as_str);
    let (word, tone) = state(l, &resource.state);
    html! {
        tr #{ "resource-" (resource.seq) } role="row" tabindex="-1" {
            td role="cell" data-label=(columns[0]) {
                div {
                    span { (type_name(l, resource)) }
                    @if let Some(text) = description { bdi .note { (line(text, 127)) } }
                }
            }
            td role="cell" data-label=(columns[1]) {
                div {
                    code { bdi { (line(&resource.merchant_no, 64)) } }
                    @if let Some(id) = &resource.platform_id { code .note { bdi { (line(id, 64)) } } }
                    @if !resource.scope.is_empty() {
                        span .note { (l.say("sub-merchant ", "子商户 ")) code { bdi { (line(&resource.scope, 32)) } } }
                    }
                    (details(l, resource))
                }
            }
            td role="cell" data-label=(columns[2]) {
                div { span .badge .(tone) { (word) } code .note { (line(&resource.state, 32)) } }
            }
            td .number role="cell" data-label=(columns[3]) {
                @match resource.amount { Some(cents) => (money(cents, currency)), None => "–" }
            }
            td role="cell" data-label=(columns[4]) { (time(resource.changed_at)) }
            @let actions = resource.payer_actions();
            td .idle[actions.is_empty()] role="cell" data-label=(columns[5]) {
                @if actions.is_empty() { span .note { "–" } } @else { div { (payer_actions(l, resource, &actions)) } }
            }
        }
    }
}

fn payer_actions(l: Language, resource: &Resource, actions: &[&PayerAction]) -> Markup {
    let pays = actions.iter().any(|action| action.name.starts_with("pay"));
    let code = resource.body.get("code_url").and_then(Value::as_str).filter(|_| pays);
    html! {
        @for (index, action) in actions.iter().enumerate() {
            @let id = match index { 0 => format!("play-{}", resource.seq), _ => format!("{}-{}", action.name, resource.seq) };
            form method="post" action=(l.address()) {
                input type="hidden" name="part" value=(action.name);
                input type="hidden" name="scope" value=(resource.scope);
                input type="hidden" name="number" value=(resource.merchant_no);
                button .main[index == 0] name="do" value="play" id=(id) {
                    (l.say(action.label[0], action.label[1]))
                    span .unseen { " " (line(&resource.merchant_no, 64)) }
                }
            }
        }
        @if let Some(url) = code {
            details #{ "qr-" (resource.seq) } {
                summary { (l.say("QR code", "二维码")) }
                (qr::code(url, l.say("QR code of the order", "订单二维码")))
                code .note { bdi { (line(url, 512)) } }
            }
        }
    }
}

fn details(l: Language, resource: &Resource) -> Markup {
    let body = resource.public_body();
    let (shown, omitted) = block(format!("{body:#}").as_bytes(), MAX_JSON);
    html! {
        details #{ "json-" (resource.seq) } {
            summary { "JSON" }
            pre tabindex="0" { (shown.replace("↵\n", "\n")) @if omitted > 0 { "… +" (omitted) } }
            @if omitted > 0 { p .note { (l.say("Truncated", "内容过长，已截断")) } }
        }
    }
}

fn type_name(l: Language, resource: &Resource) -> &'static str {
    match resource.resource_type {
        "order" => match resource.body.get("trade_type").and_then(Value::as_str) {
            Some("NATIVE") => l.say("Native order", "Native 订单"),
            Some("JSAPI") => l.say("JSAPI order", "JSAPI 订单"),
            Some("APP") => l.say("App order", "APP 订单"),
            Some("MWEB") => l.say("H5 order", "H5 订单"),
            Some("MICROPAY") => l.say("Code payment", "付款码订单"),
            _ => l.say("Order", "订单"),
        },
        "combined order" => l.say("Combined order", "合单支付订单"),
        "refund" => l.say("Refund", "退款"),
        "service order" => l.say("PayScore order", "支付分订单"),
        "permission" => l.say("PayScore permission", "支付分授权"),
        "transfer" => l.say("Transfer", "商家转账"),
        "receiver" => l.say("Profit sharing receiver", "分账接收方"),
        "share" => l.say("Profit sharing", "分账"),
        "return" => l.say("Profit sharing return", "分账回退"),
        "reversal" => l.say("Reversal", "撤销"),
        other => other,
    }
}

/// The label of a state, and its colour.
fn state(l: Language, state: &str) -> (&'static str, &'static str) {
    match state {
        "NOTPAY" => (l.say("unpaid", "待支付"), "wait"),
        "SUCCESS" => (l.say("done", "成功"), "good"),
        "REFUND" => (l.say("refunded", "转入退款"), "plain"),
        "CLOSED" => (l.say("closed", "已关闭"), "plain"),
        "PROCESSING" => (l.say("in progress", "处理中"), "wait"),
        "CREATED" | "UNAVAILABLE" => (l.say("unconfirmed", "待确认"), "wait"),
        "USER_CONFIRM" => (l.say("confirmed", "已确认"), "good"),
        "MCH_COMPLETE" => (l.say("awaiting payment", "待扣款"), "wait"),
        "DONE" | "FINISHED" => (l.say("done", "已完成"), "good"),
        "AVAILABLE" => (l.say("authorized", "已授权"), "good"),
        "WAIT_USER_CONFIRM" => (l.say("awaiting acceptance", "待收款"), "wait"),
        "CANCELING" => (l.say("being cancelled", "撤销中"), "wait"),
        "USERPAYING" => (l.say("user is paying", "用户支付中"), "wait"),
        "ABNORMAL" => (l.say("abnormal", "异常"), "bad"),
        "FAIL" | "PAYERROR" => (l.say("failed", "失败"), "bad"),
        "REVOKED" | "CANCELLED" | "UNBINDUSER" => (l.say("cancelled", "已取消"), "plain"),
        "ADDED" => (l.say("added", "已添加"), "good"),
        _ => ("", "plain"),
    }
}
