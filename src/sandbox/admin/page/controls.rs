//! The sections that control the platform: faults, keys, clock.

use maud::{Markup, html};

use super::{
    MAX_LISTED,
    language::Language,
    text::{line, time},
};
use crate::sandbox::{
    faults::{active::ActiveFaults, fault::all_names},
    keys::keyring::{KeyType, Keyring},
};

pub(crate) fn faults(l: Language, faults: &ActiveFaults) -> Markup {
    let queue: Vec<String> = faults.queued().take(MAX_LISTED).map(ToString::to_string).collect();
    let rules: Vec<_> = faults.rules().collect();
    html! {
        section #faults aria-labelledby="faults-title" {
            h2 #faults-title { (l.say("Faults", "故障")) }
            @if rules.is_empty() && queue.is_empty() {
                p .empty { (l.say("No faults active", "没有启用的故障")) }
            }
            @if !queue.is_empty() {
                p { (l.say("For the next requests: ", "用于接下来的请求：")) code { (line(&queue.join(", "), 500)) } }
            }
            @if !rules.is_empty() {
                ul .rules { @for status in rules.iter().take(MAX_LISTED) {
                    li #{ "fault-" (status.number) } tabindex="-1" {
                        div {
                            code { bdi { (line(&status.rule.to_string(), 200)) } }
                            span .note { (l.say("applied ", "命中 ")) (status.hits) " / " (status.matched) }
                        }
                        (button(l, "remove-fault", &[("number", &status.number.to_string())], l.say("Remove", "移除"), &status.rule.to_string()))
                    }
                } }
                (button(l, "clear-faults", &[], l.say("Remove all", "全部移除"), ""))
            }
            (form(l))
            p .note { (l.say("Random seed: ", "随机种子：")) code { (faults.seed()) } }
        }
    }
}

fn form(l: Language) -> Markup {
    html! {
        form #add-fault .fields method="post" action=(l.address()) aria-label=(l.say("Add a fault", "添加故障")) {
            label { span { (l.say("Fault", "故障")) }
                select name="fault" { @for name in all_names() { option { (name) } } } }
            label { span { (l.say("Value", "参数值")) }
                input name="value" autocomplete="off" placeholder=(l.say("if the fault has one", "按需填写")); }
            label { span { (l.say("Path", "路径")) }
                input name="path" autocomplete="off" spellcheck="false" placeholder="v3/pay/{+rest}"; }
            label { span { (l.say("Only the n-th match", "仅第 n 次")) } input name="nth" inputmode="numeric" autocomplete="off"; }
            label { span { (l.say("Probability (0–1)", "概率（0–1）")) } input name="share" inputmode="decimal" autocomplete="off"; }
            label { span { (l.say("Maximum hits", "最多命中次数")) } input name="times" inputmode="numeric" autocomplete="off"; }
            label { span { (l.say("Applies to", "作用对象")) }
                select name="on" {
                    option value="requests" { (l.say("requests", "请求")) }
                    option value="notifications" { (l.say("notifications", "回调通知")) }
                } }
            button .main name="do" value="add-fault" { (l.say("Add", "添加")) }
        }
    }
}

pub(crate) fn keys(l: Language, keyring: &Keyring) -> Markup {
    let list = keyring.list();
    html! {
        section #keys aria-labelledby="keys-title" {
            h2 #keys-title { (l.say("Platform keys", "平台密钥")) }
            ul .rules { @for (serial, key_type) in &list.serials {
                li #{ "key-" (serial) } tabindex="-1" {
                    div {
                        code { (serial) }
                        span .note {
                            (match key_type {
                                KeyType::Certificate => l.say("platform certificate", "平台证书"),
                                KeyType::PublicKey => l.say("public key", "微信支付公钥"),
                            })
                            @if list.response_signer.as_ref() == Some(serial) { " · " (l.say("signs responses", "用于签名响应")) }
                            @if list.notification_signer.as_ref() == Some(serial) { " · " (l.say("signs notifications", "用于签名回调通知")) }
                        }
                    }
                    div .buttons {
                        (button(l, "sign-with", &[("serial", serial)], l.say("Sign with this key", "用此密钥签名"), serial))
                        (button(l, "retire", &[("serial", serial)], l.say("Retire", "停用"), serial))
                    }
                }
            } }
            div .buttons {
                (button(l, "rotate-certificate", &[], l.say("Rotate certificate", "更换平台证书"), ""))
                (button(l, "rotate-public-key", &[], l.say("Rotate public key", "更换公钥"), ""))
            }
        }
    }
}

/// `business` is the business time, in Unix seconds.
pub(crate) fn clock(l: Language, skew: i64, business: i64) -> Markup {
    html! {
        section #clock aria-labelledby="clock-title" {
            h2 #clock-title { (l.say("Clock", "时钟")) }
            p { @if skew == 0 { (l.say("In sync with this machine", "与本机一致")) } @else {
                (l.say("Seconds ahead of this machine: ", "比本机超前（秒）：")) b { (skew) }
            } }
            form #set-skew .fields method="post" action=(l.address()) {
                label { span { (l.say("Seconds ahead", "超前秒数")) }
                    input name="seconds" type="number" step="1" required value=(skew); }
                button .main name="do" value="skew" { (l.say("Set", "设置")) }
            }
            p { (l.say("Business time: ", "业务时间：")) b { (time(business)) } }
            form #advance .fields method="post" action=(l.address()) {
                label { span { (l.say("Advance by", "调快时长")) }
                    input name="period" autocomplete="off" required placeholder="1d, 12h, 30m"; }
                button .main name="do" value="advance" { (l.say("Advance", "调快")) }
            }
        }
    }
}

/// A form with one button. `about` tells a screen reader what the button applies to.
fn button(l: Language, action: &str, fields: &[(&str, &str)], label: &str, about: &str) -> Markup {
    html! {
        form method="post" action=(l.address()) {
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            button name="do" value=(action) {
                (label) @if !about.is_empty() { span .unseen { " " (line(about, 200)) } }
            }
        }
    }
}
