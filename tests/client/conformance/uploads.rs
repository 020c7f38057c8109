use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use wechatpay_chain::Media;

use super::{Mistakes, Tally, options, recorded_calls, redirect, spellings};
use crate::multipart::{expected_message, parts};
use crate::support::{self, Recorded, Recorder, has, key_path, openssl_verifies, skipped};

/// The file and the meta of a recorded upload.
struct Upload {
    filename: String,
    meta: String,
    content: Vec<u8>,
    /// The caller's meta: PHP's text, Node's object; none if it is PHP's own default.
    given: Option<Value>,
}

impl Upload {
    fn of(call: &Value) -> Option<Upload> {
        let (options, text) = (options(call), |value: &Value| value.as_str().map(str::to_owned));
        if call["sdk"] != "php" {
            let filename = text(&call["data"]["file"]["$readStream"])?;
            let (meta, given) = (text(&call["data"]["meta"])?, options.get("meta").cloned());
            // The recording names a file without its content.
            return Some(Upload { filename, meta, content: b"content".to_vec(), given });
        }
        let body = options.get("body")?;
        let (filename, meta) = (text(&body["filename"])?, text(&body["meta"])?);
        let sha256 = body["file_sha256"].as_str().unwrap_or_default();
        let default = meta == format!(r#"{{"filename":"{filename}","sha256":"{sha256}"}}"#);
        let content = STANDARD.decode(body["file_base64"].as_str()?).unwrap();
        let given = (!default).then(|| json!(meta));
        Some(Upload { filename, meta, content, given })
    }

    /// Each difference of what was sent.
    fn compare(&self, expect: &Value, seen: &Recorded) -> Vec<String> {
        let parts = parts(seen);
        let [(meta_head, meta), (file_head, file)] = &parts[..] else {
            return vec![format!("{} parts", parts.len())];
        };
        let disposition = |name: &str| format!("Content-Disposition: form-data; name=\"{name}\"");
        let mut wrong = Vec::new();
        let mut check = |holds: bool, what: &str| {
            if !holds {
                wrong.push(what.to_owned());
            }
        };
        check(expect["method"] == seen.method.as_str(), "method");
        check(expect["target"] == seen.target.as_str(), "target");
        check(seen.header("transfer-encoding").is_none(), "transfer-encoding");
        check(String::from_utf8_lossy(meta) == self.meta, "meta");
        check(*meta_head == disposition("meta") + "\r\nContent-Type: application/json", "head of the meta");
        check(*file == self.content, "file");
        let file_disposition = format!("{}; filename=\"{}\"\r\n", disposition("file"), self.filename);
        check(file_head.starts_with(&file_disposition), "head of the file");
        wrong
    }
}

#[test]
fn every_recorded_upload_through_every_spelling() {
    let Some(mut calls) = recorded_calls() else { return };
    calls.retain(|call| call["kind"] == "upload" && Mistakes::of(call).is_empty());
    if calls.is_empty() {
        return skipped("no upload is among the recordings");
    }
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    let folder = tempfile::tempdir().unwrap();
    let mut tally = Tally::default();
    for call in &calls {
        let id = &call["id"];
        assert_eq!(call["verb"], "POST");
        let upload = Upload::of(call).unwrap_or_else(|| panic!("{id}: an upload of another form"));
        let mut options = options(call);
        options.retain(|name, _| name != "body" && name != "meta");
        redirect(&mut options, &recorder);
        let path = folder.path().join(&upload.filename);
        std::fs::write(&path, &upload.content).unwrap();
        for media in [Media::file(&path), Media::bytes(&*upload.filename, upload.content.clone())] {
            let media = match &upload.given {
                Some(meta) => media.meta(meta.clone()),
                None => media,
            };
            for (spelling, chain) in spellings(&wx, &call["chain"]) {
                let request = chain.post(Value::Null).media(media.clone());
                request.options(Value::Object(options.clone())).wait().unwrap();
                let seen = recorder.take();
                match upload.compare(&call["expect"], &seen) {
                    wrong if wrong.is_empty() => tally.equal += 1,
                    wrong => tally.wrong.push(format!("{id} {spelling}: {wrong:?}")),
                }
                if tally.compared == 0 && has("openssl") {
                    let message = expected_message(&seen, upload.meta.as_bytes());
                    let key = key_path("merchant_pub.pem");
                    assert!(openssl_verifies(key.as_ref(), &message, &seen.auth("signature")));
                }
                tally.compared += 1;
            }
        }
    }
    tally.report(&format!("calls.jsonl, {} uploads", calls.len()));
}
