//! The tab of endpoints: finds a documented endpoint, shows its fields as a form, sends the request as the merchant of the
//! sandbox, and writes the same call for programs.

mod code;
mod draft;
mod fields;
mod find;
mod hints;
mod result;
mod send;
mod values;

use std::sync::Arc;

use http::{Method, StatusCode, header};
use maud::{Markup, html};
use tokio::task;
use url::{Url, form_urlencoded};

use super::{
    form::Form,
    language::Language,
    text::line,
    view::{Endpoint, View},
};
use crate::catalogue::{Availability, Catalogue, Operation, OperationKind};
use crate::sandbox::{
    http::{multipart, path_template},
    server::{admin_hook::AdminRequest, platform::Platform},
    store::seen_request::SeenRequest,
};
use draft::Draft;
use send::Outcome;

/// Where its addresses begin.
const PATH: &str = "/endpoints";

/// The longest value of a recorded request in an address, and all of them, in bytes.
const MAX_VALUE: usize = 256;
const MAX_QUERY: usize = 4 << 10;

/// The path that the address of an endpoint has below [`PATH`], decoded; empty for the search. `None` for another address.
pub(crate) fn path_of(target: &str) -> Option<String> {
    let rest = target.split('?').next()?.strip_prefix(PATH)?;
    let path = match rest.strip_prefix('/') {
        Some(path) => path,
        None if rest.is_empty() => return Some(String::new()),
        None => return None,
    };
    Some(path_template::decode_segments(rest).map_or_else(|| path.to_owned(), |segments| segments.join("/")))
}

/// The address of a path, a template or one with values.
pub(crate) fn address_of(path: &str) -> String {
    let Ok(mut url) = Url::parse("http://localhost").and_then(|root| root.join(PATH)) else {
        return PATH.into();
    };
    if let (false, Ok(mut segments)) = (path.is_empty(), url.path_segments_mut()) {
        segments.extend(path.split('/'));
    }
    url.path().to_owned()
}

/// What the tab shows.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) title: String,
    pub(crate) content: Markup,
}

/// A form that was submitted, and what became of it.
pub(crate) struct Submitted {
    draft: Draft,
    outcome: Option<Outcome>,
}

/// The operation that the address names: of a path with several, that of the verb, or else the first.
fn operation(view: &View) -> Option<Operation> {
    let Endpoint { path, verb, base, .. } = &view.endpoint;
    match (path.as_str(), verb.as_str(), base.as_str()) {
        ("", ..) => None,
        (path, "", _) => find::at(path).into_iter().next(),
        (path, verb, "") => Catalogue::find(verb, path),
        (path, verb, base) => Catalogue::find_at(base, verb, path),
    }
}

/// Whether a request can be sent for it: the sandbox has no APIv2, and a browser itself goes to a redirect.
fn can_be_sent(operation: Operation) -> bool {
    !operation.is_v2() && operation.kind() != OperationKind::Redirect
}

/// Reads the form of a request that the guard has accepted, and sends what it says. `None` if there is no form.
pub(crate) async fn submit(
    platform: &Arc<Platform>,
    view: &View,
    request: &AdminRequest,
) -> Option<Submitted> {
    if request.method != Method::POST {
        return None;
    }
    let body = request.body.clone()?;
    let media_type = request.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let (view, media_type) = (view.clone(), media_type.unwrap_or_default().to_owned());
    let parsed = task::spawn_blocking(move || {
        let operation = operation(&view)?;
        let draft = match media_type.starts_with("multipart/") {
            true => Draft::of_fields(multipart::form(&media_type, &body).ok()?),
            false => Draft::of_pairs(Form::parse(&body).values()),
        };
        let call = draft.sends().then(|| draft.call(operation));
        Some((operation, draft, call))
    });
    let (operation, draft, call) = parsed.await.ok()??;
    let outcome = match call {
        Some(call) if call.mistakes.is_empty() && can_be_sent(operation) => {
            Some(send::send(platform, request.local_address, operation, call).await)
        }
        _ => None,
    };
    Some(Submitted { draft, outcome })
}

/// The address of a form with the values of a recorded request, to change and send it. `None` if it is not documented.
pub(crate) fn again(view: &View, seen: &SeenRequest) -> Option<String> {
    let path = path_template::decode_segments(&seen.target)?;
    let path = path_template::strip_base_path(&path).join("/");
    let operation = Catalogue::find(&seen.method, &path).filter(|operation| can_be_sent(*operation))?;
    let several = Catalogue::at(operation.template()).len() > 1;
    let verb = if several { operation.verb().to_owned() } else { String::new() };
    let address = view.endpoint(Endpoint { path, verb, ..Endpoint::default() }).address();
    let mut values = Vec::new();
    let (_, query) = seen.target.split_once('?').unwrap_or_default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        values.push((format!("query/{name}"), value.into_owned()));
    }
    if let Ok(body) = serde_json::from_slice(&seen.body) {
        values::flatten("body", &body, &mut values);
    }
    // A longer one is a ciphertext.
    values.retain(|(_, value)| value.len() <= MAX_VALUE);
    let values = form_urlencoded::Serializer::new(String::new()).extend_pairs(values).finish();
    Some(match (values.len() <= MAX_QUERY, address.contains('?')) {
        _ if values.is_empty() => address,
        (false, _) => address,
        (true, true) => format!("{address}&{values}"),
        (true, false) => format!("{address}?{values}"),
    })
}

pub(crate) fn page(platform: &Platform, view: &View, query: &str, submitted: Option<&Submitted>) -> Page {
    let l = view.language;
    if view.endpoint.path.is_empty() {
        let title = view.tab.label(l).to_owned();
        return Page { status: StatusCode::OK, title, content: find::search(view) };
    }
    let Some(operation) = operation(view) else {
        let title = l.say("Unknown path", "未知路径").to_owned();
        return Page { status: StatusCode::NOT_FOUND, title, content: find::unknown(view) };
    };
    let first;
    let draft = match submitted {
        Some(submitted) => &submitted.draft,
        None => {
            first = Draft::first(platform, operation, &view.endpoint.path, query);
            &first
        }
    };
    let call = draft.call(operation);
    let outcome = submitted.and_then(|submitted| submitted.outcome.as_ref());
    let failed = draft.sends() && !call.mistakes.is_empty();
    let content = html! {
        p .note { a href=(view.tab(view.tab).address()) { "← " (l.say("All endpoints", "全部接口")) } }
        (head(view, operation))
        @if let Some(outcome) = outcome { (result::result(platform, view, operation, outcome)) }
        @if can_be_sent(operation) {
            (fields::form(view, operation, draft, if failed { &call.mistakes } else { &[] }))
        } @else { (not_sent(l, operation)) }
        (code::code(view, operation, draft, &call, submitted.is_none()))
        (fields::response(view, operation))
    };
    let status = match failed {
        true => StatusCode::BAD_REQUEST,
        false => StatusCode::OK,
    };
    Page { status, title: format!("{} {}", operation.verb(), operation.template()), content }
}

fn not_sent(l: Language, operation: Operation) -> Markup {
    html! {
        p { @if operation.is_v2() {
            (l.say(
                "The sandbox does not model APIv2, so there is no form. Copy the call below.",
                "沙箱不支持 APIv2，因此没有表单。可以复制下面的代码。",
            ))
        } @else {
            (l.say(
                "The payer’s browser opens this address. There is nothing to send.",
                "这个地址由用户的浏览器打开，无需发送请求。",
            ))
        } }
    }
}

/// The title, and the facts about the operation.
fn head(view: &View, operation: Operation) -> Markup {
    let l = view.language;
    let modes: Vec<&str> = operation.modes().map(|mode| find::mode_label(l, mode)).collect();
    let statuses: Vec<String> = operation.statuses().map(|status| status.to_string()).collect();
    let tags: Vec<&str> = operation.tags().collect();
    let others = find::at(operation.template());
    html! {
        h3 .endpoint {
            span lang="zh-CN" { (operation.title()) } " "
            code { b { (operation.verb()) } " " (operation.template()) }
        }
        @if others.len() > 1 {
            nav .verbs aria-label=(l.say("Operations of this path", "此路径的操作")) {
                @for other in &others {
                    @let current = other.verb() == operation.verb() && other.base() == operation.base();
                    a href=(find::link(view, *other).address()) aria-current=[current.then_some("page")] {
                        b { (other.verb()) } " " span lang="zh-CN" { (other.title()) }
                    }
                }
            }
        }
        dl .facts {
            div { dt { (l.say("Base URL", "基础 URL")) } dd { code { (operation.base()) } } }
            @if !modes.is_empty() { div { dt { (l.say("For", "适用")) } dd { (modes.join(l.say(", ", "、"))) } } }
            @if !tags.is_empty() { div { dt { (l.say("Group", "分类")) } dd lang="zh-CN" { (tags.join(" · ")) } } }
            div { dt { (l.say("Success", "成功状态码")) } dd { (statuses.join(", ")) } }
            @for (index, address) in operation.docs().take(2).enumerate() {
                div { dd { a href=(address) rel="noreferrer" {
                    (l.say("Official document", "官方文档")) @if index > 0 { " " (index + 1) }
                } } }
            }
        }
        (availability(view, operation))
    }
}

fn availability(view: &View, operation: Operation) -> Markup {
    let l = view.language;
    let text = match operation.availability() {
        Availability::Current => return html! {},
        Availability::Restricted => l
            .say("Only for merchants that have it, or on application.", "仅限已开通的商户，或需申请。")
            .to_owned(),
        Availability::Superseded => l.say("Superseded.", "已被取代。").to_owned(),
        Availability::Withdrawn(day) => format!("{}{day}", l.say("Withdrawn since ", "已下线：")),
    };
    html! {
        p { span .badge .wait { (text) }
            @for successor in operation.successors() {
                @let (verb, path) = successor.split_once(' ').unwrap_or(("", successor));
                @let endpoint = Endpoint { path: path.into(), verb: verb.into(), ..Endpoint::default() };
                " " (l.say("Use ", "改用 ")) a href=(view.endpoint(endpoint).address()) { code { (line(successor, 200)) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_the_path() {
        for (target, path) in [
            ("/endpoints", Some("")),
            ("/endpoints/?q=x", Some("")),
            ("/endpoints/v3/refund/domestic/refunds", Some("v3/refund/domestic/refunds")),
            ("/endpoints/v3/pay/%7Bid%7D?verb=GET", Some("v3/pay/{id}")),
            ("/endpoints/v3/%zz", Some("v3/%zz")),
            ("/endpointsv3", None),
            ("/v3/endpoints", None),
        ] {
            assert_eq!(path_of(target).as_deref(), path, "{target}");
        }
        for operation in Catalogue::operations() {
            assert_eq!(path_of(&address_of(operation.template())).as_deref(), Some(operation.template()));
        }
    }
}
