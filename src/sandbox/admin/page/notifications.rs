//! The section of notifications.

use maud::{Markup, html};

use super::{
    language::Language,
    text::{line, time, unix},
};
use crate::sandbox::store::notification_log::{Attempt, Delivery, SentNotification};

pub(crate) fn section(l: Language, sent: &[SentNotification]) -> Markup {
    html! {
        section #notifications aria-labelledby="notifications-title" {
            h2 #notifications-title { (l.say("Notifications", "回调通知")) }
            @if sent.is_empty() {
                p .empty { (l.say("None yet", "还没有回调通知")) }
            } @else {
                ul .log { @for one in sent { (item(l, one)) } }
            }
        }
    }
}

fn item(l: Language, sent: &SentNotification) -> Markup {
    let (word, tone) = match &sent.delivery {
        Delivery::Pending => (l.say("pending", "待送达"), "wait"),
        Delivery::Accepted => (l.say("accepted", "已接收"), "good"),
        Delivery::GivenUp => (l.say("given up", "已放弃"), "bad"),
        Delivery::Refused(_) => (l.say("not sent", "未发送"), "bad"),
    };
    html! {
        li #{ "notification-" (sent.id) } tabindex="-1" {
            details #{ "sent-" (sent.id) } {
                summary {
                    span .badge .(tone) { (word) } " "
                    b { (line(&sent.event_type, 64)) } " "
                    code .target { bdi { (line(&sent.url, 200)) } } " "
                    span .note { (l.say("attempts: ", "发送次数：")) (sent.attempts.len()) }
                }
                div .inside {
                    @if let Delivery::Refused(why) = &sent.delivery { p { (line(why, 500)) } }
                    p .note { "id " code { (line(&sent.id, 64)) } }
                    @if !sent.attempts.is_empty() {
                        table .small {
                            caption .unseen { (l.say("Attempts", "发送记录")) }
                            thead { tr {
                                th scope="col" { (l.say("Time", "时间")) }
                                th scope="col" { (l.say("Result", "结果")) }
                                th scope="col" { (l.say("Faults", "故障")) }
                            } }
                            tbody { @for attempt in &sent.attempts { (row(attempt)) } }
                        }
                    }
                }
            }
        }
    }
}

fn row(attempt: &Attempt) -> Markup {
    let faults: Vec<String> = attempt.faults.iter().map(ToString::to_string).collect();
    html! {
        tr {
            td { (time(unix(attempt.at))) }
            td { @match &attempt.result { Ok(status) => (status), Err(why) => (line(why, 300)) } }
            td { @if faults.is_empty() { "–" } @else { (line(&faults.join(", "), 300)) } }
        }
    }
}
