//! The headers of a notification, from any web framework.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The headers that are looked at. A list has no limit, and a `HeaderMap` panics above its own.
const NAMES: [HeaderName; 5] = [
    HeaderName::from_static("wechatpay-nonce"),
    HeaderName::from_static("wechatpay-serial"),
    HeaderName::from_static("wechatpay-signature"),
    HeaderName::from_static("wechatpay-timestamp"),
    HeaderName::from_static("request-id"),
];

/// Present, and never readable: it stands for a value that HTTP does not allow.
const UNREADABLE: &[u8] = b"\xff";

/// The headers of the signature, and the request's id. A header that comes more than once stays so.
pub(super) fn of_signature<I, N, V>(headers: I) -> HeaderMap
where
    I: IntoIterator<Item = (N, V)>,
    N: AsRef<str>,
    V: AsRef<[u8]>,
{
    let mut map = HeaderMap::with_capacity(NAMES.len());
    for (name, value) in headers {
        let Some(name) = known(name.as_ref()) else { continue };
        // Two show that there are several.
        if map.get_all(&name).iter().count() < 2 {
            let value = HeaderValue::from_bytes(without_blanks(value.as_ref()));
            let value = value.or_else(|_| HeaderValue::from_bytes(UNREADABLE));
            if let Ok(value) = value {
                map.append(name, value);
            }
        }
    }
    map
}

/// The header that is looked at under this name: in any letter case, with blanks or a colon after it, and as CGI writes
/// it (`HTTP_WECHATPAY_NONCE`). Two spellings of one header are two of it.
fn known(name: &str) -> Option<HeaderName> {
    let name = name.trim_matches(|c: char| c.is_whitespace() || c == ':').as_bytes();
    let is = |name: &[u8], header: &HeaderName| {
        let header = header.as_str().as_bytes();
        let same = |(ours, theirs): (&u8, &u8)| {
            ours.eq_ignore_ascii_case(theirs) || (*ours == b'-' && *theirs == b'_')
        };
        header.len() == name.len() && header.iter().zip(name).all(same)
    };
    let bare = match name.split_at_checked(5) {
        Some((prefix, rest))
            if prefix.eq_ignore_ascii_case(b"http_") || prefix.eq_ignore_ascii_case(b"http-") =>
        {
            rest
        }
        _ => name,
    };
    NAMES.into_iter().find(|header| is(bare, header))
}

/// Blanks around a value do not belong to it (RFC 9110, section 5.5). A line break is not a blank.
fn without_blanks(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}
