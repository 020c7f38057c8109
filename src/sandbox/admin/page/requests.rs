//! What came, and what was thought of it.

use maud::{Markup, html};

use super::{
    super::{
        SeenRequest, Verdict,
        diagnosis::{Diagnosis, Difference},
    },
    language::Language,
    text::{block, line, moment, unix},
};

/// Of a message that was to be signed, in bytes.
const MESSAGE: usize = 2 << 10;

pub(super) fn section(l: Language, requests: &[SeenRequest]) -> Markup {
    html! {
        section #requests aria-labelledby="requests-title" {
            h2 #requests-title { (l.say("Requests", "请求")) }
            @if requests.is_empty() {
                p .empty { (l.say("None yet. Point a client at this base URL, without the path of this page.", "还没有请求。把客户端的 base URL 指到这里。")) }
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
                    (moment(unix(seen.at)))
                }
                div .inside {
                    @if let Verdict::Refused { status, code, message } = &seen.verdict {
                        p {
                            b { (status) " " (code) } " "
                            // Otherwise told below, in the reader's language.
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

/// The message repeats below the line what is shown here anyway.
fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or("")
}

fn message(l: Language, seen: &SeenRequest) -> Markup {
    if seen.signed_message.is_empty() {
        return html! { p .note { (l.say(
            "What should have been signed cannot be told: there was nothing readable to tell it by, or no signature is wanted here.",
            "无法给出待签名串：缺少可读的签名信息，或者这里本来就不需要签名。",
        )) } };
    }
    let (shown, left) = block(&seen.signed_message, MESSAGE);
    let title = match &seen.verdict {
        Verdict::Refused { code, .. } if code == "SIGN_ERROR" => {
            l.say("Expected to be signed", "应当签名的内容")
        }
        _ => l.say("What was signed, as expected", "签名的内容，与预期一致"),
    };
    html! {
        h3 { (title) }
        pre tabindex="0" { (shown) @if left > 0 { "…" } }
        @if left > 0 {
            p .note { (l.say("Bytes that are not shown: ", "未显示的字节数：")) (left) }
        }
    }
}

fn diagnosis(l: Language, seen: &SeenRequest, diagnosis: &Diagnosis) -> Markup {
    let told = match diagnosis {
        Diagnosis::NotBase64 => l.say("The signature is no Base64.", "签名不是 Base64。").to_string(),
        Diagnosis::AnotherKey => l
            .say(
                "The signature was not made with the merchant’s key in PKCS#1 v1.5 padding: another key, another padding, or changed on the way.",
                "签名不是用商户私钥（PKCS#1 v1.5 填充）生成的：私钥不对、填充方式不对，或者签名在途中被改动。",
            )
            .to_string(),
        Diagnosis::AnotherHash(name) => {
            format!("{}{name}", l.say("The hash must be SHA-256; it was ", "摘要算法应当是 SHA-256，实际是 "))
        }
        Diagnosis::Known(difference) => {
            let (english, chinese) = difference.mistake.told();
            format!("{}{}", l.say("What was signed ", "签名的内容："), l.say(english, chinese))
        }
        Diagnosis::Unknown { .. } => l
            .say(
                "The key is right. What was signed is another message, and none of the usual mistakes; its SHA-256 can be compared.",
                "私钥没错，但签的是另一段内容，也不属于常见的错误。可以对照下面的 SHA-256。",
            )
            .to_string(),
        Diagnosis::TooLong { .. } => l
            .say(
                "The key is right. What was signed is another message, too long to look for the mistake.",
                "私钥没错，但签的是另一段内容；内容太长，没有逐一排查。",
            )
            .to_string(),
    };
    html! {
        h3 { (l.say("Why the signature does not fit", "签名为什么对不上")) }
        p .finding { (told) }
        @match diagnosis {
            Diagnosis::Known(difference) => (compare(l, seen, difference)),
            Diagnosis::Unknown { signed, expected } | Diagnosis::TooLong { signed, expected } => {
                dl .compare {
                    dt { (l.say("Signed, SHA-256", "实际签名内容的 SHA-256")) } dd { code { (signed) } }
                    dt { (l.say("Expected, SHA-256", "预期内容的 SHA-256")) } dd { code { (expected) } }
                }
            }
            _ => {}
        }
    }
}

fn compare(l: Language, seen: &SeenRequest, difference: &Difference) -> Markup {
    let expected = seen.signed_message.get(difference.start..).unwrap_or_default();
    let expected = &expected[..expected.len().min(difference.end() - difference.start)];
    let same = difference.at - difference.start;
    let before = if difference.start > 0 { "…" } else { "" };
    html! {
        p { (l.say("The first byte that differs: ", "第一个不同的字节：")) b { (difference.at) }
            (l.say(" (counted from 0)", "（从 0 数起）")) }
        dl .compare {
            dt { (l.say("Signed", "实际签名")) } dd { (before) (marked(l, &difference.signed, same)) }
            dt { (l.say("Expected", "预期")) } dd { (before) (marked(l, expected, same)) }
        }
    }
}

/// One character is marked, so that a byte within one does not break it.
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
                None => mark { (l.say("(the end)", "（结束）")) },
            }
            (show(characters.as_str()))
        }
    }
}
