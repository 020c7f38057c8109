//! The tab of notifications.

use maud::{Markup, html};
use serde_json::Value;

use super::{
    language::Language,
    list::{self, List, Row},
    reasons,
    text::{block, line, time, unix},
    view::{Tab, View},
};
use crate::sandbox::{
    server::platform::Platform,
    store::{
        search::Search,
        sent_notification::{Attempt, Delivery, SentNotification},
    },
};

/// The bytes of a resource to show; more are not kept.
const MAX_RESOURCE: usize = 32 << 10;

/// A state of the delivery: its name in a URL, its label, its colour.
const STATES: [(&str, (&str, &str), &str); 4] = [
    ("pending", ("pending", "待送达"), "wait"),
    ("accepted", ("accepted", "已接收"), "good"),
    ("given-up", ("given up", "已放弃"), "bad"),
    ("refused", ("not sent", "未发送"), "bad"),
];

fn row_of(sent: &SentNotification) -> usize {
    match &sent.delivery {
        Delivery::Pending => 0,
        Delivery::Accepted => 1,
        Delivery::GivenUp => 2,
        Delivery::Refused(_) => 3,
    }
}

pub(crate) fn section(platform: &Platform, view: &View) -> Markup {
    let l = view.language;
    let search = Search::new(&view.query);
    let matches = |sent: &SentNotification| {
        (view.status.is_empty() || view.status == STATES[row_of(sent)].0)
            && (search.is_empty()
                || [&*sent.id, &sent.event_type, &sent.url].iter().any(|text| search.is_in(text))
                || search.is_in_body(&sent.resource))
    };
    let page = platform.outbox.log.page(matches, view.window());
    if page.place.total == 0 && !view.is_filtered() {
        return html! {
            p #list .empty tabindex="-1" { (l.say(
                "No notifications yet. The sandbox sends one when an order is paid, for example.",
                "还没有回调通知。例如订单支付后，沙箱会发送一条。",
            )) }
        };
    }
    let columns = [
        l.say("Event", "事件"),
        l.say("Delivery", "送达"),
        l.say("Attempts", "发送次数"),
        l.say("Time", "时间"),
    ];
    let options = STATES
        .iter()
        .map(|(name, (en, zh), _)| (name.to_string(), l.say(en, zh).to_string()))
        .collect::<Vec<_>>();
    html! {
        (list::filter(view, l.say("Number, event, URL or id", "单号、事件、URL 或 id"), l.say("Delivery", "送达"), &options))
        (list::table(view, List {
            caption: l.say("Notifications, newest first", "回调通知，最新的在前"),
            columns: &columns,
            rows: page.items.iter().map(|(number, sent)| row(view, *number, sent)).collect(),
            place: page.place,
        }))
    }
}

/// The state of the delivery.
pub(crate) fn state(l: Language, sent: &SentNotification) -> Markup {
    let (_, (english, chinese), tone) = STATES[row_of(sent)];
    html! { span .badge .(tone) { (l.say(english, chinese)) } }
}

/// The result of one attempt.
pub(crate) fn result(l: Language, attempt: &Attempt) -> Markup {
    let tone = if matches!(attempt.result, Ok(200 | 204)) { "good" } else { "bad" };
    html! {
        @match &attempt.result {
            Ok(status) => span .badge .(tone) { (status) },
            Err(_) => span .badge .bad { (l.say("no response", "无响应")) },
        }
    }
}

fn row(view: &View, number: u64, sent: &SentNotification) -> Row {
    let l = view.language;
    let id = format!("notification-{number}");
    let cells = vec![
        html! {
            (list::opener(view, number, &id, html! { b { (line(&sent.event_type, 64)) } }))
            code .note { bdi { (line(&sent.url, 200)) } }
        },
        state(l, sent),
        html! { span .number { (sent.attempts.len()) } },
        time(unix(sent.at)),
    ];
    let detail = (view.open == Some(number)).then(|| detail(view, sent));
    Row { id, cells, detail }
}

fn detail(view: &View, sent: &SentNotification) -> Markup {
    let l = view.language;
    html! {
        @if let Delivery::Refused(why) = &sent.delivery { p .finding { bdi { (line(&reasons::say(l, why), 500)) } } }
        div .columns {
            div {
                h3 { (l.say("Attempts", "发送记录")) }
                @if sent.attempts.is_empty() { p .note { (l.say("None", "无")) } } @else {
                    ol .timeline { @for attempt in &sent.attempts { (attempt_row(l, attempt)) } }
                }
                p .note { (l.say("Notification id: ", "通知 id：")) code { bdi { (line(&sent.id, 64)) } } }
                div .buttons {
                    @if !sent.resource.is_empty() {
                        form method="post" action=(view.address()) {
                            input type="hidden" name="id" value=(sent.id);
                            button .main name="do" value="send-again" { (l.say("Send again", "重新发送")) }
                        }
                    }
                    @if let Some(number) = number(sent) {
                        (list::copyable(l, "copy-number", &number, l.say("Copy number", "复制单号")))
                        span .note { (l.say("Search in ", "查找：")) (list::search_link(view, Tab::Orders, &number)) }
                    }
                }
            }
            div {
                h3 { (l.say("Resource, decrypted", "解密后的 resource")) }
                (resource(l, sent))
            }
        }
    }
}

fn attempt_row(l: Language, attempt: &Attempt) -> Markup {
    html! {
        li {
            (time(unix(attempt.at))) " "
            span {
                (result(l, attempt))
                @if let Err(why) = &attempt.result {
                    " " bdi { (line(&reasons::say(l, why), 300)) }
                    @if let Some(cause) = reasons::cause(why) { code .note { bdi { (line(cause, 300)) } } }
                }
                @if !attempt.response.is_empty() { " " code { bdi { (line(&attempt.response, 300)) } } }
                @for fault in &attempt.faults {
                    " " span .badge .bad { (l.say("fault: ", "故障：")) (line(&fault.to_string(), 100)) }
                }
            }
        }
    }
}

fn resource(l: Language, sent: &SentNotification) -> Markup {
    let Ok(json) = serde_json::from_str::<Value>(&sent.resource) else {
        return html! { p .note { (l.say(
            "Larger than 8 KiB: it is not kept and cannot be sent again.",
            "超过 8 KiB，未保留，也不能重新发送。",
        )) } };
    };
    let (shown, omitted) = block(format!("{json:#}").as_bytes(), MAX_RESOURCE);
    html! { pre tabindex="0" { (shown.replace("↵\n", "\n")) @if omitted > 0 { "…" } } }
}

/// The number of the refund, transfer or order.
fn number(sent: &SentNotification) -> Option<String> {
    let json: Value = serde_json::from_str(&sent.resource).ok()?;
    let fields = ["out_refund_no", "out_bill_no", "out_trade_no", "combine_out_trade_no", "out_order_no"];
    Some(fields.iter().find_map(|field| json.get(field)?.as_str())?.chars().take(64).collect())
}
