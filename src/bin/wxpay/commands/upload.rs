//! `wxpay upload`.

use serde_json::Value;
use wechatpay_chain::Media;

use crate::cli::{Global, Upload};
use crate::commands::call::body;
use crate::config;
use crate::download::Busy;
use crate::exit::{Failure, usage};
use crate::output::Output;

pub(crate) fn run(global: &Global, upload: &Upload) -> Result<(), Failure> {
    let output = Output::new(global.color).with_filter(upload.jq.as_deref(), false)?;
    let mut media = Media::file(&upload.file);
    if let Some(name) = &upload.name {
        media = media.filename(name);
    }
    if let Some(meta) = &upload.meta {
        let text = body::read("--meta", meta)?;
        // As a text it is sent and signed as it is.
        let text = String::from_utf8(text).map_err(|_| usage("--meta: expected JSON, which is UTF-8"))?;
        media = media.meta(text);
    }
    let session = config::open(global)?;
    let busy = Busy::new("uploading");
    let answer = session.wx.chain(&upload.path).post(Value::Null).media(media).wait();
    drop(busy);
    let answer = answer?;
    output.body(answer.bytes())
}
