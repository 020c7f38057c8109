//! The tab of resources: orders, refunds and others, with the actions of the payer.

use maud::{Markup, html};
use serde_json::Value;

use super::{
    connect,
    language::Language,
    list::{self, List, Row},
    qr, states,
    text::{block, line, money, time},
    timeline,
    view::{Tab, View},
};
use crate::sandbox::{
    http::error_response::ErrorResponse,
    model::resource_list::{self, Resource},
    server::platform::Platform,
};

/// The bytes of a resource's JSON to show.
const MAX_JSON: usize = 16 << 10;

pub(crate) fn section(platform: &Platform, view: &View, base_url: &str) -> Markup {
    let l = view.language;
    match platform.perform(|engine| resource_list::page(engine, &view.query, &view.status, view.window())) {
        Ok(page) if page.place.total == 0 && !view.is_filtered() => {
            connect::welcome(platform, view, base_url)
        }
        Ok(page) => {
            let columns = [
                l.say("Number", "单号"),
                l.say("Type", "类型"),
                l.say("State", "状态"),
                l.say("Amount", "金额"),
                l.say("Changed", "更新时间"),
                l.say("Simulate the payer", "模拟用户操作"),
            ];
            let rows = page.items.iter().map(|resource| row(platform, view, resource)).collect();
            html! {
                (list::filter(
                    view,
                    l.say("Number or other text", "单号或其他内容"),
                    l.say("State", "状态"),
                    &states::options(l),
                ))
                (list::table(view, List {
                    caption: l.say("Orders and other resources, newest first", "订单和其他单据，最新的在前"),
                    columns: &columns,
                    rows,
                    place: page.place,
                }))
            }
        }
        Err(error) => html! { p #list .alert tabindex="-1" { (line(&error.message, 500)) } },
    }
}

fn row(platform: &Platform, view: &View, resource: &Resource) -> Row {
    let l = view.language;
    let (id, number) = (format!("resource-{}", resource.seq), resource.seq.unsigned_abs());
    let description = resource.body.get("description").and_then(Value::as_str);
    let currency = currency(resource);
    let cells = vec![
        list::opener(view, number, &id, html! { code { bdi { (line(&resource.merchant_no, 64)) } } }),
        html! {
            span { (states::type_name(l, resource)) }
            @if let Some(text) = description { bdi .note { (line(text, 60)) } }
        },
        html! {
            (states::badge(l, resource))
            @if resource.refunded > 0 {
                span .note { (l.say("refunded ", "已退 ")) (money(resource.refunded, currency)) }
            }
        },
        html! { span .number { @match resource.amount { Some(cents) => (money(cents, currency)), None => "–" } } },
        time(resource.changed_at),
        payer_actions(view, resource),
    ];
    let detail = (view.open == Some(number)).then(|| detail(platform, view, resource));
    Row { id, cells, detail }
}

fn currency(resource: &Resource) -> &str {
    resource.body.pointer("/amount/currency").and_then(Value::as_str).unwrap_or("")
}

/// A button for each step that the payer can take; the usual one stands out.
fn payer_actions(view: &View, resource: &Resource) -> Markup {
    let l = view.language;
    let actions = resource.payer_actions();
    html! {
        @if actions.is_empty() { span .idle { "–" } }
        @for (index, action) in actions.iter().enumerate() {
            @let id = match index { 0 => format!("play-{}", resource.seq), _ => format!("{}-{}", action.name, resource.seq) };
            form method="post" action=(view.address()) {
                input type="hidden" name="part" value=(action.name);
                input type="hidden" name="scope" value=(resource.scope);
                input type="hidden" name="number" value=(resource.merchant_no);
                button .main[index == 0] name="do" value="play" id=(id) {
                    (l.say(action.label[0], action.label[1])) span .unseen { " " (line(&resource.merchant_no, 64)) }
                }
            }
        }
    }
}

fn detail(platform: &Platform, view: &View, resource: &Resource) -> Markup {
    let family = platform.perform(|engine| resource_list::family(engine, resource.seq.unsigned_abs()));
    html! {
        div .columns {
            div {
                dl .pairs {
                    (pair(l_number(view.language), &resource.merchant_no))
                    @if let Some(id) = &resource.platform_id {
                        (pair(view.language.say("Platform’s number", "微信支付单号"), id))
                    }
                    @if !resource.scope.is_empty() {
                        (pair(view.language.say("Sub-merchant", "子商户号"), &resource.scope))
                    }
                    (pair(view.language.say("State", "状态"), &resource.state))
                }
                div .buttons {
                    (list::copyable(
                        view.language,
                        "copy-number",
                        &resource.merchant_no,
                        view.language.say("Copy number", "复制单号"),
                    ))
                    span .note {
                        (view.language.say("Search in ", "查找："))
                        (list::search_link(view, Tab::Requests, &resource.merchant_no)) " · "
                        (list::search_link(view, Tab::Notifications, &resource.merchant_no))
                    }
                }
                (code(view.language, resource))
            }
            (family_parts(platform, view, resource, &family))
        }
        (json(view.language, resource))
    }
}

fn l_number(l: Language) -> &'static str {
    l.say("Number", "商户单号")
}

fn pair(name: &str, value: &str) -> Markup {
    html! { div { dt { (name) } dd { code { bdi { (line(value, 64)) } } } } }
}

/// The QR code of an unpaid Native order.
fn code(l: Language, resource: &Resource) -> Markup {
    let unpaid = resource.payer_actions().iter().any(|action| action.name.starts_with("pay"));
    let url = resource.body.get("code_url").and_then(Value::as_str).filter(|_| unpaid);
    html! {
        @if let Some(url) = url {
            (qr::code(url, l.say("QR code of the order", "订单二维码")))
            code .note { bdi { (line(url, 512)) } }
        }
    }
}

fn family_parts(
    platform: &Platform,
    view: &View,
    resource: &Resource,
    family: &Result<Vec<Resource>, ErrorResponse>,
) -> Markup {
    let l = view.language;
    html! {
        div {
            @match family {
                Ok(family) => {
                    h3 { (l.say("Timeline", "时间线")) }
                    (timeline::timeline(platform, view, family))
                    @if family.len() > 1 {
                        h3 { (l.say("Belongs together", "相关单据")) }
                        ul .related { @for one in family { li {
                            @let text = html! { code { bdi { (line(&one.merchant_no, 64)) } } };
                            @if one.seq == resource.seq { b { (text) } } @else {
                                a href=(view.entry(Tab::Orders, one.seq.unsigned_abs()).address()) { (text) }
                            }
                            " " (states::type_name(l, one)) " "
                            @if let Some(cents) = one.amount { (money(cents, currency(one))) " " }
                            (states::badge(l, one))
                        } } }
                    }
                }
                Err(error) => p .alert { (line(&error.message, 500)) },
            }
        }
    }
}

fn json(l: Language, resource: &Resource) -> Markup {
    let (shown, omitted) = block(format!("{:#}", resource.public_body()).as_bytes(), MAX_JSON);
    html! {
        details #{ "json-" (resource.seq) } {
            summary { "JSON" }
            pre tabindex="0" { (shown.replace("↵\n", "\n")) @if omitted > 0 { "… +" (omitted) } }
            @if omitted > 0 { p .note { (l.say("Truncated", "内容过长，已截断")) } }
        }
    }
}
