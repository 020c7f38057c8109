//! `wxpay upload`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use wechatpay_chain::Media;
use wechatpay_chain::http::HeaderValue;

use super::call::{pair, query_pair};
use crate::apiv2;
use crate::complete_file::is_standard_stream;
use crate::config::Session;
use crate::config::sandbox::warn_if_not_modelled;
use crate::failure::{Failure, usage_error};
use crate::global::GlobalArgs;
use crate::hints::PathHint;
use crate::input;
use crate::output::Output;
use crate::progress::Spinner;
use crate::text::Excerpt;

/// Upload a file; the signature covers its meta part
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay upload licence.jpg v3/merchant/media/upload\n  \
    wxpay upload licence.jpg v3/merchant/media/upload --name front.jpg\n  \
    wxpay upload - v3/merchant/media/upload --name front.jpg --type image/jpeg < licence.jpg\n  \
    wxpay upload licence.jpg v3/mch-manage/submission-files/sub-mchid/1900000109/upload \\\n    \
      --part submission_file --field item_id=7 --field manage_record_id=R1 \\\n    \
      --meta '{\"file_name\":\"licence.jpg\",\"file_digest\":\"aac9320b…\",\"item_id\":7}'")]
pub(crate) struct UploadArgs {
    /// The file to upload; - for stdin, which needs --name
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The path of the endpoint
    #[arg(value_name = "PATH")]
    path: String,
    /// Set a variable of the path (repeatable)
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    var: Vec<(String, String)>,
    /// Add a query parameter (repeatable)
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = query_pair)]
    query: Vec<(String, String)>,
    /// The content type of the file [default: by the extension of its name]
    #[arg(long = "type", value_name = "TYPE")]
    mime: Option<String>,
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
    let mut media = match (is_standard_stream(&args.file), &args.name) {
        (false, None) => Media::file(&args.file),
        (false, Some(name)) => Media::file(&args.file).filename(name),
        (true, None) => {
            return Err(usage_error("a file from stdin has no name").with_hint("name it with --name"));
        }
        (true, Some(name)) => Media::bytes(name, input::stdin("FILE")?),
    };
    if let Some(mime) = &args.mime {
        if mime.is_empty() || HeaderValue::from_str(mime).is_err() {
            return Err(usage_error(format!("--type: expected a content type, found {}", Excerpt(mime))));
        }
        media = media.mime(mime);
    }
    if let Some(meta) = &args.meta {
        let text = input::read("--meta", meta)?;
        if !input::parse_json("--meta", &text)?.is_object() {
            return Err(usage_error("--meta: expected a JSON object"));
        }
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
    if apiv2::is_path(&args.path) {
        return Err(usage_error("PATH is one of APIv2, whose uploads are not supported yet"));
    }
    let query = input::query(&args.query)?;
    let session = Session::open(global)?;
    let bare = || {
        let chain = session.wx.chain("").literal(&args.path);
        args.var
            .iter()
            .fold(chain.post(Value::Null), |request, (name, value)| request.var(name, value.as_str()))
    };
    let hint = PathHint::of(bare());
    let spinner = Spinner::new("uploading");
    let mut request = bare().media(media);
    for (name, value) in query {
        request = request.query(json!({ name: value }));
    }
    let response = request.wait();
    drop(spinner);
    hint.report(response.map_err(Failure::Write).and_then(|response| {
        warn_if_not_modelled(response.headers());
        output.response(&response, args.raw).map_err(Failure::after_success)
    }))
}
