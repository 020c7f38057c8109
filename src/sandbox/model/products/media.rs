//! Uploaded files, and their download.

use http::Method;
use sha2::{Digest as _, Sha256};

use crate::catalogue::{FieldType, Operation};
use crate::sandbox::{
    http::{error_response::ErrorResponse, response::SandboxResponse},
    model::{
        bills,
        engine::{
            call::Call,
            error_code::NOT_FOUND,
            schema::{Action, Endpoint},
        },
    },
};

// An id can contain slashes.
pub(crate) const ENDPOINTS: &[Endpoint] =
    &[Endpoint::new(Method::GET, "v3/merchant-service/images/{+media_id}", &[], Action::Handler(download))];

/// In bytes.
const MAX_PICTURE: usize = 2 << 20;
const MAX_VIDEO: usize = 5 << 20;
const MAX_OTHER: usize = 20 << 20;

/// The first bytes of JPEG, PNG and BMP files.
const PICTURES: [&[u8]; 3] = [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM"];

/// The media type and the bytes of an upload, of the kind that the documents want.
pub(crate) fn check<'a>(call: &Call<'a>, operation: Operation) -> Result<(&'a str, &'a [u8]), ErrorResponse> {
    let mut parts = operation.form().iter().filter(|part| part.field_type() == FieldType::File);
    let part = parts.next().map_or("file", |part| part.name());
    let (media_type, file) = call.file(part)?;
    let wrong = |issue: &str| Err(ErrorResponse::param_error("body", &format!("/{part}"), issue));
    let template = operation.template();
    let mut titles = std::iter::once(operation.title()).chain(operation.other_titles());
    let is_for_pictures = template.contains("image") || titles.any(|title| title.contains("图片"));
    let max = match () {
        _ if template.contains("video") && is_picture(file) => {
            return wrong("expected a video, found a picture");
        }
        _ if template.contains("video") && is_text(file) => return wrong("expected a video, found a text"),
        _ if template.contains("video") => MAX_VIDEO,
        _ if !is_for_pictures => MAX_OTHER,
        _ if file.is_empty() || is_picture(file) => MAX_PICTURE,
        _ => return wrong("expected a JPEG, PNG or BMP picture"),
    };
    if file.is_empty() || file.len() > max {
        return wrong(&format!("expected 1 to {max} bytes, found {}", file.len()));
    }
    let sha256: String = Sha256::digest(file).iter().map(|byte| format!("{byte:02x}")).collect();
    let given = call.text("/sha256");
    if !given.is_empty() && !given.eq_ignore_ascii_case(&sha256) {
        let issue = format!("the SHA-256 of the file is {sha256}");
        return Err(ErrorResponse::param_error("body", "/sha256", &issue));
    }
    Ok((media_type, file))
}

fn is_picture(file: &[u8]) -> bool {
    PICTURES.iter().any(|start| file.starts_with(start))
}

/// Whether the beginning can only be a text. Videos have too many forms to know them all.
fn is_text(file: &[u8]) -> bool {
    let start = &file[..file.len().min(512)];
    let is_control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    !start.is_empty()
        && !start.iter().any(is_control)
        && String::from_utf8_lossy(start).matches('\u{fffd}').count() < 2
}

/// An uploaded file by its id. Other downloads have a sample.
pub(crate) fn download(call: &Call<'_>) -> Result<SandboxResponse, ErrorResponse> {
    let id = match call.var("media_id") {
        "" => return Ok(bills::sample_file(call.request)),
        id => id,
    };
    let (media_type, content) = call.engine.access(|session| {
        session.documents.file(id)?.ok_or_else(|| {
            let why = session.documents.why_no_file(id);
            NOT_FOUND.response(&format!("there is no file {id}{why}"))
        })
    })?;
    Ok(SandboxResponse::new(200).body(media_type, content))
}
