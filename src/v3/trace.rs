//! The messages of a call as trace events: see `WeChatPayBuilder::trace_messages`.

use http::{HeaderMap, StatusCode};
use url::Position;

use crate::error::Sanitized;

const TARGET: &str = "wechatpay_chain::messages";

/// Headers whose value is a signature or a credential.
const SECRET: [&str; 5] =
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "wechatpay-signature"];

/// A request, as it is sent.
pub(super) fn request(request: &reqwest::Request, signed: &[u8]) {
    let url = request.url();
    tracing::debug!(
        target: TARGET,
        method = %request.method(),
        path = %&url[Position::BeforePath..Position::AfterQuery],
        host = %&url[Position::BeforeHost..Position::AfterPort],
        headers = %headers(request.headers()),
        "request"
    );
    tracing::trace!(target: TARGET, body = %body(signed), "request body");
}

/// The head of a response that is not verified yet.
pub(super) fn response(status: StatusCode, head: &HeaderMap) {
    tracing::debug!(target: TARGET, status = status.as_u16(), headers = %headers(head), "response");
}

/// The body of a response that is not verified yet.
pub(super) fn response_body(bytes: &[u8]) {
    tracing::trace!(target: TARGET, body = %body(bytes), "response body");
}

/// One on a line.
fn headers(headers: &HeaderMap) -> String {
    let lines = headers.iter().map(|(name, value)| match SECRET.contains(&name.as_str()) {
        true => format!("{name}: …"),
        false => format!("{name}: {}", Sanitized(&String::from_utf8_lossy(value.as_bytes()))),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn body(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => Sanitized(text).to_string(),
        Err(_) => format!("{} bytes that are not text", bytes.len()),
    }
}
