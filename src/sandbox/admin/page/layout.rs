//! The frame of the page: header, tabs, footer.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    PATH, connect, explorer, faults,
    form::{self, Problem},
    language::Language,
    list::SECTION,
    notifications, orders, platform as keys_and_clock, reasons, requests,
    text::line,
    trigger,
    view::{Tab, View},
};
use crate::sandbox::{
    server::platform::Platform,
    store::{page::Window, seen_request::Verdict},
};

pub(crate) const STYLE: &str = include_str!("style.css");
pub(crate) const SCRIPT: &str = include_str!("script.js");

/// Counts a list without its entries.
const NONE: Window = Window { before: None, size: 0, keep: None };

/// The whole page. `problem` is the error of the submitted form, `explorer` the content of the tab of endpoints.
pub(crate) fn page(
    platform: &Platform,
    view: &View,
    base_url: &str,
    problem: Option<&Problem>,
    explorer: Option<&explorer::Page>,
) -> Markup {
    let l = view.language;
    let identity = &platform.identity;
    let counts = Counts::of(platform);
    let content = html! {
        a .skip href="#content" { (l.say("Skip to the content", "跳到正文")) }
        @if matches!(view.tab, Tab::Orders | Tab::Requests | Tab::Notifications)
            || (view.tab == Tab::Endpoints && view.endpoint.path.is_empty()) {
            a .skip href="#list" { (l.say("Skip to the list", "跳到列表")) }
        }
        header {
            div .bar {
                h1 { (l.say("WeChat Pay sandbox", "微信支付沙箱")) }
                nav aria-label=(l.say("Language", "语言")) {
                    a href=(view.speaking("en").address()) lang="en" hreflang="en" aria-current=[current(l, "en")] { "English" }
                    a href=(view.speaking("zh-CN").address()) lang="zh-CN" hreflang="zh-CN" aria-current=[current(l, "zh-CN")] { "中文" }
                }
            }
            dl .facts {
                div { dt { (l.say("Base URL", "基础 URL")) } dd { code { (base_url) } } }
                div { dt { (l.say("Merchant number", "商户号")) } dd { code { (identity.mchid) } } }
                div { dt { (l.say("Certificate serial", "商户API证书序列号")) } dd { code { (identity.merchant.serial) } } }
            }
            noscript {
                p { a href=(view.address()) { (l.say("Reload to see the latest state", "刷新页面查看最新状态")) } }
            }
            p #lost .alert hidden { (l.say("The sandbox does not respond.", "沙箱没有响应。")) }
            (form::alert("", problem))
            p #summary .unseen role="status" { (counts.sentence(l)) }
            (tabs(view, &counts))
        }
        // What somebody fills in is not renewed.
        main #(SECTION) tabindex="-1" data-still[explorer.is_some()] {
            section aria-labelledby="title" {
                h2 #title .unseen { (view.tab.label(l)) }
                @match view.tab {
                    Tab::Orders => (orders::section(platform, view, base_url)),
                    Tab::Requests => (requests::section(platform, view, base_url)),
                    Tab::Notifications => { (trigger::section(view, problem)) (notifications::section(platform, view)) }
                    Tab::Endpoints => { @if let Some(explorer) = explorer { (explorer.content) } },
                    Tab::Faults => (faults::section(view, &platform.faults.lock(), problem)),
                    Tab::Platform => (keys_and_clock::section(platform, view, problem)),
                    Tab::Connect => (connect::section(platform, view, base_url, problem)),
                }
            }
        }
        footer {
            p {
                (l.say("Times are in Beijing time.", "时间均为北京时间。"))
                " " (l.say("As JSON: ", "JSON 格式："))
                @for name in ["requests", "notifications", "faults", "keys", "clock"] {
                    a href={ (PATH) (name) } { (name) } " "
                }
            }
        }
    };
    frame(view, explorer.map_or(view.tab.label(l), |explorer| &explorer.title), content)
}

fn current(language: Language, tag: &str) -> Option<&'static str> {
    (language.tag() == tag).then_some("true")
}

/// The lengths of the lists.
struct Counts {
    resources: usize,
    requests: usize,
    failed: usize,
    notifications: usize,
    faults: usize,
}

impl Counts {
    fn of(platform: &Platform) -> Counts {
        let resources = platform.engine.access(|session| session.documents.count());
        let failed = platform.requests.page(|seen| seen.verdict != Verdict::Accepted, NONE);
        let faults = platform.faults.lock();
        Counts {
            resources: resources.unwrap_or(0),
            requests: platform.requests.count(),
            failed: failed.place.total,
            notifications: platform.outbox.log.count(),
            faults: faults.rules().count() + faults.queued().count(),
        }
    }

    fn of_tab(&self, tab: Tab) -> Option<usize> {
        match tab {
            Tab::Orders => Some(self.resources),
            Tab::Requests => Some(self.requests),
            Tab::Notifications => Some(self.notifications),
            Tab::Faults => Some(self.faults).filter(|count| *count > 0),
            Tab::Endpoints | Tab::Platform | Tab::Connect => None,
        }
    }

    /// For screen readers, which announce a change of it.
    fn sentence(&self, l: Language) -> String {
        [
            (l.say("Orders", "单据"), self.resources),
            (l.say("Requests", "请求"), self.requests),
            (l.say("Failed", "失败"), self.failed),
            (l.say("Notifications", "回调通知"), self.notifications),
        ]
        .map(|(name, count)| format!("{name} {count}"))
        .join(l.say(", ", "，"))
    }
}

fn tabs(view: &View, counts: &Counts) -> Markup {
    let l = view.language;
    html! {
        nav #tabs .tabs aria-label=(l.say("Sections", "栏目")) {
            @for tab in Tab::all() {
                a href=(view.tab(tab).address()) aria-current=[(tab == view.tab).then_some("page")] {
                    (tab.label(l))
                    @if let Some(count) = counts.of_tab(tab) { " " span .count { (count) } }
                    @if tab == Tab::Requests && counts.failed > 0 {
                        " " span .count .bad { (counts.failed) (l.say(" failed", " 失败")) }
                    }
                }
            }
        }
    }
}

/// The response to a client that may not see the page.
pub(crate) fn forbidden(view: &View, why: &str) -> Markup {
    frame(
        view,
        view.tab.label(view.language),
        html! { main { h1 { "403" } p { (line(&reasons::say(view.language, why), 500)) } } },
    )
}

fn frame(view: &View, title: &str, content: Markup) -> Markup {
    let l = view.language;
    html! {
        (DOCTYPE)
        html lang=(l.tag()) data-address=(view.address()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · " (l.say("WeChat Pay sandbox", "微信支付沙箱")) }
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
