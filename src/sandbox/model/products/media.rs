//! Uploaded files, and their download.

use http::Method;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::sandbox::{
    http::{error_response::ErrorResponse, response::SandboxResponse},
    keys::random,
    model::engine::{
        call::Call,
        error_code::NOT_FOUND,
        fields::no_random_numbers,
        params::Param,
        schema::{Action, Endpoint},
    },
};

const UPLOAD_PARAMS: &[Param] = &[Param::Text("/filename", 128), Param::Text("/sha256", 64), Param::File];

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        method: Method::POST,
        template: "v3/merchant/media/upload",
        partner_template: None,
        params: UPLOAD_PARAMS,
        action: Action::Handler(upload_picture),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/merchant/media/video_upload",
        partner_template: None,
        params: UPLOAD_PARAMS,
        action: Action::Handler(upload_video),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/merchant-service/images/upload",
        partner_template: None,
        params: UPLOAD_PARAMS,
        action: Action::Handler(upload_picture),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/marketing/favor/media/image-upload",
        partner_template: None,
        params: UPLOAD_PARAMS,
        action: Action::Handler(upload_marketing_picture),
    },
    Endpoint {
        method: Method::GET,
        template: "v3/merchant-service/images/{+media_id}",
        partner_template: None,
        params: &[],
        action: Action::Handler(download),
    },
];

/// Bytes.
const MAX_PICTURE: usize = 2 << 20;
const MAX_VIDEO: usize = 5 << 20;

/// The first bytes of JPEG, PNG and BMP files.
const PICTURES: [&[u8]; 3] = [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM"];

fn upload_picture(call: &Call<'_>) -> Result<SandboxResponse, ErrorResponse> {
    Ok(SandboxResponse::new(200).json(json!({ "media_id": store_picture(call)? })))
}

fn upload_marketing_picture(call: &Call<'_>) -> Result<SandboxResponse, ErrorResponse> {
    let url = format!("https://qpic.cn/{}", store_picture(call)?);
    Ok(SandboxResponse::new(200).json(json!({ "media_url": url })))
}

fn upload_video(call: &Call<'_>) -> Result<SandboxResponse, ErrorResponse> {
    let (_, file) = call.file()?;
    let found = if is_picture(file) { Some("a picture") } else { is_text(file).then_some("a text") };
    if let Some(found) = found {
        let issue = format!("expected a video, found {found}");
        return Err(ErrorResponse::param_error("body", "/file", &issue));
    }
    Ok(SandboxResponse::new(200).json(json!({ "media_id": store(call, MAX_VIDEO)? })))
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

fn store_picture(call: &Call<'_>) -> Result<String, ErrorResponse> {
    let (_, file) = call.file()?;
    if !file.is_empty() && !is_picture(file) {
        return Err(ErrorResponse::param_error("body", "/file", "expected a JPEG, PNG or BMP picture"));
    }
    store(call, MAX_PICTURE)
}

fn store(call: &Call<'_>, max: usize) -> Result<String, ErrorResponse> {
    let (media_type, file) = call.file()?;
    if file.is_empty() || file.len() > max {
        let issue = format!("expected 1 to {max} bytes, found {}", file.len());
        return Err(ErrorResponse::param_error("body", "/file", &issue));
    }
    let digest = Sha256::digest(file);
    let sha256: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    if !call.text("/sha256").eq_ignore_ascii_case(&sha256) {
        let issue = format!("the SHA-256 of the file is {sha256}");
        return Err(ErrorResponse::param_error("body", "/sha256", &issue));
    }
    let id = random::alphanumeric(60).map_err(no_random_numbers)?;
    call.engine.access(|session| session.documents.put_file(&id, media_type, file))?;
    Ok(id)
}

fn download(call: &Call<'_>) -> Result<SandboxResponse, ErrorResponse> {
    let id = call.var("media_id");
    let (media_type, content) = call.engine.access(|session| {
        session.documents.file(id)?.ok_or_else(|| {
            let why = session.documents.why_no_file(id);
            NOT_FOUND.response(&format!("there is no file {id}{why}"))
        })
    })?;
    Ok(SandboxResponse::new(200).body(media_type, content))
}
