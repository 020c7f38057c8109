//! The index by groups, and the data of the search.

use std::collections::BTreeMap;

use maud::{Markup, html};
use serde_json::{Value, json};
use wechatpay_chain::catalogue::{Availability, Catalogue, Operation};

use super::super::language::Language;
use super::layout;
use super::site::{Here, Map, notification_page, usual_page};

/// Between the parts of a group's name.
const PARTS: char = '∙';

/// Groups, the groups in them, and their operations.
type Groups = BTreeMap<&'static str, BTreeMap<&'static str, Vec<Operation>>>;

fn groups() -> Groups {
    let mut groups = Groups::new();
    for operation in Catalogue::operations() {
        let mut add = |tag: &'static str| {
            let (group, inner) = tag.split_once(PARTS).unwrap_or((tag, ""));
            groups.entry(group).or_default().entry(inner).or_default().push(operation);
        };
        match operation.tags().next() {
            Some(_) => operation.tags().for_each(add),
            None => add(""),
        }
    }
    groups
}

pub(super) fn page(here: &Here, map: &Map) -> String {
    let title = here.label("endpoints of WeChat Pay");
    let (count, notifications) = (Catalogue::operations().len(), Catalogue::notifications().len());
    let counts = match here.language {
        Language::En => format!("{count} endpoints, {notifications} notifications"),
        Language::Zh => format!("{count} 个接口，{notifications} 个回调通知"),
    };
    let main = html! {
        h1 { (title) }
        p { (counts) }
        // Shown by the script.
        form #search role="search" hidden {
            label for="q" { (here.label("search")) }
            input #q name="q" type="search" autocomplete="off" spellcheck="false";
            p #found role="status" data-one=(here.label("1 found")) data-many=(here.label("found"))
                data-none=(here.label("nothing found")) data-first=(here.label("the first 50 are shown")) {}
        }
        ol #results.list hidden {}
        div #groups {
            h2 { (here.label("by group")) }
            @let groups = groups();
            @for (group, inner) in groups.iter().filter(|(group, _)| !group.is_empty()) {
                (group_of(here, map, group, inner))
            }
            @if let Some(other) = groups.get("") { (group_of(here, map, "", other)) }
            h2 { (here.label("notifications")) }
            @for (version, v2) in [("APIv3", false), ("APIv2", true)] {
                details {
                    summary { (version) }
                    ul.list {
                        @for known in Catalogue::notifications().filter(|known| known.is_v2() == v2) {
                            li {
                                a href=(notification_page(known)) { code { (known.event()) } }
                                " " span lang="zh" { (known.title()) }
                            }
                        }
                    }
                }
            }
        }
    };
    layout::page(here, title, true, &main)
}

fn group_of(here: &Here, map: &Map, group: &str, inner: &BTreeMap<&str, Vec<Operation>>) -> Markup {
    let count: usize = inner.values().map(Vec::len).sum();
    html! {
        details {
            summary {
                @if group.is_empty() { (here.label("other")) } @else { span lang="zh" { (group) } }
                " " span.count { (count) }
            }
            @for (name, operations) in inner {
                @if !name.is_empty() { h3 lang="zh" { (name.replace(PARTS, " ∙ ")) } }
                ul.list {
                    @for operation in operations {
                        li {
                            a href=(map.page(*operation)) {
                                code.verb { (operation.verb()) } " " code { (operation.template()) }
                            }
                            " " span lang="zh" { (operation.title()) }
                            @if let Some(mark) = mark(*operation) { " " span.mark { (here.label(mark)) } }
                        }
                    }
                }
            }
        }
    }
}

fn mark(operation: Operation) -> Option<&'static str> {
    match operation.availability() {
        Availability::Withdrawn(_) => Some("withdrawn"),
        Availability::Superseded => Some("superseded"),
        _ => None,
    }
}

/// A script, so that it can be read from a file, too: verb, template, title, other words; 1 if it is outdated; and its page,
/// if it is not the usual one.
pub(super) fn search_data(map: &Map) -> String {
    let row = |operation: Operation| {
        let words: Vec<_> = operation.other_titles().chain(operation.tags()).collect();
        let page = map.page(operation);
        let mut row = vec![
            json!(operation.verb()),
            json!(operation.template()),
            json!(operation.title()),
            json!(words.join(" ")),
            json!(u8::from(mark(operation).is_some())),
        ];
        row.extend((page != usual_page(operation)).then(|| json!(page)));
        Value::Array(row)
    };
    let notifications = Catalogue::notifications()
        .map(|known| json!(["", known.event(), known.title(), "", 0, notification_page(known)]));
    let rows: Vec<_> =
        Catalogue::operations().map(row).chain(notifications).map(|row| row.to_string()).collect();
    format!("const endpoints = [\n{}\n];\n", rows.join(",\n"))
}
