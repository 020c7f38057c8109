//! The paths whose successful responses the platform does not sign, or signs otherwise.

use std::borrow::Cow;

use http::{HeaderMap, Method};

use super::{NONCE, ResponseView, SERIAL, SIGNATURE, TIMESTAMP};

/// **The paths whose successful GET responses the platform does not sign** (PROTOCOL, Response). Everything else is
/// verified, and these are if they have a signature. Compared case-insensitively, without the base URL's path.
const UNSIGNED: &[&str] = &[
    "v3/billdownload/file",
    "v3/transferdownload/elecvoucherfile",
    "v3/transferdownload/signfile",
    "v3/new-tax-control-fapiao/download",
];

/// The same for pictures: the rest of the path is an id, which may hold slashes.
const PICTURES: &[&str] = &["v3/merchant-service/images/", "v3/global/merchant-service/images/"];

/// Not an id: an endpoint beside the pictures, which the platform signs.
const UPLOAD: &str = "upload";

/// The paths of the platform's other base URLs, which may also be written in the chain.
const PREFIXES: &[&str] = &["hk/", "global/"];

/// The overseas statements: the signature covers `{"sha1":"…"}` with the header's value, which is the file's digest.
const STATEMENTS: &[&str] = &["v3/statements", "v3/global/statements"];

/// Whether the response needs no signature, and has none. With any of the four headers it is verified as every other.
pub(super) fn goes_unsigned(response: &ResponseView<'_>) -> bool {
    *response.method == Method::GET && is_unsigned(response.path) && !has_signature(response.headers)
}

/// Whether any of the four headers is there.
pub(super) fn has_signature(headers: &HeaderMap) -> bool {
    [NONCE, SERIAL, SIGNATURE, TIMESTAMP].into_iter().any(|header| headers.contains_key(header))
}

pub(super) fn is_unsigned(path: &str) -> bool {
    either(path, |path| {
        UNSIGNED.iter().any(|unsigned| path.eq_ignore_ascii_case(unsigned)) || is_picture(path)
    })
}

pub(super) fn is_statement(path: &str) -> bool {
    either(path, |path| STATEMENTS.iter().any(|statement| path.eq_ignore_ascii_case(statement)))
}

/// The path as it is, or without the path of another base URL.
fn either(path: &str, test: impl Fn(&str) -> bool) -> bool {
    test(path) || PREFIXES.iter().find_map(|prefix| strip_prefix(path, prefix)).is_some_and(test)
}

fn is_picture(path: &str) -> bool {
    let Some(id) = PICTURES.iter().find_map(|folder| strip_prefix(path, folder)) else { return false };
    // As a server would read it: `%2F` may be a slash there, and `..` lead to an endpoint that is signed.
    let id = decode(id);
    let mut segments = id.split(['/', '\\']).filter(|segment| !segment.is_empty());
    let Some(first) = segments.next() else { return false };
    let climbs = |segment: &str| matches!(segment, "." | "..");
    !first.eq_ignore_ascii_case(UPLOAD) && !climbs(first) && !segments.any(climbs)
}

/// Without percent-encoding. What is not UTF-8 cannot be one of the names that are looked for.
fn decode(text: &str) -> Cow<'_, str> {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy()
}

fn strip_prefix<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    let (head, tail) = path.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}
