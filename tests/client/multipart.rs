//! Multipart bodies, taken apart.

use crate::support::Recorded;

/// The parts of a multipart body: header lines and content. Strict: it panics on anything that is out of place.
pub(crate) fn parts(seen: &Recorded) -> Vec<(String, Vec<u8>)> {
    let content_type = seen.header("content-type").unwrap();
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    let delimiter = format!("\r\n--{boundary}");
    let body = [b"\r\n", &seen.body[..]].concat();
    let at = |text: &[u8], what: &[u8]| text.windows(what.len()).position(|w| w == what);
    let mut rest = &body[at(&body, delimiter.as_bytes()).unwrap() + delimiter.len()..];
    let mut all = Vec::new();
    while rest != b"--\r\n" {
        let part = rest.strip_prefix(b"\r\n").expect("a line end after the boundary");
        let end = at(part, delimiter.as_bytes()).expect("a closing boundary");
        let blank = at(part, b"\r\n\r\n").unwrap();
        all.push((String::from_utf8(part[..blank].to_vec()).unwrap(), part[blank + 4..end].to_vec()));
        rest = &part[end + delimiter.len()..];
    }
    all
}

/// The message that the platform expects to be signed: with the meta's text instead of the body.
pub(crate) fn expected_message(seen: &Recorded, meta: &[u8]) -> Vec<u8> {
    Recorded { body: meta.to_vec(), ..seen.clone() }.expected_message()
}
