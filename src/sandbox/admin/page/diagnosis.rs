//! Why a signature does not match, and the message that it should cover.

use maud::{Markup, html};

use super::{
    language::Language,
    text::{block, line},
};
use crate::sandbox::{
    auth::{
        diagnosis::{Diagnosis, Difference},
        verify::SignatureVerdict,
    },
    store::seen_request::SeenRequest,
};

/// The bytes of a signed message to show.
const MAX_MESSAGE: usize = 8 << 10;

/// The message that the signature should cover.
pub(crate) fn message(l: Language, seen: &SeenRequest) -> Markup {
    if seen.signed_message.is_empty() {
        return html! { p .note { (l.say(
            "The signed message cannot be determined: the request has no readable signature data, or needs no signature.",
            "无法确定签名串：请求中没有可解析的签名信息，或该请求无需签名。",
        )) } };
    }
    let (shown, omitted) = block(&seen.signed_message, MAX_MESSAGE);
    let omitted = omitted + seen.signed_message_length.saturating_sub(seen.signed_message.len());
    let title = match seen.signature {
        SignatureVerdict::Valid => l.say("Signed message", "签名串"),
        _ => l.say("Expected message to sign", "正确的签名串"),
    };
    html! {
        h3 { (title) }
        pre tabindex="0" { (shown) @if omitted > 0 { "…" } }
        @if omitted > 0 {
            p .note { (l.say("Bytes not shown: ", "未显示的字节数：")) (omitted) }
        }
    }
}

pub(crate) fn finding(l: Language, seen: &SeenRequest, diagnosis: &Diagnosis) -> Markup {
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
    // The record of an earlier run may have only the beginning of the message.
    if difference.end().min(seen.signed_message_length) > seen.signed_message.len() {
        return html! {};
    }
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
