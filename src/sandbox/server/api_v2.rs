//! Requests of APIv2 (XML with a `sign`), which the sandbox does not model: they get an error that their client can read.

use crate::sandbox::http::{
    error_response::ErrorResponse,
    path_template::decode_segments,
    request::{IncomingRequest, media_type},
};

/// The first segments of APIv2's paths.
const FIRST_SEGMENTS: [&str; 23] = [
    "appauth",
    "applyment",
    "billcommentsp",
    "cgi-bin",
    "deposit",
    "face",
    "fund",
    "mchrisk",
    "mmpaymkttransfers",
    "mmpaysptrans",
    "papay",
    "pay",
    "payitil",
    "risk",
    "sandboxnew",
    "secapi",
    "secsvc",
    "tools",
    "transit",
    "v2",
    "vehicle",
    "wxv",
    "xdc",
];

/// The paths of base URLs.
const BASES: [&str; 2] = ["hk", "global"];

/// The error of a path of APIv2; `None` for any other path.
pub(super) fn error(request: &IncomingRequest) -> Option<ErrorResponse> {
    let path = decode_segments(&request.target)?;
    let first = path.iter().find(|segment| !BASES.contains(&segment.as_str()))?;
    if !FIRST_SEGMENTS.contains(&first.to_ascii_lowercase().as_str()) {
        return None;
    }
    let path = request.target.split('?').next().unwrap_or_default();
    let message = format!(
        "{path} is APIv2 (XML and `sign`), which this sandbox does not model. It models APIv3: /v3/..."
    );
    let xml =
        media_type(&request.headers).ends_with("xml") || request.body.trim_ascii_start().starts_with(b"<");
    Some(ErrorResponse { xml, ..ErrorResponse::new(404, "RESOURCE_NOT_EXISTS", message) })
}
