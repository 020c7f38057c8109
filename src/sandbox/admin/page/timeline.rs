//! The timeline of an order: its requests, the steps of the payer, the attempts of its notifications.

use std::time::SystemTime;

use maud::{Markup, html};

use super::{
    notifications, requests, states,
    text::{line, time, unix},
    view::{Tab, View},
};
use crate::sandbox::{
    model::resource_list::Resource, server::platform::Platform, store::page::Window,
    store::seen_request::SeenRequest, store::sent_notification::SentNotification,
};

/// The newest requests and notifications that a timeline considers.
const MAX_FOUND: usize = 50;

struct Entry {
    at: SystemTime,
    what: Markup,
}

/// `family` is the order with everything that belongs to it.
pub(crate) fn timeline(platform: &Platform, view: &View, family: &[Resource]) -> Markup {
    let l = view.language;
    let numbers = Numbers::of(family);
    let window = Window { size: MAX_FOUND, ..Window::default() };
    let mut entries = Vec::new();
    for seen in platform.requests.page(|seen| numbers.are_in_request(seen), window).items {
        entries.push(Entry { at: seen.at, what: request(view, &seen) });
    }
    for (number, sent) in platform.outbox.log.page(|sent| numbers.are_in(&sent.resource), window).items {
        for attempt in &sent.attempts {
            let what = html! {
                (notifications::result(l, attempt)) " "
                a href=(view.entry(Tab::Notifications, number).address()) { (line(&sent.event_type, 64)) }
            };
            entries.push(Entry { at: attempt.at, what });
        }
        if sent.attempts.is_empty() {
            entries.extend(unsent(view, number, &sent));
        }
    }
    let documents: Vec<i64> = family.iter().map(|one| one.seq).collect();
    for step in platform.engine.payer_log.of(&documents) {
        let of = family.iter().find(|one| one.seq == step.seq);
        let what = html! {
            span .badge .plain { (l.say("payer", "用户")) } " " (states::done(l, &step.action))
            @if let Some(one) = of { " " code { bdi { (line(&one.merchant_no, 64)) } } }
        };
        entries.push(Entry { at: step.at, what });
    }
    entries.sort_by_key(|entry| entry.at);
    html! {
        @if entries.is_empty() {
            p .note { (l.say(
                "Its requests and notifications are no longer in the lists.",
                "相关请求和回调通知已不在列表中。",
            )) }
        } @else {
            ol .timeline { @for entry in &entries {
                li { (time(unix(entry.at))) " " span { (entry.what) } }
            } }
        }
    }
}

fn request(view: &View, seen: &SeenRequest) -> Markup {
    html! {
        (requests::status(view.language, seen)) " "
        a href=(view.entry(Tab::Requests, seen.number).address()) {
            (seen.method) " " code { bdi { (line(&seen.target, 100)) } }
        }
    }
}

/// A notification that was not sent, or not yet. It has no time of its own: it is the newest.
fn unsent(view: &View, number: u64, sent: &SentNotification) -> Option<Entry> {
    let what = html! {
        (notifications::state(view.language, sent)) " "
        a href=(view.entry(Tab::Notifications, number).address()) { (line(&sent.event_type, 64)) }
    };
    Some(Entry { at: sent.at, what })
}

/// The numbers of a family, to find in texts.
struct Numbers {
    quoted: Vec<String>,
    bare: Vec<String>,
    /// The sub-merchant whose numbers these are, quoted; two of them may use the same ones.
    scope: Option<String>,
}

impl Numbers {
    fn of(family: &[Resource]) -> Numbers {
        let of_one = |one: &Resource| [Some(one.merchant_no.clone()), one.platform_id.clone()];
        let bare: Vec<String> =
            family.iter().flat_map(of_one).flatten().filter(|number| !number.is_empty()).collect();
        let scope = family.iter().map(|one| &one.scope).find(|scope| !scope.is_empty());
        let quote = |text: &String| format!("\"{text}\"");
        Numbers { quoted: bare.iter().map(quote).collect(), scope: scope.map(quote), bare }
    }

    /// Whether a JSON text has one of them as a string.
    fn are_in(&self, json: &str) -> bool {
        self.quoted.iter().any(|number| json.contains(number))
            && self.scope.as_ref().is_none_or(|scope| json.contains(scope))
    }

    fn are_in_request(&self, seen: &SeenRequest) -> bool {
        let is_number = |part: &str| self.bare.iter().any(|number| number == part);
        if seen.target.split(['/', '?', '&', '=']).any(is_number) {
            return self.scope.as_ref().is_none_or(|scope| seen.target.contains(scope.trim_matches('"')));
        }
        requests::texts(seen).iter().any(|text| self.are_in(text))
    }
}
