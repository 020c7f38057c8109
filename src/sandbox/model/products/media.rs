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
        action: Action::Handler(upload),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/merchant/media/video_upload",
        partner_template: None,
        params: UPLOAD_PARAMS,
        action: Action::Handler(upload),
    },
    Endpoint {
        method: Method::POST,
        template: "v3/merchant-service/images/upload",
        partner_template: None,
        params: UPLOAD_PARAMS,
        action: Action::Handler(upload),
    },
    Endpoint {
        method: Method::GET,
        template: "v3/merchant-service/images/{+media_id}",
        partner_template: None,
        params: &[],
        action: Action::Handler(download),
    },
];

fn upload(call: &Call<'_>) -> Result<SandboxResponse, ErrorResponse> {
    let (media_type, file) = call.file()?;
    let digest = Sha256::digest(file);
    let sha256: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    if !call.text("/sha256").eq_ignore_ascii_case(&sha256) {
        let issue = format!("the SHA-256 of the file is {sha256}");
        return Err(ErrorResponse::param_error("body", "/sha256", &issue));
    }
    let id = random::alphanumeric(60).map_err(no_random_numbers)?;
    call.engine.access(|session| session.documents.put_file(&id, media_type, file))?;
    Ok(SandboxResponse::new(200).json(json!({ "media_id": id })))
}

fn download(call: &Call<'_>) -> Result<SandboxResponse, ErrorResponse> {
    let id = call.var("media_id");
    let file = call.engine.access(|session| session.documents.file(id))?;
    let (media_type, content) = file.ok_or_else(|| NOT_FOUND.response(&format!("there is no file {id}")))?;
    Ok(SandboxResponse::new(200).body(media_type, content))
}
