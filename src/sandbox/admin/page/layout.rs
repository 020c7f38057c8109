use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    super::platform::Platform, SHOWN, controls, language::Language, notifications, requests, resources,
};

pub(super) const STYLE: &str = include_str!("style.css");
pub(super) const SCRIPT: &str = include_str!("script.js");

/// All of it. `problem`: why the form that was sent could not be done.
pub(super) fn page(platform: &Platform, language: Language, problem: Option<&str>) -> Markup {
    let l = language;
    let identity = &platform.identity;
    let resources = platform.resources(SHOWN);
    let (requests, counts) = {
        let seen = platform.seen();
        (seen.newest(SHOWN), seen.counts())
    };
    let sent = platform.deliveries.sent.newest(SHOWN);
    let content = html! {
        header {
            div .bar {
                h1 { (l.say("WeChat Pay sandbox", "微信支付离线平台")) }
                nav aria-label=(l.say("Language", "语言")) {
                    a href={ (super::PATH) "?lang=en" } lang="en" hreflang="en" aria-current=[current(l, "en")] { "English" }
                    a href={ (super::PATH) "?lang=zh-CN" } lang="zh-CN" hreflang="zh-CN" aria-current=[current(l, "zh-CN")] { "中文" }
                }
            }
            dl .facts {
                div { dt { (l.say("Merchant", "商户号")) } dd { code { (identity.mchid) } } }
                div { dt { (l.say("Certificate serial", "证书序列号")) } dd { code { (identity.merchant.serial) } } }
            }
            noscript {
                p { a href=(l.address()) { (l.say("Reload to see what is new", "刷新页面查看最新状态")) } }
            }
            p #lost .alert hidden { (l.say("The sandbox does not answer.", "离线平台没有响应。")) }
            div #alert role="alert" { @if let Some(problem) = problem {
                p .alert { strong { (l.say("Not done. ", "没有完成。")) } (super::text::line(problem, 500)) }
            } }
        }
        main {
            p #summary .summary role="status" {
                (summary(l, resources.as_ref().map_or(0, Vec::len), counts, platform.deliveries.sent.count()))
            }
            @match &resources {
                Ok(list) => (resources::section(l, list)),
                Err(refusal) => p .alert { (refusal.message) },
            }
            (requests::section(l, &requests))
            (notifications::section(l, &sent))
            div .controls {
                (controls::faults(l, &platform.faults()))
                div .controls {
                    (controls::keys(l, &platform.keyring()))
                    (controls::clock(l, platform.clock.skew()))
                }
            }
        }
        footer {
            p {
                (l.say("Times are Beijing's. Each list shows the newest ", "时间均为北京时间。每个列表显示最近 "))
                (SHOWN) (l.say(".", " 条。"))
                " " (l.say("As JSON: ", "JSON 格式："))
                @for name in ["requests", "notifications", "faults", "keys", "clock"] {
                    a href={ (super::PATH) (name) } { (name) } " "
                }
            }
        }
    };
    frame(language, content)
}

fn current(language: Language, tag: &str) -> Option<&'static str> {
    (language.tag() == tag).then_some("true")
}

fn summary(l: Language, resources: usize, (requests, refused): (usize, usize), sent: usize) -> Markup {
    html! {
        span { (l.say("Resources", "单据")) " " b { (resources) @if resources == SHOWN { "+" } } }
        span { (l.say("Requests", "请求")) " " b { (requests) } }
        span .bad[refused > 0] { (l.say("Refused", "被拒绝")) " " b { (refused) } }
        span { (l.say("Notifications", "通知")) " " b { (sent) } }
    }
}

/// For whom the page is not.
pub(super) fn message(language: Language, why: &str) -> Markup {
    frame(language, html! { main { h1 { "403" } p { (super::text::line(why, 500)) } } })
}

fn frame(language: Language, content: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(language.tag()) data-address=(language.address()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (language.say("WeChat Pay sandbox", "微信支付离线平台")) }
                // Without it, browsers ask the platform for an icon.
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
