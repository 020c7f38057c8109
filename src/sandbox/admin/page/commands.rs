//! A recorded request as a command for a shell, to repeat it.

use std::borrow::Cow;

use super::text::visible_json;
use crate::sandbox::{http::path_template, store::seen_request::SeenRequest};

/// The largest body that a command contains, in bytes: it must fit into an argument.
const MAX_BODY: usize = 64 << 10;

/// For the program `wxpay`. `None` for a request that it would send differently, such as an upload.
pub(crate) fn wxpay(seen: &SeenRequest) -> Option<String> {
    let body = body(seen)?;
    if !seen.target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let method = seen.method.to_ascii_lowercase();
    let is_write = matches!(method.as_str(), "post" | "put" | "patch" | "delete");
    let is_read = method == "get" && body.is_empty();
    if !is_write && !is_read {
        return None;
    }
    let query = seen.target.split_once('?').map_or("", |(_, query)| query);
    let (mut path, mut options) = (Vec::new(), String::new());
    for segment in path_template::decode_segments(&seen.target)? {
        if is_literal(&segment) {
            path.push(segment);
        } else {
            let name = format!("v{}", path.iter().filter(|part| part.starts_with('{')).count() + 1);
            options += &format!(" --var {}", shell(&format!("{name}={segment}")));
            path.push(format!("{{{name}}}"));
        }
    }
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        options += &format!(" -q {}", shell(&format!("{name}={value}")));
    }
    if is_write && !body.is_empty() {
        options += &format!(" -d {}", shell(&body));
    } else if is_write {
        options += " < /dev/null";
    }
    Some(format!("wxpay {method} {}{options}", shell(&path.join("/"))))
}

/// For `curl`, with a new signature by `openssl`.
pub(crate) fn curl(seen: &SeenRequest) -> Option<String> {
    curl_of(&seen.method, &seen.target, &body(seen)?, &serial(seen))
}

/// `serial` is the option with the header `Wechatpay-Serial`, or empty.
pub(crate) fn curl_of(method: &str, target: &str, body: &str, serial: &str) -> Option<String> {
    let data = if body.is_empty() {
        ""
    } else {
        " \\\n  -H 'Content-Type: application/json' --data-binary \"$body\""
    };
    signed_curl(method, target, &format!("body={}", shell(body)), &format!("{serial}{data}"))
}

/// Stand in the `meta` of [`curl_upload`] for the name and the digest of the file.
pub(crate) const FILE_NAME: &str = "@NAME@";
pub(crate) const FILE_DIGEST: &str = "@DIGEST@";

/// An upload of `picture.jpg` as this part; its signature covers `meta`.
pub(crate) fn curl_upload(method: &str, target: &str, part: &str, meta: &str) -> Option<String> {
    // In double quotes.
    let escaped: String =
        meta.chars().flat_map(|c| "\\\"$`".contains(c).then_some('\\').into_iter().chain([c])).collect();
    let meta = escaped
        .replace(FILE_NAME, "$(basename \"$file\")")
        .replace(FILE_DIGEST, "$(openssl dgst -sha256 -r \"$file\" | cut -d' ' -f1)");
    let body = format!("file=picture.jpg\nbody=\"{meta}\"");
    let data = format!(" \\\n  -F \"meta=$body;type=application/json\" -F \"{part}=@$file\"");
    signed_curl(method, target, &body, &data)
}

/// `body` are the lines that set `$body`, the text that is signed; `options` are further ones of curl.
fn signed_curl(method: &str, target: &str, body: &str, options: &str) -> Option<String> {
    // A URL is ASCII; what is not was sent by a broken client.
    let target = Some(target).filter(|target| target.bytes().all(|byte| byte.is_ascii_graphic()))?;
    let (method, target) = (shell(method), shell(target));
    Some(format!(
        "{body}
timestamp=$(date +%s) nonce=$(openssl rand -hex 16)
signature=$(printf '%s\\n' {method} {target} \"$timestamp\" \"$nonce\" \"$body\" |
  openssl dgst -sha256 -sign \"${{WECHATPAY_PRIVATE_KEY#file://}}\" | openssl base64 -A)
curl -sS -X {method} \"${{WECHATPAY_BASE_URL%/}}\"{target} -H 'Accept: application/json' \\
  -H \"Authorization: WECHATPAY2-SHA256-RSA2048 mchid=\\\"$WECHATPAY_MCHID\\\",serial_no=\\\"$WECHATPAY_SERIAL\\\",timestamp=\\\"$timestamp\\\",nonce_str=\\\"$nonce\\\",signature=\\\"$signature\\\"\"{options}",
    ))
}

/// The key that the body was encrypted for.
fn serial(seen: &SeenRequest) -> String {
    let serial = seen.headers.get("wechatpay-serial").and_then(|value| value.to_str().ok());
    serial
        .map(|serial| format!(" \\\n  -H {}", shell(&format!("Wechatpay-Serial: {serial}"))))
        .unwrap_or_default()
}

/// The body, if a command can contain it.
fn body(seen: &SeenRequest) -> Option<Cow<'_, str>> {
    let media_type = seen.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("");
    if media_type.trim_start().starts_with("multipart/") || seen.body_length > MAX_BODY {
        return None;
    }
    // The reader of a command must see what it sends.
    visible_json(std::str::from_utf8(&seen.body).ok()?)
}

/// Whether `wxpay` takes this segment for a word of the path, not for a value.
fn is_literal(segment: &str) -> bool {
    let first = segment.chars().next();
    first.is_none_or(|first| first.is_ascii_lowercase())
        && segment.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_' | '.'))
}

/// Quotes for a POSIX shell, if the text needs them.
fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
