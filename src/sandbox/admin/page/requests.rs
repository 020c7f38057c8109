//! The tab of requests.

use std::borrow::Cow;

use maud::{Markup, html};

use super::{
    connect, exchange,
    language::Language,
    list::{self, List, Row},
    text::{line, time, unix},
    view::View,
};
use crate::sandbox::{
    auth::verify::SignatureVerdict,
    server::platform::Platform,
    store::{
        search::Search,
        seen_request::{EndpointKind, SeenRequest, Sent, Verdict},
    },
};

/// The bytes of a body that are searched.
const MAX_SEARCHED: usize = 16 << 10;

/// A filter of the list: its name in a URL, its label, and the requests that fit.
type Choice = (&'static str, (&'static str, &'static str), fn(&SeenRequest) -> bool);

const CHOICES: &[Choice] = &[
    ("successful", ("Successful", "成功"), |seen| seen.verdict == Verdict::Accepted),
    ("failed", ("Failed", "失败"), |seen| seen.verdict != Verdict::Accepted),
    ("signature", ("Signature not valid", "验签未通过"), |seen| {
        seen.signature != SignatureVerdict::Valid
    }),
    ("fault", ("Hit by a fault", "命中故障"), |seen| !seen.faults.is_empty()),
    ("hints", ("With hints", "有提示"), |seen| !seen.hints.is_empty()),
    ("not-modelled", ("Endpoint not modelled", "未模拟的接口"), |seen| {
        seen.endpoint == EndpointKind::NotModelled
    }),
];

pub(crate) fn section(platform: &Platform, view: &View, base_url: &str) -> Markup {
    let l = view.language;
    let page = platform.requests.page(|seen| matches(view, seen), view.window());
    if page.place.total == 0 && !view.is_filtered() {
        return connect::welcome(platform, view, base_url);
    }
    let columns = [
        l.say("Request", "请求"),
        l.say("Response", "响应"),
        l.say("Signature", "验签"),
        l.say("Time", "时间"),
        l.say("Duration", "耗时"),
    ];
    html! {
        (list::filter(
            view,
            l.say("Number, path or Request-ID", "单号、路径或 Request-ID"),
            l.say("Result", "结果"),
            &options(l, &platform.requests.statuses()),
        ))
        (list::table(view, List {
            caption: l.say("Requests, newest first", "请求，最新的在前"),
            columns: &columns,
            rows: page.items.iter().map(|seen| row(view, seen)).collect(),
            place: page.place,
        }))
    }
}

fn options(l: Language, statuses: &[u16]) -> Vec<(String, String)> {
    let choices = CHOICES.iter().map(|(name, (en, zh), _)| (name.to_string(), l.say(en, zh).to_string()));
    choices.chain(statuses.iter().map(|status| (status.to_string(), status.to_string()))).collect()
}

fn matches(view: &View, seen: &SeenRequest) -> bool {
    let choice = CHOICES.iter().find(|(name, ..)| *name == view.status);
    let chosen = match choice {
        Some((.., fits)) => fits(seen),
        None => view.status.is_empty() || view.status == seen.response.status.to_string(),
    };
    let search = Search::new(&view.query);
    chosen
        && (search.is_empty()
            || search.is_in(&seen.target)
            || seen.response.request_id().is_some_and(|id| search.is_in(id))
            || texts(seen).iter().any(|text| search.is_in_body(text)))
}

/// The beginnings of both bodies.
pub(crate) fn texts(seen: &SeenRequest) -> [Cow<'_, str>; 2] {
    [&seen.body, &seen.response.body]
        .map(|body| String::from_utf8_lossy(&body[..body.len().min(MAX_SEARCHED)]))
}

fn row(view: &View, seen: &SeenRequest) -> Row {
    let l = view.language;
    let id = format!("request-{}", seen.number);
    let faults: Vec<String> = seen.faults.iter().map(ToString::to_string).collect();
    let request = html! {
        b { (line(&seen.method, 16)) } " " code .target { bdi { (line(&seen.target, 200)) } }
    };
    let cells = vec![
        html! {
            (list::opener(view, seen.number, &id, request))
            @if seen.endpoint == EndpointKind::NotModelled {
                " " span .badge .wait { (l.say("not modelled", "未模拟")) }
            }
            @if seen.endpoint == EndpointKind::Shaped {
                " " span .badge .plain { (l.say("shaped", "按文档生成")) }
            }
            @if !seen.hints.is_empty() {
                " " span .badge .wait { (l.say("hints: ", "提示：")) (seen.hints.len()) }
            }
            @if !faults.is_empty() {
                " " span .badge .bad { (l.say("fault: ", "故障：")) (line(&faults.join(", "), 100)) }
            }
        },
        status(l, seen),
        signature(l, seen.signature),
        time(unix(seen.at)),
        html! { span .number { (duration(seen)) } },
    ];
    let detail = (view.open == Some(seen.number)).then(|| exchange::detail(view, seen));
    Row { id, cells, detail }
}

/// The status as the client saw it.
pub(crate) fn status(l: Language, seen: &SeenRequest) -> Markup {
    let (status, sent) = (seen.response.status, seen.response.sent);
    let (text, tone) = match (&seen.verdict, sent) {
        (_, Sent::Pending) => (l.say("being sent", "发送中").to_string(), "wait"),
        (_, Sent::Nothing) => (l.say("connection cut", "连接中断").to_string(), "bad"),
        (_, Sent::ClientLeft) => (l.say("client left", "客户端已断开").to_string(), "bad"),
        (_, Sent::Cut) => (format!("{status} {}", l.say("cut", "截断")), "bad"),
        (Verdict::Accepted, Sent::Whole) => {
            let proves = seen.endpoint != EndpointKind::NotModelled;
            (status.to_string(), if proves { "good" } else { "wait" })
        }
        (Verdict::Refused { code, .. }, Sent::Whole) => (format!("{status} {}", line(code, 40)), "bad"),
        (_, Sent::Whole) => (format!("{status} {}", l.say("by a fault", "故障")), "bad"),
    };
    html! { span .badge .(tone) { (text.trim_end()) } }
}

/// The verdict on the signature alone.
pub(crate) fn signature(l: Language, verdict: SignatureVerdict) -> Markup {
    let (word, tone) = match verdict {
        SignatureVerdict::Valid => (l.say("valid", "通过"), "good"),
        SignatureVerdict::Invalid => (l.say("wrong", "错误"), "bad"),
        SignatureVerdict::NotSigned => (l.say("not signed", "未签名"), "plain"),
        SignatureVerdict::NotChecked => (l.say("not checked", "未验签"), "plain"),
    };
    html! { span .badge .(tone) { (word) } }
}

fn duration(seen: &SeenRequest) -> String {
    match seen.response.sent {
        Sent::Pending => "–".into(),
        _ if seen.duration.as_millis() >= 10_000 => format!("{} s", seen.duration.as_secs()),
        _ if seen.duration.as_millis() == 0 => "< 1 ms".into(),
        _ => format!("{} ms", seen.duration.as_millis()),
    }
}
