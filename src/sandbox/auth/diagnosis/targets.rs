//! The changes of path and query.

use percent_encoding::percent_decode_str;
use url::form_urlencoded;

use super::{
    changes::Part,
    message::{MessageParts, split},
    mistake::Mistake,
};

/// All orders of a query are tried up to this many parameters.
const MAX_ORDERED: usize = 5;

/// The hosts that a whole URL can have besides that of the request.
const HOSTS: [&str; 2] = ["api.mch.weixin.qq.com", "api2.wechatpay.cn"];

/// The characters besides letters and digits that are left as they are: RFC 3986's unreserved ones,
/// `encodeURIComponent`'s, `encodeURI`'s, a form's.
const UNESCAPED: [&str; 4] = ["-._~", "-._~!'()*", "-._~!'()*;,/?:@&=+$", "-._*"];

pub(super) fn add(parts: &MessageParts<'_>, add: &mut impl FnMut(Mistake, Part)) {
    let (path, query) = split(parts.target);
    let mut add_path = |mistake, changed: String| {
        if changed != path {
            add(mistake, Part::Path(changed));
        }
    };
    for host in std::iter::once(parts.host).chain(HOSTS) {
        for scheme in ["http://", "https://", ""] {
            add_path(Mistake::FullUrl, format!("{scheme}{host}{path}"));
        }
    }
    add_path(Mistake::NoLeadingSlash, path.trim_start_matches('/').into());
    add_path(Mistake::TwoLeadingSlashes, format!("/{path}"));
    match path.strip_suffix('/') {
        Some(bare) => add_path(Mistake::NoTrailingSlash, bare.into()),
        None => add_path(Mistake::TrailingSlash, format!("{path}/")),
    }
    if let Some(at) = path.find("/v3/") {
        add_path(Mistake::NoBasePath, path[at..].into());
        add_path(Mistake::NoVersion, path[at + 3..].into());
    }
    for (mistake, changed) in escaped(path) {
        add_path(mistake, changed);
    }
    let rewritten = UNESCAPED.map(|unescaped| rewrite(path, "/", unescaped));
    for changed in rewritten {
        add_path(Mistake::OtherEscapes, changed);
    }

    let mut add_query = |mistake, changed: String| {
        if changed != query {
            add(mistake, Part::Query(changed));
        }
    };
    match query.strip_suffix('?') {
        Some(bare) => add_query(Mistake::TrailingQuestionMark, bare.into()),
        None => add_query(Mistake::TrailingQuestionMark, format!("{query}?")),
    }
    let Some(bare) = query.strip_prefix('?').filter(|bare| !bare.is_empty()) else { return };
    add_query(Mistake::NoQuery, String::new());
    let mut pairs: Vec<&str> = bare.split('&').collect();
    pairs.reverse();
    add_query(Mistake::QueryOrder, format!("?{}", pairs.join("&")));
    pairs.sort_unstable();
    add_query(Mistake::QueryOrder, format!("?{}", pairs.join("&")));
    add_query(Mistake::SpaceEncoding, query.replace("%20", "+"));
    add_query(Mistake::SpaceEncoding, query.replace('+', "%20"));
    for (mistake, changed) in escaped(query) {
        add_query(mistake, changed);
    }
    let form = form_urlencoded::parse(bare.as_bytes()).map(|(name, value)| format!("{name}={value}"));
    add_query(Mistake::DecodedTarget, format!("?{}", form.collect::<Vec<_>>().join("&")));
    for unescaped in UNESCAPED {
        let changed = format!("?{}", rewrite(bare, "&=", unescaped));
        add_query(Mistake::OtherEscapes, changed.replace("%20", "+"));
        add_query(Mistake::OtherEscapes, changed);
    }
    // One mistake, in both.
    for ((mistake, path), (_, query)) in escaped(path).into_iter().zip(escaped(query)) {
        add(mistake, Part::Target(format!("{path}{query}")));
    }
}

/// The other orders of a short query.
pub(super) fn orders(target: &str) -> Vec<String> {
    let (_, query) = split(target);
    let pairs: Vec<&str> = query.trim_start_matches('?').split('&').collect();
    let mut all = vec![Vec::new()];
    if !(3..=MAX_ORDERED).contains(&pairs.len()) {
        return Vec::new();
    }
    // Each pair goes to every place of each order of the pairs before it.
    for pair in pairs {
        all = (all.into_iter())
            .flat_map(|order: Vec<&str>| {
                (0..=order.len()).map(move |at| {
                    let mut longer = order.clone();
                    longer.insert(at, pair);
                    longer
                })
            })
            .collect();
    }
    all.into_iter().map(|order| format!("?{}", order.join("&"))).collect()
}

/// Another treatment of the escapes.
fn escaped(text: &str) -> [(Mistake, String); 4] {
    [
        (Mistake::DecodedTarget, percent_decode_str(text).decode_utf8_lossy().into_owned()),
        (Mistake::EncodedTwice, text.replace('%', "%25")),
        (Mistake::LowerCaseEscapes, letter_case(text, str::to_ascii_lowercase)),
        (Mistake::LowerCaseEscapes, letter_case(text, str::to_ascii_uppercase)),
    ]
}

/// The digits of the escapes changed.
fn letter_case(text: &str, change: impl Fn(&str) -> String) -> String {
    let mut parts = text.split('%');
    let mut changed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        changed.push_str(&format!("%{}{rest}", change(digits)));
    }
    changed
}

/// Decodes what stands between the separators, and encodes it with other characters left as they are.
fn rewrite(text: &str, separators: &str, unescaped: &str) -> String {
    let mut changed = String::with_capacity(text.len());
    for piece in text.split_inclusive(|character| separators.contains(character)) {
        let (content, separator) = match piece.char_indices().next_back() {
            Some((at, last)) if separators.contains(last) => piece.split_at(at),
            _ => (piece, ""),
        };
        for byte in percent_decode_str(content) {
            if byte.is_ascii_alphanumeric() || unescaped.contains(char::from(byte)) {
                changed.push(char::from(byte));
            } else {
                changed.push_str(&format!("%{byte:02X}"));
            }
        }
        changed.push_str(separator);
    }
    changed
}
