//! The messages of a call as trace events: see `WeChatPayBuilder::trace_messages`.

use std::ops::Range;

use http::{HeaderMap, StatusCode};
use url::Position;

use crate::error::{Sanitized, key_ranges, may_be_key};

const TARGET: &str = "wechatpay_chain::messages";

/// Headers whose value is a signature or a credential.
const SECRET: [&str; 5] =
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "wechatpay-signature"];

/// A request, as it is sent. `signature` is hidden where it stands in the query or in the body.
pub(crate) fn request(request: &reqwest::Request, signed: &[u8], signature: Option<&str>) {
    let url = request.url();
    let hide = |text: String| match signature.filter(|signature| !signature.is_empty()) {
        Some(signature) => text.replace(signature, "…"),
        None => text,
    };
    tracing::debug!(
        target: TARGET,
        method = %request.method(),
        path = hide(without_keys(&url[Position::BeforePath..Position::AfterQuery])),
        host = %&url[Position::BeforeHost..Position::AfterPort],
        headers = headers(request.headers()),
        "request"
    );
    tracing::trace!(target: TARGET, body = hide(body(signed)), "request body");
}

/// The head of a response that is not verified yet.
pub(crate) fn response(status: StatusCode, head: &HeaderMap) {
    tracing::debug!(target: TARGET, status = status.as_u16(), headers = headers(head), "response");
}

/// The body of a response that is not verified yet.
pub(crate) fn response_body(bytes: &[u8]) {
    tracing::trace!(target: TARGET, body = body(bytes), "response body");
}

/// One on a line.
fn headers(headers: &HeaderMap) -> String {
    let lines = headers.iter().map(|(name, value)| match SECRET.contains(&name.as_str()) {
        true => format!("{name}: …"),
        false => format!("{name}: {}", without_keys(&String::from_utf8_lossy(value.as_bytes()))),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn body(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => without_keys(&without_long_values(text)),
        Err(_) => format!("{} bytes that are not text", bytes.len()),
    }
}

/// A longer string of JSON or XML, in bytes, may be a key in groups, each of which looks like a word.
const LONG_VALUE: usize = 200;

fn without_long_values(text: &str) -> String {
    let shown = |part| if str::len(part) > LONG_VALUE && may_be_key(part) { "…" } else { part };
    let ends = ['"', '<', '>'];
    let pieces = text.split_inclusive(ends).map(|piece| {
        let value = piece.strip_suffix(ends).unwrap_or(piece);
        [shown(value), piece.get(value.len()..).unwrap_or_default()].concat()
    });
    pieces.collect()
}

/// Ids, such as a payer's, may look like pieces of a key; no id is as long as this, in bytes.
const MIN_KEY: usize = 40;

/// The parts of a key that look like words are not longer than this, in bytes.
const GAP: usize = 16;

/// A text without what may be a key that was put into it by mistake.
fn without_keys(text: &str) -> String {
    let mut keys: Vec<Range<usize>> = Vec::new();
    for range in key_ranges(text) {
        match keys.last_mut() {
            Some(last) if range.start <= last.end + GAP => last.end = range.end,
            _ => keys.push(range),
        }
    }
    let of_a_key = |c: char| c.is_ascii_alphanumeric() || "+/=%-_\\".contains(c);
    let (mut guarded, mut shown) = (String::with_capacity(text.len()), 0);
    for range in keys.into_iter().filter(|range| range.len() >= MIN_KEY) {
        // The ends of a key may look like words, too.
        let before = text[shown..range.start.max(shown)].trim_end_matches(of_a_key);
        let rest = &text[range.end..];
        guarded.push_str(before);
        guarded.push('…');
        shown = range.end + (rest.len() - rest.trim_start_matches(of_a_key).len());
    }
    guarded.push_str(&text[shown..]);
    Sanitized(&guarded).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_groups_is_not_traced_and_long_texts_are() {
        let pem = include_str!("../../tests/keys/merchant_key.pem");
        let base64: String = pem.lines().filter(|line| !line.contains("---")).collect();
        let groups: Vec<_> =
            base64.as_bytes().chunks(8).map(|eight| str::from_utf8(eight).unwrap()).collect();
        for separator in [" ", ",", "\\n", "-"] {
            let traced = body(format!("{{\"a\":\"{}\",\"b\":1}}", groups.join(separator)).as_bytes());
            assert_eq!(traced, r#"{"a":"…","b":1}"#);
            let traced =
                body(format!("<xml><a>{}</a><b><![CDATA[1]]></b></xml>", groups.join(separator)).as_bytes());
            assert_eq!(traced, "<xml><a>…</a><b><![CDATA[1]]></b></xml>");
        }
        let text = format!("{{\"description\":\"{}\"}}", "Image形象店-深圳腾大-QQ公仔 100% new, ".repeat(9));
        assert_eq!(body(text.as_bytes()), text);
    }

    #[test]
    fn a_key_is_not_traced_and_ids_are() {
        let pem = include_str!("../../tests/keys/merchant_key.pem");
        let base64: String = pem.lines().filter(|line| !line.contains("---")).collect();
        let lines: Vec<_> = pem.lines().filter(|line| !line.contains("---")).collect();
        for key in [
            pem.to_owned(),
            base64.clone(),
            pem.replace('\n', "\\n"),
            pem.replace('\n', " "),
            base64.replace('+', "%2B").replace('/', "%2F"),
        ] {
            for text in
                [key.clone(), format!("{{\"name\":\"{key}\",\"id\":1}}"), format!("/v3/x?a={key}&b=1")]
            {
                let traced = without_keys(&text);
                let found = lines.iter().find(|line| {
                    line.as_bytes()
                        .windows(16)
                        .any(|piece| traced.contains(std::str::from_utf8(piece).unwrap()))
                });
                assert_eq!(found, None, "{traced}");
            }
        }
        for text in [
            "/v3/pay/transactions/id/1217752501201407033233368018?mchid=1900000109",
            r#"{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o","package":"prepay_id=wx26112221580621e9b071c00d9e093b0000"}"#,
            "wechatpay-serial: PUB_KEY_ID_0114232134912410000000000000",
            "request-id: 08F78BB5AF0610D302189F8FE3AC0520A0BE3228C2C8052EE3AB04-268505131",
            r#"{"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}"#,
        ] {
            assert_eq!(without_keys(text), text);
        }
    }
}
