//! What became of a call: the request, the signed message, the response, the verdicts.

use maud::{Markup, html};

use super::super::{
    exchange, list, requests,
    text::{block, line},
    view::{Tab, View},
};
use super::hints;
use super::send::Outcome;
use crate::catalogue::Operation;
use crate::sandbox::server::platform::Platform;

/// The bytes of a decrypted response to show.
const MAX_CLEAR: usize = 16 << 10;

pub(super) fn result(platform: &Platform, view: &View, operation: Operation, outcome: &Outcome) -> Markup {
    let l = view.language;
    html! {
        div #result .result tabindex="-1" aria-labelledby="result-title" role="region" {
            h3 #result-title { (l.say("Result", "结果")) }
            @match outcome {
                Outcome::NotSent(why) => {
                    p .alert { (l.say("The client did not send it: ", "客户端没有发送：")) bdi { (line(why, 500)) } }
                }
                Outcome::Sent { number, problem, decrypted, hints } => {
                    (sent(platform, view, *number))
                    @match problem {
                        Some(why) => p .finding { (l.say("The client did not accept the response: ", "客户端没有接受响应：")) bdi { (line(why, 500)) } },
                        None => p { (l.say("The client verified the response’s signature, where it needs one.", "客户端已验证响应的签名（需要签名的响应）。")) },
                    }
                    (hints::list(l, operation, hints))
                    @if let Some(clear) = decrypted {
                        h3 { (l.say("Response, decrypted", "解密后的响应")) }
                        pre tabindex="0" { (block(format!("{clear:#}").as_bytes(), MAX_CLEAR).0.replace("↵\n", "\n")) }
                    }
                    (detail(platform, view, *number))
                }
            }
        }
    }
}

/// Status, verdict on the signature, and the record.
fn sent(platform: &Platform, view: &View, number: Option<u64>) -> Markup {
    let l = view.language;
    html! { @match number.and_then(|number| platform.requests.by_number(number)) {
        Some(seen) => p .buttons {
            (requests::status(l, &seen)) " "
            span .note { (l.say("signature", "验签")) } (requests::signature(l, seen.signature)) " "
            a href=(view.entry(Tab::Requests, seen.number).address()) { (l.say("Request ", "请求 ")) (seen.number) }
            @if let Some(number) = exchange::number(&seen) { " " (list::search_link(view, Tab::Orders, &number)) }
        },
        None => p .alert { (l.say("The request did not arrive.", "请求没有到达。")) },
    } }
}

fn detail(platform: &Platform, view: &View, number: Option<u64>) -> Markup {
    let seen = number.and_then(|number| platform.requests.by_number(number));
    html! { @if let Some(seen) = seen { (exchange::detail(view, &seen)) } }
}

/// A target without its query.
pub(super) fn path_of(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}
