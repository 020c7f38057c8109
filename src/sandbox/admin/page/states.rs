//! The words for types, states and actions.

use maud::{Markup, html};
use serde_json::Value;

use super::{language::Language, text::line};
use crate::sandbox::model::resource_list::Resource;

/// The state of a type (`""`: of any other), its English and Chinese label, and its colour.
const STATES: &[(&str, &str, &str, &str, &str)] = &[
    ("", "NOTPAY", "unpaid", "待支付", "wait"),
    ("", "SUCCESS", "paid", "已支付", "good"),
    ("refund", "SUCCESS", "refunded", "退款成功", "good"),
    ("transfer", "SUCCESS", "received", "已收款", "good"),
    ("return", "SUCCESS", "returned", "回退成功", "good"),
    ("reversal", "SUCCESS", "returned", "已退回", "plain"),
    ("order", "REVOKED", "reversed", "已撤销", "plain"),
    ("", "REFUND", "refunded", "已全额退款", "plain"),
    ("", "CLOSED", "closed", "已关闭", "plain"),
    ("", "PROCESSING", "in progress", "处理中", "wait"),
    ("", "ABNORMAL", "refund failed", "退款异常", "bad"),
    ("", "FAIL", "failed", "失败", "bad"),
    ("", "CREATED", "unconfirmed", "待用户确认", "wait"),
    ("", "UNAVAILABLE", "unauthorized", "待用户授权", "wait"),
    ("", "DOING", "in progress", "进行中", "wait"),
    ("", "USER_CONFIRM", "confirmed", "用户已确认", "good"),
    ("", "MCH_COMPLETE", "awaiting payment", "待扣款", "wait"),
    ("", "DONE", "done", "已完成", "good"),
    ("", "FINISHED", "done", "已完成", "good"),
    ("", "AVAILABLE", "authorized", "已授权", "good"),
    ("", "WAIT_USER_CONFIRM", "awaiting acceptance", "待用户收款", "wait"),
    ("", "CANCELING", "being cancelled", "撤销中", "wait"),
    ("", "CANCELLED", "cancelled", "已撤销", "plain"),
    ("", "REVOKED", "cancelled", "已取消", "plain"),
    ("", "UNBINDUSER", "terminated", "已解除", "plain"),
    ("", "ADDED", "added", "已添加", "good"),
    ("", "USERPAYING", "user is paying", "用户支付中", "wait"),
    ("", "PAYERROR", "payment failed", "支付失败", "bad"),
];

/// The name of a type, in English and Chinese.
const TYPES: &[(&str, &str, &str)] = &[
    ("NATIVE", "Native order", "Native 订单"),
    ("JSAPI", "JSAPI order", "JSAPI 订单"),
    ("APP", "App order", "APP 订单"),
    ("MWEB", "H5 order", "H5 订单"),
    ("MICROPAY", "Code payment", "付款码支付订单"),
    ("order", "Order", "订单"),
    ("combined order", "Combined order", "合单支付订单"),
    ("refund", "Refund", "退款"),
    ("service order", "PayScore order", "支付分订单"),
    ("permission", "PayScore permission", "支付分授权"),
    ("transfer", "Transfer", "商家转账"),
    ("receiver", "Profit sharing receiver", "分账接收方"),
    ("share", "Profit sharing", "分账"),
    ("return", "Profit sharing return", "分账回退"),
    ("reversal", "Reversal", "撤销"),
];

/// What a payer's action did, in a timeline.
const DONE: &[(&str, &str, &str)] = &[
    ("pay", "The payer paid", "用户付款"),
    ("pay-combined", "The payer paid", "用户付款"),
    ("pay-service", "The payer paid", "用户付款"),
    ("fail-payment", "The payment failed", "支付失败"),
    ("settle-refund", "The refund was settled", "退款到账"),
    ("fail-refund", "The refund became abnormal", "退款异常"),
    ("close-refund", "The refund was closed", "退款关闭"),
    ("confirm-service", "The user confirmed the order", "用户确认订单"),
    ("open-permission", "The user authorized the merchant", "用户授权"),
    ("accept-transfer", "The user accepted the transfer", "用户确认收款"),
    ("fail-transfer", "The transfer failed", "转账失败"),
];

pub(crate) fn type_name(l: Language, resource: &Resource) -> &'static str {
    let trade_type = resource.body.get("trade_type").and_then(Value::as_str).unwrap_or("");
    let known = |name: &str| TYPES.iter().find(|(known, ..)| *known == name);
    let own = if resource.resource_type == "order" { known(trade_type) } else { None };
    match own.or_else(|| known(resource.resource_type)) {
        Some((_, english, chinese)) => l.say(english, chinese),
        None => resource.resource_type,
    }
}

/// The label of the state, with its colour and its name at the platform.
pub(crate) fn badge(l: Language, resource: &Resource) -> Markup {
    let state = resource.state.as_str();
    let own = STATES.iter().find(|(of, name, ..)| *name == state && *of == resource.resource_type);
    let row = own.or_else(|| STATES.iter().find(|(of, name, ..)| *name == state && of.is_empty()));
    let (word, tone) = match row {
        Some(_) if resource.is_partly_refunded() => (l.say("partly refunded", "部分退款"), "wait"),
        // The refunds failed, or are older than the list.
        Some(_) if state == "REFUND" && resource.refunded == 0 => {
            (l.say("refund failed", "退款未成功"), "bad")
        }
        Some((_, _, english, chinese, tone)) => (l.say(english, chinese), *tone),
        None => (state, "plain"),
    };
    html! {
        span .badge .(tone) { (line(word, 32)) }
        @if row.is_some() { " " code .note { (line(state, 32)) } }
    }
}

/// The states to filter by.
pub(crate) fn options(l: Language) -> Vec<(String, String)> {
    let general = STATES.iter().filter(|(of, ..)| of.is_empty());
    let label = |state: &str, english: &str, chinese: &str| match state {
        "SUCCESS" => l.say("successful", "成功").to_string(),
        "REFUND" => l.say("refunded or partly refunded", "已退款或部分退款").to_string(),
        _ => l.say(english, chinese).to_string(),
    };
    general
        .map(|(_, state, english, chinese, _)| {
            (state.to_string(), format!("{state} · {}", label(state, english, chinese)))
        })
        .collect()
}

/// What happened by this action.
pub(crate) fn done(l: Language, name: &str) -> &'static str {
    DONE.iter().find(|(known, ..)| *known == name).map_or("", |(_, english, chinese)| l.say(english, chinese))
}
