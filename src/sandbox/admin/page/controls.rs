//! What can be made to go wrong: faults, keys, the clock.

use maud::{Markup, html};

use super::{
    super::{
        faults::all_names,
        keyring::{Keyring, Unasked},
        rules::Faults,
    },
    language::Language,
    text::line,
};

pub(super) fn faults(l: Language, faults: &Faults) -> Markup {
    let queue: Vec<String> = faults.queued().take(super::SHOWN).map(ToString::to_string).collect();
    let rules: Vec<_> = faults.active().collect();
    html! {
        section #faults aria-labelledby="faults-title" {
            h2 #faults-title { (l.say("Faults", "故障")) }
            @if rules.is_empty() && queue.is_empty() {
                p .empty { (l.say("All goes well.", "一切正常。")) }
            }
            @if !queue.is_empty() {
                p { (l.say("For the next requests: ", "接下来的请求：")) code { (line(&queue.join(", "), 500)) } }
            }
            @if !rules.is_empty() {
                ul .rules { @for (number, rule, fitted, hits) in rules.iter().take(super::SHOWN) {
                    li #{ "fault-" (number) } tabindex="-1" {
                        div {
                            code { bdi { (line(&rule.to_string(), 200)) } }
                            span .note { (l.say("hits ", "命中 ")) (hits) " / " (fitted) }
                        }
                        (button(l, "remove-fault", &[("number", &number.to_string())], l.say("Off", "关闭"), &rule.to_string()))
                    }
                } }
                (button(l, "clear-faults", &[], l.say("All off", "全部关闭"), ""))
            }
            (form(l))
            p .note { (l.say("Seed of the shares: ", "随机种子：")) code { (faults.seed()) } }
        }
    }
}

fn form(l: Language) -> Markup {
    html! {
        form #add-fault .fields method="post" action=(l.address()) aria-label=(l.say("Add a fault", "添加故障")) {
            label { span { (l.say("Fault", "故障")) }
                select name="fault" { @for name in all_names() { option { (name) } } } }
            label { span { (l.say("Its value", "取值")) }
                input name="value" autocomplete="off" placeholder=(l.say("if it takes one", "需要时填写")); }
            label { span { (l.say("Path", "路径")) }
                input name="path" autocomplete="off" spellcheck="false" placeholder="v3/pay/{+rest}"; }
            label { span { (l.say("Only the n-th", "只第 n 次")) } input name="nth" inputmode="numeric" autocomplete="off"; }
            label { span { (l.say("Share, up to 1", "比例（至多 1）")) } input name="share" inputmode="decimal" autocomplete="off"; }
            label { span { (l.say("At most, times", "最多次数")) } input name="times" inputmode="numeric" autocomplete="off"; }
            label { span { (l.say("Hits", "对象")) }
                select name="on" {
                    option value="requests" { (l.say("requests", "请求")) }
                    option value="notifications" { (l.say("notifications", "通知")) }
                } }
            button .main name="do" value="add-fault" { (l.say("Switch on", "开启")) }
        }
    }
}

pub(super) fn keys(l: Language, keyring: &Keyring) -> Markup {
    let signs = |what| keyring.signing(what).map(|key| key.serial().to_string());
    let (answers, notifications) = (signs(Unasked::Answer), signs(Unasked::Notification));
    html! {
        section #keys aria-labelledby="keys-title" {
            h2 #keys-title { (l.say("Platform keys", "平台密钥")) }
            ul .rules { @for (serial, certificate) in keyring.serials() {
                li #{ "key-" (serial) } tabindex="-1" {
                    div {
                        code { (serial) }
                        span .note {
                            (if certificate { l.say("certificate", "证书") } else { l.say("public key", "公钥") })
                            @if answers.as_deref() == Some(serial) { " · " (l.say("signs answers", "签应答")) }
                            @if notifications.as_deref() == Some(serial) { " · " (l.say("signs notifications", "签通知")) }
                        }
                    }
                    div .buttons {
                        (button(l, "sign-with", &[("serial", serial)], l.say("Sign with it", "用它签名"), serial))
                        (button(l, "retire", &[("serial", serial)], l.say("Retire", "停用"), serial))
                    }
                }
            } }
            div .buttons {
                (button(l, "rotate-certificate", &[], l.say("Change to a new certificate", "换新证书"), ""))
                (button(l, "rotate-public-key", &[], l.say("Change to a new public key", "换新公钥"), ""))
            }
        }
    }
}

pub(super) fn clock(l: Language, skew: i64) -> Markup {
    html! {
        section #clock aria-labelledby="clock-title" {
            h2 #clock-title { (l.say("Clock", "时钟")) }
            p { @if skew == 0 { (l.say("As this machine’s.", "与本机一致。")) } @else {
                (l.say("Ahead of this machine’s by seconds: ", "比本机快的秒数：")) b { (skew) }
            } }
            form #set-skew .fields method="post" action=(l.address()) {
                label { span { (l.say("Seconds ahead", "快多少秒")) }
                    input name="seconds" type="number" step="1" required value=(skew); }
                button .main name="do" value="skew" { (l.say("Set", "设置")) }
            }
        }
    }
}

/// A button that does one thing. `about` tells a screen reader which of several it is.
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
