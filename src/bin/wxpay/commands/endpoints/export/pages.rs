//! The page of an operation, and of a notification.

use maud::{Markup, html};
use wechatpay_chain::catalogue::{
    Availability, Catalogue, DocumentedNotification, Fields, Include, Operation, Spelling,
};

use super::fields;
use super::layout;
use super::site::{Here, Map};

pub(super) fn operation(here: &Here, map: &Map, operation: Operation) -> String {
    let sections: Vec<_> = operation.sections().collect();
    let main = html! {
        h1 lang="zh" { (operation.title()) }
        p.call { code.verb { (operation.verb()) } " " code { (operation.template()) } }
        (facts(here, map, operation))
        @for (name, content) in &sections { (section(here, name, *content)) }
        @if operation.response().is_empty() {
            h2 { (here.label("response")) }
            p { (here.label("no body")) }
        }
        h2 #code { (here.label("code")) }
        @for spelling in Spelling::ALL {
            @if let Some(example) = operation.example(spelling, Include::Required) {
                h3 id=(format!("code-{spelling:?}")) { (spelling.name()) }
                pre tabindex="0" role="region" aria-labelledby=(format!("code-{spelling:?}")) { code { (example) } }
            }
        }
    };
    layout::page(here, operation.title(), false, &main)
}

pub(super) fn notification(here: &Here, notification: DocumentedNotification) -> String {
    let types: Vec<_> = notification.event_types().collect();
    let documents: Vec<_> = notification.docs().collect();
    let main = html! {
        h1 lang="zh" { (notification.title()) }
        p.call { code { (notification.event()) } }
        dl {
            @if !types.is_empty() {
                (fact(here, "event type", &html! { @for name in types { code { (name) } " " } }))
            }
            @if let Some(kind) = notification.original_type() {
                (fact(here, "original type", &html! { code { (kind) } }))
            }
            @if !documents.is_empty() { (fact(here, "documents", &addresses(here, &documents))) }
        }
        @for (name, content) in [("resource", notification.resource()), ("body", notification.body())] {
            @if !content.is_empty() { (section(here, name, content)) }
        }
    };
    layout::page(here, notification.title(), false, &main)
}

fn section(here: &Here, name: &'static str, content: Fields) -> Markup {
    html! {
        h2 id=(name) { (here.label(name)) }
        (fields::table(here, name, content))
    }
}

fn facts(here: &Here, map: &Map, operation: Operation) -> Markup {
    let texts = |texts: Vec<&'static str>| html! { @for text in texts { code { (text) } " " } };
    let documents: Vec<_> = operation.docs().collect();
    let tags: Vec<_> = operation.tags().collect();
    let modes: Vec<_> = operation.modes().map(|mode| here.label(mode)).collect();
    let statuses: Vec<_> = operation.statuses().map(|status| status.to_string()).collect();
    let successors: Vec<_> = operation.successors().collect();
    let availability = match operation.availability() {
        Availability::Withdrawn(day) => Some(("withdrawn", day)),
        Availability::Superseded => Some(("superseded", "✓")),
        Availability::Restricted => Some(("restricted", "✓")),
        _ => None,
    };
    html! {
        dl {
            @if let Some((name, value)) = availability { (fact(here, name, &html! { strong { (value) } })) }
            @if !successors.is_empty() {
                (fact(here, "use instead", &html! {
                    @for text in successors { (successor(here, map, operation, text)) " " }
                }))
            }
            (fact(here, "base URL", &texts(operation.bases().collect())))
            @if !modes.is_empty() { (fact(here, "for", &html! { (modes.join(", ")) })) }
            @if !tags.is_empty() { (fact(here, "group", &html! { span lang="zh" { (tags.join("、")) } })) }
            @if !documents.is_empty() { (fact(here, "documents", &addresses(here, &documents))) }
            @if let Some(day) = operation.updated() { (fact(here, "compared", &html! { (day) })) }
            (fact(here, "status", &html! { (statuses.join(" ")) }))
            @if operation.needs_client_certificate() { (fact(here, "client certificate", &html! { "✓" })) }
            @for either in operation.either_or() {
                (fact(here, "one of", &html! {
                    @for name in either.names() { code { (name) } " " } "(" (either.place()) ")"
                }))
            }
        }
    }
}

fn fact(here: &Here, name: &'static str, value: &Markup) -> Markup {
    html! { div { dt { (here.label(name)) } dd { (value) } } }
}

/// The addresses of documents that stand on the page at once; some endpoints have dozens.
const MOST_ADDRESSES: usize = 3;

fn addresses(here: &Here, documents: &[String]) -> Markup {
    let list = |documents: &[String]| {
        html! {
            ul { @for address in documents { li { a href=(address) rel="external noreferrer" { (address) } } } }
        }
    };
    let (first, more) = documents.split_at(documents.len().min(MOST_ADDRESSES));
    html! {
        (list(first))
        @if !more.is_empty() {
            details { summary { (here.label("more documents")) " " span.count { (more.len()) } } (list(more)) }
        }
    }
}

/// `[VERB ]template`, with a link if the documents have it.
fn successor(here: &Here, map: &Map, operation: Operation, text: &'static str) -> Markup {
    let (verb, template) = text.split_once(' ').unwrap_or((operation.verb(), text));
    let found = Catalogue::find(verb, template).or_else(|| Catalogue::at(template).into_iter().next());
    html! {
        @match found {
            Some(found) => a href=(here.to(map.page(found))) { code { (text) } },
            None => code { (text) },
        }
    }
}
