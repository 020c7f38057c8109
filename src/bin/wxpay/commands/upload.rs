//! `wxpay upload`.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;
use wechatpay_chain::Media;

use super::call::pair;
use crate::config::Session;
use crate::download::Spinner;
use crate::failure::{Failure, usage_error};
use crate::global::GlobalArgs;
use crate::input;
use crate::output::Output;

/// Upload a file; the signature covers its meta part
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay upload licence.jpg v3/merchant/media/upload\n  \
    wxpay upload licence.jpg v3/merchant/media/upload --name front.jpg\n  \
    wxpay upload licence.jpg v3/mch-manage/submission-files/sub-mchid/1900000109/upload \\\n    \
      --part submission_file --field item_id=7 --field manage_record_id=R1 \\\n    \
      --meta '{\"file_name\":\"licence.jpg\",\"file_digest\":\"aac9320b…\",\"item_id\":7}'")]
pub(crate) struct UploadArgs {
    /// The file to upload
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The path of the endpoint
    #[arg(value_name = "PATH")]
    path: String,
    /// The meta part, if the endpoint needs more than filename and sha256: JSON, @FILE, or - for stdin
    #[arg(long, value_name = "JSON|@FILE|-")]
    meta: Option<String>,
    /// The file name to send [default: the name of FILE]
    #[arg(long, value_name = "FILENAME")]
    name: Option<String>,
    /// The name of the file's part, if the endpoint does not call it `file`
    #[arg(long, value_name = "NAME")]
    part: Option<String>,
    /// Add a part of text (repeatable)
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = pair)]
    fields: Vec<(String, String)>,
    /// Filter the response with a jq expression
    #[arg(long, value_name = "FILTER")]
    jq: Option<String>,
    /// Print the response body unchanged; with --jq, print strings without quotes
    #[arg(short, long)]
    raw: bool,
    /// Write the output to this file, which appears only once it is complete; - for stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) fn run(global: &GlobalArgs, args: &UploadArgs) -> Result<(), Failure> {
    let output =
        Output::new(global).with_filter(args.jq.as_deref(), args.raw)?.with_file(args.output.as_deref())?;
    let mut media = Media::file(&args.file);
    if let Some(name) = &args.name {
        media = media.filename(name);
    }
    if let Some(meta) = &args.meta {
        let text = input::read("--meta", meta)?;
        // As a string, it is signed and sent unchanged.
        let text = String::from_utf8(text).map_err(|_| usage_error("--meta: expected JSON in UTF-8"))?;
        media = media.meta(text);
    }
    if let Some(part) = &args.part {
        media = media.part_name(part);
    }
    for (name, value) in &args.fields {
        media = media.field(name, value.as_str());
    }
    let session = Session::open(global)?;
    let spinner = Spinner::new("uploading");
    let response = session.wx.chain("").literal(&args.path).post(Value::Null).media(media).wait();
    drop(spinner);
    let response = response.map_err(Failure::Write)?;
    let printed = match args.raw && args.jq.is_none() {
        true => output.bytes(response.bytes()),
        false => output.body(response.bytes()),
    };
    printed.map_err(Failure::after_success)
}
