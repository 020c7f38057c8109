//! Uploads, kept as they came.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    super::{Answer, catalogue::NOT_FOUND, random, refusal::Refusal, routes::Call},
    fill::broken,
};

pub(crate) fn upload(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (media_type, file) = call.file()?;
    let digest = Sha256::digest(file);
    let sha256: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    if !call.text("/sha256", "").eq_ignore_ascii_case(&sha256) {
        let issue = format!("the file's SHA-256 is {sha256}");
        return Err(Refusal::param("body", "/sha256", &issue));
    }
    let id = random::alphanumeric(60).map_err(broken)?;
    call.platform.work("", &Value::Null, |flow| flow.documents.put_file(&id, media_type, file))?;
    Ok(Answer::new(200).json(json!({ "media_id": id })))
}

pub(crate) fn download(call: &Call<'_>) -> Result<Answer, Refusal> {
    let id = call.var("media_id");
    let found = call.platform.work("", &Value::Null, |flow| flow.documents.file(id))?;
    let (media_type, content) = found.ok_or_else(|| NOT_FOUND.refusal(&format!("there is no file {id}")))?;
    Ok(Answer::new(200).body(media_type, content))
}
