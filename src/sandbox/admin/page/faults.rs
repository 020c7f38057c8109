//! The tab of faults: presets in plain words, a form for any rule, and the active rules.

use maud::{Markup, html};

use super::{
    form::{self, Problem},
    language::Language,
    text::line,
    view::{Tab, View},
};
use crate::sandbox::faults::{
    active::ActiveFaults,
    hits::{HitTarget, Hits},
};

/// The most rules to list.
const MAX_LISTED: usize = 100;

/// The most used-up faults to list, and the most hits of each fault.
const MAX_SPENT: usize = 10;
const MAX_HITS: usize = 5;

/// A rule in the form of `--fault`, and what it does.
pub(crate) const PRESETS: [(&str, &str, &str); 10] = [
    ("rate-limited=1 nth=1", "Reject the next request with 429", "下一个请求返回 429"),
    (
        "system-error-after-executing nth=1",
        "Execute the next request, then respond with 500",
        "下一个请求照常执行，但返回 500",
    ),
    (
        "cut-connection nth=1",
        "Execute the next request, then cut the connection",
        "下一个请求照常执行，然后断开连接",
    ),
    (
        "html-bad-gateway nth=1",
        "Respond to the next request with an HTML page (502)",
        "下一个请求返回网关的 HTML 页面（502）",
    ),
    ("bad-signature nth=1", "Sign the next response wrongly", "下一个响应的签名错误"),
    ("delay=3000", "Delay every response by 3 seconds", "每个响应延迟 3 秒"),
    ("rate-limited share=0.1", "Reject one in ten requests with 429", "十分之一的请求返回 429"),
    ("duplicate on=notifications", "Send every notification twice", "每条回调通知发送两次"),
    (
        "cut-connection nth=1 on=notifications",
        "Lose the response to the next notification, so that it is repeated",
        "丢失下一条回调通知的响应，使其重发",
    ),
    (
        "bad-signature on=notifications",
        "Send a wrongly signed copy before every notification",
        "每条回调通知之前先发一条签名错误的",
    ),
];

/// The label of a group of faults in both languages, and its faults: the name, and what it does in both languages.
type Group = ((&'static str, &'static str), &'static [(&'static str, &'static str, &'static str)]);

const FAULTS: [Group; 4] = [
    (
        ("A client must refuse it", "客户端必须拒绝"),
        &[
            ("bad-signature", "Wrong signature", "签名错误"),
            ("unknown-serial", "Unknown serial", "序列号未知"),
            ("missing-header", "Missing header (value: its name)", "缺少响应头（参数值：名称）"),
            ("old-timestamp", "Old timestamp", "时间戳过期"),
            ("wrong-body", "Body changed after signing", "签名后响应体或请求体被改动"),
            ("signature-probe", "Signature probe of the platform", "平台的签名探测"),
        ],
    ),
    (
        ("Network and gateway", "网络和网关"),
        &[
            ("cut-connection", "Connection cut, without a response", "断开连接，没有响应"),
            ("cut-body", "Body cut in the middle", "响应体或请求体中断"),
            ("delay", "Delay (value: milliseconds)", "延迟（参数值：毫秒）"),
            ("html-bad-gateway", "HTML page with 502", "502 和 HTML 页面"),
        ],
    ),
    (
        ("Errors of the platform", "平台的错误"),
        &[
            (
                "rate-limited",
                "429 (value: seconds of Retry-After, or empty)",
                "429（参数值：Retry-After 秒数，可不填）",
            ),
            ("system-error-after-executing", "500 after the execution", "执行后返回 500"),
        ],
    ),
    (
        ("Changes of the platform", "平台的变化"),
        &[
            ("rotate-certificate", "New platform certificate", "更换平台证书"),
            ("rotate-public-key", "New WeChat Pay public key", "更换微信支付公钥"),
            ("clock-skew", "Wrong clock (value: seconds ahead)", "时钟偏差（参数值：超前秒数）"),
            ("duplicate", "Notification sent twice", "回调通知发送两次"),
        ],
    ),
];

/// The text fields of the form, and an example.
const FIELDS: [(&str, &str, &str, &str); 5] = [
    ("value", "Value", "参数值", ""),
    ("path", "Path", "路径", "v3/pay/{+rest}"),
    ("nth", "Only the n-th match", "仅第 n 次", "3"),
    ("share", "Probability (0–1)", "概率（0–1）", "0.1"),
    ("times", "Maximum hits", "最多命中次数", "5"),
];

pub(crate) fn section(view: &View, faults: &ActiveFaults, problem: Option<&Problem>) -> Markup {
    let l = view.language;
    html! {
        (active(view, faults))
        (spent(view, faults))
        h3 { (l.say("Presets", "常用故障")) }
        form .presets method="post" action=(view.address()) {
            input type="hidden" name="do" value="add-preset";
            @for (rule, english, chinese) in PRESETS {
                button name="rule" value=(rule) { (l.say(english, chinese)) }
            }
        }
        h3 #add-title { (l.say("Add a fault rule", "添加故障规则")) }
        (add(view, problem))
    }
}

fn active(view: &View, faults: &ActiveFaults) -> Markup {
    let l = view.language;
    let queue: Vec<String> = faults.queued().take(MAX_LISTED).map(ToString::to_string).collect();
    let rules: Vec<_> = faults.rules().take(MAX_LISTED).collect();
    html! {
        h3 #faults tabindex="-1" { (l.say("Active rules", "启用的故障规则")) }
        @if rules.is_empty() && queue.is_empty() {
            p .empty { (l.say("No faults active", "没有启用的故障")) }
        }
        @if !queue.is_empty() {
            p { (l.say("For the next requests: ", "用于接下来的请求：")) code { (line(&queue.join(", "), 500)) } }
        }
        @if !rules.is_empty() {
            ul .rules { @for status in &rules {
                @let rule = status.rule.to_string();
                li #{ "fault-" (status.number) } tabindex="-1" {
                    div {
                        @if let Some((_, english, chinese)) = PRESETS.iter().find(|(preset, ..)| *preset == rule) {
                            span { (l.say(english, chinese)) } " "
                        }
                        code .note { bdi { (line(&rule, 200)) } }
                        span .note {
                            (l.say("applied to ", "命中 ")) (status.hits.count)
                            (l.say(" of ", " 次，匹配 ")) (status.matched) (l.say(" matches", " 次"))
                        }
                        (hits(view, status.hits))
                    }
                    (form::button(view, "remove-fault", &[("number", &status.number.to_string())], l.say("Remove", "移除"), &rule))
                }
            } }
            (form::button(view, "clear-faults", &[], l.say("Remove all", "全部移除"), ""))
        }
        p .note { (l.say("Random seed: ", "随机种子：")) code { (faults.seed()) } }
    }
}

/// Rules and queued faults that apply no more.
fn spent(view: &View, faults: &ActiveFaults) -> Markup {
    let l = view.language;
    let spent: Vec<_> = faults.spent().take(MAX_SPENT).collect();
    html! {
        @if !spent.is_empty() {
            h3 { (l.say("Used up", "已用完")) }
            ul .rules { @for fault in spent { li { div {
                code .note { bdi { (line(&fault.rule, 200)) } }
                (hits(view, &fault.hits))
            } } } }
        }
    }
}

/// Links to what a fault hit, newest first.
fn hits(view: &View, hits: &Hits) -> Markup {
    html! {
        @if !hits.newest.is_empty() {
            span .note {
                (view.language.say("hit ", "命中"))
                @for hit in hits.newest.iter().rev().take(MAX_HITS) { " " @match &hit.target {
                    HitTarget::Request(number) => {
                        a href=(view.entry(Tab::Requests, *number).address()) {
                            (view.language.say("request ", "请求 ")) (number)
                        }
                    }
                    HitTarget::Notification(id) => {
                        a href=(view.search(Tab::Notifications, id).address()) {
                            (view.language.say("notification ", "回调通知 ")) (line(id, 8))
                        }
                    }
                } }
            }
        }
    }
}

fn add(view: &View, problem: Option<&Problem>) -> Markup {
    let l = view.language;
    let problem = problem.filter(|problem| problem.form == "add-fault");
    let value = |name: &str| problem.map_or("", |problem| problem.value(name));
    html! {
        form #add-fault method="post" action={ (view.address()) "#add-fault" } aria-labelledby="add-title" {
            (form::alert("add-fault", problem))
            div .fields {
                label .wide { span { (l.say("Fault", "故障")) }
                    select name="fault" { @for ((english, chinese), faults) in FAULTS {
                        optgroup label=(l.say(english, chinese)) { @for (name, english, chinese) in faults {
                            option value=(name) selected[*name == value("fault")] {
                                (l.say(english, chinese)) " · " (name)
                            }
                        } }
                    } } }
                @for (name, english, chinese, example) in FIELDS {
                    label { span { (l.say(english, chinese)) }
                        input name=(name) value=(value(name)) autocomplete="off" spellcheck="false"
                            placeholder=[Some(example).filter(|text| !text.is_empty())]; }
                }
                label { span { (l.say("Applies to", "作用对象")) }
                    select name="on" { @for (name, label) in [
                        ("requests", l.say("requests", "请求")),
                        ("notifications", l.say("notifications", "回调通知")),
                    ] { option value=(name) selected[name == value("on")] { (label) } } } }
                button .main name="do" value="add-fault" { (l.say("Add", "添加")) }
            }
        }
    }
}

/// The label of a field of the form.
pub(crate) fn label(l: Language, field: &str) -> &'static str {
    let known = FIELDS.iter().find(|(name, ..)| *name == field);
    known.map_or(l.say("Fault", "故障"), |(_, english, chinese, _)| l.say(english, chinese))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::faults::{fault::Fault, rule::FaultRule};

    #[test]
    fn every_fault_can_be_chosen_and_every_preset_is_a_rule() {
        let mut offered: Vec<&str> =
            FAULTS.iter().flat_map(|(_, faults)| faults.iter().map(|(name, ..)| *name)).collect();
        let mut all: Vec<&str> = Fault::names().map(|name| name.trim_end_matches('=')).collect();
        offered.sort_unstable();
        all.sort_unstable();
        assert_eq!(offered, all);
        for (text, ..) in PRESETS {
            let rule: FaultRule = text.parse().unwrap();
            // The list of rules finds the words of a preset by this text.
            assert_eq!(rule.to_string(), text);
            assert_eq!(rule.notifications, text.ends_with("on=notifications"));
        }
    }
}
