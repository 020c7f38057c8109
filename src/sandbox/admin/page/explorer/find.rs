//! Finds an endpoint: by words, by group, by a path that may be mistyped.

use std::{cmp::Reverse, collections::BTreeMap};

use maud::{Markup, html};

use super::super::{
    language::Language,
    text::line,
    view::{Endpoint, View},
};
use super::PATH;
use crate::catalogue::{Availability, Catalogue, Operation, Search};

/// The most results to list.
const MAX_RESULTS: usize = 40;

const VERBS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Who may call an operation, in English and Chinese.
const MODES: [(&str, &str, &str); 5] = [
    ("merchant", "merchants", "商户"),
    ("partner", "service providers", "服务商"),
    ("platform", "platforms", "平台商户"),
    ("institution", "institutions", "机构"),
    ("global", "overseas", "境外"),
];

pub(super) fn mode_label(l: Language, mode: &'static str) -> &'static str {
    let known = MODES.iter().find(|(name, ..)| *name == mode);
    known.map_or(mode, |(_, english, chinese)| l.say(english, chinese))
}

/// The operations of a path, those that read first.
pub(super) fn at(path: &str) -> Vec<Operation> {
    let mut found = Catalogue::at(path);
    found.sort_by_key(|operation| VERBS.iter().position(|verb| *verb == operation.verb()));
    found
}

/// The address of an operation. It names the verb if the path has several.
pub(super) fn link(view: &View, operation: Operation) -> View {
    let others = Catalogue::at(operation.template());
    let same_verb = others.iter().filter(|other| other.verb() == operation.verb()).count();
    let verb = if others.len() > 1 { operation.verb() } else { "" };
    let base = if same_verb > 1 { operation.base() } else { "" };
    let path = operation.template().to_owned();
    view.endpoint(Endpoint { path, verb: verb.into(), base: base.into(), mode: String::new() })
}

pub(super) fn search(view: &View) -> Markup {
    let l = view.language;
    let found = found(view);
    html! {
        (form(view))
        @if view.query.is_empty() && view.endpoint.mode.is_empty() && view.endpoint.verb.is_empty() {
            (groups(view))
        } @else if found.is_empty() {
            p #list .empty tabindex="-1" { (l.say(
                "No documented endpoint matches. Try other words, or fewer.",
                "没有匹配的接口。请换个关键词，或减少关键词。",
            )) }
        } @else {
            (results(view, &found[..found.len().min(MAX_RESULTS)]))
            @if found.len() > MAX_RESULTS {
                p .note { (l.say("More endpoints match: add a word.", "还有更多结果，请增加关键词。")) }
            }
        }
    }
}

fn found(view: &View) -> Vec<Operation> {
    let Endpoint { verb, mode, .. } = &view.endpoint;
    let mut search = Search::default();
    if !verb.is_empty() {
        search = search.verb(verb);
    }
    if !mode.is_empty() {
        search = search.mode(mode);
    }
    let query = view.query.as_str();
    if query.is_empty() {
        let fits = |operation: &Operation| {
            (verb.is_empty() || operation.verb() == verb)
                && (mode.is_empty() || operation.modes().any(|m| m == mode))
        };
        return Catalogue::operations().filter(fits).collect();
    }
    // A path that somebody pastes is meant as one.
    let mut found: Vec<Operation> = match query.contains('/') && !query.contains(' ') {
        true => at(query),
        false => Vec::new(),
    };
    let is_new = |found: &[Operation], one: &Operation| {
        !found
            .iter()
            .any(|old| (old.verb(), old.template(), old.base()) == (one.verb(), one.template(), one.base()))
    };
    for operation in Catalogue::search(query, &search).iter().map(|found| found.operation()) {
        if is_new(&found, &operation) {
            found.push(operation);
        }
    }
    found
}

fn form(view: &View) -> Markup {
    let l = view.language;
    let Endpoint { verb, mode, .. } = &view.endpoint;
    html! {
        form .filter role="search" action=(PATH) {
            @if !l.choice().is_empty() { input type="hidden" name="lang" value=(l.choice()); }
            label { span { (l.say("Words, a path or a field", "关键词、路径或字段")) }
                input type="search" name="q" value=(view.query) autocomplete="off" spellcheck="false"
                    placeholder=(l.say("refund, 退款, out_refund_no", "退款、refund、out_refund_no")); }
            label { span { (l.say("Verb", "方法")) }
                select name="verb" {
                    option value="" { (l.say("All", "全部")) }
                    @for name in VERBS { option value=(name) selected[name == verb] { (name) } }
                } }
            label { span { (l.say("For", "适用")) }
                select name="mode" {
                    option value="" { (l.say("All", "全部")) }
                    @for (name, english, chinese) in MODES {
                        option value=(name) selected[name == mode] { (l.say(english, chinese)) }
                    }
                } }
            button { (l.say("Search", "查找")) }
            @if view.is_filtered() || !verb.is_empty() || !mode.is_empty() {
                a href=(view.tab(view.tab).address()) { (l.say("Clear filter", "清除条件")) }
            }
        }
    }
}

fn results(view: &View, found: &[Operation]) -> Markup {
    let l = view.language;
    html! {
        ul #list .results tabindex="-1" { @for operation in found { li {
            a href=(link(view, *operation).address()) {
                span lang="zh-CN" { (operation.title()) } " "
                code { b { (operation.verb()) } " " (operation.template()) }
            }
            span .note {
                span lang="zh-CN" { (operation.tags().take(2).collect::<Vec<_>>().join(" · ")) }
                @match operation.availability() {
                    Availability::Withdrawn(_) => { " " span .badge .wait { (l.say("withdrawn", "已下线")) } },
                    Availability::Superseded => { " " span .badge .wait { (l.say("superseded", "已被取代")) } },
                    _ => {},
                }
                @if operation.is_v2() { " " span .badge .plain { "APIv2" } }
            }
        } } }
    }
}

/// The groups of operations, with links to what is in them.
fn groups(view: &View) -> Markup {
    let l = view.language;
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut v3, mut v2) = (0, 0);
    for operation in Catalogue::operations() {
        *(if operation.is_v2() { &mut v2 } else { &mut v3 }) += 1;
        if let Some(group) = operation.tags().next().and_then(|tag| tag.split('∙').next()) {
            *groups.entry(group).or_default() += 1;
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(name, count)| (*name == "APIv2", Reverse(*count), *name));
    html! {
        p { (l.say("Documented endpoints: ", "文档收录的接口：")) (v3) " APIv3, " (v2) " APIv2. "
            (l.say(
                "Open one to fill in its fields, send it to this sandbox, and copy the call.",
                "打开一个接口，即可填写字段、向本沙箱发送请求、复制代码。",
            )) }
        ul #list .groups tabindex="-1" { @for (name, count) in groups { li {
            a href=(view.search(view.tab, name).address()) lang="zh-CN" { (name) }
            " " span .count { (count) }
        } } }
    }
}

/// A path that no document has, and what may be meant.
pub(super) fn unknown(view: &View) -> Markup {
    let l = view.language;
    let Endpoint { path, verb, .. } = &view.endpoint;
    let verb_given = Some(verb.as_str()).filter(|verb| !verb.is_empty());
    let meant: Vec<Operation> =
        Catalogue::suggest(verb_given, path).iter().map(|suggestion| suggestion.operation()).collect();
    html! {
        (form(&view.tab(view.tab)))
        p .alert role="alert" { (l.say("No document has the path ", "没有收录这个路径：")) code { bdi { (line(&format!("{verb} {path}"), 200)) } } }
        @if !meant.is_empty() {
            h3 { (l.say("Did you mean", "您是否要找")) }
            (results(view, &meant))
        }
        p .note { (l.say(
            "A path that is not documented can still be sent by any client.",
            "客户端仍然可以请求未收录的路径。",
        )) }
    }
}
