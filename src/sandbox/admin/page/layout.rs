//! The frame of the page, its header and its footer.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{MAX_LISTED, PATH, controls, language::Language, notifications, requests, resources, text::line};
use crate::sandbox::{model::resource_list, server::platform::Platform};

pub(crate) const STYLE: &str = include_str!("style.css");
pub(crate) const SCRIPT: &str = include_str!("script.js");

/// The whole page. `problem` is the error of the submitted form.
pub(crate) fn page(platform: &Platform, language: Language, problem: Option<&str>) -> Markup {
    let l = language;
    let identity = &platform.identity;
    let resources = resource_list::newest(&platform.engine, MAX_LISTED);
    let (requests, counts) = (platform.requests.newest(MAX_LISTED), platform.requests.counts());
    let notifications = platform.outbox.log.newest(MAX_LISTED);
    let content = html! {
        header {
            div .bar {
                h1 { (l.say("WeChat Pay sandbox", "微信支付沙箱")) }
                nav aria-label=(l.say("Language", "语言")) {
                    a href={ (PATH) "?lang=en" } lang="en" hreflang="en" aria-current=[current(l, "en")] { "English" }
                    a href={ (PATH) "?lang=zh-CN" } lang="zh-CN" hreflang="zh-CN" aria-current=[current(l, "zh-CN")] { "中文" }
                }
            }
            dl .facts {
                div { dt { (l.say("Merchant number", "商户号")) } dd { code { (identity.mchid) } } }
                div { dt { (l.say("Certificate serial", "商户API证书序列号")) } dd { code { (identity.merchant.serial) } } }
            }
            noscript {
                p { a href=(l.address()) { (l.say("Reload to see the latest state", "刷新页面查看最新状态")) } }
            }
            p #lost .alert hidden { (l.say("The sandbox does not respond.", "沙箱没有响应。")) }
            div #alert role="alert" { @if let Some(problem) = problem {
                p .alert { strong { (l.say("Failed. ", "操作失败。")) } (line(problem, 500)) }
            } }
        }
        main {
            p #summary .summary role="status" {
                (summary(l, resources.as_ref().map_or(0, Vec::len), counts, platform.outbox.log.count()))
            }
            @match &resources {
                Ok(list) => (resources::section(l, list)),
                Err(error) => p .alert { (error.message) },
            }
            (requests::section(l, &requests))
            (notifications::section(l, &notifications))
            div .controls {
                (controls::faults(l, &platform.faults.lock()))
                div .controls {
                    (controls::keys(l, &platform.keyring))
                    (controls::clock(l, platform.clock.skew(), platform.business_clock.now()))
                }
            }
        }
        footer {
            p {
                (l.say("Times are in Beijing time. Each list shows the newest ", "时间均为北京时间。每个列表显示最近 "))
                (MAX_LISTED) (l.say(".", " 条。"))
                " " (l.say("As JSON: ", "JSON 格式："))
                @for name in ["requests", "notifications", "faults", "keys", "clock"] {
                    a href={ (PATH) (name) } { (name) } " "
                }
            }
        }
    };
    frame(language, content)
}

fn current(language: Language, tag: &str) -> Option<&'static str> {
    (language.tag() == tag).then_some("true")
}

fn summary(
    l: Language,
    resources: usize,
    (requests, refused): (usize, usize),
    notifications: usize,
) -> Markup {
    html! {
        span { (l.say("Resources", "单据")) " " b { (resources) @if resources == MAX_LISTED { "+" } } }
        span { (l.say("Requests", "请求")) " " b { (requests) } }
        span .bad[refused > 0] { (l.say("Rejected", "被拒绝")) " " b { (refused) } }
        span { (l.say("Notifications", "回调通知")) " " b { (notifications) } }
    }
}

/// The response to a client that may not see the page.
pub(crate) fn forbidden(language: Language, why: &str) -> Markup {
    frame(language, html! { main { h1 { "403" } p { (line(why, 500)) } } })
}

fn frame(language: Language, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(language.tag()) data-address=(language.address()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (language.say("WeChat Pay sandbox", "微信支付沙箱")) }
                // Otherwise browsers request an icon from the platform.
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                (content)
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}
