//! The tab for a first use: the variables that a client needs, and a test order.

use maud::{Markup, html};

use super::{
    form::{self, Problem},
    language::Language,
    list,
    view::{Tab, View},
};
use crate::sandbox::{
    keys::{
        folder::{IDENTITY, MERCHANT_KEY},
        keyring::SigningKey,
        variables::{self, shell},
    },
    server::platform::Platform,
};

/// Where the notification of a test order goes if nothing else is entered.
pub(crate) const DEFAULT_NOTIFY_URL: &str = "http://127.0.0.1:3000/notify";

pub(crate) fn section(platform: &Platform, view: &View, base_url: &str, problem: Option<&Problem>) -> Markup {
    html! {
        (exports(platform, view.language, base_url))
        (test_order(view, problem))
    }
}

/// An empty list shows how it is filled.
pub(crate) fn welcome(platform: &Platform, view: &View, base_url: &str) -> Markup {
    let l = view.language;
    html! {
        p #list .empty tabindex="-1" { @if view.tab == Tab::Requests {
            (l.say("No requests yet.", "还没有请求。"))
        } @else {
            (l.say("No orders yet.", "还没有订单。"))
        } }
        (section(platform, view, base_url, None))
    }
}

fn exports(platform: &Platform, l: Language, base_url: &str) -> Markup {
    html! {
        h3 { (l.say("Connect a client", "接入客户端")) }
        p { (l.say("Set the base URL of your client to ", "把客户端的基础 URL 设为 ")) code { (base_url) }
            (l.say(". In a shell, set these variables:", "。在命令行里设置这些环境变量：")) }
        @match exports_text(platform, base_url) {
            Some(text) => {
                pre #exports tabindex="0" { (text) }
                div .buttons { (list::copyable(l, "copy-exports", &text, l.say("Copy", "复制"))) }
                p .note { (l.say(
                    "Keys are named by their files; the page shows none of them.",
                    "密钥以文件路径给出，本页面不显示密钥内容。",
                )) }
            }
            None => p .note { (l.say(
                "This sandbox runs inside a test and has no key files. The test gets the variables from Sandbox::variables.",
                "这个沙箱在测试中运行，没有密钥文件。测试通过 Sandbox::variables 取得环境变量。",
            )) },
        }
    }
}

/// Lines for a POSIX shell. `None` without files that a shell can read.
fn exports_text(platform: &Platform, base_url: &str) -> Option<String> {
    let folder = platform.keys_folder.as_ref()?;
    let file = |name: &str| variables::path(folder, name).ok();
    // All files are in one folder: if one has a path, so have the others.
    let (private_key, identity) = (file(MERCHANT_KEY)?, file(IDENTITY)?);
    let public_file = |key: &SigningKey| file(&platform.keyring.public_file(key)).unwrap_or_default();
    let list = variables::list(
        &platform.identity,
        &platform.keyring,
        base_url,
        variables::url(&private_key),
        |key| variables::url(&public_file(key)),
    );
    let mut text: String =
        list.iter().map(|(name, value)| format!("export {name}={}\n", shell(value))).collect();
    if !is_local(base_url) {
        text += "export WECHATPAY_ALLOW_HTTP='1'\n";
    }
    // The APIv3 key has no file of its own: the shell takes it from the JSON.
    text += &format!(
        "export WECHATPAY_APIV3_KEY=\"$(sed -n 's/^  \"apiv3_key\": \"\\(.*\\)\",*$/\\1/p' {})\"\n",
        shell(&identity)
    );
    Some(text)
}

/// Whether a client sends requests to this base URL without `WECHATPAY_ALLOW_HTTP`.
fn is_local(base_url: &str) -> bool {
    match url::Url::parse(base_url).as_ref().map(url::Url::host) {
        Ok(Some(url::Host::Domain(name))) => name == "localhost",
        Ok(Some(url::Host::Ipv4(address))) => address.is_loopback(),
        Ok(Some(url::Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}

fn test_order(view: &View, problem: Option<&Problem>) -> Markup {
    let l = view.language;
    let problem = problem.filter(|problem| problem.form == "test-order");
    let value = |name: &str, default: &'static str| match problem {
        Some(problem) => problem.value(name).to_owned(),
        None => default.to_owned(),
    };
    html! {
        h3 #test-title { (l.say("Make a test order", "创建测试订单")) }
        p .note { (l.say(
            "A Native order, as if a client had placed it. Pay it on the tab “Orders”; the notification goes to the URL.",
            "创建一个 Native 订单，与客户端下单相同。在“单据”页付款后，回调通知发往该 URL。",
        )) }
        form #test-order method="post" action=(view.tab(Tab::Connect).address()) aria-labelledby="test-title" {
            (form::alert("test-order", problem))
            div .fields {
                label { span { (l.say("Amount in yuan", "金额（元）")) }
                    input name="yuan" inputmode="decimal" autocomplete="off" value=(value("yuan", "1.00")); }
                label .wide { span { (l.say("Notification URL", "回调通知 URL")) }
                    input name="notify_url" inputmode="url" autocomplete="off" spellcheck="false"
                        value=(value("notify_url", DEFAULT_NOTIFY_URL)); }
                button .main name="do" value="test-order" { (l.say("Make a test order", "创建测试订单")) }
            }
        }
    }
}
