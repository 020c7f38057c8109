//! The section of requests, with the result of their checks.

use maud::{Markup, html};

use super::{
    language::Language,
    text::{block, line, time, unix},
};
use crate::sandbox::{
    auth::diagnosis::{Diagnosis, Difference},
    store::request_log::{SeenRequest, Verdict},
};

/// The bytes of a signed message to show.
const MAX_MESSAGE: usize = 2 << 10;

pub(crate) fn section(l: Language, requests: &[SeenRequest]) -> Markup {
    html! {
        section #requests aria-labelledby="requests-title" {
            h2 #requests-title { (l.say("Requests", "请求")) }
            @if requests.is_empty() {
                p .empty { (l.say("None yet. Set the base URL of a client to this server, without the path of this page.", "还没有请求。请把客户端的基础 URL 设为本服务的地址。")) }
            } @else {
                ul .log { @for seen in requests { (item(l, seen)) } }
            }
        }
    }
}

fn item(l: Language, seen: &SeenRequest) -> Markup {
    html! {
        li #{ "request-" (seen.number) } tabindex="-1" {
            details #{ "seen-" (seen.number) } {
                summary {
                    @match &seen.verdict {
                        Verdict::Accepted => span .badge .good { (l.say("accepted", "通过")) },
                        Verdict::Refused { code, .. } => span .badge .bad { (line(code, 32)) },
                    }
                    " " b { (seen.method) } " "
                    code .target { bdi { (line(&seen.target, 200)) } } " "
                    (time(unix(seen.at)))
                }
                div .inside {
                    @if let Verdict::Refused { status, code, message } = &seen.verdict {
                        p {
                            b { (status) " " (code) } " "
                            // Otherwise the diagnosis explains it below, in the language of the page.
                            @if seen.diagnosis.is_none() { bdi { (line(first_line(message), 500)) } }
                        }
                    }
                    @if let Some(diagnosis) = &seen.diagnosis { (self::diagnosis(l, seen, diagnosis)) }
                    (message(l, seen))
                }
            }
        }
    }
}

/// The other lines of the message repeat the signed message.
fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or("")
}

fn message(l: Language, seen: &SeenRequest) -> Markup {
    if seen.signed_message.is_empty() {
        return html! { p .note { (l.say(
            "The signed message cannot be determined: the request has no readable signature data, or needs no signature.",
            "无法确定签名串：请求中没有可解析的签名信息，或该请求无需签名。",
        )) } };
    }
    let (shown, omitted) = block(&seen.signed_message, MAX_MESSAGE);
    let title = match &seen.verdict {
        Verdict::Refused { code, .. } if code == "SIGN_ERROR" => {
            l.say("Expected message to sign", "正确的签名串")
        }
        _ => l.say("Signed message", "签名串"),
    };
    html! {
        h3 { (title) }
        pre tabindex="0" { (shown) @if omitted > 0 { "…" } }
        @if omitted > 0 {
            p .note { (l.say("Bytes not shown: ", "未显示的字节数：")) (omitted) }
        }
    }
}

fn diagnosis(l: Language, seen: &SeenRequest, diagnosis: &Diagnosis) -> Markup {
    let (english, chinese) = (diagnosis.english(), diagnosis.chinese());
    html! {
        h3 { (l.say("Why the signature does not match", "验签失败的原因")) }
        p .finding { (l.say(&sentence(&english), &chinese)) }
        @if let Some(difference) = diagnosis.difference() { (compare(l, seen, difference)) }
        @if let Some((signed, expected)) = diagnosis.digests() {
            dl .compare {
                dt { (l.say("SHA-256 of the signed message", "实际所签内容的 SHA-256")) } dd { code { (signed) } }
                dt { (l.say("SHA-256 of the expected message", "正确签名串的 SHA-256")) } dd { code { (expected) } }
            }
        }
    }
}

/// With a capital.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

fn compare(l: Language, seen: &SeenRequest, difference: &Difference) -> Markup {
    let expected = seen.signed_message.get(difference.start..).unwrap_or_default();
    let expected = &expected[..expected.len().min(difference.end() - difference.start)];
    let same = difference.at - difference.start;
    let before = if difference.start > 0 { "…" } else { "" };
    html! {
        p { (l.say("First different byte: ", "第一个不同的字节：")) b { (difference.at) }
            (l.say(" (counted from 0)", "（从 0 开始计数）")) }
        dl .compare {
            dt { (l.say("Signed", "实际签名")) } dd { (before) (marked(l, &difference.signed, same)) }
            dt { (l.say("Expected", "预期")) } dd { (before) (marked(l, expected, same)) }
        }
    }
}

/// Marks one whole character, even if the difference is inside it.
fn marked(l: Language, bytes: &[u8], same: usize) -> Markup {
    let mut start = same.min(bytes.len());
    while start > 0 && bytes.get(start).is_some_and(|byte| byte & 0xc0 == 0x80) {
        start -= 1;
    }
    let rest = String::from_utf8_lossy(&bytes[start..]).into_owned();
    let mut characters = rest.chars();
    let first = characters.next().map(String::from);
    let show = |text: &str| line(text, usize::MAX);
    html! {
        code {
            (show(&String::from_utf8_lossy(&bytes[..start])))
            @match &first {
                Some(character) => mark { (show(character)) },
                None => mark { (l.say("(end)", "（结束）")) },
            }
            (show(characters.as_str()))
        }
    }
}
