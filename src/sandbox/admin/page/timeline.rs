//! The timeline of an order: its requests, the steps of the payer, the attempts of its notifications.

use std::{collections::HashSet, time::SystemTime};

use maud::{Markup, html};
use serde_json::Value;

use super::{
    notifications, requests, states,
    text::{line, time, unix},
    view::{Tab, View},
};
use crate::catalogue::Catalogue;
use crate::sandbox::{
    http::path_template,
    model::resource_list::Resource,
    server::platform::Platform,
    store::{page::Window, seen_request::SeenRequest, sent_notification::SentNotification},
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

/// The numbers of a family, with the fields that hold them. A number alone could be anything: `1`.
struct Numbers {
    fields: HashSet<(&'static str, String)>,
    /// Without the fields.
    all: HashSet<String>,
    /// The sub-merchant whose numbers these are; two of them may use the same ones.
    scope: Option<String>,
}

impl Numbers {
    fn of(family: &[Resource]) -> Numbers {
        let of_one = |one: &Resource| {
            let [merchant_no, platform_id] = one.number_fields;
            [
                (merchant_no, one.merchant_no.clone()),
                (platform_id, one.platform_id.clone().unwrap_or_default()),
            ]
        };
        let fields: HashSet<(&str, String)> =
            family.iter().flat_map(of_one).filter(|(_, number)| !number.is_empty()).collect();
        let all = fields.iter().map(|(_, number)| number.clone()).collect();
        let scope = family.iter().map(|one| &one.scope).find(|scope| !scope.is_empty()).cloned();
        Numbers { fields, all, scope }
    }

    /// Whether a field of this JSON has one of them.
    fn are_in(&self, json: &str) -> bool {
        // Once through the text, however many numbers there are: a combined order has a hundred.
        let may_be = json.split('"').any(|piece| self.all.contains(piece));
        if !may_be || self.scope.as_ref().is_some_and(|scope| !json.contains(scope)) {
            return false;
        }
        serde_json::from_str(json).is_ok_and(|json| self.are_in_value(&json))
    }

    fn are_in_value(&self, json: &Value) -> bool {
        match json {
            Value::Array(list) => list.iter().any(|value| self.are_in_value(value)),
            Value::Object(map) => map.iter().any(|(name, value)| match value {
                Value::String(text) => self.has(name, text),
                value => self.are_in_value(value),
            }),
            _ => false,
        }
    }

    fn has(&self, field: &str, text: &str) -> bool {
        self.fields.iter().any(|(name, number)| *name == field && number == text)
    }

    fn are_in_request(&self, seen: &SeenRequest) -> bool {
        if self.are_in_target(seen) {
            return self.scope.as_ref().is_none_or(|scope| seen.target.contains(scope));
        }
        requests::texts(seen).iter().any(|text| self.are_in(text))
    }

    /// As a variable of the documented path, or in the query.
    fn are_in_target(&self, seen: &SeenRequest) -> bool {
        if !self.all.iter().any(|number| seen.target.contains(number)) {
            return false;
        }
        let (_, query) = seen.target.split_once('?').unwrap_or_default();
        if url::form_urlencoded::parse(query.as_bytes()).any(|(name, value)| self.has(&name, &value)) {
            return true;
        }
        let path = path_template::decode_segments(&seen.target).unwrap_or_default();
        let path = path_template::strip_base_path(&path);
        let operation = Catalogue::find(&seen.method, &path.join("/"));
        let template = operation.map(|operation| operation.template().split('/')).into_iter().flatten();
        template.zip(path).any(|(name, value)| {
            let variable = name.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
            variable.is_some_and(|variable| self.has(variable, value))
        })
    }
}
